"""The report of a sprint: its items, their outcomes and who decided them, its days, and the sprints before it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import NamedTuple

from django.utils import timezone

from core import sql
from integrations.connectors.registered import connectors
from integrations.delivery.records.parts import Openable, RecordName
from integrations.delivery.sprints.figures import points_at
from integrations.enums import ItemField, ReportedOutcome, ResourceKind, SprintOutcome
from integrations.facts.sprints import RECENT_SPRINTS, SPRINTS_COMPARED, WORK_OF_SPRINTS
from integrations.models import (
    Owned,
    OwnedKind,
    ReportedSprintItem,
    Resource,
    Sprint,
    SprintChange,
    SprintFigures,
    SprintItem,
    WorkItem,
    WorkItemChange,
    WorkItemLink,
    WorkItemTransition,
)
from orgtree.access.access import Access
from orgtree.models import Identity

AMOUNTS = ("committed", "added", "removed", "delivered", "delivered_commit", "carried_over")
SATURDAY = 5

ESTIMATED_APART = "estimated otherwise at that moment"
COUNTED_WITH_PARENT = "a sub-task, which the tracker’s report counts with its parent"
_REPORTED_IN: Mapping[str, Callable[[ReportedSprintItem], bool]] = {
    "committed": lambda item: not item.added and item.outcome != ReportedOutcome.COMPLETED_ELSEWHERE,
    "added": lambda item: item.added and item.outcome != ReportedOutcome.COMPLETED_ELSEWHERE,
    "removed": lambda item: item.outcome == ReportedOutcome.REMOVED,
    "delivered": lambda item: item.outcome == ReportedOutcome.COMPLETED,
    "carried_over": lambda item: item.outcome == ReportedOutcome.NOT_COMPLETED,
}

_AMOUNTS = ", ".join(f"{name}, {name}_points" for name in AMOUNTS)
_OF_ITEMS = f"""
    SELECT sprint_item_id, {_AMOUNTS} FROM ({WORK_OF_SPRINTS} WHERE part.sprint_id = %s) AS work
"""  # noqa: S608  # constants
_SUMS = ", ".join(f"coalesce(sum({name}), 0), coalesce(sum({name}_points), 0)" for name in AMOUNTS)
_OF_SPRINTS = f"""
    SELECT sprint_id, {_SUMS} FROM ({WORK_OF_SPRINTS} WHERE part.sprint_id = ANY (%s)) AS work GROUP BY sprint_id
"""  # noqa: S608  # constants
_VARIATION = f"""
    SELECT items_variation, points_variation FROM ({RECENT_SPRINTS.sql}) AS recent WHERE sprint_id = %s
"""  # noqa: S608  # constants
_BURN_UP = f"""
    SELECT day.at,
           count(*) FILTER (WHERE member.is_in), coalesce(sum(now.points) FILTER (WHERE member.is_in), 0),
           count(*) FILTER (WHERE member.is_done), coalesce(sum(now.points) FILTER (WHERE member.is_done), 0)
    FROM unnest(%(moments)s::timestamptz[]) AS day (at)
    CROSS JOIN LATERAL (
        SELECT part.work_item_id, item.estimate,
               part.inside @> day.at AND NOT figures.dropped_during @> day.at AS is_in,
               part.inside @> day.at AND figures.done_during @> day.at AS is_done
        FROM integrations_sprintitem part
        JOIN integrations_workitem item ON item.id = part.work_item_id
        JOIN integrations_workitemfigures figures ON figures.work_item_id = part.work_item_id
        WHERE part.sprint_id = %(sprint)s
    ) AS member
    {points_at("day.at", "now")}
    GROUP BY day.at
    ORDER BY day.at
"""  # noqa: S608  # constants


class Amount(NamedTuple):
    """An amount of work: items, and their points."""

    items: float
    points: float


Amounts = Mapping[str, Amount]  # by name, of AMOUNTS


class Decision(NamedTuple):
    """Somebody's change of an item's sprint, or of its estimate (`before` → `after`)."""

    at: datetime | None
    by: Identity | None
    before: str = ""
    after: str = ""


@dataclass(frozen=True)
class SprintLine:
    """An item of the sprint, with its status when the sprint was closed, or now.

    `is_started`: it was in progress by then.  `sprints_before` is the number of those from which it was carried over.
    `waits_for_review`: one of its pull requests had no review by then; `pickup_seconds` is the longest wait for one.
    """

    part: SprintItem
    name: RecordName
    owner: Identity | None
    amounts: Amounts
    status: str
    status_since: datetime | None
    is_started: bool
    entered: Decision
    left: Decision | None
    estimates: Sequence[Decision]
    sprints_before: int
    waits_for_review: bool
    pickup_seconds: float | None


class ReportedAmount(NamedTuple):
    """An amount by the tracker's own report and by Headway's, with the keys of items that differ, by reason."""

    name: str
    theirs: Amount
    ours: Amount
    reasons: Mapping[str, Sequence[str]]


class SprintSums(NamedTuple):
    """The work of one sprint, and its outcome."""

    sprint: Sprint
    sums: Amounts


class SprintDay(NamedTuple):
    """The work in the sprint, and how much of it was done, at the end of a day, at the close, or now."""

    day: date
    scope: Amount
    done: Amount


@dataclass(frozen=True)
class SprintReport:
    """A sprint's report; `recent` are the board's last closed sprints up to this one, oldest first; `variation` is in
    percent.

    `reported` is empty if the tracker has no report of its own.  `parts_alone`: sub-tasks of the board count alone.
    `of_board` are the ids of its sprints that the viewer may see.  `watched_since` is set if the tracker stores no
    history of sprints and this one had begun when it was first read: earlier moves are unknown.
    """

    sprint: Sprint
    figures: SprintFigures
    board: str
    parts_alone: bool
    lines: Sequence[SprintLine]
    sums: Amounts
    recent: Sequence[SprintSums]
    variation: tuple[float | None, float | None]
    reported: Sequence[ReportedAmount]
    older: Sprint | None
    newer: Sprint | None
    of_board: Sequence[int]
    watched_since: datetime | None = None


def report_of_sprint(sprint: Sprint, among: Iterable[Sprint], access: Access) -> SprintReport:
    """The report; `among` are the sprints of its board that the viewer may see, the newest first."""
    ordered = sorted(among, key=_in_time)
    place = ordered.index(sprint)
    closed = [one for one in ordered[: place + 1] if one.figures.closed_at and one.figures.items]
    recent = closed[-SPRINTS_COMPARED:]
    sums = _sums([sprint, *recent])
    variation = sql.rows(_VARIATION, [recent[-1].pk]) if recent else []
    lines = _lines(sprint, access)
    return SprintReport(
        sprint=sprint,
        figures=sprint.figures,
        board=_board_name(sprint),
        parts_alone=Owned.objects.filter(
            connection=sprint.connection_id, name=sprint.board, kind=OwnedKind.BOARD, parts_alone=True
        ).exists(),
        lines=lines,
        reported=_reported(sprint, lines) if sprint.figures.closed_at else (),
        sums=sums[sprint.pk],
        recent=[SprintSums(one, sums[one.pk]) for one in recent],
        variation=variation[0] if variation else (None, None),
        older=ordered[place - 1] if place else None,
        newer=ordered[place + 1] if place + 1 < len(ordered) else None,
        of_board=[one.pk for one in ordered],
        watched_since=_watched_since(sprint),
    )


def days_of_sprint(sprint: Sprint) -> Sequence[SprintDay]:
    """The sprint's burn-up by working day; a weekend day only if the sprint was closed on it."""
    moments = list(_ends_of_days(sprint.starts_at, sprint.figures.closed_at)) if sprint.starts_at else []
    rows = sql.rows(_BURN_UP, {"moments": [at for _, at in moments], "sprint": sprint.pk})
    counted = {at: (Amount(*row[:2]), Amount(*row[2:])) for at, *row in rows}
    nothing = (Amount(0, 0.0), Amount(0, 0.0))
    return [SprintDay(day, *counted.get(at, nothing)) for day, at in moments]


def delivered_on_board(connection: int, board: str, *, since: date) -> Sequence[date]:
    """The local day of each item that was done in a sprint of the board since that day."""
    done = SprintItem.objects.filter(
        sprint__connection=connection,
        sprint__board=board,
        sprint__deleted_at=None,
        outcome=SprintOutcome.DELIVERED,
        ended_at__date__gte=since,
    )
    return [timezone.localtime(at).date() for _, at in done.values_list("work_item", "ended_at").distinct() if at]


def sums_of_sprint(sprint: Sprint) -> Amounts:
    return _sums([sprint])[sprint.pk]


def _in_time(sprint: Sprint) -> tuple[datetime, int]:
    moment = sprint.figures.closed_at or sprint.ends_at or datetime.max.replace(tzinfo=timezone.get_default_timezone())
    return moment, sprint.pk


def _ends_of_days(start: datetime, closed_at: datetime | None) -> Iterator[tuple[date, datetime]]:
    end, zone = closed_at or timezone.now(), timezone.get_current_timezone()
    day, last = timezone.localtime(start).date(), timezone.localtime(end).date()
    while day <= last:
        if day == last or day.weekday() < SATURDAY:
            yield day, min(end, datetime.combine(day + timedelta(days=1), time(), zone))
        day += timedelta(days=1)


def _amounts(row: Sequence[float]) -> Amounts:
    return {name: Amount(*row[2 * place : 2 * place + 2]) for place, name in enumerate(AMOUNTS)}


def _sums(sprints: Iterable[Sprint]) -> dict[int, Amounts]:
    ids = [sprint.pk for sprint in sprints]
    nothing = _amounts([0, 0.0] * len(AMOUNTS))
    return dict.fromkeys(ids, nothing) | {id_: _amounts(row) for id_, *row in sql.rows(_OF_SPRINTS, [ids])}


def _watched_since(sprint: Sprint) -> datetime | None:
    connector = connectors().get(sprint.connection.provider)
    is_remembered = connector is None or connector.remembers_sprints
    began = sprint.starts_at is None or sprint.starts_at < sprint.first_seen_at
    return None if is_remembered or not began else sprint.first_seen_at


def _board_name(sprint: Sprint) -> str:
    boards = Resource.objects.filter(
        connection=sprint.connection_id, kind=ResourceKind.BOARD, external_id=sprint.board
    ).values_list("name", flat=True)
    return boards.first() or sprint.board


def _lines(sprint: Sprint, access: Access) -> Sequence[SprintLine]:
    """The items, committed ones first, in the order of their keys."""
    amounts = {id_: _amounts(row) for id_, *row in sql.rows(_OF_ITEMS, [sprint.pk])}
    parts = list(
        SprintItem.objects.filter(sprint=sprint)
        .select_related("work_item__project", "work_item__figures__credited__person")
        .order_by("-is_committed", "work_item__key")
    )
    items = [part.work_item_id for part in parts]
    until = sprint.figures.closed_at or timezone.now()
    openable = Openable(access, [part.work_item for part in parts])
    moves = _decisions(sprint, items)
    estimates = _estimates(items, sprint.figures.grace_ends_at, until)
    statuses, started = _statuses(items, until)
    before = _sprints_before(sprint, items)
    reviews = _reviews(items, until)
    lines = []
    for part in parts:
        item = part.work_item
        status, since = statuses.get(item.pk, ("", None))
        waits, pickup = reviews.get(item.pk, (False, None))
        lines.append(
            SprintLine(
                part=part,
                name=openable.name(item),
                owner=item.figures.credited if hasattr(item, "figures") else None,
                amounts=amounts[part.pk],
                status=status,
                status_since=since,
                is_started=item.pk in started,
                entered=moves.get((item.pk, part.entered_at, True)) or Decision(part.entered_at, None),
                left=_left(part, moves),
                estimates=estimates.get(item.pk, ()),
                sprints_before=before.get(item.pk, 0),
                waits_for_review=waits,
                pickup_seconds=pickup,
            )
        )
    return lines


def _left(part: SprintItem, moves: Mapping[tuple[int, datetime | None, bool], Decision]) -> Decision | None:
    if part.outcome != SprintOutcome.REMOVED:
        return None
    return moves.get((part.work_item_id, part.left_at, False)) or Decision(part.ended_at, None)


def _decisions(sprint: Sprint, items: Collection[int]) -> Mapping[tuple[int, datetime | None, bool], Decision]:
    changes = SprintChange.objects.filter(sprint=sprint.external_id, work_item__in=items).select_related("by__person")
    return {(change.work_item_id, change.at, change.added): Decision(change.at, change.by) for change in changes}


def _estimates(items: Collection[int], since: datetime, until: datetime) -> Mapping[int, Sequence[Decision]]:
    """The changes of estimates after the sprint was committed."""
    changes = WorkItemChange.objects.filter(
        work_item__in=items, field=ItemField.ESTIMATE, at__gt=since, at__lte=until
    ).select_related("by__person")
    by_item: dict[int, list[Decision]] = defaultdict(list)
    for change in changes.order_by("at", "pk"):
        by_item[change.work_item_id].append(Decision(change.at, change.by, change.before, change.after))
    return by_item


def _statuses(
    items: Collection[int], until: datetime
) -> tuple[Mapping[int, tuple[str, datetime | None]], Collection[int]]:
    """Each item's last status by `until`, and since when it had it; and the items that were in progress by then."""
    moves = WorkItemTransition.objects.filter(work_item__in=items, at__lte=until).order_by("at", "position", "pk")
    last: dict[int, tuple[str, datetime | None]] = {}
    started = set()
    for move in moves:
        last[move.work_item_id] = (move.to_status, move.at)
        if move.category == "in_progress":
            started.add(move.work_item_id)
    return last, started


def _reported(sprint: Sprint, lines: Iterable[SprintLine]) -> Sequence[ReportedAmount]:
    """The amounts of the tracker's own report next to Headway's."""
    theirs = {item.key: item for item in sprint.reported.all()}
    if not theirs:
        return ()
    ours = {line.part.work_item.key: line for line in lines}
    left_out = _left_out(sprint, theirs.keys() - ours.keys())
    amounts = []
    for name, is_listed in _REPORTED_IN.items():
        listed = {key for key, item in theirs.items() if is_listed(item)}
        counted = {key for key, line in ours.items() if line.amounts[name].items}
        points = {key: _reported_points(theirs[key], name) for key in listed}
        reasons: dict[str, list[str]] = defaultdict(list)
        for key in sorted(listed ^ counted):
            reasons[left_out.get(key) or _why_apart(ours[key], theirs.get(key), name)].append(key)
        both_or_none = ours.keys() - (listed ^ counted)
        if apart := sorted(key for key in both_or_none if points.get(key, 0) != ours[key].amounts[name].points):
            reasons[ESTIMATED_APART] = apart
        in_ours = Amount(len(counted), sum(line.amounts[name].points for line in ours.values()))
        amounts.append(ReportedAmount(name, Amount(len(listed), sum(points.values())), in_ours, reasons))
    return amounts


def _reported_points(item: ReportedSprintItem, name: str) -> float:
    return (item.first_points if name == "committed" else item.last_points) or 0.0


def _left_out(sprint: Sprint, keys: Collection[str]) -> Mapping[str, str]:
    """The reasons why items of the tracker's report do not count as work of the sprint here, by key."""
    reasons = dict.fromkeys(keys, "not among the items that are synced")
    members = set(SprintItem.objects.filter(sprint=sprint).values_list("work_item__key", flat=True))
    stored = WorkItem.objects.filter(connection=sprint.connection_id, key__in=keys, deleted_at=None)
    for item in stored.select_related("figures"):
        figures = getattr(item, "figures", None)
        ended = [*figures.done_during, *figures.dropped_during] if figures else []
        if item.parent_key in members:
            reasons[item.key] = "counts with its parent"
        elif any(sprint.starts_at in days for days in ended):
            reasons[item.key] = "done before the sprint began"
        else:
            reasons[item.key] = "taken out within the grace"
    return reasons


def _why_apart(line: SprintLine, item: ReportedSprintItem | None, name: str) -> str:
    """The reason why the tracker's report and Headway's put an item in different lists."""
    if item is None:
        return "not in the tracker’s report" if not line.part.work_item.parent_key else COUNTED_WITH_PARENT
    if name in ("committed", "added"):
        return "entered within the grace" if line.part.is_committed else "cannot tell"
    if line.part.outcome == SprintOutcome.REMOVED and line.part.left_at is None:
        return "dropped: done without delivery"
    if SprintOutcome.REMOVED in (line.part.outcome, item.outcome):
        return "moved at the close"
    if item.outcome == ReportedOutcome.COMPLETED_ELSEWHERE:
        return "completed outside of the sprint, by the tracker’s report"
    return "done by its status here, or by the board’s last column there"


def _sprints_before(sprint: Sprint, items: Collection[int]) -> Mapping[int, int]:
    """The number of earlier sprints from which each item was carried over."""
    earlier = SprintItem.objects.filter(
        work_item__in=items,
        outcome=SprintOutcome.CARRIED_OVER,
        sprint__figures__closed_at__lte=sprint.starts_at or sprint.figures.grace_ends_at,
    ).exclude(sprint=sprint)
    numbers: dict[int, int] = defaultdict(int)
    for item in earlier.values_list("work_item_id", flat=True):
        numbers[item] += 1
    return numbers


def _reviews(items: Collection[int], until: datetime) -> Mapping[int, tuple[bool, float | None]]:
    """Whether a pull request of each item was waiting for its first review at `until`, and its longest wait for one by
    then.
    """
    links = WorkItemLink.objects.filter(
        work_item__in=items, pull_request__deleted_at=None, pull_request__figures__opened_at__lte=until
    ).values_list(
        "work_item_id",
        "pull_request__figures__opened_at",
        "pull_request__figures__first_review_at",
        "pull_request__merged_at",
        "pull_request__closed_at",
    )
    found: dict[int, tuple[bool, float | None]] = {}
    for item, opened, reviewed, merged, closed in links:
        if opened is None:  # by the filter, which the types do not know
            continue
        waited, longest = found.get(item, (False, None))
        ends = [end for end in (reviewed, merged, closed) if end is not None and end <= until]
        seconds = (min(ends, default=until) - opened).total_seconds()
        found[item] = (waited or not ends, max(longest or 0.0, seconds))
    return found
