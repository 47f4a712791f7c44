"""Missing inputs of DORA's five metrics, judged by stored facts and not by configuration."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Exists, OuterRef, Q
from django.utils import timezone

from integrations.delivery.mappings.unconfirmed import WithoutProduction, names_in_use, repositories_without_production
from integrations.enums import Environment, RunStatus
from integrations.models import Commit, Deployment, Incident, PullRequest, WorkItem, WorkItemLink

MERGES_LOOKED_AT = 1000  # the latest ones: the share that is linked today, not years ago
ENVIRONMENTS_NAMED = 3
RECENT = timedelta(days=90)  # a pipeline that has not run for longer may be gone


@dataclass(frozen=True, slots=True)
class Completeness:
    """The inputs present for lead time, deployment frequency, change failure rate, recovery time and idea to
    production.

    Times are None if there is no such fact.  `other_environments` are the provider's names of environments, set if no
    deployment went to production; `linked` of the `merges` examined name a known work item.
    """

    has_commits: bool
    last_merge_at: datetime | None
    merges: int
    linked: int
    has_deployments: bool
    last_production_at: datetime | None
    other_environments: Sequence[str]
    without_production: Sequence[WithoutProduction]
    last_incident_at: datetime | None
    has_repairs: bool  # rollbacks or fixes, which also indicate failures
    has_work_items: bool


def completeness() -> Completeness:
    """Collect the inputs in about eight small queries, whatever the number of facts."""
    known_item = WorkItemLink.objects.filter(pull_request=OuterRef("pk"), work_item__deleted_at=None).exclude(
        work_item=None
    )
    merges = list(
        PullRequest.objects.filter(deleted_at=None, merged_at__isnull=False)
        .order_by("-merged_at")
        .annotate(is_linked=Exists(known_item))
        .values_list("merged_at", "is_linked")[:MERGES_LOOKED_AT]
    )
    deployments = Deployment.objects.filter(deleted_at=None)
    production = deployments.filter(
        environment=Environment.PRODUCTION, status=RunStatus.SUCCESS, finished_at__isnull=False, exclusion_reason=""
    )
    last_production_at = production.order_by("-finished_at").values_list("finished_at", flat=True).first()
    has_deployments = last_production_at is not None or deployments.exists()
    lacks_production = has_deployments and last_production_at is None
    today = timezone.localdate()
    incidents = Incident.objects.filter(deleted_at=None, started_at__isnull=False).order_by("-started_at")
    last_incident_at = incidents.values_list("started_at", flat=True).first()
    repairs = deployments.exclude(Q(rollback_of="") & Q(fixes=[]))
    return Completeness(
        has_commits=Commit.objects.exists(),
        last_merge_at=merges[0][0] if merges else None,
        merges=len(merges),
        linked=sum(is_linked for _, is_linked in merges),
        has_deployments=has_deployments,
        last_production_at=last_production_at,
        other_environments=_environments() if lacks_production else (),
        without_production=repositories_without_production(names_in_use(today - RECENT, today + timedelta(days=1))),
        last_incident_at=last_incident_at,
        has_repairs=last_incident_at is None and repairs.exists(),
        has_work_items=WorkItem.objects.filter(deleted_at=None).exists(),
    )


def _environments() -> list[str]:
    """The provider's names of environments that were deployed to, the most frequent first."""
    named = Deployment.objects.filter(deleted_at=None).exclude(native_environment="")
    by_number = named.values_list("native_environment").annotate(number=Count("pk")).order_by("-number")
    return [name for name, _ in by_number[:ENVIRONMENTS_NAMED]]
