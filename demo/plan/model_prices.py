"""The models of the demo year, by weeks before its end, and the list prices that the agent reports its cost with.

The weeks are relative, so that a demo started later never uses a model before it existed.  A test compares the
prices with those that Headway itself applies.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ModelPrice:
    """US dollars per million tokens."""

    uncached_input: float
    output: float
    cache_read: float
    cache_write: float

    def cost_usd(self, *, uncached_input: int, output: int, cache_read: int, cache_write: int) -> float:
        dollars_per_million = (
            uncached_input * self.uncached_input
            + output * self.output
            + cache_read * self.cache_read
            + cache_write * self.cache_write
        )
        return dollars_per_million / 1_000_000


SONNET_PRICE = ModelPrice(3, 15, 0.3, 3.75)
OPUS_PRICE = ModelPrice(5, 25, 0.5, 6.25)

EXPENSIVE_MODEL = "claude-fable-5"
UNKNOWN_MODEL = "claude-orchard-preview-1"  # no price list knows it: its tokens count, its spend is not known

MODEL_PRICES: dict[str, ModelPrice] = {
    "claude-sonnet-4-5-20250929": SONNET_PRICE,
    "claude-sonnet-4-6": SONNET_PRICE,
    "claude-sonnet-5": ModelPrice(2, 10, 0.2, 2.5),
    "claude-haiku-4-5-20251001": ModelPrice(1, 5, 0.1, 1.25),
    "claude-opus-4-1-20250805": ModelPrice(15, 75, 1.5, 18.75),
    "claude-opus-4-5-20251101": OPUS_PRICE,
    "claude-opus-4-6": OPUS_PRICE,
    "claude-opus-4-8": OPUS_PRICE,
    "claude-opus-5": OPUS_PRICE,
    EXPENSIVE_MODEL: ModelPrice(10, 50, 1, 12.5),
    UNKNOWN_MODEL: SONNET_PRICE,
    # Of other vendors, who do not bill what is written to the cache apart: it is uncached input.
    "gpt-5-codex": ModelPrice(1.25, 10, 0.125, 1.25),
    "gpt-5.1-codex": ModelPrice(1.25, 10, 0.125, 1.25),
    "gpt-5-mini": ModelPrice(0.25, 2, 0.025, 0.25),
    "gpt-5.4": ModelPrice(2.5, 15, 0.25, 2.5),
    "gemini-2.5-pro": ModelPrice(1.25, 10, 0.125, 1.25),
    "gemini-3-pro-preview": ModelPrice(2, 12, 0.2, 2),
}

# (weeks before the end from which it is offered, model), newest last
_MAIN_MODELS = ((54, "claude-sonnet-4-5-20250929"), (38, "claude-sonnet-4-6"), (19, "claude-sonnet-5"))
_LARGE_MODELS = (
    (54, "claude-opus-4-1-20250805"),
    (51, "claude-opus-4-5-20251101"),
    (38, "claude-opus-4-6"),
    (26, "claude-opus-4-8"),
    (14, "claude-opus-5"),
)
SMALL_MODEL = "claude-haiku-4-5-20251001"


def main_model(weeks_before_end: int) -> str:
    return newest(_MAIN_MODELS, weeks_before_end)


def large_model(weeks_before_end: int) -> str:
    return newest(_LARGE_MODELS, weeks_before_end)


def newest(offered: tuple[tuple[int, str], ...], weeks_before_end: int) -> str:
    return [model for since, model in offered if weeks_before_end < since][-1]
