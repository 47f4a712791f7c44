from django.apps import AppConfig
from django.core import checks


class InsightsConfig(AppConfig):
    name = "insights"

    def ready(self) -> None:
        from insights.metrics import registry
        from insights.snapshots.tasks import refresh
        from integrations.facts.changes import on_change
        from orgtree.nudges import nudge_on_commit

        checks.register(registry.check)
        on_change(lambda: nudge_on_commit(refresh))
