"""Data quality as findings of the organisation: what is missing or wrong, and how much it moves each figure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple

from core import sql
from insights.findings.checks import Check
from insights.findings.detectors import SKEW, STALE, UNKNOWN_COMMITS, UNLINKED, UNMATCHED, Detector
from insights.formulas.findings import median_bounds
from insights.privacy.visible import visible_totals
from insights.query.query import Query, Window
from integrations.facts.delivery import LEAD_TIMES
from integrations.models import Silence
from orgtree.access.access import aggregates_access

WEEKS = timedelta(weeks=13)
MOVED = 0.05  # as a share of a figure: a smaller effect is no finding
COUNTED_FOR_UNITS = ("pr.throughput", "commit.count", "issue.completed", "ai.spend")
SHARES_OF_TIME = ("allocation.new_share", "allocation.improvement_share", "allocation.maintenance_share")
_ORDER = """
    SELECT figures.coding_seconds, figures.coding_seconds IS NULL AND figures.first_commit_at > figures.opened_at
    FROM integrations_pullrequestfigures figures
    WHERE figures.merged_on >= %(start)s AND figures.merged_on < %(end)s AND figures.set_apart = ''
"""
_LEAD = f"""
    SELECT lead_seconds, method = 'time' FROM ({LEAD_TIMES.sql}) AS changes
    WHERE day >= %(start)s AND day < %(end)s AND lead_seconds IS NOT NULL
"""  # noqa: S608 — a constant


class Effect(NamedTuple):
    """A figure with the bounds within which it would lie if nothing were missing."""

    metric: str
    value: float
    low: float
    high: float

    @property
    def is_moved(self) -> bool:
        return max(self.high - self.value, self.value - self.low) >= MOVED * abs(self.value) > 0


def data_checks(monday: date) -> Iterator[Check]:
    """Yield the checks of the quarter before this Monday that move a figure."""
    window = Window(monday - WEEKS, monday)
    for of_kind in (_unmatched, _unlinked, _unknown_commits, _skewed, _stale):
        check = of_kind(window)
        if check is not None and check.is_large:
            yield check


def _check(
    detector: Detector,
    window: Window,
    share: float,
    facts: int,
    effects: Sequence[Effect],
    *,
    since: date | None = None,
) -> Check:
    percent = 100 * share
    return Check(
        detector=detector,
        unit=None,
        chance=0.0,
        since=since or window.start,
        before=0.0,
        after=percent,
        low=percent,
        high=percent,
        sample=facts,
        is_large=share >= detector.least and any(effect.is_moved for effect in effects),
        details={"effects": [_as_json(effect) for effect in effects if effect.is_moved]},
    )


def _as_json(effect: Effect) -> dict[str, Any]:
    return effect._asdict()


def _totals(keys: Sequence[str], window: Window) -> dict[str, tuple[float, int, float]]:
    """Value, sample and unmatched share of each metric for the whole organisation, as far as everybody may see them."""
    answers = visible_totals([Query(key, window) for key in keys], aggregates_access())
    return {
        answer.query.key: (answer.total[0].value, answer.total[0].sample_size, answer.unmatched or 0.0)
        for answer in answers
        if answer.total[0].value is not None
    }


def _unmatched(window: Window) -> Check | None:
    """People who are not matched: the figures of units, added up, lack their work."""
    totals = _totals(COUNTED_FOR_UNITS, window)
    if UNMATCHED.metric not in totals:
        return None
    effects = [
        Effect(key, value * (1 - unmatched), value * (1 - unmatched), value)
        for key, (value, _, unmatched) in totals.items()
    ]
    _, facts, share = totals[UNMATCHED.metric]
    return _check(UNMATCHED, window, share, facts, effects)


def _unlinked(window: Window) -> Check | None:
    """Time that is not linked to an item: it could be of any kind, so each share could be higher by all of it."""
    totals = _totals((UNLINKED.metric, *SHARES_OF_TIME), window)
    if UNLINKED.metric not in totals:
        return None
    unlinked, facts, _ = totals.pop(UNLINKED.metric)
    effects = [Effect(key, value, value, min(100.0, value + unlinked)) for key, (value, _, _) in totals.items()]
    return _check(UNLINKED, window, unlinked / 100, facts, effects)


def _unknown_commits(window: Window) -> Check | None:
    return _of_times(UNKNOWN_COMMITS, window, _LEAD)


def _skewed(window: Window) -> Check | None:
    return _of_times(SKEW, window, _ORDER)


def _of_times(detector: Detector, window: Window, statement: str) -> Check | None:
    """Times of which some are uncertain: the median lies between its values with all of these short and all of these
    long.
    """
    rows = sql.rows(statement, {"start": window.start, "end": window.end})
    known = [seconds for seconds, is_uncertain in rows if seconds is not None and not is_uncertain]
    uncertain = sum(bool(is_uncertain) for _, is_uncertain in rows)  # NULL: nothing is known to compare
    bounds = median_bounds(known, uncertain) if known else None
    if bounds is None:
        return None
    value = median_bounds(known, 0)
    effects = [Effect(detector.metric, value[0] if value else 0.0, *bounds)]
    return _check(detector, window, uncertain / (len(known) + uncertain), len(known) + uncertain, effects)


def _stale(window: Window) -> Check | None:
    """A silent connection: counts lack what it would have sent, at most as much as in the weeks before."""
    silent = Silence.objects.open().filter(sender__startswith="connection:").order_by("since").first()
    if silent is None or silent.since >= window.end:
        return None
    since = max(silent.since, window.start)
    before = Window(since - WEEKS, since)
    usual, now = _totals(COUNTED_FOR_UNITS[:3], before), _totals(COUNTED_FOR_UNITS[:3], window)
    share = (window.end - since).days / window.days
    effects = [
        Effect(key, now[key][0], now[key][0], max(now[key][0], value))
        for key, (value, _, _) in usual.items()
        if key in now
    ]
    return _check(STALE, window, share, now.get(STALE.metric, (0.0, 0, 0.0))[1], effects, since=silent.since)
