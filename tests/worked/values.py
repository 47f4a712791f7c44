"""Values as the worked examples write them: 2 h, 30 min, 40 % (2 of 5), ≈ 66.7 %, – (1 left out)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

from insights.query.enums import UnitOfMeasure
from insights.query.query import MetricValue

_SECONDS = {"s": 1, "min": 60, "h": 3600, "days": 86400, "day": 86400}
_AMOUNT = re.compile(r"(?P<number>-?[\d,]+(?:\.(?P<decimals>\d+))?)(?: (?P<unit>%|per day|lines?|min|s|h|days?))?")
_VALUE = re.compile(r"(?P<about>≈ )?(?P<amount>[^(]+?)(?: \((?P<more>[^)]+)\))?")
_QUOTIENT = re.compile(r"(?P<above>.+) of (?P<below>.+)")


@dataclass(frozen=True)
class Amount:
    """A number in the engine's measure, and the largest difference to it that the digits written allow."""

    number: float
    unit: str
    tolerance: float

    @classmethod
    def read(cls, words: str, *, about: bool = False) -> Self:
        parsed = _AMOUNT.fullmatch(words)
        assert parsed, f"no amount: {words}"
        unit = parsed["unit"] or ""
        factor = _SECONDS.get(unit, 1)
        half_a_digit = 0.5 * 10 ** -len(parsed["decimals"] or "") if about else 0.0
        return cls(float(parsed["number"].replace(",", "")) * factor, unit, half_a_digit * factor + 1e-6)

    def equals(self, value: float | None) -> bool:
        return value is not None and abs(value - self.number) <= self.tolerance

    def is_in(self, unit: UnitOfMeasure) -> bool:
        """Whether it is written in the metric's unit."""
        match unit:
            case UnitOfMeasure.SECONDS:
                return self.unit in _SECONDS
            case UnitOfMeasure.PERCENT:
                return self.unit == "%"
            case UnitOfMeasure.PER_DAY:
                return self.unit == "per day"
            case UnitOfMeasure.LINES:
                return self.unit in ("line", "lines")
        return self.unit == ""


@dataclass(frozen=True)
class Value:
    """The expected value of a figure.  `parts` are numerator and denominator, if the example names them."""

    words: str
    amount: Amount | None  # None: no data
    parts: tuple[Amount, Amount] | None = None
    left_out: int = 0

    @classmethod
    def read(cls, words: str) -> Self:
        parsed = _VALUE.fullmatch(words)
        assert parsed, f"no value: {words}"
        amount = None if parsed["amount"] == "–" else Amount.read(parsed["amount"], about=bool(parsed["about"]))
        parts, left_out = None, 0
        for more in (parsed["more"] or "").split("; "):
            if more.endswith(" left out"):
                left_out = int(more.removesuffix(" left out"))
            elif more:
                quotient = _QUOTIENT.fullmatch(more)
                assert quotient, f"neither a quotient nor what is left out: {more}"
                parts = Amount.read(quotient["above"]), Amount.read(quotient["below"])
        return cls(words, amount, parts, left_out)

    def is_that_of(self, figure: MetricValue) -> bool:
        if figure.left_out != self.left_out:
            return False
        if self.amount is None:
            return figure.value is None
        if self.parts and not (self.parts[0].equals(figure.numerator) and self.parts[1].equals(figure.denominator)):
            return False
        return self.amount.equals(figure.value)


def words_of(figure: MetricValue) -> str:
    """The engine's answer, for the message of a failed test."""
    return f"{figure.value} ({figure.numerator} of {figure.denominator}; {figure.left_out} left out)"
