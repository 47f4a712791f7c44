"""Template tags that draw the charts of a business review as SVG, without inline styles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

register = template.Library()

COLUMNS_HEIGHT = 104  # of the longest column, in pixels of the drawing
NARROWEST_LABEL = 0.09  # of the bar: the value of a shorter stage does not fit below it
LABELLED_WEEKS = 8  # more dates would overlap


@dataclass(frozen=True)
class Bar:
    """`start`, `fraction` and `mark`, a target, are shares of the whole width; `is_hot` is hatched: the longest stage,
    the worst unit.
    """

    key: str
    label: str
    value: str
    start: float
    fraction: float
    is_hot: bool = False
    note: str = ""
    mark: float | None = None

    @property
    def has_room(self) -> bool:
        return self.fraction >= NARROWEST_LABEL


@register.simple_tag
def stage_stack(bars: Sequence[Bar]) -> SafeString:
    """Stages in a row with their values below; the longest is hatched (pattern hw-sheet-hatch)."""
    return format_html(
        '<svg class="stack" height="44" aria-hidden="true">{}</svg>',
        format_html_join(
            "",
            '<rect class="{}" x="{}%" width="{}%" height="26" rx="3"/>{}',
            (
                (
                    "hot" if bar.is_hot else bar.key,
                    _percent(bar.start),
                    _percent(bar.fraction),
                    format_html(
                        '<text class="{}" x="{}%" y="41">{}</text>',
                        "hot" if bar.is_hot else "",
                        _percent(bar.start),
                        bar.value,
                    )
                    if bar.has_room
                    else "",
                )
                for bar in bars
            ),
        ),
    )


@register.simple_tag
def sheet_bar(bar: Bar) -> SafeString:
    """A thin bar from the left; a hot one is hatched."""
    return format_html(
        '<svg class="thin" height="10" aria-hidden="true"><rect class="{}" width="{}%" height="10" rx="2"/></svg>',
        "hot" if bar.is_hot else "plain",
        _percent(max(bar.fraction, 0.005)),
    )


@register.simple_tag
def week_columns(bars: Sequence[Bar]) -> SafeString:
    """A column per week with its value above; an incomplete week is outlined."""
    step = max(1, -(-len(bars) // LABELLED_WEEKS))
    width = 1 / max(1, len(bars))
    return format_html(
        '<svg class="columns" height="144" aria-hidden="true">'
        '<line class="ground" x1="0" x2="100%" y1="124.5" y2="124.5"/>{}</svg>',
        format_html_join(
            "",
            '<rect class="{}" x="{}%" width="{}%" y="{}" height="{}" rx="2"/>'
            '<text class="value" x="{}%" y="{}">{}</text><text x="{}%" y="140">{}</text>',
            (
                (
                    bar.key,
                    _percent(bar.start + width * 0.18),
                    _percent(width * 0.64),
                    f"{124 - COLUMNS_HEIGHT * bar.fraction:.1f}",
                    f"{COLUMNS_HEIGHT * bar.fraction:.1f}",
                    _percent(bar.start + width / 2),
                    f"{119 - COLUMNS_HEIGHT * bar.fraction:.1f}",
                    bar.value,
                    _percent(bar.start + width / 2),
                    bar.label if index % step == 0 else "",
                )
                for index, bar in enumerate(bars)
            ),
        ),
    )


@register.simple_tag
def score_bar(share: float | None, good: float) -> SafeString:
    """A bar from 0 to 1 with a mark at a good result."""
    done = format_html('<rect class="done" width="{}%" y="3" height="9" rx="2"/>', _percent(_clipped(share or 0.0)))
    return format_html(
        '<svg class="score" height="15" aria-hidden="true"><rect class="ground" width="100%" y="3" height="9" rx="2"/>'
        '{}<line x1="{}%" x2="{}%" y1="0" y2="15"/></svg>',
        done if share else "",
        _percent(good),
        _percent(good),
    )


def _percent(share: float) -> str:
    return f"{100 * share:.2f}"


def _clipped(share: float) -> float:
    return min(1.0, max(0.0, share))
