"""Years of AI facts for thousands of people, written by the database itself."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection, transaction

UNITS = 1000  # one root, GROUPS groups, teams below them
GROUPS = 30


@dataclass(frozen=True)
class Size:
    """How much is generated.  A session has one day with one model's figures and up to three tools."""

    people: int
    weeks: int
    sessions_per_week: int

    @property
    def sessions(self) -> int:
        return self.people * self.weeks * self.sessions_per_week

    def __str__(self) -> str:
        return f"{self.people:,} people, {UNITS:,} units, {self.weeks} weeks, {self.sessions:,} sessions"


def generate(size: Size) -> None:
    """Fill the tables that pages read, as the fold would have left them, ending today."""
    with transaction.atomic(), connection.cursor() as cursor:
        for statement in (
            PEOPLE,
            IDENTITIES,
            TREE,
            UNIT_ROWS,
            PLACEMENTS,
            SESSIONS,
            ENROLMENTS,
            SESSION_DAYS,
            TOOL_DAYS,
        ):
            cursor.execute(
                statement,
                {
                    "people": size.people,
                    "units": UNITS,
                    "groups": GROUPS,
                    "days": size.weeks * 7,
                    "sessions": size.sessions,
                },
            )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


PEOPLE = """
    INSERT INTO orgtree_person (public_id, full_name, email, found_at)
    SELECT gen_random_uuid(), 'Bench Person ' || number, 'bench' || number || '@example.com', now()
    FROM generate_series(1, %(people)s) AS number
"""

IDENTITIES = """
    INSERT INTO orgtree_identity (kind, provider, value, person_id, found_at)
    SELECT 'email', '', email, id, now() FROM orgtree_person WHERE email LIKE 'bench%%'
"""

TREE = "INSERT INTO orgtree_orgtree (name, slug) VALUES ('Bench', 'bench')"

UNIT_ROWS = """
    INSERT INTO orgtree_unit (tree_id, name, slug)
    SELECT tree.id, 'Bench unit ' || number, 'bench-' || number
    FROM orgtree_orgtree tree, generate_series(0, %(units)s - 1) AS number
    WHERE tree.slug = 'bench'
    ORDER BY number
"""

# Unit 0 is the root, 1 to `groups` stand below it, every other unit is a team of group (number mod groups) + 1.
PLACEMENTS = """
    WITH numbered AS (
        SELECT id, tree_id, row_number() OVER (ORDER BY id) - 1 AS number FROM orgtree_unit WHERE slug LIKE 'bench-%%'
    ),
    members AS (
        SELECT person.id,
               %(groups)s + 1 + row_number() OVER (ORDER BY person.id) %% (%(units)s - %(groups)s - 1) AS team
        FROM orgtree_person person
        WHERE email LIKE 'bench%%'
    )
    INSERT INTO orgtree_placement (tree_id, person_id, unit_id, ancestor_id, during)
    SELECT team.tree_id, members.id, team.id, above.id, daterange(NULL, NULL)
    FROM members
    JOIN numbered team ON team.number = members.team
    JOIN numbered above ON above.number IN (0, members.team %% %(groups)s + 1, members.team)
"""

SESSIONS = """
    INSERT INTO integrations_agentsession
        (agent, external_id, identity_id, started_at, ended_at, started_on, active_seconds, has_work, event_tokens)
    SELECT 'claude_code', 'bench-' || session.number, identity.id, started.at, started.at + interval '40 minutes',
           (started.at AT TIME ZONE current_setting('TimeZone'))::date, 900 + session.number %% 3000, true, 7400
    FROM generate_series(1, %(sessions)s) AS session (number)
    JOIN (
        SELECT id, row_number() OVER (ORDER BY id) - 1 AS number FROM orgtree_identity WHERE value LIKE 'bench%%'
    ) AS identity ON identity.number = session.number %% %(people)s
    CROSS JOIN LATERAL (
        SELECT now() - interval '1 hour'
               - (hashint8(session.number) & 2147483647) %% (%(days)s * 86400) * interval '1 second'
    ) AS started (at)
"""

ENROLMENTS = """
    INSERT INTO integrations_enrolment (identity_id, first_at)
    SELECT identity_id, min(started_at) FROM integrations_agentsession WHERE external_id LIKE 'bench-%%'
    GROUP BY identity_id
"""

# What a session's events tell, and what its metrics tell beside: lines, which no model wrote.
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
    SELECT id, identity_id, agent, started_on, 'metrics', false, '',
           0, 0, 0, 0, 0, NULL, 0, NULL, id %% 120, id %% 40, 0, 0, 0, 0
    FROM integrations_agentsession
    WHERE external_id LIKE 'bench-%%'
"""

TOOL_DAYS = """
    INSERT INTO integrations_agenttoolday (session_id, identity_id, agent, day, tool, calls, failures, refusals)
    SELECT id, identity_id, agent, started_on, tool, 2, CASE WHEN tool = 'Bash' THEN id %% 2 ELSE 0 END, 0
    FROM integrations_agentsession
    CROSS JOIN unnest(ARRAY['Bash', 'Edit', 'Read']) AS tool
    WHERE external_id LIKE 'bench-%%'
"""
