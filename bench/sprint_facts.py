"""Sprints of the generated teams: two weeks each, one board per project, and what entered and left them.

The statements read bench_repository (delivery_facts.py) and bench_item (work_item_facts.py), and bench_board, which the
first one makes.
"""

from __future__ import annotations

# Every other board begins a week later, so that sprints close each week.
BOARDS = """
    CREATE TEMPORARY TABLE bench_board AS
    SELECT project.id AS project_id, repository.number, project.external_id AS name,
           date_trunc('week', current_date - %(days)s) + repository.number %% 2 * interval '7 days' + interval '9 hours'
               AS first_at
    FROM bench_repository repository
    JOIN integrations_project project
      ON project.connection_id = %(connection)s
     AND project.external_id = 'project-' || lpad(repository.number::text, 4, '0')
"""

OWNED_BOARDS = """
    INSERT INTO integrations_owned (kind, connection_id, name)
    SELECT 'board', %(connection)s, name FROM bench_board ORDER BY number
"""

SPRINTS = """
    INSERT INTO integrations_sprint
        (connection_id, external_id, board, name, state, native_state, starts_at, ends_at, completed_at)
    SELECT %(connection)s, name || '/' || turn, name, 'Sprint ' || turn + 1,
           CASE WHEN ends_at < now() THEN 'closed' ELSE 'active' END,
           CASE WHEN ends_at < now() THEN 'closed' ELSE 'active' END,
           starts_at, ends_at, CASE WHEN ends_at < now() THEN ends_at END
    FROM bench_board
    CROSS JOIN generate_series(0, %(days)s / 14 + 1) AS turn
    CROSS JOIN LATERAL (SELECT first_at + turn * interval '14 days', first_at + (turn + 1) * interval '14 days')
        AS planned (starts_at, ends_at)
    WHERE starts_at < now()
    ORDER BY number, turn
"""

# An item is in the sprint in which its work begins, from the plan or from its creation, and in the ones after it until
# it is done, four at most: what a sprint leaves over goes to the next one at the close.  One in twenty is taken out for
# a day.
SPRINT_CHANGES = """
    INSERT INTO integrations_sprintchange (work_item_id, at, sprint, added, by_id)
    WITH planned AS (
        SELECT item.id, item.number, item.author_id, item.created_at, board.name, turn, stay.first, stay.last,
               board.first_at + turn * interval '14 days' AS starts_at
        FROM bench_item item
        JOIN bench_board board USING (project_id)
        CROSS JOIN LATERAL (
            SELECT first, least(
                first + 3, floor(extract(epoch FROM least(item.done_at, now()) - board.first_at) / 1209600)::int
            ) AS last
            FROM (
                SELECT greatest(0, floor(extract(epoch FROM item.started_at - board.first_at) / 1209600)::int)
            ) AS begun (first)
        ) AS stay
        CROSS JOIN LATERAL generate_series(stay.first, stay.last) AS turn
    )
    SELECT id, at, name || '/' || turn, added, author_id
    FROM planned
    CROSS JOIN LATERAL (
        VALUES (CASE WHEN turn > first THEN starts_at ELSE greatest(created_at, starts_at - interval '1 hour') END,
                true, true),
               (starts_at + interval '14 days', false, turn < last),
               (starts_at + interval '6 days', false, number %% 20 = 0 AND created_at < starts_at),
               (starts_at + interval '7 days', true, number %% 20 = 0 AND created_at < starts_at)
    ) AS change (at, added, happens)
    WHERE happens AND at < now()
    ORDER BY id, at
"""
