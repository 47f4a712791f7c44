"""Deployment → the incidents that it caused, and the deployments that repaired it.

An incident that another connection also reports blames one deployment for both reports, and belongs to the service or
repository that either report names.  An incident that names its cause, in either report, blames that deployment, or
none if it is not a finished rollout to production or began after the incident.  Any other incident blames the last
rollout of its service that started before the incident, unless that rollout finished longer ago than the link window.
If the incident or a deployment names no service, they are matched by repository.  A failed rollout may be blamed as
well, because users noticed it.  Only a successful one can be repaired.

A deployment that does not itself say what it fixes or rolls back is a hotfix of the one before it if the working
agreement of its owner says so, by its branch or by the pull request that it deploys.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from typing import Any, LiteralString

from django.db.models import Max

from core import sql
from integrations.facts.delivery import IN_PRODUCTION, LATEST_FIRST, LATEST_START_FIRST, ROLLED_OUT
from integrations.facts.working_agreements import AGREED, NEAREST_FIRST, of_owner
from integrations.models import FactFamily, WorkingAgreement
from integrations.outbox.fact_changes import announce_changes, insert_days
from orgtree.models import Organisation

_STARTED_BEFORE: LiteralString = f"""(
    incident.caused_by = '' AND deployment.rollout_started_at <= incident.started_at AND {ROLLED_OUT}
)"""
# Where nobody says when a rollout began, it may have caused anything.
_MAY_HAVE_CAUSED: LiteralString = """
    (deployment.started_at IS NULL OR deployment.rollout_started_at <= incident.started_at)
"""
# A name refers to a deployment of the record's own connection, else to the only deployment of that name anywhere; a
# part of a rollout represents the rollout.
_NAMED: LiteralString = """
    SELECT coalesce(
        (SELECT coalesce(named.part_of_id, named.id) FROM integrations_deployment named
         WHERE named.connection_id = {by}.connection_id AND named.external_id = {name} AND named.deleted_at IS NULL),
        (SELECT CASE WHEN count(*) = 1 THEN min(coalesce(named.part_of_id, named.id)) END
         FROM integrations_connection
         JOIN integrations_deployment named ON named.connection_id = integrations_connection.id
              AND named.external_id = {name} AND named.deleted_at IS NULL)
    )
"""
# A rollout also takes the blame from a longer one that started before it, for as long as that one could be blamed.
_AFFECTED_INCIDENTS: LiteralString = """
    WITH own AS MATERIALIZED (
        SELECT repository_id, service, finished_at,
               coalesce(rollout_started_at, started_at, finished_at) AS started_at
        FROM integrations_deployment WHERE id = ANY (%(deployments)s) AND finished_at IS NOT NULL
    ), longest AS MATERIALIZED (
        SELECT max(finished_at - rollout_started_at) AS duration FROM integrations_deployment
        WHERE rollout_started_at IS NOT NULL AND (
            repository_id = ANY (ARRAY(SELECT repository_id FROM own))
            OR service = ANY (ARRAY(SELECT service FROM own WHERE service <> ''))
        )
    ), changed AS MATERIALIZED (
        SELECT repository_id, service, started_at,
               finished_at + coalesce(duration, interval '0') + %(longest_window)s::interval AS until
        FROM own CROSS JOIN longest
    )
    SELECT unnest(%(incidents)s::bigint[])
    UNION
    SELECT incident_id FROM integrations_deploymentfailure
    WHERE deployment_id = ANY (%(deployments)s) AND incident_id IS NOT NULL
    UNION
    SELECT incident.id FROM integrations_deployment deployment
    JOIN integrations_incident incident ON incident.caused_by = deployment.external_id AND incident.caused_by <> ''
    WHERE deployment.id = ANY (%(deployments)s)
    UNION
    SELECT incident.id FROM changed
    JOIN integrations_incident incident ON incident.service = changed.service
         AND incident.started_at BETWEEN changed.started_at AND changed.until
    WHERE changed.service <> ''
    UNION
    SELECT incident.id FROM changed
    JOIN integrations_incident incident ON incident.repository_id = changed.repository_id
         AND (incident.service = '' OR changed.service = '')
         AND incident.started_at BETWEEN changed.started_at AND changed.until
    UNION
    SELECT incident.id FROM changed
    JOIN integrations_servicepaths paths ON paths.repository_id = changed.repository_id
    JOIN integrations_incident incident ON incident.service = paths.service AND incident.repository_id IS NULL
         AND incident.started_at BETWEEN changed.started_at AND changed.until
    WHERE changed.service = ''
"""
_AFFECTED_REPAIRS: LiteralString = f"""
    SELECT unnest(%(deployments)s::bigint[])
    UNION
    SELECT repaired_by_id FROM integrations_deploymentfailure
    WHERE deployment_id = ANY (%(deployments)s) AND repaired_by_id IS NOT NULL
    UNION
    SELECT repair.id FROM integrations_deployment named
    JOIN integrations_deployment repair ON repair.rollback_of = named.external_id AND repair.rollback_of <> ''
    WHERE named.id = ANY (%(deployments)s)
    UNION
    SELECT repair.id FROM integrations_deployment named
    JOIN integrations_deployment repair ON repair.fixes @> ARRAY[named.external_id::text]
    WHERE named.id = ANY (%(deployments)s)
    UNION
    SELECT proposed.deployment_id FROM integrations_proposedrollback proposed
    WHERE proposed.rolled_back_id = ANY (%(deployments)s)
    UNION
    SELECT after.id FROM integrations_deployment changed
    CROSS JOIN LATERAL (
        SELECT deployment.id FROM integrations_deployment deployment
        WHERE deployment.repository_id = changed.repository_id AND deployment.service = changed.service
          AND deployment.finished_at >= changed.finished_at AND deployment.id <> changed.id AND {IN_PRODUCTION}
        ORDER BY deployment.finished_at, deployment.id LIMIT 1
    ) AS after
    WHERE changed.id = ANY (%(deployments)s) AND EXISTS (SELECT FROM integrations_workingagreement)
"""  # noqa: S608  # constants of this module
_INCIDENTS_OF: LiteralString = """
    SELECT id FROM integrations_incident WHERE repository_id = ANY (%(repositories)s)
    UNION SELECT id FROM integrations_incident WHERE service = ANY (%(services)s)
    UNION
    SELECT incident.id FROM integrations_servicepaths paths
    JOIN integrations_incident incident ON incident.service = paths.service AND incident.repository_id IS NULL
    WHERE paths.repository_id = ANY (%(repositories)s)
"""
_ALL_INCIDENTS: LiteralString = "SELECT id FROM integrations_incident"
_ALL_REPAIRS: LiteralString = """
    SELECT id FROM integrations_deployment WHERE rollback_of <> ''
    UNION SELECT id FROM integrations_deployment WHERE fixes <> '{}'
    UNION SELECT deployment_id FROM integrations_proposedrollback
    UNION SELECT repaired_by_id FROM integrations_deploymentfailure WHERE repaired_by_id IS NOT NULL
    UNION
    SELECT id FROM integrations_deployment
    WHERE environment = 'production' AND status = 'success' AND EXISTS (SELECT FROM integrations_workingagreement)
"""
_CREATE: LiteralString = """
    CREATE TEMPORARY TABLE IF NOT EXISTS {name} ({columns}) ON COMMIT DELETE ROWS
"""
_TABLES: dict[LiteralString, LiteralString] = {
    "selected_incident": "id bigint PRIMARY KEY",
    "selected_repair": "id bigint PRIMARY KEY",
    "selected_deployment": "id bigint PRIMARY KEY",
    "linked_failure": "deployment_id bigint, method text, incident_id bigint, repaired_by_id bigint",
}
# The production deployment of the same service before a repair.
_BEFORE: LiteralString = f"""
    SELECT deployment.id FROM integrations_deployment deployment
    WHERE deployment.repository_id = repair.repository_id AND deployment.service = repair.service
      AND deployment.finished_at <= repair.finished_at AND deployment.id <> repair.id AND {IN_PRODUCTION}
    ORDER BY {LATEST_FIRST} LIMIT 1
"""  # noqa: S608  # constants of this module
# An incident that repeats another one names its cause for it.
_ADD_COUNTED: LiteralString = """
    INSERT INTO selected_incident
    SELECT duplicate_of_id FROM selected_incident JOIN integrations_incident USING (id)
    WHERE duplicate_of_id IS NOT NULL
    ON CONFLICT DO NOTHING
"""
# A repair says so in any of its parts.
_ADD_PARTS: LiteralString = """
    INSERT INTO selected_repair
    SELECT part_of_id FROM selected_repair JOIN integrations_deployment USING (id) WHERE part_of_id IS NOT NULL
    UNION
    SELECT part.id FROM selected_repair repair
    JOIN integrations_deployment named ON named.id = repair.id
    JOIN integrations_deployment part ON part.part_of_id = coalesce(named.part_of_id, named.id)
    ON CONFLICT DO NOTHING
"""
_MERGED_AS: LiteralString = """
    SELECT pull_request.source_branch, pull_request.labels FROM integrations_pullrequest pull_request
    WHERE pull_request.merge_sha = repair.sha AND repair.sha <> ''
      AND pull_request.repository_id = repair.repository_id AND pull_request.deleted_at IS NULL
"""
# The repository that service paths state a service to be of, if it is one.
_STATED: LiteralString = """
    SELECT min(paths.repository_id) FROM integrations_servicepaths paths
    WHERE paths.service = counted.service HAVING count(*) = 1
"""
_LINK_INCIDENTS: LiteralString = f"""
    WITH agreed AS MATERIALIZED (SELECT * FROM ({AGREED}) AS agreed WHERE agreed.link_window_hours IS NOT NULL)
    INSERT INTO linked_failure
    SELECT blamed.id, CASE WHEN incident.caused_by <> '' THEN 'explicit' ELSE 'window' END, incident.id, NULL
    FROM selected_incident
    JOIN integrations_incident counted ON counted.id = selected_incident.id AND counted.duplicate_of_id IS NULL
    CROSS JOIN LATERAL (
        SELECT counted.id, counted.deleted_at, counted.started_at,
               coalesce(nullif(counted.service, ''), told.service, '') AS service,
               coalesce(counted.repository_id, told.repository_id, ({_STATED})) AS repository_id,
               report.caused_by, report.connection_id
        FROM integrations_incident report
        CROSS JOIN (
            SELECT min(nullif(service, '')) AS service, min(repository_id) AS repository_id
            FROM integrations_incident other WHERE other.duplicate_of_id = counted.id AND other.deleted_at IS NULL
        ) AS told
        WHERE (report.id = counted.id OR report.duplicate_of_id = counted.id) AND report.deleted_at IS NULL
        ORDER BY report.caused_by = '', report.id <> counted.id, report.id LIMIT 1
    ) AS incident
    CROSS JOIN LATERAL (
        SELECT deployment.id FROM integrations_deployment deployment
        WHERE incident.caused_by <> '' AND {ROLLED_OUT} AND {_MAY_HAVE_CAUSED}
          AND deployment.id = ({_NAMED.format(by="incident", name="incident.caused_by")})
        UNION ALL
        SELECT id FROM (
            SELECT deployment.id, deployment.finished_at, deployment.service, deployment.repository_id FROM (
                (SELECT deployment.* FROM integrations_deployment deployment
                 WHERE incident.service <> '' AND deployment.service = incident.service AND {_STARTED_BEFORE}
                 ORDER BY {LATEST_START_FIRST} LIMIT 1)
                UNION ALL
                (SELECT deployment.* FROM integrations_deployment deployment
                 WHERE deployment.repository_id = incident.repository_id
                   AND (incident.service = '' OR deployment.service = '') AND {_STARTED_BEFORE}
                 ORDER BY {LATEST_START_FIRST} LIMIT 1)
            ) AS deployment
            ORDER BY {LATEST_START_FIRST} LIMIT 1
        ) AS before
        WHERE before.finished_at >= incident.started_at - coalesce((
            SELECT agreed.link_window_hours * interval '1 hour' FROM agreed
            WHERE {of_owner("before")}
            ORDER BY {NEAREST_FIRST} LIMIT 1
        ), %(window)s::interval)
    ) AS blamed
    WHERE incident.deleted_at IS NULL AND incident.started_at IS NOT NULL
"""  # noqa: S608  # constants of this module
# The rule of the service's owner, else of the repository's owner: the nearest unit upwards that has a rule.
_IS_HOTFIX_BY_RULE: LiteralString = f"""
    repair.environment = 'production' AND EXISTS (SELECT FROM agreed) AND coalesce((
        SELECT EXISTS (
                   SELECT FROM unnest(agreed.hotfix_branches) AS hotfix (beginning)
                   WHERE starts_with(repair.ref, beginning)
                      OR EXISTS (SELECT FROM ({_MERGED_AS}) AS merged WHERE starts_with(source_branch, beginning))
               ) OR EXISTS (
                   SELECT FROM ({_MERGED_AS}) AS merged WHERE merged.labels && agreed.hotfix_labels::text[]
               )
        FROM agreed
        WHERE {of_owner("repair")}
        ORDER BY {NEAREST_FIRST} LIMIT 1
    ), false)
"""  # noqa: S608  # constants of this module
_LINK_REPAIRS: LiteralString = f"""
    WITH agreed AS MATERIALIZED (
        SELECT * FROM ({AGREED}) AS agreed
        WHERE agreed.hotfix_branches IS NOT NULL OR agreed.hotfix_labels IS NOT NULL
    )
    INSERT INTO linked_failure
    SELECT repairing.deployment_id, max(repairing.method), NULL, rollout.id
    FROM selected_repair
    JOIN integrations_deployment repair USING (id)
    JOIN integrations_deployment rollout ON rollout.id = coalesce(repair.part_of_id, repair.id)
    CROSS JOIN LATERAL (
        SELECT ({_NAMED.format(by="repair", name="repair.rollback_of")}), 'rollback' WHERE repair.rollback_of <> ''
        UNION ALL
        SELECT proposed.rolled_back_id, 'rollback' FROM integrations_proposedrollback proposed
        WHERE proposed.deployment_id = repair.id AND proposed.state = 'confirmed' AND repair.rollback_of = ''
        UNION ALL
        SELECT ({_NAMED.format(by="repair", name="fixed.external_id")}), 'hotfix'
        FROM unnest(repair.fixes) AS fixed (external_id)
        UNION ALL
        SELECT before.id, 'hotfix' FROM ({_BEFORE}) AS before
        WHERE repair.part_of_id IS NULL AND repair.fixes = '{{}}' AND repair.rollback_of = '' AND {_IS_HOTFIX_BY_RULE}
    ) AS repairing (deployment_id, method)
    JOIN integrations_deployment deployment ON deployment.id = repairing.deployment_id AND {IN_PRODUCTION}
    WHERE rollout.status = 'success' AND rollout.finished_at IS NOT NULL AND rollout.deleted_at IS NULL
      AND rollout.environment = 'production' AND rollout.exclusion_reason = '' AND rollout.id <> deployment.id
    GROUP BY repairing.deployment_id, rollout.id
"""  # noqa: S608  # constants of this module
_FORGET: LiteralString = """
    DELETE FROM integrations_deploymentfailure stored
    WHERE (stored.incident_id IN (SELECT id FROM selected_incident)
           OR stored.repaired_by_id IN (SELECT id FROM selected_repair))
      AND NOT EXISTS (
          SELECT FROM linked_failure linked
          WHERE (linked.deployment_id, linked.method) = (stored.deployment_id, stored.method)
            AND (linked.incident_id, linked.repaired_by_id) IS NOT DISTINCT FROM
                (stored.incident_id, stored.repaired_by_id)
      )
    RETURNING stored.deployment_id
"""
_PUT: LiteralString = """
    INSERT INTO integrations_deploymentfailure (deployment_id, method, incident_id, repaired_by_id)
    SELECT * FROM linked_failure
    ON CONFLICT DO NOTHING
    RETURNING deployment_id
"""
_STILL_LINKED: LiteralString = "SELECT deployment_id FROM linked_failure"
_DAYS_OF_CHANGED = """
    SELECT day, day + 1
    FROM changed
    JOIN integrations_deployment deployment ON deployment.id = changed.deployment_id
    CROSS JOIN unnest(ARRAY[deployment.finished_at::date, changed.restored_on]) AS day
"""
_OUTCOME = ("method", "restored_at", "restored_on", "recovery_seconds")
# An unresolved incident keeps its deployment from counting as restored.
_RESTORE = f"""
    WITH outcome AS MATERIALIZED (
        SELECT deployment.id AS deployment_id, summary.method, summary.restored_at,
               summary.restored_at::date AS restored_on,
               CASE WHEN summary.restored_at >= began.at
                    THEN extract(epoch FROM summary.restored_at - began.at)::float8
                    END AS recovery_seconds
        FROM selected_deployment
        JOIN integrations_deployment deployment USING (id)
        JOIN LATERAL (
            SELECT (ARRAY['explicit', 'rollback', 'hotfix', 'window'])[
                       min(array_position(ARRAY['explicit', 'rollback', 'hotfix', 'window'], failure.method::text))
                   ] AS method,
                   CASE WHEN count(incident.id) = 0 THEN min(repair.finished_at)
                        WHEN count(incident.id) = count(incident.resolved_at) THEN max(incident.resolved_at)
                        END AS restored_at,
                   min(incident.started_at) AS noticed_at, count(*) AS failures
            FROM integrations_deploymentfailure failure
            LEFT JOIN integrations_incident incident ON incident.id = failure.incident_id
            LEFT JOIN integrations_deployment repair ON repair.id = failure.repaired_by_id
            WHERE failure.deployment_id = deployment.id
        ) AS summary ON summary.failures > 0
        CROSS JOIN LATERAL (SELECT least(deployment.finished_at, summary.noticed_at) AS at) AS began
    ), before AS MATERIALIZED (
        SELECT stored.deployment_id, stored.restored_on FROM selected_deployment
        JOIN integrations_faileddeployment stored ON stored.deployment_id = selected_deployment.id
        LEFT JOIN outcome USING (deployment_id)
        WHERE outcome.deployment_id IS NULL
           OR (stored.method, stored.restored_at, stored.restored_on, stored.recovery_seconds) IS DISTINCT FROM
              (outcome.method, outcome.restored_at, outcome.restored_on, outcome.recovery_seconds)
    ), gone AS (
        DELETE FROM integrations_faileddeployment stored USING before
        WHERE stored.deployment_id = before.deployment_id
          AND NOT EXISTS (SELECT FROM outcome WHERE outcome.deployment_id = stored.deployment_id)
    ), put AS (
        {sql.upsert("integrations_faileddeployment", "deployment_id", _OUTCOME, "outcome")}
        RETURNING stored.deployment_id, stored.restored_on
    ), changed AS (
        SELECT deployment_id, restored_on FROM before UNION ALL SELECT deployment_id, restored_on FROM put
    ), noted AS (
        {insert_days({FactFamily.DEPLOYMENT: _DAYS_OF_CHANGED})}
    )
    SELECT count(*) FROM changed
"""  # noqa: S608  # constants of this module


def recompute_failures(*, deployments: Collection[int] = (), incidents: Collection[int] = ()) -> None:
    """Recompute which deployments failed, as far as these deployments and incidents are involved."""
    if deployments or incidents:
        _recompute(_AFFECTED_INCIDENTS, _AFFECTED_REPAIRS, sorted(deployments), sorted(incidents))


def recompute_failures_of_services(repositories: Collection[int], services: Collection[str]) -> None:
    """Recompute failures for the incidents of these repositories and services, which a deployment may have left."""
    if repositories or services:
        found = sql.ids(_INCIDENTS_OF, {"repositories": list(repositories), "services": sorted({*services} - {""})})
        recompute_failures(incidents=found)


def recompute_all_failures() -> None:
    """Recompute which deployments failed, for all deployments and incidents."""
    _recompute(_ALL_INCIDENTS, _ALL_REPAIRS, [], [])


def link_window() -> timedelta:
    """The time after a deployment during which an incident without a named cause is attributed to it."""
    return timedelta(hours=Organisation.current().link_window_hours)


def _longest_agreed_window() -> int:
    """The longest window that any unit agreed on, in hours; 0 if there is none."""
    return WorkingAgreement.objects.aggregate(longest=Max("link_window_hours"))["longest"] or 0


def _recompute(
    incidents_of: LiteralString, repairs_of: LiteralString, deployments: list[int], incidents: list[int]
) -> None:
    params: dict[str, Any] = {
        "deployments": deployments,
        "incidents": incidents,
        "window": link_window(),
        "longest_window": max(link_window(), timedelta(hours=_longest_agreed_window())),
    }
    for name, columns in _TABLES.items():
        sql.execute(_CREATE.format(name=name, columns=columns))
        sql.execute(f"TRUNCATE {name}")
    sql.execute(f"INSERT INTO selected_incident {incidents_of}", params)
    sql.execute(f"INSERT INTO selected_repair {repairs_of}", params)
    sql.execute(_ADD_COUNTED)
    sql.execute(_ADD_PARTS)
    sql.execute(_LINK_INCIDENTS, params)
    sql.execute(_LINK_REPAIRS, params)
    concerned = set(deployments)
    for statement in (_FORGET, _STILL_LINKED, _PUT):
        concerned.update(sql.column(statement))
    sql.execute("INSERT INTO selected_deployment SELECT unnest(%s::bigint[])", [sorted(concerned)])
    changed = sql.value(_RESTORE, params)
    if changed:
        announce_changes()
