"""Stored figures of the demo that no metric reads, by plain SQL, and numbers of rows."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import connection

from demo.plan.stories import Weeks
from demo.plan.year import DemoYear
from integrations.models import (
    AgentRequest,
    AgentSession,
    AgentSessionDay,
    AgentToolCall,
    Commit,
    CommitEvidence,
    FileAttribution,
    Repository,
    RepositorySource,
)
from orgtree.models import Person

_STATEMENTS = {
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
}


NO_METRICS = frozenset(_STATEMENTS)


class StoredFigures:
    """Figures of one repository each, from the facts of whatever connection told them; the keys are NO_METRICS."""

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


def row_counts() -> dict[str, int]:
    """The number of rows in the tables that the demo fills, by model."""
    return {
        model.__name__: model._default_manager.count()
        for model in (
            *(AgentSession, AgentRequest, AgentToolCall, AgentSessionDay, Person),
            *(RepositorySource, Repository, Commit, CommitEvidence, FileAttribution),
        )
    }
