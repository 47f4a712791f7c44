"""Processor time by role is that of the processes below the supervisor, of Linux alone."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from programs.bench.instance import SUPERVISOR_PID
from programs.bench.processor_time import ProcessorTime

SPINS = """
import time
while time.process_time() < 0.5:
    pass
print("done", flush=True)
time.sleep(60)
"""


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="only Linux tells of processes in /proc")
def test_what_a_process_spends_while_it_is_counted_is_of_its_role(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SUPERVISOR_PID, str(os.getpid()))
    spent = ProcessorTime()
    with spent.counted():
        web = subprocess.Popen([sys.executable, "-c", SPINS, "web"], stdout=subprocess.PIPE, text=True)
        assert web.stdout
        assert web.stdout.readline() == "done\n"
    web.kill()
    web.communicate()
    assert 0.4 < spent.seconds["web"] < 5
    assert "worker" not in spent.seconds
    assert f"web {spent.seconds['web'] / 4 * 1000:.3g} ms" in spent.each(4)


def test_nothing_is_known_without_an_installation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(SUPERVISOR_PID, raising=False)
    spent = ProcessorTime()
    with spent.counted():
        pass
    assert spent.each(4) == "processor time of each: not known"
