from django.apps import AppConfig


class ConfigConfig(AppConfig):
    """Wiring only: the commands that run an installation live here."""

    name = "config"

    def ready(self) -> None:
        from django.core import checks

        from config import celery  # noqa: F401  # so that tasks sent from any process reach the configured broker
        from config.client_address import check_proxies
        from config.documentation import docs_found
        from config.search import pages_found
        from orgtree.access.search_sources import SearchSource, search_sources

        search_sources.register(SearchSource("Pages", 0, "layout-dashboard", pages_found))
        search_sources.register(SearchSource("Docs", 8, "book", docs_found, handicap=1))
        checks.register(check_proxies, checks.Tags.security, deploy=True)
