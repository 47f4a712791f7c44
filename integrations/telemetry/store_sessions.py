"""From the sessions that records name to rows of AgentSession."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from django.db import connection

from integrations.models import AgentSession
from integrations.telemetry.sightings import SessionKey, identity_names
from orgtree.services.identities import identify

YEAR_2000 = datetime(2000, 1, 1, tzinfo=UTC)
MOST_REMEMBERED = 100_000

_ids: dict[SessionKey, int] = {}


def remembered_sessions() -> Mapping[SessionKey, int]:
    """Ids of sessions that this process has stored; of a committed transaction always, still existing perhaps."""
    return _ids


def remember_sessions(sessions: Mapping[SessionKey, int]) -> None:
    """To be called once the transaction that made them is committed."""
    if len(_ids) + len(sessions) > MOST_REMEMBERED:
        _ids.clear()
    _ids.update(sessions)


def forget_sessions() -> None:
    _ids.clear()


def find_or_create_sessions(first_seen: Mapping[SessionKey, int]) -> dict[SessionKey, int]:
    """The session id of each key, made where it is missing, with its first record's time as start and end.

    Times in microseconds since 2000.  Several keys may mean one session: the same names, written differently, or
    another version of the agent.  Runs in the caller's transaction; insertion in order keeps concurrent requests
    from waiting for each other in a circle.
    """
    keys = sorted(first_seen)
    identities = identify([identity_names(key.author) for key in keys])
    wanted: dict[tuple[str, str, int], SessionKey] = {}
    for key, identity in zip(keys, identities, strict=True):
        wanted.setdefault((key.agent, key.external_id, identity), key)
    found = _read(list(wanted))
    missing = sorted(wanted.keys() - found.keys())
    if missing:
        AgentSession.objects.bulk_create(
            [
                AgentSession(
                    agent=agent,
                    external_id=external_id,
                    identity_id=identity,
                    started_at=_time(first_seen[wanted[agent, external_id, identity]]),
                    ended_at=_time(first_seen[wanted[agent, external_id, identity]]),
                    agent_version=wanted[agent, external_id, identity].agent_version,
                )
                for agent, external_id, identity in missing
            ],
            ignore_conflicts=True,
        )
        found |= _read(missing)
    return {key: found[key.agent, key.external_id, identity] for key, identity in zip(keys, identities, strict=True)}


def _read(wanted: list[tuple[str, str, int]]) -> dict[tuple[str, str, int], int]:
    agents, external_ids, identities = ([entry[position] for entry in wanted] for position in range(3))
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT session.agent, session.external_id, session.identity_id, session.id
            FROM unnest(%s::text[], %s::text[], %s::bigint[]) AS wanted (agent, external_id, identity_id)
            JOIN integrations_agentsession session USING (agent, external_id, identity_id)
            """,
            [agents, external_ids, identities],
        )
        return {(agent, external_id, identity): id_ for agent, external_id, identity, id_ in cursor.fetchall()}


def _time(microseconds: int) -> datetime:
    return YEAR_2000 + timedelta(microseconds=microseconds)
