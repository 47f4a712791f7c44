"""Work items' figures: start and completion, reopenings, and the days in each category.

A work item's history is a list of moments: its creation, its moves, and its end.  From each moment until the next it is
in a category (to do, in progress, done); done work is either delivered or, by its status or resolution, dropped.  It is
done at the last moment at which it entered done from another category; moves within a category do not count.  The
currently known category takes precedence: a history that ends in another one is incomplete.
"""

from __future__ import annotations

from collections.abc import Iterable

from core import sql
from core.batches import batched
from integrations.delivery.mappings.effective import ValueMappings
from integrations.delivery.mappings.item_values import values_of_items
from integrations.delivery.sprints.figures import recompute_sprints_of
from integrations.delivery.work_items.changed_days import NOTE_CHANGED_DAYS
from integrations.outbox.fact_changes import announce_changes

AT_ONCE = 5000
FRESH_DAYS = 30  # backlogs are reviewed monthly; items untouched for longer have been forgotten

_COLUMNS = (  # besides work_item_id
    *("credited_id", "repository_id", "work_type"),
    *("created_on", "done_at", "done_on", "first_in_progress_at", "started_on"),
    *("lead_seconds", "cycle_seconds", "active_seconds", "done_during", "dropped_during"),
    *("reopened", "found_in_production", "found_by_customer"),
    *("todo_days", "in_progress_days", "healthy_days"),
)
_NAMES = ", ".join(_COLUMNS)

# Moves in the order in which they happened.
_MOVES = """
    SELECT work_item_id, at, category, from_status, to_status,
           row_number() OVER (PARTITION BY work_item_id ORDER BY at, position, id) AS position,
           count(*) OVER (PARTITION BY work_item_id) AS moves
    FROM integrations_workitemtransition
    WHERE work_item_id IN (SELECT id FROM selected)
"""
# `ends_later`: the provider knows an end that its moves do not contain.
_ITEM = """
    SELECT selected.*, first.from_status AS created_in, first.at AS first_move_at, coalesce(last.position, 0) AS moves,
           selected.status_category = 'done' AND selected.resolved_at IS NOT NULL
               AND CASE WHEN last.at IS NULL THEN selected.first_category <> 'done'
                        ELSE last.category IS DISTINCT FROM 'done' AND selected.resolved_at >= last.at END AS ends_later
    FROM selected
    LEFT JOIN moves first ON first.work_item_id = selected.id AND first.position = 1
    LEFT JOIN moves last ON last.work_item_id = selected.id AND last.position = last.moves
"""
# One row per moment.  `is_guess`: the category is known, but not since when.  The category is null if a move leads to
# an unknown status.
_MOMENTS = """
    SELECT id, 0 AS position, coalesce(created_at, first_move_at, resolved_at) AS at,
           CASE WHEN moves = 0 AND NOT ends_later THEN status_category ELSE first_category END AS category,
           coalesce(created_in, native_status) AS status,
           moves = 0 AND NOT ends_later AND status_category <> first_category AS is_guess
    FROM item
    UNION ALL
    SELECT item.id, moves.position, moves.at,
           CASE WHEN moves.position = item.moves AND NOT item.ends_later THEN item.status_category
                ELSE moves.category END,
           moves.to_status, false
    FROM moves JOIN item ON item.id = moves.work_item_id
    UNION ALL
    SELECT id, moves + 1, resolved_at, 'done', native_status, false FROM item WHERE ends_later
"""
# One row per moment: the item's category from `at` until `until`, and the one before.  A dropped item has ended without
# being done; only the present resolution is known.
_STAYS = """
    SELECT *, lag(category) OVER (PARTITION BY id ORDER BY position) AS before
    FROM (
        SELECT stay.id, stay.position, stay.at, stay.until, stay.status, stay.is_guess,
               CASE WHEN stay.category = 'done' AND (
                        stay.status = ANY (%(dropped)s::text[])
                        OR stay.until IS NULL
                           AND ARRAY[item.native_status, item.resolution]::text[] && %(dropped)s::text[]
                    ) THEN 'dropped' ELSE stay.category END AS category
        FROM (
            SELECT *, lead(at) OVER in_order AS until
            FROM (
                SELECT id, position, at, status, is_guess,
                       first_value(category) OVER (PARTITION BY id, known_position ORDER BY position) AS category
                FROM (
                    SELECT *, max(position) FILTER (WHERE category IS NOT NULL) OVER (PARTITION BY id ORDER BY position)
                                  AS known_position
                    FROM moments
                    WHERE at IS NOT NULL
                ) AS provided
            ) AS known
            WINDOW in_order AS (PARTITION BY id ORDER BY position)
        ) AS stay
        JOIN item ON item.id = stay.id
    ) AS ended
"""
# One row per item with a beginning.  An item is in a category on the days at whose end it is.
_HISTORY = """
    SELECT id,
           max(at) FILTER (WHERE category = 'done' AND before IS DISTINCT FROM 'done' AND NOT is_guess) AS done_at,
           min(at) FILTER (WHERE category = 'in_progress' AND NOT is_guess) AS first_in_progress_at,
           range_agg(tstzrange(at, until)) FILTER (WHERE category = 'done' AND NOT is_guess AND lasts) AS done_during,
           range_agg(tstzrange(at, until)) FILTER (WHERE category = 'dropped' AND lasts) AS dropped_during,
           count(*) FILTER (WHERE category IN ('todo', 'in_progress') AND before = 'done') AS reopened,
           bool_or(category = 'dropped' AND until IS NULL) AS is_dropped,
           coalesce(
               sum(until - at) FILTER (WHERE category = 'in_progress' AND NOT status = ANY (%(waiting)s::text[])), '0'
           ) AS active,
           range_agg(daterange(at::date, until::date)) FILTER (WHERE category = 'todo' AND has_days) AS todo_days,
           range_agg(daterange(at::date, until::date)) FILTER (WHERE category = 'in_progress' AND has_days)
               AS in_progress_days
    FROM (
        SELECT *, until IS NULL OR at < until AS lasts, until IS NULL OR at::date < until::date AS has_days FROM stays
    ) AS stays
    GROUP BY id
"""
# One row per item: the assignee when done, else the last.
_CREDITED = """
    SELECT ends.id, coalesce(when_done.assignee_id, ends.assignee_id, last.assignee_id) AS credited_id
    FROM ends
    LEFT JOIN LATERAL (
        SELECT assignee_id FROM integrations_workitemassignment
        WHERE work_item_id = ends.id AND at <= ends.done_at
        ORDER BY at DESC, position DESC, id DESC
        LIMIT 1
    ) AS when_done ON true
    LEFT JOIN LATERAL (
        SELECT assignee_id FROM integrations_workitemassignment
        WHERE work_item_id = ends.id AND assignee_id IS NOT NULL
        ORDER BY at DESC, position DESC, id DESC
        LIMIT 1
    ) AS last ON true
"""
# One row per item with assignments: the days on which it had an assignee.
_ASSIGNED = """
    SELECT work_item_id AS id,
           coalesce(
               range_agg(daterange(at::date, until::date))
                   FILTER (WHERE assignee_id IS NOT NULL AND (until IS NULL OR at::date < until::date)),
               '{}'
           ) AS days
    FROM (
        SELECT *, lead(at) OVER (PARTITION BY work_item_id ORDER BY at, position, id) AS until
        FROM integrations_workitemassignment
        WHERE work_item_id IN (SELECT id FROM selected)
    ) AS assignments
    GROUP BY work_item_id
"""
# One row per item: the days on which its last change was recent.
_FRESH = f"""
    SELECT id, range_agg(daterange(at::date, at::date + {FRESH_DAYS})) AS days
    FROM (
        SELECT id, unnest(ARRAY[created_at, updated_at]) FROM selected
        UNION ALL
        SELECT work_item_id, at FROM moves
        UNION ALL
        SELECT work_item_id, at FROM integrations_workitemassignment WHERE work_item_id IN (SELECT id FROM selected)
        UNION ALL
        SELECT work_item_id, at FROM integrations_sprintchange WHERE work_item_id IN (SELECT id FROM selected)
    ) AS changed (id, at)
    WHERE at IS NOT NULL
    GROUP BY id
"""  # noqa: S608  # constants of this module
# One row per item: the repository whose issues its project has, and whether its values say where it was found.
_FINDER = """
    SELECT selected.id, project.repository_id, words && %(by_customers)s::text[] AS by_customer,
           words && %(in_production)s::text[] AS in_production
    FROM selected
    JOIN integrations_project project ON project.id = selected.project_id
    LEFT JOIN orgtree_identity reporter ON reporter.id = selected.reporter_id
    CROSS JOIN LATERAL (
        SELECT selected.labels || ARRAY[selected.native_type, project.name, reporter.value]::text[]
    ) AS stated (words)
"""
_RECOMPUTE = f"""
    WITH selected AS MATERIALIZED (
        SELECT * FROM integrations_workitem WHERE id = ANY (%(ids)s) AND deleted_at IS NULL
    ),
    moves AS MATERIALIZED ({_MOVES}),
    item AS MATERIALIZED ({_ITEM}),
    moments AS ({_MOMENTS}),
    stays AS ({_STAYS}),
    history AS MATERIALIZED ({_HISTORY}),
    ends AS (
        SELECT selected.*,
               CASE WHEN selected.status_category = 'done' AND NOT history.is_dropped
                    THEN history.done_at END AS done_at,
               history.first_in_progress_at
        FROM selected LEFT JOIN history USING (id)
    ),
    credited AS ({_CREDITED}),
    assigned AS ({_ASSIGNED}),
    fresh AS ({_FRESH}),
    finder AS ({_FINDER}),
    gone AS (
        DELETE FROM integrations_workitemfigures
        WHERE work_item_id = ANY (%(ids)s) AND work_item_id NOT IN (SELECT id FROM selected)
        RETURNING *
    ),
    put AS (
        INSERT INTO integrations_workitemfigures AS stored (work_item_id, {_NAMES})
        SELECT ends.id,
               credited.credited_id,
               finder.repository_id,
               ends.work_type,
               ends.created_at::date,
               ends.done_at,
               ends.done_at::date,
               ends.first_in_progress_at,
               ends.first_in_progress_at::date,
               CASE WHEN ends.done_at >= ends.created_at
                    THEN extract(epoch FROM ends.done_at - ends.created_at)::float8 END,
               CASE WHEN ends.done_at >= ends.first_in_progress_at
                    THEN extract(epoch FROM ends.done_at - ends.first_in_progress_at)::float8 END,
               CASE WHEN ends.done_at >= ends.first_in_progress_at
                    THEN extract(epoch FROM history.active)::float8 END,
               coalesce(history.done_during, '{{}}'),
               coalesce(history.dropped_during, '{{}}'),
               coalesce(history.reopened, 0),
               finder.in_production OR finder.by_customer,
               finder.by_customer,
               coalesce(history.todo_days, '{{}}'),
               coalesce(history.in_progress_days, '{{}}'),
               CASE WHEN ends.estimate IS NULL OR ends.has_description IS FALSE OR history.todo_days IS NULL THEN '{{}}'
                    ELSE history.todo_days * coalesce(fresh.days, '{{}}') * coalesce(
                        assigned.days, CASE WHEN ends.assignee_id IS NULL THEN '{{}}' ELSE '{{(,)}}' END::datemultirange
                    ) END
        FROM ends
        JOIN credited USING (id)
        JOIN finder USING (id)
        LEFT JOIN history USING (id)
        LEFT JOIN assigned USING (id)
        LEFT JOIN fresh USING (id)
        {sql.update_changed("work_item_id", _COLUMNS)}
        RETURNING *
    ),
    before AS (
        SELECT * FROM integrations_workitemfigures
        WHERE work_item_id = ANY (%(ids)s) AND work_item_id NOT IN (SELECT work_item_id FROM gone)
    ),
    {NOTE_CHANGED_DAYS}
    SELECT work_item_id FROM gone UNION SELECT work_item_id FROM put
"""  # noqa: S608  # constants of this module


def recompute_item_figures(meanings: ValueMappings, ids: Iterable[int]) -> set[int]:
    """Recompute the figures of these items, which belong to one connection; return those that changed.

    Exactly the days on which anything counts differently are appended to the outbox.
    """
    changed: set[int] = set()
    for some in batched(sorted(ids), AT_ONCE):
        words = values_of_items(meanings, some)
        rows = sql.rows(
            _RECOMPUTE,
            {
                "ids": some,
                "waiting": words.waiting,
                "dropped": words.dropped,
                "by_customers": words.by_customers,
                "in_production": words.in_production,
            },
        )
        changed.update(row[0] for row in rows)
        recompute_sprints_of(some, changed=[row[0] for row in rows])
    if changed:
        announce_changes()
    return changed
