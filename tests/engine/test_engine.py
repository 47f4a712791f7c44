"""The engine with hostile values, with queries that are too large, in transactions and after a fork.

tests/worked and the oracles verify its figures.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import duckdb
import pytest
import time_machine
from django.db import transaction
from django.test import Client, RequestFactory

from config.errors import TOO_LONG, TOO_MUCH, server_error
from insights.columns.folder import temporary_folder
from insights.engine import database, tables
from insights.engine.database import Limit, QuestionStoppedError
from insights.engine.read import read_series
from insights.query.query import Dimension, Query, Scope, Window
from integrations.models import AgentSessionDay
from orgtree.models import Placement
from tests.engine.facts import create_world
from tests.personas import ADMIN, Persona
from tests.stored_once import StoreOnce

NOW = datetime(2026, 3, 18, 15, 30, tzinfo=UTC)
DAYS = [NOW.date() - timedelta(days=n) for n in range(59, -1, -1)]
WHOLE = Window(DAYS[0], NOW.date() + timedelta(days=1))
ENDLESS = "SELECT count(*) FROM range(10000000000) AS a, range(10000000000) AS b WHERE a.range * b.range = 7"
HOSTILE = [
    "x' OR '1'='1",
    '"; DROP TABLE memberships; --',
    "{memberships}",
    "$p0",
    "a,b\nc\r\n\\N",
    "NULL",
    "%s {} 🙂",
]

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def world(stored_once: StoreOnce) -> Iterator[None]:
    with stored_once(lambda: create_world(3, days=DAYS), at=NOW):
        yield


@pytest.fixture(autouse=True)
def _now(world: None) -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def fresh() -> Iterator[None]:
    """A database of DuckDB of its own, with limits that the test sets; the process's is another one afterwards, too."""
    _forget()
    yield
    _forget()


def _forget() -> None:
    database._process.forget()
    tables._process.forget()


def tokens(**more: object) -> float | None:
    [answer] = read_series([Query("ai.tokens", WHOLE, **more)])  # type: ignore[arg-type]
    return answer.total[0].value


@pytest.mark.parametrize("model", HOSTILE)
def test_values_that_look_like_sql_are_values(model: str) -> None:
    everything, of_opus = tokens(scope=Scope("root")), tokens(scope=Scope("root"), facets={Dimension.MODEL: ("opus",)})
    assert of_opus
    assert not tokens(scope=Scope("root"), facets={Dimension.MODEL: (model,)})
    AgentSessionDay.objects.filter(model="opus").update(model=model)
    assert tokens(scope=Scope("root"), facets={Dimension.MODEL: (model,)}) == of_opus
    [answer] = read_series([Query("ai.tokens", WHOLE, scope=Scope("root"), segments=(Dimension.MODEL,))])
    by_model = {figure.segment["model"]: figure.value for figure in answer.total}
    assert by_model[model] == of_opus
    assert sum(value or 0 for value in by_model.values()) == everything


def test_a_question_without_end_is_stopped_and_the_next_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    before = tokens()
    monkeypatch.setattr(database, "TIME_LIMIT_SECONDS", 0.2)
    with database.cursor() as cursor, pytest.raises(QuestionStoppedError) as stopped:
        database.fetch(cursor, ENDLESS, {})
    assert stopped.value.limit is Limit.TIME
    assert tokens() == before


@pytest.mark.usefixtures("fresh")
def test_a_question_that_needs_too_much_memory_is_stopped_and_the_next_is_answered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = tokens()
    _forget()
    monkeypatch.setattr(database, "MEMORY_LIMIT", "60MB")
    with database.cursor() as cursor, pytest.raises(QuestionStoppedError) as stopped:
        database.fetch(cursor, "SELECT list(range * 7) AS numbers FROM range(60000000)", {})
    assert stopped.value.limit is Limit.MEMORY
    assert tokens() == before


@pytest.mark.parametrize(("limit", "sentence"), [(Limit.TIME, TOO_LONG), (Limit.MEMORY, TOO_MUCH)])
def test_a_question_that_is_too_large_gets_503_with_a_sentence(
    limit: Limit, sentence: str, sign_in: Callable[[Persona], Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    client = sign_in(ADMIN)
    client.raise_request_exception = False

    def stopped(*_: object) -> None:
        raise QuestionStoppedError(limit)

    monkeypatch.setattr(database, "fetch", stopped)
    answer = client.get("/api/v1/metrics/ai.tokens/series/?from=2026-03-01&to=2026-03-10")
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert sentence in answer.content.decode()
    try:
        stopped()
    except QuestionStoppedError:
        page = server_error(RequestFactory().get("/insights/metrics/ai.tokens/"))
    assert page.status_code == 503
    assert sentence in page.content.decode()


@pytest.mark.parametrize(
    "attempt",
    [
        "SELECT * FROM read_csv('/etc/passwd')",
        "COPY (SELECT 1) TO '/tmp/rows.csv'",
        "ATTACH '/tmp/other.db'",
        "INSTALL httpfs",
        "SET enable_external_access = true",
        "SET memory_limit = '9GB'",
    ],
)
def test_it_reaches_nothing_but_its_folder(attempt: str) -> None:
    with database.cursor() as cursor, pytest.raises(duckdb.Error):
        cursor.execute(attempt)


def test_a_question_sees_what_its_transaction_sees() -> None:
    red = Scope("red")
    before = tokens(scope=red)
    assert before
    with transaction.atomic():
        moved = transaction.savepoint()
        Placement.objects.filter(ancestor__slug="red").delete()
        assert not tokens(scope=red)
        transaction.savepoint_rollback(moved)
    assert tokens(scope=red) == before


def test_no_file_is_left_of_a_question(monkeypatch: pytest.MonkeyPatch) -> None:
    own = temporary_folder() / f"of-{os.getpid()}"  # other processes of the run have files beside it
    own.mkdir()
    monkeypatch.setattr("insights.columns.folder.temporary_folder", lambda: own)
    assert tokens(scope=Scope("red"))
    monkeypatch.setattr("insights.engine.scan.statement_of", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        tokens()
    assert list(own.iterdir()) == []
    own.rmdir()


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_process_answers_questions() -> None:
    assert tokens(scope=Scope("red"))
    child = os.fork()
    if child == 0:
        with database.cursor() as cursor:
            [row] = database.fetch(cursor, "SELECT sum(range) AS sum FROM range(1000)", {})
        os._exit(0 if row["sum"] == 499500 else 1)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0


@pytest.mark.parametrize(
    ("days", "inside"),
    [
        ("{[2026-01-01,2026-02-01),[2026-03-01,)}", ["2026-01-01", "2026-01-31", "2026-03-01"]),
        ("{(,2026-01-01)}", ["0001-01-01", "2025-12-31"]),
        ("{(,)}", ["2026-01-01", "2026-02-01", "2026-02-28"]),
        ("{}", []),
    ],
)
def test_multiranges_are_read_as_postgresql_writes_them(days: str, inside: list[str]) -> None:
    days_read = [*inside, "2026-02-01", "2026-02-28"]
    with database.cursor() as cursor:
        [row] = database.fetch(
            cursor,
            """
            SELECT list(multirange_contains_elem($days, day::DATE)) AS contained
            FROM (SELECT unnest($asked) AS day)
            """,
            {"days": days, "asked": days_read},
        )
    assert row["contained"] == [day in inside for day in days_read]
