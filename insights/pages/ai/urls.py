from django.urls import URLPattern, path

from insights.pages.ai import adoption_rows, leaderboard, page, prices, repositories
from insights.pages.ai.costs import page as costs
from insights.pages.ai.sessions import listing as session_list
from insights.pages.ai.sessions import page as session
from insights.pages.routes import facet_view, page_urls

urlpatterns: list[URLPattern] = [
    path("", page.ai_page, name="ai"),
    *page_urls(page.AI.page.name, lambda _request: page.AI.routes),
    path("leaderboard/", leaderboard.leaderboard, name="ai_leaderboard"),
    path("leaderboard/parts/<slug:name>/", facet_view(leaderboard.page_of), name="ai_leaderboard_part"),
    path("leaderboard.csv", leaderboard.leaderboard_csv, name="ai_leaderboard_csv"),
    path("sessions/", session_list.sessions, name="ai_sessions"),
    path("sessions/parts/<slug:name>/", facet_view(session_list.page_of), name="ai_sessions_part"),
    path("sessions.csv", session_list.sessions_csv, name="ai_sessions_csv"),
    path("sessions/<int:pk>/", session.session_page, name="ai_session"),
    path("prices/", prices.ai_prices, name="ai_prices"),
    path("prices.csv", prices.ai_prices_csv, name="ai_prices_csv"),
    path("costs/", costs.ai_costs, name="ai_costs"),
    path("costs.csv", costs.ai_costs_csv, name="ai_costs_csv"),
    path("repositories/", repositories.ai_repositories, name="ai_repositories"),
    path("repositories.csv", repositories.ai_repositories_csv, name="ai_repositories_csv"),
    path("adoption/rows/", adoption_rows.adoption_rows, name="adoption_rows"),
    path("adoption/rows.csv", adoption_rows.adoption_rows_csv, name="adoption_rows_csv"),
    path("<slug:tab>/", page.ai_page, name="ai_tab"),
]
