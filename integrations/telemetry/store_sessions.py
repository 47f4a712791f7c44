"""From the sessions that records name to rows of AgentSession.

A process remembers the identities of the authors it has stored, once that is committed.  One that was deleted since
lets the next transaction with it fail, after which everything is looked up anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import connection

from integrations.telemetry.sightings import AuthorNames, SessionKey, identity_names
from orgtree.services.identities import identify

YEAR_2000 = datetime(2000, 1, 1, tzinfo=UTC)
MOST_REMEMBERED = 100_000

_identity_ids: dict[AuthorNames, int] = {}
_Session = tuple[str, str, int]  # agent, external id, identity: what is unique about it


@dataclass(frozen=True, slots=True)
class Batch:
    """A new row of ReceivedBatch, and the ids of the sessions and identities that its rows belong to."""

    id: int
    sessions: Mapping[SessionKey, int]
    identities: Mapping[AuthorNames, int]

    def remember(self) -> None:
        """To be called once the batch's transaction is committed."""
        if len(_identity_ids) + len(self.identities) > MOST_REMEMBERED:
            _identity_ids.clear()
        _identity_ids.update(self.identities)


def forget_identities() -> None:
    """Look everybody up again: somebody who is remembered does not exist any more."""
    _identity_ids.clear()


def open_batch(first_seen: Mapping[SessionKey, int], *, earliest: int, latest: int) -> Batch:
    """Make a batch, and the sessions that are new, each with its first record's time.

    `earliest` and `latest` are the times of the batch's rows; all times in microseconds since 2000.  Several keys may
    mean one session: the same names, written differently, or another version of the agent.  Runs in the caller's
    transaction; insertion in order keeps concurrent transactions from waiting for each other in a circle.
    """
    identities = _identities_of(key.author for key in first_seen)
    keys: dict[_Session, SessionKey] = {}
    for key in first_seen:
        keys.setdefault((key.agent, key.external_id, identities[key.author]), key)
    sessions = sorted(keys)
    with connection.cursor() as cursor:
        cursor.execute(
            OPEN_BATCH,
            [
                time_at(earliest),
                time_at(latest),
                *_columns(sessions),
                [time_at(first_seen[keys[session]]) for session in sessions],
                [keys[session].agent_version for session in sessions],
            ],
        )
        answers = cursor.fetchall()
    batch_id = answers[0][0]
    ids: dict[_Session, int] = {(*session,): id_ for _, id_, *session in answers if id_ is not None}
    while missing := sorted(keys.keys() - ids.keys()):  # another transaction made them at the same time
        ids |= _existing(missing)
    return Batch(
        batch_id, {key: ids[key.agent, key.external_id, identities[key.author]] for key in first_seen}, identities
    )


def time_at(microseconds: int) -> datetime:
    """The time so many microseconds after the beginning of 2000."""
    return YEAR_2000 + timedelta(microseconds=microseconds)


def _identities_of(authors: Iterable[AuthorNames]) -> dict[AuthorNames, int]:
    distinct = sorted(set(authors))
    identities = {author: id_ for author in distinct if (id_ := _identity_ids.get(author)) is not None}
    unknown = [author for author in distinct if author not in identities]
    if unknown:
        found = identify([identity_names(author) for author in unknown])
        identities.update(zip(unknown, found, strict=True))
    return identities


def _existing(sessions: list[_Session]) -> dict[_Session, int]:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT session.id, agent, external_id, identity_id
            FROM unnest(%s::text[], %s::text[], %s::bigint[]) AS wanted (agent, external_id, identity_id)
            JOIN integrations_agentsession session USING (agent, external_id, identity_id)
            """,
            _columns(sessions),
        )
        return {(agent, external_id, identity): id_ for id_, agent, external_id, identity in cursor.fetchall()}


def _columns(sessions: list[_Session]) -> list[list[str] | list[int]]:
    return [
        [agent for agent, _, _ in sessions],
        [external_id for _, external_id, _ in sessions],
        [identity for _, _, identity in sessions],
    ]


# One statement, because a round trip costs a small request more than anything else.
OPEN_BATCH = """
    WITH batch AS (
        INSERT INTO integrations_receivedbatch (received_at, at_from, at_to) VALUES (now(), %s, %s)
        RETURNING id
    ), wanted AS (
        SELECT *
        FROM unnest(%s::text[], %s::text[], %s::bigint[], %s::timestamptz[], %s::text[])
            AS wanted (agent, external_id, identity_id, at, agent_version)
    ), existing AS (
        SELECT session.id, agent, external_id, identity_id
        FROM wanted JOIN integrations_agentsession session USING (agent, external_id, identity_id)
    ), made AS (
        INSERT INTO integrations_agentsession (agent, external_id, identity_id, started_at, ended_at, agent_version)
        SELECT agent, external_id, identity_id, at, at, wanted.agent_version
        FROM wanted LEFT JOIN existing USING (agent, external_id, identity_id)
        WHERE existing.id IS NULL
        ORDER BY agent, external_id, identity_id
        ON CONFLICT DO NOTHING
        RETURNING id, agent, external_id, identity_id
    )
    SELECT batch.id, session.*
    FROM batch LEFT JOIN (SELECT * FROM existing UNION ALL SELECT * FROM made) AS session ON true
"""
