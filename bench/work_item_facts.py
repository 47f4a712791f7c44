"""Work items of the generated people: one for every other pull request, which is linked to it, and their epics.

The statements read bench_pull_request (pull_request_facts.py), and bench_item and bench_transition, which they make.
"""

from __future__ import annotations

PROJECTS = """
    INSERT INTO integrations_project (connection_id, external_id, key, name)
    SELECT %(connection)s, name, upper(name), initcap(replace(name, '-', ' '))
    FROM (SELECT 'project-' || lpad(number::text, 4, '0') AS name FROM bench_repository ORDER BY number) AS planned
"""

# Work begins some hours before the first commit, and is over some hours after the merge, or after the last pull request
# was closed.  In the order of projects, as they are synced: items of one sprint are derived together.
ITEMS = """
    CREATE TEMPORARY TABLE bench_item AS
    SELECT nextval(pg_get_serial_sequence('integrations_workitem', 'id')) AS id, drawn.*
    FROM (
        SELECT pull_request.id AS pull_request_id, pull_request.number, project.id AS project_id,
               project.key || '-' || pull_request.number AS key, author_id, reviewer_id AS reporter_id,
               CASE WHEN pull_request.number / 2 %% 10 < 7 THEN project.key || '-E' || to_char(started_at, 'YYYYQ')
                    ELSE '' END AS epic,
               (ARRAY['Story', 'Story', 'Story', 'Bug', 'Task'])
                   [1 + floor(5 * pg_temp.uniform(pull_request.number, 'type'))] AS type,
               started_at - pg_temp.log_normal(pull_request.number, 'backlog', 240, 1.2) * interval '1 hour'
                   AS created_at,
               started_at,
               coalesce(merged_at, closed_at, 'infinity')
                   + pg_temp.log_normal(pull_request.number, 'until done', 4, 1) * interval '1 hour' AS done_at,
               floor(3.4 * pg_temp.uniform(pull_request.number, 'rounds') ^ 1.5)::int AS rounds,
               pg_temp.uniform(pull_request.number, 'reopened') < 0.04 AS is_reopened
        FROM (
            SELECT *,
                   first_commit_at - pg_temp.log_normal(number, 'planning', 5, 1.1) * interval '1 hour' AS started_at
            FROM bench_pull_request WHERE number %% 2 = 0
        ) AS pull_request
        JOIN integrations_project project
          ON project.connection_id = %(connection)s
         AND project.external_id = 'project-' || lpad(pull_request.repository_number::text, 4, '0')
        ORDER BY project.id, pull_request.number
    ) AS drawn
"""

# In progress, some rounds of review and further work, review, a last look, done; and some come back again.
TRANSITIONS = """
    CREATE TEMPORARY TABLE bench_transition AS
    SELECT id AS item_id, position, at, coalesce(lag(status) OVER in_order, 'To Do') AS from_status, status
    FROM (
        SELECT id, position,
               CASE WHEN done_at = 'infinity' THEN started_at + (position - 1) * interval '7 hours'
                    WHEN position > usual THEN done_at + (position - usual) * interval '9 hours'
                    ELSE started_at + (position - 1) / (usual - 1)::float8 * (done_at - started_at) END AS at,
               CASE WHEN position = usual OR position = usual + 2 THEN 'Done'
                    WHEN position = usual - 1 THEN 'QA'
                    WHEN position %% 2 = 0 AND position < usual THEN 'In Review'
                    ELSE 'In Progress' END AS status
        FROM (SELECT *, 4 + 2 * rounds AS usual FROM bench_item) AS planned
        CROSS JOIN LATERAL generate_series(1, usual + CASE WHEN is_reopened THEN 2 ELSE 0 END) AS position
        WHERE done_at < 'infinity' OR position < usual
    ) AS moved
    WHERE at < now()
    WINDOW in_order AS (PARTITION BY id ORDER BY position)
"""

STORED_ITEMS = """
    INSERT INTO integrations_workitem
        (id, connection_id, external_id, project_id, key, title, native_type, work_type, native_status,
         status_category, first_category, native_priority, priority, estimate, parent_key, reporter_id, assignee_id,
         labels, has_description, created_at, resolved_at)
    SELECT item.id, %(connection)s, item.key, item.project_id, item.key, 'Bench ' || item.number, item.type,
           CASE item.type WHEN 'Story' THEN 'feature' WHEN 'Bug' THEN 'bug' ELSE 'other' END,
           coalesce(last.status, 'To Do'),
           CASE WHEN last.status IS NULL THEN 'todo' WHEN last.status = 'Done' THEN 'done' ELSE 'in_progress' END,
           'todo', 'Medium', 'medium', CASE WHEN item.number %% 10 < 7 THEN 1 + item.number %% 8 END,
           item.epic, item.reporter_id, item.author_id,
           CASE WHEN item.type = 'Bug' AND item.number %% 4 = 0 THEN ARRAY['customer-reported'] ELSE '{}' END,
           item.number %% 5 <> 0, item.created_at, CASE WHEN last.status = 'Done' THEN last.at END
    FROM bench_item item
    LEFT JOIN (
        SELECT DISTINCT ON (item_id) item_id, status, at FROM bench_transition ORDER BY item_id, position DESC
    ) AS last ON last.item_id = item.id
    ORDER BY item.id
"""

# Of a project and quarter: in progress from its first item on, done with its last, if none is left.
EPICS = """
    INSERT INTO integrations_workitem
        (connection_id, external_id, project_id, key, title, native_type, work_type, native_status, status_category,
         first_category, native_priority, priority, estimate, labels, has_description, due_on, created_at,
         resolved_at)
    SELECT %(connection)s, epic, project_id, epic, 'Bench ' || epic, 'Epic', 'feature',
           CASE WHEN is_over THEN 'Done' ELSE 'In Progress' END, CASE WHEN is_over THEN 'done' ELSE 'in_progress' END,
           'todo', 'Medium', 'medium', NULL, '{}', true, begun_at::date + 80,
           begun_at - interval '7 days', CASE WHEN is_over THEN over_at END
    FROM (
        SELECT epic, project_id, min(started_at) AS begun_at, max(done_at) AS over_at, max(done_at) < now() AS is_over
        FROM bench_item WHERE epic <> '' GROUP BY epic, project_id
    ) AS planned
    ORDER BY epic
"""

STORED_TRANSITIONS = """
    INSERT INTO integrations_workitemtransition (work_item_id, at, from_status, to_status, category, by_id)
    SELECT item_id, at, from_status, status, CASE status WHEN 'Done' THEN 'done' ELSE 'in_progress' END, author_id
    FROM bench_transition JOIN bench_item ON bench_item.id = item_id
"""

EPIC_TRANSITIONS = """
    INSERT INTO integrations_workitemtransition (work_item_id, at, from_status, to_status, category)
    SELECT epic.id, change.at, change.from_status, change.to_status, change.category
    FROM integrations_workitem epic
    CROSS JOIN LATERAL (
        VALUES (epic.created_at + interval '7 days', 'To Do', 'In Progress', 'in_progress'),
               (epic.resolved_at, 'In Progress', 'Done', 'done')
    ) AS change (at, from_status, to_status, category)
    WHERE epic.connection_id = %(connection)s AND epic.native_type = 'Epic' AND change.at < now()
"""

ASSIGNMENTS = """
    INSERT INTO integrations_workitemassignment (work_item_id, at, assignee_id)
    SELECT id, started_at, author_id FROM bench_item WHERE started_at < now()
"""

LINKS = """
    INSERT INTO integrations_workitemlink (pull_request_id, key, method, work_item_id)
    SELECT pull_request_id, key, CASE number %% 4 WHEN 0 THEN 'title' ELSE 'branch' END, id FROM bench_item
"""
