"""The benchmark form, with suggestions and their sources next to it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache

from core.edit_conflicts import field_differences
from core.forms import posted
from core.views import form_view, part_view
from core.write_errors import FieldError
from core.write_forms import NumberedForm
from insights.benchmarks.baselines import grows_with_time
from insights.catalogue.declarations import Metric
from insights.query.enums import Better
from insights.ui import wording
from insights.ui.amounts import AmountError, example, read_amount, written
from insights.ui.views import render_part
from programs.benchmarks.pages.labels import of_words
from programs.benchmarks.pages.subject import Subject, subject_in
from programs.benchmarks.queries.benchmarks import benchmarks_for, newest_version
from programs.benchmarks.services.current_values import DEFAULT_PERIOD
from programs.benchmarks.services.fields import BASELINE_WEEKS, PERIODS, offered_metric
from programs.benchmarks.services.suggestions import Question, suggestions_for
from programs.benchmarks.services.writing import set_benchmark
from programs.models import BenchmarkVersion, Direction, Period
from programs.models.benchmarks import LONGEST_REASON
from programs.teams.fields import exists_today

APART = "|"  # between a suggested threshold and target


class BenchmarkForm(NumberedForm):
    threshold = forms.CharField(label="Threshold", required=False, max_length=40)
    target = forms.CharField(label="Target", required=False, max_length=40)
    better = forms.ChoiceField(
        label="Which direction is better", choices=Direction.choices, help_text="The metric does not define it."
    )
    period = forms.ChoiceField(
        label="Period",
        choices=[(period.value, period.label) for period in PERIODS],
        help_text="The value grows with time: charts show the benchmark at this step only.",
    )
    weeks = forms.TypedChoiceField(
        label="Baseline over",
        coerce=int,
        choices=[(weeks, f"the last {weeks} weeks") for weeks in BASELINE_WEEKS],
        help_text="Computed when you save, from complete weeks, months or quarters.",
    )
    reason = forms.CharField(
        label="Why",
        max_length=LONGEST_REASON,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Stored with the version.",
    )
    is_to_hold = forms.BooleanField(label="It is already reached and should be held", required=False)
    asks_to_hold = False  # whether to ask if a target that is already reached is to be held

    def __init__(self, *args: Any, metric: Metric, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.metric = metric
        for name, question in (("threshold", "realistic, soon"), ("target", "in the long run")):
            self.fields[name].help_text = f"{question.capitalize()}. Write {example(metric.unit)}."
        if metric.better is not Better.NEITHER:
            del self.fields["better"]
        if not grows_with_time(metric):
            del self.fields["period"]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        for name in ("threshold", "target"):
            try:
                data[name] = read_amount(data[name], self.metric.unit) if data.get(name) else None
            except AmountError as problem:
                self.add_error(name, str(problem))
        return data

    def show(self, problem: FieldError) -> None:
        self.asks_to_hold = problem.field == "is_to_hold"
        super().show(FieldError("", problem.message) if self.asks_to_hold else problem)


@form_view
def benchmark_edit(request: HttpRequest, key: str) -> HttpResponseBase:
    """Shows and saves the form; a POST with `take` fills in a suggestion without saving it."""
    subject, metric = _params(request, key)
    if "take" in request.POST:
        return _form_page(request, subject, BenchmarkForm(_with_suggestion(request), metric=metric), is_taken=True)
    form = BenchmarkForm(posted(request), metric=metric, initial=_initial(metric, subject))
    if form.save_by(
        lambda: set_benchmark(
            subject.access, {**form.given(), "metric": key, "unit": subject.slug}, of_number=form.of_version
        ),
        lambda stored: field_differences(form, _values(metric, stored)),
    ):
        messages.success(request, f"Benchmark set for {subject.name}.")
        return redirect(subject.url("benchmark", key))
    return _form_page(request, subject, form)


@never_cache
@part_view
def benchmark_suggestions(request: HttpRequest, key: str) -> HttpResponseBase:
    """The suggestions next to the form, or as a page of their own; `period` and `better` are the form's values."""
    subject, metric = _params(request, key)
    question = Question(
        metric,
        subject.unit,
        _direction(metric, request.GET.get("better", "")),
        _period(metric, request.GET.get("period", "")),
    )
    [suggestions] = suggestions_for([question], subject.access, today=subject.filters.today)
    here = suggestions.here
    context = {
        "here": str(wording.reading(here.value, metric.unit)) if here.value is not None else "",
        "here_reason": here.reason,
        "here_of": wording.days(here.window),
        "suggestions": [
            (suggestion, written(suggestion.threshold, metric.unit), written(suggestion.target, metric.unit))
            for suggestion in suggestions.found
        ],
        "apart": APART,
        "missing": suggestions.missing,
        "part": "programs/benchmarks/_suggestions.html",
        "can_fill_in": bool(request.headers.get("HX-Request")),  # on its own page there is no form to fill in
        "title": f"Benchmark suggestions for {metric.name}",
        "whose": subject.name,
    }
    return render_part(request, context)


def _params(request: HttpRequest, key: str) -> tuple[Subject, Metric]:
    """The unit and the metric to write for.  Raises Http404 for an unknown metric, PermissionDenied if the viewer does
    not lead the unit.
    """
    metric = offered_metric(key)
    if metric is None:
        raise Http404("No such metric, or it has no single figure.")
    subject = subject_in(request)
    if not subject.may_agree:
        raise PermissionDenied("Only managers of a unit, executives and admins can set benchmarks.")
    if subject.unit is not None and not exists_today(subject.unit):
        raise PermissionDenied(f"{subject.name} is no longer in any Org Tree, so no benchmark can be set for it.")
    return subject, metric


def _initial(metric: Metric, subject: Subject) -> dict[str, Any]:
    """Initial values from the effective benchmark, own or inherited."""
    newest = newest_version(metric.key, subject.unit_id)
    holding = benchmarks_for([metric.key], subject.unit_id, subject.access.visibility).get(metric.key)
    values = {**_values(metric, holding.version), "reason": ""} if holding else {"period": DEFAULT_PERIOD.value}
    return {**values, "number": newest.number if newest else 0}


def _values(metric: Metric, version: BenchmarkVersion) -> dict[str, Any]:
    """The version as form values."""
    return {
        "threshold": written(version.threshold, metric.unit),
        "target": written(version.target, metric.unit),
        "better": version.better,
        "period": version.period or DEFAULT_PERIOD.value,
        "is_to_hold": version.is_to_hold,
        "reason": version.reason,
    }


def _with_suggestion(request: HttpRequest) -> Any:
    """The submitted data with the suggested values filled in."""
    data = request.POST.copy()
    threshold, _, target = request.POST["take"].partition(APART)
    for name, value in (("threshold", threshold), ("target", target)):
        if value:
            data[name] = value[:40]
    return data


def _direction(metric: Metric, text: str) -> Direction:
    if metric.better is not Better.NEITHER:
        return Direction(metric.better.value)
    return Direction(text) if text in Direction.values else Direction.HIGHER


def _period(metric: Metric, text: str) -> Period:
    if not grows_with_time(metric):
        return Period.NONE
    return Period(text) if text in PERIODS else DEFAULT_PERIOD


def _form_page(
    request: HttpRequest, subject: Subject, form: BenchmarkForm, *, is_taken: bool = False
) -> HttpResponseBase:
    metric = form.metric
    context = {
        "form": form,
        "metric": metric,
        "subject_name": subject.name,
        "of": of_words(metric, ""),
        "action": subject.url("benchmark_edit", metric.key),
        "back_url": subject.url("benchmark", metric.key),
        "suggestions_url": subject.url("benchmark_suggestions", metric.key),
        "is_taken": is_taken,
        "asks_to_hold": form.asks_to_hold or bool(form["is_to_hold"].value()),
    }
    return render(request, "programs/benchmarks/form.html", context, status=200 if is_taken else form.status)
