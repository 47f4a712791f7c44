"""What everybody did, of which before and after adoption and the cohorts of use are made, kept of the pages' windows.

Of the whole organisation, by day: a unit takes from it what its people did while they were in it.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db import connection

from insights import windows
from insights.metrics.comparison import LINE_DIMENSIONS
from insights.metrics.developer_facts import (
    CYCLE_TIME,
    MERGED,
    SESSIONS,
    DeveloperFacts,
    flags_of,
    pulls_of,
    read_developer_facts,
)
from insights.metrics.query import MetricQuery, Window
from insights.metrics.reading import Placed
from insights.people_figures.columns import pack, unpack
from insights.people_figures.store import Kind, kept_at, kept_of
from orgtree.models import Person

if TYPE_CHECKING:
    from insights.formulas.arrays import Flags

LENGTH = struct.Struct(">Q")  # of each part, before it
OF_PEOPLE = {"people": "q", "first_sessions": "i", "pulls": "i"}  # types of arrays
OF_PULLS = {"pull_days": "H", "cycles": "d"}
OF_SESSION_DAYS = {"sessions": "I"}  # how many began on each day with any, by person and day


def kept_since(query: MetricQuery) -> datetime | None:
    """The moment whose facts are kept for this query; None where they have to be read."""
    return kept_at(ADOPTION, query.window) if _is_of_units_alone(query) else None


def developer_facts(query: MetricQuery) -> tuple[DeveloperFacts, datetime | None]:
    """Those of the query's scope, and the moment whose facts they are; None where they were read just now."""
    kept = kept_of(ADOPTION, query.window) if _is_of_units_alone(query) else None
    if kept is None:
        return read_developer_facts(query), None
    facts = _unpacked(kept.content, query.window)
    placement = pulls_of(query).of_facts.placement
    if placement.placed is not Placed.UNIT:
        return facts.of(_are_known(facts)), kept.read_at
    return facts.on(_days_in(placement.ids[0], facts)), kept.read_at


def _is_of_units_alone(query: MetricQuery) -> bool:
    """Whether it is of all the work of the organisation or of a unit: what is kept tells of no part of it."""
    facets = [name for name in query.facets if name not in LINE_DIMENSIONS]
    return not (facets or query.scope.where or query.scope.person_id is not None or query.scope.unassigned is not None)


def _are_known(facts: DeveloperFacts) -> Flags:
    """By person: False of whoever was merged away since, as nobody can say who that was; units have none of them."""
    import numpy as np

    return np.isin(facts.people, np.fromiter(Person.objects.values_list("pk", flat=True), dtype=np.int64))


def _days_in(unit_id: int, facts: DeveloperFacts) -> Flags:
    """By person and day: whether they were in the unit."""
    import numpy as np

    days = facts.worked.shape[1]
    found = np.zeros((len(facts.people), days), dtype=bool)
    with connection.cursor() as cursor:
        cursor.execute(_STAYS, {"unit": unit_id, "start": facts.start, "end": facts.end, "days": days})
        stays = np.array(cursor.fetchall(), dtype=np.int64).reshape(-1, 3)
    stays = stays[np.isin(stays[:, 0], facts.people)]
    places, each_day = np.searchsorted(facts.people, stays[:, 0]), np.arange(days)
    np.logical_or.at(found, places, (each_day >= stays[:, 1:2]) & (each_day < stays[:, 2:3]))
    return found


# Numbers instead of dates: adapting ten thousand of these takes longer than finding the people.
_STAYS = """
    SELECT person_id, greatest(coalesce(lower(during) - %(start)s::date, 0), 0),
           coalesce(upper(during) - %(start)s::date, %(days)s)
    FROM orgtree_placement
    WHERE ancestor_id = %(unit)s AND during && daterange(%(start)s, %(end)s)
"""


def _read(window: Window) -> bytes:
    import numpy as np

    facts = read_developer_facts(MetricQuery(CYCLE_TIME, window))
    parts = (
        *(
            pack([*types], [_array(kind, getattr(facts, name)) for name, kind in types.items()])
            for types in (OF_PEOPLE, OF_PULLS)
        ),
        pack([*OF_SESSION_DAYS], [_array(OF_SESSION_DAYS["sessions"], facts.sessions[facts.sessions > 0])]),
        np.packbits(facts.worked, axis=1).tobytes(),
        np.packbits(facts.sessions > 0, axis=1).tobytes(),
    )
    return b"".join(each for part in parts for each in (LENGTH.pack(len(part)), part))


def _unpacked(content: bytes, window: Window) -> DeveloperFacts:
    import numpy as np

    of_people, of_pulls, of_session_days, worked, in_session = _parts(content)
    columns: dict[str, Any] = {}
    for part in (of_people, of_pulls, of_session_days):
        names, found = unpack(part)
        columns |= {name: _numbers(column) for name, column in zip(names, found, strict=True)}
    end = min(window.end, windows.local_today() + timedelta(days=1))
    days = (end - window.start).days
    with_session = flags_of(in_session, days)
    sessions = np.zeros(with_session.shape, dtype=SESSIONS)
    sessions[with_session] = columns["sessions"]
    return DeveloperFacts(window.start, end, worked=flags_of(worked, days), **(columns | {"sessions": sessions}))


def _parts(content: bytes) -> Sequence[bytes]:
    parts, at = [], 0
    while at < len(content):
        (length,) = LENGTH.unpack_from(content, at)
        at += LENGTH.size
        parts.append(content[at : at + length])
        at += length
    return parts


def _array(kind: str, column: Any) -> array[Any]:
    found: array[Any] = array(kind)
    found.frombytes(column.astype(kind).tobytes())
    return found


def _numbers(column: array[Any]) -> Any:
    import numpy as np

    found = np.frombuffer(column, dtype=column.typecode)
    return found if column.typecode == "d" else found.astype(np.int64)


ADOPTION = Kind("adoption", 2, (CYCLE_TIME, MERGED), _read)
