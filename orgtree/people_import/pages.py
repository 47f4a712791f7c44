"""People import: upload a file, preview it, apply exactly the preview."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any, cast
from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.auth.models import User
from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from core.csv_export import Cell, csv_response
from core.csv_import import CsvFileError, check_size
from core.form_page import Consequences
from orgtree.access.permissions import admins_only
from orgtree.models import PeopleImport
from orgtree.organisation.people_version import PeopleBusyError
from orgtree.people_import.columns import attribute_name
from orgtree.people_import.drafts import Outcome, PeopleChanges, PersonChange
from orgtree.people_import.rows import MOST_BYTES
from orgtree.people_import.uploads import (
    AlreadyAppliedError,
    PreviewOutdatedError,
    apply_upload,
    changes_of_upload,
    columns_of_upload,
    preview_upload,
    save_upload,
)

OUTCOMES_LISTED = (Outcome.MOVED, Outcome.LEAVING, Outcome.CHANGED, Outcome.ADDED)
PEOPLE_LISTED = 200
ERRORS_LISTED = 500
IMPORTS_LISTED = 10
FIELDS = {"full_name": "Name", "email": "E-mail", "manager_email": "Manager", "identities": "Identity"}


class UploadForm(forms.Form):
    """A file, its effective date, and whether it is complete."""

    file = forms.FileField(label="CSV file", error_messages={"required": "Choose a file."}, allow_empty_file=True)
    effective = forms.DateField(
        label="Holds from",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
        error_messages={"invalid": "Give the day as 2026-01-31, or leave it empty."},
    )
    complete = forms.BooleanField(label="The file lists everybody: people who are not in it leave", required=False)

    def clean_file(self) -> UploadedFile[Any]:
        """The file, checked before it is read, so that a huge one is never loaded."""
        file: UploadedFile[Any] = self.cleaned_data["file"]
        try:
            check_size(file.size or 0, most_bytes=MOST_BYTES)
        except CsvFileError as problem:
            raise forms.ValidationError(str(problem)) from None
        return file


@admins_only
@never_cache
@require_http_methods(["GET", "POST"])
def people_import(request: HttpRequest) -> HttpResponse:
    """The form and applied files; POST stores the file and redirects to its preview."""
    form = UploadForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        file: UploadedFile[Any] = form.cleaned_data["file"]
        upload = save_upload(
            file.read(),
            file_name=file.name or "people.csv",
            effective=form.cleaned_data["effective"],
            complete=form.cleaned_data["complete"],
            uploaded_by=cast(User, request.user),
        )
        return redirect("people_import_preview", upload.public_id)
    context = {
        "form": form,
        "imports": PeopleImport.objects.exclude(applied_at=None).select_related("uploaded_by")[:IMPORTS_LISTED],
    }
    return render(request, "orgtree/people_import.html", context, status=400 if form.errors else 200)


@admins_only
@never_cache
@require_http_methods(["GET", "POST"])
def people_import_preview(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """The preview; POST applies it."""
    upload = get_object_or_404(PeopleImport, public_id=public_id, applied_at=None)
    problem = ""
    if request.method == "POST":
        try:
            changes = apply_upload(upload)
        except AlreadyAppliedError:
            messages.info(request, "This file has been applied or discarded in the meantime.")
            return redirect("people_import")
        except PreviewOutdatedError:
            problem = "People have changed since this preview. Nothing was stored: below is what the file would do now."
        except PeopleBusyError as busy:
            problem = str(busy)
        else:
            messages.success(request, f"{upload.file_name} is applied: {_sentence(changes.counts)}.")
            return redirect("people_import")
    try:
        changes = preview_upload(upload)
    except PeopleBusyError as busy:
        messages.error(request, str(busy))
        return redirect("people_import")
    return render(
        request,
        "orgtree/people_import_preview.html",
        _preview(upload, changes, problem),
        status=409 if problem else 200,
    )


@admins_only
@never_cache
@require_safe
def people_import_preview_csv(request: HttpRequest, public_id: UUID) -> HttpResponseBase:
    """The complete preview as CSV, one row per person and difference."""
    upload = get_object_or_404(PeopleImport, public_id=public_id, applied_at=None)
    try:
        changes = changes_of_upload(upload)
    except AlreadyAppliedError:
        raise Http404 from None
    except PeopleBusyError as busy:
        messages.error(request, str(busy))
        return redirect("people_import")
    return csv_response("headway-import-preview", _csv_rows(changes))


@admins_only
@require_POST
def people_import_discard(request: HttpRequest, public_id: UUID) -> HttpResponse:
    get_object_or_404(PeopleImport, public_id=public_id, applied_at=None).delete()
    messages.info(request, "The file is discarded; nothing was stored.")
    return redirect("people_import")


def _preview(upload: PeopleImport, changes: PeopleChanges, problem: str) -> dict[str, object]:
    columns = columns_of_upload(upload)
    return {
        "upload": upload,
        "problem": problem,
        "columns": columns,
        "questions": [column for column in columns if column.question],
        "errors": changes.errors[:ERRORS_LISTED],
        "error_count": len(changes.errors),
        "more_errors": max(0, len(changes.errors) - ERRORS_LISTED),
        "counts": [(attribute_name(name), name, number) for name, number in changes.counts.items()],
        "lists": [
            {
                "key": outcome.value,
                "title": outcome.capitalize(),
                "count": len(people),
                "lines": [(person, _details(person)) for person in people[:PEOPLE_LISTED]],
                "has_more": len(people) > PEOPLE_LISTED,
            }
            for outcome in OUTCOMES_LISTED
            if (people := changes.of(outcome))
        ],
        "moved_units": changes.moved_units[:PEOPLE_LISTED],
        "more_units": max(0, len(changes.moved_units) - PEOPLE_LISTED),
        "is_nothing": not changes.people,
        "holds_from": _holds_from(upload.effective),
        "consequences": _consequences(changes),
    }


def _consequences(changes: PeopleChanges) -> Consequences | None:
    """The consequences of a file that ends employments; None for others, which a further file corrects."""
    leaving = changes.of(Outcome.LEAVING)
    if not leaving or changes.errors:
        return None
    without_row = sum(not person.row for person in leaving)
    return Consequences(
        permanent=f"The employment of {_people(len(leaving))} ends. Their figures of the time before stay.",
        missing=[f"{_people(without_row)} of them because the file does not list them."] if without_row else [],
        readers="Everybody: they no longer count as active people of their units, from that day on.",
    )


def _people(number: int) -> str:
    return f"{number:,} {'person' if number == 1 else 'people'}"


def _csv_rows(changes: PeopleChanges) -> Iterator[Sequence[Cell]]:
    yield ("outcome", "row", "name", "email", "what", "before", "after")
    for error in changes.errors:
        yield ("error", error.row, None, None, error.column, None, error.message)
    for unit in changes.moved_units:
        yield ("unit moved", None, unit.unit, None, unit.tree, unit.from_parent, unit.to_parent)
    for outcome in OUTCOMES_LISTED:
        for person in changes.of(outcome):
            for what, before, after in _details(person) or [("", "", "")]:
                yield (outcome.value, person.row, person.full_name, person.email, what, before, after)


def _details(person: PersonChange) -> list[tuple[str, str, str]]:
    """The changes with values before and after."""
    units = [(unit.tree, unit.from_unit, unit.to_unit) for unit in person.units]
    fields = [
        (FIELDS.get(field.field) or attribute_name(field.field), field.before, field.after) for field in person.fields
    ]
    return [*units, *fields]


def _holds_from(effective: date | None) -> str:
    if effective is not None:
        return f"Everything in it holds from {effective:%-d %B %Y} on."
    return (
        f"Changes hold from today, {timezone.localdate():%-d %B %Y}; values given for the first time apply from the "
        "person's start."
    )


def _sentence(counts: dict[str, int]) -> str:
    parts = [f"{number:,} {name}" for name, number in counts.items() if number]
    return ", ".join(parts) or "nothing changed"
