"""Builds the document of an executive report from today's data, by the declared texts of `wording`."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from functools import cached_property

from django.db.models import Q, QuerySet

from core.seconds import DAY, HOUR, MONTH
from insights.benchmarks.sets import chosen_set
from insights.catalogue.declarations import Metric
from insights.catalogue.lead_time_stages import LEAD_TIME, STAGES, WAITS, bottleneck
from insights.catalogue.registry import find, get
from insights.findings.detectors import BY_KEY, DATA
from insights.findings.words import FindingWords, names_behind, worded
from insights.models import Finding
from insights.models.findings import FindingQuerySet, FindingState
from insights.privacy.stored import read_to_store
from insights.query import windows
from insights.query.query import Answer, Freshness, Granularity, Query, Scope, Statistic, Window
from insights.ui import tiles, wording
from insights.ui.bands import band
from orgtree.access.access import public_access
from orgtree.models import Placement, Unit, UnitPlacement
from programs.closing.services.figures import (
    STAGE_STATISTICS,
    Amount,
    Figure,
    MetricText,
    Period,
    described,
    stages_from,
    value_fields,
)
from programs.closing.services.freezing import frozen_unit
from programs.closing.services.frozen import FrozenDays
from programs.models import (
    Experiment,
    ExperimentVerdict,
    FrozenDocument,
    QbrPeriod,
    Quarter,
    Ticket,
)
from programs.models.qbr import period_name
from programs.models.tickets import OPEN_STATES
from programs.quarters.fiscal_quarters import quarter_among
from programs.report.services.consequences import Consequences, described_once, linked_by_objectives
from programs.report.services.document import (
    BEFORE,
    NOTHING,
    NOW,
    ORGANISATION,
    Fact,
    Point,
    ReportDocument,
    Sentence,
    SourceKind,
    source,
)
from programs.report.services.recommending import Surroundings, recommended
from programs.report.services.wording import (
    ADOPTION,
    DATES,
    DORA,
    HEALTH,
    OTHERS,
    SPEND,
    WAIT_IN_HEADLINE,
    WASTED,
    WORDS,
)
from programs.report.services.wording import WAITS as WAITING
from programs.teams.queries import teams_on

MOST_HIGHLIGHTS, MOST_BOTTLENECKS, MOST_STAGES, MOST_WARNINGS, MOST_CAVEATS = 4, 3, 2, 4, 4
QUARTERS_BEFORE = 4


def report_of(
    unit: Unit | None,
    quarter: Quarter,
    *,
    today: date,
    revision: int = 0,
    frozen_at: datetime | None = None,
    frozen_by: int | None = None,
    freshness: Freshness = Freshness.OF_PAGES,
    parts: Collection[str] = ReportDocument.SECTIONS,
) -> ReportDocument:
    """The report of a unit (None: the whole organisation), or the given parts of it; `visible` restricts it.

    Raises QueryError.
    """
    whole = _Report(unit, quarter, today, freshness).document(revision, frozen_at, frozen_by)
    return described_once(whole.of_parts(parts))


class _Report:
    """Reads once the data that parts of a report share, and builds the parts."""

    def __init__(self, unit: Unit | None, quarter: Quarter, today: date, freshness: Freshness) -> None:
        self._unit, self._quarter, self._today = unit, quarter, today
        self._window = quarter.window
        self._scope = Scope(unit.slug if unit else None)
        self._before = windows.previous(self._window, today=today)
        linked = linked_by_objectives(self._unit_or_below, quarter)
        self._consequences = Consequences(unit, today, linked, self._facts)
        keys = (*DORA, *OTHERS, *(key for pairs in linked.values() for key, _ in pairs))
        self._metrics: Mapping[str, Metric] = {key: metric for key in dict.fromkeys(keys) if (metric := find(key))}
        self._read(freshness)

    def _read(self, freshness: Freshness) -> None:
        def query(key: str, within: Window, statistic: Statistic | None = None) -> Query:
            return Query(key, within, Granularity.WEEK, self._scope, statistic=statistic)

        number = len(self._metrics)
        stages = [(metric, one) for metric, _, _ in STAGES.values() for one in STAGE_STATISTICS.values()]
        answers = read_to_store(
            totals=[
                *(query(key, within) for within in (self._window, self._before) for key in self._metrics),
                *(query(key, self._window, statistic) for key, statistic in stages),
            ],
            series=[query(key, self._window) for key in DORA],
            freshness=freshness,
        )
        values = [answer.total[0] for answer in answers.totals[: 2 * number]]
        self._now = dict(zip(self._metrics, values[:number], strict=True))
        self._earlier = dict(zip(self._metrics, values[number : 2 * number], strict=True))
        self._weeks: Mapping[str, Answer] = dict(zip(DORA, answers.series, strict=True))
        self._stages = stages_from(iter(answers.totals[2 * number :]))

    def document(self, revision: int, frozen_at: datetime | None, frozen_by: int | None) -> ReportDocument:
        delivery = [self._delivery(key) for key in DORA]
        bottlenecks = self._bottlenecks()
        warnings = self._warnings()
        found = recommended(
            self._named(self._quarter), self._quarters_before, self._surroundings(warnings), self._today
        )
        return ReportDocument(
            schema=ReportDocument.schema_versions[-1],
            kind=FrozenDocument.Kind.REPORT.value,
            revision=revision,
            unit=frozen_unit(self._unit) if self._unit else None,
            people=self._people(),
            quarter=Period(
                self._name,
                self._window.start,
                self._window.end,
                kind=QbrPeriod.QUARTER.value,
                counted_to=windows.passed(self._window, today=self._today).end,
            ),
            before=FrozenDays(self._name_before, self._before.start, self._before.end),
            frozen_at=frozen_at,
            frozen_by=frozen_by,
            headline=self._headline(delivery, bottlenecks),
            figures={key: self._figure(key) for key in self._metrics},
            stages=self._stages,
            stage_of=MetricText(**described(get(LEAD_TIME))),
            highlights=tuple(self._highlights(delivery)),
            delivery=tuple(delivery),
            bottlenecks=tuple(bottlenecks),
            warnings=tuple(warnings),
            recommendations=tuple(found.recommendations),
            recommended=found.summary,
            examined=tuple(found.examined),
            caveats=tuple(self._caveats()),
        )

    # The report's subject

    @property
    def _name(self) -> str:
        return period_name(QbrPeriod.QUARTER, self._window.start)

    @cached_property
    def _name_before(self) -> str:
        name = period_name(QbrPeriod.QUARTER, self._before.start)
        whole = windows.previous(self._window, today=self._window.end)
        return name if self._before == whole else f"the first {self._before.days} days of {name}"

    def _named(self, quarter: Quarter) -> FrozenDays:
        return FrozenDays(period_name(QbrPeriod.QUARTER, quarter.start), quarter.start, quarter.end)

    @cached_property
    def _quarters_before(self) -> list[FrozenDays]:
        known, found, day = list(Quarter.objects.filter(start__lt=self._quarter.end)), [], self._quarter.start
        for _ in range(QUARTERS_BEFORE):
            quarter = quarter_among(known, date.fromordinal(day.toordinal() - 1))
            found.append(self._named(quarter))
            day = quarter.start
        return found[::-1]

    @cached_property
    def _below(self) -> QuerySet[UnitPlacement]:
        return UnitPlacement.objects.filter(ancestor=self._unit, during__contains=self._day)

    @property
    def _months(self) -> float:
        return windows.passed(self._window, today=self._today).days * DAY / MONTH

    @property
    def _day(self) -> date:
        return min(self._today, self._window.last_day)

    @property
    def _unit_or_below(self) -> Q:
        """Selects the records of the unit and of the units below it; for the organisation, all records."""
        if self._unit is None:
            return Q()
        return Q(unit=self._unit) | Q(unit__in=self._below.values("unit"))

    def _people(self) -> int | None:
        placed = Placement.objects.filter(during__contains=self._day)
        placed = placed.filter(ancestor=self._unit) if self._unit else placed
        return placed.values("person").distinct().count() or None

    def _surroundings(self, warnings: Sequence[Point]) -> Surroundings:
        teams = teams_on(self._day)
        if self._unit is not None:
            teams = teams.filter(Q(pk=self._unit.pk) | Q(pk__in=self._below.values("unit")))
        tickets = Ticket.objects.filter(self._unit_or_below, state__in=OPEN_STATES)
        running = Experiment.objects.filter(self._unit_or_below).in_state("running", self._today)
        failures = self._delivery("dora.change_failure_rate")
        return Surroundings(
            scope=self._scope,
            quarter=self._named(self._quarter),
            teams=list(teams),
            tickets=tickets.count(),
            experiments=running.count(),
            warnings=len(warnings),
            failures=failures.text if failures.judgement else NOTHING,
            consequence=self._consequences.of((DATES,)),
        )

    # Figures

    def _figure(self, key: str) -> Figure:
        metric, now, before = self._metrics[key], self._now[key], self._earlier[key]
        published = chosen_set(public_access().organisation.benchmark_set)
        return Figure(
            **described(metric),
            phrase="",
            now=Amount(**value_fields(now)),
            before=Amount(**value_fields(before)),
            threshold=None,
            target=None,
            higher_is_better=None,
            band=band(published, key, now, metric.statistic),
            band_before=band(published, key, before, metric.statistic),
        )

    def _facts(self, key: str) -> dict[str, Fact]:
        """The values now and before, their difference and its share, as far as known; empty for a metric that does not
        exist.
        """
        if key not in self._metrics:
            return {}
        now, before = self._now[key].value, self._earlier[key].value
        unit = self._metrics[key].unit
        at = {when: source(SourceKind.METRIC, key, when) for when in (NOW, BEFORE)}
        facts = {"quarter": Fact(text=self._name_before)}
        known = {name: value for name, value in ((NOW, now), (BEFORE, before)) if value is not None}
        readings = dict(zip(known, wording.alike([*known.values()], unit), strict=True))
        for name, value in known.items():
            facts[name] = Fact(text=str(readings[name]), value=value, sources=(at[name],))
        if now is None or before is None:
            return facts
        both = (at[NOW], at[BEFORE])
        size = wording.difference(now - before, unit)
        facts["size"] = Fact(text=size, value=abs(now - before), sources=both, how="|now − before|")
        if before:
            share = abs(now - before) / abs(before)
            text = wording.percent_of(share, 1)
            facts["share"] = Fact(text=text, value=100 * share, sources=both, how="|now − before| ÷ before × 100")
        return facts

    def _judgement(self, key: str) -> str:
        """The judgement (better, worse or steady) of the metric's tile; empty if there is nothing to compare."""
        metric = self._metrics[key]
        change = tiles.change(metric, self._now[key], self._earlier[key], "", self._weeks[key].series)
        return change.judgement if change and change.judgement in ("better", "worse", "steady") else ""

    # Parts

    def _delivery(self, key: str) -> Point:
        words, facts, judgement = WORDS[key], self._facts(key), self._judgement(key)
        rests = (source(SourceKind.METRIC, key, NOW), source(SourceKind.METRIC, key, BEFORE))
        if NOW not in facts:
            text = Sentence(text="{reason}", facts={"reason": Fact(text=self._now[key].reason or "No data.")})
        elif not judgement:
            text = Sentence(text="There is nothing in {quarter} to compare with.", facts=facts)
        else:
            declared = {"better": words.better, "worse": words.worse, "steady": words.steady}[judgement]
            needed = "{share}" in declared and "share" not in facts
            text = Sentence.of(words.steady if needed else declared, facts, rests)
        return Point(
            key=f"delivery.{key}",
            title=Sentence(text=self._metrics[key].label),
            figure=Sentence(text="{now}", facts={NOW: facts[NOW]}) if NOW in facts else NOTHING,
            text=text,
            judgement=judgement,
            consequence=self._consequences.of(words.concerns, key) if judgement in ("better", "worse") else NOTHING,
        )

    def _highlights(self, delivery: Sequence[Point]) -> list[Point]:
        """Metrics that got better, largest shares first, then experiments, then agents."""
        found = []
        better = [key for key, point in zip(DORA, delivery, strict=True) if point.judgement == "better"]
        better.sort(key=lambda key: -(self._facts(key)["share"].value or 0.0) if "share" in self._facts(key) else 0.0)
        for key in better:
            words, facts = WORDS[key], self._facts(key)
            if "share" not in facts:
                continue
            found.append(
                Point(
                    key=f"highlight.{key}",
                    figure=Sentence.of(words.highlight, facts),
                    title=Sentence.of(words.phrase, facts),
                    text=Sentence.of("{now} now, after {before} in {quarter}.", facts),
                    judgement="better",
                    consequence=self._consequences.of(words.concerns, key),
                )
            )
        found += self._experiments()
        found += self._of_agents()
        return found[:MOST_HIGHLIGHTS]

    def _experiments(self) -> list[Point]:
        """Experiments that ended in the quarter with the verdict *Better* and no worse guard rail."""
        window = self._window
        worked = Experiment.objects.filter(
            self._unit_or_below,
            result__verdict=ExperimentVerdict.BETTER,
            ends_on__gt=window.start,
            ends_on__lte=window.end,
        )
        points = []
        for one in worked.select_related("result", "unit").order_by("-ends_on", "pk")[:MOST_HIGHLIGHTS]:
            metric, result = find(one.metric), one.result
            failed = any(rail.get("verdict") == ExperimentVerdict.WORSE for rail in result.guard_rails)
            if metric is None or result.effect is None or result.low is None or result.high is None or failed:
                continue
            at = (source(SourceKind.EXPERIMENT, one.pk),)
            low, high = sorted(abs(edge) for edge in (result.low, result.high))
            sizes = {"size": abs(result.effect), "low": low, "high": high}
            facts = {
                **{name: Fact(text=_size(size, metric.unit), value=size, sources=at) for name, size in sizes.items()},
                "teams": Fact(
                    text=wording.count(len(one.treated), "team"), value=len(one.treated), sources=at, how="treated"
                ),
                "title": Fact(text=one.title, sources=at),
                "metric": Fact(text=metric.label_within),
            }
            points.append(
                Point(
                    key=f"highlight.experiment.{one.pk}",
                    figure=Sentence.of("{size}", facts),
                    title=Sentence.of("better in {metric} after “{title}”", facts),
                    text=Sentence.of(
                        "{teams} tried it; beside those that did not, the difference is {low} to {high} (95% "
                        "interval).",
                        facts,
                    ),
                    judgement="better",
                    consequence=self._consequences.of((), one.metric),
                    unit=frozen_unit(one.unit) if one.unit else None,
                )
            )
        return points

    def _of_agents(self) -> list[Point]:
        points = []
        adoption = self._facts(ADOPTION)
        before = adoption.get(BEFORE)
        if NOW in adoption and (before is None or before.text != adoption[NOW].text):
            points.append(
                Point(
                    key=f"highlight.{ADOPTION}",
                    figure=Sentence.of("{now}", adoption),
                    title=Sentence(text="of developers with an agent use it"),
                    text=Sentence.of(
                        "It was {before} in {quarter}." if BEFORE in adoption else "It is the first quarter with data.",
                        adoption,
                    ),
                    consequence=self._consequences.cost(),
                )
            )
        wasted, spend = (self._facts(key) for key in (WASTED, SPEND))
        if NOW in wasted and spend.get(NOW) and (of := spend[NOW].value):
            share = 100 * (wasted[NOW].value or 0.0) / of
            at = (*wasted[NOW].sources, *spend[NOW].sources)
            text = wording.percent_of(share, 100)
            facts = {**wasted, "part": Fact(text=text, value=share, sources=at, how="wasted ÷ spend × 100")}
            points.append(
                Point(
                    key=f"highlight.{WASTED}",
                    figure=Sentence.of("{now}", facts),
                    title=Sentence.of("of AI spend led to no change, {part}", facts),
                    text=Sentence(text="The sessions behind it ended without a change that was kept."),
                    consequence=self._consequences.cost(),
                )
            )
        return points

    def _bottlenecks(self) -> list[Point]:
        """The bottleneck of lead time first, then others by the hours a month that changes wait."""
        weighed = [(hours, point) for hours, point in (*self._waits(), *self._of_findings())]
        held = bottleneck({stage.key: stage.figures for stage in self._stages}).held
        weighed.sort(key=lambda one: (one[1].key != f"bottleneck.{held}", -one[0]))
        kept: list[Point] = []
        for _, point in weighed:
            of_stages = sum(one.key.startswith("bottleneck.") for one in kept)
            if point.key.startswith("bottleneck.") and of_stages >= MOST_STAGES and len(weighed) > MOST_BOTTLENECKS:
                continue
            kept.append(point)
        return kept[:MOST_BOTTLENECKS]

    def _waits(self) -> list[tuple[float, Point]]:
        """Hours a month and point of each wait, by the mean without the slowest 5 %, as in a business review."""
        whole = [stage.value * stage.sample_size for stage in self._stages if stage.value is not None]
        rests = tuple(source(SourceKind.STAGE, stage.key) for stage in self._stages)
        found = []
        for stage in self._stages:
            if stage.key not in WAITS or not stage.value or not sum(whole):
                continue
            at, hours = (source(SourceKind.STAGE, stage.key),), stage.value * stage.sample_size / HOUR / self._months
            share = 100 * stage.value * stage.sample_size / sum(whole)
            facts = {
                "hours": Fact(
                    text=wording.counted(round(hours), "hour"),
                    value=hours,
                    sources=at,
                    how="mean without the slowest 5% × changes ÷ months",
                ),
                "each": Fact(text=str(wording.reading(stage.value, "seconds")), value=stage.value, sources=at),
                "changes": Fact(
                    text=wording.counted(stage.sample_size, "change"),
                    value=stage.sample_size,
                    sources=at,
                    how="changes with all stages",
                ),
                "share": Fact(
                    text=wording.percent_of(share, 100), value=share, sources=rests, how="of the means of all stages"
                ),
            }
            found.append(
                (
                    hours,
                    Point(
                        key=f"bottleneck.{stage.key}",
                        figure=Sentence.of("{hours} a month", facts),
                        title=Sentence(text=f"Changes wait {WAITING[stage.key]}"),
                        text=Sentence.of(
                            "{each} each, over {changes}: {share} of the time from first line of code to users.",
                            facts,
                            rests,
                        ),
                        consequence=self._consequences.of((DATES,), f"pr.{stage.key}_time"),
                    ),
                )
            )
        return found

    def _of_findings(self) -> list[tuple[float, Point]]:
        """Hours a month and point of each finding of a unit below that has a cost."""
        found = []
        for finding, words in self._findings:
            if not words.is_worse or words.hours < 1 or finding.metric in HEALTH or finding.unit == self._unit:
                continue
            at = (source(SourceKind.FINDING, finding.pk),)
            hours = Fact(
                text=wording.counted(round(words.hours), "hour"),
                value=words.hours,
                sources=at,
                how="difference × facts a month",
            )
            found.append(
                (
                    words.hours,
                    Point(
                        key=f"finding.{finding.pk}",
                        figure=Sentence(text="{hours} a month", facts={"hours": hours}),
                        title=_title_of(finding),
                        text=Sentence(text="To try: {act}", facts={"act": Fact(text=words.to_try)}),
                        judgement="worse",
                        consequence=self._consequences.of((DATES,), finding.metric, finding.unit),
                        unit=frozen_unit(finding.unit) if finding.unit else None,
                    ),
                )
            )
        return found

    def _warnings(self) -> list[Point]:
        """Load, work in progress, and reviews done by few people, for teams of at least the minimum group size."""
        return [
            Point(
                key=f"warning.{finding.pk}",
                title=_title_of(finding),
                text=Sentence(text="{reading}", facts={"reading": Fact(text=words.reading)}),
                judgement="worse",
                consequence=self._consequences.of((), finding.metric, finding.unit),
                unit=frozen_unit(finding.unit) if finding.unit else None,
            )
            for finding, words in self._findings
            if finding.metric in HEALTH and words.is_worse
        ][:MOST_WARNINGS]

    def _caveats(self) -> list[Point]:
        points = []
        if windows.passed(self._window, today=self._today) != self._window:
            days = windows.passed(self._window, today=self._today).days
            points.append(
                _caveat(
                    "to_date",
                    "The quarter is not over",
                    Sentence(
                        text="Its first {days} are compared with as many of the quarter before.",
                        facts={"days": Fact(text=wording.count(days, "day"), value=days, how="days that have passed")},
                    ),
                )
            )
        for key in DORA:
            metric, value = self._metrics[key], self._now[key]
            if value.value is not None and value.sample_size < metric.minimum_sample:
                sample = wording.counted(value.sample_size, metric.fact)
                facts = {
                    "sample": Fact(
                        text=sample,
                        value=value.sample_size,
                        sources=(source(SourceKind.METRIC, key, NOW),),
                        how="number of facts",
                    ),
                    "minimum": Fact(text=str(metric.minimum_sample), value=metric.minimum_sample, how="of the metric"),
                }
                text = Sentence.of("It rests on {sample}; {minimum} make it stable.", facts)
                points.append(_caveat(f"small.{key}", f"{metric.label} has few facts", text))
        for finding, words in self._findings_of_data:
            at = (source(SourceKind.FINDING, finding.pk, ORGANISATION),)
            points.append(
                Point(
                    key=f"caveat.{finding.pk}",
                    title=_title_of(finding, at),
                    text=_effects_of(finding, at) or Sentence(text=words.to_try),
                )
            )
        return points[:MOST_CAVEATS]

    def _headline(self, delivery: Sequence[Point], bottlenecks: Sequence[Point]) -> Sentence:
        """A headline of what got better and what got worse; else of where changes wait."""
        good, bad = (
            [key for key, point in zip(DORA, delivery, strict=True) if point.judgement == judgement]
            for judgement in ("better", "worse")
        )
        first = wording.listed([WORDS[key].good for key in good[:2]])
        held = next(
            (one.key.removeprefix("bottleneck.") for one in bottlenecks if one.key.startswith("bottleneck.")), ""
        )
        held = held if bottleneck({stage.key: stage.figures for stage in self._stages}).held == held else ""
        second = WORDS[bad[0]].bad if bad else WAIT_IN_HEADLINE.get(held, "")
        rests = [source(SourceKind.METRIC, key, when) for key in (*good[:2], *bad[:1]) for when in (NOW, BEFORE)]
        if held and not bad:
            rests += [source(SourceKind.STAGE, stage.key) for stage in self._stages]
        text = ", but ".join(filter(None, (first, second))) or "delivery is about as it was in the quarter before"
        if all(self._now[key].value is None for key in DORA):
            text = "there is not enough data about delivery in this quarter"
        return Sentence(text=text[:1].upper() + text[1:], rests_on=tuple(rests))

    # Findings

    @cached_property
    def _findings(self) -> list[tuple[Finding, FindingWords]]:
        """Findings of the unit and the units below it, without those about data, by hours, most first."""
        found = self._in_words(Finding.objects.by_rules_in_force().filter(self._unit_or_below))
        return [pair for pair in found if BY_KEY[pair[0].detector].kind != DATA]

    @cached_property
    def _findings_of_data(self) -> list[tuple[Finding, FindingWords]]:
        found = self._in_words(Finding.objects.by_rules_in_force().filter(unit=None))
        return [pair for pair in found if BY_KEY[pair[0].detector].kind == DATA]

    def _in_words(self, findings: FindingQuerySet) -> list[tuple[Finding, FindingWords]]:
        """Findings that held in the quarter and that nobody dismissed, in words."""
        window = self._window
        stood = findings.filter(Q(ended_on=None) | Q(ended_on__gt=window.start), since__lt=window.end)
        stood = stood.exclude(state=FindingState.DISMISSED).newest_first()
        listed = [*stood]
        names = names_behind(listed)
        found = [(finding, words) for finding in listed if (words := worded(finding, names)) is not None]
        return sorted(found, key=lambda pair: -pair[1].hours)


def _size(size: float, unit: str) -> str:
    text = wording.difference(size, unit)
    return f"{text} {unit}" if unit in ("lines", "tokens") else text


def _caveat(key: str, title: str, text: Sentence) -> Point:
    return Point(key=f"caveat.{key}", title=Sentence(text=title), text=text)


def _title_of(finding: Finding, at: tuple[str, ...] = ()) -> Sentence:
    """The finding's declared title, with its numbers as facts."""
    detector, at = BY_KEY[finding.detector], at or (source(SourceKind.FINDING, finding.pk),)
    unit = detector.unit_of_measure
    share = abs(finding.after - finding.before) / abs(finding.before) if finding.before else 0.0
    name = f"the repository {finding.repository}" if finding.repository else ""
    facts = {
        "unit": Fact(text=name or (finding.unit.name if finding.unit else "the organisation"), sources=at),
        "before": Fact(text=str(wording.reading(finding.before, unit)), value=finding.before, sources=at),
        "after": Fact(text=str(wording.reading(finding.after, unit)), value=finding.after, sources=at),
        "share": Fact(
            text=wording.percent_of(share, 1), value=100 * share, sources=at, how="|after − before| ÷ before × 100"
        ),
        "day": Fact(text=wording.day(finding.since), sources=at),
    }
    return Sentence.of(detector.higher if finding.after > finding.before else detector.lower, facts)


def _effects_of(finding: Finding, at: tuple[str, ...]) -> Sentence:
    """The first figure that the finding affects."""
    for effect in finding.details.get("effects", ()):
        metric = find(effect["metric"])
        if metric is None:
            continue
        facts = {
            name: Fact(text=str(wording.reading(effect[name], metric.unit)), value=effect[name], sources=at)
            for name in ("value", "low", "high")
        }
        facts["metric"] = Fact(text=metric.label)
        return Sentence.of("{metric}: {value} now, and anything from {low} to {high} if nothing were missing.", facts)
    return NOTHING
