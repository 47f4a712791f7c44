"""Objectives counted by status."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

from django.db.models import Count

from orgtree.access.access import Access
from programs.objectives.queries.objectives import ObjectiveFilter, filtered, shown_status


def count_by_status(params: ObjectiveFilter, access: Access, *, today: date) -> Mapping[str, int]:
    """The filtered objectives, counted by the status shown to this viewer; a status filter is ignored."""
    everything = filtered(replace(params, standing=""), access, today=today).order_by()
    counted = everything.annotate(shown=shown_status(access)).values("shown").annotate(number=Count("pk"))
    return {row["shown"]: row["number"] for row in counted}
