from django.apps import AppConfig


class ProgramsConfig(AppConfig):
    name = "programs"

    def ready(self) -> None:
        from insights.actions import offer_action
        from programs.actions import ticket_about

        offer_action(ticket_about)
