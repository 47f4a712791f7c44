from django.apps import AppConfig
from django.core import checks


class InsightsConfig(AppConfig):
    name = "insights"

    def ready(self) -> None:
        from insights.metrics import registry

        checks.register(registry.check)
