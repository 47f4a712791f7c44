"""The night's checks: every detector over every team, how many of them may be chance, and what is stored of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from celery import shared_task
from django.db import transaction
from django.db.models import Count
from django.utils import timezone

from insights.catalogue.registry import get
from insights.findings.detectors import CHANGE, DETECTORS, Detector
from insights.formulas.findings import change_point, discoveries, gap
from insights.models import Finding
from insights.models.findings import FindingState
from insights.privacy.visible import UnitQueries, visible_together
from insights.query.query import Granularity, MetricValue, Query, Statistic, Window
from orgtree.access.access import aggregates_access
from orgtree.models import OrgTree, Placement, Unit, UnitPlace
from orgtree.models.visibility import program_trees

WEEKS, WEEK = 52, timedelta(weeks=1)
WEEKS_COMPARED = 26  # with comparable teams
RATE = 0.01  # of findings that may be chance
UNADJUSTED = 0.05  # for a team that changes with the others
LEAST_FACTS = 20  # on each side
APART = 3.0  # robust standard deviations from comparable teams
SAME_CHANGE = timedelta(weeks=3)


@dataclass(frozen=True)
class Check:
    """One detector's result for one team, before it is known how many results may be chance."""

    detector: Detector
    unit: int | None  # None: the whole organisation
    chance: float
    since: date
    before: float
    after: float
    low: float
    high: float
    sample: int
    is_large: bool
    compared_with: Sequence[int] = ()

    def is_same(self, other: Check) -> bool:
        """Whether both are changes of one metric, in one direction and at about one time."""
        return (
            self.detector is other.detector
            and (self.after > self.before) == (other.after > other.before)
            and abs(self.since - other.since) <= SAME_CHANGE
        )


@dataclass(frozen=True)
class Night:
    """The number of checks, and the findings."""

    checks: int
    findings: Sequence[Check]


@shared_task(name="insights.findings.night.look_for_findings", ignore_result=True)  # type: ignore[untyped-decorator]
def look_for_findings() -> None:
    """Every night: look for findings, store new ones and end those that are no longer there."""
    today = timezone.localdate()
    store(look(today), today=today)


def look(today: date) -> Night:
    """The findings of the last 52 whole weeks that were there a week earlier, too: a week decides nothing."""
    monday = today - timedelta(days=today.weekday())
    teams = teams_of(today)
    if not teams:
        return Night(0, [])
    weeks = _Weeks.read(teams, Window(monday - WEEKS * WEEK, monday))
    checks = [*weeks.checks()]
    earlier = {(check.detector.key, check.unit) for check in _reported([*weeks.first(WEEKS - 1).checks()])}
    found = [check for check in _reported(checks) if (check.detector.key, check.unit) in earlier]
    return Night(len(checks), found)


def teams_of(today: date) -> Mapping[int, int]:
    """The teams of the program's Org Tree, with the number of their people: the lowest units of at least as many people
    as the minimum group, whose figures readers may see.
    """
    trees = OrgTree.objects.filter(archived_at=None)
    chosen = next((pk for find in program_trees if (pk := find()) is not None), 0)
    tree = trees.filter(pk=chosen).first() or trees.order_by("pk").first()
    if tree is None:
        return {}
    people = (
        Placement.objects.filter(ancestor__tree=tree, during__contains=today)
        .values_list("ancestor")
        .annotate(people=Count("person", distinct=True))
        .filter(people__gte=aggregates_access().minimum_group_size)
    )
    units = dict(people.order_by("ancestor"))
    places = UnitPlace.objects.filter(during__contains=today, unit__in=units).exclude(parent=None)
    above = {*places.values_list("parent", flat=True)}
    return {unit: number for unit, number in units.items() if unit not in above}


@dataclass(frozen=True)
class _Weeks:
    """Each metric of each team and of the whole organisation by week, and the number of people of each team.

    Values are those that everybody may see: what is hidden from readers decides nothing.
    """

    series: Mapping[tuple[str, int | None], Sequence[MetricValue]]
    teams: Mapping[int, int]

    @classmethod
    def read(cls, teams: Mapping[int, int], window: Window) -> _Weeks:
        metrics = dict.fromkeys(detector.metric for detector in DETECTORS)
        queries = [Query(key, window, Granularity.WEEK, statistic=_median_of(key)) for key in metrics]
        answers = visible_together(
            aggregates_access(), series=queries, units=[UnitQueries(queries, [*teams], of_buckets=True)]
        )
        series: dict[tuple[str, int | None], Sequence[MetricValue]] = {
            (answer.query.key, None): answer.series for answer in answers.series
        }
        [by_unit] = answers.units
        for unit in teams:
            series |= {(answer.query.key, unit): answer.series for answer in by_unit[unit]}
        return cls(series, teams)

    def first(self, weeks: int) -> _Weeks:
        return _Weeks({key: values[:weeks] for key, values in self.series.items()}, self.teams)

    def checks(self) -> Iterator[Check]:
        for detector in DETECTORS:
            if detector.kind == CHANGE and (check := self._changed(detector, None)):
                yield check
            for unit in self.teams:
                check = self._changed(detector, unit) if detector.kind == CHANGE else self._apart(detector, unit)
                if check is not None:
                    yield check

    def _changed(self, detector: Detector, unit: int | None) -> Check | None:
        known = [value for value in self.series[detector.metric, unit] if value.value is not None]
        point = change_point([value.value or 0.0 for value in known])
        if point is None:
            return None
        before, after = (sum(value.sample_size for value in part) for part in _split(known, point.position))
        if min(before, after) < LEAST_FACTS:
            return None
        is_sure = point.low > 0 or point.high < 0
        return Check(
            detector=detector,
            unit=unit,
            chance=point.p,
            since=known[point.position].window.start,
            before=point.before,
            after=point.after,
            low=point.low,
            high=point.high,
            sample=after,
            is_large=is_sure and abs(point.after - point.before) >= detector.least * abs(point.before),
        )

    def _apart(self, detector: Detector, unit: int) -> Check | None:
        size = self.teams[unit]
        others = [other for other, people in self.teams.items() if other != unit and size <= 2 * people <= 4 * size]
        own, *beside = (self.series[detector.metric, one][-WEEKS_COMPARED:] for one in (unit, *others))
        found = gap([week.value for week in own], [[week.value for week in weeks] for weeks in beside])
        if found is None:
            return None
        facts = sum(week.sample_size for week in own)
        is_large = found.low >= detector.least * found.comparable and found.distance >= APART
        return Check(
            detector=detector,
            unit=unit,
            chance=found.p,
            since=own[0].window.start,
            before=found.comparable,
            after=found.own,
            low=found.low,
            high=found.high,
            sample=facts,
            is_large=is_large and facts >= LEAST_FACTS,
            compared_with=others,
        )


def _split(values: Sequence[MetricValue], position: int) -> tuple[Sequence[MetricValue], Sequence[MetricValue]]:
    return values[:position], values[position:]


def _median_of(key: str) -> Statistic | None:
    return Statistic.MEDIAN if Statistic.MEDIAN in get(key).statistics else None


def _reported(checks: Sequence[Check]) -> Sequence[Check]:
    """The results that are large and not chance.  What changed in half of the teams at about one time is one finding
    about the organisation, and what changed in fewer none.
    """
    reported = discoveries([check.chance for check in checks], RATE)
    found = [check for check, is_reported in zip(checks, reported, strict=True) if is_reported and check.is_large]
    common = [check for check in found if check.unit is None and _is_common(check, checks)]
    return [
        *common,
        *(check for check in found if check.unit is not None and not any(check.is_same(other) for other in common)),
    ]


def _is_common(check: Check, checks: Sequence[Check]) -> bool:
    of_teams = [other for other in checks if other.detector is check.detector and other.unit is not None]
    alike = sum(other.is_same(check) and other.chance <= UNADJUSTED for other in of_teams)
    return alike > 1 and alike >= len(of_teams) / 2


@transaction.atomic
def store(night: Night, *, today: date) -> None:
    """Findings that are there again keep their state, and get the night's figures.  One that somebody dismissed stays
    away until its change is another; one that is no longer found is resolved.
    """
    standing = {(one.detector, one.unit_id): one for one in Finding.objects.open().select_for_update()}
    monday = today - timedelta(days=today.weekday())
    others = {other for check in night.findings for other in check.compared_with}
    slugs = dict(Unit.objects.filter(pk__in=others).values_list("pk", "slug"))
    for check in night.findings:
        known = standing.pop((check.detector.key, check.unit), None)
        if known is None and _was_dismissed(check):
            continue
        one = known or Finding(detector=check.detector.key, unit_id=check.unit, found_on=today)
        one.metric, one.since, one.until = check.detector.metric, check.since, monday
        one.before, one.after, one.low, one.high = check.before, check.after, check.low, check.high
        one.chance, one.sample = check.chance, check.sample
        one.compared_with = [slugs[other] for other in check.compared_with]
        one.save()
    for gone in standing.values():
        gone.state, gone.ended_on = FindingState.RESOLVED, today
        gone.save(update_fields=["state", "ended_on"])


def _was_dismissed(check: Check) -> bool:
    """Whether the same change was dismissed; a gap is the same until it has been gone."""
    last = Finding.objects.filter(detector=check.detector.key, unit=check.unit).order_by("-found_on", "-pk").first()
    if last is None or last.state != FindingState.DISMISSED:
        return False
    return check.detector.kind != CHANGE or abs(last.since - check.since) <= SAME_CHANGE
