"""Recomputes everything that depends on the repositories of records, after a join has moved many of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import LiteralString

from core import sql
from integrations.delivery.deployments_of_runs import recompute_deployments_in
from integrations.delivery.linking.commit_positions import place_repository
from integrations.delivery.linking.failures import recompute_failures
from integrations.delivery.linking.pushes import recompute_pushes
from integrations.delivery.linking.relink import relink_deployments, relink_incidents, relink_whole_repository
from integrations.delivery.linking.rollbacks import propose_rollbacks_in
from integrations.delivery.linking.service_paths import recompute_touched_services_in
from integrations.delivery.pipeline_runs.figures import recompute_run_figures
from integrations.delivery.pull_requests.figures import recompute_figures
from integrations.delivery.rollouts.recompute import recompute_rollouts_in
from integrations.models import Deployment, Incident, PipelineRun, PlacingWork, PullRequest, Repository

# Figures keep the repository of their record.
_FIGURES: tuple[LiteralString, ...] = (
    """
    UPDATE integrations_pullrequestfigures figures SET repository_id = pull_request.repository_id
    FROM integrations_pullrequest pull_request
    WHERE pull_request.id = figures.pull_request_id AND pull_request.repository_id = ANY (%(repositories)s)
      AND figures.repository_id <> pull_request.repository_id
    """,
    """
    UPDATE integrations_pipelinerunfigures figures SET repository_id = run.repository_id
    FROM integrations_pipelinerun run
    WHERE run.id = figures.run_id AND run.repository_id = ANY (%(repositories)s)
      AND figures.repository_id <> run.repository_id
    """,
    """
    UPDATE integrations_workitemfigures figures SET repository_id = project.repository_id
    FROM integrations_workitem item
    JOIN integrations_project project ON project.id = item.project_id
    WHERE item.id = figures.work_item_id AND project.repository_id = ANY (%(repositories)s)
      AND figures.repository_id IS DISTINCT FROM project.repository_id
    """,
)
_SESSIONS: LiteralString = """
    SELECT session_id FROM integrations_sessionshare WHERE repository_id = ANY (%(repositories)s)
    UNION
    SELECT session_id FROM integrations_pullrequestshare WHERE repository_id = ANY (%(repositories)s)
    UNION
    SELECT id FROM integrations_agentsession WHERE repository_id = ANY (%(repositories)s)
"""


def sessions_in(repositories: Sequence[int]) -> set[int]:
    """The ids of sessions that have a part in these repositories."""
    return sql.ids(_SESSIONS, {"repositories": list(repositories)})


def relink_joined(repositories: Sequence[Repository]) -> None:
    """Recompute figures and links of all records of these repositories.  Idempotent."""
    ids = [repository.pk for repository in repositories]
    for statement in _FIGURES:
        sql.execute(statement, {"repositories": ids})
    PlacingWork.objects.filter(repository__in=ids).delete()
    for repository in repositories:
        place_repository(repository)
    recompute_deployments_in(ids)
    deployments = set(Deployment.objects.filter(repository__in=ids).values_list("pk", flat=True))
    relink_deployments(recompute_rollouts_in(ids) | deployments)
    for id_ in ids:
        propose_rollbacks_in(id_)
        recompute_touched_services_in(id_)
        relink_whole_repository(id_)
    recompute_failures(deployments=deployments)
    relink_incidents(set(Incident.objects.filter(repository__in=ids).values_list("pk", flat=True)))
    recompute_pushes(ids)
    recompute_run_figures(PipelineRun.objects.filter(repository__in=ids).values_list("pk", flat=True))
    recompute_figures(PullRequest.objects.filter(repository__in=ids).values_list("pk", flat=True))
