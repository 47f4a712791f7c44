"""Leftover processes of a killed test run are ended; location of a run's folder."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import psutil
import pytest
from django.db import connection

from config.embedded_postgres.server import SERVER_SETTINGS
from tests import run_folder as folders
from tests.environment import WITHOUT_DURABILITY
from tests.patience import wait_until
from tests.run_folder import RUN_MARKER, end_runs_that_were_cut_off, run_folder
from tests.servers import PROJECT_DIR

# A run with one server, which is killed: with or without what cleans up after it.
KILLED_RUN = f"""
import os, signal, subprocess, sys
from tests.run_folder import run_folder
import psutil

with run_folder() as folder:
    cleaner = psutil.Process().children()[0]
    environment = {{**os.environ, "{RUN_MARKER}": str(folder)}}
    server = subprocess.Popen(["sleep", "600"], stdout=subprocess.DEVNULL, env=environment)
    print(folder, server.pid, flush=True)
    if "and-its-cleaner" in sys.argv:
        cleaner.kill()
        cleaner.wait()
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture(autouse=True)
def _folders_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))


def killed_run(*arguments: str) -> tuple[Path, int]:
    """The folder of a run that was killed, and the process id of its server."""
    killed = subprocess.run(
        [sys.executable, "-c", KILLED_RUN, *arguments], cwd=PROJECT_DIR, stdout=subprocess.PIPE, text=True, check=False
    )
    assert killed.returncode == -signal.SIGKILL
    folder, _, pid = killed.stdout.strip().rpartition(" ")
    return Path(folder), int(pid)


def is_gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_what_a_killed_run_left_is_ended_and_removed_at_once() -> None:
    folder, server = killed_run()
    wait_until(lambda: not folder.exists(), what="the folder is removed")
    assert is_gone(server)


def test_where_the_cleaner_was_killed_as_well_the_next_run_cleans_up() -> None:
    folder, server = killed_run("and-its-cleaner")
    assert folder.exists()
    assert not is_gone(server)
    end_runs_that_were_cut_off()
    assert not folder.exists()
    assert is_gone(server)


def test_a_run_that_goes_on_is_left_alone() -> None:
    with (
        run_folder() as folder,
        subprocess.Popen(["sleep", "600"], env={**os.environ, RUN_MARKER: str(folder)}) as server,
    ):
        end_runs_that_were_cut_off()
        assert server.poll() is None
        assert folder.exists()
        server.kill()
    assert not folder.exists()


def test_it_is_in_memory_where_there_is_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    memory = tmp_path / "memory"
    monkeypatch.setattr(folders, "SHARED_MEMORY", memory)
    monkeypatch.setattr(folders, "NEEDED_BYTES", 0)
    assert parent_of_a_run() == tmp_path  # a system without shared memory
    memory.mkdir()
    assert parent_of_a_run() == memory
    monkeypatch.setattr(folders, "NEEDED_BYTES", 1 << 60)
    assert parent_of_a_run() == tmp_path  # it is full


def parent_of_a_run() -> Path:
    with run_folder() as folder:
        return folder.parent


@pytest.mark.skipif(bool(os.environ.get("DATABASE_URL")), reason="DATABASE_URL: the server has settings of its own")
def test_only_the_database_server_of_the_tests_does_without_durability(db: None) -> None:
    assert not SERVER_SETTINGS.keys() & {"fsync", "synchronous_commit", "full_page_writes", "wal_level"}
    with connection.cursor() as cursor:
        for name, value in WITHOUT_DURABILITY.items():
            cursor.execute(f"SHOW {name}")
            assert cursor.fetchone() == (value,), name
