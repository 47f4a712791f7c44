"""The second opinion on sprints: items replayed event by event, in Python, without ranges and without SQL."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from statistics import mean, median, stdev
from typing import Any

from insights.query.query import Window
from integrations.connectors.drafts import (
    ProvidedParts,
    SprintChangeDraft,
    SprintDraft,
    TransitionDraft,
    ValueChangeDraft,
    WorkItemDraft,
)
from integrations.delivery.mappings.defaults import default_status_category
from integrations.enums import ItemField, SprintState, StatusCategory

OPEN, DONE, DROPPED = "open", "done", "dropped"
STATUSES = {"To do": OPEN, "In progress": OPEN, "Done": DONE, "Released": DONE, "Cancelled": DROPPED}
BOARDS = {"Web": "red", "Api": "blue"}
LAST_COUNTED, FEWEST, TOO_LONG_AGO = 6, 4, timedelta(days=84)
SATURDAY = 5
HOLIDAYS = {date(2026, 4, 3), date(2026, 4, 6), date(2026, 5, 1)}  # of Germany, in the days of these worlds
Sums = defaultdict[str, float]


@dataclass
class Item:
    key: str
    created: datetime
    first_estimate: float | None
    parent: str = ""
    moves: list[tuple[datetime, str]] = field(default_factory=list)
    sprints: list[tuple[datetime, str, bool]] = field(default_factory=list)
    estimates: list[tuple[datetime, float | None]] = field(default_factory=list)

    def state(self, at: datetime) -> str:
        return STATUSES[([status for moment, status in self.moves if moment <= at] or ["To do"])[-1]]

    def points(self, at: datetime) -> float | None:
        return ([points for moment, points in self.estimates if moment <= at] or [self.first_estimate])[-1]

    def draft(self, project: str) -> WorkItemDraft:
        statuses = ["To do", *(status for _, status in self.moves)]
        values = [self.first_estimate, *(points for _, points in self.estimates)]
        events = [self.created, *(at for at, _ in self.moves), *(at for at, *_ in self.sprints)]
        return WorkItemDraft(
            external_id=self.key,
            key=self.key,
            project=project,
            parent_key=self.parent,
            updated_at=max([*events, *(at for at, _ in self.estimates)]),
            created_at=self.created,
            native_type="Story",
            native_status=statuses[-1],
            status_category=default_status_category(statuses[-1]) or StatusCategory.TODO,
            first_category=StatusCategory.TODO,
            estimate=values[-1],
            transitions=ProvidedParts(
                [
                    TransitionDraft(at=at, from_status=before, to_status=status)
                    for before, (at, status) in zip(statuses, self.moves, strict=False)
                ]
            ),
            sprint_changes=ProvidedParts(
                [SprintChangeDraft(at=at, sprint=name, added=on) for at, name, on in self.sprints]
            ),
            value_changes=ProvidedParts(
                [
                    ValueChangeDraft(at=at, field=ItemField.ESTIMATE, before=_text(before), after=_text(after))
                    for before, (at, after) in zip(values, self.estimates, strict=False)
                ]
            ),
        )


def _text(points: float | None) -> str:
    return "" if points is None else f"{points:g}"


@dataclass
class Sprint:
    name: str
    board: str
    start: datetime
    planned_end: datetime
    closed: datetime | None

    @property
    def grace_ends(self) -> datetime:
        """The same time of day on the next working day, or the close if that is earlier."""
        end = self.start + timedelta(days=1)
        while end.weekday() >= SATURDAY or end.date() in HOLIDAYS:
            end += timedelta(days=1)
        return min(end, self.closed) if self.closed else end

    def draft(self, *, updated_at: datetime) -> SprintDraft:
        return SprintDraft(
            external_id=self.name,
            board=self.board,
            name=f"Sprint {self.name}",
            state=SprintState.CLOSED if self.closed else SprintState.ACTIVE,
            native_state="",
            updated_at=updated_at,
            starts_at=self.start,
            ends_at=self.planned_end,
            completed_at=self.closed,
        )


@dataclass
class World:
    items: list[Item] = field(default_factory=list)
    sprints: list[Sprint] = field(default_factory=list)
    alone_on: set[str] = field(default_factory=set)  # boards whose sub-tasks count alone

    def sums(self, sprint: Sprint) -> Sums:
        """What became of the work of a closed sprint, in items and in points."""
        is_alone = sprint.board in self.alone_on
        replayed = {item.key: self._replay(item, sprint, self._events(item, sprint)) for item in self.items}
        sums: Sums = defaultdict(float)
        for item in self.items:
            of_item = replayed[item.key]
            if of_item is None or (not is_alone and item.parent and replayed.get(item.parent) is not None):
                continue
            if not self._was_done_all_along(item, sprint, of_item["until"]):
                for name, amount in _amounts(item, **of_item).items():
                    sums[name] += amount
        return sums

    def _events(self, item: Item, sprint: Sprint) -> list[tuple[datetime, bool]]:
        """When it entered and left the sprint: where sub-tasks count alone, and it was never in any, its parent did."""
        events = [(at, on) for at, name, on in item.sprints if name == sprint.name]
        parent = next((one for one in self.items if one.key == item.parent), None)
        if item.sprints or parent is None or sprint.board not in self.alone_on:
            return events
        moments = sorted((at, on) for at, name, on in parent.sprints if name == sprint.name)
        was_in = [(item.created, [on for at, on in moments if at <= item.created][-1:] == [True])]
        if moments and not moments[0][1] and item.created < moments[0][0]:
            was_in = [(item.created, True)]
        return [event for event in was_in if event[1]] + [event for event in moments if event[0] > item.created]

    def _replay(self, item: Item, sprint: Sprint, known: Sequence[tuple[datetime, bool]]) -> dict[str, Any] | None:
        """How it was in the sprint; None if it was not, once the sprint was committed."""
        assert sprint.closed
        grace, inside, committed, counted_from, left, churned = sprint.grace_ends, False, False, None, None, False
        events = [(at, on) for at, on in known if at < sprint.closed]
        if events and not events[0][1]:
            inside = True  # it left a sprint that nobody saw it enter
        for at, on in sorted(events, key=lambda event: event[0]):
            if at > grace and counted_from is None and inside:
                committed, counted_from = True, grace
            if on and not inside and at >= grace:
                counted_from, left = counted_from or at, None
                committed = committed or at == grace
            if not on and inside and at > grace:
                left, churned = at, True
            inside = on
        if inside and counted_from is None:
            committed, counted_from = True, grace
        if counted_from is None:
            return None
        return {
            "committed": committed,
            "counted_from": counted_from,
            "until": left or sprint.closed,
            "left": left is not None,
            "churned": churned,
        }

    def _was_done_all_along(self, item: Item, sprint: Sprint, until: datetime) -> bool:
        moments = [sprint.start, *(at for at, _ in item.moves if sprint.start < at < until)]
        return all(item.state(at) != OPEN for at in moments)


def _amounts(
    item: Item, *, committed: bool, counted_from: datetime, until: datetime, left: bool, churned: bool
) -> Sums:
    first, last, state = item.points(counted_from), item.points(until), item.state(until)
    outcome = "removed" if left or state == DROPPED else "delivered" if state == DONE else "carried_over"
    commit = (first or 0) if committed else 0
    added = max((last or 0) - commit, 0) if committed else (last or 0)
    sums: Sums = defaultdict(float)
    sums["committed"], sums["added"], sums["size"], sums[outcome] = int(committed), int(not committed), 1, 1
    sums["committed_points"], sums["added_points"], sums["size_points"] = commit, added, commit + added
    sums["churned"] = int(churned or outcome == "removed")
    sums["churned_points"] = (commit + added) * sums["churned"]
    sums["removed_points"] = commit + added if outcome == "removed" else commit + added - (last or 0)
    if outcome == "delivered":
        sums["delivered_points"], sums["delivered_commit"] = last or 0, int(committed)
        sums["delivered_commit_points"] = min(commit, last or 0)
        if first and last:
            sums["held"], sums["estimated"] = min(first, last), max(first, last)
    if outcome == "carried_over":
        sums["carried_over_points"] = last or 0
    if first is not None or last is not None:
        sums["estimates"] = 1
    return sums


Metric = Callable[[World, Window, date, str | None], float | None]


def _closed_in(world: World, window: Window, unit: str | None) -> Iterator[Sums]:
    for sprint in world.sprints:
        owned = unit in (None, "teams", BOARDS[sprint.board])
        if sprint.closed and owned and window.start <= sprint.closed.date() < window.end:
            yield world.sums(sprint)


def _count(name: str) -> Metric:
    return lambda world, window, _today, unit: sum(sums[name] for sums in _closed_in(world, window, unit))


def _difference(whole: str, part: str) -> Metric:
    return lambda world, window, _today, unit: sum(of[whole] - of[part] for of in _closed_in(world, window, unit))


def _share(above: str, below: str) -> Metric:
    def share(world: World, window: Window, _today: date, unit: str | None) -> float | None:
        sums = list(_closed_in(world, window, unit))
        whole = sum(of[below] for of in sums)
        return 100 * sum(of[above] for of in sums) / whole if whole else None

    return share


def _variation(name: str) -> Metric:
    def variation(world: World, window: Window, today: date, unit: str | None) -> float | None:
        if window.start > today:
            return None
        day, found = min(window.last_day, today), []
        for board, owner in BOARDS.items():
            closed = [one for one in world.sprints if one.board == board and one.closed and one.closed.date() <= day]
            counted = [(one, world.sums(one)) for one in sorted(closed, key=lambda one: one.closed or one.start)]
            counted = [(one, sums) for one, sums in counted if sums["size"]]
            if unit not in (None, "teams", owner) or not counted:
                continue
            last = counted[-1][0].closed
            assert last
            recent = [sums[name] for _, sums in counted[-LAST_COUNTED:] if name == "delivered" or sums["estimates"]]
            if day < last.date() + TOO_LONG_AGO and len(recent) >= FEWEST and mean(recent):
                found.append(100 * stdev(recent) / mean(recent))
        return median(found) if found else None

    return variation


METRICS: dict[str, Metric] = {
    **{
        f"{key}{ending}": metric
        for ending in ("", "_points")
        for key, metric in {
            "sprint.commit": _count(f"committed{ending}"),
            "sprint.delivered": _count(f"delivered{ending}"),
            "sprint.creep": _count(f"added{ending}"),
            "sprint.size": _count(f"size{ending}"),
            "sprint.delivered_commit": _count(f"delivered_commit{ending}"),
            "sprint.missed_commit": _difference(f"committed{ending}", f"delivered_commit{ending}"),
            "sprint.delivered_creep": _difference(f"delivered{ending}", f"delivered_commit{ending}"),
            "sprint.delivered_to_committed": _share(f"delivered{ending}", f"committed{ending}"),
            "sprint.delivered_vs_planned": _share(f"delivered_commit{ending}", f"committed{ending}"),
            "sprint.scope_creep": _share(f"added{ending}", f"committed{ending}"),
            "sprint.churn": _share(f"churned{ending}", f"committed{ending}"),
            "sprint.work_removal_rate": _share(f"removed{ending}", f"committed{ending}"),
            "sprint.carry_over": _share(f"carried_over{ending}", f"size{ending}"),
            "sprint.predictability": _variation(f"delivered{ending}"),
        }.items()
    },
    "estimate.accuracy": _share("held", "estimated"),
}


def random_world(seed: int, start: date, now: datetime, sprints: int = 9, items: int = 45) -> World:
    """Boards with sprints that overlap, close early, late or not yet, and items that come and go between them."""
    chance, world = random.Random(seed), World()
    for board in BOARDS:
        at = datetime.combine(start, datetime.min.time(), UTC) + timedelta(days=chance.randrange(7), hours=9)
        for number in range(1, sprints + 1):
            length = timedelta(days=chance.choice([5, 7, 7, 7, 12]))
            late = timedelta(hours=chance.choice([0, 0, 3, 26, -20, -100]))
            closed = at + max(length + late, timedelta(hours=5))
            world.sprints.append(Sprint(f"{board}-{number}", board, at, at + length, closed if closed < now else None))
            at += length + timedelta(hours=chance.choice([0, 0, 24, -48, 65]))
        world.sprints[-1].closed = None
    names = [sprint.name for sprint in world.sprints]
    end = max(sprint.planned_end for sprint in world.sprints)
    for number in range(items):
        created = _moment(chance, world.sprints[0].start - timedelta(days=9), end)
        item = Item(f"SHOP-{number}", created, chance.choice([None, 1.0, 2.0, 3.0, 5.0]))
        if number and chance.random() < 0.35:
            item.parent = f"SHOP-{chance.randrange(number)}"
        status = "To do"
        for at in _moments(chance, created, end, chance.randrange(5)):
            status = chance.choice(sorted(set(STATUSES) - {status}))
            item.moves.append((at, status))
        for at in _moments(chance, created, end, chance.randrange(3)):
            item.estimates.append((at, chance.choice([None, 1.0, 2.0, 3.0, 5.0, 8.0])))
        inside: set[str] = set()
        never_enters = bool(item.parent) and chance.random() < 0.6
        for at in () if never_enters else _moments(chance, created, end, chance.randrange(1, 9)):
            near = [one.name for one in world.sprints if abs(one.start - at) < timedelta(days=9)] or names
            name = chance.choice(sorted(inside) if inside and chance.random() < 0.4 else near)
            item.sprints.append((at, name, name not in inside))
            inside ^= {name}
        world.items.append(item)
    return world


def _moments(chance: random.Random, start: datetime, end: datetime, number: int) -> Sequence[datetime]:
    """Distinct ones, in order."""
    return sorted({_moment(chance, start, end) for _ in range(number)})


def _moment(chance: random.Random, start: datetime, end: datetime) -> datetime:
    """To the minute, and often at nine, when sprints start and their grace ends."""
    moment = start + timedelta(minutes=chance.randrange(1, max(2, int((end - start).total_seconds() // 60))))
    at_nine = moment.replace(hour=9, minute=0)
    return at_nine if chance.random() < 0.2 and at_nine > start else moment.replace(second=0, microsecond=0)
