"""An admin's decisions about links: whether a redeployed older state was a rollback."""

from __future__ import annotations

from collections.abc import Collection

from django.db import transaction
from django.utils import timezone

from integrations.delivery.changed_days import append_record_days
from integrations.delivery.linking.relink import relink_deployments
from integrations.enums import Kind
from integrations.models import ProposedRollback
from integrations.outbox.linking_lock import lock_for_linking


@transaction.atomic
def decide_rollbacks(proposals: Collection[int], state: ProposedRollback.State, *, by: str) -> int:
    """Confirm, refuse or reset proposed rollbacks; return how many changed.

    A confirmed one counts as a rollback: the deployment before it failed, and it delivered nothing new itself.
    """
    lock_for_linking({Kind.DEPLOYMENT})
    proposed = ProposedRollback.objects.select_for_update().filter(pk__in=proposals).exclude(state=state)
    deployments = list(proposed.values_list("pk", flat=True))
    is_open = state == ProposedRollback.State.PROPOSED
    ProposedRollback.objects.filter(pk__in=deployments).update(
        state=state, decided_by="" if is_open else by, decided_at=None if is_open else timezone.now()
    )
    relink_deployments(deployments)
    append_record_days(Kind.DEPLOYMENT, deployments)
    return len(deployments)
