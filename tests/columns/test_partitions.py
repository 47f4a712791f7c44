"""Damaged partitions: the answer is right meanwhile, and they are rebuilt."""

from __future__ import annotations

import errno
import os
import resource
import signal
import stat
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connections, transaction
from django.db.models import F
from django.utils import timezone

from config.data_folder import exposed_paths
from insights.catalogue.registry import get
from insights.columns import shape
from insights.columns.build import build, database_today
from insights.columns.check import check_columns
from insights.columns.folder import ORPHAN_SECONDS, delete_orphans, folder, is_whole, put_in_place, temporary_folder
from insights.columns.refresh import begin_relations, refresh
from insights.columns.shape import copied_relations, shape_of
from insights.columns.source import Partitions, source
from insights.columns.stale import mark_broken, mark_damaged, mark_for_recompute, take_changes_out
from insights.models import ColumnPartition
from insights.query.query import Window
from integrations.facts.relation import Relation
from integrations.models import AgentSession, FactChange, FactFamily
from tests.columns.rows import Read, assert_agreement, in_columns
from tests.columns.states import copied_alone, slow_rows
from tests.engine.facts import create_world

TODAY = date(2026, 3, 18)
DAYS = [TODAY - timedelta(days=n) for n in range(29, -1, -1)]

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _few_relations() -> Iterator[None]:
    with copied_alone(["agent_sessions", "commits", "seat_days"]):
        yield


@pytest.fixture
def sessions(db: None) -> Relation:
    """A relation with rows, all of whose partitions are built."""
    create_world(1, days=DAYS, sessions=20)
    refresh()
    return copied_relations()["agent_sessions"]


def partition_of(relation: Relation) -> ColumnPartition:
    return ColumnPartition.objects.get(relation=relation.name, rows__gt=0)


def is_read_live(relation: Relation) -> bool:
    """Whether any of its days is, of those for which there are partitions; the rows are right in any case."""
    days = partition_of(relation)
    return bool(assert_agreement([relation], Window(days.first_day, days.end_day)))


def test_a_built_partition_is_read(sessions: Relation) -> None:
    assert not is_read_live(sessions)


@pytest.mark.parametrize("harm", [Path.unlink, lambda path: os.truncate(path, 40), lambda path: os.truncate(path, 0)])
def test_a_file_that_is_missing_or_cut_off(sessions: Relation, harm: Callable[[Path], None]) -> None:
    harm(folder() / partition_of(sessions).file_name)
    assert is_read_live(sessions)
    assert mark_broken() == 1
    assert is_read_live(sessions)
    assert refresh() == 1
    assert not is_read_live(sessions)


def test_a_file_with_other_contents(sessions: Relation, caplog: pytest.LogCaptureFixture) -> None:
    path = folder() / partition_of(sessions).file_name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)
    assert "damaged" in check_columns().differences[0]
    assert "damaged" in caplog.text
    assert mark_damaged() == 0  # it is stale by now
    refresh()
    assert not is_read_live(sessions)


def test_a_relation_whose_statement_changed(sessions: Relation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shape, "FORMAT", "another")
    shape_of.cache_clear()
    try:
        assert is_read_live(sessions)
        assert refresh() == ColumnPartition.objects.count()
        assert not is_read_live(sessions)
    finally:
        shape_of.cache_clear()


def test_rows_that_take_long_are_split(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Few rows may be made of many: by weeks, no statement looks at all of them."""
    create_world(1, days=DAYS, sessions=20)
    monkeypatch.setattr("insights.columns.build.LONGEST_SECONDS", 0.05)
    monkeypatch.setattr("insights.columns.build.has_more_rows", lambda *_, **__: False)
    relation = copied_relations()["agent_sessions"]

    def are_slow(days: Sequence[Window]) -> bool:
        return days[0].days > 4 * 7 and days[0].start <= DAYS[-1] < days[0].end

    with slow_rows(relation, on=are_slow):
        while refresh():
            pass
    newest = ColumnPartition.objects.get(relation=relation.name, first_day__lte=DAYS[-1], end_day__gt=DAYS[-1])
    assert (newest.end_day - newest.first_day).days == 4 * 7
    assert_agreement([relation], context="split by time")


def test_a_relation_that_nothing_is_computed_from_any_more(sessions: Relation) -> None:
    ColumnPartition.objects.filter(relation=sessions.name).update(relation="gone")
    refresh()
    assert not ColumnPartition.objects.filter(relation="gone").exists()
    assert not is_read_live(sessions)


def test_a_partition_built_in_the_future_of_a_clock_that_was_put_back(sessions: Relation) -> None:
    ColumnPartition.objects.update(built_at=timezone.now() + timedelta(days=400))
    assert is_read_live(sessions)
    assert refresh() == ColumnPartition.objects.count()
    assert not is_read_live(sessions)


def let_a_day_pass(patch: pytest.MonkeyPatch) -> None:
    """As if all partitions had been built a day ago: PostgreSQL's clock is not the test's."""
    today = database_today()
    ColumnPartition.objects.update(stale_since=timezone.now())
    with patch.context() as yesterday:
        yesterday.setattr("insights.columns.build.database_today", lambda: today - timedelta(days=1))
        refresh()
    ColumnPartition.objects.update(built_at=F("built_at") - timedelta(days=1))


def test_days_that_come_by_themselves_are_read_live(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seats have a row for each day that has come, without a change of any fact."""
    from django.db.backends.postgresql.psycopg_any import DateRange

    from integrations.models import SeatPlan

    today = timezone.localdate()
    SeatPlan.objects.create(
        agent="claude_code", seats=3, monthly_price=20, during=DateRange(today - timedelta(days=40), None)
    )
    seats = copied_relations()["seat_days"]
    refresh()
    read: Read = []
    days = Window(today - timedelta(days=10), today + timedelta(days=10))
    assert in_columns(seats, days, read).total() == 11
    assert read == [("seat_days", [Window(today, days.end)])]
    assert refresh() == 0
    let_a_day_pass(monkeypatch)
    assert assert_agreement([seats], days) == [("seat_days", [Window(today - timedelta(days=1), days.end)])]
    refresh()
    assert assert_agreement([seats], days) == [("seat_days", [Window(today, days.end)])]


def test_a_crash_between_file_and_row(sessions: Relation, monkeypatch: pytest.MonkeyPatch) -> None:
    AgentSession.objects.filter(has_work=True).update(active_seconds=F("active_seconds") + 1)
    # Of this relation alone: others have no rows here, and so no files.
    mark_for_recompute([get("ai.session_duration")], Window(DAYS[0], TODAY + timedelta(days=1)))
    files = set(os.listdir(folder()))

    class KilledError(BaseException):
        pass

    def die(*_: object, **__: object) -> None:
        raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr(ColumnPartition, "save", die)
        with pytest.raises(KilledError):
            refresh()
    (orphan,) = set(os.listdir(folder())) - files
    assert is_read_live(sessions)
    refresh()
    assert not is_read_live(sessions)
    assert delete_orphans() == 0  # a question may be reading it
    for name in os.listdir(folder()):
        os.utime(folder() / name, (time.time() - ORPHAN_SECONDS - 1,) * 2)
    assert delete_orphans() > 0
    assert not (folder() / orphan).exists()
    assert not is_read_live(sessions)
    names = set(ColumnPartition.objects.exclude(file_name="").values_list("file_name", flat=True))
    assert {*names, "temporary"} == set(os.listdir(folder()))


def test_a_file_that_is_replaced_stays_for_an_hour(sessions: Relation) -> None:
    """A question that has found it may not have opened it yet."""
    before = folder() / partition_of(sessions).file_name
    os.utime(before, (time.time() - 10 * ORPHAN_SECONDS,) * 2)
    AgentSession.objects.update(lines_added=F("lines_added") + 1)
    ColumnPartition.objects.update(stale_since=timezone.now())
    refresh()
    delete_orphans()
    assert before.exists()
    assert before.name != partition_of(sessions).file_name


def test_a_file_of_equal_rows_stays_unless_it_is_damaged(sessions: Relation) -> None:
    """Answers are cached by the names of the files that they are from."""
    name = partition_of(sessions).file_name
    ColumnPartition.objects.update(stale_since=timezone.now())
    refresh()
    assert partition_of(sessions).file_name == name
    assert partition_of(sessions).stale_since is None
    (folder() / name).write_bytes(b"PAR1")
    ColumnPartition.objects.update(stale_since=timezone.now())
    refresh()
    assert partition_of(sessions).file_name != name
    assert is_whole(partition_of(sessions).file_name, partition_of(sessions).bytes)
    assert_agreement([sessions])


def test_orphans_of_a_clock_that_was_put_back_get_their_hour_anew(columns_folder: Path) -> None:
    left = temporary_folder() / "left.csv"
    left.touch()
    os.utime(left, (time.time() + 10 * ORPHAN_SECONDS,) * 2)
    assert delete_orphans() == 0
    assert left.stat().st_mtime <= time.time()


@pytest.mark.parametrize("room", [10, 900], ids=["for no rows", "for the rows, and not for the file"])
def test_a_disk_that_is_full(
    sessions: Relation, room: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The size that a file of this process may have is limited while a partition is built."""
    FactChange.objects.create(family=FactFamily.AI, day_from=DAYS[0], day_to=TODAY)
    before = partition_of(sessions)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)

    def build_with_little_room(*of_partition: Any) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, limits[1]))
        try:
            build(*of_partition)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    handled = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        with monkeypatch.context() as patch:
            patch.setattr("insights.columns.refresh.build", build_with_little_room)
            AgentSession.objects.filter(pk__gt=AgentSession.objects.order_by("pk")[1].pk).update(has_work=False)
            refresh()
    finally:
        signal.signal(signal.SIGXFSZ, handled)
    assert os.strerror(errno.EFBIG) in caplog.text
    assert partition_of(sessions).file_name == before.file_name
    assert is_read_live(sessions)
    assert os.listdir(temporary_folder()) == []
    refresh()
    assert not is_read_live(sessions)


def test_facts_that_change_without_saying_so_are_found_at_night(
    sessions: Relation, caplog: pytest.LogCaptureFixture
) -> None:
    assert check_columns().differences == []
    session = AgentSession.objects.filter(has_work=True).first()
    assert session is not None
    AgentSession.objects.filter(pk=session.pk).update(lines_added=F("lines_added") + 1)
    (difference,) = [
        difference for difference in check_columns().differences if difference.startswith("agent_sessions")
    ]
    assert difference in caplog.text
    assert is_read_live(sessions)
    refresh()
    assert check_columns().differences == []
    AgentSession.objects.filter(pk=session.pk).update(has_work=False)
    assert any("has 20 rows in the columns and 19" in difference for difference in check_columns().differences)


def test_the_folder_is_its_owners_alone(sessions: Relation, columns_folder: Path) -> None:
    assert stat.S_IMODE(columns_folder.stat().st_mode) == 0o700
    assert list(exposed_paths(columns_folder.parent)) in ([], [columns_folder.parent])
    for path in columns_folder.iterdir():
        assert not stat.S_IMODE(path.stat().st_mode) & 0o077


def test_a_question_of_columns_that_are_not_copied_is_read_live(sessions: Relation) -> None:
    committed = copied_relations()["commits"]
    read: list[Any] = []

    def live(relation: Relation, days: object, needed: object) -> str:
        read.append((relation.name, needed))
        return "rows"

    windows = [Window(DAYS[0], TODAY)]
    source(committed, windows, ["day"], live, Partitions.read())
    assert not read
    assert source(committed, windows, ["day", "sha"], live, Partitions.read()) == '(SELECT "day", "sha" FROM rows)'
    assert read == [("commits", ["day", "sha"])]


def in_another(work: Callable[[], object]) -> threading.Thread:
    """A thread, with connections of its own, in which that is done."""

    def run() -> None:
        try:
            work()
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


@pytest.mark.django_db(transaction=True)
def test_two_workers_take_different_partitions() -> None:
    create_world(1, days=DAYS, sessions=5)
    take_changes_out()
    begin_relations()
    held = ColumnPartition.objects.get(relation="agent_sessions")
    with transaction.atomic():
        ColumnPartition.objects.select_for_update().get(pk=held.pk)
        in_another(refresh).join(60)
        (stale,) = ColumnPartition.objects.exclude(stale_since=None)
        assert stale == held
    refresh()
    assert not ColumnPartition.objects.exclude(stale_since=None).exists()
    assert_agreement([copied_relations()["agent_sessions"]])


@pytest.mark.django_db(transaction=True)
def test_a_change_that_comes_while_its_partition_is_built(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not among the rows that were read; whoever marks the partition waits until it is built."""
    create_world(1, days=DAYS, sessions=5)
    refresh()
    sessions = copied_relations()["agent_sessions"]
    AgentSession.objects.update(lines_added=F("lines_added") + 1)
    ColumnPartition.objects.filter(relation=sessions.name).update(stale_since=timezone.now())
    threads: list[threading.Thread] = []

    def put_in_place_late(*of_file: Any) -> None:
        if not threads:
            with_changes = threading.Event()
            threads.append(in_another(lambda: change_and_note(with_changes)))
            assert with_changes.wait(60)
        put_in_place(*of_file)

    def change_and_note(changed: threading.Event) -> None:
        with transaction.atomic():
            AgentSession.objects.update(lines_added=F("lines_added") + 1)
            FactChange.objects.create(family=FactFamily.AI, day_from=DAYS[0], day_to=TODAY + timedelta(days=1))
        changed.set()
        take_changes_out()

    monkeypatch.setattr("insights.columns.build.put_in_place", put_in_place_late)
    refresh()
    threads[0].join(60)
    assert not FactChange.objects.exists()
    assert_agreement([sessions])
    refresh()
    assert not is_read_live(sessions)
