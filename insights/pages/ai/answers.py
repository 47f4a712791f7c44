"""The AI page, its tabs and its facets."""

from __future__ import annotations

from insights.pages.answers import InsightsPage, OfferedFacet, Tab, facts_of
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
AI_PAGE = InsightsPage(
    "ai",
    facets=(*FACETS_OF_SESSIONS, *FACETS_OF_WORK),
    tabs={
        "": Tab("Overview"),
        "adoption": Tab("Adoption", holds="adoption units"),
        "impact": Tab("Impact", holds="impact"),
        "spend": Tab("Spend", holds="spend money"),
        "usage": Tab("Usage", holds="usage failing-tools"),
        "developers": Tab("Developers", holds="leaderboard"),
    },
)
IMPACT_PAGE, SPEND_PAGE, USAGE_PAGE, DEVELOPERS_PAGE = map(AI_PAGE.at, ("impact", "spend", "usage", "developers"))
