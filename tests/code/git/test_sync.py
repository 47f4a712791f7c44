"""Readings that break off, meet, or find nothing to read; and the commands that ask for them."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Sequence
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from core.locks import BusyError
from demo.plan.fast_import import Signed, create_bare_repository, fast_import
from integrations.code.commits.duplicates import recompute_changes
from integrations.code.commits.store import store_commits
from integrations.code.git.recognise import recognise
from integrations.models import Commit, Connection, RepositorySource, SyncRun
from integrations.sync.git import read_source as reading
from integrations.sync.git import tasks
from integrations.sync.git.connect import NameTakenError, connect_git
from integrations.sync.git.read_source import sync_source
from integrations.sync.git.sources import READING
from tests.code.git.repositories import FIRST, Repo, lines
from tests.code.git.tables import counted, imported_anew, sync, tables
from tests.patience import PATIENCE_SECONDS

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(repo: Repo) -> Repo:
    """Seven commits on main."""
    for number in range(7):
        repo.commit({f"{number}.py": lines(number + 1)}, f"Main {number}")
    return repo


class Killed(BaseException):
    """Nothing catches it: what a kill leaves behind is what is stored."""


def sync_until_killed(repo: Repo, monkeypatch: pytest.MonkeyPatch, *, at_chunk: int) -> None:
    """Two commits a chunk, and the end before chunk `at_chunk` is stored."""
    calls = iter(range(1, 100))

    def store_or_die(*given: Any, **home: Any) -> Any:
        if next(calls) == at_chunk:
            raise Killed
        return store_commits(*given, **home)

    with monkeypatch.context() as patch:
        patch.setattr(reading, "COMMITS_AT_ONCE", 2)
        patch.setattr(reading, "store_commits", store_or_die)
        with pytest.raises(Killed):
            sync(repo)


@pytest.mark.parametrize("chunk", [1, 3])
def test_a_reading_that_broke_off_goes_on_where_it_stopped(
    shop: Repo, monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    sync_until_killed(shop, monkeypatch, at_chunk=chunk)
    assert Commit.objects.count() == 2 * (chunk - 1)
    assert RepositorySource.objects.get().refs == {}
    run = sync(shop)
    assert (run.read, run.unchanged) == (7 - 2 * (chunk - 1), 2 * (chunk - 1))
    assert list(SyncRun.objects.order_by("pk").values_list("state", flat=True)) == ["interrupted", "done"]
    assert tables() == imported_anew(shop)


def test_attributes_that_change_while_a_reading_is_broken_off_hold_for_all(
    shop: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync_until_killed(shop, monkeypatch, at_chunk=3)
    shop.commit({".gitattributes": "6.py linguist-generated\n"})
    sync(shop)
    assert counted()["Main 6"] == 0
    assert tables() == imported_anew(shop)


def test_progress_can_be_seen_while_it_runs(shop: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    sync_until_killed(shop, monkeypatch, at_chunk=3)
    run = SyncRun.objects.get()
    assert (run.state, run.read, run.to_read) == (SyncRun.State.RUNNING, 4, 7)


def test_a_commit_with_many_files_is_stored_by_itself(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "FILES_AT_ONCE", 3)
    sizes: list[int] = []

    def store_and_note(commits: Sequence[Any], *given: Any, **home: Any) -> Any:
        sizes.append(len(commits))
        return store_commits(commits, *given, **home)

    monkeypatch.setattr(reading, "store_commits", store_and_note)
    for number in range(4):
        repo.commit({f"{number}.py": "1\n"})
    repo.commit({f"many/{number}.py": "1\n" for number in range(5)})
    sync(repo)
    assert sizes == [1, 3, 1]


def test_a_commit_of_thousands_of_files_is_stored_whole_and_set_apart(tmp_path: Path) -> None:
    """Two hundred thousand were read by hand: docs/connectors/git.md."""
    path = tmp_path / "seeds.git"
    create_bare_repository(path)
    with fast_import(path) as importing:
        content = importing.blob(b"one\ntwo\n")
        signed = Signed("Ada Example", "ada@example.com", FIRST)
        files = {f"part{number % 90}/file{number}.py": content for number in range(3000)}
        importing.commit("refs/heads/main", signed, "Import everything\n", files, parents=())
    run = sync(path)
    commit = Commit.objects.get()
    assert (run.state, commit.exclusion_reason, commit.file_count, commit.lines_added) == ("done", "bulk", 3000, 6000)
    assert commit.files.count() == 3000
    assert sync(path, full=True).changed == 0


def test_a_path_that_disappears_fails_in_words_and_keeps_what_was_read(shop: Repo, tmp_path: Path) -> None:
    sync(shop)
    before = tables()
    shop.path.rename(tmp_path / "elsewhere")
    source = RepositorySource.objects.get()
    run = sync_source(source)
    assert run.state == SyncRun.State.FAILED
    assert "There is no folder" in run.problem
    assert tables() == before
    (tmp_path / "elsewhere").rename(shop.path)
    assert sync_source(source).state == SyncRun.State.DONE


def test_a_repository_that_is_deleted_while_it_is_read_fails_in_words(
    shop: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    def recognise_and_delete(*given: Any) -> Any:
        repository = recognise(*given)
        shutil.rmtree(shop.path)
        return repository

    monkeypatch.setattr(reading, "recognise", recognise_and_delete)
    run = sync(shop)
    assert run.state == SyncRun.State.FAILED
    assert run.problem


def test_failures_are_tried_again_later_and_later(shop: Repo) -> None:
    sync(shop)
    source = RepositorySource.objects.get()
    shutil.rmtree(shop.path)
    for failures, minutes in ((1, 10), (2, 20), (3, 40)):
        sync_source(source)
        source.refresh_from_db()
        assert (source.failures, source.tried_at is not None) == (failures, True)
        now = source.tried_at or timezone.now()
        assert tasks.due_sources(now + timedelta(minutes=minutes, seconds=-1)) == []
        assert tasks.due_sources(now + timedelta(minutes=minutes)) == [source]


def test_requested_sources_are_read_and_a_failing_one_does_not_stop_the_others(
    shop: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    broken = connect_git(Repo.create(tmp_path / "broken").path)
    requested = connect_git(shop.path)

    def sync_or_break(source: RepositorySource) -> Any:
        if source == broken:
            raise ZeroDivisionError
        return sync_source(source)

    monkeypatch.setattr(tasks, "sync_source", sync_or_break)
    tasks.sync_sources()
    requested.refresh_from_db()
    assert requested.requested_at is None
    assert len(counted()) == 7
    assert "broke off" in caplog.text


def test_a_paused_connection_is_not_read(shop: Repo) -> None:
    source = connect_git(shop.path)
    Connection.objects.update(paused_at=timezone.now())
    assert tasks.due_sources(timezone.now()) == []
    Connection.objects.update(paused_at=None)
    assert tasks.due_sources(timezone.now()) == [source]


@pytest.mark.django_db(transaction=True)
def test_two_readings_of_one_source_do_not_meet(shop: Repo) -> None:
    source = connect_git(shop.path)
    holding, done = threading.Event(), threading.Event()

    def hold() -> None:
        try:
            with READING.alone(source.pk):
                holding.set()
                done.wait(PATIENCE_SECONDS)
        finally:
            connection.close()

    thread = threading.Thread(target=hold)
    thread.start()
    try:
        assert holding.wait(PATIENCE_SECONDS)
        with pytest.raises(BusyError):
            sync_source(source)
    finally:
        done.set()
        thread.join()
    assert sync_source(source).state == SyncRun.State.DONE


def test_connecting_twice_is_one_connection_and_may_rename_it(shop: Repo) -> None:
    first = connect_git(shop.path)
    again = connect_git(str(shop.path) + "/", name="Our shop")
    assert (first, again.connection.name) == (again, "Our shop")
    assert connect_git(shop.path).connection.name == "Our shop"


def test_names_are_made_different_or_refused(shop: Repo, tmp_path: Path) -> None:
    connect_git(shop.path)
    other = Repo.create(tmp_path / "other" / "shop")
    assert connect_git(other.path).connection.name == "shop 2"
    with pytest.raises(NameTakenError, match="Choose another"):
        connect_git(other.path, name="shop")


def printed(*words: str) -> Any:
    out = StringIO()
    call_command(*words, "--json", stdout=out)
    return json.loads(out.getvalue())


def test_the_commands_connect_read_and_count(shop: Repo) -> None:
    connected = printed("connect_git", str(shop.path), "--name", "Shop")
    assert (connected["name"], connected["webhook"]) == ("Shop", None)
    assert printed("sync")["resources"][0]["state"] == "asked"
    (resource,) = printed("sync", "--connection", "Shop", "--wait")["resources"]
    assert (resource["state"], resource["records"], resource["added"], resource["quarantined"]) == ("done", 7, 7, 0)
    (resource,) = printed("sync", "--connection", str(connected["id"]), "--wait", "--full")["resources"]
    assert (resource["added"], resource["changed"], resource["unchanged"]) == (0, 0, 7)
    facts = printed("facts", "--connection", "Shop")
    assert facts["commit"] == {"total": 7, "by_state": {"counted": 7}, "lines_unknown": 0}
    assert printed("facts")["commit"] == facts["commit"]
    out = StringIO()
    call_command("facts", stdout=out)
    assert "commit  7 (7 counted)" in out.getvalue()


def test_the_commands_say_what_is_wrong(shop: Repo, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="There is no folder"):
        call_command("connect_git", str(tmp_path / "nothing"))
    connect_git(shop.path)
    with pytest.raises(CommandError, match=r"There is: \d+ shop"):
        call_command("facts", "--connection", "nothing")
    shutil.rmtree(shop.path)
    out = StringIO()
    with pytest.raises(SystemExit):
        call_command("sync", "--wait", "--json", stdout=out)
    (resource,) = json.loads(out.getvalue())["resources"]
    assert resource["state"] == "failed"
    assert "There is no folder" in resource["problem"]


def test_asking_again_while_a_reading_runs_leaves_the_question_open(
    shop: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = connect_git(shop.path)

    def recompute_and_request(commits: Any) -> None:
        RepositorySource.objects.update(requested_at=timezone.now() + timedelta(seconds=1))
        recompute_changes(commits)

    monkeypatch.setattr(reading, "recompute_changes", recompute_and_request)
    sync_source(source)
    source.refresh_from_db()
    assert source.requested_at is not None
