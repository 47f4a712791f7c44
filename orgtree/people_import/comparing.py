"""Collects the result of an import: people added, changed, moved and leaving, with their differences."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from django.db.backends.postgresql.psycopg_any import DateRange

from core import sql
from core.dated_rows_admin import date_range_in_words
from orgtree.people_import.columns import PLACES
from orgtree.people_import.drafts import (
    FieldChange,
    Outcome,
    PeopleChanges,
    PersonChange,
    RowError,
)
from orgtree.trees.structures import MemberMove, TreeMove


@dataclass
class Differences:
    """Differences by person, collected before the temporary tables are dropped."""

    fields: dict[int, list[FieldChange]] = field(default_factory=lambda: defaultdict(list))
    units: dict[int, list[MemberMove]] = field(default_factory=lambda: defaultdict(list))
    new: set[int] = field(default_factory=set)
    leaving: set[int] = field(default_factory=set)

    @property
    def touched(self) -> set[int]:
        """People whose place in a tree may have changed."""
        return {*self.fields, *self.new}


def collect(presences: Iterable[tuple[int, bool]], identities: Iterable[tuple[int, str]]) -> Differences:
    """`presences`: people with changed employment, and whether they leave; `identities`: added identities by person."""
    differences = Differences()
    differences.new.update(person for (person,) in sql.rows("SELECT person_id FROM draft WHERE is_new AND NOT refused"))
    for statement in (_NAMES, _ADDRESSES, _VALUES, _MANAGERS):
        for person, name, before, after in sql.rows(statement):
            if person not in differences.new:
                differences.fields[person].append(FieldChange(name, before or "", after or ""))
    presences = list(presences)
    differences.leaving.update(person for person, leaves in presences if leaves and person not in differences.new)
    for person, before, after in _employments([person for person, _ in presences if person not in differences.new]):
        differences.fields[person].append(FieldChange("employment", before, after))
    for person, value in identities:
        if person not in differences.new:
            differences.fields[person].append(FieldChange("identities", "", value))
    return differences


def changes_of(differences: Differences, moves: Sequence[TreeMove], errors: Sequence[RowError]) -> PeopleChanges:
    """Each person's outcome, in row order."""
    for move in (member for tree in moves for member in tree.people):
        if move.person_id not in differences.new:
            differences.units[move.person_id].append(move)
    people = _people(differences)
    listed = {person.person_id for person in people}
    return PeopleChanges(
        people=tuple(people),
        unchanged=sum(1 for person in _people_listed() if person not in listed),
        moved_units=tuple(unit for tree in moves for unit in tree.moved_units),
        errors=tuple(sorted(errors, key=lambda error: (error.row is not None, error.row or 0, error.column or ""))),
    )


def _people(differences: Differences) -> list[PersonChange]:
    rows = sql.rows(
        _PEOPLE, [sorted({*differences.fields, *differences.units, *differences.new, *differences.leaving})]
    )
    people = []
    for person, row, email, name in rows:
        fields, units = tuple(differences.fields.get(person, ())), tuple(differences.units.get(person, ()))
        if person in differences.new:
            outcome = Outcome.ADDED
        elif person in differences.leaving:
            outcome = Outcome.LEAVING
        elif any(change.field in PLACES and change.before for change in fields) or any(
            change.from_unit for change in units
        ):
            outcome = Outcome.MOVED
        else:
            outcome = Outcome.CHANGED
        people.append(PersonChange(person, row, email or "", name, outcome, fields, units))
    return people


def _people_listed() -> Sequence[int]:
    return sql.column("SELECT person_id FROM draft WHERE NOT refused AND person_id IS NOT NULL")


def _employments(people: Sequence[int]) -> Iterable[tuple[int, str, str]]:
    for person, before, after in sql.rows(_EMPLOYMENTS, [list(people)]):
        yield person, date_ranges(before), date_ranges(after)


def date_ranges(days: Iterable[DateRange]) -> str:
    """Date ranges as text: 2024-01-01 – 2026-03-01, from 2026-05-01."""
    return ", ".join(date_range_in_words(day.lower, day.upper) for day in days)


_NAMES = """
    SELECT person_id, 'full_name', name_before, full_name FROM draft
    WHERE NOT refused AND full_name <> '' AND name_before <> full_name
"""
_ADDRESSES = """
    SELECT person_id, 'email', email_before, email FROM draft
    WHERE NOT refused AND NOT is_new AND email IS NOT NULL AND lower(email_before) IS DISTINCT FROM email
"""
_VALUES = """
    SELECT draft_value.person_id, attribute.slug, draft_value.before, draft_value.value
    FROM draft_value JOIN orgtree_attribute attribute ON attribute.id = draft_value.attribute_id
    JOIN draft USING (row)
    WHERE NOT draft.is_new
    ORDER BY draft_value.row, attribute.slug
"""
_MANAGERS = """
    SELECT draft_manager.person_id, 'manager_email', COALESCE(earlier.email, earlier.full_name), later.email
    FROM draft_manager
    LEFT JOIN orgtree_person earlier ON earlier.id = draft_manager.before
    LEFT JOIN orgtree_person later ON later.id = draft_manager.manager_id
    JOIN draft USING (row)
    WHERE NOT draft.is_new
"""
_PEOPLE = """
    SELECT person.id, draft.row, person.email, person.full_name
    FROM orgtree_person person LEFT JOIN draft ON draft.person_id = person.id AND NOT draft.refused
    WHERE person.id = ANY(%s)
    ORDER BY draft.row NULLS LAST, person.full_name, person.id
"""
_EMPLOYMENTS = """
    SELECT chosen.id, COALESCE(before.days, '{}'), COALESCE(after.days, '{}')
    FROM unnest(%s::bigint[]) AS chosen (id)
    LEFT JOIN presence_before before ON before.person_id = chosen.id
    LEFT JOIN (SELECT person_id, range_agg(during) AS days FROM orgtree_employment GROUP BY person_id) AS after
      ON after.person_id = chosen.id
    ORDER BY chosen.id
"""
