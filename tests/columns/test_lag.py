"""The lag that pages accept: ten seconds, and rows that are not copied yet.  All other readers get the current
state.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from insights.columns.build import END_DAY, FIRST_DAY, database_today
from insights.columns.folder import folder
from insights.columns.shape import copied_relations
from insights.columns.source import EXACT, PAGE, Allowance, Lag, Partitions
from insights.columns.stale import take_changes_out
from insights.engine import scan
from insights.engine.fact_query import FactQuery
from insights.engine.live_rows import rows_of_answer
from insights.models import ColumnPartition
from insights.query.measures import Facts
from insights.query.query import Dimension, Window
from integrations.facts.ai import AGENT_SESSIONS
from integrations.facts.work_items import BACKLOG
from integrations.models import AgentSession, AgentSessionDay, FactChange, FactFamily
from tests.columns.states import build_all, copied_alone
from tests.columns.test_partitions import let_a_day_pass
from tests.columns.test_standing import items
from tests.engine.facts import create_world
from tests.org import Org

__all__ = ["items"]
NOW = datetime(2026, 3, 18, 15, 30, tzinfo=UTC)
DAYS = [NOW.date() - timedelta(days=n) for n in range(29, -1, -1)]
WHOLE = Window(DAYS[0], DAYS[-1] + timedelta(days=1))
SESSIONS = Facts(AGENT_SESSIONS)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _now() -> Iterator[None]:
    with (
        time_machine.travel(NOW, tick=False),
        copied_alone(["agent_sessions", "agent_session_days", "backlog", "commits"]),
    ):
        yield


@pytest.fixture
def sessions() -> int:
    """The number of sessions, all of them copied."""
    create_world(1, days=DAYS, sessions=20)
    build_all()
    assert not FactChange.objects.exists()
    number, lag = ask(EXACT)
    assert number > 5
    assert lag == Lag()
    return number


def ask(allowance: Allowance, window: Window = WHOLE) -> tuple[int, Lag]:
    """The number of sessions."""
    fact_query = FactQuery(AGENT_SESSIONS, ((window.start, window.end),))
    with rows_of_answer(allowance) as rows:
        groups = scan.scan(fact_query, [SESSIONS])
        return sum(group.facts for group in groups.values()), rows.lag


def lose_one(*, seconds_ago: float) -> datetime:
    """A session that is none any more, as the outbox says since then; when that was."""
    session = AgentSession.objects.filter(has_work=True).first()
    assert session is not None
    AgentSession.objects.filter(pk=session.pk).update(has_work=False)
    changed = FactChange.objects.create(family=FactFamily.AI, day_from=DAYS[0], day_to=WHOLE.end)
    return back(changed, seconds_ago)


def back(changed: FactChange, seconds_ago: float) -> datetime:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE integrations_factchange SET at = clock_timestamp() - make_interval(secs => %s) WHERE id = %s"
            " RETURNING at",
            [seconds_ago, changed.pk],
        )
        at: datetime = cursor.fetchone()[0]
    return at


def test_a_page_may_lag_by_what_changed_in_the_last_ten_seconds(sessions: int) -> None:
    at = lose_one(seconds_ago=4)
    assert ask(PAGE) == (sessions, Lag(as_of=at))
    assert ask(EXACT) == (sessions - 1, Lag())


def test_a_change_that_was_taken_out_of_the_outbox_is_as_old_as_before(sessions: int) -> None:
    at = lose_one(seconds_ago=4)
    take_changes_out()
    assert ColumnPartition.objects.get(relation=AGENT_SESSIONS.name).stale_since == at
    assert ask(PAGE) == (sessions, Lag(as_of=at))
    ColumnPartition.objects.exclude(stale_since=None).update(stale_since=F("stale_since") - timedelta(seconds=7))
    assert ask(PAGE) == ask(EXACT) == (sessions - 1, Lag())


def test_what_changed_before_is_there(sessions: int) -> None:
    lose_one(seconds_ago=11)
    lose_one(seconds_ago=2)
    assert ask(PAGE) == ask(EXACT) == (sessions - 2, Lag())


def test_what_changed_in_the_future_of_a_clock_that_was_put_back_is_there(sessions: int) -> None:
    lose_one(seconds_ago=-3600)
    assert ask(PAGE) == ask(EXACT) == (sessions - 1, Lag())
    FactChange.objects.all().delete()
    ColumnPartition.objects.update(stale_since=timezone.now() + timedelta(days=4000))
    assert ask(PAGE) == ask(EXACT) == (sessions - 1, Lag())


def test_beyond_so_many_rows_a_page_reads_the_last_version(sessions: int) -> None:
    at = lose_one(seconds_ago=3600)
    few = Allowance(PAGE.lag, live_rows=sessions - 2)
    assert ask(few) == (sessions, Lag(as_of=at))
    assert ask(Allowance(PAGE.lag, live_rows=sessions - 1)) == (sessions - 1, Lag())


def test_how_many_rows_there_are_is_known_from_the_last_version(sessions: int) -> None:
    """On some of its days, by their share of those that had come; what is too much is not even begun."""
    days = [Window(DAYS[0], DAYS[10]), Window(DAYS[20], WHOLE.end + timedelta(days=30))]
    partitions = Partitions.read()
    assert partitions.rows_of(AGENT_SESSIONS, [Window(FIRST_DAY, END_DAY)]) == sessions
    assert partitions.rows_of(AGENT_SESSIONS, [Window(date(1990, 1, 1), date(1990, 1, 1))]) == 0
    assert 0 < partitions.rows_of(AGENT_SESSIONS, days) < sessions
    at = lose_one(seconds_ago=3600)
    past = Window(FIRST_DAY, database_today() + timedelta(days=1))
    with CaptureQueriesContext(connection) as captured:
        assert ask(Allowance(PAGE.lag, live_rows=sessions - 1), past) == (sessions, Lag(as_of=at))
    assert not any("COPY" in str(query["sql"]) for query in captured.captured_queries)


def test_what_was_never_copied_is_to_come_and_the_answer_says_of_which_days() -> None:
    create_world(1, days=DAYS, sessions=20)
    number, lag = ask(Allowance(live_rows=3))
    assert (number, lag) == (0, Lag(days_lacking=WHOLE.days))
    build_all()
    number, lag = ask(Allowance(live_rows=0))
    assert number > 5
    assert lag == Lag()


@pytest.mark.parametrize("harm", [Path.unlink, lambda path: path.write_bytes(b"")])
def test_a_last_version_whose_file_is_gone_is_none(sessions: int, harm: object) -> None:
    harm(folder() / ColumnPartition.objects.get(relation=AGENT_SESSIONS.name).file_name)  # type: ignore[operator]
    assert ask(EXACT) == (sessions, Lag())
    assert ask(Allowance(live_rows=3)) == (0, Lag(days_lacking=WHOLE.days))


def test_one_limit_holds_for_all_questions_of_an_answer(sessions: int) -> None:
    """A second window of the same relation is among what may be read; what is read already is read once."""
    ColumnPartition.objects.all().delete()
    windows = [Window(DAYS[0], DAYS[15]), Window(DAYS[15], WHOLE.end)]
    first, second = (ask(EXACT, window)[0] for window in windows)
    with rows_of_answer(Allowance(live_rows=first + second - 1)) as rows:
        for _ in range(2):
            assert ask(EXACT, windows[0])[0] == first
        assert rows.lag == Lag()
        assert ask(EXACT, windows[1])[0] == 0
        assert rows.lag == Lag(days_lacking=windows[1].days)


def test_what_a_file_that_cannot_be_read_hides_is_read_live_as_far_as_may_be(sessions: int) -> None:
    path = folder() / ColumnPartition.objects.get(relation=AGENT_SESSIONS.name).file_name
    path.write_bytes(b"x" * path.stat().st_size)
    scan.answers.clear()
    assert ask(PAGE) == (sessions, Lag())
    assert ask(Allowance(live_rows=3)) == (0, Lag(days_lacking=WHOLE.days))


def test_columns_that_are_not_copied_are_read_live_within_the_limit(sessions: int) -> None:
    commits = copied_relations()["commits"]
    with rows_of_answer(Allowance(live_rows=0)) as rows:
        rows.source(commits, [WHOLE], {"day", "sha"})
        lacking = rows.lag.days_lacking
    assert lacking == WHOLE.days


def test_sessions_are_picked_by_their_model_from_files(sessions: int) -> None:
    """They are those of all days; nothing of it is read from PostgreSQL once it is copied."""
    model = AgentSessionDay.objects.exclude(model="").values_list("model", flat=True)[0]
    fact_query = FactQuery(AGENT_SESSIONS, ((WHOLE.start, WHOLE.end),), facets_of_facts=((Dimension.MODEL, (model,)),))
    counts = {}
    for allowance in (EXACT, Allowance(live_rows=0)):
        with rows_of_answer(allowance) as rows:
            counts[allowance] = sum(group.facts for group in scan.scan(fact_query, [SESSIONS]).values())
            assert rows.lag == Lag()
    assert len(set(counts.values())) == 1
    assert counts[EXACT] > 0


@pytest.mark.usefixtures("items")
def test_a_stock_of_a_day_that_has_just_come_lacks_no_longer_than_it_is_not_built(
    monkeypatch: pytest.MonkeyPatch, org: Org
) -> None:
    let_a_day_pass(monkeypatch)
    today = database_today()
    with time_machine.travel(datetime(today.year, today.month, today.day, 12, tzinfo=UTC), tick=False):
        edges = (today - timedelta(days=1), today, today + timedelta(days=1))
        fact_query = FactQuery(BACKLOG, (edges,))

        def in_stock(allowance: Allowance) -> tuple[list[int], Lag]:
            with rows_of_answer(allowance) as rows:
                groups = scan.scan(fact_query, [Facts(BACKLOG)])
                return [group.facts for _, group in sorted(groups.items())], rows.lag

        both, lag = in_stock(EXACT)
        assert (len(both), lag) == (2, Lag())
        assert in_stock(Allowance(live_rows=0)) == (both[:1], Lag(days_lacking=1))
        build_all()
        assert in_stock(Allowance(live_rows=0)) == (both, Lag())
