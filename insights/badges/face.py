"""A badge's label and value, laid out for its SVG."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from django.core.cache import cache

from insights.catalogue.registry import find, get
from insights.models import Badge
from insights.privacy.visible import Freshness, visible_totals
from insights.query import windows
from insights.query.query import Query, Scope, Statistic
from insights.ui import wording
from orgtree.access.access import public_access

NARROW, WIDE, USUAL = 4.2, 10.4, 6.7  # pixels per letter at 11 px, estimated generously: the font is unknown here
PADDING = 10
COMPUTED_EVERY_SECONDS = 60


@dataclass(frozen=True)
class BadgeFace:
    """Two texts side by side, each centred in its part of the width, in pixels."""

    label: str
    value: str
    label_width: int
    value_width: int
    has_value: bool

    @property
    def width(self) -> int:
        return self.label_width + self.value_width

    @property
    def label_middle(self) -> float:
        return self.label_width / 2

    @property
    def value_middle(self) -> float:
        return self.label_width + self.value_width / 2


def face_of(badge: Badge) -> BadgeFace:
    """The badge, computed at most once a minute because anybody may request it as often as they like.

    It says “no data” for an unknown metric, if there are no facts, or if there are too few people.
    """
    face: BadgeFace | None = cache.get(f"badge:{badge.key}")
    if face is None:
        face = _face_now(badge)
        cache.set(f"badge:{badge.key}", face, COMPUTED_EVERY_SECONDS)
    return face


def _face_now(badge: Badge) -> BadgeFace:
    metric = find(badge.metric)
    value = _value(badge) if metric else ""
    label = badge.label or (metric.name if metric else badge.metric)
    return BadgeFace(label, value or "no data", _width(label), _width(value or "no data"), bool(value))


def _value(badge: Badge) -> str:
    query = Query(
        badge.metric,
        windows.trailing(badge.weeks),
        scope=Scope.of_unit(badge.unit.slug if badge.unit else ""),
        statistic=Statistic(badge.statistic) if badge.statistic else None,
    )
    [answer] = visible_totals([query], public_access(), freshness=Freshness.OF_PAGES)
    figure = answer.total[0]
    return "" if figure.value is None else str(wording.reading(figure.value, get(badge.metric).unit))


def _width(text: str) -> int:
    return round(sum(map(_character_width, text))) + PADDING


def _character_width(character: str) -> float:
    if character in "iljtfrI.,:;'|!()/ ":
        return NARROW
    return WIDE if character in "mwMW%@" or unicodedata.east_asian_width(character) in "WF" else USUAL
