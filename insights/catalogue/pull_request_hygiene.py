"""Pull requests: their size, review and outcome."""

from __future__ import annotations

from functools import partial

from insights.catalogue.declarations import Count, Duration, Ratio
from insights.catalogue.pull_requests import DIMENSIONS, MERGED, MERGED_COUNT, REVIEW, SOURCE
from insights.catalogue.references import CHANGE_APPROVAL, FOUR_KEYS, SMALL_BATCHES, WIP_LIMITS, WORK_VISIBILITY
from insights.catalogue.rules import Rule, base, facts, rows, value
from insights.query.enums import Better, Category, SpaceDimension, UnitOfMeasure
from insights.query.measures import Distribution, Facts, Total
from insights.query.query import Dimension, Statistic
from integrations.facts.pull_requests import MERGED_PULL_REQUESTS, STALE_PULL_REQUESTS

STANDING_DIMENSIONS = tuple(dimension for dimension in DIMENSIONS if dimension is not Dimension.SERVICE)
WITH_FILES = "Left out if no clone contains its commits."

_merged_size = partial(
    Duration,
    unit=UnitOfMeasure.COUNT,
    categories=(Category.HYGIENE,),
    space=(SpaceDimension.EFFICIENCY,),
    segments=DIMENSIONS,
    source=SOURCE,
    reference=SMALL_BATCHES,
)

SIZE = _merged_size(
    key="pr.size",
    name="Pull request size",
    short="PR size",
    fact="PR",
    meaning="How many lines a pull request changes.",
    formula=(
        "lines added + deleted at the merge, without generated, vendored, minified, lock and binary files if there is "
        "a clone, else as the provider counts. Classes: S up to 100 lines, M up to 400, L up to 800, XL above, or by "
        f"the working agreement of the unit that owns the repository. Left out if the size is unknown. {MERGED}"
    ),
    of=Distribution(MERGED_PULL_REQUESTS, column="size"),
    unit=UnitOfMeasure.LINES,
    positive_indicators=("pr.pickup_time", "pr.review_time", "pr.review_depth", "pr.throughput"),
    negative_indicators=("review.load_concentration",),
    look_for=(
        Rule(
            when=(
                facts("pr.size", "PRs").at_least(20),
                value("pr.size").at_least(400.0),
                value("pr.review_depth").below(1.0),
            ),
            says="Pull requests change {pr.size}, and reviews leave {pr.review_depth} comments per 100 lines: large "
            "changes are often waved through. Smaller ones get read.",
            check=rows("See the pull requests", "pr.size"),
        ),
    ),
)

COMPLEXITY = _merged_size(
    key="pr.complexity",
    name="Files per pull request",
    fact="PR",
    meaning="How many files a pull request changes.",
    formula=(
        "files changed, as the provider counts them, else as a clone shows. Classes, of which the worst counts: simple "
        "up to 5 files, 2 directories and one language, moderate up to 20, 6 and 3, complex above. "
        f"{MERGED}"
    ),
    of=Distribution(MERGED_PULL_REQUESTS, column="files"),
    positive_indicators=("pr.directories", "pr.languages", "pr.new_paths_rate", "pr.size", "pr.review_time"),
)

DIRECTORIES = _merged_size(
    key="pr.directories",
    name="Directories per pull request",
    fact="PR",
    meaning="How many directories a pull request touches.",
    formula=f"distinct directories of its files that are not generated, vendored or binary. {WITH_FILES} {MERGED}",
    of=Distribution(MERGED_PULL_REQUESTS, column="directories"),
    positive_indicators=("pr.complexity", "pr.review_time"),
)

LANGUAGES = _merged_size(
    key="pr.languages",
    name="Languages per pull request",
    fact="PR",
    meaning="How many languages a pull request contains.",
    formula=f"distinct languages of its files that are not generated, vendored or binary. {WITH_FILES} {MERGED}",
    of=Distribution(MERGED_PULL_REQUESTS, column="languages"),
    statistic=Statistic.MEAN,
    positive_indicators=("pr.complexity", "pr.review_time"),
)

_merged_share = partial(
    Ratio,
    better=Better.LOWER,
    minimum_sample=5,
    categories=(Category.HYGIENE,),
    space=(SpaceDimension.COMMUNICATION,),
    segments=DIMENSIONS,
    source=SOURCE,
    reference=CHANGE_APPROVAL,
)

NEW_PATHS = _merged_share(
    key="pr.new_paths_rate",
    name="Reviewer unfamiliarity",
    fact="PR",
    meaning="Share of reviewed paths on which no reviewer has worked before.",
    formula="Σ changed paths that none of the reviewers had changed in a commit before the pull request was opened ÷ Σ "
    "changed paths × 100, in the same repository, with any account. Only pull requests with a review count, without "
    f"generated, vendored and binary paths. {WITH_FILES} {MERGED}",
    numerator=Total(MERGED_PULL_REQUESTS, column="new_paths"),
    denominator=Total(MERGED_PULL_REQUESTS, column="reviewed_paths"),
    positive_indicators=("pr.review_time", "pr.complexity", "pr.revert_rate"),
    negative_indicators=("review.load_concentration",),
)

REVIEW_DEPTH = _merged_share(
    key="pr.review_depth",
    name="Review depth",
    fact="PR",
    meaning="How many comments reviewers and authors write per hundred changed lines.",
    formula=(
        "Σ comments, in the conversation and on lines, ÷ Σ lines added and deleted × 100; the provider does not report "
        f"who wrote them. Left out if comments or size are unknown. {MERGED}"
    ),
    numerator=Total(MERGED_PULL_REQUESTS, column="comments"),
    denominator=Total(MERGED_PULL_REQUESTS, column="commented_hundreds"),
    unit=UnitOfMeasure.COUNT,
    better=Better.HIGHER,
    positive_indicators=("pr.unreviewed_rate", "pr.size", "pr.revert_rate"),
    negative_indicators=("pr.review_time",),
)

UNREVIEWED_RATE = _merged_share(
    key="pr.unreviewed_rate",
    name="Merged without review",
    short="Unreviewed",
    fact="PR",
    meaning="Share of pull requests that nobody else reviewed before the merge.",
    formula=f"merged pull requests without a review ÷ merged pull requests × 100; {REVIEW}. {MERGED}",
    numerator=Total(MERGED_PULL_REQUESTS, column="unreviewed"),
    denominator=MERGED_COUNT,
    categories=(Category.HYGIENE, Category.QUALITY),
    positive_indicators=("pr.self_merged_rate", "pr.review_depth", "pr.revert_rate"),
    negative_indicators=("pr.pickup_time",),
    look_for=(
        Rule(
            when=(base("pr.unreviewed_rate", "PRs").at_least(20), value("pr.unreviewed_rate").at_least(20.0)),
            says="{pr.unreviewed_rate} of the pull requests were merged without a review by anybody else. Check "
            "whether that is a few repositories, or how the team works.",
            check=rows("See the pull requests", "pr.unreviewed_rate"),
        ),
    ),
)

SELF_MERGED_RATE = _merged_share(
    key="pr.self_merged_rate",
    name="Self-merged",
    fact="PR",
    meaning="Share of pull requests that their authors merged themselves.",
    formula=f"merged by their author ÷ merged pull requests with a known merger × 100. {MERGED}",
    numerator=Total(MERGED_PULL_REQUESTS, column="self_merged"),
    denominator=Total(MERGED_PULL_REQUESTS, column="merger_known"),
    better=Better.NEITHER,
    positive_indicators=("pr.unreviewed_rate",),
    negative_indicators=("pr.merge_time",),
)

LINKED_RATE = _merged_share(
    key="pr.linked_rate",
    name="Linked to a work item",
    fact="PR",
    meaning="Share of pull requests that name the work item they were made for.",
    formula="merged pull requests linked to a known work item ÷ merged pull requests × 100; linked by the "
    f"provider, or by a key in the branch, the title, the text or a commit. {MERGED}",
    numerator=Total(MERGED_PULL_REQUESTS, column="linked"),
    denominator=MERGED_COUNT,
    better=Better.HIGHER,
    positive_indicators=("delivery.idea_to_production", "pr.throughput"),
    reference=WORK_VISIBILITY,
    look_for=(
        Rule(
            when=(base("pr.linked_rate", "PRs").at_least(20), value("pr.linked_rate").below(60.0)),
            says="Only {pr.linked_rate} of the pull requests name a work item, and idea to production is known only "
            "for those. Put the item's key in the branch name or the title.",
            check=rows("See the pull requests", "pr.linked_rate"),
        ),
    ),
)

_AGREED = "by the working agreement of the unit that owns the repository, on the day of the merge"
_AGREED_ONLY = "Only pull requests for which such a limit was agreed count"

OVERSIZED_RATE = _merged_share(
    key="pr.oversized_rate",
    name="Larger than agreed",
    fact="PR",
    meaning="Share of pull requests that change more lines than their team agreed on.",
    formula=f"merged pull requests of more lines than the largest one {_AGREED} ÷ merged pull requests × 100. "
    f"{_AGREED_ONLY}; left out if the size is unknown. {MERGED}",
    numerator=Total(MERGED_PULL_REQUESTS, column="oversized"),
    denominator=Total(MERGED_PULL_REQUESTS, column="size_agreed"),
    positive_indicators=("pr.size", "pr.review_depth", "pr.review_time"),
    reference=SMALL_BATCHES,
    look_for=(
        Rule(
            when=(base("pr.oversized_rate", "PRs").at_least(20), value("pr.oversized_rate").at_least(30.0)),
            says="{pr.oversized_rate} of the pull requests are larger than agreed. Either they can be split, or the "
            "agreement does not fit the work.",
            check=rows("See the pull requests", "pr.oversized_rate"),
        ),
    ),
)

LATE_REVIEW_RATE = _merged_share(
    key="pr.late_review_rate",
    name="Reviewed later than agreed",
    short="Late reviews",
    fact="PR",
    meaning="Share of first reviews that came later than the team agreed on.",
    formula=f"merged pull requests whose pickup time is longer than agreed, {_AGREED}, ÷ merged pull requests with a "
    f"pickup time × 100. {_AGREED_ONLY}; one without a review has no first review, see `pr.unreviewed_rate`. {MERGED}",
    numerator=Total(MERGED_PULL_REQUESTS, column="reviewed_late"),
    denominator=Total(MERGED_PULL_REQUESTS, column="review_agreed"),
    positive_indicators=("pr.pickup_time", "review.load_concentration", "pr.unreviewed_rate"),
    look_for=(
        Rule(
            when=(base("pr.late_review_rate", "PRs").at_least(20), value("pr.late_review_rate").at_least(30.0)),
            says="{pr.late_review_rate} of the first reviews come later than agreed. See whether a few people get most "
            "of the requests.",
            check=rows("See the pull requests", "pr.late_review_rate"),
        ),
    ),
)

UNLINKED_RATE = _merged_share(
    key="pr.unlinked_rate",
    name="Without the agreed work item",
    short="Unlinked",
    fact="PR",
    meaning="Share of pull requests without a work item, where the team agreed that each names one.",
    formula=f"merged pull requests linked to no known work item ÷ merged pull requests × 100, where it has to name one "
    f"{_AGREED}. {MERGED}",
    numerator=Total(MERGED_PULL_REQUESTS, column="unlinked"),
    denominator=Total(MERGED_PULL_REQUESTS, column="item_agreed"),
    positive_indicators=("pr.linked_rate", "delivery.idea_to_production"),
    reference=WORK_VISIBILITY,
)

REVERT_RATE = _merged_share(
    key="pr.revert_rate",
    name="Revert rate",
    fact="PR",
    meaning="Share of pull requests that another one reverted.",
    formula=(
        "merged pull requests that a later merged one reverts ÷ merged pull requests × 100. The revert names the "
        "reverted one by its branch (revert-<number>-…, revert-<commit>), by a number or commit in its title or "
        "commits, else by the title in quotes. It counts on the day the reverted one was merged, so past values may "
        f"rise. {MERGED}"
    ),
    numerator=Total(MERGED_PULL_REQUESTS, column="reverted"),
    denominator=MERGED_COUNT,
    categories=(Category.QUALITY,),
    space=(SpaceDimension.PERFORMANCE,),
    positive_indicators=("dora.change_failure_rate", "pr.unreviewed_rate", "pr.review_depth", "pr.size"),
    negative_indicators=("pr.throughput",),
    reference=FOUR_KEYS,
)

STALE_COUNT = Count(
    key="pr.stale_count",
    name="Stale pull requests",
    fact="PR",
    meaning="How many open pull requests have had no activity for two weeks.",
    formula=(
        "pull requests that are open at the end of the window's last day, or today, without activity for 14 days: no "
        "push, no review, no change of state; comments do not count. They count for their author on that day; those of "
        "bots are left out"
    ),
    of=Facts(STALE_PULL_REQUESTS),
    better=Better.LOWER,
    categories=(Category.HYGIENE,),
    space=(SpaceDimension.EFFICIENCY,),
    segments=STANDING_DIMENSIONS,
    positive_indicators=("pr.pickup_time", "pr.throughput", "wip.count"),
    source=SOURCE,
    reference=WIP_LIMITS,
)
