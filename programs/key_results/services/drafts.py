"""Validates drafts of key results and computes their baselines."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from core.write_errors import FieldError
from insights.engine.read import read_totals
from insights.privacy.withhold import is_of_few, known_people, numerator_query, unconfirmed_for
from insights.query.enums import Better, UnitOfMeasure
from insights.query.errors import QueryError
from insights.query.query import MetricValue, Query, Statistic, Window
from orgtree.access.access import Access, public_access
from orgtree.models import Unit
from programs.key_results.services.judging import printed
from programs.key_results.services.reading import baseline_window, fewest, metric_of, metric_query
from programs.models import KeyResult, Quarter, TargetKind
from programs.models.objectives import LONGEST_TITLE, MOST_KEY_RESULTS

LONGEST_UNIT = 40
GREATEST = 1e15  # what is larger is a slip of the finger, and no longer exact as a float
SAME = 1e-9  # as a share: a baseline that came back from a form is the computed one


@dataclass(frozen=True)
class KeyResultDraft:
    """`id` is that of a key result that is there already.  Without a `metric` values are entered by hand.

    A relative target has `change_percent` (−20: a fifth less than the baseline) instead of `target`; a guardrail may
    have either.  Without a `baseline` it is computed from the metric.  Without `better` it is the metric's.
    """

    title: str
    metric: str = ""
    statistic: str = ""
    unit_of_measure: str = ""
    better: str = ""
    target_kind: str = "absolute"
    target: float | None = None
    change_percent: float | None = None
    baseline: float | None = None
    id: int | None = None


@dataclass(frozen=True)
class Baseline:
    """What stood before; `people` are the fewest behind it, None where somebody wrote it."""

    value: float | None
    window: Window | None = None
    people: int | None = None
    reason: str = ""


@dataclass(frozen=True)
class CheckedKeyResult:
    known: KeyResult | None
    fields: Mapping[str, object]


def check_key_results(
    drafts: Sequence[KeyResultDraft],
    unit: Unit | None,
    quarter: Quarter,
    access: Access,
    *,
    today: date,
    known: Mapping[int, KeyResult],
    stays: bool,
) -> tuple[CheckedKeyResult, ...]:
    """Raises FieldError.

    `known` are those that the objective has, by id; baselines of theirs stay as long as it `stays` in its unit and
    quarter.
    """
    if len(drafts) > MOST_KEY_RESULTS:
        raise FieldError("key_results", f"At most {MOST_KEY_RESULTS}: more key results blur the objective.")
    ids = [draft.id for draft in drafts if draft.id is not None]
    if len(ids) != len(set(ids)) or not set(ids) <= set(known):
        raise FieldError("key_results", "One of these key results is not of this objective.")
    for row, draft in enumerate(drafts):
        _check_words(row, draft)
        _check_source(row, draft)
    kept_baselines = {
        row: _stored_baseline(draft, known[draft.id])
        for row, draft in enumerate(drafts)
        if draft.id is not None and stays and _same_query(draft, known[draft.id])
    }
    computed = baselines(
        {row: draft for row, draft in enumerate(drafts) if draft.metric and kept_baselines.get(row) is None},
        unit,
        quarter,
        today=today,
    )
    checked = []
    for row, draft in enumerate(drafts):
        baseline = kept_baselines.get(row) or _baseline(draft, computed.get(row))
        fields = _fields(row, draft, baseline, unit, access)
        checked.append(CheckedKeyResult(known.get(draft.id) if draft.id is not None else None, fields))
    return tuple(checked)


def baselines(
    drafts: Mapping[int, KeyResultDraft], unit: Unit | None, quarter: Quarter, *, today: date
) -> dict[int, Baseline]:
    """By row: the metric over as many days as the quarter has, before it; whole, with the known people behind it."""
    window = baseline_window(quarter.window, today)
    slug = unit.slug if unit else None
    public = public_access()
    by_row: dict[int, tuple[Query, Query | None]] = {}
    for row, draft in drafts.items():
        query = metric_query(draft.metric, draft.statistic, slug, window)
        by_row[row] = (query, numerator_query(query, public))
    queries = [query for pair in by_row.values() for query in pair if query is not None]
    try:
        answers = iter(read_totals(queries, unconfirmed=unconfirmed_for(public))) if queries else iter(())
    except QueryError as problem:
        raise FieldError("key_results", problem.message) from None
    baselines_by_row = {}
    for row, pair in by_row.items():
        figures: list[MetricValue] = [next(answers).total[0] for query in pair if query is not None]
        people = fewest(*map(known_people, figures))
        baselines_by_row[row] = Baseline(figures[0].value, window, people, figures[0].reason or "")
    return baselines_by_row


def _check_words(row: int, draft: KeyResultDraft) -> None:
    for field, text in (("title", draft.title), ("unit_of_measure", draft.unit_of_measure)):
        if "\x00" in text:
            raise _refused(row, field, "A NUL character cannot be stored.")
    if not draft.title.strip():
        raise _refused(row, "title", "Say what is measured.")
    if len(draft.title.strip()) > LONGEST_TITLE:
        raise _refused(row, "title", f"At most {LONGEST_TITLE} characters.")
    if len(draft.unit_of_measure.strip()) > LONGEST_UNIT:
        raise _refused(row, "unit_of_measure", f"At most {LONGEST_UNIT} characters.")
    if draft.target_kind not in TargetKind.values:
        raise _refused(row, "target_kind", f"One of: {', '.join(TargetKind.values)}.")
    numbers = {"target": draft.target, "change_percent": draft.change_percent, "baseline": draft.baseline}
    for field, number in numbers.items():
        if number is not None and (not math.isfinite(number) or abs(number) > GREATEST):
            raise _refused(row, field, "It must be a number.")
    if draft.better and draft.better not in KeyResult.Better.values:
        raise _refused(row, "better", f"One of: {', '.join(KeyResult.Better.values)}.")


def _check_source(row: int, draft: KeyResultDraft) -> None:
    """The metric, or that it is entered by hand."""
    if not draft.metric:
        if not draft.better:
            raise _refused(row, "better", "Say whether higher or lower is better: it is entered by hand.")
        if draft.statistic:
            raise _refused(row, "statistic", "What is entered by hand has no statistic.")
        return
    metric = metric_of(draft.metric)
    if metric is None:
        raise _refused(row, "metric", f"There is no metric {draft.metric[:80]}.")
    if metric.always_by:
        by = metric.always_by[0].value.replace("_", " ")
        raise _refused(row, "metric", f"{metric.name} has a value for each {by}, and none of all: choose another.")
    if draft.statistic and draft.statistic not in metric.statistics:
        known = ", ".join(Statistic(statistic).value for statistic in metric.statistics)
        raise _refused(row, "statistic", f"One of: {known}." if known else f"{metric.name} has none to choose.")
    if metric.better is Better.NEITHER and not draft.better:
        raise _refused(row, "better", f"Neither higher nor lower {metric.name} is better by itself: say what you want.")
    if draft.better and metric.better is not Better.NEITHER and draft.better != metric.better:
        raise _refused(row, "better", f"Of {metric.name}, {metric.better.value} is better.")


def _refused(row: int, field: str, message: str) -> FieldError:
    return FieldError(f"key_results.{row}.{field}", message)


def _same_query(draft: KeyResultDraft, known: KeyResult) -> bool:
    return (draft.metric, draft.statistic) == (known.metric, known.statistic)


def _stored_baseline(draft: KeyResultDraft, known: KeyResult) -> Baseline | None:
    """That of the known key result, where the draft names no other; None where there is none to keep."""
    if known.baseline is None or (draft.baseline is not None and not _is_same(draft.baseline, known.baseline)):
        return None
    date_range = (known.baseline_from, known.baseline_to)
    window = Window(date_range[0], date_range[1]) if date_range[0] and date_range[1] else None
    return Baseline(known.baseline, window, known.baseline_people)


def _baseline(draft: KeyResultDraft, computed: Baseline | None) -> Baseline:
    if draft.baseline is None:
        return computed or Baseline(None)
    if computed and computed.value is not None and _is_same(draft.baseline, computed.value):
        return computed
    return Baseline(draft.baseline)


def _is_same(one: float, other: float) -> bool:
    return math.isclose(one, other, rel_tol=SAME)


def _fields(
    row: int, draft: KeyResultDraft, baseline: Baseline, unit: Unit | None, access: Access
) -> Mapping[str, object]:
    metric = metric_of(draft.metric) if draft.metric else None
    better = draft.better or (metric.better.value if metric else "")
    target = _target(row, draft, baseline)
    key_result = KeyResult(
        title=draft.title.strip(),
        metric=draft.metric,
        statistic=draft.statistic,
        unit_of_measure=draft.unit_of_measure.strip() if metric is None else metric.unit.value,
        better=better,
        target_kind=draft.target_kind,
        change_percent=draft.change_percent if draft.target_kind != TargetKind.ABSOLUTE else None,
        baseline=baseline.value,
        baseline_from=baseline.window.start if baseline.window and baseline.value is not None else None,
        baseline_to=baseline.window.end if baseline.window and baseline.value is not None else None,
        baseline_people=baseline.people if baseline.value is not None else None,
        target=target,
    )
    if metric is not None and not metric.is_hand_kept:  # a return on investment may be 120 %, or below zero
        if metric.unit is UnitOfMeasure.PERCENT and not 0 <= target <= 100:
            raise _refused(row, _aim(draft), f"{metric.name} lies between 0 and 100 %.")
        if target < 0 and (baseline.value or 0) >= 0:
            raise _refused(row, _aim(draft), f"{metric.name} is never below zero.")
    stood = _printed_baseline(key_result, baseline, unit, access)
    _check_side(row, _aim(draft), key_result, stood)
    names = (
        *("title", "metric", "statistic", "unit_of_measure", "better", "target_kind", "change_percent"),
        *("baseline", "baseline_from", "baseline_to", "baseline_people", "target"),
    )
    return {name: getattr(key_result, name) for name in names}


def _target(row: int, draft: KeyResultDraft, baseline: Baseline) -> float:
    by_change = draft.target_kind == TargetKind.RELATIVE or (
        draft.target_kind == TargetKind.GUARDRAIL and draft.target is None and draft.change_percent is not None
    )
    if not by_change:
        if draft.target is None:
            raise _refused(row, "target", "Say which value is to be reached.")
        return draft.target
    if draft.change_percent is None:
        raise _refused(row, "change_percent", "Say by how many percent it is to change.")
    if baseline.value is None:
        why = f"{baseline.reason} " if baseline.reason else ""
        raise _refused(
            row,
            "baseline",
            f"{why}Without a baseline there is nothing to change by percent: enter one, or a value to reach.",
        )
    if not baseline.value:
        raise _refused(row, "change_percent", "The baseline is 0, and any percent of it is 0: give a value to reach.")
    return baseline.value * (1 + draft.change_percent / 100)


def _check_side(row: int, field: str, key_result: KeyResult, stood: str) -> None:
    """A target is an improvement on the baseline, and no guardrail is broken from the start."""
    if key_result.baseline is None:
        return
    is_higher = key_result.better == KeyResult.Better.HIGHER
    ahead = (key_result.target - key_result.baseline) * (1 if is_higher else -1)
    if key_result.is_guardrail and ahead > 0:
        raise _refused(
            row, field, f"It stood at {stood}, which is worse: a guardrail holds what is there. Make it a target."
        )
    if not key_result.is_guardrail and ahead <= 0:
        side = "above" if is_higher else "below"
        raise _refused(
            row, field, f"It stood at {stood}, and {key_result.better} is better: the target must lie {side} that."
        )


def _printed_baseline(key_result: KeyResult, baseline: Baseline, unit: Unit | None, access: Access) -> str:
    """What even its writer may not see is not told in a message either."""
    if baseline.window is not None and baseline.people is not None:
        slug = unit.slug if unit else None
        query = metric_query(key_result.metric, key_result.statistic, slug, baseline.window)
        if is_of_few(query, baseline.people, access):
            return "a value that is hidden (few people contributed)"
    metric = metric_of(key_result.metric) if key_result.metric else None
    return printed(baseline.value or 0.0, key_result, metric.unit if metric else "")


def _aim(draft: KeyResultDraft) -> str:
    return "target" if draft.target is not None and draft.target_kind != TargetKind.RELATIVE else "change_percent"
