"""“How is this computed?”: a metric's definition with the window's numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.text import capfirst

from core.views import part_view
from insights.catalogue.declarations import Metric
from insights.pages.attribution import labels
from insights.query.query import Answer, MetricValue
from insights.ui import tiles, wording
from insights.ui.agreements import agreements_on
from insights.ui.filters import DIMENSION_LABELS, Filters
from insights.ui.labels import label_of
from insights.ui.metric_panel import PanelParams, base_template, figures, read_panel_params
from insights.ui.offers import actions_on
from insights.ui.scope_bar import scope_navigation, scope_words
from insights.ui.shortfalls import queries_behind, shortfalls
from integrations.hand_kept.definitions import keepers_of, metric_by_key
from integrations.telemetry.otlp.reception import last_request_at

REFUSALS, SURCHARGE = "ai.tool_refusals", "ai.cache_hour_surcharge"
# Metric → related metrics: those it leaves out, and those it may lack.
BESIDE = {"ai.error_rate": [REFUSALS], "ai.spend": [SURCHARGE]}


@part_view
def metric_how(request: HttpRequest, key: str) -> HttpResponseBase:
    params = read_panel_params(request, key)
    metric, filters = params.metric, params.filters
    behind = [query.key for query in queries_behind([metric], params.query)]
    others = [*behind, *BESIDE.get(key, ())]  # separate queries would cost two statements each
    answer, figure, before, values = figures(params, *others)
    beside = dict(zip(others, values, strict=True))
    context = {
        "base_template": base_template(request),
        "metric": metric,
        "printed": wording.reading(figure.value, metric.unit) if figure.value is not None else None,
        "figure": figure,
        "change": tiles.change(metric, figure, before, tiles.earlier(filters.window, filters.previous), answer.series),
        "formula": _formula(metric, figure, filters),
        "sample": [
            ("Scope", scope_words(filters, scope_navigation(request, filters, is_part=True))),
            *_sample(metric, figure, params, surcharge=beside.get(SURCHARGE)),
        ],
        "agreed": agreements_on([key], filters.scope, filters.access).get(key),
        "freshness": _freshness(answer),
        "left_out": _left_out(params, answer, beside),
        "first_rows_url": filters.url(reverse("metric_first_rows", args=[key])),
        "rows_url": filters.url(reverse("metric_rows", args=[key])),
        "actions": actions_on(metric, filters.scope, filters.access),
        "metric_url": filters.url(reverse("metric_page", args=[key])),
    }
    return render(request, "insights/metric_how.html", context)


def _formula(metric: Metric, figure: MetricValue, filters: Filters) -> dict[str, Any]:
    words, _, explanation = metric.formula.partition("; ")
    explanation = f"{capfirst(explanation.rstrip('.'))}." if explanation else ""
    above, below, value = figure.numerator, figure.denominator, figure.value
    if value is None or above is None or not below:
        return {"words": words, "explanation": explanation}
    numerator, denominator = wording.exact(above, metric.unit), wording.exact(below)
    if metric.per_period:
        people = f"{figure.people:,} × {wording.exact(below / (figure.people or 1))} {filters.granularity.value}s"
        numerator, denominator = wording.exact(above), people if figure.people else ""
    return {
        "words": words,
        "explanation": explanation,
        "numerator": numerator,
        "denominator": denominator,
        "factor": "× 100" if metric.unit == "percent" else "",
        "result": str(wording.reading(value, metric.unit)),
    }


def _sample(
    metric: Metric, figure: MetricValue, params: PanelParams, *, surcharge: float | None
) -> list[tuple[str, str]]:
    filters = params.filters
    facts = wording.count(figure.sample_size, metric.fact)
    pairs = [
        ("Period", f"{wording.days(filters.window)} ({wording.span(filters.window)})"),
        ("Sample", f"{facts}, {wording.count(figure.people, 'person', 'people')}" if figure.people else facts),
        ("Unit", wording.UNITS[metric.unit]),
    ]
    if metric.statistic is not None:
        pairs.append(("Statistic", (params.query.statistic or metric.statistic).value))
    for dimension, values in params.query.facets.items():
        pairs.append((DIMENSION_LABELS[dimension], ", ".join(label_of(value, dimension) for value in values)))
    if printed_range := tiles.evidence_range(metric, figure):
        pairs.append(("Range", f"{printed_range}: from line-level evidence alone to all of it, an upper bound"))
    if surcharge and figure.value is not None:
        between = wording.between(figure.value, figure.value + surcharge, metric.unit)
        pairs.append(
            ("Range", f"{between}: if cache writes of unknown lifetime are kept for five minutes, or for an hour")
        )
    if figure.mix:
        pairs.append(("Evidence", labels.mix_in_words(figure.mix).removeprefix("Evidence: ")))
    if metric.is_hand_kept:
        pairs += kept_by(metric)
    if figure.sample_size < metric.minimum_sample:
        pairs.append(("Small sample", f"a stable figure needs {metric.minimum_sample}"))
    return pairs


def kept_by(metric: Metric) -> list[tuple[str, str]]:
    """The people who enter the values of a hand-kept metric."""
    definition = metric_by_key(metric.key)
    keepers = wording.listed(list(keepers_of(definition))) if definition else ""
    managers = "managers for their units, executives and admins"
    return [("Entered by hand", "No tool measures it."), ("Kept by", f"{keepers}; {managers}".removeprefix("; "))]


def _freshness(answer: Answer) -> list[tuple[str, str]]:
    last = last_request_at()
    as_of = timezone.localtime(answer.computed_at)
    return [
        ("As of", f"{wording.day(as_of.date())}, {as_of:%H:%M:%S %Z}"),
        ("Agent telemetry", f"last request {wording.ago(last, timezone.now())}" if last else "nothing yet"),
    ]


def _left_out(params: PanelParams, answer: Answer, known: Mapping[str, float | None]) -> Sequence[dict[str, Any]]:
    found = shortfalls([params.metric], params.query, params.filters.access, known=known)
    left = [{"amount": shortfall.amount or "–", "what": shortfall.what, "link": shortfall.link} for shortfall in found]
    figure = tiles.whole(answer)
    if refused := known.get(REFUSALS):
        what = "calls refused by the developer, which are not failures"
        left.append({"amount": wording.compact(refused), "what": what})
    if figure.left_out:
        left.append(
            {"amount": f"{figure.left_out:,}", "what": f"{wording.plural_of(params.metric.fact)} without a value"}
        )
    if answer.unmatched:
        what = f"of {wording.plural_of(params.metric.fact)} match no person; they count only at organisation level"
        left.append({"amount": wording.percent_of(answer.unmatched, 1), "what": what})
    return left
