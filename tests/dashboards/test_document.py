"""The document of a dashboard: what may be stored, and that a file holds all of it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.write_errors import FieldError
from insights.catalogue.registry import declared_metrics
from insights.dashboards.document import (
    KINDS,
    LARGEST_FILE,
    MOST_CARDS,
    WIDTHS,
    WINDOWS,
    InvalidDocumentError,
    checked,
    exported,
    placed,
    read_file,
    splits_of,
)
from insights.dashboards.templates import TEMPLATES

TITLES = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=80)


@st.composite
def cards(draw: st.DrawFn) -> dict[str, Any]:
    """Any card that can be made, with and without each optional field."""
    word = draw(st.sampled_from(list(KINDS)))
    kind = KINDS[word]
    offered = [metric for metric in declared_metrics() if kind.offers(metric)]
    card: dict[str, Any] = {"kind": word}
    if "metric" in kind.fields:
        metric = draw(st.sampled_from(offered))
        card["metric"] = metric.key
        splits = [split.value for split in splits_of(metric)]
        if word == "breakdown" or (word == "trend" and splits and (metric.always_by or draw(st.booleans()))):
            card["by"] = draw(st.sampled_from(splits))
        elif word == "trend":
            others = [
                other.key
                for other in offered
                if other.unit is metric.unit and other is not metric and not other.always_by
            ]
            card["beside"] = draw(st.lists(st.sampled_from(others), unique=True, max_size=3)) if others else []
    if "metrics" in kind.fields:
        keys = [metric.key for metric in offered]
        if "by" in kind.fields:
            card["by"] = draw(st.sampled_from([split.value for split in splits_of(draw(st.sampled_from(offered)))]))
            keys = [metric.key for metric in offered if card["by"] in splits_of(metric)]
        card["metrics"] = draw(st.lists(st.sampled_from(keys), unique=True, min_size=1, max_size=6))
    if "text" in kind.fields:
        card["text"] = draw(TITLES.filter(str.strip))
    optional = {
        "title": TITLES,
        "width": st.sampled_from(WIDTHS),
        "unit": st.sampled_from(["", "organisation", "payments"]),
        "window": st.sampled_from(["", *WINDOWS]),
    }
    for name, values in optional.items():
        if (name != "window" or kind.has_window) and draw(st.booleans()):
            card[name] = draw(values)
    return card


@given(st.lists(cards(), max_size=MOST_CARDS), TITLES, TITLES)
def test_a_file_holds_the_whole_dashboard(listed: list[dict[str, Any]], title: str, purpose: str) -> None:
    stored = checked(listed)
    document = read_file(json.dumps(exported(title, purpose, stored)).encode())
    assert (document["title"], document["purpose"]) == (title, purpose)
    assert checked(document["cards"]) == stored
    assert checked(stored) == stored, "in one spelling"


@given(st.lists(cards(), max_size=6))
def test_every_stored_card_can_be_shown(listed: list[dict[str, Any]]) -> None:
    shown = placed(checked(listed))
    assert [item.problem for item in shown if item.card is None] == []
    assert len({item.id for item in shown}) == len(listed)


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=5), st.lists, max_leaves=6))
def test_anything_else_is_refused_with_a_sentence(value: Any) -> None:
    for listed in (value, [value], [{"kind": value}], [{"kind": "tile", "metric": value}]):
        if listed == []:
            continue
        with pytest.raises(InvalidDocumentError) as refused:
            checked(listed)
        assert refused.value.message.endswith((".", "…"))


@pytest.mark.parametrize("name", TEMPLATES)
def test_templates_are_valid(name: str) -> None:
    assert len(checked(list(TEMPLATES[name].cards))) == len(TEMPLATES[name].cards)


@pytest.mark.parametrize(
    ("card", "field", "words"),
    [
        ({"kind": "pie"}, "kind", "Card 2: its kind must be tile, trend"),
        ({"kind": "tile"}, "metric", "Card 2 (tile), metric: it needs a metric."),
        ({"kind": "tile", "metric": "dora.nonsense"}, "metric", "there is no metric “dora.nonsense”"),
        ({"kind": "tile", "metric": "pr.size", "by": "agent"}, "by", "there is no such field"),
        ({"kind": "trend", "metric": "pr.size", "by": "model"}, "by", "“pr.size” is not split by model; it can be"),
        ({"kind": "trend", "metric": "pr.size", "beside": ["ai.spend"]}, "beside", "must be in lines"),
        ({"kind": "breakdown", "metric": "ai.spend"}, "by", "it needs a split"),
        ({"kind": "breakdown", "metric": "pr.cycle_time", "by": "agent"}, "metric", "cannot be shown as breakdown"),
        ({"kind": "split", "metrics": ["ai.spend"]}, "by", "it needs a split"),
        ({"kind": "split", "metrics": ["ai.spend", "pr.size"], "by": "model"}, "by", "“pr.size” is not split by model"),
        ({"kind": "comparison", "metrics": ["ai.spend"]}, "metrics", "cannot be shown as comparison"),
        ({"kind": "units", "metrics": ["ai.spend", "ai.spend"]}, "metrics", "named twice"),
        ({"kind": "slowest", "metric": "pr.revert_rate"}, "metric", "cannot be shown as slowest"),
        ({"kind": "text", "text": " "}, "text", "it needs a text"),
        ({"kind": "text", "text": "x" * 1001}, "text", "at most 1,000"),
        ({"kind": "text", "text": "a", "width": 11}, "width", "it must be 3, 4"),
        ({"kind": "text", "text": "a", "width": True}, "width", "columns of twelve"),
        ({"kind": "text", "text": "a", "window": "3w"}, "window", "it must be 4w"),
        ({"kind": "text", "text": "a", "title": 7}, "title", "it must be a text"),
        ({"kind": "text", "text": "a", "id": "c1"}, "id", "another card has its id"),
        (["text"], "", "it must be an object"),
    ],
)
def test_what_is_wrong_is_named_with_card_and_field(card: Any, field: str, words: str) -> None:
    with pytest.raises(InvalidDocumentError) as refused:
        checked([{"id": "c1", "kind": "text", "text": "All is well"}, card])
    assert refused.value.field == f"cards.2.{field}".rstrip(".")
    assert words in refused.value.message
    assert "Card 2" in refused.value.message


def test_every_unknown_metric_is_named_at_once() -> None:
    wrong = [{"kind": "tile", "metric": "a.b"}, {"kind": "units", "metrics": ["c.d", "pr.size", "e.f"]}]
    with pytest.raises(InvalidDocumentError) as refused:
        checked(wrong)
    assert [place for place, _ in refused.value.problems] == ["cards.1.metric", "cards.2.metrics", "cards.2.metrics"]
    assert all(key in refused.value.message for key in ("a.b", "c.d", "e.f"))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"{" + b" " * LARGEST_FILE, "larger than"),
        (b"\xff", "not JSON"),
        (b"[" * 50_000, "not JSON"),
        (b"[]", "no dashboard"),
        (b'{"title": "A"}', "no dashboard"),
        (b'{"headway_dashboard": 2}', "newer"),
        (b'{"headway_dashboard": 1, "colour": "red"}', "no field “colour”"),
    ],
)
def test_a_file_that_is_none_is_refused(content: bytes, words: str) -> None:
    with pytest.raises(FieldError, match=words):
        read_file(content)


def test_too_many_cards_are_refused() -> None:
    with pytest.raises(InvalidDocumentError, match="at most 24"):
        checked([{"kind": "text", "text": "a"}] * 25)


def test_a_card_whose_metric_is_gone_says_so_in_its_place() -> None:
    stored = checked([{"kind": "tile", "metric": "pr.size"}, {"kind": "text", "text": "a"}])
    gone, text = placed([{**stored[0], "metric": "hand.gone"}, stored[1]])
    assert gone.card is None
    assert "hand.gone" in gone.problem
    assert text.card is not None
