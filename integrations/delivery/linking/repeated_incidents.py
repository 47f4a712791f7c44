"""Incidents that two connections report, for example a pager and a service desk.

Two incidents of different connections are the same if they belong to the same service (or to the same repository, where
one of them names no service), began within half an hour of each other, and each is the nearest of its connection to the
other.  Where one names only a repository and the other only a service, a deployment or path rule must state that the
service belongs to that repository.  The incident of the connection that was added first counts: `duplicate_of` of the
other incident refers to it.  An admin can count the incidents of two connections apart, by service or repository
(`RepeatedReport`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import LiteralString, NamedTuple

from core import sql
from integrations.delivery.changed_days import append_record_days
from integrations.enums import Kind
from integrations.models import RepeatedReport

LONGEST_GAP = timedelta(minutes=30)  # between the starts of two reports of one incident
Place = tuple[int | None, str, datetime]  # repository, service, start

_SAME: LiteralString = f"""
    other.deleted_at IS NULL AND other.connection_id <> {{one}}.connection_id
    AND other.started_at BETWEEN {{one}}.started_at - interval '{LONGEST_GAP.seconds} seconds'
                             AND {{one}}.started_at + interval '{LONGEST_GAP.seconds} seconds'
"""
# Whether a deployment says that a service is of a repository; has an index of its own.
_NAMES_BOTH: LiteralString = """
    stated.repository_id = {repository} AND stated.service = {service} AND stated.service <> ''
    AND stated.environment = 'production' AND stated.finished_at IS NOT NULL AND stated.deleted_at IS NULL
"""
_IS_STATED: LiteralString = f"""(
    EXISTS (SELECT FROM integrations_servicepaths stated
            WHERE stated.repository_id = {{repository}} AND stated.service = {{service}})
    OR EXISTS (SELECT FROM integrations_deployment stated WHERE {_NAMES_BOTH})
)"""  # noqa: S608  # constants of this module
_ALIKE = _SAME.format(one="one")
# Rows of `other` that may be the same as a row of `one`.
_CANDIDATES: LiteralString = f"""
    SELECT other.* FROM integrations_incident other
    WHERE other.service = one.service AND one.service <> '' AND {_ALIKE}
    UNION ALL
    SELECT other.* FROM integrations_incident other
    WHERE other.repository_id = one.repository_id AND (other.service = '' OR one.service = '') AND {_ALIKE}
    UNION ALL
    SELECT other.* FROM integrations_incident other
    WHERE one.repository_id IS NULL AND other.service = '' AND {_ALIKE}
      AND {_IS_STATED.format(repository="other.repository_id", service="one.service")}
    UNION ALL
    SELECT other.* FROM integrations_incident other
    WHERE one.service = '' AND other.repository_id IS NULL AND {_ALIKE}
      AND {_IS_STATED.format(repository="one.repository_id", service="other.service")}
"""  # noqa: S608  # constants of this module
# What is decided of an incident depends on its candidates and on theirs.  So those up to two steps away are decided
# again, from what lies up to four steps away.
_NEAR: LiteralString = f"""
    WITH RECURSIVE near (id, steps) AS (
        SELECT id, 0 FROM integrations_incident WHERE id = ANY (%(ids)s) OR duplicate_of_id = ANY (%(ids)s)
        UNION
        SELECT other.id, 0
        FROM unnest(%(repositories)s::bigint[], %(services)s::text[], %(starts)s::timestamptz[])
             AS place (repository_id, service, started_at)
        CROSS JOIN LATERAL (SELECT 0::bigint AS connection_id, place.*) AS one
        CROSS JOIN LATERAL ({_CANDIDATES}) AS other
        UNION
        SELECT other.id, near.steps + 1
        FROM near
        JOIN integrations_incident one ON one.id = near.id AND one.deleted_at IS NULL
        CROSS JOIN LATERAL ({_CANDIDATES}) AS other
        WHERE near.steps < 4
    )
    SELECT id, min(steps) FROM near GROUP BY id
"""  # noqa: S608  # constants of this module
_PAIRS: LiteralString = f"""
    SELECT one.id, one.connection_id, other.id, other.connection_id,
           abs(extract(epoch FROM other.started_at - one.started_at))::float8,
           CASE WHEN one.service = '' OR one.service <> other.service
                THEN coalesce(one.repository_id, other.repository_id) END,
           CASE WHEN one.service = other.service THEN one.service ELSE '' END
    FROM integrations_incident one
    CROSS JOIN LATERAL ({_CANDIDATES}) AS other
    WHERE one.deleted_at IS NULL AND {{scope}}
"""  # noqa: S608  # constants of this module
_MARK: LiteralString = """
    WITH marked AS (
        SELECT incident.id, incident.duplicate_of_id AS before, found.duplicate_of FROM integrations_incident incident
        LEFT JOIN unnest(%(duplicates)s::bigint[], %(duplicates_of)s::bigint[]) AS found (id, duplicate_of) USING (id)
        WHERE {scope}
    )
    UPDATE integrations_incident stored SET duplicate_of_id = marked.duplicate_of
    FROM marked
    WHERE stored.id = marked.id AND stored.duplicate_of_id IS DISTINCT FROM marked.duplicate_of
    RETURNING stored.id, marked.before
"""
# Incidents that name a repository alone, where others name a service alone that deployments may say is of it.
_OF_PAIRS: LiteralString = """
    SELECT incident.id
    FROM unnest(%(repositories)s::bigint[], %(services)s::text[]) AS pair (repository_id, service)
    JOIN integrations_incident incident ON incident.repository_id = pair.repository_id AND incident.service = ''
    WHERE EXISTS (
        SELECT FROM integrations_incident named WHERE named.service = pair.service AND named.repository_id IS NULL
    )
"""
# Pairs of a repository and a service that no other deployment states.
_STATED_BY: LiteralString = f"""
    SELECT pair.repository_id, pair.service
    FROM (
        SELECT DISTINCT repository_id, service FROM integrations_deployment
        WHERE id = ANY (%(ids)s) AND service <> ''
    ) AS pair
    WHERE NOT EXISTS (
        SELECT FROM integrations_deployment stated
        WHERE {_NAMES_BOTH.format(repository="pair.repository_id", service="pair.service")}
          AND stated.id <> ALL (%(ids)s)
    )
"""  # noqa: S608  # constants of this module
_OF_THESE: LiteralString = "{table}.id = ANY (%(these)s)"
_NOTED: LiteralString = f"""
    WITH now AS MATERIALIZED (
        SELECT CASE WHEN one.service = '' OR one.service <> other.service
                    THEN coalesce(one.repository_id, other.repository_id) END AS repository_id,
               CASE WHEN one.service = other.service THEN one.service ELSE '' END AS service,
               one.connection_id, other.connection_id AS reported_by_id, count(*) AS records,
               max(one.started_at) AS last_at
        FROM integrations_incident one
        JOIN integrations_incident other ON other.id = one.duplicate_of_id
        GROUP BY 1, 2, 3, 4
    ), gone AS (
        DELETE FROM integrations_repeatedreport stored
        WHERE kind = '{Kind.INCIDENT}' AND state = '{RepeatedReport.State.ONCE}' AND NOT EXISTS (
            SELECT FROM now
            WHERE now.repository_id IS NOT DISTINCT FROM stored.repository_id AND now.service = stored.service
              AND now.connection_id = stored.connection_id AND now.reported_by_id = stored.reported_by_id
        )
    )
    INSERT INTO integrations_repeatedreport AS stored
           (kind, repository_id, service, connection_id, reported_by_id, records, last_at)
    SELECT '{Kind.INCIDENT}', now.* FROM now
    {sql.update_changed("kind, repository_id, service, connection_id, reported_by_id", ("records", "last_at"))}
"""  # noqa: S608  # constants of this module


class Pair(NamedTuple):
    """Two incidents of different connections that may be the same."""

    one: int
    connection: int
    other: int
    other_connection: int
    seconds_apart: float
    repository: int | None
    service: str


def duplicates(pairs: Iterable[Pair], apart: Collection[tuple[int | None, str, int, int]] = ()) -> Mapping[int, int]:
    """Incident → the one that counts in its place; `pairs` name both directions.

    Each is the nearest of its connection to the other.  Among several connections, the one added first counts.  `apart`
    are places with two connections, of which the second does not repeat the first.
    """
    nearest: dict[tuple[int, int], Pair] = {}
    for pair in pairs:
        key = (pair.one, pair.other_connection)
        best = nearest.get(key)
        if best is None or (pair.seconds_apart, pair.other) < (best.seconds_apart, best.other):
            nearest[key] = pair
    found: dict[int, Pair] = {}
    for pair in nearest.values():
        back = nearest.get((pair.other, pair.connection))
        place = (pair.repository, pair.service, pair.connection, pair.other_connection)
        is_same = back is not None and back.other == pair.one and pair.other_connection < pair.connection
        if is_same and place not in apart:
            best = found.setdefault(pair.one, pair)
            if pair.other_connection < best.other_connection:
                found[pair.one] = pair
    return {one: pair.other for one, pair in found.items()}


def recompute_repeated_incidents(incidents: Collection[int], before: Iterable[Place] = ()) -> set[int]:
    """Recompute which incidents repeat others, near these incidents and near the places where some were before.

    Returns those that changed, and those that others repeated.  Appends their days.
    """
    left = [place for place in before if place[2] is not None]
    if not incidents and not left:
        return set()
    repositories, services, starts = zip(*left, strict=True) if left else ((), (), ())
    near = dict(
        sql.rows(
            _NEAR,
            {
                "ids": sorted(incidents),
                "repositories": list(repositories),
                "services": list(services),
                "starts": list(starts),
            },
        )
    )
    return _recompute(_OF_THESE, sorted(near), [id_ for id_, steps in near.items() if steps <= 2])


def recompute_all_repeated_incidents() -> set[int]:
    """Recompute which incidents repeat others; return those that changed."""
    return _recompute("true", [], [])


def incidents_first_paired_by(deployments: Collection[int]) -> set[int]:
    """The incidents that may be the same as others only because these deployments say so."""
    stated = sql.rows(_STATED_BY, {"ids": sorted(deployments)}) if deployments else []
    return incidents_of_pairs(stated)


def incidents_of_pairs(pairs: Iterable[tuple[int, str]]) -> set[int]:
    """Incidents naming only a repository that may be the same as one naming only a service."""
    named = sorted({(repository, service) for repository, service in pairs if service})
    if not named:
        return set()
    repositories, services = zip(*named, strict=True)
    return sql.ids(_OF_PAIRS, {"repositories": list(repositories), "services": list(services)})


def incidents_of(reports: Iterable[RepeatedReport]) -> set[int]:
    """The incidents that these reports are about."""
    return sql.ids(
        """
        SELECT incident.id
        FROM integrations_repeatedreport report
        JOIN integrations_incident incident ON incident.connection_id IN (report.connection_id, report.reported_by_id)
             AND (incident.service = report.service AND report.service <> ''
                  OR incident.repository_id = report.repository_id)
        WHERE report.id = ANY (%s)
        """,
        [[report.pk for report in reports]],
    )


def _recompute(scope: LiteralString, read: Collection[int], decided: Collection[int]) -> set[int]:
    pairs = [Pair(*row) for row in sql.rows(_PAIRS.format(scope=scope.format(table="one")), {"these": read})]
    apart = RepeatedReport.objects.filter(kind=Kind.INCIDENT, state=RepeatedReport.State.APART)
    found = duplicates(pairs, set(apart.values_list("repository", "service", "connection", "reported_by")))
    marked = sql.rows(
        _MARK.format(scope=scope.format(table="incident")),
        {"duplicates": list(found), "duplicates_of": list(found.values()), "these": decided},
    )
    changed = {id_ for row in marked for id_ in row if id_ is not None}
    if changed:
        sql.execute(_NOTED)
        append_record_days(Kind.INCIDENT, changed)
    return changed
