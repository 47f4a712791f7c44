"""The form of a note (its text, its days, and the charts that show it), one note with its history, and the list."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, cast

from django import forms
from django.apps import apps
from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.vary import vary_on_headers

from core.authorship import account_of
from core.forms import posted
from core.page_links import PAGE_SIZE, page_links, read_page, url_with
from core.views import action_view, form_view, page_view
from core.write_errors import FieldError
from core.write_forms import WriteForm
from insights.annotations.writing import (
    AnnotationDraft,
    add_annotation,
    change_annotation,
    may_annotate,
    may_change,
    remove_annotation,
)
from insights.catalogue.registry import metrics
from insights.models import Annotation
from insights.models.annotations import LONGEST_TEXT, family_of
from insights.pages.annotations.labels import about_words, note_lines
from insights.privacy.scope_access import access_in
from insights.query import windows
from insights.query.query import Window
from insights.ui import wording
from insights.ui.filters import filters_of
from insights.ui.metric_panel import base_template, is_panel
from insights.ui.scope_bar import EVERYBODY, scope_bar_alone, scope_navigation, scope_words
from insights.ui.views import form_panel
from integrations.models import Repository
from orgtree.access.access import Access
from orgtree.access.who_sees import names_of
from orgtree.models import Unit
from orgtree.trees.surroundings import Surroundings, surroundings

WHOLE = ":everybody"  # instead of a unit's slug, which contains no colon
LATEST = date.max - timedelta(days=1)
FIELDS = {
    **{"text": "text", "from": "first_day", "to": "last_day", "unit": "whose", "about": "about"},
    "repository": "repository",
}


@dataclass(frozen=True)
class Offered:
    """The choices: slug of a unit (or WHOLE) → name, and metric or family (or empty) → label."""

    units: Mapping[str, str]
    abouts: Mapping[str, str]


def offered(access: Access, around: Surroundings, about: str, annotation: Annotation | None = None) -> Offered:
    """The chart's unit and its ancestors that the viewer may annotate; the metric, its family, or every chart."""
    units = {unit.slug: unit.name for unit in reversed(around.path) if access.visibility.leads(unit.pk)}
    if annotation is not None and annotation.unit is not None:
        units = {annotation.unit.slug: annotation.unit.name, **units}
    if access.visibility.leads_whole or (annotation is not None and annotation.unit is None):
        units[WHOLE] = EVERYBODY
    return Offered(units, {fromkey: about_words(fromkey) for fromkey in dict.fromkeys(("", family_of(about), about))})


class NoteForm(WriteForm):
    text = forms.CharField(
        label="What happened",
        max_length=LONGEST_TEXT,
        widget=forms.Textarea(attrs={"rows": 2, "maxlength": LONGEST_TEXT, "autofocus": True}),
        help_text="Everybody who sees these charts can read it. Do not name people.",
    )
    first_day = forms.DateField(label="First day", widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
    last_day = forms.DateField(
        label="Last day",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text="Empty: only that day.",
    )
    whose = forms.ChoiceField(label="On charts of", help_text="Also on those of every unit below.")
    about = forms.ChoiceField(label="Which charts", required=False)
    repository = forms.CharField(
        label="Only of repository",
        required=False,
        max_length=200,
        help_text="Its name. Then the note is on the charts of its owner, and on those that are filtered by it.",
    )
    excuses = forms.BooleanField(
        label="An event that explains what changes in these days",
        required=False,
        help_text="A training week, a freeze, a holiday: findings leave its weeks out. Figures stay as they are.",
    )

    def __init__(self, *args: Any, choices: Offered, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        cast(forms.ChoiceField, self.fields["whose"]).choices = list(choices.units.items())
        cast(forms.ChoiceField, self.fields["about"]).choices = list(choices.abouts.items())

    def show(self, problem: FieldError) -> None:
        super().show(FieldError(FIELDS.get(problem.field, ""), problem.message))

    @property
    def draft(self) -> AnnotationDraft:
        """The draft of a valid form."""
        data = self.cleaned_data
        last_day = min(data["last_day"] or data["first_day"], LATEST)
        return AnnotationDraft(
            text=data["text"],
            start=data["first_day"],
            end=last_day + timedelta(days=1),
            unit="" if data["repository"] or data["whose"] == WHOLE else data["whose"],
            about=data["about"],
            repository=data["repository"],
            excuses=data["excuses"],
        )


def filled_in(annotation: Annotation) -> dict[str, Any]:
    """Initial values of the form for a stored note."""
    last_day = annotation.end - timedelta(days=1)
    return {
        "text": annotation.text,
        "first_day": annotation.start,
        "last_day": None if last_day == annotation.start else last_day,
        "whose": annotation.unit.slug if annotation.unit else WHOLE,
        "about": annotation.about,
        "repository": str(annotation.repository or ""),
        "excuses": annotation.excuses,
    }


FORM = "insights/annotations/form.html"
CHANGES_LISTED = 50
CHARTS_CHANGED = "headway:notes"  # makes the page behind the side panel redraw its charts


@page_view
def annotation_list(request: HttpRequest) -> HttpResponseBase:
    """The notes on the charts of a unit, the latest first."""
    filters = filters_of(request, facets=())
    access, around = filters.access, scope_navigation(request, filters)
    notes = Annotation.objects.within(access.visibility)
    if filters.scope.unit_word is not None or filters.scope.person_id is not None:
        notes = notes.on_charts_of(filters.scope)
    listed = notes.select_related("unit", "repository", "written_by").order_by("-start", "-pk")
    page = Paginator(listed, PAGE_SIZE).get_page(read_page(request))
    here = filters.scope_parameters()
    context = {
        "scope": scope_bar_alone(filters, around, request.path),
        "whose": scope_words(filters, around),
        "notes": note_lines(list(page)),
        "new_url": filters.url(reverse("annotation_new")) if may_annotate(access, filters.scope.unit) else "",
        **page_links(page, lambda number: url_with("", [*here, ("page", number)])),
    }
    return render(request, "insights/annotations/list.html", context)


@vary_on_headers("HX-Request")
@form_view
def annotation_new(request: HttpRequest) -> HttpResponseBase:
    """The form of a new note; `unit=` and `about=` name the chart that it was opened from."""
    filters = filters_of(request, facets=())
    access, around = filters.access, scope_navigation(request, filters)
    about, known = request.GET.get("about", ""), {metric.key for metric in metrics()}
    is_known = about in known | {family_of(key) for key in known}
    choices = offered(access, around, about if is_known else "")
    if not choices.units:
        raise PermissionDenied("Only managers of a unit, executives and admins can write notes.")
    form = NoteForm(posted(request), choices=choices, initial={"first_day": filters.today})
    if form.save_by(lambda: add_annotation(access, form.draft)):
        return _done(request, "Note added.")
    return form_panel(request, FORM, form, title="Add a note", submit="Add note")


@vary_on_headers("HX-Request")
@form_view
def annotation(request: HttpRequest, pk: int) -> HttpResponseBase:
    """One note; its author and admins can change it."""
    access = access_in(request)
    note = _visible(request, pk)
    context: dict[str, Any] = {"title": "A note", "line": note_lines([note])[0], "history": _history(note)}
    if not may_change(access, note):
        if request.method == "POST":
            raise PermissionDenied("Only the author or an admin can change a note.")
        return render(request, "insights/annotations/note.html", {**context, "base_template": base_template(request)})
    today = windows.local_today()
    around = surroundings(note.unit.slug if note.unit else None, access.visibility, on=today, today=today)
    choices = offered(access, around, note.about, note)
    form = NoteForm(posted(request), choices=choices, initial=filled_in(note))
    if form.save_by(lambda: change_annotation(access, note, form.draft)):
        return _done(request, "Note updated.")
    more = {"title": "Change a note", "submit": "Save", "remove_url": reverse("annotation_remove", args=[pk])}
    return form_panel(request, FORM, form, **{**context, **more})


@action_view
def annotation_remove(request: HttpRequest, pk: int) -> HttpResponseBase:
    remove_annotation(access_in(request), _visible(request, pk))
    return _done(request, "Note removed.")


def _visible(request: HttpRequest, pk: int) -> Annotation:
    visible = Annotation.objects.within(access_in(request).visibility)
    return get_object_or_404(visible.select_related("unit", "repository", "written_by"), pk=pk)


def _done(request: HttpRequest, message: str) -> HttpResponse:
    if is_panel(request):
        return HttpResponse(status=204, headers={"HX-Trigger": CHARTS_CHANGED})
    messages.success(request, message)
    return redirect("annotations")


def _history(note: Annotation) -> list[dict[str, Any]]:
    events: Any = apps.get_model("insights", "AnnotationEvent")._default_manager
    listed = list(events.filter(pgh_obj_id=note.pk).select_related("pgh_context").order_by("-pgh_id")[:CHANGES_LISTED])
    names = names_of(list(User.objects.filter(pk__in={account_of(change) for change in listed})))
    units = dict(Unit.objects.filter(pk__in={change.unit_id for change in listed}).values_list("pk", "name"))
    repositories = Repository.objects.in_bulk({change.repository_id for change in listed if change.repository_id})

    def place(change: Any) -> str:
        if change.repository_id:
            return str(repositories.get(change.repository_id, "a repository that is gone"))
        return units.get(change.unit_id, "a unit that is gone") if change.unit_id else EVERYBODY

    return [
        {
            "what": change.pgh_label.capitalize(),
            "who": names.get(account_of(change) or 0, ""),
            "at": wording.moment(change.pgh_created_at),
            "text": f"“{change.text}”, {wording.days(Window(change.start, change.end))}, "
            f"{place(change)}, {about_words(change.about)}{', explains changes' if change.excuses else ''}",
        }
        for change in listed
    ]
