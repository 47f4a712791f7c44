"""Whose figures of which days records enter: what the outbox is told when they change."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import LiteralString

from django.db import connection as database

from integrations.connectors.words import Kind
from integrations.facts.changes import announce_changes
from integrations.models import FactFamily

FAMILIES: Mapping[Kind, FactFamily] = {
    Kind.PULL_REQUEST: FactFamily.PULL_REQUEST,
    Kind.WORK_ITEM: FactFamily.WORK_ITEM,
    Kind.PIPELINE_RUN: FactFamily.PIPELINE,
    Kind.DEPLOYMENT: FactFamily.DEPLOYMENT,
    Kind.INCIDENT: FactFamily.INCIDENT,
}
# (record, identity, first moment, last moment): what is open counts every day until now.
_MOMENTS: Mapping[FactFamily, LiteralString] = {
    FactFamily.PULL_REQUEST: """
        SELECT id, author_id, least(created_at, merged_at, closed_at), coalesce(merged_at, closed_at, now())
        FROM integrations_pullrequest WHERE id = ANY (%(ids)s)
        UNION ALL
        SELECT pull_request_id, author_id, submitted_at, submitted_at
        FROM integrations_pullrequestreview WHERE pull_request_id = ANY (%(ids)s)
    """,
    FactFamily.WORK_ITEM: """
        SELECT id, assignee_id, least(created_at, resolved_at), coalesce(resolved_at, now())
        FROM integrations_workitem WHERE id = ANY (%(ids)s)
        UNION ALL
        SELECT item.id, assignment.assignee_id, assignment.at, coalesce(item.resolved_at, now())
        FROM integrations_workitemassignment assignment
        JOIN integrations_workitem item ON item.id = assignment.work_item_id
        WHERE item.id = ANY (%(ids)s)
        UNION ALL
        SELECT item.id, item.assignee_id, transition.at, transition.at
        FROM integrations_workitemtransition transition
        JOIN integrations_workitem item ON item.id = transition.work_item_id
        WHERE item.id = ANY (%(ids)s)
    """,
    FactFamily.PIPELINE: """
        SELECT id, started_by_id, least(queued_at, started_at, finished_at),
               greatest(queued_at, started_at, finished_at)
        FROM integrations_pipelinerun WHERE id = ANY (%(ids)s)
    """,
    FactFamily.DEPLOYMENT: """
        SELECT id, deployed_by_id, least(created_at, started_at, finished_at),
               greatest(created_at, started_at, finished_at)
        FROM integrations_deployment WHERE id = ANY (%(ids)s)
    """,
    FactFamily.INCIDENT: """
        SELECT id, NULL::bigint, least(started_at, resolved_at), coalesce(resolved_at, now())
        FROM integrations_incident WHERE id = ANY (%(ids)s)
    """,
}
_DAYS: LiteralString = """
    SELECT moment.record_id, identity.person_id,
           least(moment.first::date, moment.last::date) AS day_from,
           greatest(moment.first::date, moment.last::date) + 1 AS day_to
    FROM ({moments}) AS moment (record_id, identity_id, first, last)
    LEFT JOIN orgtree_identity identity ON identity.id = moment.identity_id
    WHERE moment.first IS NOT NULL
"""
CountedDays = tuple[int, int | None, date, date]  # record, person, day_from, day_to


def days_of(kind: Kind, ids: Iterable[int]) -> list[CountedDays]:
    """The local days on which these records count now, and for whom."""
    family, wanted = FAMILIES.get(kind), sorted(ids)
    if family is None or not wanted:
        return []
    with database.cursor() as cursor:
        cursor.execute(_days_sql(family), {"ids": wanted})
        return [(record, person, day_from, day_to) for record, person, day_from, day_to in cursor.fetchall()]


def append_days(kind: Kind, ids: Iterable[int], before: Iterable[CountedDays] = ()) -> None:
    """Append to the outbox on which days these records count, and counted before, in the transaction of the change.

    What `before` knows of other records is left out.
    """
    family, wanted = FAMILIES.get(kind), set(ids)
    if family is None or not wanted:
        return
    earlier = [each[1:] for each in before if each[0] in wanted]
    people, starts, ends = zip(*earlier, strict=True) if earlier else ((), (), ())
    with database.cursor() as cursor:
        cursor.execute(
            f"""
            INSERT INTO integrations_factchange (family, person_id, day_from, day_to)
            SELECT %(family)s, person_id, lower(days), upper(days)
            FROM (
                SELECT person_id, unnest(range_agg(daterange(day_from, day_to))) AS days
                FROM (
                    SELECT person_id, day_from, day_to FROM ({_days_sql(family)}) AS now_counted
                    UNION ALL
                    SELECT * FROM unnest(%(people)s::bigint[], %(starts)s::date[], %(ends)s::date[])
                ) AS counted (person_id, day_from, day_to)
                GROUP BY person_id
            ) AS coalesced
            """,  # noqa: S608  # constants of this module
            {
                "family": family.value,
                "ids": sorted(wanted),
                "people": list(people),
                "starts": list(starts),
                "ends": list(ends),
            },
        )
    announce_changes()


def _days_sql(family: FactFamily) -> str:
    return _DAYS.format(moments=_MOMENTS[family])
