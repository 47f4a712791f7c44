"""The focus page: one focus metric with its chain, and up to five key indicators over half a year."""

from __future__ import annotations

import itertools
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse

from core.edit_conflicts import field_differences
from core.forms import posted, posted_number
from core.views import action_view, form_view, record_view
from core.write_errors import ConflictError, FieldError
from core.write_forms import NumberedForm
from insights.catalogue.registry import find
from insights.pages.metric.chain import side_by_side
from orgtree.access.who_sees import names_of
from programs.benchmarks.columns import TABLE
from programs.benchmarks.pages.listing import benchmark_line, tabs
from programs.benchmarks.pages.subject import Subject, subject_in
from programs.benchmarks.queries.benchmarks import benchmarks_for, focus_above, focus_versions, newest_focus
from programs.benchmarks.services.fields import offered_metrics
from programs.benchmarks.services.focusing import STARTER_SETS, begin_with, set_focus
from programs.benchmarks.services.listing import figures_of
from programs.models import FocusVersion
from programs.models.benchmarks import LONGEST_REASON, MOST_INDICATORS
from programs.teams.fields import exists_today
from programs.teams.pages import offer

HALF_A_YEAR = "26w"


class FocusForm(NumberedForm):
    metric = forms.ChoiceField(
        label="Focus metric", required=False, help_text="The metric to improve next, one at a time."
    )
    reason = forms.CharField(
        label="Why", max_length=LONGEST_REASON, required=False, widget=forms.Textarea(attrs={"rows": 3})
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offered = [("", "None"), *((metric.key, f"{metric.name} ({metric.key})") for metric in offered_metrics())]
        offer(self, "metric", offered)
        for position in range(MOST_INDICATORS):
            self.fields[f"indicator_{position}"] = forms.ChoiceField(
                label=f"Key indicator {position + 1}", required=False, choices=offered
            )

    @property
    def indicators(self) -> list[forms.BoundField]:
        return [self[f"indicator_{position}"] for position in range(MOST_INDICATORS)]

    def given(self) -> dict[str, Any]:
        data = self.cleaned_data
        indicators = [data[f"indicator_{position}"] for position in range(MOST_INDICATORS)]
        return {"metric": data["metric"], "indicators": indicators, "reason": data["reason"]}


@record_view
def focus(request: HttpRequest) -> HttpResponseBase:
    return _focus_page(request, subject_in(request))


@form_view
def focus_edit(request: HttpRequest) -> HttpResponseBase:
    subject = subject_in(request)
    if not subject.may_agree or (subject.unit is not None and not exists_today(subject.unit)):
        raise PermissionDenied("Only the unit's managers, executives and admins can choose its focus.")
    newest = newest_focus(subject.unit_id)
    initial = {**_values(newest), "reason": ""} if newest else {"number": 0}
    form = FocusForm(posted(request), initial=initial)
    if form.save_by(
        lambda: set_focus(subject.access, {**form.given(), "unit": subject.slug}, of_number=form.of_version),
        lambda stored: field_differences(form, _values(stored)),
    ):
        messages.success(request, f"{subject.name[:1].upper()}{subject.name[1:]} now focuses on it.")
        return redirect(subject.url("focus"))
    context = {
        "form": form,
        "subject_name": subject.name,
        "action": subject.url("focus_edit"),
        "back_url": subject.url("focus"),
        "most": MOST_INDICATORS,
    }
    return render(request, "programs/benchmarks/focus_form.html", context, status=form.status)


@action_view
def focus_begin(request: HttpRequest) -> HttpResponseBase:
    """Creates a focus version with the indicators of the starter set `set`; `number` is the version that it
    replaces.
    """
    subject = subject_in(request)
    if not subject.is_plain:
        raise PermissionDenied("A focus is for a unit or the whole organisation, not for a part of it.")
    try:
        chosen, number = request.POST.get("set", ""), posted_number(request, "number")
        begin_with(subject.access, chosen, subject.slug, of_number=number)
    except FieldError as problem:
        return _focus_page(request, subject, problem=problem.message, status=400)
    except ConflictError as conflict:
        return _focus_page(request, subject, problem=f"{conflict} Check the current version first.", status=409)
    messages.success(request, "Key indicators set. Next, set a benchmark for each.")
    return redirect(subject.url("focus"))


def _focus_page(request: HttpRequest, subject: Subject, *, problem: str = "", status: int = 200) -> HttpResponseBase:
    known = focus_versions(subject.unit_id)
    newest = known[0] if known else None
    metric = find(newest.metric) if newest else None
    indicators = [indicator for key in newest.indicators if (indicator := find(key))] if newest else []
    gone = [key for key in (newest.metric, *newest.indicators) if key and find(key) is None] if newest else []
    listed = list(dict.fromkeys([*([metric] if metric else []), *indicators]))
    holding = (
        benchmarks_for([listed_metric.key for listed_metric in listed], subject.unit_id, subject.access.visibility)
        if listed
        else {}
    )
    lines = [
        benchmark_line(subject, listed_metric, holding.get(listed_metric.key), stand, newest)
        for listed_metric, stand in zip(listed, figures_of(listed, holding, subject.scope, subject.access), strict=True)
    ]
    by_key = {line.key: line for line in lines}
    above = focus_above(subject.unit_id) if subject.unit_id is not None and metric is None else None
    half_a_year = subject.filters.with_range(HALF_A_YEAR)
    context: dict[str, Any] = {
        **subject.bar(request.path, {}),
        "tabs": tabs(subject, "focus"),
        "subject_name": subject.name,
        "focus": by_key.get(metric.key) if metric else None,
        "focus_meaning": metric.meaning if metric else "",
        "focus_metric_url": subject.filters.url(reverse("metric_page", args=[metric.key])) if metric else "",
        "chain_url": half_a_year.url(reverse("metric_page_part", args=[metric.key, "chain"]))
        if metric and subject.scope
        else "",
        "lines": [by_key[indicator.key] for indicator in indicators],
        "labels": TABLE,
        "chain": side_by_side(indicators, half_a_year) if indicators and subject.scope else None,
        "gone": gone,
        "above_name": (_name(above.metric), above.unit.name if above.unit else "The whole organisation")
        if above
        else None,
        "newest": newest,
        "versions": [
            (
                version,
                _name(version.metric) if version.metric else "None",
                ", ".join(_name(key) for key in version.indicators) or "None",
            )
            for version in known
        ],
        "names": names_of([version.written_by for version in known if version.written_by]),
        "number": newest.number if newest else 0,
        "starter_sets": list(STARTER_SETS.values()) if subject.may_agree else [],
        "edit_url": subject.url("focus_edit") if subject.may_agree else "",
        "begin_url": subject.url("focus_begin"),
        "problem": problem,
        "has_figures": subject.scope is not None,
    }
    return render(request, "programs/benchmarks/focus.html", context, status=status)


def _values(version: FocusVersion) -> dict[str, Any]:
    """The version as form values."""
    chosen = itertools.zip_longest(range(MOST_INDICATORS), version.indicators, fillvalue="")
    indicators = {f"indicator_{position}": key for position, key in chosen}
    return {"number": version.number, "metric": version.metric, "reason": version.reason, **indicators}


def _name(key: str) -> str:
    metric = find(key)
    return metric.marked_name if metric else key
