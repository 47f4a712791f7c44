"""Pull requests: their size, review and outcome."""

from __future__ import annotations

from insights.catalogue.declarations import Count, Duration, Ratio
from insights.catalogue.pull_requests import (
    DIMENSIONS,
    MERGED,
    MERGED_COUNT,
    REVIEW,
    SOURCE,
    spread_of_merged,
    total_of_merged,
)
from insights.catalogue.references import CHANGE_APPROVAL, FOUR_KEYS, SMALL_BATCHES, WIP_LIMITS, WORK_VISIBILITY
from insights.query.enums import Better, Category, SpaceDimension, UnitOfMeasure
from insights.query.measures import Facts
from insights.query.query import Dimension, Statistic
from integrations.facts.pull_requests import STALE_PULL_REQUESTS, STALE_PULL_REQUESTS_BY_AGENT

STANDING_DIMENSIONS = tuple(dimension for dimension in DIMENSIONS if dimension is not Dimension.SERVICE)
WITH_FILES = "Known where a clone tells of its commits; left out elsewhere."

SIZE = Duration(
    key="pr.size",
    version=1,
    name="Pull request size",
    meaning="How many lines a pull request changes.",
    formula="lines added + deleted at the merge, without generated, vendored, minified, lock and binary files where a "
    "clone tells of them, else as the provider counts. Classes: S up to 100 lines, M up to 400, L up to 800, "
    f"XL more, or as the unit that owns the repository agreed. Left out where no size is known. {MERGED}",
    of=spread_of_merged("size"),
    statistic=Statistic.MEDIAN,
    unit=UnitOfMeasure.LINES,
    better=Better.LOWER,
    minimum_sample=5,
    categories=(Category.HYGIENE,),
    space=(SpaceDimension.EFFICIENCY,),
    segments=DIMENSIONS,
    facets=DIMENSIONS,
    positive_indicators=("pr.pickup_time", "pr.review_time", "pr.review_depth", "pr.throughput"),
    negative_indicators=("review.load_concentration",),
    source=SOURCE,
    reference=SMALL_BATCHES,
)

COMPLEXITY = Duration(
    key="pr.complexity",
    version=1,
    name="Files per pull request",
    meaning="Over how many files a pull request is spread.",
    formula="files changed, as the provider counts them, else those of which a clone tells. Classes, the worst "
    "counts: simple up to 5 files, 2 directories and one language, moderate up to 20, 6 and 3, complex above. "
    f"{MERGED}",
    of=spread_of_merged("files"),
    statistic=Statistic.MEDIAN,
    unit=UnitOfMeasure.COUNT,
    better=Better.LOWER,
    minimum_sample=5,
    categories=(Category.HYGIENE,),
    space=(SpaceDimension.EFFICIENCY,),
    segments=DIMENSIONS,
    facets=DIMENSIONS,
    positive_indicators=("pr.directories", "pr.languages", "pr.new_paths_rate", "pr.size", "pr.review_time"),
    source=SOURCE,
    reference=SMALL_BATCHES,
)

DIRECTORIES = Duration(
    key="pr.directories",
    version=1,
    name="Directories per pull request",
    meaning="Over how many directories a pull request is spread.",
    formula=f"distinct directories of its files that are not generated, vendored or binary. {WITH_FILES} {MERGED}",
    of=spread_of_merged("directories"),
    statistic=Statistic.MEDIAN,
    unit=UnitOfMeasure.COUNT,
    better=Better.LOWER,
    minimum_sample=5,
    categories=(Category.HYGIENE,),
    space=(SpaceDimension.EFFICIENCY,),
    segments=DIMENSIONS,
    facets=DIMENSIONS,
    positive_indicators=("pr.complexity", "pr.review_time"),
    source=SOURCE,
    reference=SMALL_BATCHES,
)

LANGUAGES = Duration(
    key="pr.languages",
    version=1,
    name="Languages per pull request",
    meaning="In how many languages a reviewer of a pull request has to think.",
    formula=f"distinct languages of its files that are not generated, vendored or binary. {WITH_FILES} {MERGED}",
    of=spread_of_merged("languages"),
    statistic=Statistic.MEAN,
    unit=UnitOfMeasure.COUNT,
    better=Better.LOWER,
    minimum_sample=5,
    categories=(Category.HYGIENE,),
    space=(SpaceDimension.EFFICIENCY,),
    segments=DIMENSIONS,
    facets=DIMENSIONS,
    positive_indicators=("pr.complexity", "pr.review_time"),
    source=SOURCE,
    reference=SMALL_BATCHES,
)

NEW_PATHS = Ratio(
    key="pr.new_paths_rate",
    version=1,
    name="Paths new to the reviewers",
    meaning="Which share of what is reviewed nobody who reviews it has worked on before.",
    formula="Σ changed paths that none of the reviewers had changed in a commit before the pull request was opened ÷ Σ "
    "changed paths × 100, in the same repository, by any of a reviewer's accounts. Paths that are not generated, "
    f"vendored or binary, of pull requests with a review. {WITH_FILES} {MERGED}",
    numerator=total_of_merged("new_paths"),
    denominator=total_of_merged("reviewed_paths"),
    unit=UnitOfMeasure.PERCENT,
    better=Better.LOWER,
    minimum_sample=5,
    categories=(Category.HYGIENE,),
    space=(SpaceDimension.COMMUNICATION,),
    segments=DIMENSIONS,
    facets=DIMENSIONS,
    positive_indicators=("pr.review_time", "pr.complexity", "pr.revert_rate"),
    negative_indicators=("review.load_concentration",),
    source=SOURCE,
    reference=CHANGE_APPROVAL,
)

REVIEW_DEPTH = Ratio(
    key="pr.review_depth",
    version=1,
    name="Review depth",
    meaning="How much is said about a hundred changed lines.",
    formula="Σ comments, in the conversation and on lines, ÷ Σ lines added and deleted × 100; whose they are the "
    f"provider does not tell. Left out where the comments or the size are not known. {MERGED}",
    numerator=total_of_merged("comments"),
    denominator=total_of_merged("commented_hundreds"),
    unit=UnitOfMeasure.COUNT,
    better=Better.HIGHER,
    minimum_sample=5,
    categories=(Category.HYGIENE,),
    space=(SpaceDimension.COMMUNICATION,),
    segments=DIMENSIONS,
    facets=DIMENSIONS,
    positive_indicators=("pr.unreviewed_rate", "pr.size", "pr.revert_rate"),
    negative_indicators=("pr.review_time",),
    source=SOURCE,
    reference=CHANGE_APPROVAL,
)

UNREVIEWED_RATE = Ratio(
    key="pr.unreviewed_rate",
    version=1,
    name="Merged without review",
    meaning="Which share of the pull requests nobody else looked at before the merge.",
    formula=f"merged pull requests without a review ÷ merged pull requests × 100; {REVIEW}. {MERGED}",
    numerator=total_of_merged("unreviewed"),
    denominator=MERGED_COUNT,
    unit=UnitOfMeasure.PERCENT,
    better=Better.LOWER,
    minimum_sample=5,
    categories=(Category.HYGIENE, Category.QUALITY),
    space=(SpaceDimension.COMMUNICATION,),
    segments=DIMENSIONS,
    facets=DIMENSIONS,
    positive_indicators=("pr.self_merged_rate", "pr.review_depth", "pr.revert_rate"),
    negative_indicators=("pr.pickup_time",),
    source=SOURCE,
    reference=CHANGE_APPROVAL,
)

SELF_MERGED_RATE = Ratio(
    key="pr.self_merged_rate",
    version=1,
    name="Merged by their author",
    meaning="Which share of the pull requests their authors merged themselves.",
    formula=f"merged by their author ÷ merged pull requests of which it is known who merged them × 100. {MERGED}",
    numerator=total_of_merged("self_merged"),
    denominator=total_of_merged("merger_known"),
    unit=UnitOfMeasure.PERCENT,
    better=Better.NEITHER,
    minimum_sample=5,
    categories=(Category.HYGIENE,),
    space=(SpaceDimension.COMMUNICATION,),
    segments=DIMENSIONS,
    facets=DIMENSIONS,
    positive_indicators=("pr.unreviewed_rate",),
    negative_indicators=("pr.merge_time",),
    source=SOURCE,
    reference=CHANGE_APPROVAL,
)

LINKED_RATE = Ratio(
    key="pr.linked_rate",
    version=1,
    name="Linked to a work item",
    meaning="Which share of the pull requests says what it was made for.",
    formula="merged pull requests linked to a work item that is known ÷ merged pull requests × 100; linked by the "
    f"provider, or by a key in the branch, the title, the text or a commit. {MERGED}",
    numerator=total_of_merged("linked"),
    denominator=MERGED_COUNT,
    unit=UnitOfMeasure.PERCENT,
    better=Better.HIGHER,
    minimum_sample=5,
    categories=(Category.HYGIENE,),
    space=(SpaceDimension.COMMUNICATION,),
    segments=DIMENSIONS,
    facets=DIMENSIONS,
    positive_indicators=("delivery.idea_to_production", "pr.throughput"),
    source=SOURCE,
    reference=WORK_VISIBILITY,
)

REVERT_RATE = Ratio(
    key="pr.revert_rate",
    version=1,
    name="Taken back",
    meaning="Which share of the pull requests was taken back by another one.",
    formula="merged pull requests that one merged since takes back ÷ merged pull requests × 100. Which one it takes "
    "back tells its branch (revert-<number>-…, revert-<commit>), a number or commit in its title or commits, "
    "else the title in its quotes. It counts on the day on which what is taken back was merged, and may rise "
    f"afterwards. {MERGED}",
    numerator=total_of_merged("reverted"),
    denominator=MERGED_COUNT,
    unit=UnitOfMeasure.PERCENT,
    better=Better.LOWER,
    minimum_sample=5,
    categories=(Category.QUALITY,),
    space=(SpaceDimension.PERFORMANCE,),
    segments=DIMENSIONS,
    facets=DIMENSIONS,
    positive_indicators=("dora.change_failure_rate", "pr.unreviewed_rate", "pr.review_depth", "pr.size"),
    negative_indicators=("pr.throughput",),
    source=SOURCE,
    reference=FOUR_KEYS,
)

STALE_COUNT = Count(
    key="pr.stale_count",
    version=1,
    name="Stale pull requests",
    meaning="How many pull requests are open and forgotten.",
    formula="pull requests that are open at the end of the window's last day, or today, and to which nothing had "
    "happened for 14 days: no push, no review, no change of state; comments are not known one by one. They "
    "count for their author on that day; those of bots are left out",
    of=Facts(STALE_PULL_REQUESTS, instead=((Dimension.AGENT, Facts(STALE_PULL_REQUESTS_BY_AGENT)),)),
    unit=UnitOfMeasure.COUNT,
    better=Better.LOWER,
    categories=(Category.HYGIENE,),
    space=(SpaceDimension.EFFICIENCY,),
    segments=STANDING_DIMENSIONS,
    facets=STANDING_DIMENSIONS,
    positive_indicators=("pr.pickup_time", "pr.throughput", "wip.count"),
    source=SOURCE,
    reference=WIP_LIMITS,
)
