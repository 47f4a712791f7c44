"""Deletes links together with their records; records that were linked to them are relinked afterwards."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import LiteralString

from core import sql
from integrations.delivery.changed_days import append_record_days
from integrations.delivery.linking.corrections import grounds_of
from integrations.delivery.linking.failures import recompute_failures, recompute_failures_of_services
from integrations.delivery.linking.pushes import recompute_pushes, repositories_with_pushes
from integrations.delivery.linking.relink import (
    place_repositories,
    relink_incidents,
    relink_incidents_of_pairs,
    relink_whole_repository,
)
from integrations.delivery.pull_requests.changed_days import note_lead_times, note_services
from integrations.enums import Kind
from integrations.models import FactFamily
from integrations.outbox.fact_changes import insert_days

_DELETE: Mapping[Kind, tuple[LiteralString, ...]] = {
    Kind.PULL_REQUEST: (
        "DELETE FROM integrations_touchedservice WHERE pull_request_id = ANY (%s)",
        "DELETE FROM integrations_pullrequestorigin WHERE pull_request_id = ANY (%s)",
        "DELETE FROM integrations_deployedpullrequest WHERE pull_request_id = ANY (%s)",
    ),
    Kind.DEPLOYMENT: (
        "DELETE FROM integrations_deployedpullrequest WHERE deployment_id = ANY (%s)",
        "DELETE FROM integrations_proposedrollback WHERE deployment_id = ANY (%s)",
        "DELETE FROM integrations_proposedrollback WHERE rolled_back_id = ANY (%s)",
        "DELETE FROM integrations_faileddeployment WHERE deployment_id = ANY (%s)",
    ),
}
_DEPLOYED_BY: LiteralString = (
    "SELECT pull_request_id FROM integrations_deployedpullrequest WHERE deployment_id = ANY (%s)"
)
_PUSHED_IN = f"""
    WITH gone AS (
        DELETE FROM integrations_deployedpush WHERE deployment_id = ANY (%s)
        RETURNING repository_id, deployed_on
    ), noted AS (
        {insert_days({FactFamily.DEPLOYMENT: "SELECT deployed_on, deployed_on + 1 FROM gone"})}
    )
    SELECT DISTINCT repository_id FROM gone
"""  # noqa: S608  # constants of this module
_MERGED_IN: LiteralString = "SELECT DISTINCT repository_id FROM integrations_pullrequest WHERE id = ANY (%s)"
_OF_DEPLOYMENTS: LiteralString = """
    DELETE FROM integrations_deploymentfailure WHERE deployment_id = ANY (%s) OR repaired_by_id = ANY (%s)
    RETURNING deployment_id, incident_id
"""
# Incidents that repeat the deleted ones, or that they repeat.
_SAME_INCIDENTS: LiteralString = """
    WITH left_alone AS (
        UPDATE integrations_incident SET duplicate_of_id = NULL
        WHERE duplicate_of_id = ANY (%(ids)s) AND id <> ALL (%(ids)s)
        RETURNING id
    )
    SELECT id FROM left_alone
    UNION SELECT duplicate_of_id FROM integrations_incident WHERE id = ANY (%(ids)s) AND duplicate_of_id IS NOT NULL
"""
_OF_INCIDENTS: LiteralString = """
    DELETE FROM integrations_deploymentfailure WHERE incident_id = ANY (%s) RETURNING deployment_id
"""


@dataclass(slots=True)
class UnlinkedRecords:
    """The work left after records are deleted: their repositories, and the records that were linked to them."""

    deployed_in: set[int] = field(default_factory=set)
    deployed_services: set[tuple[int, str]] = field(default_factory=set)
    merged_in: set[int] = field(default_factory=set)
    pushed_in: set[int] = field(default_factory=set)
    deployments: set[int] = field(default_factory=set)
    incidents: set[int] = field(default_factory=set)
    same_incidents: set[int] = field(default_factory=set)

    def loosen(self, kind: Kind, ids: Collection[int]) -> None:
        """Delete the links of these records, which are deleted in the same transaction."""
        id_list = sorted(ids)
        grounds = grounds_of(kind, id_list)
        repositories = {repository for repository, *_ in grounds}
        if kind == Kind.PULL_REQUEST:
            note_lead_times(id_list)
            self.merged_in |= repositories
            self.pushed_in |= repositories_with_pushes(sql.ids(_MERGED_IN, [id_list]))
        if kind == Kind.DEPLOYMENT:
            deployed = sql.column(_DEPLOYED_BY, [id_list])
            note_lead_times(deployed)
            note_services(deployed)
            self.deployed_in |= repositories
            self.deployed_services |= {(repository, service) for repository, service, *_ in grounds}
            self.pushed_in.update(sql.column(_PUSHED_IN, [id_list]))
            for deployment, incident in sql.rows(_OF_DEPLOYMENTS, [id_list, id_list]):
                self.deployments.add(deployment)
                if incident is not None:
                    self.incidents.add(incident)
        if kind == Kind.INCIDENT:
            self.deployments.update(sql.column(_OF_INCIDENTS, [id_list]))
            self.same_incidents |= sql.ids(_SAME_INCIDENTS, {"ids": id_list})
        for statement in _DELETE.get(kind, ()):
            sql.execute(statement, [id_list])

    def relink_rest(self) -> None:
        """Relink the remaining records, once the deleted ones are gone."""
        append_record_days(Kind.INCIDENT, self.same_incidents)
        relink_incidents(self.same_incidents)
        recompute_failures(deployments=self.deployments, incidents=self.incidents)
        relink_incidents_of_pairs(self.deployed_services)
        recompute_failures_of_services(self.deployed_in, {service for _, service in self.deployed_services})
        place_repositories(self.merged_in)
        for repository in sorted(self.deployed_in):
            relink_whole_repository(repository)
        recompute_pushes(self.pushed_in)
