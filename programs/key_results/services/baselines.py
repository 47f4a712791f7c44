"""Builds key results for storage, with baselines computed from their metrics and targets derived from them.

`baseline_previews` shows baselines before anything is stored.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from core.write_errors import FieldError
from insights.catalogue.registry import find
from insights.privacy.stored import read_with_known_people
from insights.privacy.visible import Freshness, visible_totals
from insights.privacy.withhold import is_of_few
from insights.query.enums import UnitOfMeasure
from insights.query.errors import QueryError
from insights.query.query import Window
from orgtree.access.access import Access, public_access
from orgtree.models import Unit
from programs.key_results.services.initiatives import stored_name, value_before
from programs.key_results.services.judging import printed
from programs.key_results.services.reading import baseline_window, metric_query
from programs.models import Direction, KeyResult, Quarter, TargetKind
from programs.models.objectives import ITEMS, PERCENT

MOST_ITEMS = 1e6
SAME = 1e-9  # relative: a computed baseline that comes back from a form counts as computed
NO_SUCH_METRIC = "There is no such metric."


@dataclass(frozen=True)
class Baseline:
    """The value before the quarter; `people` is the smallest number behind it, None if it was entered by hand."""

    value: float | None
    window: Window | None = None
    people: int | None = None
    reason: str = ""

    @property
    def fields(self) -> dict[str, object]:
        """The baseline as model fields of a key result."""
        window = self.window if self.value is not None else None
        return {
            "baseline": self.value,
            "baseline_from": window.start if window else None,
            "baseline_to": window.end if window else None,
            "baseline_people": self.people if window else None,
        }


def key_results_from(
    rows: Sequence[Mapping[str, Any]],
    unit: Unit | None,
    quarter: Quarter,
    access: Access,
    *,
    today: date,
    known: Iterable[KeyResult],
    stays: bool,
) -> list[KeyResult]:
    """Builds unsaved key results from validated rows.  Raises FieldError.

    `known` are the objective's current key results, which are changed; they keep their baselines if the objective
    `stays` in its unit and quarter.
    """
    rows = [_named(number, row, access) for number, row in enumerate(rows)]
    by_id = {key_result.pk: key_result for key_result in known}
    ids = [row["id"] for row in rows if row["id"] is not None]
    if len(ids) != len(set(ids)) or not set(ids) <= set(by_id):
        raise FieldError("key_results", "One of these key results is not of this objective.")
    kept = {
        number: _stored_baseline(row, by_id[row["id"]])
        for number, row in enumerate(rows)
        if row["id"] is not None and stays
    }
    queries = {
        number: (row["metric"], row["statistic"])
        for number, row in enumerate(rows)
        if row["metric"] and kept.get(number) is None
    }
    computed = baselines(queries, unit, quarter, today=today)
    for number, row in enumerate(rows):
        if row.get("initiative") and row["baseline"] is None:
            value = value_before(row["initiative"], row["unit_of_measure"], quarter.window, today=today)
            computed[number] = Baseline(value)
    key_results = []
    for number, row in enumerate(rows):
        baseline = kept.get(number) or _baseline(row["baseline"], computed.get(number))
        try:
            key_result = _with_target(by_id.get(row["id"]) or KeyResult(), row, baseline)
            _check_target(key_result, row, _printed_baseline(key_result, baseline, unit, access))
        except FieldError as problem:
            raise FieldError(f"key_results.{number}.{problem.field}", problem.message) from None
        key_results.append(key_result)
    return key_results


def _named(number: int, row: Mapping[str, Any], access: Access) -> Mapping[str, Any]:
    """The row with its initiative in stored form, and that initiative's unit of measure.  Raises FieldError."""
    if not row.get("initiative"):
        return row
    try:
        name = stored_name(row["initiative"], access)
    except FieldError as problem:
        raise FieldError(f"key_results.{number}.{problem.field}", problem.message) from None
    measure = {"unit_of_measure": row["unit_of_measure"] or ITEMS, "better": Direction.HIGHER}
    return {**row, "initiative": name, **measure}


def baseline_by_hand(key_result: KeyResult, quarter: Quarter, *, today: date) -> Baseline:
    """The baseline, in another quarter, of a key result without a metric: its last value."""
    if not key_result.initiative:
        return Baseline(key_result.hand_value)
    measure = key_result.unit_of_measure
    return Baseline(value_before(key_result.initiative, measure, quarter.window, today=today))


def baselines(
    queries: Mapping[int, tuple[str, str]], unit: Unit | None, quarter: Quarter, *, today: date
) -> dict[int, Baseline]:
    """Maps each row to the baseline of its metric and statistic, over as many days before the quarter as the quarter
    has; unsuppressed, with the number of known people behind it.
    """
    window = baseline_window(quarter.window, today)
    slug = unit.slug if unit else None
    by_row = {row: metric_query(metric, statistic, slug, window) for row, (metric, statistic) in queries.items()}
    try:
        answers = read_with_known_people(public_access(), totals=[*by_row.values()]).totals
    except QueryError as problem:
        raise FieldError("key_results", problem.message) from None
    baselines_by_row = {}
    for row, answer in zip(by_row, answers, strict=True):
        [figure] = answer.total
        baselines_by_row[row] = Baseline(figure.value, window, figure.people, figure.reason or "")
    return baselines_by_row


def _stored_baseline(row: Mapping[str, Any], known: KeyResult) -> Baseline | None:
    """The known key result's baseline if the row has the same query and no other baseline; else None."""
    source = (row["metric"], row.get("initiative", ""), row["statistic"])
    if source != (known.metric, known.initiative, known.statistic) or known.baseline is None:
        return None
    if row["baseline"] is not None and not _is_same(row["baseline"], known.baseline):
        return None
    first, end = known.baseline_from, known.baseline_to
    return Baseline(known.baseline, Window(first, end) if first and end else None, known.baseline_people)


def _baseline(written: float | None, computed: Baseline | None) -> Baseline:
    if written is None:
        return computed or Baseline(None)
    if computed and computed.value is not None and _is_same(written, computed.value):
        return computed
    return Baseline(written)


def _is_same(one: float, other: float) -> bool:
    return math.isclose(one, other, rel_tol=SAME)


def _with_target(key_result: KeyResult, row: Mapping[str, Any], baseline: Baseline) -> KeyResult:
    """Sets the target that the row gives.  Raises FieldError."""
    metric = find(row["metric"]) if row["metric"] else None
    fields = {
        **{name: value for name, value in row.items() if name != "id"},
        "better": row["better"] or (metric.better.value if metric else ""),
        "unit_of_measure": metric.unit.value if metric else row["unit_of_measure"],
        "change_percent": row["change_percent"] if row["target_kind"] != TargetKind.ABSOLUTE else None,
        **baseline.fields,
        "target": _target(row, baseline),
    }
    for name, value in fields.items():
        setattr(key_result, name, value)
    return key_result


def _target(row: Mapping[str, Any], baseline: Baseline) -> float:
    target: float | None = row["target"]
    change: float | None = row["change_percent"]
    is_guardrail = row["target_kind"] == TargetKind.GUARDRAIL
    if row["target_kind"] != TargetKind.RELATIVE and not (is_guardrail and target is None and change is not None):
        if target is None:
            raise FieldError("target", "Enter the value to reach.")
        return target
    if change is None:
        raise FieldError("change_percent", "Enter by how many percent it should change.")
    if baseline.value is None:
        why = f"{baseline.reason} " if baseline.reason else ""
        nothing = "A change by percent needs a baseline: enter one, or a value to reach."
        raise FieldError("baseline", f"{why}{nothing}")
    if not baseline.value:
        zero = "The baseline is 0, so a change by percent is always 0: enter a value to reach."
        raise FieldError("change_percent", zero)
    return baseline.value * (1 + change / 100)


def _check_target(key_result: KeyResult, row: Mapping[str, Any], stood: str) -> None:
    """Checks that a target is possible and better than the baseline, and that a guardrail is not broken from the start.

    Raises FieldError.
    """
    is_change = row["target"] is None or row["target_kind"] == TargetKind.RELATIVE
    field = "change_percent" if is_change else "target"
    metric = find(key_result.metric) if key_result.metric else None
    if metric is not None and not metric.is_hand_kept:  # a return on investment may be 120 %, or below zero
        if metric.unit is UnitOfMeasure.PERCENT and not 0 <= key_result.target <= 100:
            raise FieldError(field, f"{metric.name} lies between 0 and 100 %.")
        if key_result.target < 0 and (key_result.baseline or 0) >= 0:
            raise FieldError(field, f"{metric.name} is never below zero.")
    most = 100 if key_result.unit_of_measure == PERCENT else MOST_ITEMS
    if key_result.initiative and not 0 < key_result.target <= most:
        raise FieldError(field, f"It must lie above 0 and be {most:,.0f} {key_result.unit_of_measure} at most.")
    if key_result.baseline is None:
        return
    is_higher = key_result.better == Direction.HIGHER
    ahead = (key_result.target - key_result.baseline) * (1 if is_higher else -1)
    if key_result.is_guardrail and ahead > 0:
        worse = f"It stood at {stood}, which is worse: a guardrail holds the current level. Make it a target."
        raise FieldError(field, worse)
    if not key_result.is_guardrail and ahead <= 0:
        side = "above" if is_higher else "below"
        short = f"It stood at {stood}, and {key_result.better} is better: the target must lie {side} that."
        raise FieldError(field, short)


def _printed_baseline(key_result: KeyResult, baseline: Baseline, unit: Unit | None, access: Access) -> str:
    """The baseline in words, withheld if even its author must not see it."""
    if baseline.window is not None and baseline.people is not None:
        slug = unit.slug if unit else None
        query = metric_query(key_result.metric, key_result.statistic, slug, baseline.window)
        if is_of_few(query, baseline.people, access):
            return "a value that is hidden (few people contributed)"
    metric = find(key_result.metric) if key_result.metric else None
    return printed(baseline.value or 0.0, key_result, metric.unit if metric else "")


@dataclass(frozen=True)
class BaselinePreview:
    """A metric over the days before the quarter, in its unit of measure; None with a `reason`."""

    value: float | None
    window: Window
    reason: str = ""
    people: int = 0
    sample_size: int = 0


def baseline_previews(
    requests: Sequence[tuple[str, str]], unit: str | None, quarter: Quarter, access: Access, *, today: date
) -> list[BaselinePreview]:
    """Previews the baseline of each metric and statistic for a unit (slug; None: the whole organisation), as visible to
    this viewer.

    All are read together, or one by one if any of the queries is invalid.
    """
    window = baseline_window(quarter.window, today)
    previews = [BaselinePreview(None, window, NO_SUCH_METRIC)] * len(requests)
    known = [position for position, (key, _) in enumerate(requests) if find(key)]
    if not known:
        return previews
    queries = [metric_query(*requests[position], unit, window) for position in known]
    try:
        answers = visible_totals(queries, access, freshness=Freshness.OF_PAGES)
    except QueryError as problem:
        if len(requests) == 1:
            return [BaselinePreview(None, window, problem.message)]
        return [
            preview for draft in requests for preview in baseline_previews([draft], unit, quarter, access, today=today)
        ]
    for position, answer in zip(known, answers, strict=True):
        figure = answer.total[0]
        previews[position] = BaselinePreview(
            figure.value, window, figure.reason or "", figure.people, figure.sample_size
        )
    return previews
