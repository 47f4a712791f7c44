"""What `manage.py up` keeps running for an installation that holds the demo."""

from __future__ import annotations

import shutil

from tests.launcher.installation import Installation, gone
from tests.patience import wait_until


def test_the_simulated_github_runs_for_as_long_as_the_demo_is_held(stopped: Installation) -> None:
    folder = stopped.data_dir / "demo"  # without it there is no such process: test_start_and_stop.py counts them
    folder.mkdir()
    try:
        stopped.start()
        github = wait_until(lambda: stopped.child("github"), what="the simulated GitHub is started")
        stopped.stop()
        assert github is not None
        assert gone([github])
    finally:
        shutil.rmtree(folder)
