from django.apps import AppConfig
from django.core import checks


class InsightsConfig(AppConfig):
    name = "insights"

    def ready(self) -> None:
        from insights.metrics import registry
        from insights.snapshots.tasks import refresh
        from integrations.facts.changes import on_change
        from orgtree.nudges import nudge_on_commit
        from orgtree.services.placements import on_placements_changed

        checks.register(registry.check)
        for on_news in (on_change, on_placements_changed):
            on_news(lambda: nudge_on_commit(refresh))
