"""AI cost of merged pull requests, delivered items and repositories; the section loads later."""

from __future__ import annotations

from typing import Any

from django.urls import reverse

from insights.pages.ai.answers import SPEND_PAGE
from insights.pages.ai.costs.repositories import BY_REPOSITORY, hidden_repositories, repository_lines
from insights.pages.ai.differences import fate_differences
from insights.pages.answers import Answers, PageQuery, of_tiles
from insights.query.query import Statistic
from insights.ui import tiles, wording
from insights.ui.filters import Filters

REPOSITORIES_LISTED = 10
PER_PULL_REQUEST = "ai.spend_per_merged_pr"
MEDIAN, P90 = (
    PageQuery(PER_PULL_REQUEST, statistic=statistic, whole=True) for statistic in (Statistic.MEDIAN, Statistic.P90)
)
QUERIES = (*of_tiles(PER_PULL_REQUEST, "ai.spend_per_item", "ai.spend_abandoned", "ai.pr_fate"), MEDIAN, P90)


def section(answers: Answers) -> dict[str, Any]:
    return {
        "key": "money",
        "title": "AI costs",
        "lede": "AI cost of merged pull requests, delivered items and repositories, and how much of it was abandoned",
        "part_url": answers.part_url("money"),
    }


def part(filters: Filters) -> dict[str, Any]:
    answers = SPEND_PAGE.read(filters, QUERIES)
    unfaceted = filters.without_facets()
    by_repository = SPEND_PAGE.read(unfaceted, BY_REPOSITORY)
    return {
        "tiles": [
            answers.tile(PER_PULL_REQUEST, sample=_spread(answers)),
            *map(answers.tile, ("ai.spend_per_item", "ai.spend_abandoned", "ai.pr_fate")),
        ],
        "repositories": repository_lines(by_repository, unfaceted)[:REPOSITORIES_LISTED],
        "hidden": hidden_repositories(by_repository),
        "all_url": unfaceted.url(reverse("ai_costs")),
        "fate": fate_differences(filters),
    }


def _spread(answers: Answers) -> str:
    """Median and P90 next to the mean."""
    median, p90 = (tiles.whole(answers.now[query]).value for query in (MEDIAN, P90))
    if median is None or p90 is None:
        return ""
    pull_requests = wording.count(answers.figure(PER_PULL_REQUEST).sample_size, "PR")
    return f"median {wording.money(median)}, P90 {wording.money(p90)}, {pull_requests}"
