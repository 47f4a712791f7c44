"""The columns in operation: reports to operators, and background work."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from types import SimpleNamespace

import pytest
from django.core.management import call_command
from django.db import transaction
from django.db.models import F
from django.test import Client
from django.utils import timezone

from config.diagnosis import State, columns
from insights.columns import tasks
from insights.columns.folder import folder
from insights.columns.refresh import LONGEST_REST, Rests, columns_health, refresh
from insights.columns.shape import copied_relations
from insights.columns.stale import take_changes_out
from insights.engine import database, scan
from insights.engine.read import read_series
from insights.models import ColumnPartition
from insights.query.query import Query, Window
from integrations.models import AgentSession, FactChange, FactFamily
from tests.columns.rows import assert_agreement
from tests.columns.states import copied_alone
from tests.engine.comparable import comparable
from tests.engine.facts import create_world
from tests.personas import ADMIN, Persona

TODAY = date(2026, 3, 18)
DAYS = [TODAY - timedelta(days=n) for n in range(29, -1, -1)]

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _few_relations() -> Iterator[None]:
    names = ("agent_sessions", "agent_session_days", "developer_days", "commits", "production_deployments")
    with copied_alone(names):
        yield


@pytest.fixture
def built(db: None) -> None:
    create_world(1, days=DAYS, sessions=20)
    refresh()


@pytest.mark.usefixtures("built")
def test_doctor_says_how_many_there_are() -> None:
    finding = columns()
    assert finding.state == State.RIGHT
    number = ColumnPartition.objects.count()
    assert finding.sentence.startswith(f"{number} partitions, ")
    assert finding.sentence.endswith(f"{number} were compared with PostgreSQL.")


@pytest.mark.usefixtures("built")
def test_doctor_names_what_differs() -> None:
    AgentSession.objects.update(lines_added=F("lines_added") + 1)
    finding = columns()
    assert finding.state == State.WRONG
    assert "agent_sessions from 1970-01-05 to 2048-07-06" in finding.sentence


@pytest.mark.usefixtures("built")
def test_doctor_notes_what_has_been_stale_for_long() -> None:
    ColumnPartition.objects.filter(relation="commits").update(stale_since=timezone.now() - timedelta(minutes=5))
    assert columns().state == State.RIGHT
    ColumnPartition.objects.filter(relation="commits").update(stale_since=timezone.now() - timedelta(hours=5))
    finding = columns()
    assert finding.state == State.NOTE
    assert "1 are stale, the oldest since" in finding.sentence


@pytest.mark.usefixtures("built")
def test_the_health_page_shows_them(sign_in: Callable[[Persona], Client]) -> None:
    client = sign_in(ADMIN)
    assert f"{ColumnPartition.objects.count()} partitions, " in client.get("/integrations/").content.decode()
    ColumnPartition.objects.update(stale_since=timezone.now() - timedelta(hours=1))
    assert "are stale; their days are read from the database" in client.get("/integrations/").content.decode()


@pytest.mark.usefixtures("built")
def test_recompute_builds_what_is_named() -> None:
    earlier = timezone.now() - timedelta(hours=1)
    ColumnPartition.objects.update(built_at=earlier)
    answer = io.StringIO()
    call_command("recompute", metric=["ai.sessions"], wait=True, json=True, stdout=answer)
    built = set(ColumnPartition.objects.exclude(built_at=earlier).values_list("relation", flat=True))
    assert "agent_sessions" in built
    assert "commits" not in built
    assert json.loads(answer.getvalue())["partitions"] >= len(built)


def test_the_background_builds_what_changes_and_clears_up() -> None:
    tasks.refresh()
    assert columns_health().rows == 0
    create_world(1, days=DAYS, sessions=20)
    tasks.refresh()
    assert columns_health().rows > 0
    assert columns_health().stale == 0
    tasks.tidy()
    tasks.check_nightly()
    assert columns_health().stale == 0


def test_a_question_whose_file_is_damaged_is_answered_from_postgresql(caplog: pytest.LogCaptureFixture) -> None:
    create_world(1, days=DAYS, sessions=20)
    sessions = Query("ai.sessions", Window(DAYS[0], TODAY + timedelta(days=1)))
    [before] = read_series([sessions])
    tasks.refresh()
    for partition in ColumnPartition.objects.exclude(file_name=""):
        path = folder() / partition.file_name
        path.write_bytes(b"PAR1".ljust(path.stat().st_size, b"\x00"))
    with transaction.atomic():
        [after] = read_series([sessions])
    assert comparable(after) == comparable(before)
    assert "answered from PostgreSQL" in caplog.text
    assert not ColumnPartition.objects.exclude(stale_since=None).exists()
    tasks.check_files()
    assert not ColumnPartition.objects.filter(stale_since=None).exclude(file_name="").exists()
    tasks.refresh()
    caplog.clear()
    assert [comparable(answer) for answer in read_series([sessions])] == [comparable(before)]
    assert not caplog.text


def test_who_takes_changes_out_of_the_outbox_marks_partitions() -> None:
    refresh()
    assert not ColumnPartition.objects.exclude(stale_since=None).exists()
    create_world(1, days=DAYS, sessions=5)
    take_changes_out()
    stale = set(ColumnPartition.objects.exclude(stale_since=None).values_list("relation", flat=True))
    assert {"agent_sessions", "agent_session_days", "developer_days"} <= stale
    assert "production_deployments" not in stale
    assert_agreement([copied_relations()["agent_sessions"]])


@pytest.mark.usefixtures("built")
def test_an_answer_from_files_is_cached_until_a_fact_changes() -> None:
    query = Query("ai.sessions", Window(DAYS[0], TODAY + timedelta(days=1)))
    before = read_series([query])[0].total[0].value
    assert before
    looked_up = scan.answers.bytes
    assert looked_up > 0
    assert read_series([query])[0].total[0].value == before
    assert scan.answers.bytes == looked_up
    FactChange.objects.create(family=FactFamily.AI, day_from=TODAY, day_to=TODAY + timedelta(days=1))
    assert read_series([query])[0].total[0].value == before
    assert scan.answers.bytes > looked_up, "rows of PostgreSQL are no rows of files"
    AgentSession.objects.filter(pk=AgentSession.objects.latest("pk").pk).delete()
    assert read_series([query])[0].total[0].value == before - 1


def test_live_rows_are_counted_again_only_if_they_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    create_world(1, days=DAYS, sessions=20)
    query = Query("ai.sessions", Window(DAYS[0], TODAY + timedelta(days=1)))
    before = read_series([query])[0].total[0].value
    assert before
    with monkeypatch.context() as patch:
        patch.setattr(database, "fetch", lambda *_: pytest.fail("counted again"))
        assert read_series([query])[0].total[0].value == before
    AgentSession.objects.filter(pk=AgentSession.objects.latest("pk").pk).delete()
    assert read_series([query])[0].total[0].value == before - 1


def test_a_derived_result_is_computed_again_only_if_an_answer_behind_it_changed() -> None:
    create_world(1, days=DAYS, sessions=20)
    query = Query("ai.sessions", Window(DAYS[0], TODAY + timedelta(days=1)))
    computed: list[float | None] = []

    def compute() -> float | None:
        computed.append(read_series([query])[0].total[0].value)
        return computed[-1]

    def derived(name: str = "sessions") -> float | None:
        return scan.derive(("test", name), compute, lambda _: 8)

    before = derived()
    assert before
    assert derived() == before
    assert len(computed) == 1
    assert scan.derive(("test", "outer"), derived, lambda _: 8) == before
    assert len(computed) == 1
    assert derived("other name") == before
    assert len(computed) == 2
    AgentSession.objects.filter(pk=AgentSession.objects.latest("pk").pk).delete()
    assert scan.derive(("test", "outer"), derived, lambda _: 8) == before - 1, "an inner result counts"
    assert derived() == before - 1
    assert len(computed) == 3


@pytest.mark.usefixtures("built")
def test_partitions_rest_after_a_long_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Current partitions are rebuilt every half minute and not all the time, where records stream in."""
    clock = [1000.0]
    monkeypatch.setattr("insights.columns.refresh.time", SimpleNamespace(monotonic=lambda: clock[0]))
    rests = Rests()
    partition = ColumnPartition.objects.get(relation="agent_sessions")

    def is_rebuilt() -> bool:
        ColumnPartition.objects.filter(pk=partition.pk).update(stale_since=timezone.now())
        refresh(rests=rests)
        return not ColumnPartition.objects.filter(pk=partition.pk).exclude(stale_since=None).exists()

    assert is_rebuilt()
    assert is_rebuilt(), "after a quick run, as in a small or an idle installation"
    rests.begin([partition.pk], seconds=20.0)
    assert not is_rebuilt()
    clock[0] += LONGEST_REST - 1
    assert not is_rebuilt()
    assert refresh() == 1, "by command"
    clock[0] += 2
    assert is_rebuilt()
    rests.begin([partition.pk], seconds=1.5)
    clock[0] += 14
    assert not is_rebuilt()
    clock[0] += 2
    assert is_rebuilt()
