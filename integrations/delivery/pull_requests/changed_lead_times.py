"""Changed lead times for the outbox: whose they are, and on which days they count."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import LiteralString, NamedTuple

from django.db import connection

from integrations.models import FactFamily
from integrations.outbox.fact_changes import announce_changes

# One row of the outbox for each person, or repository, and date range.  Figures that do not exist yet report
# themselves.
NOTE_CHANGED: LiteralString = """
    INSERT INTO integrations_factchange (family, person_id, owned_id, day_from, day_to)
    SELECT %(family)s, person_id, owned_id, lower(days), upper(days)
    FROM (
        SELECT identity.person_id, counted.owned_id,
               unnest(range_agg(daterange(counted.deployed_on, counted.deployed_on + 1))) AS days
        FROM (
            SELECT figures.credited_id, owned.id AS owned_id, changed.deployed_on
            FROM changed
            JOIN integrations_pullrequestfigures figures ON figures.pull_request_id = changed.pull_request_id
            LEFT JOIN integrations_owned owned
                 ON owned.repository_id = figures.repository_id AND figures.is_autonomous
            UNION ALL
            SELECT before.credited_id, before.owned_id, changed.deployed_on
            FROM unnest(%(before)s::bigint[], %(credited)s::bigint[], %(owned)s::bigint[])
                 AS before (pull_request_id, credited_id, owned_id)
            JOIN changed ON changed.pull_request_id = before.pull_request_id
        ) AS counted
        LEFT JOIN orgtree_identity identity ON identity.id = counted.credited_id
        GROUP BY identity.person_id, counted.owned_id
    ) AS coalesced
"""


class CountsFor(NamedTuple):
    """Who is credited with a lead time: a person, or an owned thing for an autonomous agent; ids."""

    identity: int | None
    owned: int | None


def credited_with_lead_times(pull_requests: Collection[int]) -> Mapping[int, CountsFor]:
    """Who is credited with the lead times of these pull requests, as far as they are deployed and have figures."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT deployed.pull_request_id, figures.credited_id, owned.id
            FROM integrations_deployedpullrequest deployed
            JOIN integrations_pullrequestfigures figures ON figures.pull_request_id = deployed.pull_request_id
            LEFT JOIN integrations_owned owned
                 ON owned.repository_id = figures.repository_id AND figures.is_autonomous
            WHERE deployed.pull_request_id = ANY (%s)
            """,
            [sorted(pull_requests)],
        )
        return {pull_request: CountsFor(identity, owned) for pull_request, identity, owned in cursor.fetchall()}


def note_lead_times(pull_requests: Collection[int], before: Mapping[int, CountsFor] = MappingProxyType({})) -> None:
    """Append changed lead times of these pull requests to the outbox.

    For those who are credited with them, and for those who were `before`.
    """
    if not pull_requests:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH changed AS (
                SELECT pull_request_id, deployed_on FROM integrations_deployedpullrequest
                WHERE pull_request_id = ANY (%(ids)s)
            ) {NOTE_CHANGED}
            """,  # noqa: S608  # constants of this module
            {
                "ids": sorted(pull_requests),
                "family": FactFamily.DEPLOYMENT.value,
                "before": list(before),
                "credited": [lead_time.identity for lead_time in before.values()],
                "owned": [lead_time.owned for lead_time in before.values()],
            },
        )
        noted = cursor.rowcount
    if noted:
        announce_changes()
