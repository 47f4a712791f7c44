"""The document of a dashboard: a list of cards in JSON, which is checked before it is stored, and read back into cards
to show.

A card is an object with its `kind`, the fields of that kind, and the fields that every card has: `id`, `title`, `width`
in columns of twelve, `unit` and `window`.  A card without a unit shows that of the page, which at first is the reader's
own; a card without a window shows that of the page.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from django.utils.text import get_text_list

from core.write_errors import FieldError
from insights.catalogue.declarations import Duration, Metric, Ratio
from insights.catalogue.registry import find
from insights.catalogue.shares import PerDeveloper
from insights.engine.distribution import has_distribution
from insights.query.query import Dimension
from insights.ui.cards import (
    LINE,
    Breakdown,
    Comparison,
    Distribution,
    Later,
    Lines,
    Slowest,
    SplitTable,
    Table,
    Text,
    Tile,
    Trend,
    UnitTable,
)
from insights.ui.filters import DIMENSION_LABELS, WEEK_RANGES
from insights.ui.tiles import Span

FORMAT: Final = 1
MOST_CARDS = 24
MOST_METRICS = 6  # of a card
LARGEST_FILE = 100_000  # bytes
LONGEST_TITLE, LONGEST_TEXT = 80, 1_000
PROBLEMS_LISTED = 10
WIDTHS: Sequence[Span] = (3, 4, 5, 6, 7, 8, 12)
ORGANISATION = "organisation"  # as the unit of a card; it looks like a unit's slug, but no tree may use it
WINDOWS = (*WEEK_RANGES, "quarter")

Json = dict[str, Any]
StoredCard = Tile | Trend | Breakdown | Lines | Distribution | Table | Text | Later


class InvalidDocumentError(FieldError):
    """All problems of a document: the place of each (cards.3.metric) and a sentence about it."""

    def __init__(self, problems: Sequence[tuple[str, str]]) -> None:
        listed = [message for _, message in problems[:PROBLEMS_LISTED]]
        more = len(problems) - len(listed)
        super().__init__(problems[0][0], " ".join([*listed, *([f"And {more} more."] if more else [])]))
        self.problems = problems


@dataclass(frozen=True)
class Kind:
    """A kind of card: the text of its button, and the fields it has besides those of every card."""

    label: str
    icon: str
    fields: Sequence[str]
    width: Span
    makes: Callable[[Json], StoredCard]
    offers: Callable[[Metric], bool] = lambda _metric: True
    has_window: bool = True  # a card without a window shows what is open today
    needs_split: bool = False


def is_compared(metric: Metric) -> bool:
    """Whether work with and without agents can be compared by this metric."""
    dimensions = (*metric.segments, *metric.facets)
    return isinstance(metric, Duration | Ratio | PerDeveloper) and Dimension.ASSISTANCE in dimensions


def splits_of(metric: Metric) -> list[Dimension]:
    """The dimensions by which a card can split the metric; a metric that is always split offers no other."""
    return [dimension for dimension in DIMENSION_LABELS if dimension in (metric.always_by or metric.segments)]


def is_listed(metric: Metric) -> bool:
    return not metric.always_by and has_distribution(metric)


KINDS: Mapping[str, Kind] = {
    "tile": Kind(
        *("Tile", "square-number-1", ("metric",), 3),
        lambda of: Tile(of["metric"], span=of["width"], name=of["id"]),
        lambda metric: not metric.always_by,
    ),
    "trend": Kind(
        *("Trend", "chart-line", ("metric", "by", "beside"), 8),
        lambda of: Trend(
            of["id"],
            of["metric"],
            of.get("title", ""),
            span=of["width"],
            by=Dimension(of["by"]) if of.get("by") else None,
            beside=tuple(of.get("beside", ())),
        ),
        lambda metric: bool(splits_of(metric)) or not metric.always_by,
    ),
    "breakdown": Kind(
        *("Breakdown", "chart-donut", ("metric", "by"), 4),
        lambda of: Breakdown(of["id"], of["metric"], Dimension(of["by"]), of.get("title", ""), of["width"]),
        lambda metric: metric.adds_up and bool(splits_of(metric)),
        needs_split=True,
    ),
    "lines": Kind(
        *("By agent", "sparkles", ("metric",), 6),
        lambda of: Lines(of["id"], of["metric"], LINE, of.get("title", ""), of["width"]),
        is_compared,
    ),
    "distribution": Kind(
        *("Distribution", "activity", ("metric",), 5),
        lambda of: Distribution(of["id"], of["metric"], of.get("title", ""), of["width"]),
        is_listed,
    ),
    "comparison": Kind(
        *("Comparison", "arrows-diff", ("metrics",), 6),
        lambda of: Comparison(of["id"], tuple(of["metrics"]), of.get("title", ""), of["width"]),
        is_compared,
    ),
    "units": Kind(
        *("By unit", "table", ("metrics",), 12),
        lambda of: UnitTable(of["id"], tuple(of["metrics"]), of.get("title", ""), of["width"]),
        lambda metric: not metric.always_by,
    ),
    "split": Kind(
        *("Table by split", "table", ("metrics", "by"), 12),
        lambda of: SplitTable(of["id"], tuple(of["metrics"]), Dimension(of["by"]), of.get("title", ""), of["width"]),
        lambda metric: bool(splits_of(metric)),
        needs_split=True,
    ),
    "stages": Kind(
        *("Lead time stages", "hourglass", (), 7),
        lambda of: Later(
            of["id"],
            of.get("title") or "Lead time stages",
            "Show the stages",
            of["width"],
            ((of["id"], "CSV"),),
        ),
        lambda _metric: False,
    ),
    "findings": Kind(
        *("Findings", "bulb", (), 6),
        lambda of: Later(
            of["id"], of.get("title") or "Findings", "Show the findings", of["width"], ((of["id"], "CSV"),)
        ),
        lambda _metric: False,
        has_window=False,
    ),
    "slowest": Kind(
        *("Slowest", "list-numbers", ("metric",), 6),
        lambda of: Slowest(of["id"], of["metric"], of.get("title", ""), of["width"]),
        is_listed,
    ),
    "text": Kind(
        *("Text", "align-left", ("text",), 4),
        lambda of: Text(of["id"], of["text"], of.get("title", ""), of["width"]),
    ),
}
COMMON = ("id", "kind", "title", "width", "unit", "window")


@dataclass(frozen=True)
class Placed:
    """A card as placed on a dashboard, with its scope and window; an invalid card says what is wrong with it."""

    id: str
    kind: str
    width: Span
    unit: str = ""  # empty: that of the page; a slug, or ORGANISATION
    window: str = ""  # empty: that of the page
    card: StoredCard | None = None
    problem: str = ""
    stored: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The card's title, or else its metric's name, or else its kind."""
        return name_of(self.stored)

    @property
    def metrics(self) -> Sequence[str]:
        return metrics_of(self.stored)


def metrics_of(card: Mapping[str, Any]) -> Sequence[str]:
    """The metric keys that a card names."""
    return [key for key in (card.get("metric"), *card.get("metrics", ()), *card.get("beside", ())) if key]


def name_of(card: Mapping[str, Any]) -> str:
    if card.get("title"):
        return str(card["title"])
    kind = KINDS.get(str(card.get("kind")))
    named = [metric.label for key in metrics_of(card)[:1] if (metric := find(key))]
    if kind and "metric" in kind.fields and named:
        return named[0]
    return kind.label if kind else "Card"


def placed(cards: Sequence[Json]) -> list[Placed]:
    """Stored cards to show; a card that is no longer valid because its metric is gone says so in its place."""
    shown = []
    for position, stored in enumerate(cards, start=1):
        problems = list(_problems_of(position, stored, as_prefix=False))
        kind = KINDS[stored["kind"]]
        shown.append(
            Placed(
                stored["id"],
                stored["kind"],
                stored["width"],
                stored.get("unit", ""),
                stored.get("window", ""),
                None if problems else kind.makes(stored),
                problems[0][1] if problems else "",
                stored,
            )
        )
    return shown


def checked(cards: object) -> list[Json]:
    """The cards to store: complete, in canonical form, each with an id.  Raises InvalidDocumentError."""
    if not isinstance(cards, list):
        raise InvalidDocumentError([("cards", "The cards must be a list.")])
    if len(cards) > MOST_CARDS:
        raise InvalidDocumentError([("cards", f"A dashboard has at most {MOST_CARDS} cards; these are {len(cards)}.")])
    problems = [problem for position, card in enumerate(cards, 1) for problem in _problems_of(position, card)]
    if problems:
        raise InvalidDocumentError(problems)
    given = [card.get("id") for card in cards]
    for position, identity in enumerate(given, 1):
        if identity and given.index(identity) != position - 1:
            raise InvalidDocumentError([(f"cards.{position}.id", f"Card {position}: another card has its id.")])
    return [_stored(card, card.get("id") or next_id(given, position)) for position, card in enumerate(cards)]


def checked_card(card: Json) -> Json:
    """One card to store, with its id.  Raises FieldError with the name of the field."""
    for path, message in _problems_of(1, card, as_prefix=False):
        raise FieldError(path.rpartition(".")[2], f"{message[:1].upper()}{message[1:]}")
    return _stored(card, card["id"])


def next_id(taken: Sequence[Any], offset: int = 0) -> str:
    """An id that no card uses."""
    numbers = [int(word[1:]) for word in taken if isinstance(word, str) and word[:1] == "c" and word[1:].isdecimal()]
    return f"c{max(numbers, default=0) + 1 + offset}"


def exported(title: str, purpose: str, cards: Sequence[Json]) -> Json:
    """The dashboard as a file."""
    return {"headway_dashboard": FORMAT, "title": title, "purpose": purpose, "cards": list(cards)}


def read_file(content: bytes) -> Json:
    """Read a file written by `exported`.  Raises FieldError if it is not one; its cards are not checked yet."""
    if len(content) > LARGEST_FILE:
        raise FieldError("file", f"The file is larger than {LARGEST_FILE:,} bytes.")
    try:
        document = json.loads(content.decode())
    except (ValueError, RecursionError):
        raise FieldError("file", "The file is not JSON.") from None
    if not isinstance(document, dict) or "headway_dashboard" not in document:
        raise FieldError("file", "The file is no dashboard: export one to see its form.")
    if document["headway_dashboard"] != FORMAT:
        raise FieldError("file", f"The file has another format than {FORMAT}: it is from a newer Headway.")
    if unknown := sorted(set(document) - {"headway_dashboard", "title", "purpose", "cards"}):
        raise FieldError("file", f"A dashboard has no field “{unknown[0][:40]}”.")
    return document


def _stored(card: Json, identity: str) -> Json:
    """The card's non-empty fields, in canonical order."""
    kind = KINDS[card["kind"]]
    whole = {**card, "id": identity, "width": card.get("width") or kind.width}
    if card["kind"] == "text":
        whole["text"] = card["text"].replace("\r\n", "\n").strip()
    names = (*COMMON[:2], *kind.fields, *COMMON[2:])
    return {name: whole[name] for name in names if whole.get(name)}


def _problems_of(position: int, card: object, *, as_prefix: bool = True) -> Iterator[tuple[str, str]]:
    """The problems of a card: the path of each field, and a sentence that names the card and the field."""
    where = f"Card {position}"
    if not isinstance(card, dict):
        yield f"cards.{position}", f"{where}: it must be an object."
        return
    kind = KINDS.get(card["kind"]) if isinstance(card.get("kind"), str) else None
    if kind is None:
        yield f"cards.{position}.kind", f"{where}: its kind must be {get_text_list(list(KINDS), 'or')}."
        return
    where = f"{where} ({kind.label.lower()}), " if as_prefix else ""
    for name, message in _wrong_fields(card, kind):
        yield f"cards.{position}.{name}", f"{where}{name}: {message}" if as_prefix else message


def _wrong_fields(card: Json, kind: Kind) -> Iterator[tuple[str, str]]:
    known = {*COMMON, *kind.fields}
    for name in card:
        if name not in known:
            yield str(name)[:40], f"there is no such field; it has {', '.join(sorted(known))}."
    for name in ("id", "title", "unit", "window", "by", "metric", "text"):
        if name in card and not (isinstance(card[name], str) and "\x00" not in card[name]):
            yield name, "it must be a text."
            return
    if "id" in card and not (card["id"].isascii() and card["id"].isalnum() and len(card["id"]) <= 20):
        yield "id", "it must be of at most 20 letters and digits."
    if len(card.get("title", "")) > LONGEST_TITLE:
        yield "title", f"at most {LONGEST_TITLE} characters."
    if "width" in card and (isinstance(card["width"], bool) or card["width"] not in WIDTHS):
        yield "width", f"it must be {get_text_list([str(width) for width in WIDTHS], 'or')} columns of twelve."
    if len(card.get("unit", "")) > 100:
        yield "unit", "it must be the slug of a unit."
    yield from _wrong_window(card, kind)
    yield from _wrong_metrics(card, kind)
    if "text" in kind.fields:
        if not card.get("text", "").strip():
            yield "text", "it needs a text."
        elif len(card["text"]) > LONGEST_TEXT:
            yield "text", f"at most {LONGEST_TEXT:,} characters."


def _wrong_window(card: Json, kind: Kind) -> Iterator[tuple[str, str]]:
    if card.get("window") and not kind.has_window:
        yield "window", f"{kind.label} are those of today: leave the window out."
    elif card.get("window") and card["window"] not in WINDOWS:
        yield "window", f"it must be {get_text_list(list(WINDOWS), 'or')}."


def _wrong_metrics(card: Json, kind: Kind) -> Iterator[tuple[str, str]]:
    lists: list[str] = [name for name in ("metrics", "beside") if name in card]
    for name in lists:
        if not isinstance(card[name], list) or not all(isinstance(key, str) for key in card[name]):
            yield name, "it must be a list of metrics."
            return
        if len(card[name]) > MOST_METRICS:
            yield name, f"at most {MOST_METRICS} metrics."
        if len(set(card[name])) < len(card[name]):
            yield name, "a metric is named twice."
    for needed in ("metric", "metrics"):
        if needed in kind.fields and not card.get(needed):
            yield needed, "it needs a metric."
    for name, key in [("metric", card.get("metric")), *((named, key) for named in lists for key in card[named])]:
        metric = find(key) if key else None
        if key and metric is None:
            yield name, f"there is no metric “{key[:80]}”."
        elif metric and not kind.offers(metric):
            yield name, f"“{key}” cannot be shown as {kind.label.lower()}."
    named = [metric for key in (card.get("metric"), *card.get("metrics", ())) if key and (metric := find(key))]
    if "by" in kind.fields and named:
        if not card.get("by") and (kind.needs_split or named[0].always_by):
            yield "by", "it needs a split."
        for metric in named:
            yield from _wrong_split(card, metric)


def _wrong_split(card: Json, metric: Metric) -> Iterator[tuple[str, str]]:
    splits = [split.value for split in splits_of(metric)]
    if card.get("by") and card["by"] not in splits:
        offered = f"it can be {get_text_list(splits, 'or')}" if splits else "it has no splits"
        yield "by", f"“{metric.key}” is not split by {card['by'][:40]}; {offered}."
    if card.get("beside") and card.get("by"):
        yield "beside", "a trend has a split or metrics beside it, not both."
    others = [other for key in card.get("beside", ()) if (other := find(key))]
    if any(other.always_by for other in others):
        yield "beside", "a metric that is always split has no line beside others."
    if any(other.unit is not metric.unit for other in others):
        yield "beside", f"all metrics on one axis must be in {metric.unit.value}."
