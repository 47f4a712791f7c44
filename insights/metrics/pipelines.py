"""Pipelines: how long their runs take and wait, and how many of them succeed."""

from __future__ import annotations

from insights.metrics.declarations import Duration, Ratio
from insights.metrics.measures import Distribution, Total
from insights.metrics.query import Dimension, Statistic
from insights.metrics.references import CONTINUOUS_INTEGRATION, TEST_AUTOMATION
from insights.metrics.terms import BelongsTo, Better, Category, SpaceDimension, UnitOfMeasure
from integrations.facts.pipelines import PIPELINE_RUNS, PIPELINE_WAITS

SOURCE = "Pipeline runs with their attempts and jobs"
ONE_RUN = (
    "Attempts of one repository, pipeline, commit and branch are one run: it is what its last attempt is, and counts on"
    " the day on which that finished, for the unit that owned the repository then."
)
COUNTED = "Cancelled runs are left out, and skipped ones, which never ran."
COUNTED_RUNS = Total(PIPELINE_RUNS, column="is_counted")

CI_DURATION = Duration(
    key="ci.duration",
    version=1,
    name="Pipeline duration",
    meaning="How long a pipeline run takes.",
    formula=f"start → finish of the run's last attempt; skipped runs, which never ran, are left out. {ONE_RUN}",
    of=Distribution(PIPELINE_RUNS, column="duration_seconds"),
    statistic=Statistic.MEDIAN,
    unit=UnitOfMeasure.SECONDS,
    better=Better.LOWER,
    belongs_to=BelongsTo.OWNER,
    minimum_sample=5,
    categories=(Category.EFFICIENCY,),
    space=(SpaceDimension.EFFICIENCY,),
    segments=(Dimension.REPOSITORY,),
    facets=(Dimension.REPOSITORY,),
    positive_indicators=("ci.queue_time", "ci.success_rate", "pr.merge_time"),
    negative_indicators=("bug.escaped",),
    source=SOURCE,
    reference=CONTINUOUS_INTEGRATION,
)

CI_QUEUE_TIME = Duration(
    key="ci.queue_time",
    version=1,
    name="Pipeline queue time",
    meaning="How long what a pipeline has to do waits for somebody to run it.",
    formula="queued → started of each job of the run's last attempt that was not skipped; of the attempt itself where"
    f" its jobs are not known. {ONE_RUN}",
    of=Distribution(PIPELINE_WAITS, column="queue_seconds"),
    statistic=Statistic.MEDIAN,
    unit=UnitOfMeasure.SECONDS,
    better=Better.LOWER,
    belongs_to=BelongsTo.OWNER,
    minimum_sample=5,
    categories=(Category.EFFICIENCY,),
    space=(SpaceDimension.EFFICIENCY,),
    segments=(Dimension.REPOSITORY,),
    facets=(Dimension.REPOSITORY,),
    positive_indicators=("ci.duration", "pr.merge_time"),
    source=SOURCE,
    reference=CONTINUOUS_INTEGRATION,
)

CI_SUCCESS_RATE = Ratio(
    key="ci.success_rate",
    version=1,
    name="Pipeline success rate",
    meaning="Which share of the pipeline runs succeeds.",
    formula=f"successful runs ÷ runs that finished and were not cancelled × 100. {COUNTED} {ONE_RUN}",
    numerator=Total(PIPELINE_RUNS, column="is_successful"),
    denominator=COUNTED_RUNS,
    unit=UnitOfMeasure.PERCENT,
    better=Better.HIGHER,
    belongs_to=BelongsTo.OWNER,
    minimum_sample=5,
    categories=(Category.EFFICIENCY, Category.QUALITY),
    space=(SpaceDimension.PERFORMANCE, SpaceDimension.EFFICIENCY),
    segments=(Dimension.REPOSITORY,),
    facets=(Dimension.REPOSITORY,),
    positive_indicators=("ci.flaky_rate", "dora.deployment_frequency"),
    negative_indicators=("ci.duration",),
    source=SOURCE,
    reference=CONTINUOUS_INTEGRATION,
)

CI_FLAKY_RATE = Ratio(
    key="ci.flaky_rate",
    version=1,
    name="Flaky run rate",
    meaning="Which share of the pipeline runs succeeded only when it was tried again, with the same code.",
    formula="runs that succeeded after an attempt that failed ÷ runs that finished and were not cancelled × 100."
    f" {COUNTED} {ONE_RUN}",
    numerator=Total(PIPELINE_RUNS, column="is_flaky"),
    denominator=COUNTED_RUNS,
    unit=UnitOfMeasure.PERCENT,
    better=Better.LOWER,
    belongs_to=BelongsTo.OWNER,
    minimum_sample=5,
    categories=(Category.QUALITY, Category.EFFICIENCY),
    space=(SpaceDimension.PERFORMANCE,),
    segments=(Dimension.REPOSITORY,),
    facets=(Dimension.REPOSITORY,),
    positive_indicators=("ci.success_rate",),
    negative_indicators=("ci.duration",),
    source=SOURCE,
    reference=TEST_AUTOMATION,
)
