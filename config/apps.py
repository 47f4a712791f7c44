from django.apps import AppConfig


class ConfigConfig(AppConfig):
    """Wiring only: the commands that run an installation live here."""

    name = "config"

    def ready(self) -> None:
        from django.core import checks

        from config import celery  # noqa: F401  # so that tasks sent from any process reach the configured broker
        from config.client_address import check_proxies

        checks.register(check_proxies, checks.Tags.security, deploy=True)
