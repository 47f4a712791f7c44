"""Reads the document of a business review for one viewer: without values that would tell of few people.

What is hidden is decided here, by the rules of the day of reading; pages, print, PDF, CSV and API show nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from insights.catalogue.lead_time_stages import Bottleneck, StageFigures, bottleneck
from insights.query.query import Window
from insights.ui.agreements import Agreement
from insights.ui.tiles import Band, Reached
from orgtree.access.access import Access
from programs.closing.services.frozen import (
    FrozenObjective,
    FrozenUnit,
    content_of_document,
    read_objectives,
    why_hidden,
)
from programs.models import Qbr, Ticket
from programs.qbr.services.content import READ_VERSIONS, content_of
from programs.qbr.services.sections import SOURCES

FEWEST = 1  # as many people as a value counts for that would tell of few beside other values


@dataclass(frozen=True)
class Amount:
    """A value as this viewer may see it; where it is None, `reason` says why, and `hidden` that they may not."""

    value: float | None
    sample_size: int
    people: int
    reason: str
    hidden: bool = False


@dataclass(frozen=True)
class Figure:
    """A metric's figure of the period and of the one before; `unit` and `better` are those of tiles.Judged."""

    key: str
    name: str
    phrase: str
    version: int
    formula: str
    unit: str
    better: str
    statistic: str
    minimum_sample: int
    now: Amount
    before: Amount
    threshold: float | None
    target: float | None
    higher_is_better: bool
    band: Band | None
    band_before: Band | None

    @property
    def agreement(self) -> Agreement | None:
        """Threshold and target of that day."""
        if self.threshold is None and self.target is None:
            return None
        return Agreement(self.threshold, self.target, None, None, "", "", self.unit, self.higher_is_better)

    @property
    def reached(self) -> Reached:
        agreement = self.agreement
        return agreement.reached(self.now.value) if agreement and self.now.value is not None else ""


@dataclass(frozen=True)
class Part:
    """A bar of a chart: a stage, an agent, a unit, or a week (`day`)."""

    key: str
    label: str
    amount: Amount
    stage: StageFigures | None = None
    day: date | None = None
    to_date: bool = False

    @property
    def week_or_label(self) -> str:
        return self.day.isoformat() if self.day else self.label


@dataclass(frozen=True)
class Chart:
    """`rows` is one series of parts; of lead time's stages the period and the one before it."""

    kind: str
    figure: Figure
    rows: Sequence[Sequence[Part]]

    @property
    def parts(self) -> Sequence[Part]:
        return self.rows[0] if self.rows else ()

    @property
    def bottleneck(self) -> Bottleneck | None:
        """The bottleneck of lead time in the period; None for other charts than of its stages."""
        return (
            bottleneck({part.key: part.stage for part in self.parts if part.stage}) if self.kind == "stages" else None
        )


@dataclass(frozen=True)
class QbrTicket:
    """`owner` is a person's id; `before` and `after` are None where nothing was measured or may be seen."""

    id: int
    title: str
    unit_name: str
    owner: int | None
    due_on: date
    completed_on: date | None
    state: str
    state_label: str
    days_late: int
    metric_name: str
    unit: str  # of measure
    better: str
    before: float | None
    after: float | None
    change_low: float | None
    change_high: float | None
    measured_on: date | None  # the earliest day

    @property
    def is_done(self) -> bool:
        return self.state == "done"


@dataclass(frozen=True)
class QbrSectionText:
    key: str
    name: str
    headline: str
    commentary: str
    figures: Sequence[Figure]
    charts: Sequence[Chart]


@dataclass(frozen=True)
class QbrDocument:
    """`frozen_by` and `written_by` are accounts' ids; of a draft `frozen_at` is None."""

    unit_id: int | None
    unit_name: str
    period: str
    period_name: str
    window: Window
    counted_to: date
    before_name: str
    before: Window
    frozen_at: datetime | None
    frozen_by: int | None
    written_by: Sequence[int]
    sections: Sequence[QbrSectionText]
    figures: Mapping[str, Figure]
    objectives: Sequence[FrozenObjective]
    teams_without_objective: Sequence[FrozenUnit]
    tickets: Sequence[QbrTicket]
    tickets_total: int
    sha256: str

    @property
    def is_over(self) -> bool:
        """Whether the whole period is counted."""
        return self.counted_to >= self.window.end

    @property
    def all_figures(self) -> Sequence[Figure]:
        return list(self.figures.values())

    @property
    def sources(self) -> Sequence[Figure]:
        return [self.figures[key] for key in SOURCES if key in self.figures]


def document_of(qbr: Qbr, access: Access, *, today: date) -> QbrDocument:
    """The frozen document, or today's figures of a draft.  Raises FrozenDocumentError, QueryError."""
    if qbr.document is None:
        sections = list(qbr.sections.filter(is_included=True).order_by("position"))
        return read_content(content_of(qbr, sections, today=today), access)
    return read_content(content_of_document(qbr.document, *READ_VERSIONS), access, sha256=qbr.document.sha256)


def read_content(content: Mapping[str, Any], access: Access, *, sha256: str = "") -> QbrDocument:
    """Three queries."""
    unit = content["unit"] or {"id": None, "name": ""}
    figures = {key: _figure(entry, unit["id"], access) for key, entry in content["figures"].items()}
    tickets = [entry["id"] for entry in content["tickets"]]
    readable = set(Ticket.objects.within(access.visibility).filter(pk__in=tickets).values_list("pk", flat=True))
    period, before = content["period"], content["before"]
    return QbrDocument(
        unit_id=unit["id"],
        unit_name=unit["name"],
        period=period["kind"],
        period_name=period["name"],
        window=_window(period),
        counted_to=date.fromisoformat(period["counted_to"]),
        before_name=before["name"],
        before=_window(before),
        frozen_at=datetime.fromisoformat(content["frozen_at"]) if content["frozen_at"] else None,
        frozen_by=content["frozen_by"],
        written_by=content["written_by"],
        sections=[_section(entry, content, figures, unit["id"], access) for entry in content["sections"]],
        figures=figures,
        objectives=read_objectives(content["objectives"], access),
        teams_without_objective=[
            FrozenUnit(**team) for team in content["teams_without_objective"] if access.visibility.can_see(team["id"])
        ],
        tickets=[_ticket(entry, access) for entry in content["tickets"] if entry["id"] in readable],
        tickets_total=content["tickets_total"] - len(tickets) + len(readable),
        sha256=sha256,
    )


def _section(
    entry: Mapping[str, Any],
    content: Mapping[str, Any],
    figures: Mapping[str, Figure],
    unit_id: int | None,
    access: Access,
) -> QbrSectionText:
    return QbrSectionText(
        key=entry["key"],
        name=entry["name"],
        headline=entry["headline"],
        commentary=entry["commentary"],
        figures=[figures[key] for key in entry["figures"]],
        charts=[_chart(name, content, figures, unit_id, access) for name in entry["charts"]],
    )


def _chart(
    name: str, content: Mapping[str, Any], figures: Mapping[str, Figure], unit_id: int | None, access: Access
) -> Chart:
    kind, _, key = name.partition(":")
    described, drawn = content["figures"][key], content["charts"][name]
    names_ai = kind == "by_agent"
    if names_ai:  # whose agent it was is told by no tool
        described = {**described, "open_as_in_tools": False}
    rows = drawn if kind == "stages" else [drawn]
    read = [[_part(entry, described, unit_id, access) for entry in row] for row in rows]
    if kind == "by_unit":
        read = [[part for part in row if part.amount.value is not None or part.amount.hidden] for row in read]
    return Chart(kind, figures[key], [_all_or_none(row) for row in read] if kind == "stages" else read)


def _all_or_none(parts: Sequence[Part]) -> Sequence[Part]:
    """Parts of a sum: where one is missing, the others are no whole."""
    return parts if all(part.amount.value is not None for part in parts) else ()


def _part(entry: Mapping[str, Any], described: Mapping[str, Any], unit_id: int | None, access: Access) -> Part:
    of_unit = entry.get("id", unit_id)
    amount = _amount(entry, described, of_unit, access)
    return Part(
        key=entry.get("key") or entry.get("agent") or entry.get("slug") or "",
        label=entry.get("label") or entry.get("name") or "",
        amount=amount,
        stage=_stage(entry, amount) if "key" in entry else None,
        day=date.fromisoformat(entry["day"]) if "day" in entry else None,
        to_date=entry.get("to_date", False),
    )


def _stage(entry: Mapping[str, Any], amount: Amount) -> StageFigures:
    """A document of schema 1 has the mean as its value, and nothing beside it."""
    if amount.hidden:
        return StageFigures(None, None, None, 0, hidden=True)
    if "mean" not in entry:
        return StageFigures(None, None, amount.value, amount.sample_size)
    return StageFigures(entry["median"], amount.value, entry["mean"], amount.sample_size)


def _figure(entry: Mapping[str, Any], unit_id: int | None, access: Access) -> Figure:
    now, before = (_amount(entry[name], entry, unit_id, access) for name in ("now", "before"))
    return Figure(
        key=entry["metric"],
        **{name: entry[name] for name in ("name", "phrase", "version", "formula", "better", "statistic")},
        unit=entry["unit_of_measure"],
        minimum_sample=entry["minimum_sample"],
        now=now,
        before=before,
        threshold=entry["threshold"],
        target=entry["target"],
        higher_is_better=bool(entry["higher_is_better"]),
        band=Band(**entry["band"]) if entry["band"] and not now.hidden else None,
        band_before=Band(**entry["band_before"]) if entry["band_before"] and not before.hidden else None,
    )


def _amount(entry: Mapping[str, Any], described: Mapping[str, Any], unit_id: int | None, access: Access) -> Amount:
    """`described` is the metric as the document has it."""
    people = FEWEST if entry["reveals_few"] else entry["people"]
    if hidden := why_hidden(described, people, unit_id, access):
        return Amount(None, 0, 0, hidden, hidden=True)
    return Amount(entry["value"], entry["sample_size"], entry["people"], entry["reason"])


def _ticket(entry: Mapping[str, Any], access: Access) -> QbrTicket:
    unit = entry["unit"] or {"id": None, "name": ""}
    effect = entry["effect"]
    if effect and why_hidden(entry, effect["people"], unit["id"], access):
        effect = None
    measured: Mapping[str, Any] = effect or dict.fromkeys(("before", "after", "change_low", "change_high"))
    return QbrTicket(
        **{name: entry[name] for name in ("id", "title", "owner", "state", "state_label", "days_late")},
        unit_name=unit["name"],
        due_on=date.fromisoformat(entry["due_on"]),
        completed_on=_day(entry["completed_on"]),
        metric_name=entry.get("name", ""),
        unit=entry.get("unit_of_measure", ""),
        better=entry.get("better", "neither"),
        **{name: measured[name] for name in ("before", "after", "change_low", "change_high")},
        measured_on=_day(entry["measured_on"]),
    )


def _window(entry: Mapping[str, str]) -> Window:
    return Window(date.fromisoformat(entry["from"]), date.fromisoformat(entry["to"]))


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
