"""Sets and withdraws benchmarks.  Nothing is overwritten: each change is a version with a reason."""

from __future__ import annotations

from datetime import date, datetime

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils import timezone

from core.write_errors import ConflictError, FieldError, MayNotWriteError
from insights.benchmarks.baselines import Baseline, baseline_query, read_baseline, whole_buckets
from insights.privacy.withhold import is_withheld
from insights.query import windows
from insights.query.query import Granularity, Scope, Window
from insights.ui import wording
from orgtree.access.access import Access
from orgtree.models import Unit
from programs.benchmarks.queries.benchmarks import newest_version
from programs.benchmarks.services.drafts import (
    BenchmarkDraft,
    CheckedBenchmark,
    check_benchmark,
    checked_reason,
    unit_led,
)
from programs.models import BenchmarkVersion, Period

WEEKS_OF = {Period.NONE: 1, Period.WEEK: 1, Period.MONTH: 52 / 12, Period.QUARTER: 13}


def set_benchmark(
    access: Access, draft: BenchmarkDraft, *, of_number: int, at: datetime | None = None
) -> BenchmarkVersion:
    """Adds a version after `of_number` (0: none yet), with the unit's baseline as of today.

    `at` backdates the version: its baseline is as of that day.
    Raises FieldError, MayNotWriteError, ConflictError.
    """
    account = _account(access)
    checked = check_benchmark(draft, access.visibility)
    baseline = baseline_of(checked, today=timezone.localtime(at).date() if at else windows.local_today())
    is_beyond = _is_beyond_its_target(checked, baseline, access)
    interval = baseline.interval
    return _store(
        checked.metric.key,
        checked.unit,
        of_number,
        BenchmarkVersion(
            metric_version=checked.metric.version,
            statistic=checked.metric.statistic or "",
            period=checked.period,
            better=checked.better,
            baseline=baseline.value,
            baseline_from=baseline.window.start,
            baseline_to=baseline.window.end,
            baseline_low=interval.low if interval else None,
            baseline_high=interval.high if interval else None,
            baseline_sample=baseline.sample_size,
            baseline_people=baseline.people,
            threshold=checked.threshold,
            target=checked.target,
            is_to_hold=is_beyond,
            reason=checked.reason,
            written_by=account,
            **({"written_at": at} if at else {}),
        ),
    )


def withdraw_benchmark(access: Access, key: str, unit: str, reason: str, *, of_number: int) -> BenchmarkVersion:
    """Ends the unit's own benchmark, so that it inherits again.

    Works for removed metrics and for units no longer in a tree, too.  Raises as `set_benchmark`.
    """
    account = _account(access)
    led = unit_led(unit, access.visibility, must_stand=False)
    newest = newest_version(key, led.pk if led else None)
    if newest is None or newest.is_removal:
        raise FieldError("metric", "No benchmark is set here.")
    taken_back = BenchmarkVersion(
        metric_version=newest.metric_version,
        statistic=newest.statistic,
        period=newest.period,
        better=newest.better,
        reason=checked_reason(reason),
        written_by=account,
    )
    return _store(key, led, of_number, taken_back)


def baseline_window(period: Period, weeks: int, today: date) -> Window:
    """The latest whole buckets that cover about that many weeks; at least one."""
    granularity = granularity_of(period) or Granularity.WEEK
    return whole_buckets(today, granularity, max(1, int(weeks / WEEKS_OF[period])))


def baseline_of(checked: CheckedBenchmark, *, today: date) -> Baseline:
    """Computed from the unit's data without access checks."""
    scope = Scope(checked.unit.slug if checked.unit else None)
    window = baseline_window(checked.period, checked.weeks, today)
    return read_baseline(checked.metric.key, scope, window, granularity_of(checked.period))


def granularity_of(period: str) -> Granularity | None:
    return Granularity(period) if period else None


def hides_baseline(version: BenchmarkVersion, access: Access) -> bool:
    """Whether the stored baseline is withheld from this viewer: no access, or too few people."""
    unit, window = version.unit, version.baseline_window
    may = access.visibility.whole if unit is None else access.visibility.can_see(unit.pk)
    if not may or window is None:
        return True
    scope = Scope(unit.slug if unit else None)
    query = baseline_query(version.metric, scope, window, granularity_of(version.period))
    return is_withheld(query, version.baseline_people, access)


def _is_beyond_its_target(checked: CheckedBenchmark, baseline: Baseline, access: Access) -> bool:
    """Rejects a target that is already exceeded, unless it is confirmed that it is to be held.

    A baseline that is hidden from the author is not checked, so that trying targets reveals nothing.
    Raises FieldError.
    """
    if baseline.value is None or checked.target is None:
        return False
    scope = Scope(checked.unit.slug if checked.unit else None)
    query = baseline_query(checked.metric.key, scope, baseline.window, baseline.period)
    if is_withheld(query, baseline.people, access) or not checked.is_beyond(baseline.value, checked.target):
        return False
    if checked.is_to_hold:
        return True
    here = wording.reading(baseline.value, checked.metric.unit)
    raise FieldError(
        "is_to_hold",
        f"The baseline ({here}, {wording.days(baseline.window)}) is already better than this target. Choose a "
        "stricter one, "
        "or confirm that it is to be held.",
    )


def _store(key: str, unit: Unit | None, of_number: int, version: BenchmarkVersion) -> BenchmarkVersion:
    newest = newest_version(key, unit.pk if unit else None)
    if (newest.number if newest else 0) != of_number:
        raise ConflictError("this benchmark", newest)
    version.metric, version.unit, version.number = key, unit, of_number + 1
    try:
        with transaction.atomic():
            version.save(force_insert=True)
    except IntegrityError:  # somebody stored the same number at the same moment
        raise ConflictError("this benchmark", newest_version(key, unit.pk if unit else None)) from None
    return version


def _account(access: Access) -> User:
    if not isinstance(access.viewer, User):
        raise MayNotWriteError("Sign in with an account: a token without an account sets no benchmarks.")
    return access.viewer
