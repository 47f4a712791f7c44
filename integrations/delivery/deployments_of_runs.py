"""Deployments derived from pipeline runs: runs of pipelines that deploy, by their name or an admin's mapping."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from core import sql
from integrations.delivery.changed_days import append_record_days, days_of
from integrations.delivery.linking.corrections import grounds_of, relink_corrected
from integrations.delivery.linking.relink import relink_deployments
from integrations.delivery.linking.unlink import UnlinkedRecords
from integrations.delivery.mappings.effective import Subject, ValueMappings, value_mappings_of
from integrations.delivery.mappings.mapped_columns import ENVIRONMENT, recompute_mapped_column
from integrations.delivery.rollouts.recompute import recompute_outcomes
from integrations.enums import Kind
from integrations.models import Connection, Deployment, PipelineRun

# Column of the deployment → of the run that it is.
_COLUMNS: Mapping[str, str] = {
    "repository_id": "repository_id",
    "environment": "environment",
    "native_environment": "name::varchar(200)",
    "status": "status",
    "native_status": "native_status",
    "sha": "sha",
    "ref": "branch",
    "url": "url",
    "deployed_by_id": "started_by_id",
    "created_at": "queued_at",
    "started_at": "started_at",
    "finished_at": "finished_at",
    "pipeline_run_id": "id",
}
_NAMES = ", ".join(_COLUMNS)
_OF_RUNS = "run.id = ANY (%(runs)s)"
_OF_REPOSITORIES = "run.repository_id = ANY (%(repositories)s)"
_OF_NAME = "run.name = %(name)s"
# A pull request's own runs deploy previews of it.  A source's own deployments replace those guessed from its runs: to
# the same environment, and of the same service (a run names none) or of the same commit.
_RECOMPUTE = f"""
    WITH selected AS (
        SELECT run.*, meant.environment, meant.decided
        FROM integrations_pipelinerun run
        LEFT JOIN unnest(%(names)s::text[], %(environments)s::text[], %(decided)s::boolean[])
             AS meant (name, environment, decided) ON meant.name = run.name
        WHERE run.connection_id = %(connection)s AND {{scope}}
    ), deploying AS (
        SELECT * FROM selected
        WHERE environment IS NOT NULL AND deleted_at IS NULL
          AND (decided OR (
              trigger NOT LIKE 'pull~_request%%' ESCAPE '~' AND NOT EXISTS (
                  SELECT FROM integrations_deployment own
                  WHERE own.repository_id = selected.repository_id AND own.pipeline_run_id IS NULL
                    AND own.deleted_at IS NULL AND own.environment = selected.environment
                    AND (own.service = '' OR own.sha <> '' AND own.sha = selected.sha
                         OR own.run <> '' AND own.run = selected.run)
              )
          ))
    ), gone AS (
        DELETE FROM integrations_deployment deployment USING selected
        WHERE deployment.pipeline_run_id = selected.id AND selected.id NOT IN (SELECT id FROM deploying)
        RETURNING deployment.id
    ), put AS (
        INSERT INTO integrations_deployment AS stored (connection_id, external_id, {_NAMES})
        SELECT connection_id, ('run:' || external_id)::varchar(200), {", ".join(_COLUMNS.values())} FROM deploying
        {sql.update_changed("connection_id, external_id", _COLUMNS)}
        RETURNING id
    )
    SELECT id FROM gone UNION SELECT id FROM put
"""  # noqa: S608  # constants of this module


def recompute_deployments_of(connection: Connection, meanings: ValueMappings, runs: Iterable[int]) -> int:
    """Turn exactly those of these runs into deployments whose names are mapped to one; how many changed."""
    return _recompute(connection, meanings, _OF_RUNS, {"runs": sorted(runs)})


def recompute_deployments_named(connection: Connection, meanings: ValueMappings, name: str) -> int:
    """As above, for all the connection's runs of this name."""
    return _recompute(connection, meanings, _OF_NAME, {"name": name})


def recompute_deployments_beside(deployments: Iterable[int]) -> int:
    """As above, for runs in the repositories of these deployments: a source's own deployments replace derived ones.

    Nearly always nothing changes: only the first deployment to an environment, and the last, matter.
    """
    rows = sql.rows(
        """
        SELECT DISTINCT touched.repository_id
        FROM (
            SELECT DISTINCT repository_id, unnest(ARRAY[environment, 'production']) AS environment
            FROM integrations_deployment WHERE id = ANY (%(ids)s)
        ) AS touched
        WHERE EXISTS (
            SELECT FROM integrations_deployment derived
            WHERE derived.repository_id = touched.repository_id AND derived.environment = touched.environment
              AND derived.pipeline_run_id IS NOT NULL
        ) OR NOT EXISTS (
            SELECT FROM integrations_deployment own
            WHERE own.repository_id = touched.repository_id AND own.environment = touched.environment
              AND own.service = '' AND own.pipeline_run_id IS NULL AND own.deleted_at IS NULL
              AND own.id <> ALL (%(ids)s)
        )
        """,
        {"ids": sorted(deployments)},
    )
    return recompute_deployments_in(row[0] for row in rows)


def recompute_deployments_in(repositories: Iterable[int]) -> int:
    """As above, for all runs in these repositories, of whichever connection."""
    repository_ids = sorted(repositories)
    runs = PipelineRun.objects.filter(repository__in=repository_ids)
    connections = Connection.objects.filter(pk__in=runs.values("connection")) if repository_ids else []
    return sum(
        _recompute(connection, value_mappings_of(connection), _OF_REPOSITORIES, {"repositories": repository_ids})
        for connection in connections
    )


def recompute_all_deployments() -> None:
    """As above, for everything stored, with what names of environments and statuses mean now; without linking.

    Deployments that do not change otherwise keep their links; the caller links everything afterwards.
    """
    for connection in Connection.objects.order_by("pk"):
        meanings = value_mappings_of(connection)
        ids = list(Deployment.objects.filter(connection=connection).values_list("pk", flat=True))
        before = days_of(Kind.DEPLOYMENT, ids)
        changed = recompute_mapped_column(ENVIRONMENT, meanings, ids)
        with_outcome, _ = recompute_outcomes(ids)
        append_record_days(Kind.DEPLOYMENT, changed | with_outcome, before)
    for connection in Connection.objects.order_by("pk"):
        _recompute(connection, value_mappings_of(connection), "true", {})


def _recompute(connection: Connection, meanings: ValueMappings, scope: str, parameters: Mapping[str, Any]) -> int:
    params = {"connection": connection.pk, **parameters}
    rows = sql.rows(
        f"""
        SELECT run.name, array_remove(array_agg(deployment.id), NULL)
        FROM integrations_pipelinerun run
        LEFT JOIN integrations_deployment deployment ON deployment.pipeline_run_id = run.id
        WHERE run.connection_id = %(connection)s AND {scope}
        GROUP BY run.name
        """,  # noqa: S608  # constants of this module
        params,
    )
    meant = {name: environment for name, _ in rows if (environment := meanings.of_deploying(name))}
    stored = {id_ for _, ids in rows for id_ in ids}
    if not meant and not stored:
        return 0
    before, grounds_before = days_of(Kind.DEPLOYMENT, stored), grounds_of(Kind.DEPLOYMENT, stored)
    changed = sql.ids(
        _RECOMPUTE.format(scope=scope),
        {
            **params,
            "names": list(meant),
            "environments": [str(environment) for environment in meant.values()],
            "decided": [meanings.is_decided(Subject.DEPLOYING, name) for name in meant],
        },
    )
    _relink(changed)
    relink_corrected(Kind.DEPLOYMENT, stored, grounds_before)
    append_record_days(Kind.DEPLOYMENT, changed, before)
    return len(changed)


def _relink(changed: set[int]) -> None:
    """Relink the remaining deployments, and what was linked to removed ones."""
    there = set(Deployment.objects.filter(pk__in=changed).values_list("pk", flat=True))
    loose = UnlinkedRecords()
    loose.loosen(Kind.DEPLOYMENT, changed - there)
    relink_deployments(changed)
    loose.relink_rest()
