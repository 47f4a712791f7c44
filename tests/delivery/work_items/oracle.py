"""The second opinion: metrics of work items and pipelines counted slowly, in Python, by walking through histories."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from statistics import mean, quantiles
from typing import Any

from insights.query.query import Statistic, Window
from tests.delivery.work_items.tracker import DAY, Tracker

WAITING, BUSY, DONE, DROPPED = "todo", "in progress", "done", "dropped"
CATEGORIES = {
    "To do": WAITING,
    "In progress": BUSY,
    "In review": BUSY,
    "Blocked": BUSY,
    "Done": DONE,
    "Released": DONE,
    "Cancelled": DROPPED,
}
WORK_TYPES = {"Bug": "bug", "Story": "feature", "Task": "other"}
PEOPLE = ("ada@example.com", "ben@example.com", "cy@example.com", None)
FRESH = timedelta(days=30)


@dataclass
class Item:
    key: str
    created: datetime
    type: str
    moves: list[tuple[datetime, str]]
    assigned: list[tuple[datetime, str | None]]
    labels: tuple[str, ...] = ()
    estimate: float | None = None
    described: bool | None = None
    done_at: datetime | None = None
    started_at: datetime | None = None
    left_done: int = 0
    active: float = 0.0

    def __post_init__(self) -> None:
        """Walk through the moves once."""
        status, since = "To do", self.created
        for moment, to in self.moves:
            before, after = CATEGORIES[status], CATEGORIES[to]
            if before == BUSY and status != "Blocked":
                self.active += (moment - since).total_seconds()
            if after == BUSY and self.started_at is None:
                self.started_at = moment
            if after == DONE and before != DONE:
                self.done_at = moment
            if before == DONE and after in (WAITING, BUSY):
                self.left_done += 1
            if after != DONE:
                self.done_at = None
            status, since = to, moment

    @property
    def credited_to(self) -> str | None:
        """The assignee when done, else the last who was anybody."""
        if self.done_at:
            before = [who for moment, who in self.assigned if moment <= self.done_at]
            if before and before[-1]:
                return before[-1]
        if self.assigned and self.assigned[-1][1]:
            return self.assigned[-1][1]
        return next((who for _, who in reversed(self.assigned) if who), None)

    @property
    def lead(self) -> float | None:
        return (self.done_at - self.created).total_seconds() if self.done_at else None

    @property
    def cycle(self) -> float | None:
        if not (self.done_at and self.started_at) or self.done_at < self.started_at:
            return None
        return (self.done_at - self.started_at).total_seconds()

    def stands(self, end_of: date) -> str | None:
        """Its category at the end of that day; None before it was created."""
        end = datetime.combine(end_of + timedelta(days=1), time(), UTC)
        if self.created >= end:
            return None
        return CATEGORIES[([status for moment, status in self.moves if moment < end] or ["To do"])[-1]]

    def is_healthy(self, end_of: date) -> bool:
        end = datetime.combine(end_of + timedelta(days=1), time(), UTC)
        owners = [who for moment, who in self.assigned if moment < end]
        touched = [self.created, *(moment for moment, _ in self.moves), *(moment for moment, _ in self.assigned)]
        recent = any(moment.date() <= end_of < moment.date() + FRESH for moment in touched)
        return self.estimate is not None and self.described is not False and bool(owners and owners[-1]) and recent


@dataclass
class Attempt:
    run: str
    number: int
    sha: str
    status: str
    queued: datetime
    started: datetime
    finished: datetime | None


@dataclass
class World:
    items: list[Item] = field(default_factory=list)
    attempts: list[Attempt] = field(default_factory=list)
    placements: list[tuple[str, str, date, date]] = field(default_factory=list)  # person, unit, days

    def is_in(self, unit: str | None, person: str | None, day: date) -> bool:
        return unit is None or any(
            (person, unit) == (who, where) and start <= day < end for who, where, start, end in self.placements
        )


@dataclass(frozen=True)
class Computed:
    """The result of a metric: its value, the sample, and the values for statistics."""

    value: float | None
    sample: int
    left_out: int = 0
    values: Sequence[float] = ()

    def statistic(self, which: Statistic) -> float | None:
        if not self.values:
            return None
        if which is Statistic.MEAN:
            return mean(self.values)
        if which is Statistic.TRIMMED_MEAN:
            return mean(sorted(self.values)[: len(self.values) - 5 * len(self.values) // 100])
        rank = {Statistic.MEDIAN: 50, Statistic.P75: 75, Statistic.P85: 85, Statistic.P90: 90, Statistic.P95: 95}[which]
        if len(self.values) == 1:
            return self.values[0]
        return quantiles(self.values, n=100, method="inclusive")[rank - 1]


def random_world(seed: int, start: date, end: date, tracker: Tracker) -> tuple[World, list[Any]]:
    """Items and runs between these days, with all their traps, and the drafts that tell of them, shuffled."""
    chance = random.Random(seed)
    world, drafts = World(), []

    def moment(earliest: datetime | None = None) -> datetime:
        first = earliest or datetime.combine(start, time(), UTC)
        seconds = datetime.combine(end, time(), UTC) - first
        # Many at midnight to the minute: there days end.
        minutes = chance.randrange(0, max(1, int(seconds.total_seconds() // 60) // chance.choice([1, 4, 16])))
        moment = first + timedelta(minutes=minutes)
        return moment.replace(hour=0, minute=0) if chance.random() < 0.15 and moment.date() > first.date() else moment

    for number in range(60):
        created = moment()
        moves: list[tuple[datetime, str]] = []
        status, at = "To do", created
        for _ in range(chance.randrange(7)):
            at = moment(at) if chance.random() < 0.9 else at
            if moves and moves[-1][0] == at:
                continue
            status = chance.choice([category for category in CATEGORIES if category != status])
            moves.append((at, status))
        assigned, at = [], created
        for _ in range(chance.randrange(4)):
            at = moment(at + timedelta(minutes=1))
            assigned.append((at, chance.choice(PEOPLE)))
        item = Item(
            f"SHOP-{number}",
            created,
            chance.choice([*WORK_TYPES]),
            moves,
            assigned,
            chance.choice([(), ("found-in-production",), ("customer-reported",), ("customer-portal",)]),
            chance.choice([None, 3.0]),
            chance.choice([None, False, True]),
        )
        world.items.append(item)
        drafts.append(_draft_of(item, tracker))
    for number in range(60):
        queued = moment()
        started = queued + timedelta(minutes=chance.randrange(20))
        status = chance.choice(["success", "success", "failure", "cancelled", "skipped", "running"])
        finished = None if status == "running" else started + timedelta(minutes=chance.randrange(1, 90))
        # Re-runs are told as another attempt, or as another run of the same commit.
        again = chance.choice(world.attempts) if world.attempts and chance.random() < 0.4 else None
        attempt = Attempt(
            run=again.run if again and chance.random() < 0.5 else f"run{number}",
            number=number + 1,
            sha=again.sha if again else f"{number:040x}",
            status=status,
            queued=queued,
            started=started,
            finished=finished,
        )
        world.attempts.append(attempt)
        drafts.append(_draft_of_attempt(attempt, tracker))
    chance.shuffle(drafts)
    return world, drafts


def _draft_of(item: Item, tracker: Tracker) -> Any:
    return tracker.item(
        item.key,
        _text(item.created),
        *((_text(moment), status) for moment, status in item.moves),
        assigned=[(_text(moment), who) for moment, who in item.assigned],
        type=item.type,
        labels=item.labels,
        estimate=item.estimate,
        has_description=item.described,
    )


def _draft_of_attempt(attempt: Attempt, tracker: Tracker) -> Any:
    return tracker.run(
        f"{attempt.run}/{attempt.number}",
        attempt.sha,
        attempt.status,
        _text(attempt.started),
        _text(attempt.finished) if attempt.finished else None,
        queued=_text(attempt.queued),
        attempt=attempt.number,
    )


def _text(moment: datetime) -> str:
    return moment.strftime("%m-%d %H:%M")


@dataclass(frozen=True)
class Question:
    window: Window
    today: date
    unit: str | None = None
    work_type: str | None = None

    @property
    def last_day(self) -> date:
        return min(self.window.end - timedelta(days=1), self.today)

    def holds(self, day: date) -> bool:
        return self.window.start <= day < self.window.end


def _items(world: World, question: Question) -> Iterable[Item]:
    return (item for item in world.items if question.work_type in (None, WORK_TYPES[item.type]))


def _done(world: World, question: Question) -> list[Item]:
    candidates = (item for item in _items(world, question) if item.done_at and question.holds(item.done_at.date()))
    return [
        item
        for item in candidates
        if item.done_at and world.is_in(question.unit, item.credited_to, item.done_at.date())
    ]


def _created(world: World, question: Question) -> list[Item]:
    candidates = (item for item in _items(world, question) if question.holds(item.created.date()))
    return [item for item in candidates if world.is_in(question.unit, item.credited_to, item.created.date())]


def _standing(world: World, question: Question, category: str) -> list[Item]:
    if question.window.start > question.today:
        return []
    candidates = (item for item in _items(world, question) if item.stands(question.last_day) == category)
    return [item for item in candidates if world.is_in(question.unit, item.credited_to, question.last_day)]


def _spread(values: Sequence[float | None]) -> Computed:
    known = [value for value in values if value is not None]
    spread = Computed(None, len(known), len(values) - len(known), known)
    return Computed(spread.statistic(Statistic.MEDIAN), spread.sample, spread.left_out, known)


def _share(above: float, below: float, sample: int) -> Computed:
    return Computed(above / below * 100 if below else None, sample)


def _bugs(items: Iterable[Item]) -> list[Item]:
    return [item for item in items if item.type == "Bug"]


def _features(items: Iterable[Item]) -> list[Item]:
    return [item for item in items if item.type == "Story"]


def _flow_efficiency(world: World, question: Question) -> Computed:
    done = [item for item in _done(world, question) if item.cycle is not None]
    cycles = [item.cycle for item in done if item.cycle]
    return _share(sum(item.active for item in done), sum(cycles), len(cycles))


def _per_week(world: World, question: Question) -> Computed:
    days = max(0, (question.last_day - question.window.start).days + 1)
    features = len(_features(_done(world, question)))
    return Computed(features / days * 7 if days else None, features)


def _age(world: World, question: Question) -> Computed:
    ages = [
        (question.last_day - item.started_at.date()).days * DAY
        for item in _standing(world, question, BUSY)
        if item.started_at
    ]
    return _spread(ages)


def _backlog_age(world: World, question: Question) -> Computed:
    return _spread(
        [(question.last_day - item.created.date()).days * DAY for item in _standing(world, question, WAITING)]
    )


def _backlog_health(world: World, question: Question) -> Computed:
    backlog = _standing(world, question, WAITING)
    return _share(sum(item.is_healthy(question.last_day) for item in backlog), len(backlog), len(backlog))


def _count(items: Sequence[Item]) -> Computed:
    return Computed(len(items), len(items))


def _rate(above: Sequence[Item], below: Sequence[Item]) -> Computed:
    return _share(len(above), len(below), len(below))


Metric = Callable[[World, Question], Computed]
ITEMS: dict[str, Metric] = {
    "issue.lead_time": lambda world, question: _spread([item.lead for item in _done(world, question)]),
    "issue.cycle_time": lambda world, question: _spread([item.cycle for item in _done(world, question)]),
    "issue.created": lambda world, question: _count(_created(world, question)),
    "issue.completed": lambda world, question: _count(_done(world, question)),
    "flow.efficiency": _flow_efficiency,
    "wip.count": lambda world, question: _count(_standing(world, question, BUSY)),
    "wip.age": _age,
    "backlog.age": _backlog_age,
    "backlog.health": _backlog_health,
    "work.features_per_week": _per_week,
    "work.feature_completion_rate": lambda world, question: _rate(
        _features(_done(world, question)), _features(_created(world, question))
    ),
    "bug.ratio": lambda world, question: _rate(_bugs(_done(world, question)), _done(world, question)),
    "bug.reopen_rate": lambda world, question: _rate(
        [bug for bug in _bugs(_done(world, question)) if bug.left_done], _bugs(_done(world, question))
    ),
    "bug.fix_rate": lambda world, question: _rate(_bugs(_done(world, question)), _bugs(_created(world, question))),
    "bug.escaped": lambda world, question: _count(
        [
            bug
            for bug in _bugs(_created(world, question))
            if {"found-in-production", "customer-reported"} & {*bug.labels}
        ]
    ),
    "bug.customer_found": lambda world, question: _count(
        [bug for bug in _bugs(_created(world, question)) if "customer-reported" in bug.labels]
    ),
}


def _runs(world: World, question: Question) -> list[tuple[Attempt, list[Attempt]]]:
    """The last attempt of each run that counts in the window, and all of its attempts."""
    by_sha: dict[str, list[Attempt]] = {}
    for attempt in world.attempts:
        by_sha.setdefault(attempt.sha, []).append(attempt)
    runs = []
    for attempts in by_sha.values():
        last = max(attempts, key=lambda attempt: (attempt.started, attempt.number))
        if last.finished and question.holds(last.finished.date()):
            runs.append((last, attempts))
    return runs


def _ran(last: Attempt) -> float | None:
    """Start → finish; one that was cancelled did not take its time, and one that was skipped never ran."""
    if last.status in ("cancelled", "skipped") or last.finished is None:
        return None
    return (last.finished - last.started).total_seconds()


def _waited(last: Attempt) -> float | None:
    """Queued → started: one that was cancelled later had waited all the same."""
    return None if last.status == "skipped" else (last.started - last.queued).total_seconds()


def _of_runs(world: World, question: Question, counts: Callable[[Attempt, list[Attempt]], bool]) -> Computed:
    runs = [run for run in _runs(world, question) if run[0].status in ("success", "failure")]
    return _share(sum(counts(last, attempts) for last, attempts in runs), len(runs), len(runs))


RUNS: dict[str, Metric] = {
    "ci.duration": lambda world, question: _spread([_ran(last) for last, _ in _runs(world, question)]),
    "ci.queue_time": lambda world, question: _spread([_waited(last) for last, _ in _runs(world, question)]),
    "ci.success_rate": lambda world, question: _of_runs(world, question, lambda last, _: last.status == "success"),
    "ci.flaky_rate": lambda world, question: _of_runs(
        world,
        question,
        lambda last, attempts: last.status == "success" and any(attempt.status == "failure" for attempt in attempts),
    ),
}
