"""Relinks everything if the rules have changed since the last time.

After an upgrade with new rules, a change of time zone, or other settings of the organisation, existing links are
recomputed within a minute.  Records that arrive meanwhile wait for that.
"""

from __future__ import annotations

import logging
from typing import Any

from celery import shared_task
from django.conf import settings
from django.db import transaction

from integrations.delivery.deployments_of_runs import recompute_all_deployments
from integrations.delivery.linking.relink import link_everything, place_everything, place_waiting_commits
from integrations.delivery.recompute import recompute_all_figures
from integrations.delivery.sprints.figures import recompute_sprints
from integrations.enums import Kind
from integrations.models import LinkingRules, Sprint
from integrations.outbox.write_lock import lock_for_linking
from orgtree.models import Organisation

logger = logging.getLogger(__name__)
VERSION = 13  # raise it whenever the same records would get other links


def rules_now() -> dict[str, Any]:
    """The current rules, as the columns of LinkingRules."""
    organisation = Organisation.current()
    return {
        "version": VERSION,
        "time_zone": settings.TIME_ZONE,
        "link_window_hours": organisation.link_window_hours,
        "rollout_gap_minutes": organisation.rollout_gap_minutes,
        "lead_time_history_days": organisation.lead_time_history_days,
        "holidays_in": organisation.holidays_in,
    }


@shared_task  # type: ignore[untyped-decorator]
def place_waiting() -> None:
    """Number the large repositories in the queue."""
    place_waiting_commits()


@shared_task  # type: ignore[untyped-decorator]
def apply_rules() -> None:
    """Relink everything if the current rules differ from those of the last time."""
    if LinkingRules.objects.filter(**rules_now()).exists():
        return
    other_version = not LinkingRules.objects.filter(version=VERSION).exists()
    if other_version:
        place_everything()
        recompute_all_figures()
    with transaction.atomic():
        lock_for_linking(frozenset(Kind))
        rules = rules_now()
        if LinkingRules.objects.filter(**rules).exists():
            return
        if other_version:
            recompute_all_deployments()
        link_everything()
        if not LinkingRules.objects.filter(holidays_in=rules["holidays_in"]).exists():
            recompute_sprints(Sprint.objects.values_list("pk", flat=True))
        LinkingRules.objects.update_or_create(pk=1, defaults=rules)
    logger.info("Linked all deliveries by the rules that hold now: %s.", rules)
