"""A figure of a business review in words, compared with the period before and with the benchmark."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from insights.catalogue.registry import find
from insights.ui import tiles, wording
from programs.closing.services.figures import Amount, Figure
from programs.qbr.services.document import QbrDocument


@dataclass(frozen=True)
class Bar:
    """`share` is relative to the longer of the two bars, 0 to 1."""

    label: str
    value: str
    share: float
    is_now: bool


@dataclass(frozen=True)
class FigureCell:
    """`value` is empty if there is none; `reason` then says why."""

    key: str
    label: str
    value: str
    unit: str
    before: str
    change: tiles.Change | None
    bars: Sequence[Bar]
    band: tiles.Band | None
    band_before: str
    aims: str
    reached: tiles.Reached
    sample: str
    reason: str
    restated: str

    @property
    def reading(self) -> str:
        return f"{self.value}{self.unit}" if self.unit == "%" else f"{self.value} {self.unit}".strip()


def judged(figure: Figure) -> str:
    """The judgement: better, worse, steady, higher or lower; empty if one of the values is missing."""
    change = _change(figure, "")
    return change.judgement if change else ""


def _change(figure: Figure, comparison: str) -> tiles.Change | None:
    change = tiles.change_between(figure, figure.now.value, figure.before.value, comparison)
    return tiles.change_of("steady", "", is_up=False, comparison=comparison) if change and figure.is_steady else change


def figure_cell(figure: Figure, document: QbrDocument, restated: str) -> FigureCell:
    """The figure's cell, with all its values in one unit."""
    now, before = figure.now, figure.before
    shown = {"now": now.value, "before": before.value, "threshold": figure.threshold, "target": figure.target}
    known = {name: value for name, value in shown.items() if value is not None}
    printed = dict(zip(known, wording.alike(list(known.values()), figure.unit), strict=True))
    value = printed.get("now", wording.Reading(""))
    aims = [f"{name.capitalize()} {_unbroken(printed[name])}" for name in ("threshold", "target") if name in printed]
    return FigureCell(
        key=figure.metric,
        label=figure.name,
        value=value.value,
        unit=value.unit,
        before=str(printed.get("before", "")),
        change=_change(figure, document.before.name),
        bars=_bars(figure, document, printed),
        band=figure.band,
        band_before=_band_before(figure),
        aims=" · ".join(aims),
        reached=figure.reached,
        sample=_sample(figure),
        reason=now.reason if now.value is None else "",
        restated=restated,
    )


def shown_amount(amount: Amount, unit: str) -> str:
    if amount.value is None:
        return "hidden" if amount.hidden else "–"
    return str(wording.reading(amount.value, unit))


def _unbroken(reading: wording.Reading) -> str:
    return str(reading).replace(" ", "\u00a0")


def _bars(figure: Figure, document: QbrDocument, printed: Mapping[str, wording.Reading]) -> list[Bar]:
    """Bars of both periods; none if one of them has no value, or a negative one."""
    values = [value for value in (figure.before.value, figure.now.value) if value is not None]
    if len(values) < 2 or min(values) < 0:
        return []
    longest = max(values) or 1.0
    names = (short_name(document.before.name), short_name(document.period.name))
    return [
        Bar(name, _short(printed[key]), value / longest, key == "now")
        for name, key, value in zip(names, ("before", "now"), values, strict=True)
    ]


def _short(reading: wording.Reading) -> str:
    """The value without its unit, for labels of bars whose heading names the unit."""
    return str(reading) if reading.unit == "%" else reading.value


def short_name(period: str) -> str:
    """The short name of a period: Q3 for Q3 2026, Sep for September 2026."""
    return period.split(maxsplit=1)[0][:3]


def _band_before(figure: Figure) -> str:
    if figure.band is None or figure.band_before is None:
        return ""
    same = figure.band.word == figure.band_before.word
    return "same" if same else f"was {figure.band_before.word}"


def _sample(figure: Figure) -> str:
    size = figure.now.sample_size
    if figure.now.value is None or not size:
        return ""
    few = f", small: {figure.minimum_sample} make it stable" if size < figure.minimum_sample else ""
    metric = find(figure.metric)
    return f"Sample: {wording.counted(size, metric.fact if metric else 'record')}{few}"
