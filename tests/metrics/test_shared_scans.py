"""What heeds no filter comes from cells, and responses of a page read the same facts once; answers stay the same."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine

from insights import windows
from insights.engine.scan import scan
from insights.metrics import shared_scans
from insights.metrics.measures import Measure
from insights.metrics.query import Dimension, MetricQuery, Scope, SeriesAnswer
from insights.metrics.read import AskedBeside, Freshness, read_series, read_together
from insights.metrics.reading import Reading
from insights.snapshots.refresh import refresh
from tests.metrics.code_facts import REPOSITORIES
from tests.metrics.facts import create_world

NOW = datetime(2026, 3, 18, 15, 30, tzinfo=UTC)
TODAY = NOW.date()
DAYS = [TODAY - timedelta(days=n) for n in range(59, -1, -1)]
TWO = {Dimension.REPOSITORY: tuple(REPOSITORIES)[:2]}  # no cell is of two

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[time_machine.Traveller]:
    monkeypatch.setattr(shared_scans, "WORTH_KEEPING_SECONDS", 0.0)
    with time_machine.travel(NOW, tick=False) as travelling:
        create_world(5, days=DAYS, sessions=40)
        yield travelling


@pytest.fixture
def scanned(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the relations that are scanned from now on."""
    names: list[str] = []

    def noting(reading: Reading, measures: Sequence[Measure]) -> Any:
        names.append(reading.relation.name)
        return scan(reading, measures)

    monkeypatch.setattr("insights.metrics.shared_scans.scan", noting)
    return names


def told(answers: Sequence[SeriesAnswer]) -> list[object]:
    return [(answer.total, answer.series, answer.unmatched) for answer in answers]


def filtered(key: str, unit: str | None = None) -> MetricQuery:
    return MetricQuery(key, windows.trailing(4), scope=Scope(unit), facets=TWO)


@pytest.mark.parametrize("unit", [None, "red"])
def test_the_whole_that_a_part_is_held_against_comes_from_cells(unit: str | None, scanned: list[str]) -> None:
    query = filtered("commit.frequency", unit)
    from_facts = read_series([query])
    assert sorted(scanned) == ["commits", "committing_developer_days"]
    refresh()
    scanned.clear()
    with_cells = read_series([query])
    assert scanned == ["commits"]
    assert told(with_cells) == told(from_facts)
    assert from_facts[0].total[0].value


def test_the_second_response_of_a_page_reads_no_facts(scanned: list[str], clock: time_machine.Traveller) -> None:
    refresh()
    first, second = filtered("commit.frequency"), filtered("commit.count")
    before = MetricQuery("commit.count", windows.previous(windows.trailing(4), today=TODAY), facets=TWO)
    alone = told([*read_series([first, second]), *read_together(totals=[before]).totals])

    def beside() -> AskedBeside:
        return AskedBeside([first, second], [before])

    scanned.clear()
    page = read_together(series=[first], freshness=Freshness.OF_PAGES, beside=beside)
    assert scanned == ["commits"]
    clock.shift(timedelta(seconds=30))
    part = read_together(series=[second], totals=[before], freshness=Freshness.OF_PAGES, beside=beside)
    assert scanned == ["commits"]
    assert told([*page.series, *part.series, *part.totals]) == alone
    assert part.series[0].computed_at == NOW  # and says as of when it is


def test_what_another_part_did_not_foresee_is_read(scanned: list[str]) -> None:
    refresh()
    query, other = filtered("commit.count"), filtered("commit.count", "red")
    read_together(series=[query], freshness=Freshness.OF_PAGES, beside=lambda: AskedBeside([query]))
    scanned.clear()
    found = read_together(series=[other], freshness=Freshness.OF_PAGES, beside=lambda: AskedBeside([query]))
    assert scanned == ["commits"]
    assert told(found.series) == told(read_series([other]))
