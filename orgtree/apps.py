from django.apps import AppConfig


class OrgtreeConfig(AppConfig):
    name = "orgtree"
