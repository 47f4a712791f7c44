"""Template tags that draw icons, agent markers, sparklines and bars as SVG, without inline styles."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Any

from django import template
from django.templatetags.static import static
from django.utils.html import escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from insights.catalogue.agents import agent_name
from insights.ui.wording import UNITS

register = template.Library()
register.simple_tag(agent_name)

MOST_ICONS = 1_000  # each with its label
SPARK_WIDTH, SPARK_HEIGHT = 104.0, 30.0
SPARK_PADDING = 3.0  # room for the end point's edge
PLOT_MIDDLE = 60.0  # of an interval's plot: half its width


# SVG in a box of 10 × 10, in the order of agents; a test compares these with those of charts (static/js/agents.js).
AGENT_SHAPES = {
    "claude_code": '<circle cx="5" cy="5" r="4"/>',
    "cursor": '<rect x="1.5" y="1.5" width="7" height="7"/>',
    "copilot": '<path d="M5 1 9.5 9h-9z"/>',
    "codex": '<path d="M5 0l5 5-5 5-5-5z"/>',
    "gemini": '<path d="M3.8 1h2.4v2.8H9v2.4H6.2V9H3.8V6.2H1V3.8h2.8z"/>',
    "none": '<path class="line" d="M0 5h10"/>',
}
OTHER_AGENT = '<circle cx="5" cy="5" r="3.25" fill="none" stroke="currentColor" stroke-width="1.5"/>'


@register.simple_tag
@lru_cache(maxsize=MOST_ICONS)
def icon(name: str, label: str = "") -> SafeString:
    """An icon of the sprite; decorative unless it has a label.

    Cached: a page has two hundred icons, most of them the same few.
    """
    sprite = static("vendor/icons/sprite.svg")
    if label:
        return format_html(
            '<svg class="hw-icon" role="img" aria-label="{}"><use href="{}#{}"/></svg>', label, sprite, name
        )
    return format_html('<svg class="hw-icon" aria-hidden="true"><use href="{}#{}"/></svg>', sprite, name)


@register.filter
def marked(text: str, words: Sequence[str]) -> SafeString:
    """The text with matches of any of the words in <mark>."""
    if not words:
        return escape(text)
    longest_first = sorted(words, key=len, reverse=True)
    parts = re.split(f"({'|'.join(map(re.escape, longest_first))})", text, flags=re.IGNORECASE)
    return format_html_join(
        "", "{}", ((format_html("<mark>{}</mark>", part) if place % 2 else part,) for place, part in enumerate(parts))
    )


@register.simple_tag
def agent_marker(key: str, size: str = "") -> SafeString:
    """The marker of an agent by its slug; agents without a marker of their own share a ring."""
    return format_html(
        '<svg class="k {}{}" viewBox="0 0 10 10" aria-hidden="true">{}</svg>',
        key if key in AGENT_SHAPES else "other",
        f" {size}" if size else "",
        mark_safe(AGENT_SHAPES.get(key, OTHER_AGENT)),  # noqa: S308 -- constants of this module
    )


@register.simple_tag
def sparkline(values: Sequence[float | None], to_date: bool = False) -> SafeString:
    """A trend without axes: missing values are gaps, the last point is marked.

    With `to_date` the last bucket is unfinished and its segment dashed.  Fewer than two values draw nothing.
    """
    known = [(index, float(value)) for index, value in enumerate(values) if value is not None]
    if len(known) < 2:
        return SafeString("")
    points = _coordinates(known, len(values))
    unfinished = to_date and known[-1][0] == len(values) - 1
    last_index = known[-1][0]
    solid: list[str] = []
    dashed = ""
    pen_down = False
    for (before, start), (index, end) in pairwise(points):
        if index - before > 1:
            pen_down = False
            continue
        if unfinished and index == last_index:
            dashed = f"M{start} L{end}"
            continue
        solid.append(f"L{end}" if pen_down else f"M{start} L{end}")
        pen_down = True
    x, y = points[-1][1].split()
    return format_html(
        '<svg class="hw-spark" viewBox="0 0 104 30" preserveAspectRatio="none" aria-hidden="true">'
        '<path d="{}"/>{}<circle cx="{}" cy="{}" r="2.25"/></svg>',
        " ".join(solid),
        format_html('<path class="to-date" d="{}"/>', dashed) if dashed else "",
        x,
        y,
    )


def _coordinates(known: Sequence[tuple[int, float]], length: int) -> list[tuple[int, str]]:
    """Each known value's index and its "x y" in the sparkline's box."""
    low, high = min(value for _, value in known), max(value for _, value in known)
    step = (SPARK_WIDTH - 2 * SPARK_PADDING) / (length - 1)
    reach = SPARK_HEIGHT - 2 * SPARK_PADDING
    return [
        (
            index,
            f"{SPARK_PADDING + index * step:.1f} "
            f"{SPARK_HEIGHT - SPARK_PADDING - reach * ((value - low) / (high - low) if high > low else 0.5):.1f}",
        )
        for index, value in known
    ]


@register.simple_tag
def mini_bar(share: float) -> SafeString:
    """A small bar to the left of a number in a table; `share` is from 0 to 1."""
    return format_html(
        '<svg class="hw-mini" viewBox="0 0 40 6" aria-hidden="true"><rect class="ground" width="40" height="6"/>'
        '<rect class="bar" width="{}" height="6"/></svg>',
        f"{40 * _clipped(share):.1f}",
    )


@register.simple_tag
def track(share: float, key: str = "accent", whole: float = 0.0) -> SafeString:
    """A bar over the whole width, in an agent's colour or the accent; `share` is from 0 to 1.

    It continues in a paler shade up to `whole`, also from 0 to 1.
    """
    return format_html(
        '<svg class="hw-track {}" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="ground" width="100" height="10"/><rect class="bar rest" width="{}" height="10"/>'
        '<rect class="bar" width="{}" height="10"/></svg>',
        key,
        f"{100 * _clipped(whole):.2f}",
        f"{100 * _clipped(share):.2f}",
    )


@register.simple_tag
def outcome_bar(parts: Sequence[Any]) -> SafeString:
    """Spend by outcome: committed is solid, wasted hatched, pending a dashed outline, unknown a solid outline."""
    return format_html(
        '<svg class="hw-outcome" role="img" aria-label="{}">{}{}</svg>',
        ", ".join(f"{part.label} {part.percent}" for part in parts),
        _hatch("hw-hatch"),
        format_html_join(
            "",
            '<svg x="{}%" width="{}%" height="20"><rect class="{}" x="1" y="1" height="18" rx="3"/></svg>',
            (
                (f"{100 * part.start:.2f}", f"{100 * part.fraction:.2f}", part.key)
                for part in parts
                if part.fraction > 0
            ),
        ),
    )


@register.simple_tag
def stage_bar(
    start: float, fraction: float, hatched: bool, kind: str = "wait", tick: float | None = None
) -> SafeString:
    """A stage's bar, start and length from 0 to 1, hatched for the bottleneck, with a tick at its median."""
    at = "" if tick is None else f"{min(99.5, 100 * _clipped(tick)):.2f}"
    return format_html(
        '<svg class="hw-stage" aria-hidden="true">{}'
        '<rect class="{}" x="{}%" width="{}%" y="4" height="16" rx="3"/>{}</svg>',
        _hatch("hw-stage-hatch") if hatched else "",
        "longest" if hatched else kind,
        f"{100 * _clipped(start):.2f}",
        f"{max(0.5, 100 * _clipped(fraction)):.2f}",
        format_html('<rect class="tick" x="{}%" width="2" y="1" height="22"/>', at) if at else "",
    )


@register.simple_tag
def sprint_bar(heights: Mapping[str, float], highest: float) -> SafeString:
    """A bar of a sprint's delivery, split into commitment and additions, with a line at the commitment."""
    ground, kept, added = highest + 8, heights["kept"], heights["added"]
    return format_html(
        '<svg viewBox="0 0 44 {}" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="kept" x="6" width="32" y="{}" height="{}"/>'
        '<rect class="added" x="6" width="32" y="{}" height="{}"/>'
        '<rect class="committed" x="2" width="40" y="{}" height="2"/></svg>',
        f"{ground:.1f}",
        *(f"{value:.1f}" for value in (ground - kept, kept, ground - kept - added, added)),
        f"{ground - heights['committed'] - 1:.1f}",
    )


def _hatch(name: str) -> SafeString:
    """The pattern of hatched bars, which style sheets refer to by its name."""
    return format_html(
        '<defs><pattern id="{}" width="8" height="8" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
        '<rect class="ground" width="8" height="8"/><rect class="line" width="3" height="8"/></pattern></defs>',
        name,
    )


@register.simple_tag
def phase_bars(bars: Sequence[Mapping[str, Any]], border: float) -> SafeString:
    """Consecutive segments, start and fraction from 0 to 1, with a line at the border between two of them."""
    shapes = format_html_join(
        "",
        '<rect class="{}" x="{}%" width="{}%" y="1" height="10"/>',
        (
            (bar["key"], f"{100 * _clipped(bar['start']):.2f}", f"{max(0.4, 100 * _clipped(bar['fraction'])):.2f}")
            for bar in bars
        ),
    )
    place = f"{100 * _clipped(border):.2f}%"
    line = format_html('<line class="border" x1="{}" x2="{}" y1="0" y2="12"/>', place, place)
    return format_html('<svg class="hw-phase" aria-hidden="true">{}{}</svg>', shapes, line)


@register.simple_tag
def interval_plot(low: float, at: float, high: float, verdict: str) -> SafeString:
    """A difference as a dot on its interval, each between −1 and 1 of the width; an end outside is an arrow."""
    x_low, x_at, x_high = (f"{PLOT_MIDDLE * (1 + 0.94 * max(-1.0, min(1.0, value))):.1f}" for value in (low, at, high))
    cuts = [
        format_html('<path class="cut" d="M{} 6 l{} 5 {} 5"/>', x, *slope)
        for x, is_cut, slope in ((x_low, low < -1, (-5, 5)), (x_high, high > 1, (5, -5)))
        if is_cut
    ]
    return format_html(
        '<svg class="hw-interval {}" viewBox="0 0 {} 22" aria-hidden="true">'
        '<line class="none" x1="{m}" x2="{m}" y1="1" y2="21"/><line class="reach" x1="{}" x2="{}" y1="11" y2="11"/>{}'
        '<circle cx="{}" cy="11" r="4.5"/></svg>',
        verdict,
        2 * PLOT_MIDDLE,
        x_low,
        x_high,
        SafeString("").join(cuts),
        x_at,
        m=PLOT_MIDDLE,
    )


@register.simple_tag
def at_percent(place: float) -> str:
    """A position from 0 to 1 as an SVG coordinate of the whole width."""
    return f"{100 * place:.2f}%"


@register.simple_tag
def small_multiple(points: Sequence[Mapping[str, Any]], marks: Sequence[tuple[float, Any]], strong: bool) -> SafeString:
    """A trend without its own axis, aligned with those above and below it.

    Points have x and y from 0 to 1 (no y in a gap), and `words`, their tooltip.
    """
    known = [point for point in points if point["y"] is not None]
    pieces: list[str] = []
    before: Mapping[str, Any] | None = None
    for point in points:
        if point["y"] is None:
            before = None
            continue
        pieces.append(f"{'L' if before is not None else 'M'}{_svg_x(point['x'])} {_svg_y(point['y'])}")
        before = point
    width = 100 / max(1, len(points) - 1)
    return format_html(
        '<svg class="hw-multiple{}" viewBox="0 0 100 48" preserveAspectRatio="none" aria-hidden="true">{}{}'
        '<path d="{}"/>{}{}</svg>',
        " own" if strong else "",
        format_html_join("", '<line class="grid" x1="0" x2="100" y1="{}" y2="{}"/>', ((y, y) for y in (4, 24, 44))),
        format_html_join("", '<line class="note" x1="{0}" x2="{0}" y1="0" y2="48"/>', ((_svg_x(x),) for x, _ in marks)),
        " ".join(pieces),
        format_html_join(
            "",
            '<path class="spot" d="M{} {}h0"/>',
            ((_svg_x(point["x"]), _svg_y(point["y"] or 0.0)) for point in _isolated_or_last(points)),
        ),
        format_html_join(
            "",
            '<rect class="hit" x="{}" y="0" width="{}" height="48"><title>{}</title></rect>',
            ((f"{100 * point['x'] - width / 2:.2f}", f"{width:.2f}", point["words"]) for point in known),
        ),
    )


def _isolated_or_last(points: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Points without neighbours, which no line would show, and the last one."""
    known = [index for index, point in enumerate(points) if point["y"] is not None]
    alone = [index for index in known if index - 1 not in known and index + 1 not in known]
    return [points[index] for index in dict.fromkeys([*alone, *known[-1:]])]


def _svg_x(x: float) -> str:
    return f"{100 * x:.2f}"


def _svg_y(y: float) -> str:
    return f"{44 - 40 * y:.2f}"


@register.simple_tag
def band_meter(filled: int) -> SafeString:
    """Four bars, the first `filled` of them in the accent colour; the label is printed next to them."""
    return format_html(
        '<span class="hw-meter" aria-hidden="true">{}</span>',
        format_html_join("", "<i{}></i>", ((SafeString(' class="f"') if step < filled else "",) for step in range(4))),
    )


@register.filter
def unit_label(unit: str) -> str:
    """The unit of measure in words: seconds → duration."""
    return UNITS[unit]


@register.filter
def words(code: str) -> str:
    """A code as words: per_day → per day."""
    return str(code).replace("_", " ")


@register.filter
def minutes(duration: timedelta) -> int:
    return round(duration.total_seconds() / 60)


@register.filter
def at(items: Sequence[Any] | Mapping[Any, Any], index: Any) -> Any:
    """The item at an index or key: pairs a cell with its column, or an account with its name."""
    return items[index]


@register.simple_tag
def initials(name: str) -> str:
    """Initials for a person's avatar: the first letters of the first and the last word, or the first two of a single
    word.
    """
    words = [word for word in name.replace("@", " ").replace(".", " ").split() if word[0].isalnum()]
    if not words:
        return "?"
    return (words[0][0] + (words[-1][0] if len(words) > 1 else words[0][1:2])).upper()


def _clipped(share: float) -> float:
    return min(1.0, max(0.0, share))
