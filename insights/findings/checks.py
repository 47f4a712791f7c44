"""The nightly checks: every detector over the weeks of every team, of repositories and of the whole organisation."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import cached_property
from statistics import median
from typing import TYPE_CHECKING, Any

from django.db.models import Count

from core import sql
from insights.annotations.events import Events, events_of, is_explained
from insights.catalogue.registry import get
from insights.findings.comparable import Team, are_comparable, comparable_teams, in_words
from insights.findings.detectors import CHANGE, DETECTORS, GAP, MOVE, TREND, Detector
from insights.findings.thresholds import Factors, factors
from insights.formulas.findings import ChangePoint, change_at, change_point, gap, middle_of, spread_of, trend
from insights.models import ComparableRule
from insights.privacy.visible import UnitQueries, visible_together
from insights.query.enums import UnitOfMeasure
from insights.query.query import Dimension, Granularity, MetricValue, Query, Statistic, Window
from integrations.code.git.context_files import context_files_by_repository
from orgtree.access.access import aggregates_access
from orgtree.models import Placement, UnitPlace
from orgtree.trees.trees import tree_of_program

if TYPE_CHECKING:
    from insights.formulas.arrays import Floats

WEEKS, WEEK = 52, timedelta(weeks=1)
HALF_YEAR = 26  # weeks: of trends, and of comparisons with teams and repositories
LEAST_FACTS = 20  # on each side
SAME_CHANGE = timedelta(weeks=3)
LEAST_METRICS = 4  # with fewer, their spread does not say what is usual
MOST_REPOSITORIES = 60  # those with the most facts
LEAST_MOVED, SHARE_MOVED = 3, 0.25  # people who came or left on a day, and their share of the team
Subject = int | str | None  # a unit, a repository by its name, the whole organisation


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
    compared_by: str = ""  # the rule
    repository: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, int | None, str]:
        return self.detector.key, self.unit, self.repository

    @property
    def rises(self) -> bool:
        return self.after > self.before

    def is_same(self, other: Check, *, of_metric: bool = True) -> bool:
        """Whether both are changes in the same direction at about the same time, by the same detector or at least of
        the same unit.
        """
        is_alike = self.detector is other.detector if of_metric else self.unit == other.unit
        kinds = {self.detector.kind, other.detector.kind}
        return (
            is_alike and GAP not in kinds and self.rises == other.rises and abs(self.since - other.since) <= SAME_CHANGE
        )


def teams_of(today: date) -> Mapping[int, int]:
    """The teams of the program's Org Tree with the number of their people: the lowest units that have at least the
    minimum group, so that readers may see their figures.
    """
    people = (
        Placement.objects.filter(ancestor__tree=tree_of_program(), during__contains=today)
        .values_list("ancestor")
        .annotate(people=Count("person", distinct=True))
        .filter(people__gte=aggregates_access().minimum_group_size)
    )
    units = dict(people.order_by("ancestor"))
    places = UnitPlace.objects.filter(during__contains=today, unit__in=units).exclude(parent=None)
    above = {*places.values_list("parent", flat=True)}
    return {unit: number for unit, number in units.items() if unit not in above}


# (team, day, people who came or left); the day on which a team starts is no move.
_MOVES = """
    SELECT moved.team, moved.day, count(DISTINCT moved.person_id)
    FROM (
        SELECT ancestor_id AS team, lower(during) AS day, person_id FROM orgtree_placement
        WHERE ancestor_id = ANY (%(teams)s) AND lower(during) > %(start)s AND lower(during) < %(end)s
        UNION ALL
        SELECT ancestor_id, upper(during), person_id FROM orgtree_placement
        WHERE ancestor_id = ANY (%(teams)s) AND upper(during) > %(start)s AND upper(during) < %(end)s
        UNION ALL
        SELECT place.unit_id, lower(place.during), placed.person_id
        FROM orgtree_unitplace place
        JOIN orgtree_placement placed ON placed.ancestor_id = place.unit_id AND placed.during @> lower(place.during)
        WHERE place.unit_id = ANY (%(teams)s) AND lower(place.during) > %(start)s AND lower(place.during) < %(end)s
    ) AS moved
    WHERE EXISTS (
        SELECT FROM orgtree_placement before
        WHERE before.ancestor_id = moved.team AND before.during @> moved.day - 1
    )
    GROUP BY moved.team, moved.day
    ORDER BY moved.team, count(DISTINCT moved.person_id), moved.day
"""


def moves_of(teams: Mapping[int, int], window: Window) -> Mapping[int, date]:
    """The day on which the most people of each team came or left at once, or the team moved as a whole; teams where
    these were few are left out.
    """
    rows = sql.rows(_MOVES, {"teams": [*teams], "start": window.start, "end": window.end})
    return {team: day for team, day, people in rows if people >= LEAST_MOVED and people >= SHARE_MOVED * teams[team]}


@dataclass(frozen=True)
class _HalfYear:
    """A subject's last 26 weeks; a week without a value is NaN."""

    values: Floats
    middle: float
    facts: int
    since: date

    @classmethod
    def of(cls, weeks: Sequence[MetricValue]) -> _HalfYear:
        import numpy

        values = numpy.array([week.value for week in weeks], dtype=float)
        return cls(values, middle_of(values), sum(week.sample_size for week in weeks), weeks[0].window.start)


@dataclass(frozen=True)
class Weeks:
    """Each metric by week of each team, of repositories and of the whole organisation; the number of people of each
    team, and the days on which teams moved.

    Values are those that everybody may see, so that hidden values decide nothing.  Weeks that an event explains are
    left out.  If `comparable` is None, teams of similar size are comparable.
    """

    series: Mapping[tuple[str, Subject], Sequence[MetricValue]]
    teams: Mapping[int, int]
    moves: Mapping[int, date] = field(default_factory=dict)
    events: Events = field(default_factory=dict)
    comparable: Mapping[int, Sequence[int]] | None = None
    rule: str = ""  # by which teams are comparable
    factors: Factors = field(default_factory=dict)  # of thresholds, from readers' verdicts
    with_context: frozenset[str] = frozenset()  # repositories that have an agent context file
    # Computed once per detector and subject, because every team is compared with hundreds of others.
    _known: dict[tuple[str, Subject], _HalfYear] = field(default_factory=dict, init=False, repr=False, compare=False)

    @classmethod
    def read(cls, teams: Mapping[int, int], window: Window) -> Weeks:
        metrics = dict.fromkeys(
            key for detector in DETECTORS if not detector.of_repositories for key in _metrics_of(detector)
        )
        queries = [Query(key, window, Granularity.WEEK, statistic=_median_of(key)) for key in metrics]
        of_repositories = [
            Query(key, window, Granularity.WEEK, segments=(Dimension.REPOSITORY,))
            for key in dict.fromkeys(
                key for detector in DETECTORS if detector.of_repositories for key in _metrics_of(detector)
            )
        ]
        answers = visible_together(
            aggregates_access(),
            series=[*queries, *of_repositories],
            units=[UnitQueries(queries, [*teams], of_buckets=True)],
        )
        series: dict[tuple[str, Subject], Sequence[MetricValue]] = {}
        for answer in answers.series:
            if not answer.query.segments:
                series[answer.query.key, None] = answer.series
                continue
            of_repository: dict[str, list[MetricValue]] = defaultdict(list)
            for value in answer.series:
                of_repository[value.segment.get(Dimension.REPOSITORY, "")].append(value)
            by_facts = sorted(of_repository, key=lambda name: -sum(week.sample_size for week in of_repository[name]))
            series |= {(answer.query.key, name): of_repository[name] for name in by_facts[:MOST_REPOSITORIES] if name}
        [by_unit] = answers.units
        for unit in teams:
            series |= {(answer.query.key, unit): answer.series for answer in by_unit[unit]}
        rule = ComparableRule.current()
        return cls(
            series,
            teams,
            moves=moves_of(teams, window),
            events=events_of(teams, window),
            comparable=comparable_teams(teams, rule, window.end),
            rule=in_words(rule),
            factors=factors(window.end),
            with_context=frozenset(name for name, files in context_files_by_repository().items() if files),
        )

    @property
    def window(self) -> Window:
        weeks = next(iter(self.series.values()))
        return Window(weeks[0].window.start, weeks[-1].window.end)

    def first(self, weeks: int) -> Weeks:
        return replace(self, series={key: values[:weeks] for key, values in self.series.items()})

    def checks(self) -> Iterator[Check]:
        for detector in DETECTORS:
            for subject in self._subjects(detector):
                check = self._apart(detector, subject) if detector.kind == GAP else self._changed(detector, subject)
                if check is not None:
                    yield check

    def _subjects(self, detector: Detector) -> Sequence[Subject]:
        if detector.of_repositories:
            names = [name for key, name in self.series if key == detector.metric and isinstance(name, str)]
            return [name for name in names if not (detector.without_context and name in self.with_context)]
        match detector.kind:
            case "change" | "trend":
                return [None, *self.teams]
            case "move":
                return [*self.moves]
        return [*self.teams]

    def _weeks_of(self, detector: Detector, subject: Subject) -> Sequence[MetricValue]:
        """The weeks of the detector's value, without values in weeks that an event of the unit or of the whole
        organisation explains.
        """
        events = self.events.get(subject if isinstance(subject, int) else None, ())
        weeks = self._all_weeks_of(detector, subject)
        if not events:
            return weeks
        return [
            replace(week, value=None, sample_size=0) if is_explained(week.window, detector.metric, events) else week
            for week in weeks
        ]

    def _all_weeks_of(self, detector: Detector, subject: Subject) -> Sequence[MetricValue]:
        own = self.series[detector.metric, subject]
        if not detector.part_of:
            return [week if week.sample_size >= detector.least_a_week else replace(week, value=None) for week in own]
        parts = [self.series.get((key, subject), ()) for key in detector.part_of]
        return [_share(week, [part[number] for part in parts if number < len(part)]) for number, week in enumerate(own)]

    def _changed(self, detector: Detector, subject: Subject) -> Check | None:
        known = [value for value in self._weeks_of(detector, subject) if value.value is not None]
        values = [value.value or 0.0 for value in known]
        since = self.moves.get(subject) if isinstance(subject, int) else None
        point = _point(detector, values, known, since)
        if point is None:
            return None
        compared, position = known, point.position
        if detector.kind == TREND:
            compared, position = known[point.position :], HALF_YEAR // 2
        before, after = (sum(week.sample_size for week in part) for part in (compared[:position], compared[position:]))
        if min(before, after) < LEAST_FACTS:
            return None
        is_sure = point.low > 0 or point.high < 0
        return Check(
            detector=detector,
            unit=subject if isinstance(subject, int) else None,
            chance=_chance(detector, point),
            since=since if since and detector.kind == MOVE else known[point.position].window.start,
            before=point.before,
            after=point.after,
            low=point.low,
            high=point.high,
            sample=after if detector.kind != TREND else before + after,
            is_large=is_sure and _is_large(detector, point.before, point.after, self._least(detector, subject)),
        )

    def _apart(self, detector: Detector, subject: Subject) -> Check | None:
        others = [*self._comparable(detector, subject)]
        own, *beside = (self._half_year(detector, one) for one in (subject, *others))
        found = gap(
            own.values,
            [one.values for one in beside],
            [one.middle for one in beside],
            most=_most(detector),
            usual_spread=None if detector.of_repositories else self._usual_spread,
        )
        if found is None:
            return None
        # Only those that are worse off are findings.
        worse = found.low if detector.higher else -found.high
        needed = max(detector.at_least, self._least(detector, subject) * abs(found.comparable))
        is_large = worse >= needed and found.is_outlier
        return Check(
            detector=detector,
            unit=subject if isinstance(subject, int) else None,
            repository=subject if isinstance(subject, str) else "",
            # Teams always differ a little; a low chance for that would let chance results of other checks pass.
            chance=found.p if found.is_outlier else 1.0,
            since=own.since,
            before=found.comparable,
            after=found.own,
            low=found.low,
            high=found.high,
            sample=own.facts,
            is_large=is_large and worse > 0 and own.facts >= LEAST_FACTS,
            compared_with=[other for other in others if isinstance(other, int)],
            compared_by=self.rule if isinstance(subject, int) else "",
        )

    @cached_property
    def _usual_spread(self) -> float | None:
        """The median, over the metrics in which teams are compared, of the spread between teams; None for few
        metrics.
        """
        import numpy

        spreads = []
        for detector in DETECTORS:
            if detector.kind == GAP and not detector.of_repositories:
                middles = numpy.array([self._half_year(detector, team).middle for team in self.teams])
                known = middles[~numpy.isnan(middles)]
                if len(known) and (spread := spread_of(known, _most(detector))) is not None:
                    spreads.append(spread)
        return median(spreads) if len(spreads) >= LEAST_METRICS else None

    def _half_year(self, detector: Detector, subject: Subject) -> _HalfYear:
        if (known := self._known.get((detector.key, subject))) is None:
            known = self._known[detector.key, subject] = _HalfYear.of(self._weeks_of(detector, subject)[-HALF_YEAR:])
        return known

    def _least(self, detector: Detector, subject: Subject) -> float:
        """The share by which the subject's value has to differ to be a finding of the detector."""
        place = (subject, "") if isinstance(subject, int) else (None, subject or "")
        return detector.least * self.factors.get((detector.key, *place), 1.0)

    def _comparable(self, detector: Detector, subject: Subject) -> Iterator[Subject]:
        if isinstance(subject, int) and self.comparable is not None:
            yield from self.comparable.get(subject, ())
        elif isinstance(subject, int):
            size, rule = Team(self.teams[subject]), ComparableRule()
            yield from (
                one for one, people in self.teams.items() if one != subject and are_comparable(size, Team(people), rule)
            )
        else:
            names = (name for key, name in self.series if key == detector.metric and isinstance(name, str))
            yield from (
                name
                for name in names
                if name != subject and (not detector.without_context or name in self.with_context)
            )


def _is_large(detector: Detector, before: float, after: float, least: float) -> bool:
    """Whether the detector reports this direction, and the difference is large enough."""
    is_finding = bool(detector.higher if after > before else detector.lower)
    return is_finding and abs(after - before) >= max(detector.at_least, least * abs(before))


def _chance(detector: Detector, point: ChangePoint) -> float:
    """The probability of as clear a change in a direction that the detector reports: half if it reports only one."""
    if detector.higher and detector.lower:
        return point.p
    return point.p / 2 if (detector.higher if point.after > point.before else detector.lower) else 1.0


def _most(detector: Detector) -> float | None:
    return 100.0 if detector.unit_of_measure == UnitOfMeasure.PERCENT else None


def _metrics_of(detector: Detector) -> Sequence[str]:
    return [detector.metric, *detector.part_of]


def _point(
    detector: Detector, values: Sequence[float], known: Sequence[MetricValue], moved_on: date | None
) -> ChangePoint | None:
    if detector.kind == CHANGE:
        return change_point(values)
    if detector.kind == TREND:
        return trend(values, HALF_YEAR)
    later = [position for position, week in enumerate(known) if moved_on and week.window.start >= moved_on]
    return change_at(values, later[0]) if later else None


def _share(week: MetricValue, parts: Sequence[MetricValue]) -> MetricValue:
    """The week's value as a percentage of the sum of `parts`; no value if one of these is hidden."""
    whole = sum(part.value or 0.0 for part in parts)
    if week.withheld or any(part.withheld for part in parts) or not whole:
        return replace(week, value=None, sample_size=0)
    return replace(week, value=100 * (week.value or 0.0) / whole, sample_size=sum(part.sample_size for part in parts))


def _median_of(key: str) -> Statistic | None:
    return Statistic.MEDIAN if Statistic.MEDIAN in get(key).statistics else None
