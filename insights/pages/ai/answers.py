"""The AI page and its facets."""

from __future__ import annotations

from insights.pages.answers import InsightsPage, OfferedFacet, facts_of
from insights.query.query import Dimension

# Facets of sessions and people; a session has no repository before its commits have one.
FACETS_OF_SESSIONS = (
    OfferedFacet(Dimension.AGENT, "ai.sessions", "session"),
    OfferedFacet(Dimension.MODEL, "ai.tokens", "token", part="models"),
)
# Figures without these facets say so: "of every repository".
FACETS_OF_WORK = (
    OfferedFacet(Dimension.REPOSITORY, "ai.spend", "session", part="repositories", amount=facts_of),
    OfferedFacet(Dimension.WORK_TYPE, "ai.spend", "session", part="work_types", amount=facts_of),
)
AI_PAGE = InsightsPage("ai", facets=(*FACETS_OF_SESSIONS, *FACETS_OF_WORK))
