from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.first_start import FirstStart
from tests.launcher.installation import Installation


@pytest.fixture(scope="session")
def shared_installation(roomy_tmp_path: Path, first_start: FirstStart) -> Iterator[Installation]:
    """One installation for all tests of a process; it was started once, elsewhere."""
    installation = Installation(roomy_tmp_path / "data")
    first_start.copy_to(installation.data_dir)
    yield installation
    installation.end_everything()


@pytest.fixture
def running(shared_installation: Installation) -> Iterator[Installation]:
    """An installation that runs and is ready, however the test before left it; `heard` begins empty."""
    if shared_installation.is_up() and not shared_installation.is_ready():
        shared_installation.end_everything()
    if not shared_installation.is_up():
        shared_installation.end_everything()
        shared_installation.start()
    shared_installation.listen_anew()
    yield shared_installation
    sys.stdout.write(shared_installation.heard)  # shown where the test fails


@pytest.fixture
def stopped(shared_installation: Installation) -> Installation:
    """An installation with data that does not run."""
    if shared_installation.is_up():
        shared_installation.stop()
    else:
        shared_installation.end_everything()  # what a killed supervisor left
    return shared_installation
