"""Findings in simulated organisations: which planted stories are found, what is found without any, and whether the
causes of waits are named.

Weeks are simulated with the spread of facts (durations with a standard deviation of 0.9 in logarithms), and go through
the nightly checks; nothing is stored.
"""

from __future__ import annotations

import math
import os
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

from bench.figures import Measured
from bench.planted_waits import named_in
from insights.catalogue.registry import get
from insights.findings.checks import HALF_YEAR, WEEK, WEEKS, Weeks
from insights.findings.detectors import DETECTORS, GAP, MOVE, TREND, Detector
from insights.findings.night import found_in, look_for_findings
from insights.formulas.review_waits import Cause
from insights.query.query import MetricValue, Window

if TYPE_CHECKING:
    from numpy.random import Generator

    from insights.formulas.arrays import Floats

TEAMS, REPOSITORIES = 10, 12
MONDAY = date(2026, 11, 23)
SINCE = 36  # the week of a planted change, of 52
STORIES = 4  # of an organisation, in teams of their own
STRIDE = 11  # between detectors of one organisation, so that each is of another metric
NIGHTS = 13  # a quarter's, one a week
FACTS = (5, 25)  # of a team and week, at least and below
NIGHT_SECONDS = 300
GOAL_RECALL, GOAL_FALSE, GOAL_WRONG = 0.9, 1.0, 0.05
# What is planted: durations, money and sizes, counts, shares, differences from comparable teams, trends times this.
TIMES, COUNT_TIMES, SHARE_TIMES, GAP_TIMES, TREND_TIMES = 2.2, 1.8, 3.0, 4.0, 3.0
SPREAD = 0.9
PERSON_DAYS = 5  # times the facts of a week, of metrics of shares of many facts
Subject = int | str | None
Series = dict[tuple[str, Subject], Sequence[MetricValue]]


@dataclass(frozen=True)
class Story:
    """A detector's story in one team or repository."""

    detector: Detector
    subject: Subject

    def factor(self, key: str, subject: Subject, week: int, weeks: int) -> float:
        """The factor on the subject's metric in that week, one of the last `weeks`."""
        if (key, subject) != (self.detector.metric, self.subject):
            return 1.0
        times, week = _planted(self.detector), week - (weeks - WEEKS)
        if self.detector.kind == GAP:
            return times
        if self.detector.kind == TREND:
            return 1 + (times - 1) * max(0.0, (week - (WEEKS - HALF_YEAR)) / HALF_YEAR)  # as steadily as a line
        return times if week >= SINCE else 1.0


def findings(*, organisations: int, quiet: int, seed: int = 1) -> list[Measured]:
    """Recall and false findings over `organisations` with four stories each and `quiet` ones without any, and over as
    many teams with each cause of waits.
    """
    found, planted, others = _recall(organisations, seed)
    recalls = {key: found[key] / planted[key] for key in planted}
    share = sum(found.values()) / sum(planted.values())
    missed = ", ".join(f"{key} {recalls[key]:.2f}" for key in sorted(recalls, key=recalls.__getitem__)[:3])
    conditions = f"{organisations} organisations of {TEAMS} teams, {STORIES} stories each; lowest: {missed}"
    false = sum(_found_in_quarter(quiet_seed) for quiet_seed in range(seed, seed + quiet)) * 10 / quiet
    named = [named_in(cause, organisations=max(1, organisations // len(Cause)), seed=seed) for cause in Cause]
    known = [result for result in named if result.cause is not Cause.UNKNOWN]
    waits = sum(result.waits for result in named)
    wrong = sum(result.wrong for result in named) / waits
    right = sum(result.right for result in known) / sum(result.waits for result in known)
    by_cause = "; ".join(
        f"{result.cause} {result.right / result.waits:.2f}/{result.unknown / result.waits:.2f}/"
        f"{result.wrong / result.waits:.2f}"
        for result in named
    )
    worst = min(recalls.values())
    return [
        Measured("findings: stories found", share, "of all", f">= {GOAL_RECALL}", share >= GOAL_RECALL, conditions),
        Measured(
            "findings: least of a detector", worst, "of all", f">= {GOAL_RECALL}", worst >= GOAL_RECALL, conditions
        ),
        Measured(
            *("findings: false beside stories", others / organisations, "findings", "none", None),
            f"in the same {organisations} organisations, in one night",
        ),
        Measured(
            *("findings: false, 10 quiet quarters", false, "findings", f"<= {GOAL_FALSE:.0f}", false <= GOAL_FALSE),
            f"{quiet} organisations without stories, {NIGHTS} weekly looks",
        ),
        Measured(
            *("findings: causes named right", right, "of waits", "none", None),
            f"{waits:,} waits; right/cannot tell/wrong: {by_cause}",
        ),
        Measured(
            *("findings: causes named wrong", wrong, "of waits", f"<= {GOAL_WRONG}", wrong <= GOAL_WRONG),
            "the others are right or cannot tell",
        ),
    ]


def night_of_units(units: int, conditions: str) -> list[Measured]:
    """A whole night in the filled installation: reading, every check, and the causes of review waits."""
    started = time.perf_counter()
    look_for_findings()
    seconds = time.perf_counter() - started
    return [
        Measured(
            *(f"findings: a night of {units:,} units", seconds, "s", f"<= {NIGHT_SECONDS} s", seconds <= NIGHT_SECONDS),
            f"{conditions}; {os.cpu_count()} cores",
        )
    ]


def _recall(organisations: int, seed: int) -> tuple[Counter[str], Counter[str], int]:
    """Counts of stories found and planted, by detector, and the number of other findings."""
    found: Counter[str] = Counter()
    planted: Counter[str] = Counter()
    others = 0
    turns = [DETECTORS[number * STRIDE % len(DETECTORS)] for number in range(organisations * STORIES)]
    for number in range(organisations):
        chosen = {detector.metric: detector for detector in turns[number * STORIES : (number + 1) * STORIES]}
        stories = [
            Story(detector, f"repository-{place}" if detector.of_repositories else place)
            for place, detector in enumerate(chosen.values())
        ]
        weeks = simulated(stories, seed=seed + 10_000 + number)
        results = [(check.detector, check.repository or check.unit) for check in found_in(weeks).findings]
        for story in stories:
            planted[story.detector.key] += 1
            # Several detectors see the same story; it is found if one of them reports that metric and team.
            found[story.detector.key] += any(
                (detector.metric, subject) == (story.detector.metric, story.subject) for detector, subject in results
            )
        expected = {(story.detector.metric, story.subject) for story in stories}
        others += sum((detector.metric, subject) not in expected for detector, subject in results)
    return found, planted, others


def _found_in_quarter(seed: int) -> int:
    """The number of distinct findings when one organisation in which nothing happens is checked over a quarter."""
    weeks = simulated([], weeks=WEEKS + NIGHTS - 1, seed=seed)
    seen = set()
    for night in range(NIGHTS):
        part = replace(weeks, series={key: of[night : night + WEEKS] for key, of in weeks.series.items()})
        seen |= {check.key for check in found_in(part).findings}
    return len(seen)


def simulated(stories: Sequence[Story], *, seed: int, weeks: int = WEEKS) -> Weeks:
    """Ten teams whose metrics differ a little all the time, with these stories; the organisation is all of them.  The
    first four repositories, which may have stories, have no agent context file.
    """
    import numpy

    draw = numpy.random.default_rng(seed)
    metrics = {key: detector for detector in DETECTORS for key in (detector.metric, *detector.part_of)}
    by_repository = {key for one in DETECTORS if one.of_repositories for key in (one.metric, *one.part_of)}
    series: Series = {}
    for key in metrics:
        subjects: list[Subject] = [*range(TEAMS)]
        series |= _of_metric(draw, key, subjects, stories, weeks, is_pooled=True)
        if key in by_repository:
            names: list[Subject] = [f"repository-{number}" for number in range(REPOSITORIES)]
            series |= _of_metric(draw, key, names, stories, weeks, is_pooled=False)
    moved = MONDAY - (WEEKS - SINCE) * WEEK
    moves = {
        story.subject: moved for story in stories if story.detector.kind == MOVE and isinstance(story.subject, int)
    }
    with_context = frozenset(f"repository-{number}" for number in range(STORIES, REPOSITORIES))
    return Weeks(series, dict.fromkeys(range(TEAMS), 7), moves, with_context=with_context)


def _of_metric(
    draw: Generator, key: str, subjects: Iterable[Subject], stories: Sequence[Story], weeks: int, *, is_pooled: bool
) -> Series:
    pooled: Mapping[int, list[Floats]] = defaultdict(list)
    values: dict[Subject, list[float]] = {}
    facts: dict[Subject, list[int]] = {}
    for subject in subjects:
        level = _usual(key) * math.exp(draw.normal(0, 0.15))
        values[subject], facts[subject] = [], []
        for week in range(weeks):
            factor = math.prod(story.factor(key, subject, week, weeks) for story in stories)
            number = int(draw.integers(*FACTS))
            of_week = _facts(draw, key, level * factor, number)
            pooled[week].append(of_week)
            values[subject].append(_value(key, of_week))
            facts[subject].append(len(of_week) if _is_duration(key) else number * PERSON_DAYS)
    series: Series = {(key, subject): _weekly(values[subject], facts[subject]) for subject in values}
    if is_pooled:
        whole = [_pooled(key, pooled[week]) for week in range(weeks)]
        series[key, None] = _weekly(whole, [sum(of[week] for of in facts.values()) for week in range(weeks)])
    return series


def _is_duration(key: str) -> bool:
    return bool(get(key).statistics)


def _is_share(key: str) -> bool:
    return get(key).unit == "percent"


def _usual(key: str) -> float:
    """Shares of a tenth, so that they can triple; ten hours, and counts of twenty."""
    if get(key).unit == "seconds":
        return 36_000.0
    return 90.0 if key == "ai.spend_committed" else 10.0


def _planted(detector: Detector) -> float:
    """Factor of the metric; for a part, the factor by which its share of the whole changes as much."""
    times = _times(detector)
    if not detector.part_of:
        return times
    share = _usual(detector.metric) / sum(map(_usual, detector.part_of))
    return times * (1 - share) / (1 - times * share)


def _times(detector: Detector) -> float:
    if detector.kind == GAP:
        return GAP_TIMES if detector.higher else 1 / GAP_TIMES
    if detector.kind == TREND:
        return TREND_TIMES
    if _is_duration(detector.metric):
        return TIMES
    return SHARE_TIMES if _is_share(detector.metric) or detector.part_of else COUNT_TIMES


def _facts(draw: Generator, key: str, level: float, number: int) -> Floats:
    """The facts of a week around this level: durations, zeros and hundreds of a share, or a count."""
    import numpy

    if _is_duration(key):
        return draw.lognormal(math.log(level), SPREAD, number)
    if _is_share(key):
        return numpy.asarray(100.0 * (draw.random(number * PERSON_DAYS) < min(0.95, level / 100)), dtype=numpy.float64)
    return numpy.array([draw.poisson(2 * level)], dtype=numpy.float64)


def _value(key: str, facts: Floats) -> float:
    import numpy

    return float(numpy.median(facts) if _is_duration(key) else facts.mean())


def _pooled(key: str, parts: Sequence[Floats]) -> float:
    import numpy

    facts = numpy.concatenate(parts)
    return float(numpy.median(facts) if _is_duration(key) else facts.mean() if _is_share(key) else facts.sum())


def _weekly(values: Sequence[float], facts: Sequence[int]) -> list[MetricValue]:
    first = MONDAY - len(values) * WEEK
    return [
        MetricValue(
            Window(first + week * WEEK, first + week * WEEK + timedelta(days=7)), {}, value=value, sample_size=number
        )
        for week, (value, number) in enumerate(zip(values, facts, strict=True))
    ]
