"""Stores people: the single entry point for files, API, forms and the demo.

People are identified by e-mail address, a former address, or an identity in the draft; other rows add people.  Values
hold from the effective date on: history stays, and changes planned for later are dropped.  docs/people.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date

from django.db import transaction
from django.utils import timezone

from core import sql
from orgtree.organisation.people_version import wait_for_other_writers
from orgtree.organisation.presence import notify_presence_changed
from orgtree.people_import import comparing, dated, employments, managers, matching
from orgtree.people_import.columns import attribute_name
from orgtree.people_import.comparing import Differences
from orgtree.people_import.drafts import PeopleChanges, PersonDraft, RowError
from orgtree.people_import.loading import load
from orgtree.trees.placements import rebuild_placements
from orgtree.trees.structures import TreeMove
from orgtree.trees.trees import EMPLOYMENT, sync_trees


class PeopleRefusedError(Exception):
    """Nothing was stored; `changes.errors` says why, by row."""

    def __init__(self, changes: PeopleChanges) -> None:
        super().__init__(f"{len(changes.errors)} errors; nothing was stored.")
        self.changes = changes


Drafts = Iterable[PersonDraft | RowError]


def store_people(drafts: Drafts, *, effective: date | None = None, complete: bool = False) -> PeopleChanges:
    """Store all drafts or none; returns the changes.

    Without `effective`, changes hold from today (local) on, and first values of a person from their start, or always
    without one.  With it, everything holds from that day on.  `complete`: known people missing from the drafts leave
    on that day.  Concurrent calls are serialised.

    Raises PeopleRefusedError for an invalid draft, PeopleBusyError after waiting a minute.
    """
    with transaction.atomic():
        changes = _store(drafts, effective, complete=complete)
        if changes.errors:
            raise PeopleRefusedError(changes)
    return changes


def preview_people(drafts: Drafts, *, effective: date | None = None, complete: bool = False) -> PeopleChanges:
    """The changes that `store_people` would make, with all errors; runs it and rolls back."""
    with transaction.atomic():
        changes = _store(drafts, effective, complete=complete)
        transaction.set_rollback(True)
    return changes


def store_valid_people(drafts: Sequence[PersonDraft | RowError], *, effective: date | None = None) -> PeopleChanges:
    """Store the valid drafts; `errors` lists those of the others, by row."""
    valid = [draft for draft in drafts if isinstance(draft, PersonDraft)]
    errors = [draft for draft in drafts if isinstance(draft, RowError)]
    changes = PeopleChanges()
    with transaction.atomic():
        while valid:
            try:
                changes = store_people(valid, effective=effective)
                break
            except PeopleRefusedError as refused:
                errors += refused.changes.errors
                left = {error.row for error in errors}
                valid = [draft for draft in valid if draft.row not in left]
    return replace(changes, errors=tuple(errors))


def _store(drafts: Drafts, effective: date | None, *, complete: bool) -> PeopleChanges:
    wait_for_other_writers()
    errors = load(drafts, complete=complete)
    if complete and not _has_drafts():
        errors = errors or [RowError(None, None, "A complete list without people would mark everybody as having left.")]
        return PeopleChanges(errors=tuple(errors))
    day = effective or timezone.localdate()
    matching.match(errors)
    _set_effective_dates(day, always=effective is None)
    matching.update_people()
    employments.store_employments(day, errors, complete=complete)
    _store_attributes()
    managers.store_managers(errors)
    identities = matching.attach_identities()
    presences = employments.changed_presences()
    differences = comparing.collect([(person, leaves) for person, _, leaves in presences], identities)
    moves = _sync_trees(differences, {person for person, _, _ in presences}, errors)
    notify_presence_changed([since for _, since, _ in presences])
    return comparing.changes_of(differences, moves, errors)


def _sync_trees(differences: Differences, on_other_days: set[int], errors: Sequence[RowError]) -> Sequence[TreeMove]:
    """Update trees and placements; skipped with errors, since a cycle of managers is no tree.

    Derived trees rebuild the placements of their own members; known people with changed employment may also be in
    hand-built trees.
    """
    touched = differences.touched | on_other_days
    if errors or not touched:
        return ()
    changed_fields = {change.field for changes in differences.fields.values() for change in changes}
    if on_other_days:
        changed_fields.add(EMPLOYMENT)
    moves = sync_trees(touched, changed_fields=None if differences.new else changed_fields)
    rebuild_placements(person_ids=on_other_days - differences.new)
    return moves


def _has_drafts() -> bool:
    return bool(sql.value("SELECT EXISTS (SELECT FROM draft)"))


def _set_effective_dates(day: date, *, always: bool) -> None:
    sql.execute(
        "UPDATE draft SET since = CASE WHEN is_first AND %s THEN starts_on ELSE %s END WHERE NOT refused",
        [always, day],
    )


def _store_attributes() -> None:
    new = sql.column(
        """
        SELECT DISTINCT slug FROM draft_attribute
        WHERE value IS NOT NULL AND slug NOT IN (SELECT slug FROM orgtree_attribute) ORDER BY slug
        """
    )
    sql.execute(
        "INSERT INTO orgtree_attribute (slug, name) SELECT * FROM unnest(%s::text[], %s::text[])",
        [new, [attribute_name(slug) for slug in new]],
    )
    sql.execute("DROP TABLE IF EXISTS draft_value")
    sql.execute(
        """
        CREATE TEMPORARY TABLE draft_value ON COMMIT DROP AS
        SELECT draft.row, draft.person_id, attribute.id AS attribute_id, written.value, draft.since,
            NULL::text AS before
        FROM draft JOIN draft_attribute written USING (row) JOIN orgtree_attribute attribute USING (slug)
        WHERE NOT draft.refused
        """
    )
    dated.apply_from_effective_date(dated.ATTRIBUTES)
