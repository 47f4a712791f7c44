"""A page is measured with everything that a browser requests for it, and all units without the cache."""

from __future__ import annotations

import httpx
import pytest

from bench.facts import Size, generate
from bench.filters import units_side_by_side
from bench.management.commands.bench import _session_cookie
from bench.page_work import measured_work, work_of
from bench.pages import visited_units
from bench.responses import first_responses, visit
from insights.engine.scan import answers

SIZE = Size(people=60, units=12, weeks=8, sessions_per_week=2, commits_per_week=1)
PAGE = {
    "/page/": '<div data-chart="/chart/?range=4w&amp;unit=a"></div><div hx-get="/part/"></div>',
    "/chart/?range=4w&unit=a": "{}",
    "/part/": '<div hx-get="/later/" hx-trigger="load"></div><a hx-get="/menu/" hx-trigger="click"></a>',
    "/later/": '<div hx-get="/part/" hx-trigger="load"></div>',
}


def test_a_visit_requests_every_part_once_and_no_menu_of_a_part() -> None:
    def respond(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, text=PAGE[request.url.raw_path.decode()])

    with httpx.Client(base_url="http://bench.example.com", transport=httpx.MockTransport(respond)) as client:
        seconds = visit(client, "/page/")
    assert list(seconds) == list(PAGE)
    figure = first_responses("first look", [seconds, {"/page/": 0.9}], "alone")
    assert figure.conditions.startswith("5 responses of 2 visits; slowest /page/ 900 ms")
    assert figure.met is False


def test_visits_go_to_different_units_of_all_levels() -> None:
    assert len({*visited_units(1000, 30)}) == 30
    assert len({*visited_units(50, 30)}) == 30
    assert max(visited_units(1000, 30)) > 900


@pytest.mark.django_db
def test_all_units_side_by_side_are_not_read_from_the_cache() -> None:
    generate(SIZE)
    answers.put("of an earlier question", [])
    figures = units_side_by_side("", rounds=1)
    assert [figure.name for figure in figures] == ["ai.spend of all units", "pr.cycle_time of all units"]
    assert all(figure.value > 0 and figure.limit for figure in figures)
    assert answers.get("of an earlier question") is None


@pytest.mark.django_db
def test_the_work_of_a_page_is_that_of_its_first_look() -> None:
    generate(SIZE)
    page = ["/insights/ai/?range=4w"]
    first, again = (work_of(page, _session_cookie()) for _ in range(2))
    assert first.responses == 1
    assert first.statements == again.statements > 0, "all answers are forgotten before"
    assert first.rows_read == again.rows_read > 0
    assert 0 < again.queries <= first.queries
    assert first.seconds > 0
    assert first.postgres_seconds is None, "there is no installation of the bench's own"
    processor, statements = measured_work("AI page", first, goal_seconds=1e-6, conditions="here")
    assert (processor.met, processor.value, statements.value) == (False, first.seconds, first.statements)
    assert processor.limit is not None
    assert "PostgreSQL beside it not known" in processor.conditions
