"""Figures of all people at once are those that the engine answers for each person alone."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import cycle, product

import pytest
import time_machine

from insights.catalogue.registry import get
from insights.engine import database
from insights.engine.by_person import People, Row, read_people
from insights.engine.read import read_totals
from insights.leaderboard.ranking import (
    AI_LINES,
    ALL_LINES,
    BY_KEY,
    COLUMNS,
    ENOUGH_LINES,
    FIGURES,
    METRICS,
    RANK,
    RANKINGS,
    RankedPerson,
    Ranking,
    View,
)
from insights.privacy.withhold import rounded, rounded_as_sql
from insights.query.query import Dimension, Query, Scope, Window
from orgtree.models import Person
from tests.engine.facts import World, create_world
from tests.engine.organisations import TREE, add_organisation
from tests.seeds import seeds
from tests.stored_once import StoreOnce

NOW = datetime(2026, 3, 18, 15, 30, tzinfo=UTC)
TODAY = NOW.date()
DAYS = [TODAY - timedelta(days=n) for n in range(59, -1, -1)]
WHOLE = Window(date(2026, 1, 20), date(2026, 3, 19))
SCOPES = (
    Scope(),
    Scope("red"),
    Scope("a"),
    Scope(TREE),
    Scope(unassigned=TREE),
    Scope("b", where={"site": ("Pune", "Oslo")}),
    Scope(where={"role": ("senior",)}),
)
FACETS: tuple[dict[Dimension, tuple[str, ...]], ...] = (
    {},
    {Dimension.AGENT: ("codex", "gemini")},
    {Dimension.MODEL: ("opus",)},
    {Dimension.AGENT: ("claude_code",), Dimension.MODEL: ("homegrown", "sonnet")},
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("world")]


@pytest.fixture(autouse=True)
def _now() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


SEEDS = seeds()
WINDOWS = (WHOLE, Window(date(2026, 2, 3), date(2026, 2, 17)), Window(TODAY, TODAY + timedelta(9)))


@pytest.fixture(scope="module", params=SEEDS)
def world(request: pytest.FixtureRequest, stored_once: StoreOnce) -> Iterator[World]:
    """Few sessions, so that some have none: they were never enrolled."""

    def make() -> World:
        made = create_world(request.param, days=DAYS, sessions=24)
        add_organisation(made, request.param, DAYS)
        return made

    with stored_once(make, at=NOW) as world:
        yield world


def query_of(key: str, window: Window, scope: Scope, facets: dict[Dimension, tuple[str, ...]]) -> Query:
    used = {name: values for name, values in facets.items() if name in get(key).facets}
    return Query(key, window, scope=scope, facets=used)


def rows_of(people: People) -> Mapping[int, Row]:
    return {row["person_id"]: row for row in people.select("FROM {result}")}


def test_every_cell_is_the_answer_to_the_person_alone(world: World) -> None:
    """In every scope, and with every facet in every window; and to sort by, to the last bit."""
    somebody = {*Person.objects.values_list("pk", flat=True)}
    values, reasons = 0, set()
    for scope, (window, facets) in zip(cycle(SCOPES), product(WINDOWS, FACETS), strict=False):
        people = read_people([query_of(key, window, scope, facets) for key in METRICS], {})
        numbers = ", ".join(f'{people.number(key)} AS "{key}"' for key in METRICS)
        sorted_by = {row["person_id"]: row for row in people.select(f"SELECT person_id, {numbers} FROM {{result}}")}
        rows = rows_of(people)
        assert rows.keys() == sorted_by.keys() <= somebody
        shown = {person: people.values(row) for person, row in rows.items()}
        alone = [query_of(key, window, replace(scope, person_id=person), facets) for person in rows for key in METRICS]
        for query, answer in zip(alone, read_totals(alone), strict=True):
            [expected] = answer.total
            person = query.scope.person_id or 0
            figure = shown[person][query.key]
            value = None if expected.value is None else pytest.approx(expected.value)
            assert (figure.value, figure.reason) == (value, expected.reason or ""), query
            assert sorted_by[person][query.key] == figure.value, query
            values += expected.value is not None
            reasons.add(expected.reason)
    assert values > 150
    assert len(reasons) >= 3  # no price, nothing found, and none; for some seeds also no telemetry yet


def test_who_used_which_agents_most(world: World) -> None:
    split = Query("ai.sessions", WHOLE, segments=(Dimension.AGENT,))
    rows = rows_of(read_people([Query("ai.sessions", WHOLE)], {"agents": split}))
    for person, row in rows.items():
        [answer] = read_totals([replace(split, scope=Scope(person_id=person))])
        expected = {figure.segment["agent"]: figure.value for figure in answer.total if figure.value}
        assert (row["agents"] or []) == sorted(expected, key=lambda agent: (-expected[agent], agent))
    assert any(row["agents"] for row in rows.values())


def test_orders_and_ranks_follow_what_is_seen(world: World) -> None:
    """As numbers of everybody say, exact and under pseudonyms."""
    chance = random.Random(1)
    ranking = Ranking(Query("ai.spend", WHOLE))
    own = min(ranking.ids())
    for view, ranked_by in product((View(own), View(own, True, "a"), View(None, True, "b")), RANKINGS):
        listed = ranking.page(view, RANK, ranked_by=ranked_by, size=99)
        everybody = {person.person_id: person for person in listed}
        assert len(listed) == len(everybody) == ranking.people

        def seen(person: RankedPerson, key: str) -> float | None:
            return person.values[key].value

        metric, enough = BY_KEY[ranked_by].metric, ENOUGH_LINES if ranked_by == "ai_share" else -1
        ranked = [
            person for person in listed if seen(person, metric) is not None and (seen(person, ALL_LINES) or 0) >= enough
        ]
        assert [person.rank is not None for person in listed] == [person in ranked for person in listed]
        for person in ranked:
            own_key = seen(person, metric), seen(person, AI_LINES) or 0
            before = [one for one in ranked if (seen(one, metric), seen(one, AI_LINES) or 0) > own_key]
            assert person.rank == len(before) + 1
        assert [person.rank for person in ranked] == sorted(person.rank or 0 for person in ranked)
        reverse = ranking.page(view, f"-{RANK}", ranked_by=ranked_by, size=99)
        assert reverse == listed[::-1]
        for column in chance.sample(FIGURES, 3):
            for direction in ("", "-"):
                sort = f"{direction}{column.key}"
                pages = [ranking.page(view, sort, ranked_by=ranked_by, page=page, size=4) for page in (1, 2, 3, 4)]
                together = [person for page in pages for person in page]
                assert together == [everybody[person.person_id] for person in together]
                assert together == ranking.page(view, sort, ranked_by=ranked_by, size=16)
                known = [value for person in together if (value := seen(person, column.metric)) is not None]
                assert known == sorted(known, reverse=bool(direction))
                assert all(seen(person, column.metric) is None for person in together[len(known) :])


def test_under_pseudonyms_every_question_lists_people_in_another_order(world: World) -> None:
    """Those that nothing else tells apart."""
    ranking = Ranking(Query("ai.spend", WHOLE))
    orders = {
        tuple(
            person.person_id
            for person in ranking.page(View(None, True, question), "ai_lines", ranked_by="spend", size=99)
        )
        for question in "abcd"
    }
    assert len(orders) > 1  # a few people may be in the same order twice
    assert len({tuple(sorted(order)) for order in orders}) == 1


def test_rounding_to_sort_by_is_the_rounding_that_is_seen() -> None:
    rng = random.Random(1)
    numbers = [0.0, 2.5, 7.5, 12.5, 25.0, 95.0, 99.9, 1000.0, 1500.0, 0.4, -7.0]
    numbers += [rng.random() * 10 ** rng.randint(-3, 12) for _ in range(5_000)]
    numbers += [float(rng.randint(0, 10 ** rng.randint(1, 9))) for _ in range(5_000)]
    text = f"SELECT {rounded_as_sql('number')} AS seen FROM (SELECT unnest($numbers::DOUBLE[]) AS number)"
    with database.cursor() as cursor:
        found = database.fetch(cursor, text, {"numbers": numbers})
    assert [row["seen"] for row in found] == [rounded(number) for number in numbers]


def test_every_column_but_rank_name_and_agent_is_a_metric() -> None:
    assert len(COLUMNS) == 14
    assert {column.metric for column in COLUMNS if column.metric} <= {*METRICS}


def test_what_people_have_no_value_of_is_refused() -> None:
    for key in ("ai.adoption_rate", "ai.enabled_repositories", "ai.sessions_per_developer"):
        with pytest.raises(TypeError):
            read_people([Query(key, WHOLE)], {}).number(key)
