"""What a test run that was killed leaves behind, and that the next one ends it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import psutil
import pytest

from tests.run_folder import RUN_MARKER, end_runs_that_were_cut_off, run_folder
from tests.servers import PROJECT_DIR

KILLED_RUN = f"""
import os, signal, subprocess, sys
from tests.run_folder import run_folder

with run_folder() as folder:
    environment = {{**os.environ, "{RUN_MARKER}": str(folder)}}
    server = subprocess.Popen(["sleep", "600"], stdout=subprocess.DEVNULL, env=environment)
    print(folder, server.pid, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture(autouse=True)
def _temporary_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))


def test_what_a_killed_run_left_is_ended_and_removed() -> None:
    killed = subprocess.run(
        [sys.executable, "-c", KILLED_RUN], cwd=PROJECT_DIR, stdout=subprocess.PIPE, text=True, check=False
    )
    assert killed.returncode == -signal.SIGKILL
    folder, _, pid = killed.stdout.strip().rpartition(" ")
    server = psutil.Process(int(pid))
    assert Path(folder).exists()

    end_runs_that_were_cut_off()

    assert not Path(folder).exists()
    assert not server.is_running() or server.status() == psutil.STATUS_ZOMBIE


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
