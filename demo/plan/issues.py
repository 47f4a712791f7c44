"""The issues that pull requests work on, issues that nobody started, and epics; all share one sequence of numbers."""

from __future__ import annotations

import enum
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING

from demo.plan.delivery import EventKind
from demo.plan.epics import PlannedEpic, chance, epics_of
from demo.plan.filler import Filler
from demo.plan.people import DemoPerson
from demo.plan.repositories import DemoRepository, project_key
from demo.plan.reviews import Step
from demo.plan.working_hours import after_working_hours
from demo.plan.year import DemoYear

if TYPE_CHECKING:
    from demo.plan.pull_requests import PlannedPullRequest

_LINKED_CHANCE = 0.78  # that a pull request works on an issue
_SAME_ISSUE_CHANCE = 0.3  # that it is the issue of the person's pull request before
_DAYS_WAITING = 5.0  # median, from an issue's creation until work on it begins
_BACKLOG_SHARE = 0.3  # of issues that nobody works on, of those that somebody does
_REASSIGNED_CHANCE, _BUG_REOPENED_CHANCE, _NOT_PLANNED_CHANCE = 0.1, 0.07, 0.35
_BLOCKED_CHANCE = 0.25  # that an issue waits for somebody else meanwhile
_BEFORE_FIRST_COMMIT = timedelta(hours=2)  # when it is called begun
# GitHub has no such status: the organisation says it with labels, as many do.
IN_PROGRESS, BLOCKED = "in progress", "blocked"


class WorkLabel(enum.StrEnum):
    """The labels of issues and pull requests, by the kind of work."""

    FEATURE = "feature"
    BUG = "bug"
    TECH_DEBT = "tech-debt"
    CHORE = "chore"
    DOCUMENTATION = "documentation"

    @staticmethod
    def weights(bugs: float | None = None) -> tuple[float, ...]:
        """The weight of each type; beside a given share of bugs the others share the rest as usual."""
        usual = (0.48, 0.26, 0.11, 0.09, 0.06)
        if bugs is None:
            return usual
        return tuple(bugs if place == 1 else weight * (1 - bugs) / (1 - usual[1]) for place, weight in enumerate(usual))


@dataclass(frozen=True, slots=True)
class PlannedIssue:
    number: int
    repository: DemoRepository
    author: DemoPerson
    title: str
    body: str
    label: WorkLabel
    created_at: datetime
    steps: tuple[Step, ...]
    epic: int | None = None  # the number of the one that it belongs to
    is_epic: bool = False
    due_on: date | None = None


@dataclass(slots=True)
class _Draft:
    """An issue before it has a number; the positions of the pull requests that work on it, and its epic's."""

    author: DemoPerson
    title: str
    label: WorkLabel
    created_at: datetime
    positions: list[int]
    epic: int | None = None


def issues_of(
    year: DemoYear, repository: DemoRepository, drafts: Sequence[PlannedPullRequest], words: Filler
) -> tuple[list[PlannedPullRequest], list[PlannedIssue]]:
    """The pull requests with their numbers, titles and bodies, and the issues, in order of time; epics come last."""
    rng = Random(f"{year.seed}/{repository.name}/issues")  # noqa: S311 - a demo, not a secret
    issues = _linked(year, repository, drafts, words, rng)
    issues += [_unlinked(year, repository, words, rng) for _ in range(round(len(issues) * _BACKLOG_SHARE))]
    epics = epics_of(year, repository.name)
    _join_epics(epics, repository, issues, drafts)
    numbered_issues, numbers = _numbers(issues, drafts)
    issue_of = {position: number for number, issue in numbered_issues for position in issue.positions}
    pull_requests = [
        _named(repository, draft, numbers[position], issue_of.get(position), rng)
        for position, draft in enumerate(drafts)
    ]
    planned = [
        PlannedIssue(
            number=number,
            repository=repository,
            author=issue.author,
            title=issue.title,
            body="" if rng.random() < 0.15 else f"{issue.title}, as {issue.author.full_name} asked.",
            label=issue.label,
            created_at=issue.created_at,
            steps=_steps(year, repository, issue, [drafts[position] for position in issue.positions], rng),
            epic=None if issue.epic is None else _first_epic(issues, drafts) + issue.epic,
        )
        for number, issue in numbered_issues
    ]
    return (
        sorted(pull_requests, key=lambda draft: (draft.opened_at, draft.number)),
        [
            *sorted(planned, key=lambda draft: (draft.created_at, draft.number)),
            *_planned_epics(year, repository, epics, planned, _first_epic(issues, drafts)),
        ],
    )


def _first_epic(issues: Sequence[_Draft], drafts: Sequence[PlannedPullRequest]) -> int:
    """The number of the first epic: epics come after everything else, whose numbers are the same without them."""
    return len(issues) + len(drafts) + 1


def _join_epics(
    epics: Sequence[PlannedEpic],
    repository: DemoRepository,
    issues: Sequence[_Draft],
    drafts: Sequence[PlannedPullRequest],
) -> None:
    """Give issues the epic of the time when work on them begins; most of them are written down at its start."""
    for place, issue in enumerate(issues):
        name = f"{repository.name} {place}"
        if issue.label is WorkLabel.BUG:
            continue
        work = [drafts[position] for position in issue.positions]
        began_at = min((min(draft.commits[0].at, draft.opened_at) for draft in work), default=issue.created_at)
        last = _last_end(work)
        done_at = last.at if last and last.did is EventKind.MERGED else None
        for number, epic in enumerate(epics):
            if chance(f"{name} epic") < epic.share and epic.takes(began_at, done_at):
                issue.epic = number
                issue.created_at = epic.known_since(name, issue.created_at).astimezone(UTC).replace(microsecond=0)


def _planned_epics(
    year: DemoYear,
    repository: DemoRepository,
    epics: Sequence[PlannedEpic],
    planned: Sequence[PlannedIssue],
    first: int,
) -> Iterator[PlannedIssue]:
    """The epics themselves: begun with the first of their issues, and done with the last."""
    author = year.team(repository.team)[0]
    for number, epic in enumerate(epics, start=first):
        steps = [step for issue in planned if issue.epic == number for step in issue.steps]
        started = [step.at for step in steps if step.text == IN_PROGRESS and step.did is EventKind.LABELLED]
        closed = [step.at for step in steps if step.did is EventKind.CLOSED]
        own = (
            [Step(EventKind.LABELLED, min(started) + timedelta(minutes=5), author, text=IN_PROGRESS)] if started else []
        )
        if started and closed and not epic.is_open:
            own.append(Step(EventKind.CLOSED, max(closed) + timedelta(minutes=5), author, text="completed"))
        due_on = None
        if epic.due_weeks is not None:
            due_on = year.last_day + timedelta(weeks=epic.due_weeks, days=4 - year.last_day.weekday())  # a Friday
        yield PlannedIssue(
            number=number,
            repository=repository,
            author=author,
            title=epic.title,
            body="",
            label=WorkLabel.FEATURE,
            created_at=epic.starts_at.astimezone(UTC),
            steps=tuple(step for step in own if step.at <= year.anchor),
            is_epic=True,
            due_on=due_on,
        )


def _linked(
    year: DemoYear, repository: DemoRepository, drafts: Sequence[PlannedPullRequest], words: Filler, rng: Random
) -> list[_Draft]:
    issues: list[_Draft] = []
    latest: dict[str, _Draft] = {}
    for position in sorted(range(len(drafts)), key=lambda issue: drafts[issue].commits[0].at):
        draft = drafts[position]
        if rng.random() >= _LINKED_CHANCE:
            continue
        before = latest.get(draft.person.email)
        if before is not None and len(before.positions) < 3 and rng.random() < _SAME_ISSUE_CHANCE:
            before.positions.append(position)
            continue
        started_at = min(draft.commits[0].at, draft.opened_at)
        waited = timedelta(days=rng.lognormvariate(math.log(_DAYS_WAITING), 1.0))
        issue = _Draft(
            author=rng.choice(year.team(repository.team)),
            title=words.sentence(),
            label=draft.label,
            created_at=(started_at - waited - timedelta(hours=1)).astimezone(UTC).replace(microsecond=0),
            positions=[position],
        )
        issues.append(issue)
        latest[draft.person.email] = issue
    return issues


def _unlinked(year: DemoYear, repository: DemoRepository, words: Filler, rng: Random) -> _Draft:
    created_at = year.anchor - timedelta(minutes=rng.randrange(60, year.weeks * 7 * 24 * 60))
    label = rng.choices(tuple(WorkLabel), WorkLabel.weights())[0]
    return _Draft(rng.choice(year.team(repository.team)), words.sentence(), label, created_at.astimezone(UTC), [])


def _numbers(
    issues: Sequence[_Draft], drafts: Sequence[PlannedPullRequest]
) -> tuple[list[tuple[int, _Draft]], dict[int, int]]:
    """Issues with their numbers, and those of pull requests by position: both in one order of time."""
    moments = [(issue.created_at, 0, position) for position, issue in enumerate(issues)]
    moments += [(draft.opened_at, 1, position) for position, draft in enumerate(drafts)]
    numbered: list[tuple[int, _Draft]] = []
    numbers: dict[int, int] = {}
    for number, (_, kind, position) in enumerate(sorted(moments), start=1):
        if kind == 0:
            numbered.append((number, issues[position]))
        else:
            numbers[position] = number
    return numbered, numbers


def _named(
    repository: DemoRepository, draft: PlannedPullRequest, number: int, issue: int | None, rng: Random
) -> PlannedPullRequest:
    """Return it with its number, and the issue's key in its title or body."""
    if issue is None:
        return replace(draft, number=number)
    key = f"{project_key(repository.name)}-{issue}"
    roll = rng.random()
    title = f"{draft.title} ({key})" if roll < 0.25 else draft.title
    body = f"For {key}" if 0.25 <= roll < 0.5 else f"Closes {key}" if roll >= 0.5 else ""
    return replace(draft, number=number, issue=issue, title=title, body=body)


def _steps(
    year: DemoYear,
    repository: DemoRepository,
    issue: _Draft,
    drafts: Sequence[PlannedPullRequest],
    rng: Random,
) -> tuple[Step, ...]:
    """Assigned before work begins, closed when the last of its pull requests is merged; those in the past alone."""
    steps = _steps_of_backlog(issue, rng) if not drafts else _steps_of_work(year, repository, issue, drafts, rng)
    past = (
        replace(step, at=step.at.astimezone(UTC).replace(microsecond=0)) for step in steps if step.at <= year.anchor
    )
    return tuple(sorted(past, key=lambda draft: draft.at))


def _steps_of_backlog(issue: _Draft, rng: Random) -> list[Step]:
    if rng.random() >= _NOT_PLANNED_CHANCE:
        return []
    closed_at = issue.created_at + timedelta(days=rng.randrange(5, 120))
    return [Step(EventKind.CLOSED, closed_at, issue.author, text="not_planned")]


def _steps_of_work(
    year: DemoYear, repository: DemoRepository, issue: _Draft, drafts: Sequence[PlannedPullRequest], rng: Random
) -> list[Step]:
    author = drafts[0].person
    started_at = min(drafts[0].commits[0].at, drafts[0].opened_at)
    assigned_at = started_at - (started_at - issue.created_at) * rng.uniform(0.02, 0.6)
    steps = [Step(EventKind.ASSIGNED, assigned_at, issue.author, of=author)]
    others = [person for person in year.team(repository.team) if person != author]
    if others and rng.random() < _REASSIGNED_CHANCE:
        other, soon = rng.choice(others), issue.created_at + (assigned_at - issue.created_at) * 0.3
        steps.append(Step(EventKind.ASSIGNED, soon, issue.author, of=other))
        steps.append(Step(EventKind.UNASSIGNED, assigned_at - timedelta(seconds=1), issue.author, of=other))
    steps.append(
        Step(EventKind.LABELLED, max(assigned_at, started_at - _BEFORE_FIRST_COMMIT), author, text=IN_PROGRESS)
    )
    last = _last_end(drafts)
    if last is None:
        return steps
    if last.did is EventKind.CLOSED:  # given up
        return [
            *steps,
            Step(EventKind.UNLABELLED, last.at + timedelta(minutes=1), drafts[-1].person, text=IN_PROGRESS),
        ]
    closed_at, by = last.at, last.by
    steps += _steps_of_waiting(repository, issue, author, started_at, closed_at)
    steps.append(Step(EventKind.CLOSED, closed_at + timedelta(seconds=1), by, text="completed"))
    if issue.label is WorkLabel.BUG and rng.random() < _BUG_REOPENED_CHANCE:
        reopened_at = closed_at + timedelta(days=rng.uniform(1, 6))
        steps.append(Step(EventKind.REOPENED, reopened_at, issue.author))
        steps.append(
            Step(EventKind.CLOSED, reopened_at + timedelta(days=rng.uniform(0.5, 5)), author, text="completed")
        )
    return steps


def _steps_of_waiting(
    repository: DemoRepository, issue: _Draft, author: DemoPerson, started_at: datetime, closed_at: datetime
) -> list[Step]:
    """Blocked for a part of the time in which somebody works on it; drawn by itself, so that all else stays."""
    rng = Random(f"{repository.name}/{issue.title}/{issue.created_at}/waiting")  # noqa: S311 - a demo, not a secret
    if rng.random() >= _BLOCKED_CHANCE or closed_at <= started_at:
        return []
    begins = started_at + (closed_at - started_at) * rng.uniform(0.1, 0.5)
    ends = begins + (closed_at - begins) * rng.uniform(0.2, 0.7)
    # Nobody moves an item at night or on a Sunday.
    since, until = (after_working_hours(moment, 0, author.time_zone) for moment in (begins, ends))
    if not since < until < closed_at:
        return []
    return [
        Step(EventKind.LABELLED, since, author, text=BLOCKED),
        Step(EventKind.UNLABELLED, until, author, text=BLOCKED),
    ]


def _last_end(drafts: Sequence[PlannedPullRequest]) -> Step | None:
    """The merge or closing of the last of the pull requests; None without any, or while one is open."""
    ends = [draft.review.end for draft in drafts]
    return None if None in ends else max((end for end in ends if end), key=lambda end: end.at, default=None)
