"""Running `config.launcher.first_steps` and the demo beside the supervisor, which itself knows no Django."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from typing import Any

from config import environment
from config.launcher.children import Child
from config.launcher.ownership import LaunchError
from config.launcher.supervisor import Supervisor


def prepare(supervisor: Supervisor) -> dict[str, Any]:
    """Migrate, collect static files, make the first accounts; returns what there is to announce.

    Raises LaunchError with the sentence that the step wrote.  Returns nothing where a stop was asked for meanwhile.
    """
    with tempfile.TemporaryFile() as answer, tempfile.TemporaryFile() as problem:
        steps = subprocess.Popen(
            [sys.executable, "-m", "config.launcher.first_steps"],
            cwd=environment.PROJECT_DIR,
            stdin=subprocess.DEVNULL,
            stdout=answer,
            stderr=problem,
            start_new_session=True,
        )
        supervisor.wait_for(steps)
        if supervisor.stop_requests:
            return {}
        answer.seek(0)
        problem.seek(0)
        if steps.returncode != 0:
            raise LaunchError(problem.read().decode(errors="replace").strip())
        supervisor.output.feed("prepare", problem.read())
        return dict(json.loads(answer.read()))


def fill_with_demo(supervisor: Supervisor) -> None:
    """Run `manage.py demo` beside the children; what it says appears with theirs."""
    demo = Child("demo", (os.fspath(environment.PROJECT_DIR / "manage.py"), "demo"))
    supervisor.run_once(demo)
