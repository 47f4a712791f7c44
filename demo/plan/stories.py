"""Stories planted in the demo, with the metrics they should move.

A story is data: whom it concerns, in which weeks, what it changes, and what the metrics then say.  A test reads
every expectation back through the metric engine.  The flavour `quiet` has none of them, and raises nothing.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field

from demo.plan.model_prices import EXPENSIVE_MODEL, UNKNOWN_MODEL
from demo.plan.people import (
    CHECKOUT,
    DATA,
    LOGISTICS,
    MOBILE,
    NEVER,
    PEOPLE,
    PILOT_WEEKS,
    SEARCH,
    TOOLING,
    addresses,
    team,
)
from demo.plan.sizes import DEMO_WEEKS, SMALL, WHOLE, YEAR_WEEKS, Size
from demo.plan.tools import PUSHED, Tools

QUIET_WEEKS = 28  # they contain no story that takes a year to see


@dataclass(frozen=True, slots=True)
class Weeks:
    """Weeks before the demo's end, half-open: Weeks(6, 0) are the last six, Weeks(52, 48) the first four."""

    first: int
    last: int

    def __contains__(self, weeks_before_end: int) -> bool:
        return self.last <= weeks_before_end < self.first


ALWAYS = Weeks(DEMO_WEEKS, 0)
INTRODUCTION = Weeks(DEMO_WEEKS, YEAR_WEEKS)
SINCE_INTRODUCTION = Weeks(YEAR_WEEKS, 0)


@dataclass(frozen=True, slots=True)
class Effect:
    """A story's effect on the days of its people; the defaults change nothing."""

    workdays_factor: float = 1.0  # times the chance that a workday has sessions
    minutes_factor: float = 1.0  # times the length of a session
    weekend_chance: float | None = None  # chance that a Saturday or Sunday has sessions
    cache_reuse: float = 1.0  # share of the context that is read from the cache; the rest is written anew
    main_model: str | None = None
    failing_tools: Mapping[str, float] = field(default_factory=dict)  # tool → chance that a call fails
    is_away: bool = False  # the people left on the first day of the weeks; where those have passed, they returned
    ship_factor: float = 1.0  # times the chance that a session's lines are committed
    ramps_up: bool = False  # people take the agent up one after another instead of all at the start
    is_absent: bool = False  # they are not at the introduction


class Reading(enum.Enum):
    """A comparison of the values of two windows, or of a value and a number."""

    AT_LEAST = "at least"
    AT_MOST = "at most"
    TIMES_AT_LEAST = "at least so many times the comparison"
    TIMES_A_WEEK_AT_LEAST = "in a week at least so many times the comparison"
    POINTS_BELOW = "at least so many percentage points below the comparison"


@dataclass(frozen=True, slots=True)
class Expectation:
    """An expected value: metric `key` over `weeks`, compared with `number`.

    `compared_with` is the other window of TIMES_AT_LEAST, TIMES_A_WEEK_AT_LEAST (each in a week, for a small demo plays
    more of one window than of the other) and POINTS_BELOW.  `facets` filter both.  With `each_of` the figure is that of
    each named person; with `weekend_share_of` it is the share (0–100) of the people's summed daily figures that falls
    on Saturdays and Sundays.  Of the named people those count whom the organisation has: a small one has not all.
    """

    key: str
    weeks: Weeks
    reading: Reading
    number: float
    compared_with: Weeks | None = None
    facets: Mapping[str, str] = field(default_factory=dict)
    each_of: frozenset[str] = frozenset()
    weekend_share_of: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Story:
    key: str
    tells: str
    who: frozenset[str] | None  # e-mail addresses; None: everybody
    weeks: Weeks
    effect: Effect
    expectations: tuple[Expectation, ...]

    def concerns(self, email: str, weeks_before_end: int) -> bool:
        return weeks_before_end in self.weeks and (self.who is None or email in self.who)


IDLE = addresses("Basil Placeholder", "Saffron Sample", "Poppy Pretend", "Plum Mockley", "Violet Example")
LONG_SESSIONS = addresses("Willow Example", "Lark Sample")
STOPPED_AFTER_TRYING = team(MOBILE) - LONG_SESSIONS
MOVED = addresses("Juniper Sample")  # from Checkout to Search
MANAGER = addresses("Maya Manager")
LEAVER = addresses("Linden Example")
LEFT_WEEKS_BEFORE_END = 5
RETURNER = addresses("Hazel Fictus")
WITHOUT_AGENT = frozenset(person.email for person in PEOPLE if person.took_up == NEVER)
PILOT = team(LOGISTICS) - WITHOUT_AGENT
AWAY_WEEKS = Weeks(30, 22)

STORIES: tuple[Story, ...] = (
    Story(
        key="adoption_grows",
        tells="After an introduction for everybody, people take the agent up one after another.",
        who=None,
        weeks=ALWAYS,
        effect=Effect(ramps_up=True),
        expectations=(
            Expectation("ai.adoption_rate", Weeks(4, 0), Reading.TIMES_AT_LEAST, 1.5, compared_with=Weeks(50, 46)),
            Expectation("ai.sessions", Weeks(8, 0), Reading.TIMES_A_WEEK_AT_LEAST, 1.8, compared_with=Weeks(50, 42)),
        ),
    ),
    Story(
        key="few_with_long_sessions",
        tells="In the first months a few people got value from long sessions, and the tool had not spread.",
        who=None,
        weeks=Weeks(52, 38),
        effect=Effect(minutes_factor=2.5),
        expectations=(
            Expectation("ai.adoption_rate", Weeks(48, 42), Reading.AT_MOST, 45),
            Expectation("ai.session_duration", Weeks(48, 42), Reading.AT_LEAST, 30 * 60),
            Expectation("ai.session_duration", Weeks(12, 0), Reading.AT_MOST, 25 * 60),
        ),
    ),
    Story(
        key="idle_seats",
        tells="Five people came to the introduction and never again: seats without use.",
        who=IDLE,
        weeks=SINCE_INTRODUCTION,
        effect=Effect(workdays_factor=0),
        expectations=(
            Expectation("ai.sessions", Weeks(26, 0), Reading.AT_MOST, 0, each_of=IDLE),
            Expectation("ai.sessions", INTRODUCTION, Reading.AT_LEAST, 1, each_of=IDLE),
        ),
    ),
    Story(
        key="mobile_tried_and_stopped",
        tells="Most of the Mobile team tried the agent for the introduction and stopped …",
        who=STOPPED_AFTER_TRYING,
        weeks=SINCE_INTRODUCTION,
        effect=Effect(workdays_factor=0),
        expectations=(Expectation("ai.sessions", Weeks(26, 0), Reading.AT_MOST, 0, each_of=STOPPED_AFTER_TRYING),),
    ),
    Story(
        key="mobile_long_sessions",
        tells="… while two of them sit in sessions three times as long as everybody's.",
        who=LONG_SESSIONS,
        weeks=ALWAYS,
        effect=Effect(minutes_factor=3.2),
        expectations=(
            Expectation("ai.session_duration", Weeks(12, 0), Reading.AT_LEAST, 40 * 60, each_of=LONG_SESSIONS),
        ),
    ),
    Story(
        key="logistics_pilot",
        tells="Logistics was not there for the introduction: seven weeks ago its people in Lisbon began …",
        who=PILOT,
        weeks=INTRODUCTION,
        effect=Effect(is_absent=True),
        expectations=(
            Expectation("ai.sessions", Weeks(DEMO_WEEKS, PILOT_WEEKS), Reading.AT_MOST, 0, each_of=PILOT),
            Expectation("ai.sessions", Weeks(PILOT_WEEKS, 0), Reading.AT_LEAST, 2, each_of=PILOT),
        ),
    ),
    Story(
        key="logistics_waits",
        tells="… while those in Berlin wait for their licences: what the others changed can be held against them.",
        who=WITHOUT_AGENT,
        weeks=INTRODUCTION,
        effect=Effect(is_absent=True),
        expectations=(Expectation("ai.sessions", ALWAYS, Reading.AT_MOST, 0, each_of=WITHOUT_AGENT),),
    ),
    Story(
        key="failing_tool",
        tells="Nine weeks ago WebFetch began to fail for everybody (a new proxy), and it still does.",
        who=None,
        weeks=Weeks(9, 0),
        effect=Effect(failing_tools={"WebFetch": 0.9}),
        expectations=(
            Expectation("ai.error_rate", Weeks(12, 0), Reading.AT_LEAST, 10),
            Expectation("ai.error_rate", Weeks(9, 0), Reading.TIMES_AT_LEAST, 2.0, compared_with=Weeks(18, 9)),
        ),
    ),
    Story(
        key="cache_drop",
        tells="For three weeks a changed start-up instruction spoilt the prompt cache; then it recovered.",
        who=None,
        weeks=Weeks(16, 13),
        effect=Effect(cache_reuse=0.72),
        expectations=(
            Expectation("ai.cache_hit_rate", Weeks(16, 13), Reading.POINTS_BELOW, 10, compared_with=Weeks(20, 16)),
            Expectation("ai.cache_hit_rate", Weeks(16, 13), Reading.POINTS_BELOW, 10, compared_with=Weeks(13, 9)),
        ),
    ),
    Story(
        key="weekend_work",
        tells="Before a release the Data team worked at weekends for four weeks.",
        who=team(DATA) - IDLE,
        weeks=Weeks(9, 5),
        effect=Effect(weekend_chance=0.85),
        expectations=(
            Expectation("ai.sessions", Weeks(9, 5), Reading.AT_LEAST, 12, weekend_share_of=team(DATA) - IDLE),
            Expectation("ai.sessions", Weeks(17, 9), Reading.AT_MOST, 6, weekend_share_of=team(DATA) - IDLE),
        ),
    ),
    Story(
        key="expensive_model",
        tells="Eight weeks ago Checkout and Search switched to a model at five times the price.",
        who=team(CHECKOUT) | team(SEARCH),
        weeks=Weeks(8, 0),
        effect=Effect(main_model=EXPENSIVE_MODEL),
        expectations=(
            Expectation("ai.spend", Weeks(8, 0), Reading.TIMES_A_WEEK_AT_LEAST, 1.4, compared_with=Weeks(24, 16)),
            Expectation("ai.spend", Weeks(6, 0), Reading.AT_LEAST, 50, facets={"model": EXPENSIVE_MODEL}),  # US dollars
        ),
    ),
    Story(
        key="unknown_model",
        tells="For two weeks three people tried a preview model that no price list knows.",
        who=addresses("Quill Placeholder", "Rue Testwell", "Sage Imagined"),
        weeks=Weeks(11, 9),
        effect=Effect(main_model=UNKNOWN_MODEL),
        expectations=(
            Expectation("ai.tokens", Weeks(11, 9), Reading.AT_LEAST, 1_000_000, facets={"model": UNKNOWN_MODEL}),
            Expectation("ai.tokens", Weeks(9, 0), Reading.AT_MOST, 0, facets={"model": UNKNOWN_MODEL}),
        ),
    ),
    Story(
        key="no_context_files",
        tells="Tooling's repository tells the agent nothing about itself, and most of what it writes there is dropped.",
        who=team(TOOLING),
        weeks=SINCE_INTRODUCTION,
        effect=Effect(ship_factor=0.25),
        expectations=(
            Expectation("ai.ship_rate", Weeks(26, 3), Reading.AT_MOST, 30, each_of=team(TOOLING) - IDLE),
            Expectation(
                "ai.ship_rate", Weeks(26, 3), Reading.AT_LEAST, 30, each_of=team(CHECKOUT) - IDLE - MANAGER - MOVED
            ),
        ),
    ),
    Story(
        key="leaver",
        tells="One person left five weeks ago: no longer enrolled, though the past stays.",
        who=LEAVER,
        weeks=Weeks(LEFT_WEEKS_BEFORE_END, 0),
        effect=Effect(workdays_factor=0, weekend_chance=0, is_away=True),
        expectations=(
            Expectation("ai.sessions", Weeks(LEFT_WEEKS_BEFORE_END, 0), Reading.AT_MOST, 0, each_of=LEAVER),
            Expectation("ai.sessions", Weeks(13, LEFT_WEEKS_BEFORE_END), Reading.AT_LEAST, 10, each_of=LEAVER),
        ),
    ),
    Story(
        key="returner",
        tells="One person left for eight weeks and returned, to the same team.",
        who=RETURNER,
        weeks=AWAY_WEEKS,
        effect=Effect(workdays_factor=0, weekend_chance=0, is_away=True),
        expectations=(
            Expectation("ai.sessions", AWAY_WEEKS, Reading.AT_MOST, 0, each_of=RETURNER),
            Expectation("ai.sessions", Weeks(AWAY_WEEKS.last, 0), Reading.AT_LEAST, 10, each_of=RETURNER),
        ),
    ),
)


class Flavour(enum.StrEnum):
    """The kind of organisation that the demo shows; those that are named after tools have the stories, read from them.

    None has more than twenty letters.
    """

    STORIES = "stories"
    QUIET = "quiet"
    SMALL_STORIES = "small-stories"
    SMALL_QUIET = "small-quiet"
    GITLAB = "gitlab"
    AZURE = "azure"
    BITBUCKET_LINEAR = "bitbucket-linear"
    HARNESS_SERVICENOW = "harness-servicenow"

    @property
    def is_quiet(self) -> bool:
        return self in (Flavour.QUIET, Flavour.SMALL_QUIET)

    @property
    def size(self) -> Size:
        return SMALL if self in (Flavour.SMALL_STORIES, Flavour.SMALL_QUIET) else WHOLE

    @property
    def tools(self) -> Tools:
        """The tools that it is read from."""
        return _TOOLS.get(self, Tools())

    @property
    def stories(self) -> tuple[Story, ...]:
        return () if self.is_quiet else STORIES

    @property
    def usual(self) -> Effect:
        """The usual effect on people outside the stories, most of whose sessions lead to no commit."""
        return Effect(minutes_factor=1.7, ship_factor=1.75) if self.is_quiet else Effect()

    @property
    def weeks(self) -> int:
        """The weeks before the demo's end in which its people work; their introduction lies before."""
        weeks = self.size.played(YEAR_WEEKS)
        return min(weeks, QUIET_WEEKS) if self.is_quiet else weeks


_TOOLS: Mapping[Flavour, Tools] = {
    Flavour.GITLAB: Tools(code="gitlab", planning="gitlab", builds="gitlab", incidents="gitlab"),
    Flavour.AZURE: Tools(code="azure", planning="azure", builds="azure", incidents=PUSHED),
    Flavour.BITBUCKET_LINEAR: Tools(code="bitbucket", planning="linear", builds="bitbucket", incidents=PUSHED),
    Flavour.HARNESS_SERVICENOW: Tools(builds="harness", incidents="servicenow"),
}
