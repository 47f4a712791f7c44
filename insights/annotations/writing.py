"""Writing, changing and removing notes on charts.  The history keeps each version with its author.

Managers write for their units, executives and admins for any unit and the whole organisation; everybody who sees a
chart sees its notes.  Only the author and admins can change or remove a note.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from django.contrib.auth.models import User
from django.utils import timezone

from core.authorship import changes_by
from core.write_errors import MayNotWriteError
from insights.catalogue.registry import metrics
from insights.models import Annotation
from insights.models.annotations import LONGEST_TEXT, family_of
from insights.query.errors import QueryError, UnknownUnitError
from insights.query.parameters import EARLIEST
from insights.ui import wording
from orgtree.access.access import Access
from orgtree.models import Unit

LONGEST_NOTE = timedelta(days=366)  # an event that lasts longer explains no single dip


@dataclass(frozen=True)
class AnnotationDraft:
    """A note's text, unit and days [start, end); `unit` is a slug, empty for the whole organisation."""

    text: str
    start: date
    end: date
    unit: str = ""
    about: str = ""


def may_annotate(access: Access, unit: str | None) -> bool:
    """Whether the viewer may annotate the unit with that slug; None: the whole organisation."""
    visibility = access.visibility
    if not isinstance(access.viewer, User):
        return False
    return visibility.leads_whole or (unit is not None and visibility.slugs.get(unit) in visibility.managed_ids)


def may_change(access: Access, annotation: Annotation) -> bool:
    viewer = access.viewer
    return isinstance(viewer, User) and (viewer.is_superuser or annotation.written_by_id == viewer.pk)


def add_annotation(access: Access, draft: AnnotationDraft) -> Annotation:
    """Raises QueryError for an invalid field, UnknownUnitError, MayNotWriteError."""
    unit, author = _unit_of(access, draft.unit), _author(access)
    with changes_by(author):
        return Annotation.objects.create(written_by=author, **_checked(draft), unit=unit)


def change_annotation(access: Access, annotation: Annotation, draft: AnnotationDraft) -> Annotation:
    """Raises as `add_annotation`.  Saving the same values changes nothing."""
    if not may_change(access, annotation):
        raise MayNotWriteError("Only the author or an admin can change a note.")
    stored_slug = annotation.unit.slug if annotation.unit else ""
    unit = annotation.unit if draft.unit == stored_slug else _unit_of(access, draft.unit)
    fields = {**_checked(draft), "unit": unit}
    with changes_by(_author(access)):
        stored = Annotation.objects.select_for_update().get(pk=annotation.pk)
        if all(getattr(stored, name) == value for name, value in fields.items()):
            return stored
        for name, value in fields.items():
            setattr(stored, name, value)
        stored.changed_at = timezone.now()
        stored.save()
    return stored


def remove_annotation(access: Access, annotation: Annotation) -> None:
    """The history keeps its last text.  Raises MayNotWriteError; removing a note that is gone does nothing."""
    if not may_change(access, annotation):
        raise MayNotWriteError("Only the author or an admin can remove a note.")
    with changes_by(_author(access)):
        Annotation.objects.filter(pk=annotation.pk).delete()


def _unit_of(access: Access, slug: str) -> Unit | None:
    unit = Unit.objects.within(access.visibility).filter(slug=slug).first() if slug else None
    if slug and unit is None:
        raise UnknownUnitError(slug)
    if not may_annotate(access, slug or None):
        target = f"of {unit.name}" if unit else "of the whole organisation"
        raise MayNotWriteError(
            f"Notes on charts {target} are written by {'its managers, ' if unit else ''}executives and admins."
        )
    return unit


def _author(access: Access) -> User:
    assert isinstance(access.viewer, User), "nobody else may annotate"  # noqa: S101 — `may_annotate` says so
    return access.viewer


def _checked(draft: AnnotationDraft) -> dict[str, str | date]:
    """The validated fields of the row.  Raises QueryError for the first that is invalid."""
    text = " ".join(draft.text.split())
    if not text:
        raise QueryError("text", "Enter what happened.")
    if len(text) > LONGEST_TEXT:
        raise QueryError("text", f"A note has at most {LONGEST_TEXT} characters; this one has {len(text):,}.")
    if not text.isprintable():
        raise QueryError("text", "It contains an unprintable character.")
    if draft.end <= draft.start:
        raise QueryError("to", f"It must end after it starts, on {wording.day(draft.start)}.")
    if not EARLIEST <= draft.start <= timezone.localdate() + LONGEST_NOTE:
        raise QueryError("from", f"It must be a day from {wording.day(EARLIEST)} on, and at most a year ahead.")
    if draft.end - draft.start > LONGEST_NOTE:
        raise QueryError("to", f"A note covers at most {LONGEST_NOTE.days} days.")
    known = {metric.key for metric in metrics()}
    if draft.about and draft.about not in known | {family_of(key) for key in known}:
        raise QueryError("about", f"There is no metric “{draft.about}”, and no family of metrics.")
    return {"text": text, "start": draft.start, "end": draft.end, "about": draft.about}
