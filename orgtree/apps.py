from django.apps import AppConfig


class OrgtreeConfig(AppConfig):
    name = "orgtree"

    def ready(self) -> None:
        from celery.signals import task_prerun
        from django.db.backends.signals import connection_created

        from orgtree.organisation.cached_settings import load_settings

        connection_created.connect(load_settings, dispatch_uid="cached settings")
        task_prerun.connect(load_settings, dispatch_uid="cached settings")
