"""Writing, changing and removing notes on charts.  The history keeps each version with its author.

Managers write for their units and the repositories those units own, executives and admins for any unit, repository and
the whole organisation; whoever sees a chart sees its notes.  Only the author and admins change or remove a note.
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
from integrations.models import Repository
from orgtree.access.access import Access
from orgtree.models import Unit

LONGEST_NOTE = timedelta(days=366)  # an event that lasts longer explains no single dip


@dataclass(frozen=True)
class AnnotationDraft:
    """A note's text, days [start, end), and unit or repository; `unit` is a slug, `repository` a name, both empty for
    the whole organisation.  If `excuses` is set, findings leave out its days.
    """

    text: str
    start: date
    end: date
    unit: str = ""
    about: str = ""
    repository: str = ""
    excuses: bool = False


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
    """Add an annotation.  Raises QueryError for an invalid field, UnknownUnitError, MayNotWriteError."""
    fields = {**_checked(draft), **_place_of(access, draft)}
    author = _author(access)
    with changes_by(author):
        return Annotation.objects.create(written_by=author, **fields)


def change_annotation(access: Access, annotation: Annotation, draft: AnnotationDraft) -> Annotation:
    """Change an annotation; equal values change nothing.  Raises like `add_annotation`."""
    if not may_change(access, annotation):
        raise MayNotWriteError("Only the author or an admin can change a note.")
    place = (annotation.unit.slug if annotation.unit else "", str(annotation.repository or ""))
    is_elsewhere = place != (draft.unit, draft.repository)
    fields = {**_checked(draft), **(_place_of(access, draft) if is_elsewhere else {})}
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
    """Remove an annotation; the history keeps its last text.  Raises MayNotWriteError.  Does nothing if it is already
    gone.
    """
    if not may_change(access, annotation):
        raise MayNotWriteError("Only the author or an admin can remove a note.")
    with changes_by(_author(access)):
        Annotation.objects.filter(pk=annotation.pk).delete()


def _place_of(access: Access, draft: AnnotationDraft) -> dict[str, Unit | Repository | None]:
    """The model fields for the draft's unit or repository.  Raises as `add_annotation`."""
    if not draft.repository:
        return {"unit": _unit_of(access, draft.unit), "repository": None}
    if draft.unit:
        raise QueryError("repository", "A note is about a unit or about a repository, not about both.")
    return {"unit": None, "repository": _repository_of(access, draft.repository)}


def _repository_of(access: Access, name: str) -> Repository:
    """The repository of that name, if the viewer may write about it.  Raises QueryError, MayNotWriteError."""
    visibility = access.visibility
    named = Repository.objects.filter(name=name.strip(), joined_into=None)
    if not visibility.leads_whole:
        if not visibility.managed_ids:
            raise MayNotWriteError("Managers of its owner, executives and admins write notes about a repository.")
        named = named.filter(
            owned__ownerships__unit__in=visibility.managed_ids, owned__ownerships__during__contains=timezone.localdate()
        )
    repository = named.first()
    if repository is None:
        whose = "" if visibility.leads_whole else " that units of yours own"
        raise QueryError("repository", f"There is no repository of this name{whose}.")
    return repository


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


def _checked(draft: AnnotationDraft) -> dict[str, str | date | bool]:
    """The validated model fields.  Raises QueryError for the first invalid one."""
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
    days = {"start": draft.start, "end": draft.end}
    return {"text": text, **days, "about": draft.about, "excuses": draft.excuses}
