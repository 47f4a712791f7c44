"""Initiatives: epics, versions, labels and projects with their work items, over all units.

An epic is a work item whose type says so (epic, initiative, feature), or one without a parent that has at least
FEWEST_CHILDREN items; its items are those that name it as their parent.  A version belongs to a project, a label to the
whole organisation.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

from django.db import connection
from django.utils import timezone
from psycopg import sql

from core.sql import rows
from integrations.delivery.records.visible import visible_work_items
from integrations.facts.costs import spend_behind_item
from integrations.facts.work_items import EPIC_TYPES
from orgtree.access.access import Access
from orgtree.trees.people_filter import EVERYBODY, PeopleFilter, conditions
from orgtree.trees.trees import tree_of_program

FEWEST_CHILDREN = 5
MOST_LISTED = 60  # initiatives, those that were worked on last
WEEKS_OF_TEAM = 12  # people who finished an item in these, or in the last ones before its end, are behind it


class InitiativeKind(StrEnum):
    """The stored field that groups items into one initiative."""

    EPIC = "epic"
    VERSION = "version"
    LABEL = "label"
    PROJECT = "project"

    @property
    def has_end(self) -> bool:
        """Whether there is a last item; labels and projects keep getting new ones."""
        return self in (InitiativeKind.EPIC, InitiativeKind.VERSION)


# One row per initiative and item: key, name, url, planned day, and when the item joined where that is known.
_MEMBERS: Mapping[InitiativeKind, sql.SQL] = {
    InitiativeKind.EPIC: sql.SQL(f"""
        SELECT epic.id::text AS key, epic.title AS name, epic.key AS reference, epic.id AS epic_id,
               coalesce(epic.due_on, epic.release_on) AS planned_on, item.id AS item_id, NULL::date AS joined_on
        FROM integrations_workitem item
        JOIN integrations_workitem epic
          ON epic.connection_id = item.connection_id AND epic.key = item.parent_key AND epic.deleted_at IS NULL
        WHERE item.parent_key <> '' AND item.deleted_at IS NULL
          AND (epic.native_type ~* '{EPIC_TYPES}'
               OR (epic.parent_key = ''
                   AND (SELECT count(*) FROM integrations_workitem child
                        WHERE child.connection_id = epic.connection_id AND child.parent_key = epic.key
                          AND child.parent_key <> '' AND child.deleted_at IS NULL) >= %(fewest_children)s))
    """),  # noqa: S608  # constants
    InitiativeKind.VERSION: sql.SQL("""
        SELECT concat(item.project_id, ':', version.name) AS key, version.name, project.name AS reference,
               NULL::bigint AS epic_id,
               min(item.release_on) OVER (PARTITION BY item.project_id, version.name) AS planned_on, item.id AS item_id,
               (SELECT (min(change.at) AT TIME ZONE %(zone)s)::date FROM integrations_workitemchange change
                WHERE change.work_item_id = item.id AND change.field = 'version'
                  AND version.name = ANY (string_to_array(change.after, ', '))) AS joined_on
        FROM integrations_workitem item
        JOIN integrations_project project ON project.id = item.project_id
        CROSS JOIN unnest(item.versions) AS version (name)
        WHERE item.deleted_at IS NULL
    """),
    InitiativeKind.LABEL: sql.SQL("""
        SELECT label.name AS key, label.name, '' AS reference, NULL::bigint AS epic_id, NULL::date AS planned_on,
               item.id AS item_id, NULL::date AS joined_on
        FROM integrations_workitem item
        CROSS JOIN unnest(item.labels) AS label (name)
        WHERE item.deleted_at IS NULL
    """),
    InitiativeKind.PROJECT: sql.SQL("""
        SELECT project.id::text AS key, project.name, project.key AS reference, NULL::bigint AS epic_id,
               NULL::date AS planned_on, item.id AS item_id, NULL::date AS joined_on
        FROM integrations_workitem item
        JOIN integrations_project project ON project.id = item.project_id
        WHERE item.deleted_at IS NULL
    """),
}

# One row per initiative, with the days of its items.  An item that was closed without being done was dropped.
_INITIATIVES = sql.SQL("""
    WITH member AS ({members}),
    item AS (
        SELECT member.*,
               coalesce(member.joined_on, figures.created_on) AS added_on,
               figures.started_on, figures.done_on, figures.active_seconds, identity.person_id,
               CASE WHEN figures.done_on IS NULL AND stored.status_category = 'done'
                    THEN (coalesce(stored.resolved_at, stored.updated_at, stored.first_seen_at)
                          AT TIME ZONE %(zone)s)::date
               END AS dropped_on,
               (true {whose}) AS is_own
        FROM member
        JOIN integrations_workitem stored ON stored.id = member.item_id
        JOIN integrations_workitemfigures figures ON figures.work_item_id = member.item_id
        LEFT JOIN orgtree_identity identity ON identity.id = figures.credited_id
        WHERE (%(key)s::text IS NULL OR member.key = %(key)s)
          AND (%(visible)s::bigint[] IS NULL OR member.item_id = ANY (%(visible)s))
    ),
    counted AS (SELECT * FROM item WHERE NOT %(own_only)s OR is_own OR person_id IS NULL),
    listed AS (
        SELECT key, bool_or(is_own) AS is_own, max(greatest(done_on, started_on, added_on)) AS last_change,
               count(*) FILTER (WHERE done_on IS NULL AND dropped_on IS NULL) AS remaining, max(done_on) AS finished_on
        FROM item
        GROUP BY key
        HAVING bool_or(is_own)
           AND (NOT %(open_only)s OR count(*) FILTER (WHERE done_on IS NULL AND dropped_on IS NULL) > 0)
           AND max(greatest(done_on, started_on, added_on)) >= %(since)s
        ORDER BY last_change DESC, key
        LIMIT %(most)s
    )
    SELECT counted.key, min(counted.name), min(counted.reference), min(counted.epic_id), min(counted.planned_on),
           count(*) FILTER (WHERE counted.done_on IS NULL AND counted.dropped_on IS NULL),
           count(*) FILTER (WHERE counted.done_on IS NULL AND counted.dropped_on IS NULL
                              AND counted.started_on IS NOT NULL),
           array_agg(counted.added_on) FILTER (WHERE counted.added_on IS NOT NULL),
           array_agg(counted.done_on) FILTER (WHERE counted.done_on IS NOT NULL),
           array_agg(counted.dropped_on) FILTER (WHERE counted.dropped_on IS NOT NULL),
           min(greatest(least(counted.started_on, counted.done_on), counted.joined_on)),
           avg(counted.active_seconds) FILTER (WHERE counted.done_on IS NOT NULL) / 86400.0,
           array_agg(DISTINCT counted.person_id)
             FILTER (WHERE counted.person_id IS NOT NULL AND counted.done_on >= %(team_since)s
                           - CASE WHEN listed.remaining = 0 THEN %(today)s - listed.finished_on ELSE 0 END),
           array_agg(counted.item_id)
    FROM counted
    JOIN listed USING (key)
    GROUP BY counted.key
    ORDER BY max(listed.last_change) DESC, counted.key
""")


_AGENTS_WORK = sql.SQL("""
    WITH item AS (SELECT DISTINCT unnest(%(items)s::bigint[]) AS id),
    pull_request AS (
        SELECT DISTINCT link.pull_request_id AS id
        FROM integrations_workitemlink link
        JOIN item ON item.id = link.work_item_id
    ),
    commit AS (
        SELECT DISTINCT commit.id, identity.person_id
        FROM (
            SELECT part.sha
            FROM pull_request
            JOIN integrations_pullrequestcommit part ON part.pull_request_id = pull_request.id
            UNION
            SELECT squashed.merge_sha
            FROM pull_request
            JOIN integrations_pullrequest squashed ON squashed.id = pull_request.id AND squashed.merge_sha <> ''
        ) AS brought
        JOIN integrations_commit commit ON commit.sha = brought.sha AND commit.set_apart = ''
        LEFT JOIN orgtree_identity identity ON identity.id = commit.credited_id
    ),
    lines AS (
        SELECT sum(file.added) AS lines
        FROM commit
        JOIN integrations_commitfile file ON file.commit_id = commit.id AND file.set_apart = ''
    ),
    ai AS (
        SELECT sum(part.ai_lines) AS lines, count(DISTINCT commit.person_id) FILTER (WHERE part.ai_lines > 0) AS people
        FROM commit
        JOIN integrations_fileattribution part ON part.commit_id = commit.id
    ),
    cost AS (
        SELECT sum(behind.spend) AS spend, count(DISTINCT identity.person_id) FILTER (WHERE behind.spend > 0) AS people
        FROM item
        CROSS JOIN LATERAL ({spend}) AS behind
        JOIN integrations_agentsession session ON session.id = behind.session_id
        JOIN orgtree_identity identity ON identity.id = session.identity_id
    )
    SELECT coalesce(lines.lines, 0), coalesce(ai.lines, 0), (SELECT count(DISTINCT person_id) FROM commit),
           coalesce(ai.people, 0), coalesce(cost.spend, 0), coalesce(cost.people, 0)
    FROM lines, ai, cost
""").format(spend=sql.SQL(spend_behind_item("item.id")))


# Whose agents' work it is, by item: 'spend' by session, 'code' by commit.
_AGENTS_PEOPLE = sql.SQL("""
    WITH item AS (SELECT DISTINCT unnest(%(items)s::bigint[]) AS id)
    SELECT DISTINCT 'spend', item.id, identity.person_id
    FROM item
    CROSS JOIN LATERAL ({spend}) AS behind
    JOIN integrations_agentsession session ON session.id = behind.session_id
    JOIN orgtree_identity identity ON identity.id = session.identity_id AND identity.person_id IS NOT NULL
    WHERE behind.spend > 0
    UNION ALL
    SELECT DISTINCT 'code', item.id, identity.person_id
    FROM item
    JOIN integrations_workitemlink link ON link.work_item_id = item.id
    JOIN LATERAL (
        SELECT part.sha FROM integrations_pullrequestcommit part WHERE part.pull_request_id = link.pull_request_id
        UNION
        SELECT squashed.merge_sha FROM integrations_pullrequest squashed
        WHERE squashed.id = link.pull_request_id AND squashed.merge_sha <> ''
    ) AS brought ON true
    JOIN integrations_commit commit ON commit.sha = brought.sha AND commit.set_apart = ''
    JOIN integrations_fileattribution part ON part.commit_id = commit.id AND part.ai_lines > 0
    JOIN orgtree_identity identity ON identity.id = commit.credited_id AND identity.person_id IS NOT NULL
""").format(spend=sql.SQL(spend_behind_item("item.id")))
# The items of each parent and of each version without items elsewhere.
_PARTS = """
    WITH item AS (
        SELECT stored.id, stored.connection_id, stored.parent_key, stored.project_id, stored.versions
        FROM integrations_workitem stored
        WHERE stored.id = ANY (%(items)s)
    )
    SELECT array_agg(item.id)
    FROM item
    WHERE item.parent_key <> ''
    GROUP BY item.connection_id, item.parent_key
    HAVING count(*) = (
        SELECT count(*) FROM integrations_workitem other
        WHERE other.connection_id = item.connection_id AND other.parent_key = item.parent_key
          AND other.parent_key <> '' AND other.deleted_at IS NULL
    )
    UNION ALL
    SELECT array_agg(item.id)
    FROM item
    CROSS JOIN unnest(item.versions) AS version (name)
    GROUP BY item.project_id, version.name
    HAVING count(*) = (
        SELECT count(*) FROM integrations_workitem other
        WHERE other.project_id = item.project_id AND version.name = ANY (other.versions) AND other.deleted_at IS NULL
    )
"""

# One row per team: the unit in which the credited person was when the item was done, or is today.
_UNITS_WORK = """
    SELECT coalesce(team.slug, ''), coalesce(team.name, ''), coalesce(team.above, ''),
           count(*) FILTER (WHERE figures.done_on IS NOT NULL),
           count(*) FILTER (WHERE figures.done_on IS NULL AND figures.started_on IS NOT NULL),
           count(*) FILTER (WHERE figures.done_on IS NULL AND figures.started_on IS NULL),
           count(*) FILTER (WHERE figures.done_on >= %(team_since)s)
    FROM (SELECT DISTINCT unnest(%(items)s::bigint[]) AS id) AS item
    JOIN integrations_workitem stored ON stored.id = item.id
    JOIN integrations_workitemfigures figures ON figures.work_item_id = item.id
    LEFT JOIN orgtree_identity identity ON identity.id = figures.credited_id
    LEFT JOIN LATERAL (
        SELECT unit.slug, unit.name, above.name AS above
        FROM orgtree_placement placement
        JOIN orgtree_unit unit ON unit.id = placement.unit_id
        LEFT JOIN orgtree_unitplace place ON place.unit_id = unit.id AND place.during @> %(today)s
        LEFT JOIN orgtree_unit above ON above.id = place.parent_id
        WHERE placement.person_id = identity.person_id AND placement.unit_id = placement.ancestor_id
          AND unit.tree_id = %(tree)s AND placement.during @> coalesce(figures.done_on, %(today)s)
        ORDER BY unit.id
        LIMIT 1
    ) AS team ON true
    WHERE figures.done_on IS NOT NULL OR stored.status_category <> 'done'
    GROUP BY team.slug, team.name, team.above
    ORDER BY team.above, team.name NULLS LAST, team.slug
"""


@dataclass(frozen=True)
class UnitWork:
    """The items of an initiative that a team's people work on, or finished while they were in it; items without an
    assignee have no unit.
    """

    unit: str  # its slug
    name: str
    above: str  # the name of the unit above it: sites of several teams have the same
    done: int
    in_progress: int
    to_do: int
    recent: int  # finished in the last WEEKS_OF_TEAM weeks

    @property
    def weekly(self) -> float:
        """Items finished per week."""
        return self.recent / WEEKS_OF_TEAM


@dataclass(frozen=True)
class AgentsWork:
    """The work of coding agents for an initiative: their share of the lines of its pull requests, and their spend; and
    how many people contributed the commits, the commits with agents, and the sessions.
    """

    lines: int
    ai_lines: int
    authors: int
    ai_authors: int
    spend: Decimal
    spenders: int


@dataclass(frozen=True)
class Initiative:
    """An initiative as its items describe it; days are local.  `own` is the work of a unit's people, or of
    nobody yet.
    """

    kind: InitiativeKind
    key: str
    name: str
    reference: str
    epic_id: int | None  # the work item of an epic
    planned_on: date | None
    remaining: int
    in_progress: int
    added: Sequence[date]  # a day for each item
    done: Sequence[date]
    dropped: Sequence[date]
    started_on: date | None
    active_days: float | None  # mean calendar days that a finished item was actively worked on
    people: Sequence[int]
    item_ids: Sequence[int] = ()

    @property
    def items(self) -> int:
        """The number of items that are done or to do."""
        return len(self.done) + self.remaining


def open_initiatives(
    kind: InitiativeKind, access: Access, *, people: PeopleFilter = EVERYBODY, own_only: bool, since: date
) -> list[Initiative]:
    """Initiatives with items to do on which these people worked, and which changed since that day."""
    return _read(kind, access, people=people, own_only=own_only, since=since, open_only=True)


def all_initiatives(
    kind: InitiativeKind, access: Access, *, people: PeopleFilter = EVERYBODY, own_only: bool = False, since: date
) -> list[Initiative]:
    """Initiatives that changed since that day, finished ones included."""
    return _read(kind, access, people=people, own_only=own_only, since=since, open_only=False, most=None)


def initiative(
    kind: InitiativeKind, key: str, access: Access, *, people: PeopleFilter = EVERYBODY, own_only: bool = False
) -> Initiative | None:
    """The initiative, if the viewer may open any of its items."""
    found = _read(kind, access, people=people if own_only else EVERYBODY, own_only=own_only, since=date.min, key=key)
    return found[0] if found else None


def agents_work(of: Initiative) -> AgentsWork:
    """The work of agents behind the items of the initiative that the viewer may see."""
    with connection.cursor() as cursor:
        cursor.execute(_AGENTS_WORK, {"items": list(of.item_ids)})
        return AgentsWork(*cursor.fetchone())


@dataclass(frozen=True)
class AgentsPeople:
    """The people behind agents' work for an initiative, by item; and the items of each epic and version within it."""

    spenders: Mapping[int, Sequence[int]]
    ai_authors: Mapping[int, Sequence[int]]
    parts: Sequence[Sequence[int]]


def agents_people(of: Initiative) -> AgentsPeople:
    items = {"items": list(of.item_ids)}
    by_kind: dict[str, dict[int, list[int]]] = {"spend": defaultdict(list), "code": defaultdict(list)}
    with connection.cursor() as cursor:
        cursor.execute(_AGENTS_PEOPLE, items)
        for kind, item, person in cursor.fetchall():
            by_kind[kind][item].append(person)
    return AgentsPeople(by_kind["spend"], by_kind["code"], [part for (part,) in rows(_PARTS, items)])


def work_of_units(of: Initiative) -> list[UnitWork]:
    """The items of the initiative that the viewer may see, by team of the Org Tree whose units set objectives."""
    today, tree = timezone.localdate(), tree_of_program()
    parameters = {
        "items": list(of.item_ids),
        "tree": tree.pk if tree else None,
        "today": today,
        "team_since": _since_of_team(today),
    }
    return [UnitWork(*row) for row in rows(_UNITS_WORK, parameters)]


def _since_of_team(today: date) -> date:
    return today - timedelta(weeks=WEEKS_OF_TEAM)


def _read(
    kind: InitiativeKind,
    access: Access,
    *,
    people: PeopleFilter,
    own_only: bool,
    since: date,
    open_only: bool = False,
    most: int | None = MOST_LISTED,
    key: str | None = None,
) -> list[Initiative]:
    today = timezone.localdate()
    whose, values = conditions(
        people, person=sql.SQL("identity.person_id"), day=sql.SQL("coalesce(figures.done_on, %(today)s)")
    )
    visible = None
    if access.visibility.unit_ids is not None:
        visible = list(visible_work_items(access).values_list("pk", flat=True))
    parameters: dict[str, Any] = {
        **values,
        "fewest_children": FEWEST_CHILDREN,
        "zone": timezone.get_default_timezone_name(),
        "today": today,
        "team_since": _since_of_team(today),
        "visible": visible,
        "own_only": own_only,
        "open_only": open_only,
        "since": since,
        "most": most,
        "key": key,
    }
    with connection.cursor() as cursor:
        cursor.execute(_INITIATIVES.format(members=_MEMBERS[kind], whose=whose), parameters)
        return [_initiative(kind, row) for row in cursor.fetchall()]


def _initiative(kind: InitiativeKind, row: Sequence[Any]) -> Initiative:
    key, name, reference, epic_id, planned_on, remaining, in_progress, added, done, dropped, started_on, *rest = row
    active_days, people, item_ids = rest
    return Initiative(
        kind=kind,
        key=key,
        name=name or reference or key,
        reference=reference,
        epic_id=epic_id,
        planned_on=planned_on,
        remaining=remaining,
        in_progress=in_progress,
        added=added or (),
        done=done or (),
        dropped=dropped or (),
        started_on=started_on,
        active_days=active_days,
        people=people or (),
        item_ids=item_ids,
    )
