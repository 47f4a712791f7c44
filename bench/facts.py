"""Years of agent sessions for a generated organisation, written by the database itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.db import connection, transaction
from django.utils import timezone

from bench.authors import numbered_authors
from bench.bulk import references_unchecked
from bench.code_facts import COMMITTED_OF_FIVE, generate_commits
from bench.organisation import OrganisationSize, plan_organisation
from bench.organisation_rows import HAND_BUILT_TREE, write_organisation
from orgtree.models import OrgTree


@dataclass(frozen=True)
class Size:
    """The amount of generated facts.

    A session has up to three tools; one in seven continues past midnight, one in five uses a second model.  Two in five
    lead to a commit; `commits_per_week` are additional commits by hand.  Facts outside a person's employment are left
    out.
    """

    people: int
    units: int
    weeks: int
    sessions_per_week: int
    commits_per_week: int

    @property
    def organisation(self) -> OrganisationSize:
        return OrganisationSize(self.people, self.units, self.weeks)

    def __str__(self) -> str:
        return (
            f"{self.organisation}, {self.weeks} weeks with {self.sessions_per_week} sessions and "
            f"{self.commits_per_week} commits by hand a week and person"
        )


def generate_once(size: Size) -> None:
    """Generate as `generate` does, unless an earlier entry of the same bench did."""
    if not OrgTree.objects.filter(slug=HAND_BUILT_TREE).exists():
        generate(size)


def generate(size: Size, *, today: date | None = None) -> None:
    """Fill the tables that pages read, as the intake would have left them, ending now.

    Rows lie in the order of their days, as they come in: a page that reads some weeks finds them side by side.
    """
    write_organisation(plan_organisation(size.organisation, today=today or timezone.localdate()))
    sizes = {
        "people": size.people,
        "days": size.weeks * 7,
        "sessions": size.people * size.weeks * size.sessions_per_week,
        "committed_of_five": COMMITTED_OF_FIVE,
    }
    with transaction.atomic(), numbered_authors(), connection.cursor() as cursor:
        with references_unchecked():
            for statement in (SESSIONS, SESSION_DAYS, TOOL_DAYS):
                cursor.execute(statement, sizes)
            generate_commits(
                people=size.people, days=size.weeks * 7, by_hand=size.people * size.weeks * size.commits_per_week
            )
        cursor.execute(ENROLMENTS, sizes)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


SESSIONS = """
    INSERT INTO integrations_agentsession
        (agent, external_id, identity_id, started_at, ended_at, started_on, active_seconds, has_work, event_tokens,
         lines_added, committed, lines_committed, covered)
    SELECT CASE session.number %% 7 WHEN 0 THEN 'codex' ELSE 'claude_code' END, 'bench-' || session.number,
           author.identity_id, started.at, started.at + interval '40 minutes', started.day,
           900 + session.number %% 3000, true, 7400,
           written.lines, written.committed, CASE WHEN written.committed THEN written.lines * 3 / 4 ELSE 0 END, true
    FROM generate_series(1, %(sessions)s) AS session (number)
    CROSS JOIN LATERAL (
        SELECT 20 + session.number %% 100 AS lines, session.number %% 5 < %(committed_of_five)s AS committed
    ) AS written
    JOIN bench_author author ON author.number = session.number %% %(people)s
    CROSS JOIN LATERAL (
        SELECT at, (at AT TIME ZONE current_setting('TimeZone'))::date AS day
        FROM (
            SELECT now() - interval '1 hour'
                   - (hashint8(session.number) & 2147483647) %% (%(days)s * 86400) * interval '1 second'
        ) AS drawn (at)
    ) AS started
    WHERE author.days @> started.day
    ORDER BY started.at
"""

ENROLMENTS = """
    INSERT INTO integrations_enrolment (identity_id, first_at)
    SELECT identity_id, min(started_at) FROM integrations_agentsession WHERE external_id LIKE 'bench-%%'
    GROUP BY identity_id
"""

# A session's events, by model, those after midnight on a day of their own, and what only its metrics contain: lines,
# which no model wrote.
SESSION_DAYS = """
    INSERT INTO integrations_agentsessionday
        (session_id, identity_id, agent, day, source, counted, model, requests, input_tokens, cache_read_tokens,
         cache_write_tokens, output_tokens, spend, unpriced_tokens, reported_cost, lines_added, lines_removed,
         tool_calls, tool_failures, tool_refusals, commits)
    SELECT id, identity_id, agent, started_on, 'events', true,
           CASE id %% 3 WHEN 0 THEN 'claude-opus-4-1' ELSE 'claude-sonnet-4-5' END,
           4, 900, 5000, 300, 1200, 0.0237, 0, 0.0237, 0, 0, 6, id %% 2, 0, 0
    FROM integrations_agentsession
    WHERE external_id LIKE 'bench-%%'
    UNION ALL
    SELECT id, identity_id, agent, started_on, 'events', true, 'claude-haiku-4-5',
           2, 300, 800, 100, 200, 0.0021, 0, 0.0021, 0, 0, 1, 0, 0, 0
    FROM integrations_agentsession
    WHERE external_id LIKE 'bench-%%' AND id %% 5 = 2
    UNION ALL
    SELECT session.id, session.identity_id, session.agent, session.started_on + 1, 'events', true,
           CASE session.id %% 3 WHEN 0 THEN 'claude-opus-4-1' ELSE 'claude-sonnet-4-5' END,
           1, 200, 900, 50, 150, 0.0034, 0, 0.0034, 0, 0, 1, 0, 0, 0
    FROM integrations_agentsession session
    JOIN bench_author author USING (identity_id)
    WHERE session.external_id LIKE 'bench-%%' AND session.id %% 7 = 3 AND author.days @> session.started_on + 1
      AND session.started_on < current_date
    UNION ALL
    SELECT id, identity_id, agent, started_on, 'metrics', false, '',
           0, 0, 0, 0, 0, NULL, 0, NULL, lines_added, id %% 40, 0, 0, 0, 0
    FROM integrations_agentsession
    WHERE external_id LIKE 'bench-%%'
    ORDER BY started_on, id
"""

TOOL_DAYS = """
    INSERT INTO integrations_agenttoolday (session_id, identity_id, agent, day, tool, calls, failures, refusals)
    SELECT id, identity_id, agent, started_on, tool, 2, CASE WHEN tool = 'Bash' THEN id %% 2 ELSE 0 END, 0
    FROM integrations_agentsession
    CROSS JOIN unnest(ARRAY['Bash', 'Edit', 'Read']) AS tool
    WHERE external_id LIKE 'bench-%%'
    ORDER BY started_on, id
"""
