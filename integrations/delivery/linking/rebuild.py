"""Rebuilds all links: after an upgrade with new linking rules, or to repair them."""

from __future__ import annotations

from django.db import transaction

from core import sql
from integrations.delivery.linking.commit_positions import place_repository
from integrations.delivery.linking.failures import recompute_all_failures
from integrations.delivery.linking.first_deployment import recompute_all_first_deployments
from integrations.delivery.linking.named_commits import note_all_unknown_commits, resolve_all_named_commits
from integrations.delivery.linking.pushes import recompute_pushes
from integrations.delivery.linking.rollbacks import propose_all_rollbacks
from integrations.delivery.linking.service_paths import recompute_touched_services_in
from integrations.delivery.linking.work_item_origins import recompute_all_work_item_origins
from integrations.delivery.pull_requests.changed_days import note_lead_times
from integrations.delivery.rollouts.recompute import recompute_all_rollouts
from integrations.models import Repository, ServicePaths


def relink_everything() -> None:
    """Place every commit, and relink every pull request, deployment and incident.  Idempotent."""
    place_everything()
    with transaction.atomic():
        link_everything()


def link_everything() -> None:
    """Relink everything without renumbering commits, in the caller's transaction."""
    for repository in ServicePaths.objects.values_list("repository", flat=True).distinct():
        recompute_touched_services_in(repository)
    note_all_unknown_commits()
    recompute_all_rollouts()
    propose_all_rollbacks()
    recompute_all_failures()
    note_lead_times(recompute_all_work_item_origins())
    recompute_all_first_deployments()
    recompute_pushes()


def place_everything() -> None:
    """Place the commits of every repository, one transaction each, and resolve the commits that deployments name."""
    for repository in Repository.objects.order_by("pk"):
        with transaction.atomic():
            place_repository(repository)
    resolve_all_named_commits()
    sql.execute("ANALYZE integrations_commitplace")
