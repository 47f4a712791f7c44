"""The work of closed sprints, as relations for the metric engine.  It counts for the owner of the board."""

from __future__ import annotations

from typing import LiteralString

from integrations.facts.relation import STOCK_DAY, Relation, Stock
from integrations.models import FactFamily

SPRINTS_COMPARED = 6
FEWEST_SPRINTS = 4  # with fewer, how much delivery varies is a matter of luck
CURRENT_DAYS = 84  # a board whose last sprint was closed longer ago has none

WORK_OF_SPRINTS: LiteralString = """
    SELECT part.id AS sprint_item_id,
           part.sprint_id,
           NULL::bigint AS person_id,
           owned.id AS owned_id,
           figures.closed_on AS day,
           item.key AS reference,
           item.title,
           item.url,
           sprint.name AS sprint,
           project.name AS project,
           repository.name AS repository,
           item_figures.work_type,
           part.is_committed::int AS committed,
           (NOT part.is_committed)::int AS added,
           1 AS size,
           (part.outcome = 'delivered')::int AS delivered,
           (part.outcome = 'delivered' AND part.is_committed)::int AS delivered_commit,
           (part.outcome <> 'delivered' AND part.is_committed)::int AS missed_commit,
           (part.outcome = 'delivered' AND NOT part.is_committed)::int AS delivered_creep,
           (part.outcome = 'carried_over')::int AS carried_over,
           (part.outcome = 'removed')::int AS removed,
           (part.has_churned OR part.outcome = 'removed')::int AS churned,
           points.committed AS committed_points,
           points.added AS added_points,
           points.committed + points.added AS size_points,
           CASE WHEN part.outcome = 'delivered' THEN points.last ELSE 0 END AS delivered_points,
           CASE WHEN part.outcome = 'delivered' THEN least(points.committed, points.last) ELSE 0 END
               AS delivered_commit_points,
           points.committed - CASE WHEN part.outcome = 'delivered' THEN least(points.committed, points.last) ELSE 0 END
               AS missed_commit_points,
           CASE WHEN part.outcome = 'delivered' THEN greatest(points.last - points.committed, 0) ELSE 0 END
               AS delivered_creep_points,
           CASE WHEN part.outcome = 'carried_over' THEN points.last ELSE 0 END AS carried_over_points,
           points.committed + points.added - CASE WHEN part.outcome = 'removed' THEN 0 ELSE points.last END
               AS removed_points,
           CASE WHEN part.has_churned OR part.outcome = 'removed' THEN points.committed + points.added ELSE 0 END
               AS churned_points,
           CASE WHEN part.outcome = 'delivered' AND part.first_points > 0 AND part.last_points > 0
                THEN least(part.first_points, part.last_points) END AS held_points,
           CASE WHEN part.outcome = 'delivered' AND part.first_points > 0 AND part.last_points > 0
                THEN greatest(part.first_points, part.last_points) END AS estimated_points
    FROM integrations_sprintitem part
    JOIN integrations_sprintfigures figures ON figures.sprint_id = part.sprint_id
    JOIN integrations_sprint sprint ON sprint.id = part.sprint_id
    JOIN integrations_workitem item ON item.id = part.work_item_id
    LEFT JOIN integrations_workitemfigures item_figures ON item_figures.work_item_id = part.work_item_id
    LEFT JOIN integrations_project project ON project.id = item.project_id
    LEFT JOIN integrations_repository repository ON repository.id = item_figures.repository_id
    LEFT JOIN integrations_owned owned ON owned.connection_id = sprint.connection_id AND owned.name = sprint.board
    CROSS JOIN LATERAL (
        SELECT CASE WHEN part.is_committed THEN coalesce(part.first_points, 0) ELSE 0 END AS committed,
               CASE WHEN part.is_committed
                    THEN greatest(coalesce(part.last_points, 0) - coalesce(part.first_points, 0), 0)
                    ELSE coalesce(part.last_points, 0) END AS added,
               coalesce(part.last_points, 0) AS last
    ) AS points
"""
"""One row per item of a sprint, as in SPRINT_ITEMS; without a day while the sprint is open."""

SPRINT_ITEMS = Relation(
    name="sprint_items",
    family=FactFamily.SPRINT,
    open_as_in_tools=True,
    owner="owned_id",
    fact="sprint_item_id",
    fact_is_row=True,
    sql=f"{WORK_OF_SPRINTS} WHERE figures.closed_on IS NOT NULL",
)
"""One row per item of a closed sprint; it counts on the day on which the sprint was closed.

committed (in the sprint at the end of its grace), added (later), delivered, delivered_commit (both), missed_commit
(committed and not delivered), delivered_creep (added and delivered), carried_over, removed (or dropped) and churned
(removed for good, or until it was added again) are 1 or 0; size is 1.
The same in points, as they were: what an estimate grew by after the grace is added, what it shrank by is removed, so
that committed + added = delivered + carried over + removed.  Items without an estimate have 0 points.  held_points and
estimated_points are the smaller and the greater of a delivered item's estimates when it was planned and at the close;
null where one is missing.
"""

RECENT_SPRINTS = Relation(
    name="recent_sprints",
    family=FactFamily.SPRINT,
    open_as_in_tools=True,
    owner="owned_id",
    day=STOCK_DAY,
    stock=Stock("days"),
    fact="sprint_id",
    fact_is_row=True,
    sql=f"""
        SELECT sprint.sprint_id,
               NULL::bigint AS person_id,
               owned.id AS owned_id,
               sprint.name AS reference,
               sprint.board AS title,
               '' AS url,
               datemultirange(daterange(
                   sprint.closed_on, least(sprint.next_closed_on, sprint.closed_on + {CURRENT_DAYS})
               )) AS days,
               CASE WHEN sprint.sprints >= {FEWEST_SPRINTS} AND sprint.items_mean > 0
                    THEN 100 * sprint.items_deviation / sprint.items_mean END AS items_variation,
               CASE WHEN sprint.estimated_sprints >= {FEWEST_SPRINTS} AND sprint.points_mean > 0
                    THEN 100 * sprint.points_deviation / sprint.points_mean END AS points_variation
        FROM (
            SELECT figures.sprint_id, figures.closed_on, sprint.name, sprint.board, sprint.connection_id,
                   lead(figures.closed_on) OVER (PARTITION BY sprint.connection_id, sprint.board
                                                 ORDER BY figures.closed_at, figures.sprint_id) AS next_closed_on,
                   count(*) OVER last_ones AS sprints,
                   avg(figures.delivered_items) OVER last_ones::float8 AS items_mean,
                   stddev_samp(figures.delivered_items) OVER last_ones::float8 AS items_deviation,
                   count(figures.delivered_points) OVER last_ones AS estimated_sprints,
                   avg(figures.delivered_points) OVER last_ones AS points_mean,
                   stddev_samp(figures.delivered_points) OVER last_ones AS points_deviation
            FROM integrations_sprintfigures figures
            JOIN integrations_sprint sprint ON sprint.id = figures.sprint_id
            WHERE figures.closed_on IS NOT NULL AND figures.items > 0
            WINDOW last_ones AS (
                PARTITION BY sprint.connection_id, sprint.board ORDER BY figures.closed_at, figures.sprint_id
                ROWS {SPRINTS_COMPARED - 1} PRECEDING
            )
        ) AS sprint
        LEFT JOIN integrations_owned owned ON owned.connection_id = sprint.connection_id AND owned.name = sprint.board
    """,  # noqa: S608  # constants
)
"""A stock of the last sprint of each board: from the day on which it was closed until the next one was, or too long.

items_variation and points_variation are the coefficient of variation, in percent, of what the board delivered in its
last six sprints that had any work; null with fewer than four, and where nothing was delivered.
"""
