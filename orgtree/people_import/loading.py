"""Streams drafts into temporary tables; all further steps are set-based.

draft            one row per draft; `refused` if it has an error
draft_attribute  row, slug, value (null: cleared from the effective date on)
draft_identity   row, kind, provider, value
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from typing import Any

from django.db import connection
from django.db.backends.utils import CursorWrapper

from orgtree.identities.identity_names import IdentityName, readable_name
from orgtree.models import IdentityKind
from orgtree.people_import.drafts import MISSING, PersonDraft, RowError

_TABLES = {
    "draft": """
        row integer PRIMARY KEY, public_id uuid, email text, full_name text, readable_name text,
        has_manager boolean, manager_email text, starts_on date, has_end boolean, ends_on date, refused boolean,
        person_id bigint, is_new boolean DEFAULT false, is_first boolean DEFAULT false, since date,
        name_before text, email_before text
    """,
    "draft_attribute": "row integer, slug text, value text",
    "draft_identity": "row integer, kind text, provider text, value text, identity_id bigint, owner_id bigint",
}
_BATCH = 2_000


def load(drafts: Iterable[PersonDraft | RowError], *, complete: bool) -> list[RowError]:
    """Fill the tables, which are dropped on commit; return the errors of drafts and files.

    Holds one batch at a time.  In a complete file, a row without an end means that there is none.
    """
    errors: list[RowError] = []
    with connection.cursor() as cursor:
        for name, columns in _TABLES.items():
            cursor.execute(f"DROP TABLE IF EXISTS {name}")
            cursor.execute(f"CREATE TEMPORARY TABLE {name} ({columns}) ON COMMIT DROP")
        for batch in _batches(drafts, errors):
            _copy(cursor, batch, complete=complete)
        for name in _TABLES:
            cursor.execute(f"ANALYZE {name}")
    return errors


def _batches(drafts: Iterable[PersonDraft | RowError], errors: list[RowError]) -> Iterator[list[PersonDraft]]:
    batch: list[PersonDraft] = []
    for draft in drafts:
        if isinstance(draft, RowError):
            errors.append(draft)
            continue
        errors += draft.errors
        batch.append(draft)
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _copy(cursor: CursorWrapper, batch: list[PersonDraft], *, complete: bool) -> None:
    columns = (
        "row, public_id, email, full_name, readable_name, has_manager, manager_email, starts_on, has_end, ends_on,"
        " refused"
    )
    _copy_rows(cursor, f"draft ({columns})", (_draft_row(draft, complete=complete) for draft in batch))
    _copy_rows(
        cursor,
        "draft_attribute (row, slug, value)",
        ((draft.row, slug, value) for draft in batch for slug, value in draft.attributes.items()),
    )
    _copy_rows(
        cursor,
        "draft_identity (row, kind, provider, value)",
        (
            (draft.row, name.kind.value, name.provider, name.value)
            for draft in batch
            for name in dict.fromkeys(draft.identities)
        ),
    )


def _draft_row(draft: PersonDraft, *, complete: bool) -> tuple[Any, ...]:
    has_end = draft.ends_on is not MISSING
    return (
        draft.row,
        draft.public_id,
        draft.email or None,
        draft.full_name,
        readable_name(IdentityName(IdentityKind.EMAIL, "", draft.email)) if draft.email else "",
        draft.manager_email is not MISSING,
        None if draft.manager_email is MISSING else draft.manager_email,
        draft.starts_on,
        has_end or complete,
        draft.ends_on if has_end else None,
        bool(draft.errors),
    )


def _copy_rows(cursor: CursorWrapper, target: str, rows: Iterable[tuple[Any, ...]]) -> None:
    with ExitStack() as stack:
        stack.enter_context(connection.wrap_database_errors)
        copy = stack.enter_context(cursor.copy(f"COPY {target} FROM STDIN"))
        for row in rows:
            copy.write_row(row)
