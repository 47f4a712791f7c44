"""Stores reporting lines: resolves addresses to people and refuses cycles on any day."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date

from django.db import connection

from core import sql
from orgtree.people_import.dated import REPORTING, apply_from_effective_date
from orgtree.people_import.drafts import RowError

Line = tuple[int, int, date | None, date | None]  # person, manager, first day, first day after it

_RESOLVE = (
    """
    DROP TABLE IF EXISTS draft_manager;
    CREATE TEMPORARY TABLE draft_manager ON COMMIT DROP AS
    SELECT draft.row, draft.person_id, draft.since, draft.manager_email, NULL::bigint AS manager_id,
           NULL::bigint AS before, false AS is_refused
    FROM draft WHERE draft.has_manager AND NOT draft.refused;
    ANALYZE draft_manager
    """,
    """
    UPDATE draft_manager SET manager_id = draft.person_id, is_refused = draft.refused
    FROM draft WHERE draft.email = draft_manager.manager_email
    """,
    """
    UPDATE draft_manager SET manager_id = person.id
    FROM orgtree_person person WHERE manager_id IS NULL AND lower(person.email) = manager_email
    """,
    """
    UPDATE draft_manager SET manager_id = identity.person_id
    FROM orgtree_identity identity
    WHERE manager_id IS NULL AND identity.kind = 'email' AND identity.provider = '' AND identity.value = manager_email
    """,
)
_UNKNOWN = """
    SELECT row, manager_email FROM draft_manager
    WHERE manager_email IS NOT NULL AND manager_id IS NULL AND NOT is_refused ORDER BY row
"""
_THEMSELVES = "SELECT row FROM draft_manager WHERE manager_id = person_id ORDER BY row"
_DELETE_REFUSED = """
    DELETE FROM draft_manager WHERE manager_id = person_id OR manager_email IS NOT NULL AND manager_id IS NULL
"""


def store_managers(errors: list[RowError]) -> None:
    """Store the rows' reporting lines; refuses unknown managers, self-reporting and cycles."""
    with connection.cursor() as cursor:
        for statement in _RESOLVE:
            cursor.execute(statement)
        cursor.execute(_UNKNOWN)
        errors += [
            RowError(
                row, "manager_email", f"“{email}” is unknown: neither in the file nor among the people in Headway."
            )
            for row, email in cursor.fetchall()
        ]
        cursor.execute(_THEMSELVES)
        errors += [
            RowError(row, "manager_email", "A person can’t be their own manager. Leave the cell empty at the top.")
            for (row,) in cursor.fetchall()
        ]
        cursor.execute(_DELETE_REFUSED)
    apply_from_effective_date(REPORTING)
    errors += _circles()


def _circles() -> Iterator[RowError]:
    """An error for each changed row that creates a cycle on some day."""
    rows: Mapping[int, int] = dict(sql.rows("SELECT person_id, row FROM draft_manager WHERE manager_id IS NOT NULL"))
    if not rows:
        return
    lines = sql.rows(_LINES)
    for day, circle in circles_on_any_day(lines):
        names = _names(circle)
        chain = " → ".join([*(names[person] for person in circle[:5]), *(["…"] if len(circle) > 5 else [])])
        when = f" from {day} on" if day != date.min else ""
        for person in circle:
            if person in rows:
                message = f"The managers form a circle{when}: {chain} → {names[circle[0]]}."
                yield RowError(rows[person], "manager_email", message)


def circles_on_any_day(lines: Sequence[Line]) -> Iterator[tuple[date, list[int]]]:
    """Cycles with their first day; each person at most once."""
    reported: set[int] = set()
    for day, managers in _managers_by_day(lines):
        for circle in circles_of(managers):
            if reported.isdisjoint(circle):
                reported.update(circle)
                yield day, circle


# Starts on the first day of any changed line.
_LINES = """
    SELECT person_id, manager_id, lower(during), upper(during) FROM orgtree_reporting
    WHERE during && (
        SELECT daterange(CASE WHEN bool_and(since IS NOT NULL) THEN min(since) END, NULL) FROM draft_manager
    )
"""


def _managers_by_day(lines: Sequence[Line]) -> Iterator[tuple[date, Mapping[int, int]]]:
    """The manager by person, for each day on which any line starts."""
    for day in sorted({start or date.min for _, _, start, _ in lines}):
        yield (
            day,
            {
                person: manager
                for person, manager, start, end in lines
                if (start or date.min) <= day and (end is None or day < end)
            },
        )


def circles_of(managers: Mapping[int, int]) -> Iterator[list[int]]:
    """The cycles among reporting lines, each once, starting anywhere."""
    checked: set[int] = set()
    for first in managers:
        path: list[int] = []
        here: int | None = first
        on_path: dict[int, int] = {}
        while here is not None and here not in checked and here not in on_path:
            on_path[here] = len(path)
            path.append(here)
            here = managers.get(here)
        if here is not None and here in on_path:
            yield path[on_path[here] :]
        checked.update(path)


def _names(people: Sequence[int]) -> Mapping[int, str]:
    return dict(sql.rows("SELECT id, full_name FROM orgtree_person WHERE id = ANY(%s)", [list(people)]))
