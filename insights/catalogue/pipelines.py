"""Pipelines: duration, queue time and success rate of their runs."""

from __future__ import annotations

from insights.catalogue.declarations import Duration, Ratio
from insights.catalogue.references import CONTINUOUS_INTEGRATION, TEST_AUTOMATION
from insights.catalogue.rules import Rule, base, rows, value
from insights.query.enums import Better, Category, SpaceDimension
from insights.query.measures import Distribution, Total
from insights.query.query import Dimension
from integrations.facts.pipelines import PIPELINE_RUNS, PIPELINE_WAITS

SOURCE = "Pipeline runs with their attempts and jobs"
ONE_RUN = (
    "Attempts with the same repository, pipeline, commit and branch are one run. Its last attempt decides its result "
    "and its day, and it counts for the unit that owned the repository then. Its service, work type and AI assistance "
    "are those of the pull request that lists its commit or was merged as it; without one they are unknown."
)
COUNTED = "Cancelled and skipped runs are left out."
DIMENSIONS = (Dimension.REPOSITORY, Dimension.SERVICE, Dimension.ASSISTANCE, Dimension.WORK_TYPE)


COUNTED_RUNS = Total(PIPELINE_RUNS, column="is_counted")

CI_DURATION = Duration(
    key="ci.duration",
    name="Pipeline duration",
    fact="run",
    meaning="How long a pipeline run takes.",
    formula=f"start → finish of the run's last attempt. {COUNTED} {ONE_RUN}",
    of=Distribution(PIPELINE_RUNS, column="duration_seconds"),
    categories=(Category.EFFICIENCY,),
    space=(SpaceDimension.EFFICIENCY,),
    segments=DIMENSIONS,
    positive_indicators=("ci.queue_time", "ci.success_rate", "pr.merge_time"),
    negative_indicators=("bug.escaped",),
    source=SOURCE,
    reference=CONTINUOUS_INTEGRATION,
)

CI_QUEUE_TIME = Duration(
    key="ci.queue_time",
    name="Pipeline queue time",
    fact="run",
    meaning="How long pipeline jobs wait for a runner.",
    formula=(
        "queued → started of each job of the run's last attempt, without skipped jobs; of the attempt itself if its "
        f"jobs are unknown. {ONE_RUN}"
    ),
    of=Distribution(PIPELINE_WAITS, column="queue_seconds"),
    categories=(Category.EFFICIENCY,),
    space=(SpaceDimension.EFFICIENCY,),
    segments=DIMENSIONS,
    positive_indicators=("ci.duration", "pr.merge_time"),
    source=SOURCE,
    reference=CONTINUOUS_INTEGRATION,
)

CI_SUCCESS_RATE = Ratio(
    key="ci.success_rate",
    name="Pipeline success rate",
    fact="run",
    meaning="Share of pipeline runs that succeed.",
    formula=f"successful runs ÷ runs that finished and were not cancelled × 100. {COUNTED} {ONE_RUN}",
    numerator=Total(PIPELINE_RUNS, column="is_successful"),
    denominator=COUNTED_RUNS,
    better=Better.HIGHER,
    minimum_sample=5,
    categories=(Category.EFFICIENCY, Category.QUALITY),
    space=(SpaceDimension.PERFORMANCE, SpaceDimension.EFFICIENCY),
    segments=DIMENSIONS,
    positive_indicators=("ci.flaky_rate", "dora.deployment_frequency"),
    negative_indicators=("ci.duration",),
    source=SOURCE,
    reference=CONTINUOUS_INTEGRATION,
)

CI_FLAKY_RATE = Ratio(
    key="ci.flaky_rate",
    name="Flaky run rate",
    fact="run",
    meaning="Share of pipeline runs that succeeded only after a retry of the same code.",
    formula="runs that succeeded after an attempt that failed ÷ runs that finished and were not cancelled × 100."
    f" {COUNTED} {ONE_RUN}",
    numerator=Total(PIPELINE_RUNS, column="is_flaky"),
    denominator=COUNTED_RUNS,
    better=Better.LOWER,
    minimum_sample=5,
    categories=(Category.QUALITY, Category.EFFICIENCY),
    space=(SpaceDimension.PERFORMANCE,),
    segments=DIMENSIONS,
    positive_indicators=("ci.success_rate",),
    negative_indicators=("ci.duration",),
    source=SOURCE,
    reference=TEST_AUTOMATION,
    look_for=(
        Rule(
            when=(base("ci.flaky_rate", "runs").at_least(100), value("ci.flaky_rate").at_least(5.0)),
            says="{ci.flaky_rate} of the runs failed first and passed on a retry without a change. Each costs a wait "
            "and hides real failures.",
            check=rows("See the runs", "ci.flaky_rate"),
        ),
    ),
)
