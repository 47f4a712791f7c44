"""Recommends changes that would make a unit release more often, each with its expected effect in 60 days.

Each expectation is arithmetic over the unit's own weeks of this quarter and the four before it (insights.formulas.
frequency), as visible to somebody who sees only aggregates.  A change is recommended only if its 95 % interval excludes
0, and only to a level that the unit held for a whole quarter of the last year.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import combinations
from statistics import median

from django.db import transaction

from insights.catalogue.registry import find, get
from insights.engine.read import UnitQueries
from insights.formulas.differences import CONFIDENCE
from insights.formulas.frequency import (
    Expected,
    Relation,
    in_proportion,
    in_smaller_batches,
    relation,
    side_by_side,
    together,
)
from insights.privacy.visible import visible_together
from insights.query import windows
from insights.query.query import Answer, Freshness, Granularity, Query, Scope, Window
from insights.ui import wording
from orgtree.access.access import aggregates_access
from orgtree.models import Unit
from programs.closing.services.freezing import frozen_unit
from programs.closing.services.frozen import FrozenDays
from programs.models import TeamReleases
from programs.quarters.fiscal_quarters import quarter_of
from programs.report.services.document import (
    NOTHING,
    Fact,
    Recommendation,
    Sentence,
    SourceKind,
    source,
)
from programs.report.services.wording import BATCH, CHANGES, EFFORTS, FREQUENCY, LARGE, LEVERS, Lever
from programs.teams.queries import teams_on

DAYS = 60
WANTED_LOW, WANTED_HIGH = 0.15, 0.20
MOST = 2
LEAST_WAY = 0.1  # a level at least a tenth below today's is worth the effort
CHANCE = 0.05  # over all relations that are examined
MANY_TEAMS = 3  # with more teams to change, the effort is one class higher
FEWEST_WEEKS_OF_LEVEL = 8
WEEKS_OF_NOW, DAYS_A_WEEK = 13, 7
FURTHEST = 0.5  # of today's level: weekly relations are not extrapolated below half of it
FEWEST_TEAMS = 4  # with fewer, the median says little
MOST_TEAMS = 3  # the largest batches, where smaller ones would help most
NO_RELEASES = Sentence(text="No change can be recommended: no release is known in the weeks examined.")


@dataclass(frozen=True)
class Surroundings:
    """The context of a recommendation: teams that change, open tickets, running experiments, warnings, and failures of
    releases.
    """

    scope: Scope
    quarter: FrozenDays
    teams: Sequence[Unit]
    tickets: int
    experiments: int
    warnings: int
    failures: Sentence
    consequence: Sentence = NOTHING


@dataclass(frozen=True)
class Recommended:
    recommendations: Sequence[Recommendation]
    summary: Sentence
    examined: Sequence[Sentence]


@dataclass(frozen=True)
class _Weeks:
    """Weekly values by metric, for whole weeks; `now` are the latest of them, and `quarters` the ones before."""

    days: Sequence[date]
    values: Mapping[str, Sequence[float | None]]
    now: FrozenDays
    quarters: Sequence[FrozenDays]

    def _is_within(self, day: date, days: FrozenDays) -> bool:
        return days.start <= day < days.end and (days is self.now or day < self.now.start)

    def within(self, key: str, days: FrozenDays) -> list[float]:
        weeks = zip(self.days, self.values[key], strict=True)
        return [value for day, value in weeks if value is not None and self._is_within(day, days)]

    def level(self, key: str, days: FrozenDays) -> float | None:
        """The median over its weeks; None if there are too few."""
        values = self.within(key, days)
        return median(values) if len(values) >= FEWEST_WEEKS_OF_LEVEL else None

    def best(self, key: str) -> tuple[FrozenDays, float] | None:
        """The earlier quarter with the lowest level."""
        levels = [(days, level) for days in self.quarters if (level := self.level(key, days)) is not None]
        return min(levels, key=lambda one: one[1]) if levels else None

    def batches(self, days: FrozenDays) -> list[tuple[float, float]]:
        """Changes and releases of each week that has both."""
        return [
            (changes, releases)
            for day, changes, releases in zip(self.days, self.values[CHANGES], self.values[FREQUENCY], strict=True)
            if changes and releases and self._is_within(day, days)
        ]


@dataclass(frozen=True)
class Examined:
    """A change that is not recommended, and why; `lacks` is the number of further weeks of similar data after which its
    relation would be clear, or None if no number would be enough.
    """

    lever: Lever
    why: Sentence
    lacks: int | None = None


@dataclass(frozen=True)
class Candidate:
    """A change and its expected effect."""

    lever: Lever
    expected: Expected
    text: Sentence
    evidence: Sentence
    team: Unit | None = None  # if it is the only one that has to change


def recommended(quarter: FrozenDays, quarters: Sequence[FrozenDays], around: Surroundings, today: date) -> Recommended:
    """The changes with the largest expected effect, at most two; `quarters` are those before `quarter`."""
    weeks = _read(quarter, quarters, around.scope, today)
    if not any(weeks.values[FREQUENCY]):
        return Recommended([], NO_RELEASES, [])
    candidates: list[Candidate] = []
    examined: list[Examined] = []
    of_teams = batches_of_teams(weeks.now.window, around) if weeks.days else []
    for found in (_of_batches(weeks), *of_teams, *_of_relations(weeks)):
        if isinstance(found, Candidate):
            candidates.append(found)
        else:
            examined.append(found)
    chosen = chosen_of(candidates)
    recommendations = [_recommendation(number, one, around) for number, one in enumerate(chosen, 1)]
    missing = NOTHING if len(chosen) == MOST else missing_of(chosen, candidates, examined)
    return Recommended(recommendations, joined(summary_of(chosen), missing), [one.why for one in examined])


def missing_of(chosen: Sequence[Candidate], candidates: Sequence[Candidate], examined: Sequence[Examined]) -> Sentence:
    """One sentence that says why there are not two, and what a further one would require."""
    number = _weekly(str(len(examined)), len(examined), "changes examined and not recommended", FREQUENCY)
    facts = {"number": number}
    begin = "A second one is not supported: of" if chosen else "Of"
    if others := [one for one in candidates if one not in chosen]:
        best = max(others, key=lambda one: one.expected.share)
        facts["part"] = Fact(text=best.team.name if best.team else best.lever.what, sources=_weeks_of(FREQUENCY))
        shares = "smaller batches of {part}" if best.team else "“{part}”"
        begin = f"A second one is not supported: {shares} would count releases of the first twice, and of"
    others_examined = "{number} other changes examined," if chosen else "{number} changes examined,"
    near = min((one for one in examined if one.lacks is not None), key=lambda one: one.lacks or 0, default=None)
    if near is None:
        needs = "it would take an experiment with deployment frequency as its success metric"
        return Sentence(
            text=f"{begin} {others_examined} none comes near a clear relation to releases; {needs}.", facts=facts
        )
    lacks, how = near.lacks or 0, "weeks × (Student’s t × error ÷ elasticity)² − weeks"
    return Sentence(
        text=f"{begin} {others_examined} “{{what}}” comes nearest, and it would take about {{weeks}} more like those "
        "there are for its relation to releases to be clear.",
        facts={
            **facts,
            "what": Fact(text=near.lever.what, sources=_weeks_of(FREQUENCY, near.lever.metric)),
            "weeks": Fact(text=wording.count(lacks, "week"), value=float(lacks), how=how),
        },
    )


def joined(first: Sentence, second: Sentence) -> Sentence:
    """Both sentences as one text; facts of the second are renamed to stay distinct."""
    if not second:
        return first
    text = second.text
    for name in second.facts:
        text = text.replace(f"{{{name}}}", f"{{second_{name}}}")
    facts = {f"second_{name}": fact for name, fact in second.facts.items()}
    return Sentence(text=f"{first.text} {text}", facts={**first.facts, **facts}, rests_on=first.rests_on)


def chosen_of(candidates: Sequence[Candidate]) -> list[Candidate]:
    """The changes with the largest expected effect, at most two and the larger one first.

    Among choices that reach the wanted change, two changes are preferred to one: two teams can start where otherwise
    the whole unit would have to change.
    """
    ordered = sorted(candidates, key=lambda candidate: -candidate.expected.share)
    pairs = [list(pair) for pair in combinations(ordered, MOST) if not _count_twice(*pair)]
    return max([*pairs, *([one] for one in ordered)], key=_worth, default=[])


def _count_twice(first: Candidate, second: Candidate) -> bool:
    """Whether both count the same releases: the unit's batches include those of its teams, and all relations are over
    the same weeks.
    """
    if first.lever is BATCH and second.lever is BATCH:
        return first.team is None or second.team is None
    return (first.lever is BATCH) == (second.lever is BATCH)


def _worth(chosen: Sequence[Candidate]) -> tuple[int, float]:
    share = _together(chosen).share
    return (len(chosen) if round(share, 2) >= WANTED_LOW else 0), share


def _together(chosen: Sequence[Candidate]) -> Expected:
    add_up = side_by_side if all(one.team for one in chosen) else together
    return add_up([one.expected for one in chosen])


def _read(quarter: FrozenDays, quarters: Sequence[FrozenDays], scope: Scope, today: date) -> _Weeks:
    """Reads only whole weeks: a clipped one has fewer releases for no other reason."""
    first = windows.whole_bucket(min(days.start for days in (quarter, *quarters)), Granularity.WEEK).start
    now = _last_weeks(min(today, quarter.end))
    last = now.end
    keys = [FREQUENCY, CHANGES, *(lever.metric for lever in LEVERS if find(lever.metric))]
    if first >= last:
        return _Weeks([], {key: [] for key in keys}, now, quarters)
    queries = [Query(key, Window(first, last), Granularity.WEEK, scope) for key in keys]
    answers = visible_together(aggregates_access(), series=queries, freshness=Freshness.OF_PAGES).series
    days = [bucket.window.start for bucket in answers[0].series]
    values = {key: _values(answer) for key, answer in zip(keys, answers, strict=True)}
    values[FREQUENCY] = [None if one is None else one * DAYS_A_WEEK for one in values[FREQUENCY]]
    return _Weeks(days, values, now, quarters)


def _last_weeks(until: date) -> FrozenDays:
    """The last 13 whole weeks up to that day."""
    end = windows.whole_bucket(until, Granularity.WEEK).start
    return FrozenDays(f"the last {WEEKS_OF_NOW} weeks", end - timedelta(weeks=WEEKS_OF_NOW), end)


def _values(answer: Answer) -> list[float | None]:
    return [bucket.value for bucket in answer.series]


def _of_batches(weeks: _Weeks) -> Candidate | Examined:
    """A comparison with the earlier quarter with the smallest batches; the interval allows for choosing among several
    quarters.
    """
    now = weeks.batches(weeks.now)
    level = _batch(now)
    earlier = [(days, batches, size) for days in weeks.quarters if (size := _batch(batches := weeks.batches(days)))]
    name = Fact(text=BATCH.act, sources=_weeks_of(FREQUENCY, CHANGES))
    if level is None or not earlier:
        return Examined(BATCH, Sentence(text="{act}: too few weeks with changes and releases.", facts={"act": name}))
    days, batches, size = min(earlier, key=lambda one: one[2])
    found = in_smaller_batches(now, batches, confidence=1 - (1 - CONFIDENCE) / len(earlier))
    facts = {
        "act": name,
        "now": _weekly(f"{level:.2f}", level, "Σ changes ÷ Σ releases over whole weeks", FREQUENCY, CHANGES),
        "then": _weekly(f"{size:.2f}", size, "Σ changes ÷ Σ releases over whole weeks", FREQUENCY, CHANGES),
        "quarter": Fact(text=days.name),
    }
    if found is None or size > level * (1 - LEAST_WAY) or found.low <= 0:
        why = Sentence(
            text="{act}: {now} changes go into a release now, and {then} in {quarter}, the fewest of the quarters "
            "before; that is no clear difference.",
            facts=facts,
        )
        return Examined(BATCH, why)
    return Candidate(
        BATCH,
        found,
        Sentence(
            text="A release holds {now} changes now; in {quarter} it held {then}. The same changes in batches as "
            "small as then would be that many more releases.",
            facts=facts,
        ),
        Sentence(
            text="{weeks} of {quarter} and {others} of this quarter. It assumes that as much is finished as now.",
            facts={
                "weeks": _weekly(wording.count(len(batches), "week"), len(batches), "", FREQUENCY, CHANGES),
                "others": _weekly(str(len(now)), len(now), "", FREQUENCY, CHANGES),
                "quarter": Fact(text=days.name),
            },
        ),
    )


def batches_of_teams(now: Window, around: Surroundings) -> list[Candidate | Examined]:
    """Compares teams whose batches are larger than the median team's with batches of that team's size."""
    totals = _team_totals(now, around.teams)
    if len(totals) < FEWEST_TEAMS:
        return []
    by_size = sorted(totals, key=lambda team: totals[team][0] / totals[team][1])
    middle = by_size[len(by_size) // 2]
    larger = by_size[len(by_size) // 2 + 1 :]
    whole = sum(releases for _, releases in totals.values())
    size = totals[middle][0] / totals[middle][1]
    larger.sort(key=lambda team: totals[team][1] - totals[team][0] / size)
    examined = larger[:MOST_TEAMS]
    weeks = _team_weeks(now, [middle, *examined])
    found = []
    for team in examined:
        expected = in_smaller_batches(weeks[team.pk], weeks[middle.pk], confidence=1 - (1 - CONFIDENCE) / len(examined))
        found.append(_of_team(team, totals[team], size=size, number=len(totals), whole=whole, ratio=expected))
    return found


def store_team_totals(today: date) -> None:
    """Replaces the stored changes and releases of all teams: for the weeks until the last Monday, and for those until
    the last one of the previous quarter, whose report is still read.
    """
    quarter, minimum = quarter_of(today), aggregates_access().fewest_shown
    days = {_last_weeks(quarter.start): quarter.start - timedelta(days=1), _last_weeks(today): today}
    found = [
        TeamReleases(unit=team, until=weeks.end, changes=changes, releases=releases, minimum_people=minimum)
        for weeks, day in days.items()
        for team, (changes, releases) in _read_team_totals(weeks.window, teams_on(day)).items()
    ]
    with transaction.atomic():
        TeamReleases.objects.all().delete()
        TeamReleases.objects.bulk_create(found)


def _team_totals(now: Window, teams: Sequence[Unit]) -> Mapping[Unit, tuple[float, float]]:
    """Changes and releases of each team that has both: as stored in the night, or computed now if none are stored under
    the current rules.
    """
    stored = TeamReleases.objects.filter(until=now.end, minimum_people=aggregates_access().fewest_shown)
    if not stored.exists():
        return _read_team_totals(now, teams)
    by_team = {one.unit_id: (one.changes, one.releases) for one in stored.filter(unit__in=teams)}
    return {team: by_team[team.pk] for team in teams if team.pk in by_team}


def _read_team_totals(now: Window, teams: Iterable[Unit]) -> Mapping[Unit, tuple[float, float]]:
    queries = [Query(key, now) for key in (CHANGES, FREQUENCY)]
    by_pk = {team.pk: team for team in teams}
    read = visible_together(
        aggregates_access(), units=[UnitQueries(queries, [*by_pk])], freshness=Freshness.OF_PAGES
    ).units[0]
    totals = {}
    for pk, answers in read.items():
        changes, often = (answer.total[0] for answer in answers)
        if changes.value and often.numerator:
            totals[by_pk[pk]] = (changes.value, often.numerator)
    return totals


def _team_weeks(now: Window, teams: Sequence[Unit]) -> dict[int, list[tuple[float, float]]]:
    queries = [
        Query(key, now, Granularity.WEEK, Scope(unit=team.slug)) for team in teams for key in (CHANGES, FREQUENCY)
    ]
    answers = visible_together(aggregates_access(), series=queries, freshness=Freshness.OF_PAGES).series
    return {
        team.pk: [
            (changes, often * DAYS_A_WEEK)
            for changes, often in zip(_values(answers[2 * place]), _values(answers[2 * place + 1]), strict=True)
            if changes and often
        ]
        for place, team in enumerate(teams)
    }


def _of_team(
    team: Unit, totals: tuple[float, float], *, size: float, number: int, whole: float, ratio: Expected | None
) -> Candidate | Examined:
    """The effect on all releases, from `ratio`, the effect on the team's; the team's releases are a part of `whole`."""
    changes, releases = totals
    part = releases / whole
    keys = (FREQUENCY, CHANGES)
    facts = {
        "team": Fact(text=team.name, sources=_weeks_of(*keys)),
        "now": _weekly(f"{changes / releases:.2f}", changes / releases, "changes ÷ releases of the team", *keys),
        "middle": _weekly(f"{size:.2f}", size, "changes ÷ releases of the middle team", *keys),
        "teams": _weekly(str(number), number, "teams with changes and releases", *keys),
    }
    if ratio is None or ratio.low <= 0:
        why = "too few weeks to tell" if ratio is None else "no clear difference"
        text = f"{{team}}: a release holds {{now}} changes, the median of {{teams}} teams is {{middle}}; {why}."
        return Examined(BATCH, Sentence(text=text, facts=facts))
    expected = Expected(ratio.share * part, ratio.low * part, ratio.high * part)
    share = 100 * part
    return Candidate(
        BATCH,
        expected,
        Sentence(
            text="A release of {team} holds {now} changes; the median of {teams} teams is {middle}. The same changes "
            "in batches of that size would make more releases.",
            facts=facts,
        ),
        Sentence(
            text="The last {weeks} weeks; {team} makes {part} of all releases. It assumes that as much is finished as "
            "now. Changes count for their authors’ team, releases for the team that owns what is released.",
            facts={
                "team": Fact(text=team.name),
                "weeks": _weekly(str(WEEKS_OF_NOW), WEEKS_OF_NOW, "", *keys),
                "part": _weekly(f"{share:.0f}%", share, "releases of the team ÷ of all teams × 100", *keys),
            },
        ),
        team,
    )


def _batch(weeks: Sequence[tuple[float, float]]) -> float | None:
    if len(weeks) < FEWEST_WEEKS_OF_LEVEL:
        return None
    return sum(changes for changes, _ in weeks) / sum(releases for _, releases in weeks)


def _of_relations(weeks: _Weeks) -> list[Candidate | Examined]:
    levers = [lever for lever in LEVERS if lever.metric in weeks.values]
    return [_of_relation(lever, weeks, len(levers)) for lever in levers]


def _of_relation(lever: Lever, weeks: _Weeks, number: int) -> Candidate | Examined:
    """Examines one of `number` relations, each at a correspondingly stricter significance level."""
    found = relation(weeks.values[FREQUENCY], weeks.values[lever.metric])
    facts = {"act": Fact(text=lever.act, sources=_weeks_of(FREQUENCY, lever.metric))}
    now, best = weeks.level(lever.metric, weeks.now), weeks.best(lever.metric)
    if found is None or not now or best is None:
        why = Sentence(text="{act}: too few weeks with releases and {what}.", facts={**facts, **_named(lever)})
        return Examined(lever, why)
    if found.elasticity >= 0 or not found.is_clear(CHANCE / number):
        why = Sentence(
            text="{act}: over {weeks} weeks, those with {what} show no clear difference in releases.",
            facts={**facts, **_named(lever), "weeks": _weekly(str(found.weeks), found.weeks, "", lever.metric)},
        )
        return Examined(lever, why, found.weeks_lacking(CHANCE / number))
    days, level = best
    unit = get(lever.metric).unit
    level = max(level, now * FURTHEST)
    readings = wording.alike([now, level], unit)
    named = {
        "now": _weekly(str(readings[0]), now, "median of whole weeks", lever.metric),
        "then": _weekly(str(readings[1]), level, "median of whole weeks", lever.metric),
        "quarter": Fact(text=days.name),
        "held": Fact(text="was" if level == best[1] else "fell below"),
    }
    if level > now * (1 - LEAST_WAY) or level <= 0:
        why = Sentence(
            text="{act}: weeks with {what} have more releases, but it stands at {now} already; {quarter}, the best "
            "quarter before, had {then}.",
            facts={**facts, **_named(lever), **{name: one for name, one in named.items() if name != "held"}},
        )
        return Examined(lever, why)
    expected = in_proportion(found, now, level)
    return Candidate(lever, expected, _text_of_relation(lever, named), _evidence_of_relation(lever, found, number))


def _text_of_relation(lever: Lever, facts: Mapping[str, Fact]) -> Sentence:
    return Sentence(
        text="{metric} is {now} now, and {held} {then} in {quarter}. Weeks with {what} have more releases.",
        facts={"metric": Fact(text=get(lever.metric).label), **_named(lever), **facts},
    )


def _evidence_of_relation(lever: Lever, found: Relation, number: int) -> Sentence:
    percent = -found.elasticity * 10
    return Sentence(
        text="Over {weeks} weeks, {ten} less went with {more} more releases. Without a relation, so clear a one would "
        "be seen in less than {chance} of cases; {number} were examined. Both may have another cause.",
        facts={
            "weeks": _weekly(str(found.weeks), found.weeks, "", lever.metric, FREQUENCY),
            "ten": Fact(text="10%", value=10.0, how="the unit of the comparison"),
            "more": _weekly(f"{percent:.1f}%", percent, "elasticity × 10", lever.metric, FREQUENCY),
            "chance": _weekly(f"{CHANCE / number:.1%}", CHANCE / number, "5% ÷ relations", lever.metric, FREQUENCY),
            "number": Fact(text=str(number), value=number, sources=_weeks_of(FREQUENCY), how="relations"),
        },
    )


def _named(lever: Lever) -> dict[str, Fact]:
    return {"what": Fact(text=lever.what)}


def _weeks_of(*keys: str) -> tuple[str, ...]:
    return tuple(source(SourceKind.WEEKS, key) for key in keys)


def _weekly(text: str, value: float, how: str, *keys: str) -> Fact:
    return Fact(text=text, value=float(value), sources=_weeks_of(*keys), how=how or "number of weeks with a value")


def _recommendation(number: int, one: Candidate, around: Surroundings) -> Recommendation:
    effort, why = _effort(one.lever, around, of_team=one.team is not None)
    keys = (FREQUENCY,) if one.lever is BATCH else (one.lever.metric, FREQUENCY)
    return Recommendation(
        key=f"recommendation.{number}",
        title=Sentence(text=one.lever.act)
        if one.team is None
        else Sentence(
            text=f"{{team}}: {one.lever.act[:1].lower()}{one.lever.act[1:]}", facts={"team": Fact(text=one.team.name)}
        ),
        unit=frozen_unit(one.team) if one.team else None,
        text=one.text,
        effect=Sentence(
            text="{share} releases in {days} days (95% interval {low} to {high})",
            facts={**_interval(one.expected, *keys), "days": Fact(text=str(DAYS), value=DAYS, how="the goal")},
        ),
        effort=effort,
        effort_why=why,
        evidence=one.evidence,
        capacity=_capacity(around),
        constraints=_constraints(around),
        consequence=around.consequence,
        metric=one.lever.metric,
    )


def _interval(expected: Expected, *keys: str) -> dict[str, Fact]:
    return {
        name: _weekly(_signed(value), 100 * value, "see the evidence", *keys)
        for name, value in (("share", expected.share), ("low", expected.low), ("high", expected.high))
    }


def _signed(share: float) -> str:
    percent = round(100 * share)
    return f"+{percent}%" if percent > 0 else f"−{-percent}%" if percent < 0 else "0%"


def _effort(lever: Lever, around: Surroundings, *, of_team: bool) -> tuple[str, Sentence]:
    base = lever.effort
    if of_team or len(around.teams) <= MANY_TEAMS:
        return base, Sentence(text=f"{base.capitalize()} effort: {lever.why}.")
    raised = EFFORTS[min(EFFORTS.index(base) + 1, EFFORTS.index(LARGE))]
    number, at = len(around.teams), (source(SourceKind.RECORDS, "teams"),)
    teams = Fact(text=str(number), value=number, sources=at, how="teams on the last day of the quarter")
    return raised, Sentence(
        text=f"{raised.capitalize()} effort: {lever.why}, and {{teams}} teams have to change.", facts={"teams": teams}
    )


def _capacity(around: Surroundings) -> Sentence:
    return Sentence(
        text="{tickets} to do, {experiments} running, {warnings} of load.",
        facts={
            "tickets": _records(around.tickets, "action ticket", "tickets", "open tickets of the unit and below"),
            "experiments": _records(around.experiments, "experiment", "experiments", "those that run today"),
            "warnings": _records(around.warnings, "early warning", "findings", "points above"),
        },
    )


def _records(number: int, noun: str, kind: str, how: str) -> Fact:
    return Fact(
        text=wording.count(number, noun) if number else f"no {wording.plural_of(noun)}",
        value=number,
        sources=(source(SourceKind.RECORDS, kind),),
        how=how,
    )


def _constraints(around: Surroundings) -> Sentence:
    return around.failures or Sentence(
        text="Whether releases fail more often is not known: watch it while it is tried."
    )


def summary_of(chosen: Sequence[Candidate]) -> Sentence:
    """The combined expected effect, compared with the wanted change."""
    wanted = {
        "from": Fact(text=f"{WANTED_LOW * 100:.0f}", value=WANTED_LOW * 100, how="the goal"),
        "to": Fact(text=f"{WANTED_HIGH:.0%}", value=WANTED_HIGH * 100, how="the goal"),
        "days": Fact(text=str(DAYS), value=DAYS, how="the goal"),
    }
    if not chosen:
        return Sentence(
            text="No change can be recommended that would raise deployment frequency by {from}–{to} in {days} days: "
            "the weeks examined support none clearly enough.",
            facts=wanted,
        )
    whole = _together(chosen)
    keys = dict.fromkeys((FREQUENCY, *(one.lever.metric for one in chosen)))
    number = "One recommendation, expected" if len(chosen) == 1 else "Two recommendations, expected together"
    text = f"{number} to change deployment frequency by {{share}} (95% interval {{low}} to {{high}}) in {{days}} days"
    below = "; the interval reaches below {from}%" if round(whole.low, 2) < WANTED_LOW else ""
    if round(whole.share, 2) < WANTED_LOW:
        text += ". The data do not support {from}–{to}."
    elif round(whole.share, 2) > WANTED_HIGH:
        text += f", if it went all the way. {{from}}–{{to}} needs a part of that{below}."
    else:
        text += f". {{from}}–{{to}} is the goal{below}."
    return Sentence(text=text, facts={**_interval(whole, *keys), **wanted})
