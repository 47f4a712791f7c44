"""Measures finished experiments: difference in differences of the success metric and the guard rails."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date, timedelta
from typing import TYPE_CHECKING

from insights.catalogue.registry import find, get
from insights.engine.read import read_series
from insights.formulas.difference_in_differences import (
    FEWEST_COMPARED,
    FEWEST_TREATED,
    WEEKS_BEFORE,
    Effect,
    Panel,
    detectable,
    effect_of,
    event_study,
    trend_before,
)
from insights.privacy.visible import visible_together
from insights.query import windows
from insights.query.enums import BelongsTo, Better
from insights.query.errors import QueryError
from insights.query.query import Answer, Granularity, Query, Scope, Window
from orgtree.access.access import Access
from orgtree.models import Unit
from programs.models import Experiment, ExperimentResult, ExperimentVerdict

if TYPE_CHECKING:
    from insights.formulas.arrays import Floats

AT_ONCE = 20
YEAR = 52  # weeks of the past from which a detectable difference is computed
OFFERED_WEEKS = (4, 6, 8, 12, 16, 26)
TOO_LITTLE = (
    f"Too little data: it takes {FEWEST_TREATED} units that changed and {FEWEST_COMPARED} that did not, with enough "
    "weeks on either side."
)
MOVED_BEFORE = "The two groups moved apart already before the start."


def measure_experiments(*, today: date | None = None) -> int:
    """Measures every experiment that is over and has no result; returns their number."""
    day = today or windows.local_today()
    waiting = Experiment.objects.filter(ends_on__lte=day, result=None).order_by("pk")[:AT_ONCE]
    measured = [result for experiment in waiting if (result := _measured(experiment))]
    ExperimentResult.objects.bulk_create(measured, ignore_conflicts=True)
    return len(measured)


def _measured(experiment: Experiment) -> ExperimentResult | None:
    """The result; None if a metric or a unit was removed."""
    metric = find(experiment.metric)
    keys = [experiment.metric, *experiment.guard_rails]
    if metric is None or not all(map(find, keys)) or not _are_units(experiment):
        return None
    try:
        answers = _answers(experiment, keys)
    except QueryError:
        return None
    panels = {key: _panel(experiment, answers[key]) for key in keys}
    effect, before = effect_of(panels[metric.key]), trend_before(panels[metric.key])
    verdict, reason = verdict_of(metric.better, effect, before)
    return ExperimentResult(
        experiment=experiment,
        verdict=verdict,
        reason=reason,
        **({} if effect is None else {"effect": effect.value, "low": effect.low, "high": effect.high}),
        **({} if before is None else {"trend_low": before.low, "trend_high": before.high}),
        by_week=[{"week": week, **(asdict(one) if one else {})} for week, one in event_study(panels[metric.key])],
        guard_rails=[_guard_rail(key, panels[key]) for key in experiment.guard_rails],
        people=_fewest_people(answers),
        metric_version=metric.version,
    )


def verdict_of(better: str, effect: Effect | None, before: Effect | None) -> tuple[ExperimentVerdict, str]:
    """The verdict, and, unless the interval alone decides, the reason why no difference is shown.

    Groups that were already diverging before the start would have continued to; no difference is shown then.
    """
    if effect is None or better not in (Better.HIGHER, Better.LOWER):
        return ExperimentVerdict.NO_DIFFERENCE, TOO_LITTLE if effect is None else "Neither direction is better."
    if before is not None and not before.shows_nothing:
        return ExperimentVerdict.NO_DIFFERENCE, MOVED_BEFORE
    if effect.shows_nothing:
        return ExperimentVerdict.NO_DIFFERENCE, ""
    is_better = (effect.value > 0) == (better == Better.HIGHER)
    return (ExperimentVerdict.BETTER if is_better else ExperimentVerdict.WORSE), ""


def _guard_rail(key: str, panel: Panel) -> dict[str, object]:
    effect = effect_of(panel)
    verdict, _ = verdict_of(get(key).better, effect, trend_before(panel))
    return {"metric": key, "verdict": verdict.value, **(asdict(effect) if effect else {})}


def _are_units(experiment: Experiment) -> bool:
    slugs = {*experiment.treated, *experiment.compared}
    return Unit.objects.filter(slug__in=slugs).count() == len(slugs)


def _answers(experiment: Experiment, keys: Sequence[str]) -> Mapping[str, Sequence[Answer]]:
    """The weeks of each unit by metric, treated units first."""
    window = Window(experiment.starts_on - timedelta(weeks=WEEKS_BEFORE), experiment.ends_on)
    units = [*experiment.treated, *experiment.compared]
    queries = [Query(key, window, granularity=Granularity.WEEK, scope=Scope(unit)) for key in keys for unit in units]
    answers = read_series(queries)
    return {key: answers[place * len(units) : (place + 1) * len(units)] for place, key in enumerate(keys)}


def _panel(experiment: Experiment, answers: Sequence[Answer]) -> Panel:
    starts = [WEEKS_BEFORE + experiment.step_weeks * place for place in range(len(experiment.treated))]
    return Panel(weekly_values(answers), starts, experiment.weeks)


def weekly_values(answers: Sequence[Answer]) -> Floats:
    """One row of weeks per unit, NaN for a week without a value."""
    import numpy as np

    rows = [[math.nan if bucket.value is None else bucket.value for bucket in answer.series] for answer in answers]
    return np.array(rows, dtype=np.float64)


def _fewest_people(answers: Mapping[str, Sequence[Answer]]) -> int | None:
    """The lowest number of contributors of any unit that has some, for metrics that belong to people; None
    without any.
    """
    of_people = [key for key in answers if get(key).belongs_to is BelongsTo.PERSON]
    counts = [answer.total[0].people for key in of_people for answer in answers[key]]
    return min(filter(None, counts), default=None)


def detectable_differences(experiment: Experiment, access: Access) -> Mapping[int, float | None]:
    """The smallest difference that four out of five such experiments would detect, by weeks after the start.

    It is computed from a year of these units' past, as far as the viewer may see it.
    """
    end = min(experiment.starts_on, windows.whole_bucket(windows.local_today(), Granularity.WEEK).start)
    window = Window(end - timedelta(weeks=YEAR), end)
    units = [*experiment.treated, *experiment.compared]
    queries = [Query(experiment.metric, window, granularity=Granularity.WEEK, scope=Scope(unit)) for unit in units]
    try:
        answers = visible_together(access, series=queries).series
    except QueryError:
        return {}
    weeks = sorted({*OFFERED_WEEKS, experiment.weeks})
    return detectable(weekly_values(answers), len(experiment.treated), weeks)
