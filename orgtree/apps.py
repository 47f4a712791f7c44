from django.apps import AppConfig


class OrgtreeConfig(AppConfig):
    name = "orgtree"

    def ready(self) -> None:
        from celery.signals import task_prerun
        from django.db.backends.signals import connection_created

        from orgtree.organisation.fiscal_calendar import load_fiscal_year

        connection_created.connect(load_fiscal_year, dispatch_uid="fiscal calendar")
        task_prerun.connect(load_fiscal_year, dispatch_uid="fiscal calendar")
