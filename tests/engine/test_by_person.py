"""Figures of all people at once are those that the engine answers for each person alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import cycle, product

import numpy as np
import pytest
import time_machine

from insights.catalogue.registry import get
from insights.engine.by_person import PersonValue, read_people
from insights.engine.read import read_totals
from insights.leaderboard.ranking import COLUMNS, METRICS, SESSIONS, FactFigures, PseudonymousFigures
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


def are_same(numbers: Sequence[float], values: Sequence[PersonValue]) -> bool:
    expected = np.array([np.nan if value.value is None else value.value for value in values])
    return np.array_equal(numbers, expected, equal_nan=True)


def test_every_cell_is_the_answer_to_the_person_alone(world: World) -> None:
    """In every scope, and with every facet in every window."""
    somebody = [*Person.objects.values_list("pk", flat=True)]
    values, reasons = 0, set()
    for scope, (window, facets) in zip(cycle(SCOPES), product(WINDOWS, FACETS), strict=False):
        people = read_people([query_of(key, window, scope, facets) for key in METRICS])
        assert people.ids <= {*somebody}
        alone = [
            query_of(key, window, replace(scope, person_id=person), facets) for person in somebody for key in METRICS
        ]
        for query, answer in zip(alone, read_totals(alone), strict=True):
            [expected] = answer.total
            person_value = people.value(query.key, query.scope.person_id or 0)
            value = None if expected.value is None else pytest.approx(expected.value)
            assert (person_value.value, person_value.reason) == (value, expected.reason or ""), query
            values += expected.value is not None
            reasons.add(expected.reason)
        for key in METRICS:
            assert are_same(people.numbers(key, somebody), [people.value(key, person) for person in somebody])
    assert values > 250
    assert len(reasons) >= 4  # no price, no telemetry yet, nothing found, and none


def test_who_used_which_agents_most(world: World) -> None:
    split = Query("ai.sessions", WHOLE, segments=(Dimension.AGENT,))
    people = read_people([split, Query("ai.sessions", WHOLE)])
    for person in people.ids:
        [answer] = read_totals([replace(split, scope=Scope(person_id=person))])
        expected = {figure.segment["agent"]: figure.value for figure in answer.total if figure.value}
        assert people.split("ai.sessions", person) == expected
        assert list(people.split("ai.sessions", person).values()) == sorted(expected.values(), reverse=True)


def test_under_pseudonyms_every_question_lists_people_in_another_order(world: World) -> None:
    figures = FactFigures(Query("ai.spend", WHOLE))
    views = [PseudonymousFigures(figures, None, question) for question in "abcd"]
    assert len({tuple(view.people) for view in views}) > 1  # a few people may be in the same order twice
    for view in views:
        assert sorted(view.people) == sorted(figures.people)
        assert are_same(view.numbers(SESSIONS), [view.value(SESSIONS, person) for person in view.people])


def test_every_column_but_rank_name_and_agent_is_a_metric() -> None:
    assert len(COLUMNS) == 14
    assert {column.metric for column in COLUMNS if column.metric} <= {*METRICS}


def test_what_people_have_no_value_of_is_refused() -> None:
    for key in ("ai.adoption_rate", "ai.enabled_repositories", "ai.spend_per_developer"):
        with pytest.raises(TypeError):
            read_people([Query(key, WHOLE)])
