"""Sets and withdraws benchmarks.  Nothing is overwritten: each change is a version with a reason."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from core.write_errors import ConflictError, FieldError
from insights.benchmarks.baselines import Baseline, baseline_query, read_baseline, whole_buckets
from insights.catalogue.registry import get
from insights.privacy.withhold import is_withheld
from insights.query import windows
from insights.query.query import Granularity, Scope, Window
from insights.ui import wording
from orgtree.access.access import Access
from programs.benchmarks.queries.benchmarks import newest_version
from programs.benchmarks.services.fields import BenchmarkWriteSerializer, TakeBackSerializer, checked
from programs.models import BenchmarkVersion, Period
from programs.requests.visible import account_of

CONFLICT = "Somebody changed this benchmark in the meantime."
WEEKS_OF = {Period.NONE: 1, Period.WEEK: 1, Period.MONTH: 52 / 12, Period.QUARTER: 13}


def set_benchmark(
    access: Access, given: Mapping[str, Any], *, of_number: int, at: datetime | None = None
) -> BenchmarkVersion:
    """Adds a version after `of_number` (0: none yet), with the unit's baseline as of today.

    `given` has the fields of the API and the metric; `at` backdates the version and its baseline. Raises FieldError,
    MayNotWriteError, ConflictError.
    """
    account = account_of(access)
    fields = checked(BenchmarkWriteSerializer, access, given)
    weeks, metric = fields.pop("weeks"), get(fields["metric"])
    version = BenchmarkVersion(
        **fields,
        metric_version=metric.version,
        statistic=metric.statistic or "",
        written_by=account,
        **({"written_at": at} if at else {}),
    )
    baseline = baseline_of(version, weeks, today=timezone.localtime(at).date() if at else windows.local_today())
    version.is_to_hold = _is_beyond_its_target(version, baseline, access)
    version.baseline, version.baseline_sample, version.baseline_people = (
        *(baseline.value, baseline.sample_size, baseline.people),
    )
    version.baseline_from, version.baseline_to = baseline.window.start, baseline.window.end
    if baseline.interval:
        version.baseline_low, version.baseline_high = baseline.interval.low, baseline.interval.high
    return _store(version, of_number)


def withdraw_benchmark(access: Access, key: str, given: Mapping[str, Any], *, of_number: int) -> BenchmarkVersion:
    """Ends the unit's own benchmark, so that it inherits again; `given` has the unit and the reason.

    Also works for removed metrics and for units no longer in a tree.  Raises as `set_benchmark`.
    """
    account = account_of(access)
    fields = checked(TakeBackSerializer, access, given)
    newest = newest_version(key, fields["unit"].pk if fields["unit"] else None)
    if newest is None or newest.is_removal:
        raise FieldError("metric", "No benchmark is set here.")
    same = {name: getattr(newest, name) for name in ("metric", "metric_version", "statistic", "period", "better")}
    return _store(BenchmarkVersion(**fields, **same, written_by=account), of_number)


def baseline_window(period: Period, weeks: int, today: date) -> Window:
    """The latest whole buckets that cover about that many weeks; at least one."""
    granularity = granularity_of(period) or Granularity.WEEK
    return whole_buckets(today, granularity, max(1, int(weeks / WEEKS_OF[period])))


def baseline_of(version: BenchmarkVersion, weeks: int, *, today: date) -> Baseline:
    """The baseline, computed from the unit's data without access checks."""
    scope = Scope(version.unit.slug if version.unit else None)
    window = baseline_window(Period(version.period), weeks, today)
    return read_baseline(version.metric, scope, window, granularity_of(version.period))


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


def _is_beyond_its_target(version: BenchmarkVersion, baseline: Baseline, access: Access) -> bool:
    """Whether the baseline already exceeds the target; rejects such a target unless the author confirms that it is to
    be held.

    A baseline that is hidden from the author is not checked, so that trying targets reveals nothing. Raises FieldError.
    """
    if baseline.value is None or version.target is None:
        return False
    scope = Scope(version.unit.slug if version.unit else None)
    query = baseline_query(version.metric, scope, baseline.window, baseline.period)
    if is_withheld(query, baseline.people, access) or not version.is_beyond(baseline.value, version.target):
        return False
    if version.is_to_hold:
        return True
    here = wording.reading(baseline.value, get(version.metric).unit)
    raise FieldError(
        "is_to_hold",
        f"The baseline ({here}, {wording.days(baseline.window)}) is already better than this target. Choose a "
        "stricter one, "
        "or confirm that it should be held.",
    )


def _store(version: BenchmarkVersion, of_number: int) -> BenchmarkVersion:
    newest = newest_version(version.metric, version.unit_id)
    if (newest.number if newest else 0) != of_number:
        raise ConflictError(CONFLICT, newest)
    version.number = of_number + 1
    try:
        with transaction.atomic():
            version.save(force_insert=True)
    except IntegrityError:  # somebody stored the same number at the same moment
        raise ConflictError(CONFLICT, newest_version(version.metric, version.unit_id)) from None
    return version
