"""DORA's four keys and rework rate, with the stages of lead time, and incidents.  https://dora.dev/guides/dora-metrics-four-keys/"""

from __future__ import annotations

from insights.catalogue.declarations import Count, CountPerTime, Duration, Ratio
from insights.catalogue.references import FOUR_KEYS
from insights.catalogue.rules import Rule, base, points, rise, rows
from insights.query.enums import Better, Category, Initiative, SpaceDimension, UnitOfMeasure
from insights.query.measures import Distribution, Facts, Total
from insights.query.query import Dimension
from integrations.facts.delivery import (
    DEPLOYMENT_DAYS,
    INCIDENTS_RESOLVED,
    INCIDENTS_STARTED,
    LEAD_TIMES,
    PRODUCTION_DEPLOYMENTS,
    RECOVERIES,
    ROLLOUTS_TO_USERS,
)

DEPLOYMENTS_SOURCE = "Successful deployments to production, from CI/CD systems"
LEAD_TIME_SOURCE = "Merged pull requests with their commits, and the deployments that brought them to production"
OF_PRODUCTION = (
    "Successful deployments to production count, including rollbacks and hotfixes, on the day they finished, for the "
    "unit that owned the service, or else the repository, on that day."
)
AT_DEPLOYMENT = (
    "A merged pull request counts on the day its first successful production deployment finished, in the author's unit "
    "then. That deployment contains the merge, or a cherry-picked copy of it, by the commit graph if the merge's "
    "parents are known; else it is the repository's first deployment that started after the merge and is not a "
    "rollback. The method is a segment. Those of bots are left out; those of coding agents count for the person who "
    "requested them. If the repository's owner agreed to work without pull requests, a commit that reaches the default "
    "branch without one is also a change: pushed at its committer time, by its author."
)
LEAD_TIME_DIMENSIONS = (
    *(Dimension.ASSISTANCE, Dimension.AGENT, Dimension.WORK_TYPE, Dimension.SIZE_CLASS),
    *(Dimension.REPOSITORY, Dimension.SERVICE, Dimension.METHOD),
)
DEPLOYMENT_DIMENSIONS = (Dimension.SERVICE, Dimension.REPOSITORY)


DEPLOYMENTS = Facts(PRODUCTION_DEPLOYMENTS)

DEPLOYMENT_FREQUENCY = CountPerTime(
    key="dora.deployment_frequency",
    name="Deployment frequency",
    short="Deployments",
    fact="deployment",
    meaning="How often changes are deployed to production.",
    formula=(
        "successful production deployments ÷ calendar days of the window that have passed. A rollout that failed "
        f"before it reached users is a failed pipeline, not a deployment. {OF_PRODUCTION}"
    ),
    of=DEPLOYMENTS,
    unit=UnitOfMeasure.PER_DAY,
    better=Better.HIGHER,
    minimum_sample=5,
    categories=(Category.DORA, Category.EFFICIENCY),
    initiatives=(Initiative.ENGINEERING_EXCELLENCE, Initiative.BUSINESS_ALIGNMENT),
    space=(SpaceDimension.ACTIVITY, SpaceDimension.EFFICIENCY),
    segments=DEPLOYMENT_DIMENSIONS,
    positive_indicators=("dora.lead_time", "pr.throughput"),
    negative_indicators=("dora.change_failure_rate",),
    source=DEPLOYMENTS_SOURCE,
    reference=FOUR_KEYS,
)

DEPLOYMENT_DAYS_PER_WEEK = CountPerTime(
    key="dora.deployment_days",
    name="Deployment days per week",
    fact="day",
    meaning="On how many days per week changes are deployed to production.",
    formula="days with a successful production deployment ÷ weeks of the window that have passed. " + OF_PRODUCTION,
    of=Facts(DEPLOYMENT_DAYS),
    parts_overlap=True,
    per_days=7,
    better=Better.HIGHER,
    categories=(Category.DORA, Category.EFFICIENCY),
    space=(SpaceDimension.ACTIVITY,),
    segments=DEPLOYMENT_DIMENSIONS,
    positive_indicators=("dora.deployment_frequency",),
    negative_indicators=("dora.change_failure_rate",),
    source=DEPLOYMENTS_SOURCE,
    reference=FOUR_KEYS,
)

LEAD_TIME = Duration(
    key="dora.lead_time",
    name="Lead time for changes",
    short="Lead time",
    fact="change",
    meaning="How long a change takes from its first commit to production.",
    formula="first own commit → first successful production deployment that contains the merge. Changes without "
    f"a known first commit are left out. {AT_DEPLOYMENT}",
    needs_pull_requests=True,
    of=Distribution(LEAD_TIMES, column="lead_seconds"),
    categories=(Category.DORA, Category.EFFICIENCY),
    initiatives=(Initiative.ENGINEERING_EXCELLENCE, Initiative.BUSINESS_ALIGNMENT),
    space=(SpaceDimension.EFFICIENCY,),
    segments=LEAD_TIME_DIMENSIONS,
    positive_indicators=("pr.cycle_time", "pr.deploy_time", "dora.deployment_frequency", "pr.throughput"),
    negative_indicators=("dora.change_failure_rate", "pr.unreviewed_rate"),
    source=LEAD_TIME_SOURCE,
    reference=FOUR_KEYS,
)

_deployments = base("dora.change_failure_rate", "deployments").at_least(10)
FAILURES_ROSE = (_deployments, _deployments.earlier, points("dora.change_failure_rate").at_least(5.0))

CHANGE_FAILURE_RATE = Ratio(
    key="dora.change_failure_rate",
    version=2,
    name="Change failure rate",
    short="Failure rate",
    fact="deployment",
    meaning="Share of production deployments that caused a failure users could notice.",
    formula="production deployments with a linked failure ÷ production deployments × 100. A failure is an incident "
    "that names the deployment, a rollback or fix of it that succeeded, or an incident of its service that began "
    "between the start of the rollout and that of the next one, at most the link window after it finished. An "
    "incident counts against one deployment only. A rollout that failed reached users if an incident is linked to it, "
    f"and then counts in both. {OF_PRODUCTION}",
    numerator=Total(ROLLOUTS_TO_USERS, column="failed"),
    denominator=Facts(ROLLOUTS_TO_USERS),
    better=Better.LOWER,
    minimum_sample=5,
    categories=(Category.DORA, Category.QUALITY),
    initiatives=(Initiative.ENGINEERING_EXCELLENCE, Initiative.BUSINESS_ALIGNMENT),
    space=(SpaceDimension.PERFORMANCE,),
    segments=DEPLOYMENT_DIMENSIONS,
    positive_indicators=("dora.recovery_time", "dora.rework_rate", "incident.count"),
    negative_indicators=("dora.deployment_frequency", "dora.lead_time"),
    source="Deployments to production, and incidents",
    reference=FOUR_KEYS,
    look_for=(
        Rule(
            when=(*FAILURES_ROSE, rise("pr.size").at_least(0.20)),
            says="The change failure rate rose by {points} to {dora.change_failure_rate}. Pull requests grew by "
            "{rise} as well: smaller changes fail less often.",
            check=rows("See the deployments", "dora.change_failure_rate"),
        ),
        Rule(
            when=FAILURES_ROSE,
            says="The change failure rate rose by {points} to {dora.change_failure_rate}.",
            check=rows("See the deployments", "dora.change_failure_rate"),
        ),
    ),
)

RECOVERY_TIME = Duration(
    key="dora.recovery_time",
    version=2,
    name="Failed deployment recovery time",
    label="Recovery time",
    short="Recovery",
    fact="failure",
    meaning="How long it takes to restore service after a failed deployment.",
    formula=(
        "failed deployment finished, or its first linked incident started if that was earlier → its last linked "
        "incident resolved; without an incident, its first successful rollback or fix finished. It counts on the day "
        "of the restoration. Failures not yet restored are left out, and counted as left out on the day of the "
        "deployment. "
    )
    + OF_PRODUCTION,
    of=Distribution(RECOVERIES, column="recovery_seconds"),
    categories=(Category.DORA, Category.QUALITY),
    initiatives=(Initiative.ENGINEERING_EXCELLENCE, Initiative.BUSINESS_ALIGNMENT),
    space=(SpaceDimension.PERFORMANCE, SpaceDimension.EFFICIENCY),
    segments=(*DEPLOYMENT_DIMENSIONS, Dimension.METHOD),
    positive_indicators=("dora.change_failure_rate", "incident.mttr", "incident.count"),
    negative_indicators=("dora.rework_rate",),
    source="Deployments to production, and incidents",
    reference=FOUR_KEYS,
)

REWORK_RATE = Ratio(
    key="dora.rework_rate",
    name="Deployment rework rate",
    short="Rework",
    fact="deployment",
    meaning="Share of production deployments that were unplanned and fix something users noticed.",
    formula="deployments marked as unplanned ÷ all × 100; no data if none is marked and some are unknown. "
    + OF_PRODUCTION,
    numerator=Total(
        PRODUCTION_DEPLOYMENTS,
        column="unplanned",
        missing_column="plan_unknown",
        missing_reason="No source reports which deployments were unplanned. Send it in their payload, or push it.",
    ),
    denominator=DEPLOYMENTS,
    better=Better.LOWER,
    minimum_sample=5,
    categories=(Category.DORA, Category.QUALITY),
    space=(SpaceDimension.PERFORMANCE,),
    segments=DEPLOYMENT_DIMENSIONS,
    positive_indicators=("dora.change_failure_rate", "dora.recovery_time"),
    negative_indicators=("dora.deployment_frequency",),
    source=DEPLOYMENTS_SOURCE,
    reference=FOUR_KEYS,
)


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
