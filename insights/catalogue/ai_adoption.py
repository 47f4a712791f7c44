"""Adoption of coding agents: people, frequency and duration of use."""

from __future__ import annotations

from functools import partial

from core.seconds import MINUTE
from insights.catalogue.declarations import Count, Duration, PerPersonAndPeriod, Ratio
from insights.catalogue.references import AGENT_TELEMETRY, SPACE_FRAMEWORK
from insights.catalogue.rules import Rule, rows, value
from insights.catalogue.shares import ShareOfPeople
from insights.query.enums import Better, Category, SpaceDimension
from insights.query.measures import Distribution, People, PeopleOfWindow, PersonShare, Total
from insights.query.query import Dimension, Statistic
from integrations.facts.ai import AGENT_SESSIONS, ENROLLED_PEOPLE

SESSION_FACETS = (Dimension.AGENT, Dimension.MODEL)
SESSION_SOURCE = "Agent sessions, from the telemetry that agents send"

SESSIONS_STARTED = Total(
    AGENT_SESSIONS,
    column="sessions",
    missing_column="unnamed_requests",
    missing_reason="The number of sessions is unknown: the agents send no session ids.",
)
ACTIVE_DEVELOPERS = People(AGENT_SESSIONS)
ENROLLED_DEVELOPERS = PeopleOfWindow(ENROLLED_PEOPLE)

_share_of_users = partial(
    Ratio,
    sample_of=ACTIVE_DEVELOPERS,
    better=Better.HIGHER,
    categories=(Category.AI,),
    space=(SpaceDimension.ACTIVITY,),
    segments=(Dimension.AGENT,),
    facets=SESSION_FACETS,
    source=SESSION_SOURCE,
    reference=SPACE_FRAMEWORK,
)

ADOPTION_RATE = _share_of_users(
    key="ai.adoption_rate",
    name="Adoption",
    fact="developer",
    sample="[of {denominator:enrolled developer}]",
    meaning="Share of enrolled developers who used a coding agent at least once.",
    formula="active developers ÷ enrolled developers × 100; enrolled: telemetry ever received before the end of the "
    "window, and not off-boarded before it began",
    numerator=ACTIVE_DEVELOPERS,
    denominator=ENROLLED_DEVELOPERS,
    positive_indicators=("ai.sessions_per_developer", "ai.session_duration", "ai.committed_code_share"),
    negative_indicators=("ai.spend_wasted",),
    look_for=(
        Rule(
            when=(value("ai.adoption_rate").below(50.0), value("ai.session_duration").at_least(30 * MINUTE)),
            says="Only {ai.adoption_rate} of enrolled developers were active, yet their sessions last "
            "{ai.session_duration} on average: a few developers get value, but the tool has not spread. Check licences "
            "and onboarding.",
            check=rows("See who was active", "ai.active_developers"),
        ),
    ),
)

ACTIVE_SHARE = _share_of_users(
    key="ai.active_share",
    name="Active users",
    fact="developer",
    sides=("active developers", "enrolled"),
    meaning="The adoption rate of each week, month or quarter.",
    formula="developers active in the bucket ÷ developers enrolled in it × 100",
    numerator=ACTIVE_DEVELOPERS,
    denominator=ENROLLED_DEVELOPERS,
    positive_indicators=("ai.adoption_rate", "ai.sessions_per_developer"),
    negative_indicators=("ai.spend_wasted",),
)

_count_of_use = partial(
    Count,
    categories=(Category.AI,),
    space=(SpaceDimension.ACTIVITY,),
    segments=(Dimension.AGENT,),
    facets=SESSION_FACETS,
    source=SESSION_SOURCE,
    reference=AGENT_TELEMETRY,
)

ACTIVE_COUNT = _count_of_use(
    key="ai.active_developers",
    name="Active developers",
    fact="developer",
    sample="[of {denominator:enrolled developer}]",
    meaning="How many enrolled developers used a coding agent at least once.",
    formula="distinct people with at least one agent session that started in the window, of the enrolled developers",
    of=ACTIVE_DEVELOPERS,
    out_of=ENROLLED_DEVELOPERS,
    better=Better.HIGHER,
    positive_indicators=("ai.adoption_rate", "ai.sessions"),
    negative_indicators=("ai.spend",),
    reference=SPACE_FRAMEWORK,
)

SESSIONS = _count_of_use(
    key="ai.sessions",
    name="Sessions",
    fact="session",
    sample="by {people:developer}",
    notes=("excludes {ai.requests_without_session:request} without a session id",),
    meaning="How many agent sessions started.",
    formula=(
        "distinct sessions (agent, session id and person), counted where they start; sub-agents are part of their "
        "parent; a resumed session stays one session; requests without a session are left out: "
        "ai.requests_without_session"
    ),
    of=SESSIONS_STARTED,
    segments=(Dimension.AGENT, Dimension.REPOSITORY),
    facets=(*SESSION_FACETS, Dimension.REPOSITORY),
    positive_indicators=("ai.active_developers", "ai.session_duration"),
    negative_indicators=("ai.spend", "ai.requests_without_session"),
)

REQUESTS_WITHOUT_SESSION = _count_of_use(
    key="ai.requests_without_session",
    name="Sessionless requests",
    fact="request",
    meaning="How many requests name no session: they count for their person, but not as sessions.",
    formula="Σ requests of agents that send no session id, per person and day; a day with metrics alone counts as one",
    of=Total(AGENT_SESSIONS, column="unnamed_requests"),
    better=Better.LOWER,
    positive_indicators=("ai.sessions", "ai.sessions_per_developer", "ai.session_duration"),
)

SESSIONS_PER_DEVELOPER = PerPersonAndPeriod(
    key="ai.sessions_per_developer",
    name="Sessions per developer",
    short="Sessions/dev",
    fact="session",
    sample="{numerator:session}",
    notes=("excludes {ai.requests_without_session:request} without a session id",),
    meaning="How many agent sessions an active developer starts in a week, month or quarter.",
    formula=(
        "sessions ÷ active developers ÷ number of weeks (months, quarters) of the window that have begun; a clipped "
        "one counts by its share of days"
    ),
    numerator=SESSIONS_STARTED,
    denominator=ACTIVE_DEVELOPERS,
    better=Better.HIGHER,
    categories=(Category.AI,),
    space=(SpaceDimension.ACTIVITY,),
    segments=(Dimension.AGENT,),
    facets=SESSION_FACETS,
    positive_indicators=("ai.adoption_rate", "ai.session_duration"),
    negative_indicators=("ai.spend_wasted",),
    source=SESSION_SOURCE,
    reference=SPACE_FRAMEWORK,
)

_length = partial(
    Duration,
    statistic=Statistic.MEAN,
    minimum_sample=1,
    better=Better.NEITHER,
    categories=(Category.AI,),
    segments=(Dimension.AGENT,),
    facets=SESSION_FACETS,
    source=SESSION_SOURCE,
    reference=AGENT_TELEMETRY,
)

SESSION_DURATION = _length(
    key="ai.session_duration",
    name="Session duration",
    fact="session",
    sample="{facts:session}[ · open for {ai.session_span}]",
    notes=("excludes {ai.requests_without_session:request} without a session id",),
    meaning="How long a session is active, without the time in which a terminal merely stays open.",
    formula=(
        "Σ active time ÷ sessions; active time is the sum of a session's work periods; a work period ends after 30 "
        "minutes without an event"
    ),
    of=Distribution(AGENT_SESSIONS, column="active_seconds"),
    space=(SpaceDimension.ACTIVITY, SpaceDimension.EFFICIENCY),
    positive_indicators=("ai.session_span", "ai.sessions_per_developer"),
    negative_indicators=("ai.spend",),
)

SESSION_SPAN = _length(
    key="ai.session_span",
    name="Session span",
    fact="session",
    meaning="How long a session lasts from its first event to its last.",
    formula="Σ (last event − first event) ÷ sessions",
    of=Distribution(AGENT_SESSIONS, column="span_seconds"),
    space=(SpaceDimension.ACTIVITY,),
    positive_indicators=("ai.session_duration",),
)

ACTIVE_SHARE_BY_AGENT = ShareOfPeople(
    key="ai.active_share_by_agent",
    name="Active users by agent",
    fact="session",
    meaning="Which agents the active developers use; each developer counts once, divided among their agents.",
    formula="Σ over active developers of (sessions with the agent ÷ all their sessions) ÷ active developers × 100; "
    "the agents sum to 100 %",
    of=PersonShare(AGENT_SESSIONS, dimension=Dimension.AGENT),
    better=Better.NEITHER,
    categories=(Category.AI,),
    space=(SpaceDimension.ACTIVITY,),
    segments=(Dimension.AGENT,),
    facets=SESSION_FACETS,
    positive_indicators=("ai.adoption_rate",),
    source=SESSION_SOURCE,
    reference=SPACE_FRAMEWORK,
)
