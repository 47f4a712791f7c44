"""Sprints' figures: their items, which of these were committed, and their outcomes.

An item's changes of sprint are a list of moments; between them it is either inside a sprint or not.  Items inside at
the end of the grace period are committed, items that enter later are added.  A change at the moment of the close
belongs to the time after it: trackers move unfinished work when a sprint is closed.  Estimates, too, are those of the
moment: if one changed later, the change tells its earlier value.

Items that were done before the start and stayed done are left out, as are items whose parent is in the same sprint:
they count with it.  If an admin chose that a board's sub-tasks count alone, each is an item of its own; a sub-task
whose tracker does not record sprints of sub-tasks is in those of its parent.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from django.db.models import Max, Min

from core import sql
from core.batches import batched
from integrations.facts.work_items import EPIC_TYPES
from integrations.facts.working_agreements import AGREED, NEAREST_FIRST
from integrations.models import FactFamily, Sprint
from integrations.models.working_agreements import LONGEST_GRACE
from integrations.outbox.fact_changes import announce_changes, append_days, insert_days
from orgtree.models import Organisation
from orgtree.organisation.public_holidays import days_off

AT_ONCE = 1000
GRACE_DAYS = 1  # working days, unless agreed otherwise
SPRINTS_AFTER = 6  # the number of a board's later sprints whose figures depend on one
_FIGURES = ("grace_ends_at", "closed_at", "closed_on", "items", "delivered_items", "delivered_points")
_ITEM = (
    *("is_committed", "inside", "entered_at", "left_at", "has_churned", "outcome", "ended_at"),
    *("first_points", "last_points"),
)
_KEY = ("sprint_id", "work_item_id")

# One row per sprint that began.  Its grace ends on a working day: a start at a weekend is one of the Friday before.
_SPRINTS = f"""
    SELECT sprint.id, sprint.connection_id, sprint.external_id, sprint.starts_at, ended.at AS closed_at,
           least(ended.at, sprint.starts_at + coalesce(committed.day - sprint.starts_at::date, 0) * interval '1 day')
               AS grace_ends_at,
           EXISTS (
               SELECT FROM integrations_owned owned
               WHERE owned.connection_id = sprint.connection_id AND owned.name = sprint.board AND owned.parts_alone
           ) AS parts_alone
    FROM integrations_sprint sprint
    CROSS JOIN LATERAL (
        SELECT CASE WHEN sprint.state = 'closed' THEN coalesce(sprint.completed_at, sprint.ends_at) END
    ) AS ended (at)
    LEFT JOIN LATERAL (
        SELECT agreed.sprint_grace_days AS days
        FROM integrations_owned owned
        JOIN ({AGREED}) AS agreed ON agreed.owned_id = owned.id AND agreed.during @> sprint.starts_at::date
        WHERE owned.connection_id = sprint.connection_id AND owned.name = sprint.board
          AND agreed.sprint_grace_days IS NOT NULL
        ORDER BY {NEAREST_FIRST}
        LIMIT 1
    ) AS agreement ON true
    CROSS JOIN LATERAL (SELECT coalesce(agreement.days, {GRACE_DAYS})) AS grace (days)
    LEFT JOIN LATERAL (
        SELECT later.day FROM (
            SELECT sprint.starts_at::date + number AS day FROM generate_series(1, {LONGEST_GRACE} * 7) AS number
        ) AS later
        WHERE extract(isodow FROM later.day)::int - 1 <> ALL (%(weekend)s::int[])
          AND later.day <> ALL (%(holidays)s::date[])
        ORDER BY later.day
        OFFSET greatest(grace.days - 1, 0) LIMIT (grace.days > 0)::int
    ) AS committed ON true
    WHERE sprint.id = ANY (%(ids)s) AND sprint.deleted_at IS NULL
      AND (sprint.state = 'active' AND sprint.starts_at IS NOT NULL OR ended.at > sprint.starts_at)
"""  # noqa: S608  # constants
# One row per sprint and item that entered or left it before the close: when it was in it.
_MOVED = """
    SELECT sprint_id, work_item_id,
           coalesce(range_agg(tstzrange(at, until)) FILTER (WHERE added), '{}')
               + coalesce(range_agg(tstzrange(NULL, at)) FILTER (WHERE position = 1 AND NOT added), '{}') AS inside
    FROM (
        SELECT begun.id AS sprint_id, change.work_item_id, change.at, change.added,
               row_number() OVER in_order AS position, lead(change.at) OVER in_order AS until
        FROM begun
        JOIN integrations_sprintchange change ON change.sprint = begun.external_id
        JOIN integrations_workitem item
          ON item.id = change.work_item_id AND item.connection_id = begun.connection_id AND item.deleted_at IS NULL
        WHERE begun.closed_at IS NULL OR change.at < begun.closed_at
        WINDOW in_order AS (PARTITION BY begun.id, change.work_item_id ORDER BY change.at, change.id)
    ) AS moments
    GROUP BY sprint_id, work_item_id
"""
# The same, and the parts that never entered a sprint themselves, where they count alone: when their parent was in it.
_STAYS = f"""
    SELECT sprint_id, work_item_id, inside FROM moved
    UNION ALL
    SELECT moved.sprint_id, item.id, moved.inside * tstzmultirange(tstzrange(item.created_at, NULL))
    FROM moved
    JOIN begun ON begun.id = moved.sprint_id AND begun.parts_alone
    JOIN integrations_workitem parent ON parent.id = moved.work_item_id AND parent.native_type !~* '{EPIC_TYPES}'
    JOIN integrations_workitem item
      ON item.connection_id = begun.connection_id AND item.parent_key = parent.key AND item.parent_key <> ''
     AND item.id <> parent.id AND item.deleted_at IS NULL
    WHERE coalesce(item.created_at < begun.closed_at, true)
      AND NOT EXISTS (SELECT FROM integrations_sprintchange change WHERE change.work_item_id = item.id)
"""  # noqa: S608  # constants
# One row per sprint and item that was in it at the end of the grace, or entered it later.
_MEMBERS = """
    SELECT stay.sprint_id, stay.work_item_id, begun.starts_at, begun.grace_ends_at, begun.closed_at, item.estimate,
           coalesce(figures.done_during, '{}') AS done_during, coalesce(figures.dropped_during, '{}') AS dropped_during,
           stay.inside,
           lower(counted.inside) AS counted_from,
           lower(counted.inside) = begun.grace_ends_at AS is_committed,
           (SELECT lower(part) FROM unnest(stay.inside) AS part WHERE part @> lower(counted.inside)) AS entered_at,
           upper(counted.inside) AS left_at,
           (SELECT count(*) FROM unnest(counted.inside)) AS times,
           coalesce(upper(counted.inside), begun.closed_at, 'infinity') AS until
    FROM stays stay
    JOIN begun ON begun.id = stay.sprint_id
    JOIN integrations_workitem item ON item.id = stay.work_item_id
    LEFT JOIN integrations_workitemfigures figures ON figures.work_item_id = stay.work_item_id
    CROSS JOIN LATERAL (
        SELECT stay.inside * tstzmultirange(tstzrange(begun.grace_ends_at, NULL))
    ) AS counted (inside)
    WHERE NOT isempty(counted.inside)
      AND NOT EXISTS (
          SELECT FROM stays beside
          JOIN integrations_workitem parent ON parent.id = beside.work_item_id
          WHERE beside.sprint_id = stay.sprint_id AND parent.connection_id = item.connection_id
            AND item.parent_key <> '' AND parent.key = item.parent_key AND parent.id <> item.id
            AND NOT isempty(beside.inside * tstzmultirange(tstzrange(begun.grace_ends_at, NULL)))
            AND NOT begun.parts_alone
      )
"""
_NUMBER = r"CASE WHEN {0} ~ '^\s*\d{{1,7}}([.,]\d{{1,6}})?\s*$' THEN replace(trim({0}), ',', '.')::float8 END"


def points_at(moment: str, name: str) -> str:
    """A join with the estimate of a `member` at that moment: the one before its next change, else the latest."""
    return f"""
        CROSS JOIN LATERAL (
            SELECT CASE WHEN count(*) = 0 THEN member.estimate ELSE {_NUMBER.format("min(next.before)")} END
            FROM (
                SELECT change.before FROM integrations_workitemchange change
                WHERE change.work_item_id = member.work_item_id AND change.field = 'estimate' AND change.at > {moment}
                ORDER BY change.at, change.id
                LIMIT 1
            ) AS next
        ) AS {name} (points)
    """  # noqa: S608  # constants


_COMPUTED = f"""
    SELECT member.sprint_id, member.work_item_id, member.is_committed, member.inside, member.entered_at, member.left_at,
           member.left_at IS NOT NULL OR member.times > 1 AS has_churned,
           CASE WHEN member.left_at IS NOT NULL THEN 'removed'
                WHEN member.done_during @> member.until THEN 'delivered'
                WHEN member.dropped_during @> member.until THEN 'removed'
                WHEN member.closed_at IS NULL THEN 'open'
                ELSE 'carried_over' END AS outcome,
           coalesce(
               member.left_at,
               (SELECT lower(part) FROM unnest(member.done_during + member.dropped_during) AS part
                WHERE part @> member.until)
           ) AS ended_at,
           at_first.points AS first_points,
           at_last.points AS last_points
    FROM ({_MEMBERS}) AS member
    {points_at("member.counted_from", "at_first")}
    {points_at("member.until", "at_last")}
    WHERE NOT (member.done_during + member.dropped_during)
              @> tstzrange(member.starts_at, nullif(member.until, 'infinity'))
"""  # noqa: S608  # constants
# The days of a closed sprint, and of those whose last six contain it: until the one after these was closed.
_NOTE = insert_days(
    {
        FactFamily.SPRINT: f"""
            SELECT closed_on, coalesce(
                (
                    SELECT closed_on FROM integrations_sprintfigures later
                    JOIN integrations_sprint beside ON beside.id = later.sprint_id
                    WHERE beside.connection_id = changed.connection_id AND beside.board = changed.board
                      AND later.closed_on > changed.closed_on
                    ORDER BY later.closed_at OFFSET {SPRINTS_AFTER} LIMIT 1
                ),
                now()::date
            ) + 1
            FROM changed
            WHERE closed_on <= now()::date
        """  # noqa: S608  # constants
    }
)
_RECOMPUTE = f"""
    WITH begun AS MATERIALIZED ({_SPRINTS}),
    moved AS MATERIALIZED ({_MOVED}),
    stays AS MATERIALIZED ({_STAYS}),
    computed AS MATERIALIZED ({_COMPUTED}),
    gone AS (
        DELETE FROM integrations_sprintitem stored
        WHERE sprint_id = ANY (%(ids)s)
          AND NOT EXISTS (SELECT FROM computed WHERE ({", ".join(_KEY)}) = (stored.sprint_id, stored.work_item_id))
        RETURNING sprint_id
    ),
    put AS (
        {sql.upsert("integrations_sprintitem", ", ".join(_KEY), _ITEM, "computed")}
        RETURNING sprint_id
    ),
    summed AS (
        SELECT begun.id AS sprint_id, begun.grace_ends_at, begun.closed_at, begun.closed_at::date AS closed_on,
               count(computed.sprint_id) AS items,
               count(*) FILTER (WHERE computed.outcome = 'delivered') AS delivered_items,
               CASE WHEN count(coalesce(computed.first_points, computed.last_points)) > 0 THEN coalesce(
                   sum(computed.last_points) FILTER (WHERE computed.outcome = 'delivered'), 0
               ) END AS delivered_points
        FROM begun LEFT JOIN computed ON computed.sprint_id = begun.id
        GROUP BY begun.id, begun.grace_ends_at, begun.closed_at
    ),
    before AS (
        SELECT figures.sprint_id, figures.closed_on, sprint.connection_id, sprint.board
        FROM integrations_sprintfigures figures JOIN integrations_sprint sprint ON sprint.id = figures.sprint_id
        WHERE figures.sprint_id = ANY (%(ids)s)
    ),
    gone_figures AS (
        DELETE FROM integrations_sprintfigures
        WHERE sprint_id = ANY (%(ids)s) AND sprint_id NOT IN (SELECT sprint_id FROM summed)
        RETURNING sprint_id
    ),
    put_figures AS (
        {sql.upsert("integrations_sprintfigures", "sprint_id", _FIGURES, "summed")}
        RETURNING sprint_id
    ),
    touched AS (
        SELECT sprint_id FROM gone UNION SELECT sprint_id FROM put
        UNION SELECT sprint_id FROM gone_figures UNION SELECT sprint_id FROM put_figures
    ),
    changed AS (
        SELECT before.connection_id, before.board, before.closed_on FROM before JOIN touched USING (sprint_id)
        UNION
        SELECT sprint.connection_id, sprint.board, summed.closed_on
        FROM summed JOIN touched USING (sprint_id) JOIN integrations_sprint sprint ON sprint.id = summed.sprint_id
    ),
    noted AS ({_NOTE})
    SELECT sprint_id FROM touched
"""  # noqa: S608  # constants
# Those that items are, or were, in: by their own moves, by those of their parents, and of parts that count with them.
_SPRINTS_OF_ITEMS = """
    WITH changed AS (
        SELECT id, connection_id, key, parent_key FROM integrations_workitem WHERE id = ANY (%(ids)s)
    ),
    related AS (
        SELECT id FROM changed
        UNION
        SELECT part.id
        FROM changed
        JOIN integrations_workitem part
          ON part.connection_id = changed.connection_id AND part.parent_key = changed.key AND part.parent_key <> ''
        UNION
        SELECT parent.id
        FROM changed
        JOIN integrations_workitem parent
          ON parent.connection_id = changed.connection_id AND parent.key = changed.parent_key
        WHERE changed.parent_key <> ''
    )
    SELECT sprint.id
    FROM related
    JOIN integrations_workitem item ON item.id = related.id
    JOIN integrations_sprintchange change ON change.work_item_id = item.id
    JOIN integrations_sprint sprint ON sprint.external_id = change.sprint AND sprint.connection_id = item.connection_id
    UNION
    SELECT part.sprint_id FROM related JOIN integrations_sprintitem part ON part.work_item_id = related.id
"""
_DAYS_OF_ITEMS = """
    SELECT figures.closed_on, figures.closed_on + 1
    FROM integrations_sprintitem part JOIN integrations_sprintfigures figures USING (sprint_id)
    WHERE part.work_item_id = ANY (%(ids)s) AND figures.closed_on <= now()::date
"""
_DAYS_OF_SPRINTS = f"""
    WITH changed AS (
        SELECT sprint.connection_id, sprint.board, figures.closed_on
        FROM integrations_sprintfigures figures JOIN integrations_sprint sprint ON sprint.id = figures.sprint_id
        WHERE figures.sprint_id = ANY (%(ids)s)
    )
    {_NOTE}
"""  # noqa: S608  # constants


def recompute_sprints(ids: Iterable[int]) -> set[int]:
    """Recompute the figures and items of these sprints; return those that changed.

    Exactly the days on which anything counts differently are appended to the outbox.
    """
    changed: set[int] = set()
    for some in batched(sorted(ids), AT_ONCE):
        changed |= sql.ids(_RECOMPUTE, {"ids": some, **_days_off(some)})
    if changed:
        announce_changes()
    return changed


def _days_off(sprints: Collection[int]) -> dict[str, list[Any]]:
    """Weekends and public holidays of the years in which the grace periods of these sprints may end."""
    starts = Sprint.objects.filter(pk__in=sprints, starts_at__isnull=False).aggregate(
        first=Min("starts_at__year"), last=Max("starts_at__year")
    )
    years = range(starts["first"] or 0, (starts["last"] or 0) + 2)
    off = days_off(Organisation.current().holidays_in, years)
    return {"weekend": sorted(off.weekend), "holidays": sorted(off.holidays)}


def recompute_sprints_of(items: Collection[int], *, changed: Collection[int] = ()) -> set[int]:
    """Recompute the sprints of these work items; return those that changed.

    `changed` are the items whose rows in sprints now show something else, such as another work type or project.
    """
    note_sprints_of(changed)
    return recompute_sprints(sql.ids(_SPRINTS_OF_ITEMS, {"ids": sorted(items)}))


def note_sprints_of(items: Collection[int]) -> None:
    """Append to the outbox that the rows of these work items in sprints changed."""
    if items:
        append_days({FactFamily.SPRINT: _DAYS_OF_ITEMS}, {"ids": sorted(items)})


def note_sprints(ids: Collection[int]) -> None:
    """Append to the outbox that the rows of these sprints changed, if they have figures."""
    if sql.execute(_DAYS_OF_SPRINTS, {"ids": sorted(ids)}):
        announce_changes()


def drop_sprint_figures(ids: Collection[int]) -> None:
    """Delete the figures of these sprints, which are about to be deleted, and append their days to the outbox."""
    note_sprints(ids)
    sql.execute("DELETE FROM integrations_sprintitem WHERE sprint_id = ANY (%s)", [sorted(ids)])
    sql.execute("DELETE FROM integrations_sprintfigures WHERE sprint_id = ANY (%s)", [sorted(ids)])
