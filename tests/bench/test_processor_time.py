"""Processor time by role is that of the processes below the supervisor, of Linux alone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bench.instance import SUPERVISOR_PID
from bench.processor_time import ProcessorTime

SPINS = """
import time
while time.process_time() < 0.5:
    pass
print("done", flush=True)
time.sleep(60)
"""

SUPERVISES = """
import subprocess, sys
print("ready", flush=True)
sys.stdin.readline()
web = subprocess.Popen([sys.executable, "-c", sys.argv[1], "web"])
sys.stdin.readline()
web.kill()
web.wait()
"""


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="only Linux tells of processes in /proc")
def test_what_a_process_spends_while_it_is_counted_is_of_its_role(monkeypatch: pytest.MonkeyPatch) -> None:
    # A supervisor of its own: below the process of the tests, other tests' programs may still run.
    command = [sys.executable, "-c", SUPERVISES, SPINS]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as supervisor:
        monkeypatch.setenv(SUPERVISOR_PID, str(supervisor.pid))
        assert supervisor.stdin
        assert supervisor.stdout
        assert supervisor.stdout.readline() == "ready\n"
        spent = ProcessorTime()
        with spent.counted():
            print("start", file=supervisor.stdin, flush=True)
            assert supervisor.stdout.readline() == "done\n"
        print("stop", file=supervisor.stdin, flush=True)
    assert 0.4 < spent.seconds["web"] < 5
    assert "worker" not in spent.seconds
    assert f"web {spent.seconds['web'] / 4 * 1000:.3g} ms" in spent.per(4)


def test_nothing_is_known_without_an_installation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(SUPERVISOR_PID, raising=False)
    spent = ProcessorTime()
    with spent.counted():
        pass
    assert spent.per(4) == "processor time of each: not known"
