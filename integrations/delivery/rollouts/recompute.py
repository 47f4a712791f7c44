"""Recomputes the outcomes of stored deployments from their statuses, and their grouping into rollouts."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, LiteralString

from core import sql
from integrations.delivery.changed_days import append_record_days, days_of
from integrations.delivery.mappings.effective import value_mappings_by_connection
from integrations.delivery.mappings.environments import default_environment, only_prepares, task_rolls_out
from integrations.delivery.rollouts.grouping import Part, Report, repeated_reports, representatives
from integrations.delivery.rollouts.outcomes import WAITING, Outcome, Status, outcomes
from integrations.enums import CHANGE_REQUEST, Environment, Kind, RunStatus
from integrations.facts.working_agreements import AGREED, NEAREST_FIRST, of_owner
from integrations.models import DeploymentExclusion, DeploymentStatus, RepeatedReport
from orgtree.models import Organisation

Mark = tuple[str, int | None, datetime | None]

_SET: LiteralString = """
    UPDATE integrations_deployment stored
    SET status = outcome.status, native_status = outcome.native_status, started_at = outcome.started_at,
        finished_at = outcome.finished_at, run = outcome.run, job = outcome.job
    FROM unnest(%(ids)s::bigint[], %(statuses)s::text[], %(natives)s::text[], %(starts)s::timestamptz[],
                %(finishes)s::timestamptz[], %(runs)s::text[], %(jobs)s::text[])
         AS outcome (id, status, native_status, started_at, finished_at, run, job)
    WHERE stored.id = outcome.id
      AND (stored.status, stored.native_status, stored.started_at, stored.finished_at, stored.run, stored.job)
          IS DISTINCT FROM (outcome.status, outcome.native_status, outcome.started_at, outcome.finished_at,
                            outcome.run, outcome.job)
    RETURNING stored.id
"""
_AGAIN = (
    *("connection_id", "external_id", "repository_id", "service", "environment", "native_environment", "status"),
    *("native_status", "named_sha", "sha", "ref", "url", "deployed_by_id", "created_at", "started_at", "finished_at"),
    *("run", "job", "deleted_at", "task", "is_production", "is_transient", "activation_of_id"),
)
_COLUMNS = ", ".join(_AGAIN)
_PUT_AGAIN = f"""
    WITH again AS (
        SELECT base.connection_id, left(base.external_id, 170) || '@' ||
               to_char(outcome.finished_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS external_id,
               base.repository_id, base.service, base.environment, base.native_environment, outcome.status,
               outcome.native_status, base.named_sha, base.sha, base.ref, base.url, base.deployed_by_id,
               coalesce(outcome.started_at, outcome.finished_at) AS created_at, outcome.started_at,
               outcome.finished_at, outcome.run, outcome.job, base.deleted_at, base.task,
               base.is_production, base.is_transient, base.id AS activation_of_id
        FROM unnest(%(ids)s::bigint[], %(statuses)s::text[], %(natives)s::text[], %(starts)s::timestamptz[],
                    %(finishes)s::timestamptz[], %(runs)s::text[], %(jobs)s::text[])
             AS outcome (id, status, native_status, started_at, finished_at, run, job)
        JOIN integrations_deployment base ON base.id = outcome.id
    ), gone AS (
        DELETE FROM integrations_deployment stored
        WHERE stored.activation_of_id = ANY (%(bases)s)
          AND stored.external_id NOT IN (SELECT external_id FROM again)
        RETURNING stored.id
    ), put AS (
        INSERT INTO integrations_deployment AS stored ({_COLUMNS}) SELECT {_COLUMNS} FROM again
        {sql.update_changed("connection_id, external_id", _AGAIN)}
        RETURNING stored.id
    )
    SELECT id FROM gone UNION SELECT id FROM put
"""  # noqa: S608  # constants of this module
_OF_THESE: LiteralString = f"""
    deployment.repository_id IN (
        SELECT repository_id FROM integrations_deployment WHERE id = ANY (%(deployments)s)
        UNION
        SELECT repository_id FROM integrations_deployment WHERE part_of_id = ANY (%(deployments)s)
    ) AND (deployment.task = '{CHANGE_REQUEST}' OR (deployment.repository_id, deployment.service) IN (
        SELECT repository_id, service FROM integrations_deployment WHERE id = ANY (%(deployments)s)
        UNION
        SELECT part.repository_id, part.service FROM integrations_deployment part
        WHERE part.part_of_id = ANY (%(deployments)s)
        UNION
        SELECT other.repository_id, other.service FROM integrations_deployment other
        WHERE other.repository_id IN (
            SELECT other.repository_id FROM integrations_deployment other
            WHERE other.environment = 'production' AND other.repository_id IN (
                SELECT repository_id FROM integrations_deployment WHERE id = ANY (%(deployments)s)
            )
            GROUP BY other.repository_id HAVING min(other.connection_id) < max(other.connection_id)
        )
    ))
"""  # noqa: S608  # constants of this module
_OF_REPOSITORIES: LiteralString = "deployment.repository_id = ANY (%(repositories)s)"
_EVERYTHING: LiteralString = "true"
_MARK: LiteralString = """
    UPDATE integrations_deployment stored
    SET exclusion_reason = marked.reason, part_of_id = marked.part_of, rollout_started_at = marked.started_at
    FROM unnest(%(ids)s::bigint[], %(reasons)s::text[], %(parts_of)s::bigint[], %(starts)s::timestamptz[])
         AS marked (id, reason, part_of, started_at)
    WHERE stored.id = marked.id
"""
# What deploys reports the deployments of a change request's service as well, if either names no service: of the
# repository.
_OF_THE_SAME: LiteralString = f"""
    other.repository_id = deployment.repository_id AND other.task <> '{CHANGE_REQUEST}'
    AND (other.service = deployment.service OR other.service = '' OR deployment.service = '')
    AND other.environment = 'production' AND other.deleted_at IS NULL AND other.finished_at IS NOT NULL
    AND other.status IN ('success', 'failure')
"""
# Such a change request stands for the last rollout that ended while it was implemented, or within the gap afterwards.
_STAND_FOR: LiteralString = """
    UPDATE integrations_deployment stored SET part_of_id = meant.rollout
    FROM (
        SELECT deployment.id, (
            SELECT other.id FROM integrations_deployment other
            WHERE {of_the_same} AND other.exclusion_reason = ''
              AND other.finished_at BETWEEN coalesce(deployment.started_at, deployment.finished_at) - %(gap)s::interval
                                        AND deployment.finished_at + %(gap)s::interval
            ORDER BY other.finished_at DESC, other.id DESC LIMIT 1
        ) AS rollout
        FROM integrations_deployment deployment
        WHERE deployment.exclusion_reason = 'change' AND {scope}
    ) AS meant
    WHERE stored.id = meant.id AND stored.part_of_id IS DISTINCT FROM meant.rollout
    RETURNING stored.id
"""
# Only finished deployments to production are parts of rollouts.
_UNMARK: LiteralString = """
    UPDATE integrations_deployment deployment
    SET exclusion_reason = '', part_of_id = NULL, rollout_started_at = NULL
    WHERE (deployment.exclusion_reason <> '' OR deployment.rollout_started_at IS NOT NULL) AND {scope} AND NOT (
        deployment.environment = 'production' AND deployment.deleted_at IS NULL
        AND deployment.finished_at IS NOT NULL AND deployment.status IN ('success', 'failure')
    )
    RETURNING deployment.id
"""


def recompute_outcomes(deployments: Collection[int]) -> tuple[set[int], set[int]]:
    """Recompute these deployments from their statuses; return those that changed, and reactivated deployments.

    The days of the latter are appended here; the caller appends those of the former.  A deployment whose source sends
    no statuses keeps the source's own outcome; one whose statuses have not arrived yet waits.
    """
    statuses = _statuses_that_count(deployments)
    own: dict[int, Outcome] = {}
    again: list[tuple[int, Outcome]] = []
    for deployment, of_deployment in statuses.items():
        if not of_deployment:
            own[deployment] = WAITING
            continue
        first, *others = outcomes(of_deployment)
        own[deployment] = first
        again.extend((deployment, other) for other in others)
    own |= dict.fromkeys(_without_statuses(deployments) - own.keys(), WAITING)
    if not own:
        return set(), set()
    changed = _write(_SET, own.items())
    active = _activations_of(own)
    if not active and not again:
        return changed, set()
    before = days_of(Kind.DEPLOYMENT, active)
    made_active = _write(_PUT_AGAIN, again, bases=list(own))
    append_record_days(Kind.DEPLOYMENT, made_active, before)
    return changed, made_active


def _statuses_that_count(deployments: Collection[int]) -> Mapping[int, Sequence[Status]]:
    """The statuses of each deployment that has any, for the environment that counts: a promoted one has several."""
    statuses: dict[int, list[Status]] = {}
    rows = list(
        DeploymentStatus.objects.filter(deployment__in=sorted(deployments)).values_list(
            *("deployment", "deployment__connection", "deployment__environment", "deployment__native_environment"),
            *("deployment__is_production", "environment", "at", "status", "native_status", "run", "job"),
        )
    )
    mappings = value_mappings_by_connection({row[1] for row in rows})
    for deployment, connection, counts, native, is_production, named, *of_status in rows:
        own_word = named in ("", native)
        meant = mappings[connection].of_reported(native if own_word else named, is_production if own_word else None)
        of_deployment = statuses.setdefault(deployment, [])
        if meant == counts:
            at, status, native_status, run, job = of_status
            of_deployment.append(Status(at, RunStatus(status), native_status, run, job))
    return statuses


def recompute_rollouts(deployments: Collection[int]) -> set[int]:
    """Regroup the deployments of these deployments' services into rollouts; return those that changed.  Appends their
    days.
    """
    return _regroup(_OF_THESE, {"deployments": sorted(deployments)}) if deployments else set()


def recompute_rollouts_in(repositories: Collection[int]) -> set[int]:
    """Regroup all deployments in these repositories into rollouts; return those that changed."""
    return _regroup(_OF_REPOSITORIES, {"repositories": sorted(repositories)}) if repositories else set()


def recompute_all_rollouts() -> set[int]:
    """Regroup all deployments into rollouts; return those that changed."""
    return _regroup(_EVERYTHING, {})


def deployments_naming(runs: Collection[int]) -> set[int]:
    """Deployments that name these pipeline runs."""
    return sql.ids(
        """
        SELECT deployment.id FROM integrations_pipelinerun run
        JOIN integrations_deployment deployment
             ON deployment.sha = run.sha AND deployment.run = run.run AND deployment.run <> ''
             AND deployment.repository_id = run.repository_id
        WHERE run.id = ANY (%s) AND run.sha <> ''
        """,
        [sorted(runs)],
    )


def _parts(scope: LiteralString) -> LiteralString:
    """A row per finished deployment to production in the scope, by repository and service.

    A successful run that was run again was another rollout: the number of earlier successes tells them apart.
    """
    return f"""
        WITH agreed AS MATERIALIZED (SELECT * FROM ({AGREED}) AS agreed WHERE agreed.rollout_gap_minutes IS NOT NULL)
        SELECT deployment.repository_id, repository.name, deployment.service, deployment.connection_id, deployment.id,
               deployment.external_id,
               deployment.native_environment, deployment.sha,
               CASE WHEN coalesce(own_run.run, nullif(deployment.run, '')) IS NOT NULL THEN
                   coalesce(own_run.run, deployment.run) || ' ' || (
                       SELECT count(*) FROM integrations_pipelinerun earlier
                       WHERE earlier.repository_id = deployment.repository_id
                         AND earlier.sha = coalesce(own_run.sha, named.sha) AND earlier.sha <> ''
                         AND earlier.run = coalesce(own_run.run, deployment.run)
                         AND earlier.attempt < coalesce(own_run.attempt, named.attempt) AND earlier.status = 'success'
                   )
                   ELSE '' END,
               coalesce(deployment.started_at, deployment.finished_at), deployment.finished_at,
               deployment.status = 'success', deployment.rollback_of || array_to_string(deployment.fixes, ' '),
               deployment.parent, coalesce(own_run.attempt, named.attempt, 0),
               (SELECT make_interval(mins => agreed.rollout_gap_minutes) FROM agreed
                WHERE {of_owner("deployment")} ORDER BY {NEAREST_FIRST} LIMIT 1),
               CASE WHEN deployment.pipeline_run_id IS NULL THEN coalesce(named.job, named.run_name, '') ELSE '' END,
               deployment.task, deployment.native_environment, deployment.is_transient IS TRUE AND NOT EXISTS (
                   SELECT FROM integrations_meaning decided
                   WHERE decided.connection_id = deployment.connection_id AND decided.subject = 'environment'
                     AND decided.word = deployment.native_environment
               ),
               deployment.task = '{CHANGE_REQUEST}'
                   AND EXISTS (SELECT FROM integrations_deployment other WHERE {_OF_THE_SAME}),
               deployment.exclusion_reason, deployment.part_of_id, deployment.rollout_started_at
        FROM integrations_deployment deployment
        JOIN integrations_repository repository ON repository.id = deployment.repository_id
        LEFT JOIN integrations_pipelinerun own_run ON own_run.id = deployment.pipeline_run_id
        LEFT JOIN LATERAL (
            SELECT run.sha, run.attempt, job.name AS job, CASE WHEN job.id IS NULL THEN run.name END AS run_name
            FROM integrations_pipelinerun run
            LEFT JOIN integrations_pipelinejob job ON job.run_id = run.id AND job.external_id = deployment.job
            WHERE deployment.run <> '' AND run.repository_id = deployment.repository_id AND run.sha = deployment.sha
              AND deployment.sha <> '' AND run.run = deployment.run AND run.deleted_at IS NULL
            ORDER BY job.id IS NULL, run.attempt LIMIT 1
        ) AS named ON deployment.pipeline_run_id IS NULL
        WHERE deployment.environment = 'production' AND deployment.deleted_at IS NULL AND {scope}
          AND deployment.finished_at IS NOT NULL AND deployment.status IN ('success', 'failure')
        ORDER BY deployment.repository_id, deployment.service
    """  # noqa: S608  # constants of this module and of facts/working_agreements.py


def _regroup(scope: LiteralString, params: dict[str, Any]) -> set[int]:
    gap = timedelta(minutes=Organisation.current().rollout_gap_minutes)
    marks: list[tuple[int, *Mark]] = []
    changed = sql.ids(_UNMARK.format(scope=scope), params)
    parts = sql.rows(_parts(scope), params)
    noted = _noted_in(scope, params)
    for repository, rows in groupby(parts, key=lambda row: row[0]):
        marks.extend(_marks_of_repository(repository, list(rows), gap, noted.pop(repository, ())))
    _forget(one for left in noted.values() for one in left)
    ids, reasons, parts_of, starts = zip(*marks, strict=True) if marks else ((), (), (), ())
    if marks:
        sql.execute(
            _MARK, {"ids": list(ids), "reasons": list(reasons), "parts_of": list(parts_of), "starts": list(starts)}
        )
    changed = changed.union(ids)
    if any(is_change for *_, is_change, _, _, _ in parts):
        changed |= sql.ids(_STAND_FOR.format(of_the_same=_OF_THE_SAME, scope=scope), {**params, "gap": gap})
    append_record_days(Kind.DEPLOYMENT, changed)
    return changed


def _marks_of_repository(
    repository: int, rows: Sequence[tuple[Any, ...]], gap: timedelta, noted: Sequence[RepeatedReport]
) -> Iterator[tuple[int, *Mark]]:
    """The marks of each changed deployment: why it does not count by itself, its representative, and the start of its
    rollout.
    """
    stored: dict[int, Mark] = {}
    excluded: dict[int, DeploymentExclusion] = {}
    reports: list[Report] = []
    for row in rows:
        service, connection, *of_part, name, task, environment, is_transient, is_change = row[2:-3]
        part = Part(*of_part)
        stored[part.id] = row[-3:]
        if not task_rolls_out(task) or (name and only_prepares(name)):
            excluded[part.id] = DeploymentExclusion.PREPARES
        elif is_transient and default_environment(environment) != Environment.PRODUCTION:
            excluded[part.id] = DeploymentExclusion.TRANSIENT
        elif is_change:
            excluded[part.id] = DeploymentExclusion.CHANGE
        else:
            reports.append(Report(part, connection, service))
    repeated = _once(repository, reports, repeated_reports(reports, gap, rows[0][1]), noted)
    starts: dict[int, datetime] = {}
    counted_by: dict[int, int] = {}
    for _, of_service in groupby(reports, key=lambda report: report.service):
        parts = [report.part for report in of_service if report.part.id not in repeated]
        counted_by.update(representatives(parts, gap))
    counted_by |= {id_: counted_by[other] for id_, other in repeated.items()}
    for report in reports:
        part, rollout = report.part, counted_by[report.part.id]
        starts[rollout] = min(part.started_at, part.finished_at, starts.get(rollout, part.started_at))
    for id_, before in stored.items():
        if id_ in excluded:
            reason = excluded[id_].value
            now: Mark = (reason, before[1] if before[0] == reason else None, None)  # else: what it stands for
        elif counted_by[id_] != id_:
            now = (DeploymentExclusion.PART.value, counted_by[id_], None)
        else:
            now = ("", None, starts[id_])
        if now != before:
            yield id_, *now


def _noted_in(scope: LiteralString, params: dict[str, Any]) -> dict[int, list[RepeatedReport]]:
    """The notes on the repositories in the scope, including those that have no deployments any more."""
    noted: dict[int, list[RepeatedReport]] = {}
    repositories = f"SELECT deployment.repository_id FROM integrations_deployment deployment WHERE {scope}"  # noqa: S608
    for known in RepeatedReport.objects.filter(kind=Kind.DEPLOYMENT).exclude(repository=None):
        noted.setdefault(known.repository_id or 0, []).append(known)
    if noted and scope != _EVERYTHING:
        concerned = sql.ids(repositories, params).union(params.get("repositories", ()))
        noted = {repository: known for repository, known in noted.items() if repository in concerned}
    return noted


def _once(
    repository: int, reports: Sequence[Report], found: Mapping[int, Report], noted: Sequence[RepeatedReport]
) -> dict[int, int]:
    """Part → the part of another connection that counts in its place, except where an admin counts the connections
    apart.

    Notes which connections repeat each other's reports, and deletes the notes of those that no longer do.
    """
    connections = {report.part.id: report.connection for report in reports}
    finishes = {report.part.id: report.part.finished_at for report in reports}
    pairs: dict[tuple[int, int], list[datetime]] = {}
    for id_, other in found.items():
        pairs.setdefault((connections[id_], other.connection), []).append(finishes[id_])
    known = {(one.connection_id, one.reported_by_id): one for one in noted}
    for pair, times in pairs.items():
        values = {"records": len(times), "last_at": max(times)}
        before = known.get(pair)
        if before is None:
            RepeatedReport.objects.create(
                kind=Kind.DEPLOYMENT, repository_id=repository, connection_id=pair[0], reported_by_id=pair[1], **values
            )
        elif any(getattr(before, name) != value for name, value in values.items()):
            RepeatedReport.objects.filter(pk=before.pk).update(**values)
    _forget(one for pair, one in known.items() if pair not in pairs)
    apart = {pair for pair, one in known.items() if one.state == RepeatedReport.State.APART}
    once = {id_: other.part.id for id_, other in found.items() if (connections[id_], other.connection) not in apart}
    for id_, other_id in once.items():
        while other_id in once:
            other_id = once[other_id]  # noqa: PLW2901  # that report is a repeat itself
        once[id_] = other_id
    return once


def _forget(noted: Iterable[RepeatedReport]) -> None:
    """Delete notes that no longer hold; a decision to count apart stays, for later reports."""
    gone = [one.pk for one in noted if one.state != RepeatedReport.State.APART]
    if gone:
        RepeatedReport.objects.filter(pk__in=gone).delete()


def _without_statuses(deployments: Collection[int]) -> set[int]:
    """Deployments whose source says that they have no statuses, or no longer have any:
    integrations/intake/record_updates.py.
    """
    return sql.ids(
        """
        SELECT id FROM integrations_deployment deployment
        WHERE id = ANY (%s) AND pipeline_run_id IS NULL AND activation_of_id IS NULL AND updated_at IS NOT NULL
          AND (NOT tellings ? 'statuses' OR tellings ->> 'statuses' IS NOT NULL)
          AND NOT EXISTS (SELECT FROM integrations_deploymentstatus WHERE deployment_id = deployment.id)
        """,
        [sorted(deployments)],
    )


def _activations_of(deployments: Iterable[int]) -> set[int]:
    return sql.ids("SELECT id FROM integrations_deployment WHERE activation_of_id = ANY (%s)", [sorted(deployments)])


def _write(statement: str, outcomes_of: Iterable[tuple[int, Outcome]], **params: Any) -> set[int]:
    rows = list(outcomes_of)
    return sql.ids(
        statement,
        {
            "ids": [id_ for id_, _ in rows],
            "statuses": [str(outcome.status) for _, outcome in rows],
            "natives": [outcome.native_status for _, outcome in rows],
            "starts": [outcome.started_at for _, outcome in rows],
            "finishes": [outcome.finished_at for _, outcome in rows],
            "runs": [outcome.run for _, outcome in rows],
            "jobs": [outcome.job for _, outcome in rows],
            **params,
        },
    )
