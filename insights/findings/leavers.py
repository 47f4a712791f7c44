"""Teams that people left after a high load: figures of groups only, and only if load preceded leaving in the past.

If clearly more people left a team in the last two quarters than other teams, it is a finding if the team's load was
high in the quarter before, and if in this organisation's own past more people left after quarters of high load than
after others.  Nobody is named or scored, and nothing predicts who may leave next.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import date, timedelta
from statistics import median

from core import sql
from insights.findings.checks import Check
from insights.findings.detectors import OF_LEAVERS, Detector
from insights.findings.thresholds import factors
from insights.formulas.leaving import (
    HIGH,
    LEAST_LEFT,
    TeamQuarter,
    chance_of_leaving,
    difference_of_shares,
    leaving_after_load,
)
from insights.privacy.visible import UnitQueries, visible_together
from insights.query.query import Query, Window
from orgtree.access.access import aggregates_access

QUARTER = timedelta(weeks=13)
QUARTERS = 10  # the last two are examined, the earlier ones are the past
LAST = 2

# (team, people on any day, people who left the organisation from it); whoever returned within a quarter did not leave.
_PEOPLE = """
    SELECT placed.ancestor_id, count(DISTINCT placed.person_id),
           count(DISTINCT placed.person_id) FILTER (WHERE EXISTS (
               SELECT FROM orgtree_employment job
               WHERE job.person_id = placed.person_id AND placed.during @> upper(job.during) - 1
                 AND upper(job.during) > %(start)s AND upper(job.during) <= %(end)s
                 AND NOT EXISTS (
                     SELECT FROM orgtree_employment later
                     WHERE later.person_id = job.person_id AND lower(later.during) >= upper(job.during)
                       AND lower(later.during) < upper(job.during) + 91
                 )
           ))
    FROM orgtree_placement placed
    WHERE placed.ancestor_id = ANY (%(teams)s) AND placed.during && daterange(%(start)s, %(end)s)
    GROUP BY placed.ancestor_id
"""


def leaver_checks(teams: Mapping[int, int], monday: date) -> Iterator[Check]:
    """A check of each of these teams whose load was high before the last two quarters; none if load did not precede
    leaving in the past.
    """
    quarters = [Window(monday - number * QUARTER, monday - (number - 1) * QUARTER) for number in range(QUARTERS, 0, -1)]
    counts = [_people(teams, quarter) for quarter in quarters]
    if sum(left for of_quarter in counts for _, left in of_quarter.values()) < LEAST_LEFT:
        return
    loads, looked_at = _loads(teams, quarters[:-LAST]), QUARTERS - LAST
    recent, moved = _people(teams, Window(quarters[looked_at].start, monday)), factors(monday)
    surest: dict[int, tuple[float, Check]] = {}
    for detector in OF_LEAVERS:
        of_metric = loads[detector.metric]
        past = [
            TeamQuarter(team, number, of_metric[number - 1][team], *counts[number][team])
            for number in range(1, looked_at)
            for team in of_metric[number - 1].keys() & counts[number].keys()
        ]
        found = leaving_after_load(past, signals=len(OF_LEAVERS))
        if found is None or not found.precedes:
            continue
        before = {team: load for team, load in of_metric[looked_at - 1].items() if team in recent}
        for team in _highest(before):
            usual = median(load for other, load in before.items() if other != team)
            factor = moved.get((detector.key, team, ""), 1.0)
            check = replace(
                _check(detector, team, recent, quarters[looked_at].start, factor),
                details={"load": before[team], "usual_load": usual, "past": asdict(found)},
            )
            if team not in surest or found.low > surest[team][0]:
                surest[team] = found.low, check
    yield from (check for _, check in surest.values())


def _highest(loads: Mapping[int, float]) -> Sequence[int]:
    """The third of the teams with the highest load."""
    return sorted(loads, key=lambda team: (-loads[team], team))[: len(loads) // HIGH]


def _people(teams: Mapping[int, int], window: Window) -> Mapping[int, tuple[int, int]]:
    """The people of each team that has at least the minimum group, and how many of them left."""
    rows = sql.rows(_PEOPLE, {"teams": [*teams], "start": window.start, "end": window.end})
    fewest = aggregates_access().minimum_group_size
    return {team: (people, left) for team, people, left in rows if people >= fewest}


def _loads(teams: Mapping[int, int], quarters: Sequence[Window]) -> Mapping[str, Sequence[Mapping[int, float]]]:
    """The load by metric, quarter and team, as a viewer who sees only aggregates may see it."""
    queries = [Query(detector.metric, quarter) for detector in OF_LEAVERS for quarter in quarters]
    [by_unit] = visible_together(aggregates_access(), units=[UnitQueries(queries, [*teams])]).units
    loads: dict[str, list[dict[int, float]]] = {one.metric: [{} for _ in quarters] for one in OF_LEAVERS}
    for team, answers in by_unit.items():
        for answer in answers:
            if answer.total and answer.total[0].value is not None:
                loads[answer.query.key][quarters.index(answer.query.window)][team] = answer.total[0].value
    return loads


def _check(detector: Detector, team: int, recent: Mapping[int, tuple[int, int]], since: date, factor: float) -> Check:
    """Compares the share of people who left with that of all other teams together, with the interval of the
    difference.
    """
    people, left = recent[team]
    others = sum(number for other, (number, _) in recent.items() if other != team)
    others_left = sum(gone for other, (_, gone) in recent.items() if other != team)
    own, usual = left / people, others_left / others if others else 0.0
    low, high = difference_of_shares((left, people), (others_left, others))
    return Check(
        detector=detector,
        unit=team,
        chance=chance_of_leaving(left, people, others_left, others) if others else 1.0,
        since=since,
        before=100 * usual,
        after=100 * own,
        low=100 * low,
        high=100 * high,
        sample=people,
        is_large=low > 0 and own - usual >= detector.least * factor * usual,
        compared_with=[other for other in recent if other != team],
    )
