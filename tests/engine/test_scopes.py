"""Units, attributes and who is in no unit: every metric counted a second time, day by day, on random organisations."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.core.management import call_command

from insights.columns.refresh import refresh
from insights.engine.read import UnitQueries, read_series, read_together, read_totals
from insights.query import windows
from insights.query.errors import QueryError, UnknownUnitError
from insights.query.parameters import Parameters
from insights.query.query import Freshness, Granularity, Query, Scope, Window
from orgtree.models import Unit
from tests.engine import oracle
from tests.engine.facts import World, create_world
from tests.engine.oracle import OF_REPOSITORIES, ORACLE, Selection
from tests.engine.organisations import PARENTS, TREE, add_organisation, move_somebody
from tests.seeds import seeds
from tests.stored_once import StoreOnce

NOW = datetime(2026, 3, 18, 15, 30, tzinfo=UTC)
TODAY = NOW.date()
DAYS = [TODAY - timedelta(days=n) for n in range(44, -1, -1)]
WINDOW = Window(date(2026, 2, 9), date(2026, 3, 19))

SCOPES: tuple[tuple[str, tuple[str, ...]], ...] = (
    *((unit, ()) for unit in PARENTS),
    (f"unassigned:{TREE}", ()),
    ("unassigned:engineering", ()),
    ("", ("site=Pune",)),
    ("", ("site=Pune", "site=Oslo", "role=senior")),
    ("", ("site=Atlantis",)),
    ("a", ("role=junior",)),
    ("red", ("site=Berlin", "role=senior", "role=junior")),
    (f"unassigned:{TREE}", ("role=senior",)),
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


SEEDS = seeds()


@pytest.fixture(scope="module", params=SEEDS)
def world(request: pytest.FixtureRequest, stored_once: StoreOnce) -> Iterator[World]:
    def make() -> World:
        made = create_world(request.param, days=DAYS, sessions=30)
        add_organisation(made, request.param, DAYS)
        return made

    with stored_once(make, at=NOW) as world:
        yield world


def test_every_metric_of_every_scope_is_what_the_days_of_people_say(world: World) -> None:
    for unit, where in SCOPES:
        parameters = Parameters(
            unit=unit, where=where, start=str(WINDOW.start), end=str(WINDOW.end), granularity=Granularity.MONTH
        )
        queries = [parameters.query(key) for key in ORACLE]
        for query, answer in zip(queries, read_series(queries), strict=True):
            for figure in (*answer.total, *answer.series):
                expected, _, _ = oracle.expected(
                    world,
                    query.key,
                    _selection(query, figure.window),
                    periods=windows.periods(figure.window, query.granularity, today=TODAY),
                )
                if figure.reason and _is_from_telemetry(query.key):
                    assert not expected, (unit, where, figure)  # nobody of the scope was enrolled by then
                else:
                    assert figure.value == pytest.approx(expected), (query.key, unit, where, figure)


def test_the_command_says_of_units_and_attributes_what_the_days_of_people_say(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    for unit, where in SCOPES:
        options = [*(["--unit", unit] if unit else []), *(["--where", *where] if where else [])]
        for key in ("ai.sessions", "commit.count", "ai.spend"):
            window = ["--from", str(WINDOW.start), "--to", str(WINDOW.end), "--granularity", "month"]
            call_command("metric", key, *window, *options, "--json")
            document = json.loads(capsys.readouterr().out)
            query = Parameters(unit=unit, where=where, start=str(WINDOW.start), end=str(WINDOW.end)).query(key)
            whole, _, _ = oracle.expected(world, key, _selection(query, WINDOW))
            assert (document["total"][0]["value"] or 0) == pytest.approx(whole or 0), (key, options)
            by_month = [figure["value"] or 0 for figure in document["series"]]
            assert sum(by_month) == pytest.approx(whole or 0), (key, options)


def test_units_side_by_side_equal_the_units_alone(world: World) -> None:
    units = list(Unit.objects.values_list("pk", "slug"))
    queries = [
        Query(key, window, scope=scope)
        for key in ("ai.sessions", "ai.adoption_rate", "ai.spend", "commit.count", "ai.session_duration")
        for window in (windows.trailing(4), WINDOW)
        for scope in (Scope(), Scope(where={"role": ("senior",)}))
    ]

    def assert_the_same() -> None:
        [together] = read_together(units=[UnitQueries(queries, [pk for pk, _ in units])]).units
        for pk, slug in units:
            alone = read_totals([_of_unit(query, slug) for query in queries])
            assert [answer.total for answer in together[pk]] == [answer.total for answer in alone], slug

    assert_the_same()
    refresh()
    assert_the_same()


def test_a_move_is_in_the_answer_at_once(world: World) -> None:
    refresh()
    queries = [
        Query("ai.sessions", window, scope=Scope(unit))
        for unit in (*PARENTS, "root", None)
        for window in (windows.trailing(4), windows.trailing(12))
    ]
    before = [answer.total for answer in read_series(queries)]
    move_somebody(world, 7, DAYS)
    after = [answer.total for answer in read_series(queries)]
    assert after != before
    assert [answer.total for answer in read_series(queries, freshness=Freshness.OF_PAGES)] == after


def test_an_unknown_attribute_names_those_that_exist(world: World) -> None:
    with pytest.raises(QueryError, match=r"no attribute “team”.*role, site"):
        read_series([Query("ai.sessions", WINDOW, scope=Scope(where={"team": ("x",)}))])


@pytest.mark.parametrize("word", ["nowhere", "unassigned:nowhere", "unassigned:", "a\0"])
def test_an_unknown_unit_or_tree_is_named(world: World, word: str) -> None:
    with pytest.raises(UnknownUnitError):
        read_series([Query("ai.sessions", WINDOW, scope=Scope.of_unit(word))])


def test_a_value_that_nobody_has_is_nothing_found(world: World) -> None:
    query = Query("ai.sessions", WINDOW, scope=Scope(where={"site": ("Atlantis", "'; --")}))
    [figure] = read_totals([query])[0].total
    assert (figure.sample_size, figure.people) == (0, 0)


def _selection(query: Query, window: Window) -> Selection:
    scope = query.scope
    return Selection(window, NOW, scope.unit, where=scope.where, unassigned=scope.unassigned)


def _of_unit(query: Query, slug: str) -> Query:
    return Query(query.key, query.window, scope=Scope(slug, where=query.scope.where))


def _is_from_telemetry(key: str) -> bool:
    return not key.startswith("commit.") and key not in OF_REPOSITORIES
