from django.apps import AppConfig
from django.core import checks


class InsightsConfig(AppConfig):
    name = "insights"

    def ready(self) -> None:
        from core.nudges import nudge_on_commit
        from insights.benchmarks.quick_check import peers_to_offer
        from insights.benchmarks.sets import SETS
        from insights.catalogue import registry
        from insights.columns.tasks import refresh as refresh_columns
        from insights.pages import found
        from insights.pages.hand_kept.values import values_of
        from insights.ui.offers import metric_actions
        from integrations.outbox.fact_changes import change_listeners
        from orgtree.access.search_sources import SearchSource, search_sources
        from orgtree.organisation.benchmark_choice import benchmark_sets, peers

        checks.register(registry.check)
        metric_actions.register(values_of)
        search_sources.register(SearchSource("Units", 1, "sitemap", found.units))
        search_sources.register(SearchSource("Metrics", 2, "chart-line", found.catalogue))
        search_sources.register(SearchSource("Dashboards", 3, "layout-dashboard", found.dashboards))
        search_sources.register(SearchSource("Saved views", 3, "pin", found.saved_views))
        search_sources.register(SearchSource("Pull requests", 5, "git-pull-request", found.pull_requests))
        search_sources.register(SearchSource("Pages", 7, "layout-dashboard", found.tabs))
        for benchmark_set in SETS.values():
            benchmark_sets.register((benchmark_set.slug, benchmark_set.name))
        for group in peers_to_offer():
            peers.register(group)
        change_listeners.register(lambda: nudge_on_commit(refresh_columns))
