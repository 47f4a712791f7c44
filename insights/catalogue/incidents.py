"""Incidents, regardless of their cause."""

from __future__ import annotations

from insights.catalogue.declarations import Count, Duration, Ratio
from insights.catalogue.dora import DEPLOYMENTS
from insights.catalogue.references import FOUR_KEYS
from insights.query.enums import Better, Category, SpaceDimension, UnitOfMeasure
from insights.query.measures import Distribution, Facts
from insights.query.query import Dimension
from integrations.facts.delivery import INCIDENTS_RESOLVED, INCIDENTS_STARTED

SOURCE = "Incidents, from incident tools"
OWNED = "They count for the unit that owned the service, or else the repository, on that day."
DIMENSIONS = (Dimension.SERVICE, Dimension.REPOSITORY)
STARTED = Facts(INCIDENTS_STARTED)

INCIDENT_COUNT = Count(
    key="incident.count",
    name="Incidents",
    fact="incident",
    meaning="How many incidents began.",
    formula=f"number of incidents, on the day on which they began. {OWNED}",
    of=STARTED,
    better=Better.LOWER,
    categories=(Category.QUALITY,),
    space=(SpaceDimension.PERFORMANCE,),
    segments=DIMENSIONS,
    positive_indicators=("incident.mttr", "incident.count_per_deployment", "dora.change_failure_rate"),
    negative_indicators=("dora.deployment_frequency",),
    source=SOURCE,
    reference=FOUR_KEYS,
)

INCIDENT_MTTR = Duration(
    key="incident.mttr",
    name="Incident resolution time",
    fact="incident",
    meaning="How long an incident lasts.",
    formula=f"incident start → resolved, any cause, on the day of the resolution. {OWNED}",
    of=Distribution(INCIDENTS_RESOLVED, column="repair_seconds"),
    categories=(Category.QUALITY,),
    space=(SpaceDimension.PERFORMANCE, SpaceDimension.EFFICIENCY),
    segments=DIMENSIONS,
    positive_indicators=("dora.recovery_time", "incident.count"),
    negative_indicators=("dora.rework_rate",),
    source=SOURCE,
    reference=FOUR_KEYS,
)

INCIDENTS_PER_DEPLOYMENT = Ratio(
    key="incident.count_per_deployment",
    name="Incidents per deployment",
    fact="deployment",
    meaning="How many incidents occur per deployment to production.",
    formula="incidents that began ÷ successful production deployments, linked or not. " + OWNED,
    numerator=STARTED,
    denominator=DEPLOYMENTS,
    unit=UnitOfMeasure.COUNT,
    better=Better.LOWER,
    minimum_sample=5,
    categories=(Category.QUALITY,),
    space=(SpaceDimension.PERFORMANCE,),
    segments=DIMENSIONS,
    positive_indicators=("dora.change_failure_rate", "incident.count"),
    negative_indicators=("dora.deployment_frequency",),
    source="Incidents, and successful deployments to production",
    reference=FOUR_KEYS,
)
