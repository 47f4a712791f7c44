from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.launcher.installation import Installation
from tests.run_folder import RUN_MARKER


@pytest.fixture(scope="session")
def roomy_tmp_path() -> Iterator[Path]:
    """A temporary folder, with a space in its name, that root's server can pass through.

    That server runs under an account of its own.  pytest's folder is closed to other accounts, again by each run that
    starts meanwhile.
    """
    with tempfile.TemporaryDirectory(prefix="launcher ", dir=os.environ[RUN_MARKER]) as folder:
        Path(folder).chmod(0o711)
        yield Path(folder)


@pytest.fixture(scope="session")
def shared_installation(roomy_tmp_path: Path) -> Iterator[Installation]:
    """One installation for all tests of a process: a first start takes ten seconds of a processor."""
    installation = Installation(roomy_tmp_path / "data")
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
    if not (shared_installation.data_dir / "secrets" / "sign_ins.json").exists():
        shared_installation.start()
    if shared_installation.is_up():
        shared_installation.stop()
    return shared_installation
