"""Agent seats: their cost and use, and the adoption rate of licensed developers."""

from __future__ import annotations

from insights.catalogue.ai_adoption import ACTIVE_DEVELOPERS, SESSION_SOURCE
from insights.catalogue.declarations import Count, Ratio
from insights.catalogue.references import AGENT_TELEMETRY, SPACE_FRAMEWORK
from insights.catalogue.shares import Remainder
from insights.query.enums import Better, Category, Initiative, SpaceDimension, UnitOfMeasure
from insights.query.measures import People, PeopleOfWindow, Total
from insights.query.query import Dimension
from integrations.facts.seats import (
    EVERYBODY,
    LICENSED_PEOPLE,
    LICENSED_SESSIONS,
    SEAT_DAYS,
    SEAT_HOLDERS,
    SEAT_USE,
)

SEAT_SOURCE = "Seat plans and seat assignments, entered by admins"

LICENSED = PeopleOfWindow(LICENSED_PEOPLE)
USING_THEIR_SEAT = People(LICENSED_SESSIONS)

SEAT_COST = Count(
    key="ai.seat_cost",
    name="Seat cost",
    meaning="What subscription seats cost, used or not.",
    formula=(
        "Σ over seats and days of the price of the month ÷ its days; unassigned seats count for the whole organisation"
    ),
    of=Total(SEAT_DAYS, column="cost"),
    unit=UnitOfMeasure.CURRENCY,
    categories=(Category.AI,),
    initiatives=(Initiative.ENGINEERING_EXCELLENCE, Initiative.BUSINESS_ALIGNMENT),
    segments=(Dimension.AGENT,),
    positive_indicators=("ai.licensed_seats", "ai.spend"),
    negative_indicators=("ai.idle_seats",),
    source=SEAT_SOURCE,
    reference=AGENT_TELEMETRY,
)

LICENSED_SEATS = Count(
    key="ai.licensed_seats",
    name="Licensed developers",
    meaning="How many developers have a seat of any agent.",
    formula="distinct people with a seat on any day of the window",
    of=LICENSED,
    categories=(Category.AI,),
    positive_indicators=("ai.adoption_of_licensed", "ai.seat_cost"),
    negative_indicators=("ai.idle_seats",),
    source=SEAT_SOURCE,
    reference=AGENT_TELEMETRY,
)

IDLE_SEATS = Remainder(
    key="ai.idle_seats",
    name="Idle seats",
    fact="developer",
    sample="of {denominator:developer} with a seat",
    meaning="How many developers have a seat but used none in the window, as far as telemetry or vendors tell.",
    formula="developers with a seat, as admins entered or its vendor reports, − those of them whose use of its agent "
    "telemetry tells of, a vendor's report of activity, or the last use in a report of seats; a seat that both tell of "
    "is one",
    numerator=People(SEAT_USE),
    denominator=PeopleOfWindow(SEAT_HOLDERS),
    better=Better.LOWER,
    categories=(Category.AI, Category.EFFICIENCY),
    positive_indicators=("ai.adoption_of_licensed", "ai.vendor_seats"),
    negative_indicators=("ai.seat_cost",),
    source=f"{SEAT_SOURCE}; {SESSION_SOURCE.lower()}; reports of agents' vendors",
    reference=AGENT_TELEMETRY,
)

ADOPTION_OF_LICENSED = Ratio(
    key="ai.adoption_of_licensed",
    name="Adoption of licensed developers",
    fact="developer",
    sample="[{numerator} of {denominator:developer} with a seat used it]",
    meaning="Share of developers with a seat who used its agent.",
    formula="licensed developers with a session on a day on which they had a seat of its agent ÷ licensed developers "
    "× 100",
    numerator=USING_THEIR_SEAT,
    denominator=LICENSED,
    sample_of=USING_THEIR_SEAT,
    better=Better.HIGHER,
    categories=(Category.AI,),
    space=(SpaceDimension.ACTIVITY,),
    positive_indicators=("ai.adoption_rate", "ai.adoption_of_everybody"),
    negative_indicators=("ai.idle_seats",),
    source=f"{SEAT_SOURCE}; {SESSION_SOURCE.lower()}",
    reference=SPACE_FRAMEWORK,
)

ADOPTION_OF_EVERYBODY = Ratio(
    key="ai.adoption_of_everybody",
    name="Adoption of all developers",
    fact="developer",
    sample="[of {denominator:developer}]",
    meaning="Share of all employed people who used a coding agent at least once.",
    formula="active developers ÷ people employed on any day of the window × 100",
    numerator=ACTIVE_DEVELOPERS,
    denominator=PeopleOfWindow(EVERYBODY),
    sample_of=ACTIVE_DEVELOPERS,
    better=Better.HIGHER,
    categories=(Category.AI,),
    space=(SpaceDimension.ACTIVITY,),
    positive_indicators=("ai.adoption_rate", "ai.adoption_of_licensed"),
    source=f"{SESSION_SOURCE}; the people of the organisation",
    reference=SPACE_FRAMEWORK,
)
