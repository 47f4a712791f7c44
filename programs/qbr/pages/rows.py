"""Rows of the sheets' tables and lists, and their texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from insights.ui.amounts import amount_text
from programs.closing.services.frozen import FrozenKeyResult, FrozenObjective
from programs.objectives.pages.labels import StatusTag
from programs.qbr.services.document import MeasuredTicket, QbrDocument, QbrTicket
from programs.templatetags.sheets import Bar
from programs.tickets.services.effects import EffectState, state_of

VERDICTS: Mapping[EffectState, StatusTag] = {
    EffectState.BETTER: StatusTag("better", str(EffectState.BETTER.label), "good", "check"),
    EffectState.WORSE: StatusTag("worse", str(EffectState.WORSE.label), "bad", "x"),
    EffectState.UNCLEAR: StatusTag("unclear", str(EffectState.UNCLEAR.label), "watch", "clock"),
}


@dataclass(frozen=True)
class Highlight:
    value: str
    phrase: str
    text: str
    restated: str


@dataclass(frozen=True)
class ObjectiveRow:
    title: str
    unit: str
    owner: str
    target: str
    actual: str
    score: str
    share: float | None
    tag: StatusTag
    why: str


@dataclass(frozen=True)
class TicketRow:
    title: str
    unit: str
    owner: str
    due: str
    completed: str
    is_late: bool
    before: str
    after: str
    verdict: StatusTag | None


@dataclass(frozen=True)
class DeliveryRow:
    """A delivery that misses its planned day."""

    name: str
    reference: str
    url: str
    planned: str
    odds: str
    likely: str
    late: str
    why: str


@dataclass(frozen=True)
class FindingRow:
    title: str
    unit: str
    url: str
    found: str
    hours: str
    state: str
    became: str  # why it ended, and the actions on it
    is_over: bool


@dataclass(frozen=True)
class DecisionRow:
    title: str
    reason: str  # HTML from core.markdown
    owner: str
    due: str
    state: str
    is_done: bool


@dataclass(frozen=True)
class BottleneckRow:
    """A stage or a finding with the hours of waiting that it cost, and the actions on it."""

    title: str
    text: str
    url: str  # of a finding
    hours: str
    between: str
    bar: Bar  # its share of the largest
    actions: Sequence[str]


@dataclass(frozen=True)
class PointRow:
    """A point of the executive report; `effect` and `tag` are those of a recommendation."""

    title: str
    text: str
    effect: str
    follows: str
    tag: str


@dataclass(frozen=True)
class Risk:
    title: str
    text: str
    is_high: bool


def score_of(objective: FrozenObjective) -> float | None:
    """The objective's score, or its progress on the day of freezing."""
    return objective.score if objective.score is not None else objective.progress


def results_text(key_results: Sequence[FrozenKeyResult]) -> str:
    """The results in words, such as "Pickup 15.0 h, target 12.0 h; …".  Empty if none has a value that the viewer may
    see.
    """
    texts = [
        f"{result.title} {amount_text(result.value, result.unit_of_measure)}"
        + (f", target {amount_text(result.target, result.unit_of_measure)}" if result.target is not None else "")
        for result in key_results
        if result.value is not None
    ]
    return f"{'; '.join(texts)}." if texts else ""


def ended_in_time(ticket: QbrTicket, document: QbrDocument) -> bool:
    return ticket.completed_on is not None and ticket.completed_on < document.period.end


def verdict_of(ticket: QbrTicket, document: QbrDocument) -> StatusTag | None:
    """The effect of the action on its metric; None if it was not measured."""
    if not ticket.is_done or not isinstance(ticket, MeasuredTicket):
        return None
    effect = ticket.effect
    if effect is None or effect.before is None or effect.after is None:
        too_early = ticket.measured_on is not None and ticket.measured_on > document.period.counted_to
        return VERDICTS[EffectState.UNCLEAR] if too_early else None
    return VERDICTS[state_of(ticket.better, effect.change_low, effect.change_high)]


def lowered(text: str) -> str:
    """The text with a lower-case first letter, for use within a sentence; acronyms keep theirs."""
    return text if text[:2].isupper() else text[:1].lower() + text[1:]
