"""Survival of `kill -9`, of one process or of all."""

from __future__ import annotations

import shutil
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import psutil
import pytest

from tests.launcher.installation import Installation, gone
from tests.patience import PATIENCE_SECONDS, wait_until


def test_killed_children_come_back_and_a_request_waits_meanwhile(running: Installation) -> None:
    with ThreadPoolExecutor() as pool:
        killed = {name: kill(running, name) for name in ("web", "worker", "beat")}
        answer = pool.submit(running.get, "/healthz", timeout_seconds=PATIENCE_SECONDS)
        assert answer.result().status_code == httpx.codes.OK
    for name, process in killed.items():
        wait_until(lambda name=name, process=process: is_another(running, name, process), what=f"{name} is back")  # type: ignore[misc]
    wait_until(running.is_ready, what="pages are served again")
    for name in ("worker", "beat"):
        sentence = f"{name} was ended by SIGKILL; starting it again now."
        wait_until(lambda sentence=sentence: sentence in running.heard, what="the supervisor says so")  # type: ignore[misc]


def test_a_killed_database_comes_back(running: Installation) -> None:
    postmaster = running.postmaster()
    assert postmaster is not None
    postmaster.kill()
    wait_until(lambda: running.postmaster() not in (None, postmaster), what="it is back")
    wait_until(lambda: "The database is back." in running.heard, what="the supervisor says so")
    wait_until(running.is_ready, what="pages are served again")


def test_a_deleted_socket_folder_is_noticed(running: Installation) -> None:
    shutil.rmtree(running.data_dir / "run" / "postgres")
    wait_until(lambda: "The database is back." in running.heard, what="it is back")
    wait_until(running.is_ready, what="pages are served again")


@pytest.mark.soak  # tests/kill/test_kill_during_intake.py kills everything once
def test_everything_killed_at_once_recovers_with_its_data(running: Installation) -> None:
    before = [line for line in running.output.splitlines() if "Sign in as" in line or "Ingest token" in line]
    children, postmaster = running.children(), running.postmaster()
    assert postmaster is not None
    sessions = postmaster.children()
    kill_supervisor(running)
    for process in (*children, postmaster, *sessions):
        kill_process(process)

    running.start()

    assert running.is_ready()
    assert before == [line for line in running.output.splitlines() if "Sign in as" in line or "Ingest token" in line]


def test_the_next_supervisor_waits_for_children_of_a_killed_one_and_adopts_the_database(running: Installation) -> None:
    children, postmaster = running.children(), running.postmaster()
    kill_supervisor(running)

    running.start()  # at once: it waits for what is still ending, and ends nothing itself

    assert gone(children)
    assert running.postmaster() == postmaster
    assert running.is_ready()
    running.stop(signal.SIGINT)
    assert running.postmaster() is None


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(20))
def test_kills_at_any_moment_of_a_start_recover(stopped: Installation, seed: int) -> None:
    stopped.start(wait=False)
    time.sleep(seed * 0.25)  # the moment is what varies here
    kill_supervisor(stopped)
    if seed % 2 and (postmaster := stopped.postmaster()) is not None:
        kill_process(postmaster)
    stopped.start()
    assert stopped.is_ready()
    stopped.stop()


def kill(installation: Installation, name: str) -> psutil.Process:
    process = installation.child(name)
    assert process is not None
    process.kill()
    return process


def is_another(installation: Installation, name: str, than: psutil.Process) -> bool:
    process = installation.child(name)
    return process is not None and process.pid != than.pid


def kill_supervisor(installation: Installation) -> None:
    assert installation.up is not None
    installation.up.kill()
    installation.up.wait()


def kill_process(process: psutil.Process) -> None:
    if process.is_running():
        process.kill()
