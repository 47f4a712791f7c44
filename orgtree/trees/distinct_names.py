"""Names of units that tell them apart for readers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from django.db.models import Exists, OuterRef, Subquery
from django.utils import timezone

from orgtree.models import Unit, UnitPlace


def distinct_names(slugs: Iterable[str]) -> Mapping[str, str]:
    """The names of these units by slug; if another unit of the tree has the same name, with that of the unit above:
    Berlin (Payments).
    """
    wanted = {*slugs}
    if not wanted:
        return {}
    alike = Unit.objects.filter(tree=OuterRef("tree"), name=OuterRef("name")).exclude(pk=OuterRef("pk"))
    place = UnitPlace.objects.filter(unit=OuterRef("pk"), during__contains=timezone.localdate())
    units = Unit.objects.filter(slug__in=wanted).annotate(
        repeats=Exists(alike), above=Subquery(place.values("parent__name")[:1])
    )
    return {
        slug: f"{name} ({above})" if repeats and above else name
        for slug, name, repeats, above in units.values_list("slug", "name", "repeats", "above")
    }
