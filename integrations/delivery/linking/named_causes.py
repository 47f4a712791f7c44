"""Explains to the sender why the deployment that an incident names as its cause does not count."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import LiteralString, NamedTuple

from core import sql
from integrations.enums import Environment, RunStatus

# Deployments of any connection with the name that an unlinked incident gives.
_NAMED: LiteralString = """
    SELECT incident.id, incident.caused_by, named.connection_id = incident.connection_id, named.deleted_at IS NOT NULL,
           coalesce(nullif(named.native_environment, ''), named.environment), named.environment, named.status,
           named.finished_at IS NOT NULL, named.exclusion_reason = 'prepares', named.exclusion_reason = 'change',
           rollout.started_at > incident.started_at AND rollout.rollout_started_at > incident.started_at
    FROM integrations_incident incident
    LEFT JOIN (
        integrations_connection connection
        JOIN integrations_deployment named ON named.connection_id = connection.id
        JOIN integrations_deployment rollout ON rollout.id = coalesce(named.part_of_id, named.id)
    ) ON named.external_id = incident.caused_by
    WHERE incident.id = ANY (%(incidents)s) AND incident.caused_by <> '' AND incident.deleted_at IS NULL
      AND NOT EXISTS (SELECT FROM integrations_deploymentfailure WHERE incident_id = incident.id)
      AND incident.duplicate_of_id IS NULL
"""


class _Named(NamedTuple):
    name: str
    is_own: bool | None  # whether it belongs to the incident's connection; None: there is no such deployment
    is_deleted: bool
    native_environment: str
    environment: str
    status: str
    is_finished: bool
    only_prepares: bool
    is_change: bool
    is_later: bool | None  # whether it is known to have begun after the incident


def uncounted_causes(incidents: Collection[int]) -> Mapping[int, str]:
    """Incident → reason why the deployment in its `caused_by` does not count; incidents whose cause counts are left
    out.
    """
    if not incidents:
        return {}
    by_incident: dict[int, list[_Named]] = defaultdict(list)
    for incident, *named in sql.rows(_NAMED, {"incidents": sorted(incidents)}):
        by_incident[incident].append(_Named(*named))
    return {incident: _reason(named) for incident, named in by_incident.items()}


def _reason(found: Sequence[_Named]) -> str:
    present = [named for named in found if named.is_own is not None and not named.is_deleted]
    own = [named for named in present if named.is_own] or present
    name = found[0].name
    if not own:
        if any(named.is_deleted for named in found):
            return f"Deployment {name!r} was deleted."
        return f"No deployment with the id {name!r} is known yet. The incident counts against it once it arrives."
    if len(own) > 1:
        return f"{len(own)} deployments of other connections have the id {name!r}."
    return _reason_of(own[0])


def _reason_of(named: _Named) -> str:
    name = named.name
    if named.environment != Environment.PRODUCTION:
        return f"Deployment {name!r} went to {named.native_environment}, which is not production."
    if named.only_prepares:
        return f"Deployment {name!r} only plans or migrates."
    if named.is_change:
        return f"Nothing was deployed while change request {name!r} was implemented."
    if not named.is_finished or named.status in (RunStatus.RUNNING, RunStatus.QUEUED):
        return f"Deployment {name!r} has not finished. The incident counts against it once it has."
    if named.is_later and named.status in (RunStatus.SUCCESS, RunStatus.FAILURE):
        return f"Deployment {name!r} began after the incident."
    return f"Deployment {name!r} neither succeeded nor failed: its status is {named.status}."
