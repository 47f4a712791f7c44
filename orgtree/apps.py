from django.apps import AppConfig


class OrgtreeConfig(AppConfig):
    name = "orgtree"

    def ready(self) -> None:
        from celery.signals import task_prerun
        from django.db.backends.signals import connection_created

        from orgtree.access.search_sources import SearchSource, search_sources
        from orgtree.identities.installations import follow_signers
        from orgtree.identities.moves import move_listeners
        from orgtree.organisation.cached_settings import load_settings
        from orgtree.people.filters import people_found

        search_sources.register(SearchSource("People", 6, "user", people_found))
        move_listeners.register(follow_signers)

        connection_created.connect(load_settings, dispatch_uid="cached settings")
        task_prerun.connect(load_settings, dispatch_uid="cached settings")
