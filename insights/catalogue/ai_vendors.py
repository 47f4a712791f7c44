"""Metrics from vendors' reports: use, and bills next to spend.  They are never mixed with those of sessions."""

from __future__ import annotations

from functools import partial

from insights.catalogue.declarations import Count, Duration, Ratio
from insights.catalogue.references import SPACE_FRAMEWORK, VENDOR_BILLS
from insights.catalogue.rules import Rule, rows, value
from insights.query.enums import Better, Category, Initiative, SpaceDimension, UnitOfMeasure
from insights.query.measures import Distribution, People, PeopleOfWindow, Total
from insights.query.query import Dimension, Statistic
from integrations.facts.vendors import (
    AGENT_USE,
    BILL_ENTRIES,
    EVERYBODY_SINCE_USE,
    VENDOR_ACTIVITY,
    VENDOR_PROJECTS,
    VENDOR_SEATS,
)

VENDOR_SOURCE = "Reports of agents' vendors, by their day in UTC"
BILL_SOURCE = f"{VENDOR_SOURCE}; spend of agent sessions"
ALONE = "known from the vendor alone"
BILL_DIMENSIONS = (Dimension.AGENT, Dimension.MODEL, Dimension.CAUSE)
BY_TEAM = (Dimension.AGENT, Dimension.VENDOR_TEAM)
USING = People(AGENT_USE)

_of_use = partial(
    Count,
    categories=(Category.AI,),
    space=(SpaceDimension.ACTIVITY,),
    segments=(Dimension.AGENT,),
    source=VENDOR_SOURCE,
    reference=SPACE_FRAMEWORK,
)

ACTIVE_BY_ANY_SOURCE = _of_use(
    key="ai.active_by_any_source",
    name="Active by any source",
    fact="person-day",
    meaning="How many developers used a coding agent, as telemetry or an agent's vendor reports.",
    formula="distinct people with an agent session that started in the window, or whose use of an agent its vendor "
    "reports; where both tell of a person's day with an agent, telemetry counts",
    of=USING,
    better=Better.HIGHER,
    segments=(Dimension.AGENT, Dimension.KNOWN_FROM),
    positive_indicators=("ai.adoption_by_any_source", "ai.active_developers"),
    source=f"Agent sessions, from telemetry; {VENDOR_SOURCE.lower()}",
)

ADOPTION_BY_ANY_SOURCE = Ratio(
    key="ai.adoption_by_any_source",
    name="Adoption by any source",
    fact="developer",
    sample="[of {denominator:developer}]",
    meaning="Share of all employed people who used a coding agent, as telemetry or an agent's vendor reports.",
    formula="active developers by any source ÷ people employed on any day of the window × 100",
    numerator=USING,
    denominator=PeopleOfWindow(EVERYBODY_SINCE_USE),
    sample_of=USING,
    better=Better.HIGHER,
    categories=(Category.AI,),
    space=(SpaceDimension.ACTIVITY,),
    positive_indicators=("ai.active_by_any_source", "ai.adoption_of_everybody"),
    source=f"Agent sessions, from telemetry; {VENDOR_SOURCE.lower()}; the people of the organisation",
    reference=SPACE_FRAMEWORK,
)

VENDOR_ACTIVE = _of_use(
    key="ai.vendor_active_developers",
    name="Active by vendors",
    fact="entry",
    sample=f"{{facts:entry}}, {ALONE}",
    meaning="How many people the vendors of agents report as active.",
    formula="distinct people in vendors' reports of activity",
    of=People(VENDOR_ACTIVITY),
    better=Better.HIGHER,
    segments=(Dimension.AGENT, Dimension.PHASE, Dimension.VENDOR_TEAM),
    positive_indicators=("ai.active_by_any_source",),
)

VENDOR_SESSIONS = _of_use(
    key="ai.vendor_sessions",
    name="Sessions by vendors",
    fact="entry",
    sample=f"by {{people:developer}}, {ALONE}",
    meaning="How many sessions the vendors of agents count, which need not be those of telemetry.",
    formula="Σ sessions of vendors' reports of activity; reports of some agents have none",
    of=Total(
        VENDOR_ACTIVITY,
        column="sessions",
        missing_column="without_sessions",
        missing_reason="The vendors that report activity count no sessions.",
    ),
    segments=BY_TEAM,
    positive_indicators=("ai.vendor_active_developers",),
)

VENDOR_LINES = _of_use(
    key="ai.vendor_lines_added",
    name="Lines added by vendors",
    fact="entry",
    sample=f"by {{people:developer}}, {ALONE}",
    meaning="How many lines agents added, as their vendors count them.",
    formula="Σ added lines of vendors' reports of activity",
    of=Total(VENDOR_ACTIVITY, column="lines_added"),
    unit=UnitOfMeasure.LINES,
    segments=BY_TEAM,
    positive_indicators=("ai.vendor_acceptance_rate",),
)

VENDOR_ACCEPTANCE = Ratio(
    key="ai.vendor_acceptance_rate",
    name="Accepted by vendors",
    fact="suggestion",
    sample=f"{{numerator}} of {{denominator:suggestion}}, {ALONE}",
    meaning="Share of agents' suggestions and edits that people accepted, as their vendors count them.",
    formula="accepted suggestions and edits ÷ all × 100",
    numerator=Total(VENDOR_ACTIVITY, column="acceptances"),
    denominator=Total(VENDOR_ACTIVITY, column="suggestions"),
    better=Better.NEITHER,
    categories=(Category.AI,),
    space=(SpaceDimension.PERFORMANCE,),
    segments=BY_TEAM,
    positive_indicators=("ai.vendor_lines_added", "ai.ship_rate"),
    source=VENDOR_SOURCE,
    reference=SPACE_FRAMEWORK,
)

VENDOR_DAILY_USERS = Duration(
    unit=UnitOfMeasure.COUNT,
    statistic=Statistic.MEAN,
    minimum_sample=1,
    key="ai.vendor_daily_users",
    name="Daily users by vendors",
    fact="entry",
    sample=f"{{facts:entry}}, {ALONE}",
    meaning="How many people use an agent on a day, where its vendor reports a number for a project and no names.",
    formula="Σ people of a project's day ÷ days with any; somebody in two projects counts in both",
    of=Distribution(VENDOR_PROJECTS, column="people"),
    categories=(Category.AI,),
    space=(SpaceDimension.ACTIVITY,),
    segments=(Dimension.AGENT,),
    better=Better.HIGHER,
    positive_indicators=("ai.vendor_active_developers",),
    source=VENDOR_SOURCE,
    reference=SPACE_FRAMEWORK,
)

VENDOR_CREDITS = _of_use(
    key="ai.vendor_credits",
    name="Credits by vendors",
    fact="entry",
    sample=f"by {{people:developer}}, {ALONE}",
    meaning="How many credits the vendors of agents count, which need not be those of their bill.",
    formula="Σ credits of vendors' reports of activity; of Copilot, one is a cent of a US dollar",
    of=Total(
        VENDOR_ACTIVITY,
        column="credits",
        missing_column="without_credits",
        missing_reason="The vendors that report activity count no credits.",
    ),
    better=Better.NEITHER,
    segments=BY_TEAM,
    positive_indicators=("ai.vendor_active_developers", "ai.billed"),
)

VENDOR_SEATS_HELD = _of_use(
    key="ai.vendor_seats",
    name="Seats by vendors",
    fact="developer",
    sample=f"{{facts:developer}}, {ALONE}",
    meaning="How many developers have a seat of any agent, as the agents' vendors report.",
    formula="distinct people in vendors' reports of seats; a seat lasts from one report to the next",
    of=PeopleOfWindow(VENDOR_SEATS),
    segments=(),
    positive_indicators=("ai.licensed_seats", "ai.vendor_active_developers"),
    negative_indicators=("ai.idle_seats",),
)

_of_bill = partial(
    Count,
    unit=UnitOfMeasure.CURRENCY,
    fact="entry",
    categories=(Category.AI,),
    initiatives=(Initiative.ENGINEERING_EXCELLENCE, Initiative.BUSINESS_ALIGNMENT),
    segments=BILL_DIMENSIONS,
    source=BILL_SOURCE,
    reference=VENDOR_BILLS,
)

BILLED = _of_bill(
    key="ai.billed",
    name="Billed by vendors",
    sample=f"{{facts:entry}}, {ALONE}",
    meaning="What vendors charge for the use of their models.",
    formula="Σ cost of vendors' reports in US dollars, after discounts and before credits",
    of=Total(BILL_ENTRIES, column="billed"),
    positive_indicators=("ai.bill_explained", "ai.billed_spend"),
)

BILLED_SPEND = _of_bill(
    key="ai.billed_spend",
    name="Spend of billed agents",
    sample="{facts:entry} of sessions",
    meaning="What the sessions of agents whose bill is read cost at list prices.",
    formula="spend of the agents that a vendor's report bills, from the first day on that it bills them",
    of=Total(BILL_ENTRIES, column="spend"),
    positive_indicators=("ai.spend", "ai.billed"),
)

BILL_DIFFERENCE = _of_bill(
    key="ai.bill_difference",
    name="Bill minus spend",
    meaning="How much more vendors charge than sessions cost, by cause.",
    formula="billed − spend of the billed agents; the causes add up to it",
    of=Total(BILL_ENTRIES, column="difference"),
    positive_indicators=("ai.bill_explained",),
)

BILL_EXPLAINED = Ratio(
    key="ai.bill_explained",
    name="Bill explained by telemetry",
    short="Bill explained",
    fact="entry",
    sample="{numerator} of {denominator} US dollars at list prices",
    meaning="Share of vendors' bills that the spend of sessions explains.",
    formula="spend of the billed agents on days that the vendor has reported ÷ billed use at the vendor's list prices "
    "× 100; above 100 % where sessions are on no bill, or cost more by our prices",
    numerator=Total(BILL_ENTRIES, column="explained"),
    denominator=Total(BILL_ENTRIES, column="listed"),
    better=Better.HIGHER,
    categories=(Category.AI,),
    initiatives=(Initiative.ENGINEERING_EXCELLENCE, Initiative.BUSINESS_ALIGNMENT),
    segments=(Dimension.MODEL,),
    facets=(Dimension.AGENT, Dimension.MODEL),
    positive_indicators=("ai.billed", "ai.bill_difference"),
    source=BILL_SOURCE,
    reference=VENDOR_BILLS,
    look_for=(
        Rule(
            when=(value("ai.bill_explained").below(80.0), value("ai.billed").at_least(100.0)),
            says="Telemetry explains {ai.bill_explained} of what vendors bill. The causes say whether people send no "
            "telemetry, or use products other than agents.",
            check=rows("See the entries by cause", "ai.bill_difference"),
        ),
    ),
)
