"""Stale branches."""

from __future__ import annotations

from insights.catalogue.declarations import Count
from insights.catalogue.references import TRUNK_BASED
from insights.query.enums import Better, Category, SpaceDimension
from insights.query.measures import Facts
from insights.query.query import Dimension
from integrations.facts.branches import STALE_BRANCHES

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
