"""Uploaded files of people, stored until they are applied exactly as previewed."""

from __future__ import annotations

import hashlib
import json
import zlib
from dataclasses import asdict
from datetime import date, timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from core.csv_import import check_size
from orgtree.models import PeopleImport
from orgtree.people_import.columns import ColumnUse
from orgtree.people_import.drafts import Outcome, PeopleChanges
from orgtree.people_import.rows import MOST_BYTES, column_uses_of, drafts_of
from orgtree.people_import.store import PeopleRefusedError, preview_people, store_people

UNAPPLIED_LIFETIME = timedelta(days=1)
EMPTY_CONTENT = b""


class AlreadyAppliedError(Exception):
    """The file was applied or discarded in the meantime."""


class PreviewOutdatedError(Exception):
    """Applying would differ from the preview; nothing was stored."""


def save_upload(
    content: bytes, *, file_name: str, effective: date | None, complete: bool, uploaded_by: User
) -> PeopleImport:
    """Store the file for a day, to preview and apply.  Raises CsvFileError."""
    check_size(len(content), most_bytes=MOST_BYTES)
    PeopleImport.objects.filter(applied_at=None, uploaded_at__lt=timezone.now() - UNAPPLIED_LIFETIME).delete()
    return PeopleImport.objects.create(
        content=zlib.compress(content),
        file_name=file_name[:200],
        effective=effective,
        complete=complete,
        uploaded_by=uploaded_by,
    )


def changes_of_upload(upload: PeopleImport) -> PeopleChanges:
    """The changes that applying it now would make, without updating the preview's fingerprint."""
    return preview_people(drafts_of(_content(upload)), effective=upload.effective, complete=upload.complete)


def columns_of_upload(upload: PeopleImport) -> list[ColumnUse]:
    """The use of its columns."""
    return column_uses_of(_content(upload))


def preview_upload(upload: PeopleImport) -> PeopleChanges:
    """The changes that applying it now would make; stores their fingerprint, so that nothing else is applied."""
    changes = changes_of_upload(upload)
    upload.fingerprint = _fingerprint(upload, changes)
    upload.save(update_fields=["fingerprint"])
    return changes


def apply_upload(upload: PeopleImport) -> PeopleChanges:
    """Apply exactly what the preview showed, or nothing.

    Raises PreviewOutdatedError if the effect has changed, AlreadyAppliedError, PeopleBusyError.
    """
    with transaction.atomic():
        held = PeopleImport.objects.select_for_update().filter(pk=upload.pk, applied_at=None).first()
        if held is None:
            raise AlreadyAppliedError
        try:
            changes = store_people(drafts_of(_content(held)), effective=held.effective, complete=held.complete)
        except PeopleRefusedError as refused:
            raise PreviewOutdatedError from refused
        if _fingerprint(held, changes) != held.fingerprint:
            raise PreviewOutdatedError
        held.applied_at, held.content, held.counts = timezone.now(), EMPTY_CONTENT, changes.counts
        held.save(update_fields=["applied_at", "content", "counts"])
    return changes


def _content(upload: PeopleImport) -> bytes:
    if not upload.content:
        raise AlreadyAppliedError
    return zlib.decompress(upload.content)


def _fingerprint(upload: PeopleImport, changes: PeopleChanges) -> str:
    """Excludes ids of new people, which differ each time; includes today if there is no effective date."""
    document = asdict(changes)
    for person in document["people"]:
        if person["outcome"] == Outcome.ADDED:
            person["person_id"] = None
    day = upload.effective or timezone.localdate()
    return hashlib.sha256(json.dumps([document, day], default=str, sort_keys=True).encode()).hexdigest()
