"""Committed code, by people and agents, and abandoned branches."""

from __future__ import annotations

from insights.catalogue.declarations import Count, PerPersonAndPeriod
from insights.catalogue.references import SPACE_FRAMEWORK, TRUNK_BASED
from insights.query.enums import Better, Category, SpaceDimension, UnitOfMeasure
from insights.query.measures import Facts, People, Total
from insights.query.query import Dimension
from integrations.facts.code import COMMITS, COMMITTED_LINES
from integrations.facts.developers import COMMITTING_DEVELOPER_DAYS
from integrations.facts.line_history import STALE_BRANCHES

COMMIT_SOURCE = "Commits of connected repositories, each change once"
COMMIT_DIMENSIONS = (Dimension.REPOSITORY, Dimension.ASSISTANCE)
FILE_DIMENSIONS = (Dimension.REPOSITORY, Dimension.LANGUAGE, Dimension.FILE_TYPE)

LINES = Total(COMMITTED_LINES, column="lines_added")
ALL_LINES_COMMITTED = LINES.undivided_by(Dimension.AGENT, Dimension.MODEL, Dimension.METHOD)

COMMIT_COUNT = Count(
    key="commit.count",
    name="Commits",
    fact="commit",
    meaning="How many commits were made; each change counts once.",
    formula=(
        "distinct commits by the local day of the committer time, without merges, bulk commits and bots other than "
        "coding agents; rebased, cherry-picked or squashed copies count once"
    ),
    of=Facts(COMMITS),
    categories=(Category.EFFICIENCY,),
    space=(SpaceDimension.ACTIVITY,),
    segments=COMMIT_DIMENSIONS,
    positive_indicators=("commit.lines", "ai.committed_code_share"),
    source=COMMIT_SOURCE,
    reference=SPACE_FRAMEWORK,
)

COMMIT_FREQUENCY = PerPersonAndPeriod(
    key="commit.frequency",
    name="Commits per developer",
    fact="commit",
    meaning="How many commits an active developer makes in a week, month or quarter.",
    formula=(
        "commits ÷ active developers ÷ number of weeks (months, quarters) of the window that have begun; a clipped one "
        "counts by its share of days. Active: a commit, a pull request opened or merged, a review, a completed work "
        "item or an agent session in the window, in any repository or project. Commits as in commit.count"
    ),
    numerator=Facts(COMMITS),
    denominator=People(COMMITTING_DEVELOPER_DAYS).undivided_by(*COMMIT_DIMENSIONS),
    better=Better.HIGHER,
    categories=(Category.EFFICIENCY,),
    space=(SpaceDimension.ACTIVITY,),
    segments=COMMIT_DIMENSIONS,
    positive_indicators=("commit.count", "pr.throughput", "pr.size"),
    source=COMMIT_SOURCE,
    reference=TRUNK_BASED,
)

COMMIT_LINES = Count(
    key="commit.lines",
    name="Lines committed",
    fact="commit",
    meaning="How many lines commits added, by people and agents.",
    formula=(
        "Σ added lines of counted files of counted commits; generated, vendored, minified, lock and binary files are "
        "left out, as are commits whose objects git could not read"
    ),
    of=LINES,
    unit=UnitOfMeasure.LINES,
    categories=(Category.EFFICIENCY,),
    space=(SpaceDimension.ACTIVITY,),
    segments=FILE_DIMENSIONS,
    positive_indicators=("ai.lines_committed", "ai.committed_code_share"),
    source=COMMIT_SOURCE,
    reference=SPACE_FRAMEWORK,
)


STALE_BRANCH_COUNT = Count(
    key="branch.stale_count",
    name="Stale branches",
    fact="branch",
    meaning="How many branches were abandoned without a merge.",
    formula=(
        "branches other than the default one with unmerged commits, the last of them older than 30 days at the end of "
        "the window's last day, or today; a squash counts as a merge. They count for the unit that owned the "
        "repository then. Without a clone there is no data."
    ),
    of=Facts(STALE_BRANCHES),
    better=Better.LOWER,
    categories=(Category.HYGIENE,),
    space=(SpaceDimension.EFFICIENCY,),
    segments=(Dimension.REPOSITORY,),
    positive_indicators=("pr.stale_count", "wip.count"),
    source="Branches of clones",
    reference=TRUNK_BASED,
)
