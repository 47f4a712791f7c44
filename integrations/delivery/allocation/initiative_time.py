"""People's time and AI spend of initiatives: stored effort and spend of sessions, by the initiative they belong to.

An initiative is an epic, version, label or project (integrations/delivery/records/initiatives.py).  Its work is its
items and everything below them.  An item belongs to at most one of the listed initiatives: the nearest epic above it,
else a version, a label or a project, its own before those of its parents.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from core import sql
from integrations.delivery.allocation.measure import CHAIN, FEEDS
from integrations.delivery.records.initiatives import InitiativeKind
from integrations.facts.costs import spend_behind_item
from integrations.models import EffortWeek, FactChange, Project, WorkItem

NONE = 0  # in place of an initiative: work of no initiative that is listed


class InitiativeName(NamedTuple):
    """An initiative's current name; `reference` is its key or project."""

    name: str
    reference: str


class InitiativeKey(NamedTuple):
    """An initiative by the stored field that defines it, with the number by which rows refer to it."""

    number: int
    kind: InitiativeKind
    key: str


class TimePart(NamedTuple):
    """Days at work of a person in [first_day, end), at most a week, for an initiative and a kind of investment.

    A person's days of a month on work outside any initiative are one part.  `investment` is empty without a category.
    """

    initiative: int
    person: int
    first_day: date
    end: date
    investment: str
    days: float


class SpendPart(NamedTuple):
    """US dollars of agents' sessions that a person (None: unknown) started on a day.

    `investment` is the category that received most of people's time on the work item in the window.
    """

    initiative: int
    person: int | None
    day: date
    investment: str
    spend: Decimal


_CHOSEN = "SELECT * FROM jsonb_to_recordset(%(chosen)s::jsonb) AS chosen (number bigint, kind text, key text)"
# The initiative of each item.  A version's key is that of its project and its name.
_OWNER = """
    SELECT DISTINCT ON (chain.item_id) chain.item_id, chosen.number
    FROM chain
    JOIN chosen ON CASE chosen.kind
        WHEN 'epic' THEN chain.above_id::text = chosen.key
        WHEN 'version' THEN chain.project_id::text = split_part(chosen.key, ':', 1)
            AND substr(chosen.key, strpos(chosen.key, ':') + 1) = ANY (chain.versions)
        WHEN 'label' THEN chosen.key = ANY (chain.labels)
        ELSE chain.project_id::text = chosen.key END
    ORDER BY chain.item_id, array_position(ARRAY['epic', 'version', 'label', 'project'], chosen.kind),
             chain.depth, chosen.number
"""
_EFFORT = """
    SELECT effort.person_id, effort.week, effort.day, effort.work_item_id, effort.days,
           coalesce(category.kind, '') AS investment
    FROM integrations_effort effort
    LEFT JOIN integrations_investmentcategory category ON category.id = effort.category_id
    WHERE effort.day >= %(start)s AND effort.day < %(end)s AND effort.days > 0
"""
_NEXT_MONTH = "(date_trunc('month', measured.day) + interval '1 month')::date"
_TIME = f"""
    WITH RECURSIVE chosen AS MATERIALIZED ({_CHOSEN}),
    measured AS MATERIALIZED ({_EFFORT}),
    chain AS ({CHAIN}),
    owner AS MATERIALIZED ({_OWNER})
    SELECT coalesce(owner.number, {NONE}), measured.person_id, part.first_day, part.ends_on, part.investment,
           sum(measured.days)
    FROM measured
    LEFT JOIN owner ON owner.item_id = measured.work_item_id
    CROSS JOIN LATERAL (
        SELECT measured.day, least(measured.week + 7, {_NEXT_MONTH}), measured.investment
        WHERE owner.number IS NOT NULL
        UNION ALL
        SELECT date_trunc('month', measured.day)::date, {_NEXT_MONTH}, '' WHERE owner.number IS NULL
    ) AS part (first_day, ends_on, investment)
    GROUP BY 1, 2, 3, 4, 5
    ORDER BY 1, 2, 3, 4, 5
"""  # noqa: S608  # constants of this module
# The items behind sessions of the window: that a session names, and those of the pull requests it worked for.
_SPENT_ON = """
    SELECT session.work_item_id
    FROM integrations_agentsession session
    WHERE session.started_on >= %(start)s AND session.started_on < %(end)s AND session.work_item_id IS NOT NULL
    UNION
    SELECT link.work_item_id
    FROM integrations_agentsession session
    JOIN integrations_pullrequestshare share ON share.session_id = session.id
    JOIN integrations_workitemlink link ON link.pull_request_id = share.pull_request_id
    WHERE session.started_on >= %(start)s AND session.started_on < %(end)s AND link.work_item_id IS NOT NULL
"""
_SPEND = f"""
    WITH RECURSIVE chosen AS MATERIALIZED ({_CHOSEN}),
    measured AS MATERIALIZED ({_SPENT_ON}),
    chain AS ({CHAIN}),
    owner AS MATERIALIZED ({_OWNER}),
    invested AS (
        SELECT DISTINCT ON (work_item_id) work_item_id, investment
        FROM (SELECT work_item_id, investment, sum(days) AS days FROM ({_EFFORT}) AS effort GROUP BY 1, 2) AS kinds
        WHERE work_item_id IN (SELECT item_id FROM owner)
        ORDER BY work_item_id, days DESC, investment
    )
    SELECT owner.number, identity.person_id, session.started_on, coalesce(invested.investment, ''), sum(behind.spend)
    FROM owner
    CROSS JOIN LATERAL ({spend_behind_item("owner.item_id")}) AS behind
    JOIN integrations_agentsession session ON session.id = behind.session_id
    JOIN orgtree_identity identity ON identity.id = session.identity_id
    LEFT JOIN invested ON invested.work_item_id = owner.item_id
    WHERE session.started_on >= %(start)s AND session.started_on < %(end)s AND behind.spend > 0
    GROUP BY 1, 2, 3, 4
    ORDER BY 1, 2, 3, 4
"""  # noqa: S608  # constants of this module


def time_of(chosen: Sequence[InitiativeKey], start: date, end: date) -> list[TimePart]:
    """All people's time in [start, end), whole months, by initiative; a person's parts sum to their days at work."""
    return [TimePart(*row) for row in sql.rows(_TIME, _parameters(chosen, start, end))]


def spend_of(chosen: Sequence[InitiativeKey], start: date, end: date) -> list[SpendPart]:
    """The AI spend of sessions started in [start, end) behind the initiatives' items."""
    return [SpendPart(*row) for row in sql.rows(_SPEND, _parameters(chosen, start, end))]


def _parameters(chosen: Sequence[InitiativeKey], start: date, end: date) -> dict[str, object]:
    return {"chosen": json.dumps([one._asdict() for one in chosen]), "start": start, "end": end}


def weeks_in_arrears(start: date, end: date) -> int:
    """The number of weeks with days in [start, end) that are not yet derived from the newest facts.

    They are locked until the caller's transaction ends, so that none of them is derived again meanwhile.
    """
    weeks = EffortWeek.objects.filter(week__gt=date.fromordinal(start.toordinal() - 7), week__lt=end)
    stale = sum(week.stale_since is not None for week in weeks.select_for_update().order_by("week"))
    changed = FactChange.objects.filter(family__in=FEEDS, day_from__lt=end, day_to__gt=start)
    return stale or int(changed.exists())


def names_of_initiatives(chosen: Collection[InitiativeKey]) -> dict[int, InitiativeName]:
    """The current names by number, of the initiatives that still exist."""
    epics = {one.key: one.number for one in chosen if one.kind is InitiativeKind.EPIC}
    names = {
        epics[str(item.pk)]: InitiativeName(item.title or item.key, item.key)
        for item in WorkItem.objects.filter(pk__in=map(int, epics), deleted_at=None)
    }
    of_project = {
        one.number: one.key.partition(":")[0]
        for one in chosen
        if one.kind in (InitiativeKind.VERSION, InitiativeKind.PROJECT)
    }
    projects = {str(project.pk): project for project in Project.objects.filter(pk__in=map(int, of_project.values()))}
    for one in chosen:
        project = projects.get(of_project.get(one.number, ""))
        if one.kind is InitiativeKind.LABEL:
            names[one.number] = InitiativeName(one.key, "")
        elif one.kind is InitiativeKind.PROJECT and project:
            names[one.number] = InitiativeName(project.name, project.key)
        elif one.kind is InitiativeKind.VERSION and project:
            names[one.number] = InitiativeName(one.key.partition(":")[2], project.name)
    return names


def initiative_key(kind: InitiativeKind, word: str) -> str:
    """The key of the initiative that people call by this name: an epic by its key, a version as `project: version`.

    Empty if there is none, or if there are several.
    """
    word, keys = word.strip(), list[int]()
    match kind:
        case InitiativeKind.EPIC:
            keys = list(WorkItem.objects.filter(key__iexact=word, deleted_at=None).values_list("pk", flat=True)[:2])
        case InitiativeKind.LABEL:
            return word if WorkItem.objects.filter(labels__contains=[word], deleted_at=None).exists() else ""
        case InitiativeKind.PROJECT:
            keys = _projects(word)
        case _:
            project, _, version = (part.strip() for part in word.partition(":"))
            holding = WorkItem.objects.filter(project__in=_projects(project), versions__contains=[version])
            keys = sorted(set(holding.filter(deleted_at=None).values_list("project", flat=True)))
            return f"{keys[0]}:{version}" if version and len(keys) == 1 else ""
    return str(keys[0]) if len(keys) == 1 else ""


def _projects(word: str) -> list[int]:
    return [
        project.pk
        for project in Project.objects.all()
        if word and word.lower() in (project.key.lower(), project.name.lower())
    ]
