"""The data directory of an installation after its first start: created once per run and copied.

A first start creates the cluster, 180 tables and the static files, twice the work of a later one.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.launcher.installation import Installation
from tests.run_folder import RUN_MARKER, once_per_run


@dataclass(frozen=True)
class FirstStart:
    """An installation on the embedded database, started once and stopped."""

    data_dir: Path
    output: str
    """What `manage.py up` said."""

    def copy_to(self, data_dir: Path) -> None:
        """Make that folder one like this, with owners and modes: root's database belongs to another account."""
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        subprocess.run(["cp", "-a", f"{self.data_dir}/.", str(data_dir)], check=True)
        shutil.rmtree(data_dir / "run")  # locks, and when a task was last finished


def first_start() -> FirstStart:
    """Whichever process of the run comes first makes it, with `manage.py up` itself."""
    folder = Path(os.environ[RUN_MARKER]) / "first start"
    output = folder / "output.txt"
    with once_per_run("first start") as first:
        if first:
            folder.mkdir(mode=0o711, exist_ok=True)  # an earlier test may have failed to start it
            installation = Installation(folder / "data")
            try:
                installation.start()
                installation.stop()
            finally:
                installation.end_everything()
            output.write_text(installation.output)
    return FirstStart(folder / "data", output.read_text())
