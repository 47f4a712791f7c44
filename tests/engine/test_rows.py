"""Recomputing a figure from its rows gives the number; what the policy withholds is not in them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.contrib.auth.models import User

from insights.catalogue.declarations import Breakdown, RowsBy
from insights.catalogue.registry import metrics
from insights.columns.refresh import refresh
from insights.columns.shape import relations_of
from insights.engine.contributions import PERSON, ColumnKind, fact_columns, read_person_totals, read_rows
from insights.engine.distribution import read_distribution
from insights.engine.fact_rows import DESCRIBING_FACTS, GREATEST, RowOrder, columns_by_id
from insights.engine.live_rows import rows_of_answer
from insights.engine.read import read_series
from insights.privacy.rows import is_named_elsewhere
from insights.privacy.visible import visible_distribution, visible_rows
from insights.privacy.withhold import AI_DIMENSIONS, is_of_delivery, rounded
from insights.query.errors import QueryError
from insights.query.query import Dimension, Query, Scope, Statistic, Window
from orgtree.access.access import Access, access_of
from orgtree.models import IndividualPolicy, MembersSee, Organisation, Person
from tests.engine.facts import World, create_world
from tests.stored_once import StoreOnce

NOW = datetime(2026, 3, 18, 15, 30, tzinfo=UTC)
DAYS = [NOW.date() - timedelta(days=n) for n in range(59, -1, -1)]
WINDOW = Window(date(2026, 2, 1), date(2026, 3, 19))

# Whoever signed in may see the whole organisation, however few people contribute.
OPEN = {"members_see": MembersSee.EVERYTHING, "minimum_group_size": 1, "protected_since": NOW}

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("world")]


@pytest.fixture(autouse=True)
def _now() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture(scope="module")
def world(stored_once: StoreOnce) -> Iterator[World]:
    with stored_once(lambda: create_world(6, days=DAYS, sessions=40), at=NOW) as world:
        yield world


def test_every_relation_describes_its_facts() -> None:
    """Also one without rows in this world, and one whose SQL contains a %."""
    for name, relation in relations_of(metrics()).items():
        described = [column for column in DESCRIBING_FACTS if column in relation.columns]
        assert columns_by_id(relation, relation.fact, described, [-1]) == {}, name


@pytest.mark.usefixtures("read_once")
@pytest.mark.parametrize("unit", [None, "red"])
@pytest.mark.parametrize("agents", [(), ("codex",)])
def test_the_rows_give_the_number(world: World, unit: str | None, agents: tuple[str, ...]) -> None:
    facets = {Dimension.AGENT: agents} if agents else {}
    counted = [metric for metric in metrics() if {*facets} <= {*metric.facets}]
    queries = [Query(metric.key, WINDOW, scope=Scope(unit), facets=facets) for metric in counted]
    for metric, query, answer in zip(counted, queries, read_series(queries), strict=True):
        figures = answer.total
        rows = read_rows(query, size=1000).rows
        above = sum(row["contribution"] for row in rows)
        if isinstance(metric, Breakdown):
            below = sum(row["denominator"] for row in rows)
            for figure in figures if below else ():
                own = [row["contribution"] for row in rows if row[metric.by] == figure.segment.get(metric.by)]
                assert sum(own) / below * 100 == pytest.approx(figure.value), metric.key
            continue
        if metric.rows_by is RowsBy.PERSON_AND_SEGMENT:
            people = len({row["person_id"] for row in rows})
            for figure in figures:
                own = [row["contribution"] for row in rows if row["agent"] == figure.segment.get("agent")]
                assert not rows or sum(own) / people * 100 == pytest.approx(figure.value), metric.key
            continue
        [figure] = figures
        if figure.value is None:
            assert not rows or not sum(row.get("denominator", 0) for row in rows), metric.key
        elif rows and "denominator" in rows[0] and metric.key != "ai.active_developers":
            factor = 100 if metric.unit == "percent" else 1
            below = sum(row["denominator"] for row in rows)
            assert above / below * factor == pytest.approx(figure.value), metric.key
        elif metric.statistics:
            assert above / len(rows) == pytest.approx(figure.value), metric.key
        else:
            assert above == pytest.approx(figure.value), metric.key


def test_pages_are_disjoint_and_complete(world: World) -> None:
    query = Query("ai.tokens", WINDOW)
    whole = read_rows(query, size=1000)
    pages = [read_rows(query, page=number, size=7) for number in range(1, whole.total // 7 + 2)]
    assert [row for page in pages for row in page.rows] == list(whole.rows)
    assert {page.total for page in pages} == {whole.total}
    behind = read_rows(query, page=whole.total, size=7)
    assert (list(behind.rows), behind.total) == ([], whole.total)


def test_the_greatest_are_those_that_add_most(world: World) -> None:
    for key in ("ai.tokens", "ai.lines_committed", "ai.spend_per_commit", "ai.session_duration"):
        newest = read_rows(Query(key, WINDOW), size=1000)
        greatest = read_rows(Query(key, WINDOW), size=10, order=GREATEST)
        in_order = sorted(newest.rows, key=lambda row: -row["contribution"])  # of equals the newest first
        assert (list(greatest.rows), greatest.total) == (in_order[:10], newest.total), key


def test_columns_hold_the_same_rows(world: World) -> None:
    with rows_of_answer():
        live = [read_rows(Query(metric.key, WINDOW), size=20) for metric in metrics()]
    assert refresh()
    for page in live:
        assert read_rows(page.query, size=20) == page, page.query.key


@pytest.fixture
def read_once() -> Iterator[None]:
    """Nothing is stored while the test reads: PostgreSQL is read once for each relation, and not for each metric."""
    with rows_of_answer():
        yield


def seen_by(world: World, policy: IndividualPolicy) -> tuple[Person, Access]:
    Organisation.objects.update_or_create(pk=1, defaults={**OPEN, "individual_policy": policy})
    me = Person.objects.get(pk=world.placements[0][0])
    return me, access_of(User.objects.create_user("me", str(me.email)))


@pytest.mark.usefixtures("read_once")
def test_others_appear_under_a_pseudonym_with_rounded_totals(world: World) -> None:
    me, access = seen_by(world, IndividualPolicy.PSEUDONYMS)
    names = {person.full_name for person in Person.objects.all()}
    for metric in metrics():
        query = Query(metric.key, WINDOW)
        page = visible_rows(query, access, size=1000)
        others = [row for row in page.rows if row.get("person") not in (None, me.full_name, "Unmatched")]
        if is_named_elsewhere(metric.key) or metric.always_by:
            assert is_of_delivery(metric) or not others, metric.key
            continue
        assert [column.name for column in page.columns if column.kind is not ColumnKind.NUMBER] == ["person"]
        assert not names & {row["person"] for row in others}, metric.key
        exact = [row["contribution"] for row in read_person_totals(query).rows if row["person_id"] == me.pk]
        assert [row["contribution"] for row in page.rows if row["person"] == me.full_name] == exact, metric.key
        assert all(row["contribution"] in (1, rounded(row["contribution"])) for row in others), metric.key


def test_windows_that_slide_by_a_day_share_no_pseudonym(world: World) -> None:
    """The attack: whoever enters or leaves the list from one day to the next was at work on that day."""
    me, access = seen_by(world, IndividualPolicy.PSEUDONYMS)
    seen: dict[str, set[Window]] = {}
    for days in range(20):
        end = WINDOW.end - timedelta(days=days)
        window = Window(end - timedelta(days=28), end)
        for row in visible_rows(Query("ai.sessions", window), access, size=1000).rows:
            if row["person"] not in (me.full_name, "Unmatched"):
                seen.setdefault(row["person"], set()).add(window)
    assert len(seen) > 20
    assert all(len(labels) == 1 for labels in seen.values()), "they can be followed"


def test_a_mean_of_durations_is_shown_for_every_developer(world: World) -> None:
    me, access = seen_by(world, IndividualPolicy.PSEUDONYMS)
    query = Query("ai.session_duration", WINDOW)
    [own] = [row for row in visible_rows(query, access, size=1000).rows if row["person"] == me.full_name]
    [answer] = read_series([replace(query, scope=Scope(person_id=me.pk), statistic=Statistic.MEAN)])
    assert own["contribution"] == pytest.approx(answer.total[0].value)


@pytest.mark.usefixtures("read_once")
@pytest.mark.parametrize("policy", [IndividualPolicy.SELF_ONLY, IndividualPolicy.PSEUDONYMS])
def test_a_word_of_ai_makes_rows_of_delivery_those_of_an_ai_metric(world: World, policy: IndividualPolicy) -> None:
    me, access = seen_by(world, policy)
    for metric in filter(is_of_delivery, metrics()):
        page = visible_rows(Query(metric.key, WINDOW), access, size=1000)
        assert not {column.name for column in page.columns} & {"agent", "model", "assistance"}, metric.key
        for dimension in AI_DIMENSIONS & {*metric.segments}:
            split = Query(metric.key, WINDOW, segments=(dimension,))
            narrowed = Query(metric.key, WINDOW, facets={dimension: ("claude_code", "assisted", "none")})
            for query in (split, narrowed):
                page = visible_rows(query, access, size=1000)
                assert {row["person"] for row in page.rows} <= {me.full_name}, (metric.key, dimension)
                assert "only your own rows" in page.note.lower()


def test_a_policy_of_names_shows_them(world: World) -> None:
    Organisation.objects.update_or_create(pk=1, defaults={**OPEN, "individual_policy": IndividualPolicy.NAMED})
    page = visible_rows(Query("ai.sessions", WINDOW), access_of(User.objects.create_user("me")), size=1000)
    names = {person.full_name for person in Person.objects.all()} | {"Unmatched"}
    assert {row["person"] for row in page.rows} <= names


def test_the_distribution_holds_every_fact_once(world: World) -> None:
    for key in ("ai.session_duration", "ai.tokens", "ai.lines_generated"):
        spread = read_distribution(Query(key, WINDOW))
        [figure] = read_series([Query(key, WINDOW)])[0].total
        assert spread.sample_size == figure.sample_size == sum(bin_.count for bin_ in spread.histogram)
        assert spread.histogram[0].start == spread.minimum
        assert spread.histogram[-1].end == spread.maximum
        assert list(spread.percentiles.values()) == sorted(spread.percentiles.values())


def test_no_border_of_what_others_see_is_a_single_fact(world: World) -> None:
    _, access = seen_by(world, IndividualPolicy.PSEUDONYMS)
    for key in ("ai.tokens", "ai.lines_committed", "ai.session_duration"):
        query = Query(key, WINDOW)
        exact, shown = read_distribution(query), visible_distribution(query, access)
        assert [bin_.count for bin_ in shown.histogram] == [bin_.count for bin_ in exact.histogram]
        assert shown.maximum == shown.histogram[-1].end == rounded(exact.maximum or 0)
        borders = [bin_.start for bin_ in shown.histogram]
        assert borders == sorted(borders)
        width = exact.histogram[0].end - exact.histogram[0].start
        assert all(abs(b - e.start) <= width / 2 for b, e in zip(borders, exact.histogram, strict=True))


def test_what_is_no_amount_per_session_has_no_distribution(world: World) -> None:
    with pytest.raises(QueryError, match="no distribution"):
        read_distribution(Query("ai.adoption_rate", WINDOW))


@pytest.mark.usefixtures("read_once")
def test_every_column_sorts_all_rows_and_its_pages_are_complete(world: World) -> None:
    names = {person.pk: person.full_name.casefold() for person in Person.objects.all()}
    kinds = {(metric.rows_by, len(metric.measures), *sorted(fact_columns(metric))): metric for metric in metrics()}
    for metric in kinds.values():  # one of each kind of rows: the others are read by the same code
        query = Query(metric.key, WINDOW)
        whole = read_rows(query, size=1000)
        size = whole.total // 3 + 1
        for column in whole.columns:
            for descending in (False, True):
                order = RowOrder(column.name, descending)
                pages = [read_rows(query, page=n, size=size, order=order).rows for n in (1, 2, 3)]
                listed = [row for page in pages for row in page]
                assert sorted(map(repr, listed)) == sorted(map(repr, whole.rows)), (query.key, order)
                values = [names.get(row[column.name]) if column is PERSON else row[column.name] for row in listed]
                known = [
                    value.casefold() if isinstance(value, str) else value for value in values if value not in (None, "")
                ]
                if column.name not in {*Dimension}:  # of a database's collation
                    assert known == sorted(known, reverse=descending), (query.key, order)
                assert all(value in (None, "") for value in values[len(known) :]), "rows without a value come last"


def test_a_column_that_the_rows_do_not_have_is_refused(world: World) -> None:
    for key in ("ai.tokens", "ai.active_developers"):
        with pytest.raises(QueryError, match="Use "):
            read_rows(Query(key, WINDOW), order=RowOrder("name; DROP TABLE"))


@pytest.mark.usefixtures("read_once")
def test_the_order_of_rows_tells_no_more_than_the_rows(world: World) -> None:
    """Rounded totals are sorted as they are shown, and a column about AI that delivery rows leave out sorts nothing."""
    _, access = seen_by(world, IndividualPolicy.PSEUDONYMS)
    for descending in (False, True):
        by_value = visible_rows(
            Query("ai.tokens", WINDOW), access, size=1000, order=RowOrder("contribution", descending)
        )
        shown = [(row["contribution"], row["person"]) for row in by_value.rows]
        assert [value for value, _ in shown] == sorted((value for value, _ in shown), reverse=descending)
        for value in {value for value, _ in shown}:
            labels = [label for other, label in shown if other == value]
            assert labels == sorted(labels), "of equals the labels decide"
    for column in ("agent", "model", "assistance"):
        with pytest.raises(QueryError):
            visible_rows(Query("commit.count", WINDOW), access, order=RowOrder(column))
