"""The values of a hand-kept metric: enter one, list all including replaced ones, remove one, download."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone

from core.csv_export import Cell, csv_response
from core.forms import posted
from core.page_links import PAGE_SIZE, links_of_page, page_links, read_page, url_with
from core.views import action_view, form_view, page_view
from core.write_errors import FieldError
from core.write_forms import WriteForm
from insights.catalogue.declarations import Metric
from insights.hand_kept.csv_import import COLUMNS
from insights.hand_kept.history import ENTERED, REMOVED, REPLACED, ValueChange, history_of
from insights.privacy.scope_access import access_in
from insights.query.query import Scope
from insights.ui import wording
from insights.ui.amounts import AmountError, amount_text, example, read_amount
from insights.ui.offers import Action
from insights.ui.scope_bar import EVERYBODY, unit_name
from integrations.hand_kept.definitions import keepers_of, may_define
from integrations.hand_kept.values import (
    VIA_PAGE,
    Outcome,
    checked_entry,
    enter_values,
    enterable_unit,
    keeps,
    may_enter,
    remove_values,
    visible_entries,
)
from integrations.models import HandKeptMetric, HandKeptValue
from integrations.models.hand_kept import KEY_PREFIX, LONGEST_TEXT
from orgtree.access.access import Access
from orgtree.access.who_sees import names_of
from orgtree.models import OrgTree
from orgtree.trees.units_as_of import units_as_of

WHOLE = ":organisation"  # instead of a unit's slug, which contains no colon
FIELDS = {"unit": "unit", "date": "day", "value": "value", "note": "note"}
ACTS = {ENTERED: "Entered", REPLACED: "Replaced with", REMOVED: "Removed"}
DONE = {
    Outcome.CREATED: "{} is entered.",
    Outcome.UPDATED: "{} replaces the value of that day. The history keeps both.",
    Outcome.UNCHANGED: "{} was already entered. Nothing changed.",
}


class ValueForm(WriteForm):
    unit = forms.ChoiceField(label="Unit")
    day = forms.DateField(label="Day", widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
    value = forms.CharField(label="Value", max_length=40, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    note = forms.CharField(label="Note", max_length=LONGEST_TEXT, required=False)

    def __init__(self, *args: Any, metric: HandKeptMetric, units: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.unit_of_measure = metric.unit_of_measure
        cast(forms.ChoiceField, self.fields["unit"]).choices = list(units)
        self.fields["value"].help_text = f"Write {example(self.unit_of_measure)}."

    def clean_value(self) -> float:
        try:
            return read_amount(self.cleaned_data["value"], self.unit_of_measure)
        except AmountError as problem:
            raise forms.ValidationError(str(problem)) from None

    def show(self, problem: FieldError) -> None:
        super().show(FieldError(FIELDS[problem.field], problem.message))


@form_view
def hand_kept_values(request: HttpRequest, slug: str) -> HttpResponseBase:
    """The values with the form to enter one; `unit` in the address selects the form's unit."""
    access, metric = access_in(request), metric_named(slug)
    units = _units_offered(access, metric)
    initial = {"unit": request.GET.get("unit", ""), "day": timezone.localdate()}
    form = ValueForm(posted(request), metric=metric, units=units, initial=initial)
    if request.method == "POST":
        if not units:
            raise PermissionDenied("Only managers of a unit and the keepers of the metric can enter values.")
        if outcome := form.save_by(lambda: _entered(access, metric, form.cleaned_data)):
            words = amount_text(form.cleaned_data["value"], metric.unit_of_measure)
            messages.success(request, DONE[outcome].format(words))
            return redirect(url_with(request.path, {"unit": form.cleaned_data["unit"]}))
    values = HandKeptValue.objects.filter(visible_entries(access, metric)).select_related("unit", "entered_by")
    page = Paginator(values.order_by("-day", "unit__name", "-pk"), PAGE_SIZE).get_page(read_page(request))
    context = {
        "metric": metric,
        "keepers": ", ".join(keepers_of(metric)),
        "form": form if units else None,
        "lines": _lines(access, metric, list(page)),
        "may_define": may_define(access),
        "metric_url": reverse("metric_page", args=[metric.key]),
        **page_links(page, lambda at: f"?page={at}"),
    }
    return render(request, "insights/hand_kept/values.html", context, status=form.status)


@page_view
def hand_kept_history(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Every entry with its author, including those that were replaced or removed."""
    access, metric, page = access_in(request), metric_named(slug), read_page(request)
    changes, total = history_of(access, metric, slice((page - 1) * PAGE_SIZE, page * PAGE_SIZE))
    context = {
        "metric": metric,
        "changes": [_change_line(metric, change) for change in changes],
        **links_of_page(page, changes, total, lambda at: f"?page={at}", size=PAGE_SIZE),
    }
    return render(request, "insights/hand_kept/history.html", context)


@action_view
def hand_kept_remove(request: HttpRequest, slug: str, pk: int) -> HttpResponseBase:
    access, metric = access_in(request), metric_named(slug)
    visible = HandKeptValue.objects.filter(visible_entries(access, metric)).select_related("metric")
    value = get_object_or_404(visible, pk=pk)
    if not may_enter(access, metric, value.unit_id):
        raise PermissionDenied("Only people who may enter the value can remove it.")
    remove_values([value], by=cast(User, request.user))
    messages.success(request, "Value removed. The history keeps it.")
    return redirect("hand_kept_values", slug)


@page_view
def hand_kept_csv(request: HttpRequest, slug: str) -> HttpResponseBase:
    """The values that the viewer may see, in the columns that the import reads, with author and time."""
    access, metric = access_in(request), metric_named(slug)
    return csv_response(f"headway-{metric.slug}", _csv_rows(access, metric))


def metric_named(slug: str) -> HandKeptMetric:
    """The hand-kept metric with this slug.  Raises Http404."""
    return get_object_or_404(HandKeptMetric.objects.prefetch_related("keepers"), slug=slug)


def _units_offered(access: Access, metric: HandKeptMetric) -> list[tuple[str, str]]:
    """Units in a tree today, parents before children."""
    current = units_as_of(OrgTree.objects.filter(archived_at=None).order_by("pk"), on=timezone.localdate())
    is_keeper = keeps(access, metric)
    units = [(unit.slug, unit.indented_name) for unit in current if is_keeper or access.visibility.leads(unit.id)]
    return [(WHOLE, EVERYBODY), *units] if may_enter(access, metric, None) else units


def _entered(access: Access, metric: HandKeptMetric, data: Mapping[str, Any]) -> Outcome:
    """Store the form's value and return the outcome.  Raises FieldError."""
    unit = enterable_unit(access, metric, "" if data["unit"] == WHOLE else data["unit"])
    [outcome] = enter_values(
        access, [checked_entry(metric, unit, data["day"], data["value"], data["note"])], via=VIA_PAGE
    )
    return outcome


def _lines(access: Access, metric: HandKeptMetric, values: Sequence[HandKeptValue]) -> list[dict[str, Any]]:
    names = names_of([value.entered_by for value in values if value.entered_by])
    is_keeper = keeps(access, metric)
    enters = {unit: is_keeper or access.visibility.leads(unit) for unit in {value.unit_id for value in values}}
    return [
        {
            "day": wording.day(value.day),
            "unit": unit_name(value.unit),
            "value": amount_text(float(value.value), metric.unit_of_measure),
            "note": value.note,
            "entered": _who(names.get(value.entered_by_id or 0, ""), value.entered_via)
            + f", {wording.moment(value.entered_at)}",
            "remove_url": reverse("hand_kept_remove", args=[metric.slug, value.pk]) if enters[value.unit_id] else "",
        }
        for value in values
    ]


def _change_line(metric: HandKeptMetric, change: ValueChange) -> dict[str, Any]:
    unit = unit_name(change.unit)
    value = amount_text(float(change.value), metric.unit_of_measure)
    return {
        "words": f"{ACTS[change.what]} {value} · {unit} · {wording.day(change.day)}",
        "who": _who(change.by, change.via),
        "at": wording.moment(change.at),
        "note": change.note,
    }


def _who(name: str, via: str) -> str:
    return f"{name} ({via})" if name and via != VIA_PAGE else name or via


def _csv_rows(access: Access, metric: HandKeptMetric) -> Iterator[Sequence[Cell]]:
    yield (*COLUMNS, "entered_by", "entered_via", "entered_at")
    values = HandKeptValue.objects.filter(visible_entries(access, metric)).select_related("unit", "entered_by")
    listed = list(values.order_by("day", "unit__slug"))
    names = names_of({value.entered_by for value in listed if value.entered_by})
    for value in listed:
        yield (
            *(metric.key, value.unit.slug if value.unit else "", value.day, value.value, value.note),
            *(names.get(value.entered_by_id or 0, ""), value.entered_via, value.entered_at),
        )


def values_of(metric: Metric, scope: Scope, _access: Access) -> Action | None:
    """The page on which values are entered and listed; None for metrics measured by tools."""
    if not metric.is_hand_kept:
        return None
    values = reverse("hand_kept_values", args=[metric.key.removeprefix(KEY_PREFIX)])
    return Action("Values", url_with(values, {"unit": scope.unit}), "writing")
