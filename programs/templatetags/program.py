"""Tags and filters for records of the improvement program."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from core.markdown import as_html
from insights.ui import wording
from insights.ui.amounts import amount_text
from insights.ui.scope_bar import unit_name
from programs.models import Meeting

register = template.Library()
register.filter("as_html", as_html)
register.filter("days", wording.days)
register.filter("money", wording.money)
register.filter("compact", wording.compact)
register.filter("percent_of", wording.percent_of)
register.filter("unit_name", unit_name)

WIDTH, HEIGHT = 132.0, 18.0
INSET = 6.0
NOTHING = "–"


@register.filter
def score(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.2f}"


@register.filter
def amount(value: float | None, unit: str) -> str:
    """The value in a metric's unit: 40.0 h, 80.0%."""
    return NOTHING if value is None else amount_text(value, unit)


@register.filter
def hours(meeting: Meeting) -> str:
    """The meeting's time in its series' time zone: Tue 7 Jul 2026, 10:00–11:00."""
    return wording.period(meeting.starts_at, meeting.ends_at, meeting.series.zone)


class Fact(Protocol):
    @property
    def text(self) -> str: ...


class Sentence(Protocol):
    def parts(self) -> Iterable[str | Fact]: ...


class Links(Protocol):
    def of(self, fact: Any) -> str: ...


@register.simple_tag
def said(sentence: Sentence, links: Links) -> SafeString:
    """A sentence of a report, with links for the facts that can be opened."""
    return format_html_join("", "{}", ((_part(part, links),) for part in sentence.parts()))


def _part(part: str | Fact, links: Links) -> str:
    if isinstance(part, str):
        return part
    url = links.of(part)
    return format_html('<a class="hw-fact" href="{}">{}</a>', url, part.text) if url else part.text


@register.simple_tag
def bullet(stand: float | None, threshold: float | None, target: float | None) -> SafeString:
    """A bar from zero: a dot at the current value, a dashed tick at the threshold, a solid one at the target.

    The range between threshold and target is shaded.  The text next to it says everything that it shows.
    """
    ticks = [(value, name) for value, name in ((threshold, "threshold"), (target, "target")) if value is not None]
    if stand is None or not ticks:
        return SafeString("")
    furthest = max(stand, *(value for value, _ in ticks)) or 1.0

    def across(value: float) -> float:
        return INSET + (WIDTH - 2 * INSET) * value / furthest

    way = SafeString("")
    if threshold is not None and target is not None:
        left, right = sorted((across(threshold), across(target)))
        way = format_html(
            '<rect class="way" x="{}" y="4" width="{}" height="10"/>', f"{left:.1f}", f"{right - left:.1f}"
        )
    marks = ((name, f"{across(value):.1f}") for value, name in ticks)
    return format_html(
        '<svg class="hw-bullet" viewBox="0 0 132 18" aria-hidden="true"><path class="ground" d="M6 9H126"/>{}{}'
        '<circle cx="{}" cy="9" r="4"/></svg>',
        way,
        format_html_join("", '<path class="{}" d="M{} 2V16"/>', marks),
        f"{across(stand):.1f}",
    )
