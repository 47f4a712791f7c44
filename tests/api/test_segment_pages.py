"""Pages of an answer with thousands of segments: each once, the same in all buckets, and no place that tells."""

from __future__ import annotations

import json
import time
from datetime import UTC, date, datetime

from insights.api.documents import MOST_SEGMENTS, series_document
from insights.query.query import Answer, Dimension, MetricValue, Query, Window

WEEKS = (Window(date(2026, 3, 2), date(2026, 3, 9)), Window(date(2026, 3, 9), date(2026, 3, 16)))
WHOLE = Window(WEEKS[0].start, WEEKS[1].end)
NOW = datetime(2026, 3, 16, tzinfo=UTC)


def answer(sizes: dict[str, int], hidden: frozenset[str] = frozenset()) -> Answer:
    def figure(window: Window, name: str, share: int) -> MetricValue:
        if name in hidden:
            return MetricValue(window, {"model": name}, withheld=True, sample_size=sizes[name])
        return MetricValue(window, {"model": name}, value=float(sizes[name] * share), sample_size=sizes[name] * share)

    query = Query("ai.tokens", WHOLE, segments=(Dimension.MODEL,))
    total = [figure(WHOLE, name, 2) for name in sizes]
    series = [figure(week, name, 1) for week in WEEKS for name in sizes]
    return Answer(query, total, series, None, NOW, NOW)


def test_ten_thousand_segments_in_fifty_pages_that_add_up() -> None:
    long = answer({f"model{n}": n % 977 + 1 for n in range(10_000)})
    started = time.monotonic()
    pages = [series_document(long, [], number) for number in range(1, 51)]
    assert (time.monotonic() - started) / 50 < 0.5
    assert max(len(json.dumps(page)) for page in pages) < 250_000
    assert sum(figure["value"] for page in pages for figure in page["total"]) == sum(f.value or 0 for f in long.total)
    names = [figure["segment"]["model"] for page in pages for figure in page["total"]]
    assert (len(names), len({*names})) == (10_000, 10_000)
    for page in pages:
        assert (page["segments"], len(page["total"]), len(page["series"])) == (10_000, MOST_SEGMENTS, 2 * MOST_SEGMENTS)
        listed = {figure["segment"]["model"] for figure in page["total"]}
        assert {figure["segment"]["model"] for figure in page["series"]} == listed
    smallest = [min(figure["sample_size"] for figure in page["total"]) for page in pages]
    assert smallest == sorted(smallest, reverse=True)
    assert series_document(long, [], 51)["total"] == []


def test_the_place_of_a_hidden_segment_does_not_tell_its_size() -> None:
    names = [f"model{n:03}" for n in range(300)]
    hidden = frozenset(names[:50])

    def pages(sizes: dict[str, int]) -> list[list[str]]:
        documents = [series_document(answer(sizes, hidden), [], page) for page in (1, 2)]
        return [[figure["segment"]["model"] for figure in document["total"]] for document in documents]

    small = pages({name: 1 if name in hidden else 10 for name in names})
    assert small == pages({name: 1000 - i if name in hidden else 10 for i, name in enumerate(names)})
    assert hidden <= {*small[1]}


def test_what_is_not_split_has_no_pages() -> None:
    query = Query("ai.tokens", WHOLE)
    one = Answer(query, [MetricValue(WHOLE, {}, value=1.0)], [], None, NOW, NOW)
    assert series_document(one, [], 2)["total"][0]["value"] == 1.0
    assert "segments" not in series_document(one, [], 2)


def test_the_command_prints_all_of_them() -> None:
    assert len(series_document(answer({f"model{n}": 1 for n in range(300)}), [])["total"]) == 300
