"""A year of sessions: people, workdays, holidays, and the stories that bend them.

Each day of each person has a random number generator of its own, seeded with the demo's seed, the person's address
and the number of days before the demo's end: the same seed and anchor always make the same sessions, and a story
changes no other day than those that it concerns.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from random import Random
from zoneinfo import ZoneInfo

from demo.plan.agents import CLAUDE_CODE, VERSIONS, agent_of_session, model_of
from demo.plan.model_prices import SMALL_MODEL, UNKNOWN_MODEL, large_model, main_model
from demo.plan.people import DemoPerson
from demo.plan.session import DemoSession, SessionSetting, play_session
from demo.plan.sizes import INTRODUCTION_WEEKS
from demo.plan.stories import INTRODUCTION, SINCE_INTRODUCTION, Effect, Flavour, Story

_RAMP_WEEKS = 5  # from the first regular use to the full habit
_WEEKEND_CHANCE = 0.015
_QUIET_DAYS = ((12, 24), (12, 25), (12, 26), (12, 31), (1, 1))  # (month, day)
_HOLIDAY_WEEKS = 4  # a person's weeks off in a year
_USUAL_MINUTES = 13.0
_LONGEST_MINUTES = 170.0
_SHIP_CHANCE = 0.52
_LARGE_MODEL_CHANCE, _SMALL_MODEL_CHANCE = 0.14, 0.08
# (weeks before the end from which it is in use, version of the agent)
_VERSIONS = ((54, "2.0.47"), (45, "2.0.76"), (36, "2.1.22"), (27, "2.1.71"), (18, "2.1.118"), (9, "2.1.163"))
_VERSIONS_NOW = (3, "2.1.197")


@dataclass(frozen=True, slots=True)
class Away:
    """Somebody left; `until` is the first day on which they were there again, None where they never returned."""

    since: date
    until: date | None

    def __contains__(self, day: date) -> bool:
        return self.since <= day and (self.until is None or day < self.until)


@dataclass(frozen=True, slots=True)
class DemoYear:
    """`anchor` is the instant at which the demo ends, in the organisation's zone; week 0 is the seven days up to it.

    Where a small flavour leaves out weeks of the year, those before them come so much later: `first_day_of` and
    `week_of` lead from weeks of the year to days and back.
    """

    seed: int
    flavour: Flavour
    anchor: datetime

    @property
    def weeks(self) -> int:
        """The number of weeks of work; telemetry starts earlier, with the introduction."""
        return self.flavour.weeks

    @property
    def weeks_of_telemetry(self) -> int:
        return self.weeks + INTRODUCTION_WEEKS

    @property
    def last_day(self) -> date:
        return self.anchor.date()

    @property
    def first_day(self) -> date:
        """The first day of work."""
        return self._first_day_played(self.weeks)

    @property
    def people(self) -> tuple[DemoPerson, ...]:
        return self.flavour.size.people

    def team(self, name: str) -> tuple[DemoPerson, ...]:
        return tuple(person for person in self.people if person.team == name)

    def first_day_of(self, weeks_before_end: int) -> date:
        """The first day of those of the year's last `weeks_before_end` weeks that are played.

        With 1, the demo's last seven days start here.
        """
        return self._first_day_played(self.flavour.size.played(weeks_before_end))

    def _first_day_played(self, weeks: int) -> date:
        """The first day of the last `weeks` weeks that are played."""
        return self.last_day + timedelta(days=1 - 7 * weeks)

    def week_of(self, day: date) -> int:
        """The week played on the day, counted back from the end; the first week for days before the demo."""
        played = self.flavour.size.weeks
        return played[min(max(0, (self.last_day - day).days // 7), len(played) - 1)]

    def away(self) -> dict[str, Away]:
        """E-mail address → the days of absence of people who left within the year."""
        there = frozenset(person.email for person in self.people)
        return {
            email: Away(
                self.first_day_of(story.weeks.first),
                self.first_day_of(story.weeks.last) if story.weeks.last else None,
            )
            for story in self.flavour.stories
            if story.effect.is_away
            for email in sorted(there & (story.who or frozenset()))
        }

    def ship_chance(self, email: str, weeks_before_end: int) -> float:
        """The chance that the lines that a session of the person generated are committed."""
        chance = _SHIP_CHANCE * self.flavour.usual.ship_factor
        for story in self.flavour.stories:
            if story.concerns(email, weeks_before_end):
                chance *= story.effect.ship_factor
        return chance

    def sessions_of_week(self, number: int) -> list[DemoSession]:
        """All sessions that start in the week, in order of time; the last week that is played has the number 0."""
        first, weeks_before_end = self._first_day_played(number + 1), self.flavour.size.weeks[number]
        days = [first + timedelta(days=offset) for offset in range(7)]
        sessions = [
            session
            for person in self.people
            for day in days
            for session in self._sessions_of_day(person, day, weeks_before_end)
            if session.ended_at <= self.anchor
        ]
        return sorted(sessions, key=lambda session: (session.setting.started_at, session.session_id))

    def _sessions_of_day(self, person: DemoPerson, day: date, weeks_before_end: int) -> Iterator[DemoSession]:
        rng = Random(f"{self.seed}/{person.email}/{(self.last_day - day).days}")  # noqa: S311 - a demo, not a secret
        effects = [self.flavour.usual, *(story.effect for story in self._stories_of(person, weeks_before_end))]
        for _ in range(self._session_count(person, day, weeks_before_end, effects, rng)):
            yield play_session(self._setting(person, day, weeks_before_end, effects, rng), rng)

    def _stories_of(self, person: DemoPerson, weeks_before_end: int) -> list[Story]:
        return [story for story in self.flavour.stories if story.concerns(person.email, weeks_before_end)]

    def _session_count(
        self, person: DemoPerson, day: date, weeks_before_end: int, effects: list[Effect], rng: Random
    ) -> int:
        ramps_up = any(effect.ramps_up for effect in effects)
        if any(effect.is_absent for effect in effects):
            return 0
        if ramps_up and day == _introduction_day(self, person.email):
            return 2
        chance = person.habit.chance_of_a_workday
        if ramps_up:
            chance *= min(1.0, max(0, person.took_up - weeks_before_end) / _RAMP_WEEKS)
        for effect in effects:
            chance *= effect.workdays_factor
        if day.weekday() >= 5:
            planted = [effect.weekend_chance for effect in effects if effect.weekend_chance is not None]
            chance = max(planted) if planted else min(chance, _WEEKEND_CHANCE)
        if (day.month, day.day) in _QUIET_DAYS or weeks_before_end in _holidays(self.seed, person.email):
            chance = 0
        if rng.random() >= chance:
            return 0
        return max(1, round(rng.gauss(person.habit.sessions_a_day, 1)))

    def _setting(
        self, person: DemoPerson, day: date, weeks_before_end: int, effects: list[Effect], rng: Random
    ) -> SessionSetting:
        minutes = rng.lognormvariate(0, 0.6) * _USUAL_MINUTES
        cache_reuse = 1.0
        failing_tools: dict[str, float] = {}
        drawn = rng.random()
        model = main_model(weeks_before_end)
        if drawn < _LARGE_MODEL_CHANCE:
            model = large_model(weeks_before_end)
        elif drawn > 1 - _SMALL_MODEL_CHANCE:
            model = SMALL_MODEL
        for effect in effects:
            minutes *= effect.minutes_factor
            cache_reuse *= effect.cache_reuse
            failing_tools |= effect.failing_tools
            if effect.main_model is not None and drawn <= 1 - _SMALL_MODEL_CHANCE:
                model = effect.main_model
        started_at = _start(person, day, rng)
        version = _version(weeks_before_end)
        agent = CLAUDE_CODE
        if model != UNKNOWN_MODEL:
            choosing = Random(f"{self.seed}/{person.email}/{started_at}/agent")  # noqa: S311
            agent = agent_of_session(person, weeks_before_end, choosing)
        if agent != CLAUDE_CODE:
            model, version = model_of(agent, weeks_before_end), VERSIONS[agent]
        return SessionSetting(
            person=person,
            started_at=started_at,
            minutes=min(max(minutes, 2.0), _LONGEST_MINUTES),
            model=model,
            cache_reuse=cache_reuse,
            failing_tools=failing_tools,
            version=version,
            agent=agent,
        )


@cache
def _introduction_day(year: DemoYear, email: str) -> date:
    rng = Random(f"{year.seed}/{email}/introduction")  # noqa: S311
    days = [
        day
        for week in range(INTRODUCTION.last, INTRODUCTION.first)
        for offset in range(7)
        if (day := year.first_day_of(week + 1) + timedelta(days=offset)).weekday() < 5
    ]
    return rng.choice(days)


@cache
def _holidays(seed: int, email: str) -> frozenset[int]:
    """Weeks before the end in which the person is away; never the last ones, which every viewer looks at."""
    rng = Random(f"{seed}/{email}/holidays")  # noqa: S311
    return frozenset(rng.sample(range(4, SINCE_INTRODUCTION.first), _HOLIDAY_WEEKS))


def _start(person: DemoPerson, day: date, rng: Random) -> datetime:
    """An instant within the person's own working hours."""
    minute = rng.triangular(8.25 * 60, 13 * 60, 10.5 * 60) if rng.random() < 0.5 else rng.triangular(780, 1080, 900)
    local = datetime.combine(day, time(), ZoneInfo(person.time_zone)) + timedelta(
        minutes=int(minute), seconds=rng.randrange(60)
    )
    return local.astimezone(UTC)


def _version(weeks_before_end: int) -> str:
    return [version for since, version in (*_VERSIONS, _VERSIONS_NOW) if weeks_before_end < since][-1]
