"""The plan of the demo's commits: author, lines, and the session before each.

About half of the sessions that generated lines are followed by a commit, within the session or up to forty minutes
after, of at most those lines and some by hand.  Beside them people commit without an agent, the more so before they
took it up.
"""

from __future__ import annotations

import enum
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

from demo.plan.agents import CLAUDE_CODE, CODEX, COPILOT
from demo.plan.organisation import team_on
from demo.plan.people import LOGISTICS, PLATFORM, DemoPerson
from demo.plan.repositories import REPOSITORIES, DemoRepository
from demo.plan.session import DemoSession
from demo.plan.year import DemoYear

_LATEST = timedelta(minutes=40)  # after the session's end
_ELSEWHERE_CHANCE = 0.06  # a commit to the platform's repository instead of one's own
_BY_HAND_CHANCE_BEFORE, _BY_HAND_CHANCE = 0.20, 0.09  # of a workday, before and after somebody took the agent up
# Logistics has had no agent: it writes all of its work so, as far as its pilot is looked at against the time before.
_BY_HAND_CHANCE_OF_PILOT, _BY_HAND_CHANCE_BEFORE_PILOT, _PILOT_WEEKS_LOOKED_AT = 0.40, 0.10, 14
_CLEAR_OF_SESSIONS = timedelta(minutes=70)  # a commit without an agent lies nowhere near one
_OF_TEAM = {repository.team: repository for repository in REPOSITORIES}


# How agents sign commits; Gemini CLI leaves nothing.
TRAILERS = {
    CLAUDE_CODE: "Co-Authored-By: Claude <noreply@anthropic.com>",
    CODEX: "Co-authored-by: Codex <noreply@openai.com>",
    COPILOT: "Co-authored-by: Copilot <223556219+Copilot@users.noreply.github.com>",
}


class Mark(enum.Enum):
    """The agent's mark in a commit."""

    NOTE = "a git-ai note"
    TRAILER = "a Co-Authored-By trailer"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class DemoCommit:
    """One person's commit; `session` is None if no agent took part in it."""

    repository: DemoRepository
    person: DemoPerson
    at: datetime
    session: DemoSession | None
    agent_lines: int
    own_lines: int
    mark: Mark


def generated_lines(session: DemoSession) -> int:
    return sum(
        request.tool.lines_added
        for run in session.active_periods
        for turn in run.turns
        for request in turn.requests
        if request.tool is not None and not request.failed
    )


def plan_commits(year: DemoYear, sessions: Iterable[DemoSession]) -> dict[str, list[DemoCommit]]:
    """Repository name → its commits by people in the weeks of work, oldest first."""
    by_person: dict[str, list[DemoSession]] = defaultdict(list)
    for session in sessions:
        if session.setting.started_at.astimezone(year.anchor.tzinfo).date() >= year.first_day:
            by_person[session.setting.person.email].append(session)
    planned: dict[str, list[DemoCommit]] = {repository.name: [] for repository in REPOSITORIES}
    for person in year.people:
        own = by_person[person.email]
        for commit in (*_after_sessions(year, own), *_by_hand(year, person, own)):
            planned[commit.repository.name].append(commit)
    return {name: sorted(commits, key=lambda item: (item.at, item.person.email)) for name, commits in planned.items()}


def _after_sessions(year: DemoYear, sessions: Sequence[DemoSession]) -> Iterator[DemoCommit]:
    for session in sessions:
        rng = Random(f"{year.seed}/{session.session_id}/commit")  # noqa: S311 - a demo, not a secret
        lines = generated_lines(session)
        weeks_before_end = year.week_of(session.setting.started_at.date())
        chance = year.ship_chance(session.setting.person.email, weeks_before_end)
        if not lines or rng.random() >= chance:
            continue
        at = _commit_time(session, rng)
        if at > year.anchor:
            continue
        agent_lines = max(1, round(lines * rng.uniform(0.55, 1)))
        yield DemoCommit(
            repository=_repository_at(at, session.setting.person, year, rng),
            person=session.setting.person,
            at=at,
            session=session,
            agent_lines=agent_lines,
            own_lines=round(agent_lines * rng.uniform(0, 0.6)) + rng.randrange(3),
            mark=_mark(session, rng),
        )


def repository_of(year: DemoYear, session: DemoSession) -> DemoRepository:
    """The session's repository: that of its commit, else that of the person's team."""
    commit = next(_after_sessions(year, [session]), None)
    if commit is not None:
        return commit.repository
    day = session.setting.started_at.astimezone(year.anchor.tzinfo).date()
    return _OF_TEAM[team_on(session.setting.person, day, year)]


def _mark(session: DemoSession, rng: Random) -> Mark:
    mark = rng.choices((Mark.NOTE, Mark.TRAILER, Mark.NOTHING), (0.35, 0.35, 0.30))[0]
    return Mark.NOTHING if mark is Mark.TRAILER and session.setting.agent not in TRAILERS else mark


def _commit_time(session: DemoSession, rng: Random) -> datetime:
    """The end of the run in which the agent committed; else a time soon after the session."""
    committing = [run for run in session.active_periods if run.commits]
    if committing:
        return (committing[-1].ended_at - timedelta(seconds=rng.randrange(5, 40))).replace(microsecond=0)
    return (session.ended_at + _LATEST * rng.betavariate(1, 3)).replace(microsecond=0)


def _by_hand(year: DemoYear, person: DemoPerson, sessions: Sequence[DemoSession]) -> Iterator[DemoCommit]:
    busy: dict[date, list[DemoSession]] = defaultdict(list)
    for session in sessions:
        busy[session.setting.started_at.date()].append(session)
    away = year.away().get(person.email)
    for days_before_end in range(7 * year.weeks):
        day = year.last_day - timedelta(days=days_before_end)
        rng = Random(f"{year.seed}/{person.email}/{days_before_end}/by hand")  # noqa: S311
        chance = _by_hand_chance(person, year.week_of(day)) * year.flavour.size.by_hand
        if rng.random() >= chance or day.weekday() >= 5 or (away is not None and day in away):
            continue
        at = datetime.combine(day, time(8), ZoneInfo(person.time_zone)) + timedelta(seconds=rng.randrange(11 * 3600))
        if at > year.anchor or any(_is_near(at, session) for session in busy[at.date()]):
            continue
        yield DemoCommit(
            repository=_repository_at(at, person, year, rng),
            person=person,
            at=at,
            session=None,
            agent_lines=0,
            own_lines=int(rng.lognormvariate(3.5, 0.9)) + 1,
            mark=Mark.NOTHING,
        )


def _by_hand_chance(person: DemoPerson, weeks_before_end: int) -> float:
    """The chance of a commit by hand on a workday."""
    if weeks_before_end < person.took_up:
        return _BY_HAND_CHANCE
    if person.team != LOGISTICS:
        return _BY_HAND_CHANCE_BEFORE
    is_looked_at = weeks_before_end < _PILOT_WEEKS_LOOKED_AT
    return _BY_HAND_CHANCE_OF_PILOT if is_looked_at else _BY_HAND_CHANCE_BEFORE_PILOT


def _is_near(at: datetime, session: DemoSession) -> bool:
    return session.setting.started_at - _CLEAR_OF_SESSIONS <= at <= session.ended_at + _CLEAR_OF_SESSIONS


def _repository_at(at: datetime, person: DemoPerson, year: DemoYear, rng: Random) -> DemoRepository:
    """The repository of the person's team at that time, occasionally the platform's (never for Logistics)."""
    chance = _ELSEWHERE_CHANCE * year.flavour.size.elsewhere
    elsewhere = rng.random() < chance and person.team != LOGISTICS
    return _OF_TEAM[PLATFORM if elsewhere else team_on(person, at.astimezone(year.anchor.tzinfo).date(), year)]
