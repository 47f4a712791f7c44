"""Outbox entries for pull requests whose lead times or services changed.

Services of pull requests, and of their pipeline runs, follow from the paths that a pull request touches, else from its
first deployment (integrations/facts/pull_requests.py): today's deployment or path rule can change pull requests that
were merged long ago.
"""

from __future__ import annotations

from collections.abc import Collection

from core import sql
from integrations.models import FactFamily
from integrations.outbox.fact_changes import append_days

_DAYS_OF_LEAD_TIMES = """
    SELECT deployed_on, deployed_on + 1 FROM integrations_deployedpullrequest WHERE pull_request_id = ANY (%(ids)s)
"""
_DAYS_OF_SERVICES = {
    FactFamily.PULL_REQUEST: """
        SELECT merged_on, merged_on + 1 FROM integrations_pullrequestfigures WHERE pull_request_id = ANY (%(ids)s)
    """,
    FactFamily.PIPELINE: """
        SELECT finished_on, finished_on + 1
        FROM integrations_pipelinerunfigures WHERE pull_request_id = ANY (%(ids)s) AND is_last
    """,
}


def note_lead_times(pull_requests: Collection[int]) -> None:
    """Append to the outbox that the lead times of these pull requests changed."""
    if pull_requests:
        append_days({FactFamily.DEPLOYMENT: _DAYS_OF_LEAD_TIMES}, {"ids": sorted(pull_requests)})


def note_services(pull_requests: Collection[int]) -> None:
    """Append to the outbox that these pull requests may have other services than before.

    Call it after any such change, in the same transaction.
    """
    if pull_requests:
        append_days(_DAYS_OF_SERVICES, {"ids": sorted(pull_requests)})


def note_services_of_deployments(deployments: Collection[int]) -> None:
    """Append to the outbox that pull requests first contained in these deployments may have other services than
    before.
    """
    if not deployments:
        return
    ids = sql.column(
        "SELECT pull_request_id FROM integrations_deployedpullrequest WHERE deployment_id = ANY (%s)",
        [sorted(deployments)],
    )
    note_services(ids)
