"""The two one-off processes: preparation before the children start, and loading the demo beside them."""

from __future__ import annotations

import json
import tempfile
from typing import Any

from config.launcher.children import Child
from config.launcher.errors import LaunchError
from config.launcher.supervisor import Supervisor


def prepare(supervisor: Supervisor, *, lifeline: int, owner: int) -> dict[str, Any]:
    """Run the preparation; returns what to announce, nothing if a stop was requested.

    Raises LaunchError with the message of the failed step.
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
    """Run `manage.py demo` beside the children, with their output."""
    module = ("-m", "config.launcher.child", "--lifeline", str(lifeline))
    supervisor.start_errand(Child("demo", (*module, "demo"), (lifeline, owner)))
