from __future__ import annotations

from django.apps import AppConfig


class IntegrationsConfig(AppConfig):
    name = "integrations"

    def ready(self) -> None:
        from django.db.models.signals import post_save

        from integrations.code.commits.bots import recount_bots
        from integrations.delivery.ownership.seen import note_project, note_repository
        from integrations.delivery.recompute import recompute_all_days
        from integrations.facts.identity_activity import activity_of_identities, total_activity
        from integrations.intake.moved_identities import count_active_people, note_moved_identities, note_presence
        from integrations.models import Project, Repository
        from integrations.outbox.pull_request_queue import enqueue_pull_requests_of
        from integrations.telemetry.sessions.calendar import on_time_zone_changed
        from orgtree.access.trust import register_active_people_counter
        from orgtree.identities.activity import ActivitySource, register_activity_source
        from orgtree.identities.moves import on_bots_changed, on_identities_moved
        from orgtree.models import Organisation
        from orgtree.organisation.presence import on_presence_changed

        on_identities_moved(note_moved_identities)
        on_bots_changed(recount_bots)
        on_bots_changed(enqueue_pull_requests_of)
        register_activity_source(ActivitySource(activity_of_identities, total_activity))
        on_presence_changed(note_presence)
        on_time_zone_changed(recompute_all_days)
        register_active_people_counter(count_active_people)
        post_save.connect(_settings_may_have_changed, sender=Organisation)
        post_save.connect(note_repository, sender=Repository)
        post_save.connect(note_project, sender=Project)


def _settings_may_have_changed(*, created: bool, **_: object) -> None:
    from core.nudges import nudge_on_commit
    from integrations.delivery.linking.rules import follow_rules
    from integrations.sync.git.tasks import follow_thresholds

    if not created:
        nudge_on_commit(follow_thresholds)
        nudge_on_commit(follow_rules)
