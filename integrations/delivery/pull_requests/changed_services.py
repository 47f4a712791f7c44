"""Changed services of pull requests, and of their pipeline runs, for the outbox.

Services follow from the paths that a pull request touches, else from its first deployment
(integrations/facts/pull_requests.py): a deployment or path rule of today can change what was merged long ago.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import LiteralString

from django.db import connection

from integrations.models import FactFamily
from integrations.outbox.fact_changes import announce_changes

# Pull requests without figures are reported when they get them.
_NOTE: LiteralString = """
    INSERT INTO integrations_factchange (family, person_id, owned_id, day_from, day_to)
    SELECT family, person_id, owned_id, lower(days), upper(days)
    FROM (
        SELECT family, person_id, owned_id, unnest(range_agg(daterange(day, day + 1))) AS days
        FROM (
            SELECT %(pull_request)s, identity.person_id, owned.id, figures.merged_on
            FROM integrations_pullrequestfigures figures
            LEFT JOIN orgtree_identity identity ON identity.id = figures.credited_id
            LEFT JOIN integrations_owned owned
                 ON owned.repository_id = figures.repository_id AND figures.is_autonomous
            WHERE figures.pull_request_id = ANY (%(ids)s) AND figures.merged_on IS NOT NULL
            UNION ALL
            SELECT %(pipeline)s, NULL, owned.id, runs.finished_on
            FROM integrations_pipelinerunfigures runs
            LEFT JOIN integrations_owned owned ON owned.repository_id = runs.repository_id
            WHERE runs.pull_request_id = ANY (%(ids)s) AND runs.is_last AND runs.finished_on IS NOT NULL
        ) AS counted (family, person_id, owned_id, day)
        GROUP BY family, person_id, owned_id
    ) AS coalesced
"""


def note_services(pull_requests: Collection[int]) -> None:
    """Append to the outbox that these pull requests may have other services than before.

    Call it after any such change, in the same transaction.
    """
    if not pull_requests:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            _NOTE,
            {
                "ids": sorted(pull_requests),
                "pull_request": FactFamily.PULL_REQUEST.value,
                "pipeline": FactFamily.PIPELINE.value,
            },
        )
        noted = cursor.rowcount
    if noted:
        announce_changes()


def note_services_of_deployments(deployments: Collection[int]) -> None:
    """The same for the pull requests that these deployments were the first to contain."""
    if not deployments:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pull_request_id FROM integrations_deployedpullrequest WHERE deployment_id = ANY (%s)",
            [sorted(deployments)],
        )
        ids = [row[0] for row in cursor.fetchall()]
    note_services(ids)
