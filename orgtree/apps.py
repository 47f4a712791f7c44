from django.apps import AppConfig


class OrgtreeConfig(AppConfig):
    name = "orgtree"

    def ready(self) -> None:
        from celery.signals import task_prerun
        from django.db.backends.signals import connection_created

        from orgtree.organisation.fiscal_calendar import learn_from_the_database

        connection_created.connect(learn_from_the_database, dispatch_uid="fiscal calendar")
        task_prerun.connect(learn_from_the_database, dispatch_uid="fiscal calendar")
