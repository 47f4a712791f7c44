from django.apps import AppConfig


class ConfigConfig(AppConfig):
    """Wiring only: the commands that run an installation live here."""

    name = "config"
