"""Benchmarks on tiles, in their tables and in the CSV of charts."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from insights.query.query import Dimension, Query, Scope, Statistic, Window
from insights.query.windows import local_today
from insights.ui.agreements import agreements_on
from programs.closing.services.closing import close_quarter
from tests.org import Org
from tests.pages.recomputed import plain
from tests.personas import EXECUTIVE, MANAGER, MEMBER, OTHER_MEMBER, signed_in
from tests.programs.agreements import HOUR, PICKUP, agree, reviews_of_platform
from tests.programs.objective_pages import text
from tests.programs.objectives import objective
from tests.programs.tickets import as_
from tests.stored_once import StoreOnce

pytestmark = pytest.mark.django_db


def window() -> Window:
    return Window(local_today() - timedelta(weeks=12), local_today())


@pytest.fixture(scope="module", autouse=True)
def platform(stored_once: StoreOnce, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with stored_once(lambda: reviews_of_platform(Org(tmp_path_factory.mktemp))):
        yield


def tile(client: Client, address: str, key: str) -> str:
    part = text(client, address).partition(f'data-tile="{key}"')[2].partition("</article>")[0]
    assert part, f"no tile of {key}"
    return plain(f"<p {part}")


def query(key: str = PICKUP, **fields: Any) -> Query:
    return Query(key, window(), scope=Scope("platform"), **fields)


@pytest.mark.parametrize(
    ("value", "reached"),
    [
        (5 * HOUR, "target"),
        (6 * HOUR, "target"),
        (7 * HOUR, "threshold"),
        (8 * HOUR, "threshold"),
        (9 * HOUR, "neither"),
    ],
)
def test_how_a_figure_stands_to_it(value: float, reached: str) -> None:
    """Platform agreed that reviews begin within 8 hours, and once within 6."""
    agree()
    agreement = agreements_on([PICKUP], Scope("platform"), as_(MANAGER))[PICKUP].on_tile(query(), value)
    assert agreement is not None
    assert (agreement.text, agreement.reached) == ("Threshold 8.0\u00a0h, target 6.0\u00a0h", reached)


def test_of_a_part_or_another_statistic_nothing_is_said() -> None:
    agree()
    agree(unit="", metric="pr.throughput", threshold=5.0, target=None, period="week")
    agreement = agreements_on([PICKUP], Scope("platform"), as_(MANAGER))[PICKUP]
    assert agreement.on_tile(query(statistic=Statistic.MEAN), HOUR) is None
    assert agreement.on_tile(query(facets={Dimension.REPOSITORY: ("shop",)}), HOUR) is None
    of_weeks = agreements_on(["pr.throughput"], Scope(), as_(EXECUTIVE))["pr.throughput"]
    tile_note = of_weeks.on_tile(Query("pr.throughput", window()), 60.0)
    assert tile_note is not None
    assert (tile_note.text, tile_note.reached) == ("Threshold 5 a week", ""), "the tile is of twelve weeks"


def test_a_tile_tells_it_to_whom_it_concerns() -> None:
    agree(unit="", metric="pr.size", threshold=45.0, target=40.0)
    for persona, query_string in ((MANAGER, "?unit=platform"), (EXECUTIVE, ""), (MEMBER, "?unit=platform")):
        shown_tile = tile(signed_in(persona), f"/insights/delivery/hygiene/{query_string}", "pr.size")
        assert "Threshold 45 lines, target 40 lines" in shown_tile, persona.name
        assert "Off target" in shown_tile
    other = text(signed_in(OTHER_MEMBER), "/insights/delivery/hygiene/?unit=search")
    assert "Off target" not in other, "there is no figure to hold against it"
    own = text(signed_in(MEMBER), "/insights/delivery/hygiene/?person=me")
    assert "Threshold" not in own, "nobody is held against it"


def test_the_csv_of_a_chart_has_its_lines() -> None:
    agree()
    client = signed_in(MANAGER)
    answer = client.get(f"/insights/metrics/{PICKUP}/charts/trend.csv?unit=platform")
    heads, *rows = csv.reader(io.StringIO(b"".join(answer).decode("utf-8-sig")))
    at = heads.index("Threshold 8.0 h (seconds)")
    assert heads[at + 1] == "Target 6.0 h (seconds)"
    assert rows
    assert {(float(row[at]), float(row[at + 1])) for row in rows} == {(8 * HOUR, 6 * HOUR)}


def test_the_course_of_a_key_result_is_held_against_it_while_its_quarter_is_open() -> None:
    agree()
    median = {"title": "Reviews start sooner", "metric": PICKUP, "baseline": 7 * HOUR, "target": 5 * HOUR}
    new_objective = objective(key_results=(median, {**median, "statistic": "p75"}))
    client = signed_in(MANAGER)

    def lines(position: int) -> list[tuple[str, float]]:
        key_result = new_objective.key_results.get(position=position)
        chart = client.get(reverse("key_result_chart", args=[new_objective.pk, key_result.pk])).json()
        return [(line["label"], line["value"] / HOUR) for line in chart["benchmarks"]]

    own = [("Baseline", 7.0), ("Target", 5.0)]
    assert lines(0) == [("Threshold 8.0 h", 8.0), ("Target 6.0 h", 6.0), *own]
    assert lines(1) == own, "of another statistic nothing was agreed"
    close_quarter(as_(EXECUTIVE), new_objective.quarter, forced_because="The team moves on.")
    assert lines(0) == own
