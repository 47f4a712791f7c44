from __future__ import annotations

from django.apps import AppConfig


class IntegrationsConfig(AppConfig):
    name = "integrations"

    def ready(self) -> None:
        from django.db.models.signals import post_delete, post_save, pre_save

        from integrations.code.commits.bots import recount_bots
        from integrations.delivery.allocation.measure import mark_changed_weeks
        from integrations.delivery.ownership.seen import note_project, note_repository
        from integrations.delivery.recompute import recompute_all_figures
        from integrations.facts.identity_activity import activity_of_identities, total_activity
        from integrations.intake.moved_identities import count_active_people, note_moved_identities, note_presence
        from integrations.intake.renamed import note_former_names
        from integrations.models import (
            AllocationRule,
            InvestmentCategory,
            PlacingRule,
            Project,
            Repository,
            WorkingAgreement,
        )
        from integrations.outbox.fact_changes import taken_listeners
        from integrations.outbox.pull_request_queue import enqueue_pull_requests_of
        from integrations.telemetry.sessions.calendar import time_zone_listeners
        from orgtree.access.trust import active_people_counters
        from orgtree.identities.activity import ActivitySource, activity_sources
        from orgtree.identities.moves import bot_listeners, move_listeners
        from orgtree.models import Leave, Organisation
        from orgtree.organisation.presence import presence_listeners

        move_listeners.register(note_moved_identities)
        bot_listeners.register(recount_bots)
        bot_listeners.register(enqueue_pull_requests_of)
        activity_sources.register(ActivitySource(activity_of_identities, total_activity))
        presence_listeners.register(note_presence)
        time_zone_listeners.register(recompute_all_figures)
        active_people_counters.register(count_active_people)
        taken_listeners.register(mark_changed_weeks)
        for changed in (AllocationRule, InvestmentCategory, Leave, Organisation, WorkingAgreement):
            post_save.connect(_weeks_may_have_changed, sender=changed)
            post_delete.connect(_weeks_may_have_changed, sender=changed)
        post_save.connect(_settings_may_have_changed, sender=Organisation)
        post_save.connect(note_repository, sender=Repository)
        post_save.connect(note_project, sender=Project)
        pre_save.connect(note_former_names, sender=Repository)
        for model in (Repository, Project, PlacingRule):
            post_save.connect(_names_may_mean_more, sender=model)
        post_delete.connect(_names_may_mean_more, sender=PlacingRule)
        post_save.connect(_agreements_may_have_changed, sender=WorkingAgreement)
        post_delete.connect(_agreements_may_have_changed, sender=WorkingAgreement)


def _names_may_mean_more(**_: object) -> None:
    from core.nudges import nudge_on_commit
    from integrations.sync.tasks import place_unplaced

    nudge_on_commit(place_unplaced)


def _agreements_may_have_changed(**_: object) -> None:
    from core.nudges import nudge_on_commit
    from integrations.delivery.agreements.apply import apply_agreements

    nudge_on_commit(apply_agreements)


def _settings_may_have_changed(*, created: bool, **_: object) -> None:
    from core.nudges import nudge_on_commit
    from integrations.delivery.rules import apply_rules
    from integrations.sync.git.tasks import apply_thresholds

    if not created:
        nudge_on_commit(apply_thresholds)
        nudge_on_commit(apply_rules)


def _weeks_may_have_changed(**_: object) -> None:
    from integrations.delivery.allocation.measure import mark_all_weeks

    mark_all_weeks()
