"""Resolve session keys to rows of AgentSession.

Each process caches identities of authors after commit.  If one has been deleted since, the next transaction that uses
it fails, and the cache is cleared.

A session id under two names of one person (events carry an address, metrics only the installation) is one session: a
new session is looked up under the person's other names, and continues under the first one, or under the name of a
person if the first was an installation.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.db import connection, transaction
from psycopg import Cursor
from psycopg.types.numeric import Int8

from core import sql
from integrations.facts.ai import append_changes_of_sessions
from integrations.telemetry.otlp.session_keys import AuthorNames, SessionKey, identity_names
from integrations.telemetry.otlp.store_rows import time_at
from orgtree.identities.resolving import identify

MOST_REMEMBERED = 100_000

_identity_ids: dict[AuthorNames, int] = {}
_Session = tuple[str, str, int]  # agent, external id, identity: its unique key
_merged_into: dict[_Session, _Session] = {}


@dataclass(frozen=True, slots=True)
class Batch:
    """A new row of ReceivedBatch, and the ids of the sessions and identities to which its rows belong."""

    id: int
    sessions: Mapping[SessionKey, int]
    identities: Mapping[AuthorNames, int]
    merged_into: Mapping[_Session, _Session]

    def remember(self) -> None:
        """Update the caches; call it after the batch's transaction has committed."""
        if len(_identity_ids) + len(self.identities) > MOST_REMEMBERED:
            _identity_ids.clear()
        _identity_ids.update(self.identities)
        if len(_merged_into) + len(self.merged_into) > MOST_REMEMBERED:
            _merged_into.clear()
        _merged_into.update(self.merged_into)


def forget_identities() -> None:
    """Clear the caches, after a cached row was deleted."""
    _identity_ids.clear()
    _merged_into.clear()


def open_batch(first_seen: Mapping[SessionKey, int], *, earliest: int, latest: int) -> Batch:
    """Create a batch and its new sessions, each with the time of its first record.

    `earliest` and `latest` are the times of the batch's rows; all times in microseconds since 2000.  Several keys may
    refer to one session: names in different spellings, or another version of the agent.  Runs in the caller's
    transaction; sorted insertion avoids deadlocks between concurrent transactions.
    """
    identities = _identities_of(key.author for key in first_seen)
    named = {key: (key.agent, key.external_id, identities[key.author]) for key in first_seen}
    meant = {key: _merged_into.get(session, session) for key, session in named.items()}
    keys: dict[_Session, SessionKey] = {}
    for key in first_seen:
        keys.setdefault(meant[key], key)
    sessions = sorted(keys)
    # Executed by every request: psycopg's own cursor prepares it, while Django's would plan it each time.
    with connection.wrap_database_errors, Cursor(connection.connection) as cursor:
        cursor.execute(
            OPEN_BATCH,
            [
                time_at(earliest),
                time_at(latest),
                *_columns(sessions),
                [time_at(first_seen[keys[session]]) for session in sessions],
                [keys[session].agent_version for session in sessions],
                [keys[session].is_process for session in sessions],
                [keys[session].is_unnamed for session in sessions],
            ],
            prepare=True,
        )
        answers = cursor.fetchall()
    batch_id = answers[0][0]
    ids: dict[_Session, int] = {(*session,): id_ for _, id_, *session, _, _ in answers if id_ is not None}
    while missing := sorted(keys.keys() - ids.keys()):  # created concurrently by another transaction
        ids |= _existing(missing)
    new = {id_: (*session,) for _, id_, *session, is_new, _ in answers if is_new}
    has_namesakes = any(answer[-1] for answer in answers) or len({session[:2] for session in sessions}) < len(sessions)
    merged_into: dict[_Session, _Session] = {}
    for new_id, earlier_id, identity in _unite(list(new)) if new and has_namesakes else ():
        session = new[new_id]
        ids[session] = earlier_id
        merged_into[session] = (session[0], session[1], identity)
    sessions_of_keys = {key: ids[meant[key]] for key in first_seen}
    _note_processes(first_seen, sessions_of_keys)
    return Batch(batch_id, sessions_of_keys, identities, merged_into)


def _note_processes(first_seen: Mapping[SessionKey, int], sessions: Mapping[SessionKey, int]) -> None:
    """Store the process of each session and since when it has run, if its records name one."""
    ran: dict[tuple[int, str], int] = {}
    for key, at in first_seen.items():
        if key.process and not key.is_process:
            place = sessions[key], key.process
            ran[place] = min(at, ran.get(place, at))
    if not ran:
        return
    places = sorted(ran)
    sql.execute(
        """
        INSERT INTO integrations_sessionprocess AS known (session_id, process, first_at)
        SELECT * FROM unnest(%s::bigint[], %s::text[], %s::timestamptz[])
        ON CONFLICT (session_id, process) DO UPDATE SET first_at = excluded.first_at
        WHERE excluded.first_at < known.first_at
        """,
        [
            [session for session, _ in places],
            [process for _, process in places],
            [time_at(ran[place]) for place in places],
        ],
    )


def _identities_of(authors: Iterable[AuthorNames]) -> dict[AuthorNames, int]:
    distinct = sorted(set(authors))
    identities = {author: id_ for author in distinct if (id_ := author.identity or _identity_ids.get(author))}
    unknown = [author for author in distinct if author not in identities]
    if unknown:
        ids = identify([identity_names(author) for author in unknown])
        identities.update(zip(unknown, ids, strict=True))
    return identities


def _existing(sessions: list[_Session]) -> dict[_Session, int]:
    rows = sql.rows(
        """
        SELECT session.id, agent, external_id, identity_id
        FROM unnest(%s::text[], %s::text[], %s::bigint[]) AS requested (agent, external_id, identity_id)
        JOIN integrations_agentsession session USING (agent, external_id, identity_id)
        """,
        _columns(sessions),
    )
    return {(agent, external_id, identity): id_ for id_, agent, external_id, identity in rows}


def _unite(new: list[int]) -> list[tuple[int, int, int]]:
    """Delete new sessions that already exist under another name of their person, and give the existing ones the
    stronger name.

    Returns (new id, id of the existing session, its identity).
    """
    with connection.cursor() as cursor:
        cursor.execute(UNITE, [new])
        united = cursor.fetchall()
        named = {earlier_id: stronger for _, earlier_id, _, stronger in united if stronger is not None}
        if named:
            columns = [list(named), list(named.values())]
            cursor.execute(RENAME, columns)
            for table in TABLES_OF_DAYS:
                cursor.execute(RENAME_DAYS.format(table=table), columns)
            append_changes_of_sessions(named)
            transaction.on_commit(_merged_into.clear)  # sessions that continued under the weaker name
    return [(new_id, earlier_id, named.get(earlier_id, identity)) for new_id, earlier_id, identity, _ in united]


def _columns(sessions: list[_Session]) -> list[list[str] | list[Int8]]:
    return [
        [agent for agent, _, _ in sessions],
        [external_id for _, external_id, _ in sessions],
        [Int8(identity) for _, _, identity in sessions],
    ]


# One statement, because round trips dominate the time of small requests.  The last two columns are whether the session
# is new, and if so, whether one with the same id exists, possibly under another name of the person.
OPEN_BATCH = """
    WITH batch AS (
        INSERT INTO integrations_receivedbatch (received_at, at_from, at_to)
        VALUES (now(), %s::timestamptz, %s::timestamptz)
        RETURNING id
    ), requested AS (
        SELECT *
        FROM unnest(
            %s::text[], %s::text[], %s::bigint[], %s::timestamptz[], %s::text[], %s::boolean[], %s::boolean[]
        ) AS requested (agent, external_id, identity_id, at, agent_version, is_process, is_unnamed)
    ), existing AS (
        SELECT session.id, agent, external_id, identity_id
        FROM requested JOIN integrations_agentsession session USING (agent, external_id, identity_id)
    ), made AS (
        INSERT INTO integrations_agentsession (
            agent, external_id, identity_id, started_at, ended_at, agent_version, is_process, is_unnamed
        )
        SELECT agent, external_id, identity_id, at, at, requested.agent_version, requested.is_process,
               requested.is_unnamed
        FROM requested LEFT JOIN existing USING (agent, external_id, identity_id)
        WHERE existing.id IS NULL
        ORDER BY agent, external_id, identity_id
        ON CONFLICT DO NOTHING
        RETURNING id, agent, external_id, identity_id
    )
    SELECT batch.id, session.*
    FROM batch LEFT JOIN (
        SELECT *, false, false FROM existing
        UNION ALL
        SELECT *, true, EXISTS (
            SELECT FROM integrations_agentsession earlier
            WHERE earlier.agent = made.agent AND earlier.external_id = made.external_id
        )
        FROM made
    ) AS session ON true
"""

# A session of one person, or of an installation that several people share: the id determines the person, unless several
# of them have a session of that id.
UNITE = """
    WITH candidate AS (
        SELECT new.id AS new_id, earlier.id AS earlier_id, new.identity_id AS new_identity_id, earlier.identity_id,
               name.kind AS new_kind, other_name.kind AS kind, name.person_id IS NOT DISTINCT FROM other_name.person_id
               AS is_same, other_name.person_id
        FROM integrations_agentsession new
        JOIN orgtree_identity name ON name.id = new.identity_id
        JOIN integrations_agentsession earlier
          ON earlier.agent = new.agent AND earlier.external_id = new.external_id AND earlier.id < new.id
        JOIN orgtree_identity other_name
          ON other_name.id = earlier.identity_id
         AND (other_name.person_id = name.person_id
              OR (name.is_shared <> other_name.is_shared AND NOT new.is_unnamed AND EXISTS (
                  SELECT FROM orgtree_installationsigner signs
                  WHERE (signs.installation_id, signs.signer_id) IN ((name.id, other_name.id), (other_name.id, name.id))
              )))
        WHERE new.id = ANY (%s)
    ), continued AS (
        SELECT DISTINCT ON (new_id) *
        FROM candidate
        WHERE is_same OR (
            SELECT count(DISTINCT other.person_id) FROM candidate other WHERE other.new_id = candidate.new_id
        ) <= 1
        ORDER BY new_id, NOT is_same, earlier_id
    )
    DELETE FROM integrations_agentsession session USING continued
    WHERE session.id = continued.new_id
    RETURNING continued.new_id, continued.earlier_id, continued.identity_id,
              CASE WHEN continued.kind = 'installation' AND continued.new_kind <> 'installation'
                   THEN continued.new_identity_id END
"""

# The stronger name of its person stays with a session, for an installation may turn out to be shared.
RENAME = """
    UPDATE integrations_agentsession session SET identity_id = named.identity_id
    FROM unnest(%s::bigint[], %s::bigint[]) AS named (session_id, identity_id)
    WHERE session.id = named.session_id
"""
RENAME_DAYS = """
    UPDATE {table} figures SET identity_id = named.identity_id
    FROM unnest(%s::bigint[], %s::bigint[]) AS named (session_id, identity_id)
    WHERE figures.session_id = named.session_id
"""
TABLES_OF_DAYS = ("integrations_agentsessionday", "integrations_agenttierday", "integrations_agenttoolday")
