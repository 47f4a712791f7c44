"""The sheets of a business review: A4 landscape pages that the page, the presentation and the print share.

Everything comes from the document as the viewer may see it.  A sheet holds as much as fits on paper; longer tables and
commentaries continue on further sheets.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from django.urls import reverse

from core.markdown import as_html
from core.page_links import url_with
from insights.catalogue.lead_time_stages import STAGES
from insights.forecasts.listing import NOT_SOON, DeliveryRisk, late_words, moved_words
from insights.formulas.forecast import EVEN
from insights.ui import wording
from insights.ui.amounts import amount_text
from insights.ui.scope_bar import unit_name
from insights.ui.wording import moment
from integrations.delivery.records.initiatives import InitiativeKind
from orgtree.access.access import Access
from orgtree.access.who_sees import AccountNames
from orgtree.models import Person
from programs.closing.pages.frozen import restated_text
from programs.closing.services.figures import Figure, Stage
from programs.closing.services.frozen import FrozenObjective
from programs.closing.services.restated import Restated
from programs.history.events import names_of_accounts
from programs.models import Qbr, QbrPeriod, SectionKey, TicketState
from programs.objectives.pages.labels import HIDDEN, TAGS
from programs.qbr.pages.charts import chart_card
from programs.qbr.pages.figures import FigureCell, figure_cell, judged
from programs.qbr.pages.layout import (
    ACTION_WIDTH,
    NAME_WIDTH,
    RISK_WIDTH,
    WHY_WIDTH,
    Sheet,
    joined,
    paged,
    table_width,
    with_commentary,
    wrapped,
)
from programs.qbr.pages.rows import (
    BottleneckRow,
    DecisionRow,
    DeliveryRow,
    FindingRow,
    Highlight,
    ObjectiveRow,
    PointRow,
    Risk,
    TicketRow,
    ended_in_time,
    lowered,
    results_text,
    score_of,
    verdict_of,
)
from programs.qbr.services.bottlenecks import LEAST_HOURS, BottleneckCost, costliest_bottlenecks
from programs.qbr.services.document import (
    FrozenDecision,
    FrozenFinding,
    MeasuredTicket,
    QbrDocument,
    QbrSectionText,
    QbrTicket,
)
from programs.report.services.document import Recommendation
from programs.templatetags.sheets import Bar

CHARTS_ON_SHEET = 2
NOUNS: Mapping[str, str] = {
    SectionKey.DORA: "DORA metrics",
    SectionKey.AI: "AI figures",
    SectionKey.QUALITY: "quality figures",
    SectionKey.PLANNING: "figures of sprints",
}
NUMBERS = ("none", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
GOOD_SCORE = 0.7
MONTHS_AHEAD = 4
TITLES_A_MONTH = 3
OBJECTIVES_AHEAD = 10  # more do not fit on the sheet
ACTIONS_OF_WAIT = 2
FINDINGS_LISTED = 12
LATE_DAYS = 30  # an action that is overdue for longer is a high risk


@dataclass(frozen=True)
class Review:
    """A document with everything that its sheets and their footers print."""

    title: str
    unit: str
    days: str
    stamp: str  # "Frozen 5 Oct 2026, 09:00"
    frozen_by: str
    sha256: str
    sheets: Sequence[Sheet]
    document: QbrDocument

    @property
    def is_frozen(self) -> bool:
        return self.document.frozen_at is not None


def review_of(
    qbr: Qbr, document: QbrDocument, access: Access, *, restated: Mapping[str, Restated] | None = None
) -> Review:
    """Builds the review with the current names of people and accounts."""
    accounts = names_of_accounts([document.frozen_by, qbr.signed_by_id, *document.written_by])
    maker = _Sheets(qbr, document, access, restated or {}, accounts)
    sheets = joined(list(maker.of_section(section)) for section in document.sections)
    return Review(
        title=review_title(document),
        unit=unit_name(document.unit),
        days=wording.days(document.period.window),
        stamp=_stamp(document),
        frozen_by=accounts[document.frozen_by] if document.frozen_at else "",
        sha256=document.sha256,
        sheets=[replace(sheet, page=number) for number, sheet in enumerate(sheets, 1)],
        document=document,
    )


def review_title(document: QbrDocument) -> str:
    to_date = "" if document.period.is_over else " to date"
    return f"{document.period.name}{to_date}: business review" if to_date else f"{document.period.name} business review"


def _stamp(document: QbrDocument) -> str:
    stamp = f"Frozen {moment(document.frozen_at)}" if document.frozen_at else "Draft"
    return stamp if document.revision == 1 else f"{stamp}, revision {document.revision}"


class _Sheets:
    def __init__(
        self,
        qbr: Qbr,
        document: QbrDocument,
        access: Access,
        restated: Mapping[str, Restated],
        accounts: AccountNames,
    ) -> None:
        self._qbr, self._document, self._restated, self._accounts = qbr, document, restated, accounts
        owned = (
            *(document.objectives, document.tickets, document.decisions, document.decided, document.next_objectives),
        )
        named = (one.owner for records in owned for one in records)
        owners = {owner for owner in named if owner is not None}
        people = Person.objects.filter(pk__in=owners) if access.is_of_account else Person.objects.none()
        self._people = dict(people.values_list("pk", "full_name"))

    def of_section(self, section: QbrSectionText) -> Iterator[Sheet]:
        sheets = self._maker_of(section)(section)
        if not (section.headline or section.commentary or any(self._has_content(sheet) for sheet in sheets)):
            return
        written, beside = with_commentary(sheets, section.commentary)
        for number, sheet in enumerate((*written, *beside), 1):
            yield replace(sheet, number=number)

    def _maker_of(self, section: QbrSectionText) -> Callable[[QbrSectionText], list[Sheet]]:
        makers: Mapping[str, Callable[[QbrSectionText], list[Sheet]]] = {
            SectionKey.HIGHLIGHTS: self._highlights,
            SectionKey.PLANNING: self._planning,
            SectionKey.OBJECTIVES: self._objectives,
            SectionKey.ACTION_PLANS: self._tickets,
            SectionKey.DECIDED: self._decided,
            SectionKey.BOTTLENECKS: self._bottlenecks,
            SectionKey.FINDINGS: self._findings,
            SectionKey.TREND: self._trend,
            SectionKey.NEXT: self._next,
            **dict.fromkeys((SectionKey.WARNINGS, SectionKey.RECOMMENDATIONS, SectionKey.CAVEATS), self._points),
            SectionKey.RISKS: self._risks,
            SectionKey.ASKS: self._asks,
        }
        return makers.get(section.key, self._figures)

    @staticmethod
    def _has_content(sheet: Sheet) -> bool:
        """Whether the sheet has more than its title."""
        content = sheet.content or {}
        return sheet.kind == "highlights" or any(
            content.get(name) for name in ("rows", "cells", "charts", "plan", "objectives", "without", "examined")
        )

    def _highlights(self, section: QbrSectionText) -> list[Sheet]:
        figures = [figure for figure in self._document.figures_of(section) if figure.now.value is not None]
        missing = [figure.name for figure in self._document.figures_of(section) if figure.now.value is None]
        content = {
            "highlights": [self._highlight(figure) for figure in figures],
            "missing": f"Without a figure: {wording.listed(missing)}." if missing else "",
            "glance": self._glance(),
            "covers": self._covers(),
        }
        return [
            Sheet(
                section.key,
                "highlights",
                review_title(self._document),
                section.headline or self._finding(self._dora),
                content,
            )
        ]

    def _highlight(self, figure: Figure) -> Highlight:
        cell = self._cell(figure)
        before = f"{cell.before} in {self._document.before.name}" if cell.before else ""
        change = f"{cell.change.words} vs. {before}." if cell.change and before else ""
        aims = {"target": "on target", "threshold": "within threshold", "neither": "off target"}.get(cell.reached, "")
        parts = [
            (change[:1].upper() + change[1:]) or (f"{before[:1].upper()}{before[1:]}." if before else ""),
            f"{cell.aims}: {aims}." if cell.aims else "",
        ]
        return Highlight(
            cell.value if cell.unit.startswith("/") else cell.reading,
            figure.phrase or figure.name,
            " ".join(filter(None, parts)),
            cell.restated,
        )

    @property
    def _dora(self) -> Sequence[Figure]:
        return [figure for key, figure in self._document.figures.items() if key.startswith("dora.")]

    def _glance(self) -> list[tuple[str, str, str]]:
        """The figures at a glance: label, value, and its sample."""
        document = self._document
        scores = [score for one in document.objectives if not one.is_dropped and (score := score_of(one)) is not None]
        done = sum(ended_in_time(ticket, document) for ticket in document.tickets)
        dora = [judgement for figure in self._dora if (judgement := judged(figure))]
        aimed = [figure.reached for figure in document.figures.values() if figure.reached]
        rows = []
        if scores:
            rows.append(("Objectives, mean score", f"{sum(scores) / len(scores):.1f}", "of 1.0"))
        if document.tickets:
            rows.append(("Actions finished", f"{done:,}", f"of {document.tickets_total:,}"))
        if dora:
            rows.append(("DORA metrics improved", f"{dora.count('better')}", f"of {len(dora)}"))
        if aimed:
            rows.append(("Metrics on target", f"{aimed.count('target')}", f"of {len(aimed)}"))
        if document.teams_without_objective:
            rows.append(("Teams without an objective", f"{len(document.teams_without_objective)}", ""))
        return rows

    def _covers(self) -> str:
        document = self._document
        nouns = {
            "ai.active_developers": "active developer",
            "ai.sessions": "agent session",
            "pr.throughput": "merged PR",
            "incident.count": "incident",
        }
        counted = [
            wording.count(round(figure.now.value), nouns[figure.metric])
            for figure in document.sources
            if figure.now.value is not None
        ]
        writers = [self._accounts[pk] for pk in document.written_by]
        sentences = [
            f"Covers {wording.days(document.period.window)}.",
            ""
            if document.period.is_over
            else f"Counted to {wording.day(document.period.counted_to - timedelta(days=1))}.",
            f"Made from {wording.listed(counted)}." if counted else "",
            f"Prepared by {wording.listed(writers)}." if writers else "",
        ]
        return " ".join(filter(None, sentences))

    def _figures(self, section: QbrSectionText) -> list[Sheet]:
        charts = [
            card
            for chart in self._document.charts_of(section)
            if (card := chart_card(chart, self._document)) is not None
        ]
        content = {
            "cells": [self._cell(figure) for figure in self._document.figures_of(section)],
            "charts": charts[:CHARTS_ON_SHEET],
        }
        finding, title = self._finding(self._document.figures_of(section)), section.headline or self._title(section)
        further = [
            Sheet(
                section.key,
                "figures",
                f"{section.name}, continued",
                content={"cells": [], "charts": charts[start : start + CHARTS_ON_SHEET]},
            )
            for start in range(CHARTS_ON_SHEET, len(charts), CHARTS_ON_SHEET)
        ]
        return [Sheet(section.key, "figures", title, finding, content), *further]

    def _planning(self, section: QbrSectionText) -> list[Sheet]:
        """The figures of sprints, if there were any, and the deliveries that miss their planned day."""
        document = self._document
        has_sprints = any(figure.now.value is not None for figure in document.figures_of(section))
        sheets = self._figures(section) if has_sprints else []
        rows = [self._delivery(risk) for risk in document.delivery_risks]
        if not rows:
            return sheets or [Sheet(section.key, "figures", section.headline or section.name)]
        number = wording.count(len(rows), "delivery misses its", "deliveries miss their")
        title = f"{number} planned day"
        if not has_sprints:
            title = section.headline or title
        lead = "The 85% date by Monte Carlo is later than the day that was planned"
        lead = f"{lead}, as of {wording.day(document.risks_on)}." if document.risks_on else f"{lead}."
        width = table_width("" if has_sprints else section.commentary)
        lines = [max(wrapped(row.name, width * NAME_WIDTH) + 1, wrapped(row.why, width * WHY_WIDTH)) for row in rows]
        content = {"list_url": self._forecasts_url()}
        return [*sheets, *paged(Sheet(section.key, "deliveries", title, lead, content), rows, lines)]

    def _delivery(self, risk: DeliveryRisk) -> DeliveryRow:
        since = f"At risk since {wording.day(risk.since)}" if risk.since else ""
        return DeliveryRow(
            name=f"Version {risk.name}" if risk.kind == InitiativeKind.VERSION else risk.name,
            reference=risk.reference,
            url=url_with(reverse("initiative"), {**self._unit, "kind": risk.kind, "of": risk.key}),
            planned=wording.day(risk.planned_on),
            odds=wording.percent_of(risk.odds, 1.0),
            likely=wording.day(risk.likely_on) if risk.likely_on else NOT_SOON,
            late=late_words(risk),
            why=": ".join(filter(None, (since, moved_words(risk)))),
        )

    def _forecasts_url(self) -> str:
        return f"{url_with(reverse('planning_tab', args=['forecast']), self._unit)}#risks-title"

    @property
    def _unit(self) -> Mapping[str, str]:
        return {"unit": self._document.unit.slug} if self._document.unit else {}

    def _cell(self, figure: Figure) -> FigureCell:
        restated = self._restated.get(figure.metric)
        text = (
            restated_text(
                restated,
                value=figure.now.value,
                unit=figure.unit,
                version=figure.version,
                sample_size=figure.now.sample_size,
            )
            if restated
            else ""
        )
        return figure_cell(figure, self._document, text)

    def _finding(self, figures: Sequence[Figure]) -> str:
        """A sentence that compares with the period before: which metrics improved, got worse, and stayed the same."""
        named: dict[str, list[str]] = {}
        for figure in figures:
            if judgement := judged(figure):
                named.setdefault(judgement, []).append(lowered(figure.name))
        verbs = {"better": "improved", "worse": "got worse", "higher": "rose", "lower": "fell", "steady": "held steady"}
        parts = [f"{wording.listed(named[word])} {verb}" for word, verb in verbs.items() if word in named]
        if not parts:
            return f"Nothing to compare with {self._document.before.name}."
        return f"Against {self._document.before.name}: {'; '.join(parts)}."

    def _objectives(self, section: QbrSectionText) -> list[Sheet]:
        pursued = [one for one in self._document.objectives if not one.is_dropped]
        rows = [self._objective(one) for one in pursued]
        tags = Counter(row.tag.text for row in rows)
        scores = [score for one in pursued if (score := score_of(one)) is not None]
        mean = f"The mean is {sum(scores) / len(scores):.1f}. " if scores else ""
        counted = wording.listed([f"{number} {lowered(text)}" for text, number in tags.items()])
        without = [team.name for team in self._document.teams_without_objective]
        lead = f"{mean}{GOOD_SCORE} is a good result; the mark on each bar shows it."
        if not rows:
            lead = "No objective of this period is visible to you."
        title = section.headline or (f"Objectives: {counted}" if rows else section.name)
        content = {
            "good": GOOD_SCORE,
            "has_values": any(row.target or row.actual for row in rows),
            "without": f"Without an objective: {wording.listed(without)}." if without else "",
        }
        width = table_width(section.commentary)
        lines = [max(wrapped(row.title, width * NAME_WIDTH) + 1, wrapped(row.why, width * WHY_WIDTH)) for row in rows]
        return paged(Sheet(section.key, "objectives", title, lead, content), rows, lines)

    def _objective(self, objective: FrozenObjective) -> ObjectiveRow:
        outcomes = [result for result in objective.key_results if not result.is_guardrail]
        only = outcomes[0] if len(outcomes) == 1 else None
        score = score_of(objective)
        return ObjectiveRow(
            title=objective.title,
            unit=unit_name(objective.unit),
            owner=self._person(objective.owner),
            target=amount_text(only.target, only.unit_of_measure) if only and only.target is not None else "",
            actual=amount_text(only.value, only.unit_of_measure) if only and only.value is not None else "",
            score="–" if score is None else f"{score:.1f}",
            share=score,
            tag=HIDDEN if objective.is_of_few else TAGS[objective.standing],
            why=objective.override_reason or ("" if only else results_text(outcomes)) or objective.why,
        )

    def _tickets(self, section: QbrSectionText) -> list[Sheet]:
        document = self._document
        done = sum(ended_in_time(ticket, document) for ticket in document.tickets)
        late = sum(ticket.days_late > 0 for ticket in document.tickets)
        title = section.headline or (
            f"{done} of {wording.count(document.tickets_total, 'action')} finished, {late} overdue"
            if document.tickets
            else section.name
        )
        more = document.tickets_total - len(document.tickets)
        lead = "The metric is compared over the twelve weeks before an action began and those after its completion."
        if not document.tickets:
            lead = "No action ended in this period or was open by its end."
        elif more > 0:
            lead = f"The first {len(document.tickets)} are listed; {more:,} more are in the action plans. {lead}"
        rows = [self._ticket(ticket) for ticket in document.tickets]
        lines = [wrapped(row.title, table_width(section.commentary) * ACTION_WIDTH) + 1 for row in rows]
        content = {
            "has_effects": any(row.after for row in rows),
            "has_verdicts": any(row.verdict for row in rows),
        }
        return paged(Sheet(section.key, "tickets", title, lead, content), rows, lines)

    def _ticket(self, ticket: QbrTicket) -> TicketRow:
        completed = wording.day(ticket.completed_on) if ticket.completed_on else ticket.state_label
        if ticket.days_late:
            completed = f"{wording.count(ticket.days_late, 'day')} late"
        before, after, effect = "", "", ticket.effect
        if isinstance(ticket, MeasuredTicket) and effect and effect.before is not None and effect.after is not None:
            a_week = " a week" if effect.weekly else ""
            before = amount_text(effect.before, ticket.unit_of_measure)
            after = f"{amount_text(effect.after, ticket.unit_of_measure)}{a_week}"
        return TicketRow(
            title=ticket.title,
            unit=unit_name(ticket.unit),
            owner=self._person(ticket.owner) or "No owner",
            due=wording.day(ticket.due_on),
            completed=completed,
            is_late=ticket.days_late > 0,
            before=before,
            after=after,
            verdict=verdict_of(ticket, self._document),
        )

    def _risks(self, section: QbrSectionText) -> list[Sheet]:
        rows = sorted(self._found_risks(), key=lambda risk: not risk.is_high)
        high = sum(risk.is_high for risk in rows)
        counted = f"{wording.count(len(rows), 'risk')}, {high} of them high" if rows else section.name
        title = section.headline or counted
        lead = "Objectives that are not on track, metrics off their threshold, deliveries at risk, and overdue actions."
        if not rows:
            lead = "Nothing is off track, off its threshold, at risk or overdue."
        lines = [wrapped(row.title, RISK_WIDTH) + wrapped(row.text, RISK_WIDTH) for row in rows]
        columns = 1 if section.commentary else 2
        return paged(Sheet(section.key, "risks", title, lead), rows, [number + 1 for number in lines], columns=columns)

    def _found_risks(self) -> Iterator[Risk]:
        for objective in self._document.objectives:
            if objective.is_dropped or objective.standing not in ("at_risk", "off_track"):
                continue
            if not objective.is_of_few:
                where = unit_name(objective.unit)
                why = objective.override_reason or objective.why
                yield Risk(objective.title, f"{where}. {why}".strip(), objective.standing == "off_track")
        for figure in self._document.figures.values():
            if figure.reached == "neither" and figure.agreement:
                cell = self._cell(figure)
                yield Risk(f"{figure.name} is off target", f"{cell.reading}. {cell.aims}.", is_high=False)
        for risk in self._document.delivery_risks:
            row = self._delivery(risk)
            text = f"{row.reference}. Planned for {row.planned}; the 85% date is {row.late} later."
            yield Risk(f"{row.name} misses its planned day", text, is_high=risk.odds < EVEN)
        for ticket in self._document.tickets:
            if ticket.days_late:
                who = self._person(ticket.owner) or "No owner"
                text = f"{unit_name(ticket.unit)}. Overdue by {wording.count(ticket.days_late, 'day')}. {who}."
                yield Risk(ticket.title, text, ticket.days_late > LATE_DAYS)

    def _asks(self, section: QbrSectionText) -> list[Sheet]:
        """The asks, next to the plan unless another section has it."""
        has_plan = any(other.key == SectionKey.NEXT for other in self._document.sections)
        rows = [self._decision(decision) for decision in self._document.decisions]
        content = {"rows": rows, "plan": [] if has_plan else self._plan(), "has_plan": not has_plan}
        title = f"{wording.count(len(rows), 'decision')} that we ask for" if rows else "What we ask for"
        return [Sheet(section.key, "asks", section.headline or title, "", content)]

    def _decided(self, section: QbrSectionText) -> list[Sheet]:
        document = self._document
        rows = [self._decision(decision) for decision in document.decided]
        done = sum(row.is_done for row in rows)
        title = section.headline or (f"{done} of {wording.count(len(rows), 'decision')} done" if rows else section.name)
        lead = f"What was decided in the review of {document.decided_in}." if rows else ""
        lines = [wrapped(row.title, table_width(section.commentary) * NAME_WIDTH) for row in rows]
        return paged(Sheet(section.key, "decided", title, lead), rows, lines)

    def _decision(self, decision: FrozenDecision) -> DecisionRow:
        state = decision.state_label or "No ticket"
        if decision.completed_on:
            state = f"{state}, {wording.day(decision.completed_on)}"
        return DecisionRow(
            title=decision.title,
            reason=as_html(decision.reason) if decision.reason else "",
            owner=self._person(decision.owner) or "No owner",
            due=wording.day(decision.due_on),
            state=state,
            is_done=decision.state == TicketState.DONE,
        )

    def _bottlenecks(self, section: QbrSectionText) -> list[Sheet]:
        costs = costliest_bottlenecks(self._document)
        most = max((cost.cost for cost in costs), default=0.0)
        title = f"The largest bottleneck cost {wording.counted(round(most), 'hour')} of waiting"
        if most < LEAST_HOURS:
            title = "No wait got longer" if any(cost.before for cost in costs) else section.name
        lead = (
            f"Hours that changes waited longer than in {self._document.before.name}, or in a team longer than is "
            "usual: the difference of a change, times the changes. A team’s hours can be part of a stage’s."
        )
        rows = [self._bottleneck(cost, most) for cost in costs]
        return [Sheet(section.key, "bottlenecks", section.headline or title, lead if rows else "", {"rows": rows})]

    def _bottleneck(self, cost: BottleneckCost, most: float) -> BottleneckRow:
        of, unit = cost.of, None
        if isinstance(of, Stage):
            title, text, url = f"{of.label}: {STAGES[of.key][2]}", self._of_stage(of, cost), ""
            metrics: Sequence[str] = (f"dora.lead_time_{of.key}", f"pr.{of.key}_time")
        else:
            title, text, url = of.title, self._since(of), self._finding_url(of)
            metrics, unit = (of.metric,), of.unit
        actions = [
            f"{ticket.title}. {self._person(ticket.owner) or 'No owner'}, by {wording.day(ticket.due_on)}"
            for ticket in self._document.tickets
            if ticket.metric in metrics and not ticket.is_done and (unit is None or ticket.unit == unit)
        ]
        hours = "–" if cost.hours is None else f"{wording.amount(round(cost.cost))} h"
        bounds = [wording.amount(round(max(0.0, bound))) for bound in (cost.low, cost.high)]
        return BottleneckRow(
            title=title,
            text=text,
            url=url,
            hours=hours,
            between=f"{' to '.join(bounds)} h" if cost.cost and cost.high else "",
            bar=Bar(metrics[0], title, hours, 0.0, cost.cost / most if most else 0.0, is_hot=True),
            actions=actions[:ACTIONS_OF_WAIT],
        )

    def _of_stage(self, stage: Stage, cost: BottleneckCost) -> str:
        """A stage in words: 16.7 h a change, 3.8 h longer than in Q2 2026; 4,132 changes waited 69,000 h in all."""
        wait, name = stage.value or 0.0, self._document.before.name
        a_change = f"{wording.reading(wait, 'seconds')} a change"
        in_all = f"{wording.counted(stage.sample_size, 'change')} waited {wording.amount(round(cost.waited))} h in all."
        if cost.before is None or cost.before.value is None or cost.hours is None:
            return f"{a_change}; {in_all} There is nothing in {name} to compare with."
        if abs(cost.hours) < LEAST_HOURS:
            return f"{a_change}, as in {name}; {in_all}"
        longer = "longer" if cost.hours > 0 else "shorter"
        size = wording.difference(wait - cost.before.value, "seconds")
        return f"{a_change}, {size} {longer} than in {name}; {in_all}"

    @staticmethod
    def _since(finding: FrozenFinding) -> str:
        since = wording.day(finding.since or finding.found_on)
        return f"{wording.counted(round(finding.hours), 'hour')} a month, since {since}."

    def _findings(self, section: QbrSectionText) -> list[Sheet]:
        document = self._document
        rows = [self._found(finding) for finding in document.findings]
        number, ended = wording.count(len(rows), "finding"), sum(row.is_over for row in rows)
        title = section.headline or (f"{number}, {ended} of them closed" if rows else section.name)
        lead = "What changed or stood apart by more than chance, and was open in the period."
        if len(rows) > FINDINGS_LISTED:
            lead = f"{lead} The first {FINDINGS_LISTED} are listed; what costs most hours comes first."
        rows = rows[:FINDINGS_LISTED]
        width = table_width(section.commentary)
        lines = [
            max(wrapped(row.title, width * NAME_WIDTH) + 1, wrapped(row.became, width * WHY_WIDTH)) for row in rows
        ]
        return paged(Sheet(section.key, "findings", title, lead if rows else ""), rows, lines)

    @staticmethod
    def _finding_url(finding: FrozenFinding) -> str:
        state = "closed" if finding.ended_on else "open"
        return url_with(reverse("findings"), {"state": state, "finding": str(finding.id)})

    def _found(self, finding: FrozenFinding) -> FindingRow:
        """The finding's row: its outcome, the reason given, and the actions on its metric in its unit."""
        unit = finding.unit.id if finding.unit else None
        actions = [
            f"{ticket.title}: {lowered(ticket.state_label)}"
            for ticket in self._document.tickets
            if ticket.metric == finding.metric and (ticket.unit.id if ticket.unit else None) == unit
        ]
        is_over, ended = finding.ended_on is not None, f", {wording.day(finding.ended_on)}" if finding.ended_on else ""
        return FindingRow(
            title=finding.title,
            unit=unit_name(finding.unit),
            url=self._finding_url(finding),
            found=wording.day(finding.found_on),
            hours=wording.amount(round(finding.hours)) if finding.hours >= 1 else "",
            state=f"{finding.state_label}{ended}",
            became=". ".join(filter(None, [finding.reason.rstrip("."), *actions[:ACTIONS_OF_WAIT]])),
            is_over=is_over,
        )

    def _trend(self, section: QbrSectionText) -> list[Sheet]:
        cards = [chart_card(chart, self._document) for chart in self._document.charts_of(section)]
        charts = [card for card in cards if card is not None]
        number = max((len(card.bars) for card in charts), default=0)
        noun = "month" if self._document.period.kind == QbrPeriod.MONTH else "quarter"
        title = section.headline or (f"Trend over {wording.count(number, noun)}" if charts else section.name)
        return [Sheet(section.key, "figures", title, "", {"cells": [], "charts": charts})]

    def _points(self, section: QbrSectionText) -> list[Sheet]:
        """The points that the section takes from the executive report, in the report's words."""
        is_recommendation = section.key == SectionKey.RECOMMENDATIONS
        report, points = self._document.report, self._document.points_of(section)
        examined = report.examined if report and is_recommendation else ()
        rows = [
            PointRow(
                title=str(point.title),
                text=str(point.text),
                effect=str(point.effect) if isinstance(point, Recommendation) else "",
                follows=str(point.consequence),
                tag=f"{point.effort.capitalize()} effort" if isinstance(point, Recommendation) else "",
            )
            for point in points
        ]
        lead = str(report.recommended) if report and is_recommendation else ""
        more = "The executive report says what else was examined, and why it is not recommended."
        content = {"rows": rows, "examined": more if examined else ""}
        return [Sheet(section.key, "points", section.headline or section.name, lead, content)]

    def _next(self, section: QbrSectionText) -> list[Sheet]:
        objectives = [
            (one.title, unit_name(one.unit), self._person(one.owner)) for one in self._document.next_objectives
        ]
        content = {
            "plan": self._plan(),
            "objectives": objectives[:OBJECTIVES_AHEAD],
            "more": max(0, len(objectives) - OBJECTIVES_AHEAD),
        }
        return [Sheet(section.key, "next", section.headline or section.name, "", content)]

    def _plan(self) -> list[tuple[str, str]]:
        """Open actions by the month of their due date."""
        months: dict[date, list[str]] = {}
        for ticket in sorted(self._document.tickets, key=lambda ticket: ticket.due_on):
            if not ticket.is_done and ticket.due_on >= self._document.period.counted_to:
                months.setdefault(ticket.due_on.replace(day=1), []).append(ticket.title)
        return [
            (
                f"{month:%b}",
                "; ".join(titles[:TITLES_A_MONTH])
                + (f"; {len(titles) - TITLES_A_MONTH} more" if len(titles) > TITLES_A_MONTH else ""),
            )
            for month, titles in list(months.items())[:MONTHS_AHEAD]
        ]

    def _title(self, section: QbrSectionText) -> str:
        """A title that counts improved and worsened figures; the section's name if there are none."""
        judgements = [judgement for figure in self._document.figures_of(section) if (judgement := judged(figure))]
        better, worse = judgements.count("better"), judgements.count("worse")
        noun = NOUNS.get(section.key, "figures")
        if len(judgements) > 1 and {*judgements} == {"steady"}:
            return f"All {_in_words(len(judgements))} {noun} held steady"
        if not better and not worse:
            return section.name
        number, verb = (better, "improved") if better >= worse else (worse, "got worse")
        return f"{_in_words(number).capitalize()} of {_in_words(len(judgements))} {noun} {verb}"

    def _person(self, pk: int | None) -> str:
        return "" if pk is None else self._people.get(pk, "Deleted account")


def _in_words(number: int) -> str:
    return NUMBERS[number] if number < len(NUMBERS) else f"{number}"
