"""The two processes that do their work once: the first steps before the children start, and the demo beside them."""

from __future__ import annotations

import json
import tempfile
from typing import Any

from config.launcher.children import Child
from config.launcher.errors import LaunchError
from config.launcher.supervisor import Supervisor


def prepare(supervisor: Supervisor, *, lifeline: int, owner: int) -> dict[str, Any]:
    """Take the first steps; returns what there is to announce, nothing where a stop was asked for meanwhile.

    Raises LaunchError with the sentence of the step that failed.
    """
    with tempfile.TemporaryFile() as answer:
        module = ("-m", "config.launcher.child", "--lifeline", str(lifeline), "--answer", str(answer.fileno()))
        supervisor.start_errand(Child("prepare", (*module, "prepare"), (lifeline, owner, answer.fileno())))
        supervisor.wait_for_errand()
        if supervisor.stop_requests:
            return {}
        answer.seek(0)
        written = answer.read()
    if not written:
        raise LaunchError("The preparation broke off: see above.")
    document: dict[str, Any] = json.loads(written)
    if problem := document.get("problem"):
        raise LaunchError(problem)
    return document


def fill_with_demo(supervisor: Supervisor, *, lifeline: int, owner: int) -> None:
    """Run `manage.py demo` beside the children; what it says appears with theirs."""
    module = ("-m", "config.launcher.child", "--lifeline", str(lifeline))
    supervisor.start_errand(Child("demo", (*module, "demo"), (lifeline, owner)))
