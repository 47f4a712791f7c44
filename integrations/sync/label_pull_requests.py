"""Labels open pull requests as long as they break their working agreement.

The labels that a pull request should have are compared with those that Headway has set, so that repeating it changes
nothing.  Labels are written only for connections whose admin allowed it; other labels are never touched.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from celery import shared_task
from django.utils import timezone

from core import sql
from core.locks import Lock
from core.queue import Backoff, run_all
from integrations.connectors.base import LABEL_PULL_REQUESTS
from integrations.connectors.errors import ConnectorError, TransientError
from integrations.enums import ResourceKind
from integrations.models import PullRequest, PullRequestMark, Resource
from integrations.models.working_agreements import MARK_PREFIX
from integrations.sync.clients import fetched, open_client

NO_ITEM, TOO_LARGE, UNREVIEWED = (
    f"{MARK_PREFIX}{reason}" for reason in ("no work item", "too large", "waits for review")
)
MARK: Final = Lock("labels of a pull request")
BACKOFF = Backoff(first=timedelta(minutes=1), longest=timedelta(hours=6))
AT_ONCE = 100  # pull requests a minute: GitHub allows 80 writes a minute, and the client waits where it says so

# One row per pull request whose labels differ from those that it should have, with the latter: none once it is closed.
_DIFFERING = f"""
    WITH writable AS MATERIALIZED (
        SELECT pull_request.id, pull_request.state = 'open' AS is_open, mark.labels, mark.next_try_at
        FROM integrations_pullrequest pull_request
        JOIN integrations_connection connection ON connection.id = pull_request.connection_id
        LEFT JOIN integrations_pullrequestmark mark ON mark.pull_request_id = pull_request.id
        WHERE (pull_request.state = 'open' OR mark.labels <> '{{}}') AND pull_request.deleted_at IS NULL
          AND connection.settings ->> '{LABEL_PULL_REQUESTS}' = 'true'
          AND connection.removed_at IS NULL AND connection.paused_at IS NULL
    ), wanted AS (
        SELECT figures.pull_request_id, array_remove(ARRAY[
                   CASE WHEN figures.agreed_item AND NOT figures.is_linked THEN '{NO_ITEM}' END,
                   CASE WHEN figures.size > figures.agreed_lines THEN '{TOO_LARGE}' END,
                   CASE WHEN figures.first_review_at IS NULL
                         AND figures.opened_at + figures.agreed_review_hours * interval '1 hour' < now()
                        THEN '{UNREVIEWED}' END
               ]::varchar[], NULL) AS labels
        FROM writable
        JOIN integrations_pullrequestfigures figures ON figures.pull_request_id = writable.id
        WHERE writable.is_open AND figures.agreed_marks AND figures.set_apart = '' AND figures.opened_at IS NOT NULL
    )
    SELECT writable.id, coalesce(wanted.labels, '{{}}')
    FROM writable
    LEFT JOIN wanted ON wanted.pull_request_id = writable.id
    WHERE coalesce(wanted.labels, '{{}}') <> coalesce(writable.labels, '{{}}')
      AND (writable.next_try_at IS NULL OR writable.next_try_at <= now())
    ORDER BY writable.next_try_at NULLS FIRST, writable.id
    LIMIT {AT_ONCE}
"""  # noqa: S608  # constants of this module


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def mark_pull_requests() -> None:
    """Set and remove the labels of pull requests that start or stop breaking their agreement."""
    differing: Mapping[int, list[str]] = dict(sql.rows(_DIFFERING))
    run_all(differing.items(), _mark)


def _mark(differing: tuple[int, list[str]]) -> None:
    """Set and remove labels outside of a transaction, because the provider may be slow.  Raises BusyError."""
    pk, wanted = differing
    with MARK.alone(pk):
        pull_request = PullRequest.objects.select_related("connection").filter(pk=pk).first()
        if pull_request is None:
            return
        resource = Resource.objects.filter(
            connection=pull_request.connection_id, repository=pull_request.repository_id, kind=ResourceKind.REPOSITORY
        ).first()
        if resource is None:
            return
        mark, _ = PullRequestMark.objects.get_or_create(pk=pk)
        set_already = set(mark.labels)
        try:
            with open_client(pull_request.connection) as (connector, http):
                connector.write_labels(
                    http,
                    fetched(resource),
                    pull_request.number,
                    add=set(wanted) - set_already,
                    remove=set_already - set(wanted),
                )
        except ConnectorError as problem:
            _note_failure(mark, problem)
        else:
            mark.labels, mark.problem, mark.remedy, mark.failures = wanted, "", "", 0
            mark.changed_at = timezone.now()
            mark.save()


def _note_failure(mark: PullRequestMark, problem: ConnectorError) -> None:
    retry_at = problem.retry_at if isinstance(problem, TransientError) else None
    mark.problem, mark.remedy = problem.problem, problem.what_to_do
    mark.next_try_at = retry_at or timezone.now() + BACKOFF.wait(mark.failures)
    mark.failures += 1
    mark.save()
