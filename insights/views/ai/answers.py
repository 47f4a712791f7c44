"""What the AI page reads, and where its addresses are."""

from __future__ import annotations

from collections.abc import Iterable

from insights.filters import Filters
from insights.metrics.query import Dimension
from insights.views import answers
from insights.views.answers import Answers, FacetOffered, InsightsPage, Wanted
from orgtree.queries.surroundings import Surroundings

AI_PAGE = InsightsPage(
    "ai",
    facets=(
        FacetOffered(Dimension.AGENT, "ai.sessions", "session"),
        FacetOffered(Dimension.MODEL, "ai.tokens", "token", part="models"),
    ),
)


def read(filters: Filters, wanted: Iterable[Wanted], *, around: Surroundings | None = None) -> Answers:
    return answers.read(AI_PAGE, filters, wanted, around=around)
