"""The demo's figures as they are planned, computed from the sessions themselves: a slow second opinion."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, timedelta
from functools import cached_property

from demo.plan.commits import DemoCommit, Mark, generated_lines, plan_commits
from demo.plan.model_prices import UNKNOWN_MODEL
from demo.plan.session import DemoSession, ModelRequest, SessionRun, ToolUse
from demo.plan.stories import Weeks
from demo.plan.year import DemoYear


class PlannedFigures:
    """Sessions count where they start; durations are from an active period's first to its last event."""

    def __init__(self, year: DemoYear) -> None:
        self.year = year

    def figure(self, key: str, weeks: Weeks, facets: Mapping[str, str], email: str | None = None) -> float | None:
        compute: Callable[[list[DemoSession], str | None], float | None] = {
            "ai.sessions": lambda sessions, model: len(sessions),
            "ai.session_duration": lambda sessions, model: _ratio(sum(map(active_seconds, sessions)), len(sessions)),
            "ai.error_rate": _error_rate,
            "ai.cache_hit_rate": _cache_hit_rate,
            "ai.spend": _spend,
            "ai.tokens": lambda sessions, model: sum(_tokens(request) for request in _answered(sessions, model)),
            "ai.ship_rate": lambda sessions, model: self._ship_rate(sessions),
            "ai.adoption_rate": lambda sessions, model: self._adoption_rate(sessions, weeks),
        }[key]
        return compute(self._sessions_in(weeks, email), facets.get("model"))

    def by_weekday(self, key: str, weeks: Weeks, email: str) -> Mapping[int, float]:
        assert key == "ai.sessions"
        return Counter(self._day(session).weekday() for session in self._sessions_in(weeks, email))

    @cached_property
    def sessions(self) -> list[DemoSession]:
        return [
            session for week in range(len(self.year.flavour.size.weeks)) for session in self.year.sessions_of_week(week)
        ]

    def _sessions_in(self, weeks: Weeks, email: str | None) -> list[DemoSession]:
        first, after = self.year.first_day_of(weeks.first), self.year.first_day_of(weeks.last)
        return [
            session
            for session in self.sessions
            if first <= self._day(session) < after and email in (None, session.setting.person.email)
        ]

    def _day(self, session: DemoSession) -> date:
        return session.active_periods[0].turns[0].prompted_at.astimezone(self.year.anchor.tzinfo).date()

    @cached_property
    def commits(self) -> list[DemoCommit]:
        return [commit for commits in plan_commits(self.year, self.sessions).values() for commit in commits]

    @cached_property
    def _shipped(self) -> Mapping[str, int]:
        """Session id → its committed lines, as far as evidence can tell them from those by hand."""
        return {
            commit.session.session_id: _shipped_lines(commit, commit.session)
            for commit in self.commits
            if commit.session is not None
        }

    def _ship_rate(self, sessions: list[DemoSession]) -> float | None:
        shipped = sum(self._shipped.get(session.session_id, 0) for session in sessions)
        return _ratio(100 * shipped, sum(map(generated_lines, sessions)))

    def _adoption_rate(self, sessions: list[DemoSession], weeks: Weeks) -> float | None:
        after = self.year.first_day_of(weeks.last)
        left = {email for email, away in self.year.away().items() if away.since < after and away.until is None}
        enrolled = {session.setting.person.email for session in self.sessions if self._day(session) < after} - left
        active = {session.setting.person.email for session in sessions} & enrolled
        return _ratio(100 * len(active), len(enrolled))


def _shipped_lines(commit: DemoCommit, session: DemoSession) -> int:
    if commit.mark is Mark.NOTE:
        return commit.agent_lines
    added = commit.agent_lines + commit.own_lines
    return added if commit.mark is Mark.TRAILER else min(added, generated_lines(session))


def answered_requests(session: DemoSession) -> Iterator[ModelRequest]:
    for run in session.active_periods:
        for turn in run.turns:
            yield from (request for request in turn.requests if not request.failed)


def tool_uses(session: DemoSession) -> Iterator[ToolUse]:
    yield from (request.tool for request in answered_requests(session) if request.tool is not None)


def _answered(sessions: list[DemoSession], model: str | None) -> list[ModelRequest]:
    return [
        request
        for session in sessions
        for request in answered_requests(session)
        if model is None or request.model == model
    ]


def _tokens(request: ModelRequest) -> int:
    return request.uncached_input + request.output + request.cache_read + request.cache_write


def active_seconds(session: DemoSession) -> float:
    return sum((max(_event_times(run)) - run.turns[0].prompted_at).total_seconds() for run in session.active_periods)


def _event_times(run: SessionRun) -> Iterator[datetime]:
    for turn in run.turns:
        yield turn.prompted_at
        for request in turn.requests:
            yield request.at
            if request.tool is not None:
                yield request.tool.at + timedelta(milliseconds=request.tool.duration_ms)


def _error_rate(sessions: list[DemoSession], model: str | None) -> float | None:
    calls = [call for session in sessions for call in tool_uses(session) if not call.refused]
    return _ratio(100 * sum(1 for call in calls if call.error_type), len(calls))


def _cache_hit_rate(sessions: list[DemoSession], model: str | None) -> float | None:
    requests = _answered(sessions, model)
    read = sum(request.cache_read for request in requests)
    return _ratio(100 * read, sum(_tokens(request) - request.output for request in requests))


def _spend(sessions: list[DemoSession], model: str | None) -> float:
    return sum(request.cost_usd for request in _answered(sessions, model) if request.model != UNKNOWN_MODEL)


def _ratio(numerator: float, denominator: float) -> float | None:
    return numerator / denominator if denominator else None
