"""The page of one experiment: guard rails and verdict, the weeks before and after the start, and its design."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse

from core.csv_export import csv_response
from core.page_links import url_with
from core.views import action_view, page_view, record_view
from core.write_errors import FieldError
from insights.catalogue.registry import find
from insights.formulas.difference_in_differences import POWER
from insights.models import Finding
from insights.privacy.scope_access import access_in
from insights.query.windows import local_today
from insights.ui import wording
from insights.ui.charts import ChartData, ChartView, Dataset
from insights.ui.tiles import ChartCard
from orgtree.access.access import Access
from orgtree.models import Unit
from programs.experiments.pages.labels import (
    aspects_in_words,
    experiment_lines,
    guard_rails,
    metric_label,
    team_lines,
)
from programs.experiments.queries import (
    figure_rows,
    visible_experiment,
    visible_figures,
    visible_results,
    visible_stages,
)
from programs.experiments.services.choosing import teams_by_distance
from programs.experiments.services.measuring import detectable_differences
from programs.experiments.services.pilots import widen
from programs.experiments.services.writing import remove_experiment
from programs.models import Experiment, ExperimentState, Objective, Ticket


@record_view
def experiment(request: HttpRequest, pk: int) -> HttpResponse:
    access, today = access_in(request), local_today()
    record = visible_experiment(pk, access)
    [line] = experiment_lines([record], access, today)
    result = visible_results([record], access).get(record.pk)
    is_planned = record.state(today) is ExperimentState.PLANNED
    context = {
        "experiment": record,
        "line": line,
        "result": result,
        "guard_rails": guard_rails(result) if result else [],
        "guard_rail_names": [metric_label(key) for key in record.guard_rails],
        "chart": _card(record) if result and result.effect is not None else None,
        "metric_url": url_with(
            reverse("metric_page", args=[record.metric]), {"unit": record.unit.slug if record.unit else ""}
        )
        if find(record.metric)
        else "",
        "detectable": _detectable(record, access) if is_planned else [],
        "power": f"{POWER:.0%}",
        "is_planned": is_planned,
        "may_change": access.visibility.leads(record.unit_id),
        "written_late": record.written_at.date() > record.starts_on,
        "sees_finding": _sees(Finding, record.finding_id, access),
        "sees_ticket": _sees(Ticket, record.ticket_id, access),
        "sees_objective": _sees(Objective, record.objective_id, access),
        **(_of_pilot(record, access, today) if record.is_pilot else {}),
    }
    return render(request, "programs/experiments/experiment.html", context)


def _of_pilot(record: Experiment, access: Access, today: date) -> dict[str, Any]:
    """The pilot's teams and why they were chosen, their figures before the start and at the end, and its other
    stages.
    """
    metric = find(record.metric)
    on = min(record.starts_on, today)
    units = {unit.slug: unit.name for unit in Unit.objects.within(access.visibility)}
    is_over = record.state(today) is ExperimentState.OVER
    return {
        "teams": team_lines(teams_by_distance(metric, access, on=on), metric, record.treated) if metric else [],
        "aspects": aspects_in_words(
            visible_figures([record], access)[record.pk],
            {slug: units[slug] for slug in record.treated if slug in units},
        ),
        "figures_csv": reverse("experiment_figures_csv", args=[record.pk]),
        "is_over": is_over,
        "stages": visible_stages(record, access),
        "to_widen": [(slug, units[slug]) for slug in record.compared if slug in units] if is_over else [],
    }


def _sees(model: Any, pk: int | None, access: Access) -> bool:
    """Whether the viewer may see the record that the experiment started from."""
    return pk is not None and model.objects.within(access.visibility).filter(pk=pk).exists()


def _card(record: Experiment) -> ChartCard:
    return ChartCard(
        key="event-study",
        title=f"{metric_label(record.metric)}: difference by week",
        info="Treated less compared units in each week from the start, against the twelve weeks before; with the 95 % "
        "interval. Before the start it should lie around 0.",
        kind="line",
        data_url=reverse("experiment_chart", args=[record.pk]),
        csv_url=reverse("experiment_chart_csv", args=[record.pk]),
        span=12,
    )


class EventStudyChart(ChartView):
    def chart_data(self, request: HttpRequest) -> ChartData:
        return drawn(request, self.kwargs["pk"])


@page_view
def experiment_chart(request: HttpRequest, pk: int) -> HttpResponseBase:
    response: HttpResponseBase = EventStudyChart.as_view()(request, pk=pk)
    return response


@page_view
def experiment_chart_csv(request: HttpRequest, pk: int) -> HttpResponseBase:
    return csv_response(f"headway-experiment-{pk}", drawn(request, pk).rows())


def drawn(request: HttpRequest, pk: int) -> ChartData:
    """The event-study chart.  Raises Http404 without a result that the viewer may see."""
    access = access_in(request)
    record = visible_experiment(pk, access)
    result, metric = visible_results([record], access).get(record.pk), find(record.metric)
    if result is None or metric is None:
        raise Http404("No such result.")
    weeks = result.by_week
    difference = Dataset(
        "Difference",
        "difference",
        "single",
        [one.get("value") for one in weeks],
        low=[one.get("low") for one in weeks],
        high=[one.get("high") for one in weeks],
    )
    return ChartData(
        kind="line",
        unit=metric.unit.value,
        labels=[f"{one['week']:+d}".replace("-", "−") if one["week"] else "0" for one in weeks],
        datasets=[difference],
        label_name="Week from the start",
    )


def _detectable(record: Experiment, access: Access) -> list[dict[str, Any]]:
    """The weeks after the start, each with the smallest difference detectable by then."""
    metric = find(record.metric)
    if metric is None:
        return []
    return [
        {
            "weeks": wording.count(weeks, "week"),
            "size": wording.difference(size, metric.unit) if size is not None else "",
            "is_chosen": weeks == record.weeks,
        }
        for weeks, size in detectable_differences(record, access).items()
    ]


@page_view
def experiment_figures_csv(request: HttpRequest, pk: int) -> HttpResponseBase:
    access = access_in(request)
    return csv_response(f"headway-pilot-{pk}", figure_rows(visible_experiment(pk, access), access))


@action_view
def experiment_widen(request: HttpRequest, pk: int) -> HttpResponse:
    access = access_in(request)
    record = visible_experiment(pk, access)
    try:
        stage = widen(access, record, {"units": request.POST.getlist("units")})
    except FieldError as problem:
        messages.error(request, problem.message)
        return redirect("experiment", pk=pk)
    messages.success(request, "Next stage planned, with a ticket for it.")
    return redirect("experiment", pk=stage.pk)


@action_view
def experiment_remove(request: HttpRequest, pk: int) -> HttpResponse:
    access = access_in(request)
    record = visible_experiment(pk, access)
    try:
        remove_experiment(access, record)
    except FieldError as problem:
        messages.error(request, problem.message)
        return redirect("experiment", pk=pk)
    messages.success(request, "Experiment removed.")
    return redirect("experiments")
