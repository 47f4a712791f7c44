"""How many objectives stand how."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

from django.db.models import Count

from orgtree.access.access import Access
from programs.objectives.queries.objectives import ObjectiveFilter, filtered, shown_standing


def standing_counts(params: ObjectiveFilter, access: Access, *, today: date) -> Mapping[str, int]:
    """Of what is asked for, whatever its standing: how many are shown to this viewer as standing so."""
    everything = filtered(replace(params, standing=""), access, today=today).order_by()
    counted = everything.annotate(shown=shown_standing(access)).values("shown").annotate(number=Count("pk"))
    return {row["shown"]: row["number"] for row in counted}
