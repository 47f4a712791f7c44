"""Events: notes that explain a change on certain days.  Findings leave out the weeks of those days."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import date

from django.db.models import Q

from insights.models import Annotation
from insights.models.annotations import family_of
from insights.query.query import Scope, Window
from insights.ui import wording
from orgtree.access.access import Access
from orgtree.models import UnitPlacement

Events = Mapping[int | None, Sequence[Annotation]]


def events_of(units: Collection[int], window: Window) -> Events:
    """The events that explain changes in each unit: the unit's own, those of the units above it (on the days when they
    were above it), and those of the whole organisation.  The key None holds only the last.  Two statements.

    A repository's event explains only a part of its owner's figures, which is no reason to leave a week out.
    """
    events = [*Annotation.objects.excusing().in_window(window).filter(repository=None).order_by("start", "pk")]
    everywhere = [event for event in events if event.unit_id is None]
    of: dict[int | None, list[Annotation]] = defaultdict(lambda: [*everywhere])
    of[None] = everywhere
    placed = UnitPlacement.objects.filter(unit__in=units, ancestor__in={event.unit_id for event in events})
    below: dict[int, list[UnitPlacement]] = defaultdict(list)
    for place in placed if len(everywhere) < len(events) else ():
        below[place.ancestor_id].append(place)
    for event in events:
        for unit in {place.unit_id for place in below[event.unit_id or 0] if _touches(place, event)}:
            of[unit].append(event)
    return {unit: of[unit] for unit in (None, *units)}


def _touches(place: UnitPlacement, event: Annotation) -> bool:
    start, end = place.during.lower or date.min, place.during.upper or date.max
    return bool(start < event.end and event.start < end)


def is_explained(days: Window, metric: str, events: Sequence[Annotation]) -> bool:
    """Whether an event about the metric covers one of the days."""
    about = {"", metric, family_of(metric)}
    return any(event.about in about and event.start < days.end and days.start < event.end for event in events)


def events_beside(metric: str, scope: Scope, window: Window, access: Access) -> Sequence[Annotation]:
    """The context that readers of a finding see: events on the metric's chart, and notes on a repository of the
    unit.
    """
    stands = Annotation.objects.within(access.visibility).on_charts_of(scope).in_window(window).about_metric(metric)
    return [*stands.filter(Q(excuses=True) | ~Q(repository=None)).select_related("repository").order_by("start", "pk")]


def in_words(event: Annotation) -> str:
    return f"“{event.text}” ({wording.days(Window(event.start, event.end))})"
