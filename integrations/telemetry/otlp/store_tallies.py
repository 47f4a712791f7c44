"""Counts of dropped attributes and unread records: appended per request, aggregated in the background."""

from __future__ import annotations

from collections import Counter

from django.db import transaction

from core import sql
from core.locks import Lock
from integrations.models import ReceivedTally
from integrations.telemetry.otlp.decoded import Counted, Tally

MOST_LISTED = 2_000  # names per agent: a sender may put numbers into them
OTHERS = "(others)"
TALLIES = Lock("tallies")  # one process at a time aggregates


def append_tallies(counts: Counter[Tally]) -> None:
    """Append tallies, in the caller's transaction."""
    ReceivedTally.objects.bulk_create(
        ReceivedTally(
            counted=tally.counted,
            agent=tally.agent,
            signal=tally.signal,
            name=tally.name,
            attribute=tally.attribute,
            count=count,
        )
        for tally, count in _under_few_names(counts).items()
    )


def _under_few_names(counts: Counter[Tally]) -> Counter[Tally]:
    """The counts, with the rarest names combined."""
    if len(counts) <= MOST_LISTED:
        return counts
    few: Counter[Tally] = Counter()
    for place, (tally, count) in enumerate(counts.most_common()):
        few[tally if place < MOST_LISTED else tally._replace(name=OTHERS, attribute="")] += count
    return few


def add_up_tallies() -> None:
    """Aggregate appended tallies into DroppedAttribute and UnreadEvent, each exactly once.

    The most frequent new names fill the remaining slots of an agent's list.
    """
    with transaction.atomic():
        TALLIES.hold()
        sql.execute(
            ADD_UP,
            {
                "dropped": Counted.DROPPED,
                "not_kept": Counted.NOT_KEPT,
                "most": MOST_LISTED,
                "others": OTHERS,
            },
        )


# An attribute has one meaning in all of an agent's records, and one row.
# An unread name that is known or mapped came from a process with a stale cache, so its records must be reprocessed.
ADD_UP = """
    WITH drained AS (
        DELETE FROM integrations_receivedtally
        RETURNING counted, agent, signal, name, attribute, count, at
    ), content AS (
        SELECT agent, name, sum(count) AS count, max(at) AS last_at
        FROM drained WHERE counted = %(dropped)s
        GROUP BY agent, name
    ), content_placed AS (
        SELECT content.*, listed.id IS NOT NULL
               OR coalesce(names, 0) + row_number() OVER (
                   PARTITION BY agent, listed.id IS NULL ORDER BY content.count DESC, name
               ) <= %(most)s AS is_listed
        FROM content
        LEFT JOIN integrations_droppedattribute listed USING (agent, name)
        LEFT JOIN (
            SELECT agent, count(*) AS names FROM integrations_droppedattribute GROUP BY agent
        ) AS of_agent USING (agent)
    ), dropped AS (
        INSERT INTO integrations_droppedattribute AS sums (agent, name, count, last_at)
        SELECT agent, CASE WHEN is_listed THEN name ELSE %(others)s END AS place, sum(count), max(last_at)
        FROM content_placed
        GROUP BY agent, place
        ON CONFLICT (agent, name) DO UPDATE
        SET count = sums.count + excluded.count, last_at = greatest(sums.last_at, excluded.last_at)
    ), unread AS (
        SELECT agent, word.signal, word.name, attribute, bool_and(counted = %(not_kept)s) AS known,
               sum(count) AS count, min(at) AS first_at, max(at) AS last_at
        FROM drained
        CROSS JOIN LATERAL (
            SELECT CASE WHEN attribute = '' THEN drained.signal ELSE '' END AS signal,
                   CASE WHEN attribute = '' THEN drained.name ELSE '' END AS name
        ) AS word
        WHERE counted <> %(dropped)s
        GROUP BY agent, word.signal, word.name, attribute
    ), unread_placed AS (
        SELECT unread.*, listed.id IS NOT NULL
               OR coalesce(names, 0) + row_number() OVER (
                   PARTITION BY agent, listed.id IS NULL ORDER BY unread.count DESC, signal, name, attribute
               ) <= %(most)s AS is_listed
        FROM unread
        LEFT JOIN integrations_unreadevent listed USING (agent, signal, name, attribute)
        LEFT JOIN (
            SELECT agent, count(*) AS names FROM integrations_unreadevent GROUP BY agent
        ) AS of_agent USING (agent)
    )
    INSERT INTO integrations_unreadevent AS sums (agent, signal, name, attribute, known, count, first_at, last_at)
    SELECT agent, signal, CASE WHEN is_listed THEN name ELSE %(others)s END AS place,
           CASE WHEN is_listed THEN attribute ELSE '' END AS part,
           bool_and(known), sum(count), min(first_at), max(last_at)
    FROM unread_placed
    GROUP BY agent, signal, place, part
    ON CONFLICT (agent, signal, name, attribute) DO UPDATE
    SET count = sums.count + excluded.count,
        known = sums.known AND excluded.known,
        tried_with = CASE WHEN NOT excluded.known AND (sums.known OR sums.means <> '') THEN ''
                          ELSE sums.tried_with END,
        first_at = least(sums.first_at, excluded.first_at),
        last_at = greatest(sums.last_at, excluded.last_at)
"""
