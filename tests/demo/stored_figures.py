"""The delivery's figures by plain SQL over the stored facts, until metrics read them."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import connection

from integrations.demo.stories import Weeks
from integrations.demo.year import DemoYear

_READY = "coalesce(pull_request.ready_at, pull_request.created_at)"
_MERGED = """
    pull_request.state = 'merged' AND repository.name = %(repository)s
    AND (pull_request.merged_at AT TIME ZONE %(zone)s)::date >= %(first)s
    AND (pull_request.merged_at AT TIME ZONE %(zone)s)::date < %(after)s
"""
_STATEMENTS = {
    "pr.pickup_time": f"""
        SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM first.at - {_READY}))
        FROM integrations_pullrequest pull_request
        JOIN integrations_repository repository ON repository.id = pull_request.repository_id
        CROSS JOIN LATERAL (
            SELECT min(review.submitted_at) AS at FROM integrations_pullrequestreview review
            WHERE review.pull_request_id = pull_request.id
        ) AS first
        WHERE first.at IS NOT NULL AND {_MERGED}
    """,
    "pr.size": f"""
        SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY pull_request.additions + pull_request.deletions)
        FROM integrations_pullrequest pull_request
        JOIN integrations_repository repository ON repository.id = pull_request.repository_id
        WHERE {_MERGED}
    """,
    "commit.weekend_share": """
        SELECT 100.0 * count(*) FILTER (WHERE extract(isodow FROM made.on_day) >= 6) / nullif(count(*), 0)
        FROM (
            SELECT (told.authored_at AT TIME ZONE %(zone)s)::date AS on_day
            FROM integrations_pullrequestcommit told
            JOIN integrations_pullrequest pull_request ON pull_request.id = told.pull_request_id
            JOIN integrations_repository repository ON repository.id = pull_request.repository_id
            WHERE repository.name = %(repository)s
        ) AS made
        WHERE made.on_day >= %(first)s AND made.on_day < %(after)s
    """,
    "deployment.failure_rate": """
        SELECT 100.0 * count(*) FILTER (WHERE deployment.status = 'failure') / nullif(count(*), 0)
        FROM integrations_deployment deployment
        JOIN integrations_repository repository ON repository.id = deployment.repository_id
        WHERE repository.name = %(repository)s AND deployment.environment = 'production'
          AND (deployment.created_at AT TIME ZONE %(zone)s)::date >= %(first)s
          AND (deployment.created_at AT TIME ZONE %(zone)s)::date < %(after)s
    """,
    "ci.flaky_rate": """
        SELECT 100.0 * count(*) FILTER (WHERE tried.failed AND tried.succeeded) / nullif(count(*), 0)
        FROM (
            SELECT bool_or(run.status = 'failure') AS failed, bool_or(run.status = 'success') AS succeeded,
                   (min(run.queued_at) AT TIME ZONE %(zone)s)::date AS on_day
            FROM integrations_pipelinerun run
            JOIN integrations_repository repository ON repository.id = run.repository_id
            WHERE repository.name = %(repository)s
            GROUP BY run.run
        ) AS tried
        WHERE tried.on_day >= %(first)s AND tried.on_day < %(after)s
    """,
}


class StoredFigures:
    """Figures of one repository each, from the facts of whatever connection told them."""

    def __init__(self, year: DemoYear) -> None:
        self._year = year

    def figure(self, key: str, weeks: Weeks, facets: Mapping[str, str], email: str | None = None) -> float | None:
        with connection.cursor() as cursor:
            cursor.execute(
                _STATEMENTS[key],
                {
                    "repository": facets["repository"],
                    "zone": str(self._year.anchor.tzinfo),
                    "first": self._year.first_day_of(weeks.first),
                    "after": self._year.first_day_of(weeks.last),
                },
            )
            (value,) = cursor.fetchone()
        return None if value is None else float(value)

    def by_weekday(self, key: str, weeks: Weeks, email: str) -> Mapping[int, float]:
        raise NotImplementedError("no story of the delivery reads people's weekdays")
