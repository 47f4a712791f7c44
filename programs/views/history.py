"""What the histories of tickets and of objectives share: the events that triggers wrote, and the names in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from django.apps import apps
from django.db.models import QuerySet

from insights.views.scope_bar import EVERYBODY
from orgtree.models import Person, Unit
from orgtree.models.sight import Sight
from programs.models import Objective

CHANGES_LISTED = 300
NOTHING, GONE_ONE, UNSEEN = "–", "one that is gone", "one that you may not see"


def events_of(model: str, **of: int) -> list[Any]:
    """The latest ones, the first of them first."""
    events = apps.get_model("programs", model)._default_manager.filter(**of).select_related("pgh_context")
    return list(events.order_by("-pgh_id")[:CHANGES_LISTED])[::-1]


def together(event: Any) -> object:
    """The same for all that was changed at once."""
    return event.pgh_context_id or event.pgh_created_at


class NamesOfToday:
    """What units, people and objectives are called today whose ids stand in events; a query for each that changed.

    Of an objective that the viewer may not see only that it is one.
    """

    def __init__(self, events: Sequence[Any], sight: Sight, *, objective: str) -> None:
        """`objective` is the field of the events that holds an objective's id."""
        asked: Mapping[str, tuple[QuerySet[Any], str]] = {
            "unit_id": (Unit.objects.all(), "name"),
            "owner_id": (Person.objects.all(), "full_name"),
            objective: (Objective.objects.within(sight), "title"),
        }
        self._nameless = {"unit_id": GONE_ONE, "owner_id": GONE_ONE, objective: UNSEEN}
        self._known: Mapping[str, Mapping[int, str]] = {
            field: dict(found.filter(pk__in=changed).values_list("pk", column))
            for field, (found, column) in asked.items()
            if (changed := _changed(field, events))
        }

    def tell_of(self, field: str) -> bool:
        return field in self._nameless

    def name(self, field: str, pk: int | None) -> str:
        if pk is None:
            return EVERYBODY if field == "unit_id" else NOTHING
        return self._known.get(field, {}).get(pk, self._nameless[field])


def _changed(field: str, events: Sequence[Any]) -> set[int]:
    """The ids that a field changed from and to; of one that never did nothing is told, and nothing asked."""
    pairs = [(getattr(before, field), getattr(after, field)) for before, after in pairwise(events)]
    return {pk for pair in pairs if pair[0] != pair[1] for pk in pair if pk is not None}
