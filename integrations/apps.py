from django.apps import AppConfig


class IntegrationsConfig(AppConfig):
    name = "integrations"

    def ready(self) -> None:
        from integrations.facts.people import count_active_people, note_leaving, note_moved_identities
        from orgtree.services.identities import on_identities_moved
        from orgtree.services.leaving import on_leaving_changed
        from orgtree.services.trust import count_active_people_with

        on_identities_moved(note_moved_identities)
        on_leaving_changed(note_leaving)
        count_active_people_with(count_active_people)
