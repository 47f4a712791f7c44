"""Which days of whose figures records enter: changes for the outbox.

Pull requests count for people, and autonomous agents' for the repository's owner; deployments and incidents count for
the owner of what they ran on.  Work items and pipeline runs report their own changes: work_items/changed_days.py and
pipeline_runs/figures.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import LiteralString

from django.db import connection as database

from integrations.delivery.pipeline_runs.pull_requests import assign_runs_of
from integrations.delivery.pull_requests.changed_services import note_services_of_deployments
from integrations.delivery.work_items.changed_days import note_items_of
from integrations.enums import Kind
from integrations.models import FactFamily
from integrations.outbox.fact_changes import announce_changes

FAMILIES: Mapping[Kind, FactFamily] = {
    Kind.PULL_REQUEST: FactFamily.PULL_REQUEST,
    Kind.DEPLOYMENT: FactFamily.DEPLOYMENT,
    Kind.INCIDENT: FactFamily.INCIDENT,
}
# (record, identity, owned thing, first moment, last moment): what is open counts every day until now.
_MOMENTS: Mapping[FactFamily, LiteralString] = {
    FactFamily.PULL_REQUEST: """
        SELECT id, author_id, NULL::bigint, least(created_at, merged_at, closed_at),
               coalesce(merged_at, closed_at, now())
        FROM integrations_pullrequest WHERE id = ANY (%(ids)s)
        UNION ALL
        SELECT id, requested_by_id, NULL, least(created_at, merged_at, closed_at), coalesce(merged_at, closed_at, now())
        FROM integrations_pullrequest WHERE id = ANY (%(ids)s) AND requested_by_id IS NOT NULL
        UNION ALL
        SELECT pull_request.id, NULL, owned.id, least(created_at, pull_request.merged_at, closed_at),
               coalesce(pull_request.merged_at, closed_at, now())
        FROM integrations_pullrequest pull_request
        JOIN integrations_pullrequestfigures figures
             ON figures.pull_request_id = pull_request.id AND figures.is_autonomous
        JOIN integrations_owned owned ON owned.repository_id = figures.repository_id
        WHERE pull_request.id = ANY (%(ids)s)
        UNION ALL
        SELECT pull_request_id, author_id, NULL, submitted_at, submitted_at
        FROM integrations_pullrequestreview WHERE pull_request_id = ANY (%(ids)s)
    """,
    FactFamily.DEPLOYMENT: """
        SELECT deployment.id, NULL::bigint, coalesce(service.id, repository.id),
               least(deployment.created_at, deployment.started_at, deployment.finished_at),
               greatest(deployment.created_at, deployment.started_at, deployment.finished_at)
        FROM integrations_deployment deployment
        LEFT JOIN integrations_owned service ON service.kind = 'service' AND service.name = deployment.service
        LEFT JOIN integrations_owned repository ON repository.repository_id = deployment.repository_id
        WHERE deployment.id = ANY (%(ids)s)
        UNION ALL
        SELECT deployment.id, NULL, coalesce(service.id, repository.id), failed.restored_at, failed.restored_at
        FROM integrations_faileddeployment failed
        JOIN integrations_deployment deployment ON deployment.id = failed.deployment_id
        LEFT JOIN integrations_owned service ON service.kind = 'service' AND service.name = deployment.service
        LEFT JOIN integrations_owned repository ON repository.repository_id = deployment.repository_id
        WHERE failed.deployment_id = ANY (%(ids)s)
    """,
    FactFamily.INCIDENT: """
        SELECT incident.id, NULL::bigint, coalesce(service.id, repository.id),
               least(incident.started_at, incident.resolved_at), coalesce(incident.resolved_at, now())
        FROM integrations_incident incident
        LEFT JOIN integrations_owned service ON service.kind = 'service' AND service.name = incident.service
        LEFT JOIN integrations_owned repository ON repository.repository_id = incident.repository_id
        WHERE incident.id = ANY (%(ids)s)
    """,
}
_DAYS: LiteralString = """
    SELECT moment.record_id, identity.person_id, moment.owned_id,
           least(moment.first::date, moment.last::date) AS day_from,
           greatest(moment.first::date, moment.last::date) + 1 AS day_to
    FROM ({moments}) AS moment (record_id, identity_id, owned_id, first, last)
    LEFT JOIN orgtree_identity identity ON identity.id = moment.identity_id
    WHERE moment.first IS NOT NULL
"""
CountedDays = tuple[int, int | None, int | None, date, date]  # record, person, owned thing, day_from, day_to


def days_of(kind: Kind, ids: Iterable[int]) -> list[CountedDays]:
    """The local days on which these records count now, with the person or the owned thing."""
    family, ordered = FAMILIES.get(kind), sorted(ids)
    if family is None or not ordered:
        return []
    with database.cursor() as cursor:
        cursor.execute(_days_sql(family), {"ids": ordered})
        return [(record, person, owned, start, end) for record, person, owned, start, end in cursor.fetchall()]


def append_days(kind: Kind, ids: Iterable[int], before: Iterable[CountedDays] = ()) -> None:
    """Append to the outbox the days on which these records count, and counted before, in the caller's transaction.

    Other records in `before` are ignored.
    """
    family, ordered = FAMILIES.get(kind), set(ids)
    if family is None or not ordered:
        return
    if kind == Kind.PULL_REQUEST:
        note_items_of(ordered)
        assign_runs_of(ordered)
    if kind == Kind.DEPLOYMENT:
        note_services_of_deployments(ordered)
    earlier = [row[1:] for row in before if row[0] in ordered]
    people, owned, starts, ends = zip(*earlier, strict=True) if earlier else ((), (), (), ())
    with database.cursor() as cursor:
        cursor.execute(
            f"""
            INSERT INTO integrations_factchange (family, person_id, owned_id, day_from, day_to)
            SELECT %(family)s, person_id, owned_id, lower(days), upper(days)
            FROM (
                SELECT person_id, owned_id, unnest(range_agg(daterange(day_from, day_to))) AS days
                FROM (
                    SELECT person_id, owned_id, day_from, day_to FROM ({_days_sql(family)}) AS now_counted
                    UNION ALL
                    SELECT *
                    FROM unnest(%(people)s::bigint[], %(owned)s::bigint[], %(starts)s::date[], %(ends)s::date[])
                ) AS counted (person_id, owned_id, day_from, day_to)
                GROUP BY person_id, owned_id
            ) AS coalesced
            """,  # noqa: S608  # constants of this module
            {
                "family": family.value,
                "ids": sorted(ordered),
                "people": list(people),
                "owned": list(owned),
                "starts": list(starts),
                "ends": list(ends),
            },
        )
    announce_changes()


def _days_sql(family: FactFamily) -> str:
    return _DAYS.format(moments=_MOMENTS[family])
