"""Processes of the product that start in a tenth of a second instead of three.

A fork server (standard library) loads the product once per test process.  Processes of `Server` are forked from it,
take over the given environment, and run like `python ARGUMENTS`.  Tests of starting, stopping and crashing start real
processes: see tests/installations.py.
"""

from __future__ import annotations

import importlib
import multiprocessing
import os
import runpy
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

PROJECT_DIR = Path(__file__).resolve().parent.parent

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(["tests.preloaded"])


class ForkedProcess:
    """A forked Python process, with the methods of subprocess.Popen that tests need."""

    def __init__(
        self, arguments: Sequence[str], *, environment: Mapping[str, str], output: Path, errors: Path | None = None
    ) -> None:
        """Run `python ARGUMENTS` there; `output` and `errors` (by default the same file) are appended to."""
        self._process = _context.Process(
            target=_run, args=(list(arguments), dict(environment), output, errors or output), daemon=False
        )
        self._process.start()
        assert self._process.pid is not None
        self.pid = self._process.pid

    def poll(self) -> int | None:
        """The exit code (negative: the signal), None while it runs."""
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        self._process.join(timeout)
        code = self._process.exitcode
        if code is None:
            raise subprocess.TimeoutExpired("forked", timeout or 0)
        return code

    def terminate(self) -> None:
        self._process.terminate()

    def kill_group(self) -> None:
        """End it and what it forked at once."""
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:  # it leads no group yet, or is gone
            self._process.kill()


def _run(arguments: Sequence[str], environment: Mapping[str, str], output: Path, errors: Path) -> None:
    os.setsid()
    for path, descriptors in ((os.devnull, (0,)), (output, (1,)), (errors, (2,))):
        opened = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        for descriptor in descriptors:
            os.dup2(opened, descriptor)
        os.close(opened)
    sys.stdin, sys.stdout, sys.stderr = open(0), open(1, "w", buffering=1), open(2, "w", buffering=1)  # noqa: SIM115
    os.chdir(PROJECT_DIR)
    os.environ.clear()
    os.environ.update(environment)
    _configure_again()
    if arguments[0] == "-m":
        sys.argv = [arguments[1], *arguments[2:]]
        runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = list(arguments)
        runpy.run_path(arguments[0], run_name="__main__")


def _configure_again() -> None:
    """Let Django and Celery, which are loaded, follow this process's environment."""
    from django.conf import settings
    from django.db import connections

    from config import celery

    fresh = importlib.reload(importlib.import_module("config.settings"))
    for name in filter(str.isupper, dir(fresh)):
        setattr(settings, name, getattr(fresh, name))
    connections.settings = connections.configure_settings(None)
    for alias in connections.settings:
        with suppress(AttributeError):  # nobody asked for it yet
            del connections[alias]
    imports = celery.app.conf.imports
    celery.app.config_from_object("django.conf:settings", namespace="CELERY", force=True)
    celery.app.conf.imports = imports
