"""Experiments that a viewer may see, their filters and columns, and the results that may be shown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date

import django_filters
from django.db.models import Q, QuerySet
from django.shortcuts import get_object_or_404

from core.columns import columns_of
from core.csv_export import Cell
from core.list_filters import NumberFilter, ViewerFilters, YesFilter
from insights.benchmarks.baselines import baseline_query, grows_with_time
from insights.catalogue.registry import find
from insights.privacy.withhold import is_of_few, minimum_of
from insights.query.query import Granularity, Query, Scope
from insights.query.windows import local_today
from orgtree.access.access import Access
from orgtree.models import Unit
from programs.models import Experiment, ExperimentResult, ExperimentState, ExperimentVerdict, PilotFigure
from programs.requests.visible import UnitFilter

RELATED = ("unit", "owner", "finding", "ticket", "objective", "widens", "result")
FILE = columns_of(
    Experiment,
    *("id", "title", "unit", "metric", "starts_on", "ends_on", "state", "treated", "compared"),
    *("verdict", "effect", "low", "high", "is_pilot", "learned"),
    labels={
        "id": "Number",
        "unit": "Unit",
        "state": "State",
        "verdict": "Verdict",
        "effect": "Difference",
        "low": "95 % interval from",
        "high": "95 % interval to",
    },
)

FIGURES = columns_of(
    PilotFigure,
    *("unit", "metric", "is_at_end", "first_day", "end_day", "value", "low", "high", "sample_size", "reason"),
    labels={"low": "95 % interval from", "high": "95 % interval to"},
)


class ExperimentFilters(ViewerFilters):
    """The experiments that the viewer may see and that match the filters, latest first."""

    unit = UnitFilter(help_text="Slug: its experiments, and those of units below it.")
    state = django_filters.ChoiceFilter(
        label="State", method="of_state", empty_label="All", choices=ExperimentState.choices
    )
    verdict = django_filters.ChoiceFilter(
        label="Verdict", method="of_verdict", empty_label="Any verdict", choices=ExperimentVerdict.choices
    )
    metric = django_filters.CharFilter(help_text="The success metric.")
    pilot = YesFilter(label="Pilots", method="of_pilots", help_text="yes: pilots alone.")
    finding = NumberFilter(field_name="finding", help_text="Number of the finding that suggested them.")
    q = django_filters.CharFilter(method="with_text", help_text="Text in hypothesis, change or what was learned.")

    def visible(self, access: Access) -> QuerySet[Experiment]:
        return Experiment.objects.within(access.visibility).select_related(*RELATED)

    def of_state(self, experiments: QuerySet[Experiment], _name: str, state: str) -> QuerySet[Experiment]:
        return experiments & Experiment.objects.in_state(state, self.today)

    def of_pilots(self, experiments: QuerySet[Experiment], _name: str, _yes: str) -> QuerySet[Experiment]:
        return experiments.filter(is_pilot=True)

    def of_verdict(self, experiments: QuerySet[Experiment], _name: str, verdict: str) -> QuerySet[Experiment]:
        """Filters by verdict; one that the viewer may not see matches nothing."""
        return experiments.filter(pk__in=judged(self.access).filter(result__verdict=verdict).values("pk"))

    def with_text(self, experiments: QuerySet[Experiment], _name: str, text: str) -> QuerySet[Experiment]:
        return experiments.filter(
            Q(title__icontains=text)
            | Q(change__icontains=text)
            | Q(learned__icontains=text)
            | Q(metric__icontains=text)
        )


def judged(access: Access) -> QuerySet[Experiment]:
    """Finished experiments whose figures the viewer may see."""
    minimum = minimum_of(access)
    enough = minimum.people + minimum.unconfirmed.bit_count()  # unconfirmed people may belong to any unit
    return Experiment.objects.judged_before(access.visibility, None if access.shows_small_groups else enough)


def visible_experiment(pk: int, access: Access) -> Experiment:
    """An experiment.  Raises Http404 if it is unknown or hidden."""
    return get_object_or_404(Experiment.objects.within(access.visibility).select_related(*RELATED), pk=pk)


def visible_results(experiments: Iterable[Experiment], access: Access) -> dict[int, ExperimentResult]:
    """The results that the viewer may see, by experiment."""
    keys = [experiment.pk for experiment in experiments]
    shown = judged(access).filter(pk__in=keys).select_related("result")
    return {experiment.pk: experiment.result for experiment in shown}


def visible_stages(experiment: Experiment, access: Access) -> QuerySet[Experiment]:
    """The stages that widen the experiment and that the viewer may see."""
    return Experiment.objects.within(access.visibility).filter(widens=experiment).order_by("pk")


def figure_rows(pilot: Experiment, access: Access) -> Iterator[Sequence[Cell]]:
    """The figures of a pilot's units as rows of a CSV file, header first."""
    yield [column.label for column in FIGURES]
    for figure in visible_figures([pilot], access)[pilot.pk]:
        yield FIGURES.row(figure, {})


def bucket_of(key: str) -> Granularity | None:
    """Whole weeks for a metric that grows with time, whose figure is their mean."""
    metric = find(key)
    return Granularity.WEEK if metric is not None and grows_with_time(metric) else None


def figure_query(figure: PilotFigure) -> Query:
    """The query that yields the figure."""
    return baseline_query(figure.metric, Scope(figure.unit), figure.window, bucket_of(figure.metric))


def visible_figures(pilots: Sequence[Experiment], access: Access) -> Mapping[int, Sequence[PilotFigure]]:
    """The figures of each pilot, for units that the viewer may see and that have enough people."""
    found: dict[int, list[PilotFigure]] = {pilot.pk: [] for pilot in pilots}
    slugs = {slug for pilot in pilots if pilot.is_pilot for slug in pilot.treated}
    if not slugs:
        return found
    seen = {*Unit.objects.within(access.visibility).filter(slug__in=slugs).values_list("slug", flat=True)}
    for figure in PilotFigure.objects.filter(experiment__in=[*found], unit__in=seen):
        if find(figure.metric) is not None and not is_of_few(figure_query(figure), figure.people, access):
            found[figure.experiment_id].append(figure)
    return found


def names_of_units(slugs: Sequence[str], access: Access) -> list[str]:
    """The names of the units that the viewer may see, and the number of others."""
    names = dict(Unit.objects.within(access.visibility).filter(slug__in=slugs).values_list("slug", "name"))
    listed = [names[slug] for slug in slugs if slug in names]
    others = len(slugs) - len(listed)
    return [*listed, *([f"{others} {'more' if listed else 'units'}"] if others else [])]


def experiment_rows(experiments: QuerySet[Experiment], access: Access) -> Iterator[Sequence[Cell]]:
    """The rows of the CSV file, header first."""
    listed, today = [*experiments], local_today()
    results = visible_results(listed, access)
    yield [column.label for column in FILE]
    for experiment in listed:
        yield FILE.row(experiment, _special(results.get(experiment.pk), access, today))


def _special(
    result: ExperimentResult | None, access: Access, today: date
) -> Mapping[str, Callable[[Experiment], Cell]]:
    """The cells that are not fields of the experiment."""
    return {
        "unit": lambda one: one.unit.slug if one.unit else "",
        "state": lambda one: one.state(today).label,
        "treated": lambda one: ", ".join(names_of_units(one.treated, access)),
        "compared": lambda one: ", ".join(names_of_units(one.compared, access)),
        "verdict": lambda _: result.get_verdict_display() if result else "",
        "effect": lambda _: result.effect if result else None,
        "low": lambda _: result.low if result else None,
        "high": lambda _: result.high if result else None,
    }
