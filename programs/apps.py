from django.apps import AppConfig


class ProgramsConfig(AppConfig):
    name = "programs"

    def ready(self) -> None:
        from django.db.models.signals import post_migrate

        from insights.pages.findings import finding_sections
        from insights.ui.agreements import agreement_providers
        from insights.ui.offers import home_sections, metric_actions, planners, spend_budgets
        from orgtree.access.policy import philosophies
        from orgtree.access.search_sources import SearchSource, search_sources
        from orgtree.models.visibility import program_trees
        from programs.actions import (
            alert_about,
            benchmark_of,
            experiments_found,
            objective_about,
            objectives_found,
            ticket_about,
            tickets_found,
        )
        from programs.benchmarks.services.agreements import agreements
        from programs.budgets.pages.listing import budgets_on_ai_page
        from programs.comments.pages import comments_of_finding
        from programs.experiments.pages.listing import experiments_of_finding, experiments_of_ticket
        from programs.finding_work.pages import work_of_finding
        from programs.first_templates import add_first_templates
        from programs.meetings.services.calendars import calendar_object
        from programs.meetings.services.records import meeting_records
        from programs.meetings.services.reminding import settled_meeting_notices
        from programs.mirrors.pages.card import mirror_card
        from programs.overview.pages.on_home import decisions_on_home, program_on_home, teams_on_home
        from programs.philosophy.publishing import philosophy_in_force
        from programs.qbr.queries import qbrs_of_meetings
        from programs.reminders.services.channels import calendar_objects, settled_notices
        from programs.reviews.queries import reviews_of_meetings
        from programs.roadmaps.services.personas import is_product_manager
        from programs.teams.queries import program_tree
        from programs.tickets.pages.page import ticket_cards

        metric_actions.register(objective_about)
        metric_actions.register(ticket_about)
        metric_actions.register(benchmark_of)
        metric_actions.register(alert_about)
        search_sources.register(SearchSource("Objectives", 3, "target", objectives_found))
        search_sources.register(SearchSource("Tickets", 4, "list-check", tickets_found))
        search_sources.register(SearchSource("Experiments", 5, "arrows-diff", experiments_found))
        agreement_providers.register(agreements)
        philosophies.register(philosophy_in_force)
        program_trees.register(program_tree)
        home_sections.register(decisions_on_home)
        home_sections.register(teams_on_home)
        home_sections.register(program_on_home)
        planners.register(is_product_manager)
        spend_budgets.register(budgets_on_ai_page)
        ticket_cards.register(mirror_card)
        ticket_cards.register(experiments_of_ticket)
        for section in (work_of_finding, experiments_of_finding, comments_of_finding):
            finding_sections.register(section)
        meeting_records.register(reviews_of_meetings)
        meeting_records.register(qbrs_of_meetings)
        settled_notices.register(settled_meeting_notices)
        calendar_objects.register(calendar_object)
        post_migrate.connect(add_first_templates, sender=self, dispatch_uid="first templates")
