from django.apps import AppConfig


class ProgramsConfig(AppConfig):
    name = "programs"

    def ready(self) -> None:
        from django.db.models.signals import post_migrate

        from insights.ui.actions import offer_action
        from insights.ui.agreements import offer_agreements
        from insights.ui.home_sections import offer_section
        from programs.actions import benchmark_of, objective_about, ticket_about
        from programs.benchmarks.services.agreements import agreements
        from programs.first_templates import add_first_templates
        from programs.overview.pages.on_home import program_on_home

        offer_action(objective_about)
        offer_action(ticket_about)
        offer_action(benchmark_of)
        offer_agreements(agreements)
        offer_section(program_on_home)
        post_migrate.connect(add_first_templates, sender=self, dispatch_uid="first templates")
