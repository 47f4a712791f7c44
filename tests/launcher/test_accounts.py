"""Root and everybody else: PostgreSQL refuses to run as root, and nobody else may switch accounts."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.first_start import FirstStart
from tests.launcher.installation import Installation, gone

STRANGER = 65534  # nobody, on every system that has setpriv


@pytest.fixture
def of_a_stranger(roomy_tmp_path: Path) -> Iterator[Installation]:
    """An installation that an account without any rights owns and starts; needs root to become that account."""
    if os.getuid() != 0:
        pytest.skip("these tests run as an ordinary account already: test_start_and_stop.py covers it")
    switch = ("setpriv", f"--reuid={STRANGER}", f"--regid={STRANGER}", "--clear-groups")
    python = next((candidate for candidate in interpreters() if works(switch, candidate)), None)
    if shutil.which("setpriv") is None or python is None:
        pytest.skip("no interpreter of this version can be run by another account here")
    home = Path(tempfile.mkdtemp(prefix="of a stranger ", dir=roomy_tmp_path))
    os.chown(home, STRANGER, STRANGER)
    packages = os.pathsep.join([sysconfig.get_path("purelib"), sysconfig.get_path("platlib")])
    installation = Installation(
        home / "data", python=(*switch, python), variables={"PYTHONPATH": packages, "HOME": str(home)}
    )
    yield installation
    installation.end_everything()


@pytest.mark.parametrize("started", [True, pytest.param(False, marks=pytest.mark.soak)], ids=["again", "first"])
def test_an_ordinary_account_runs_everything_itself(
    of_a_stranger: Installation, first_start: FirstStart, *, started: bool
) -> None:
    """Its first start takes half a minute: in `make test` it is given what root's has made."""
    if started:
        first_start.copy_to(of_a_stranger.data_dir)
        subprocess.run(["chown", "-R", f"{STRANGER}:{STRANGER}", str(of_a_stranger.data_dir)], check=True)
    of_a_stranger.start()
    assert of_a_stranger.is_ready()
    postmaster = of_a_stranger.postmaster()
    assert postmaster is not None
    processes = [*of_a_stranger.children(), postmaster]
    assert {process.uids().real for process in processes} == {STRANGER}
    of_a_stranger.stop()
    assert gone(processes)

    as_root = Installation(of_a_stranger.data_dir)
    assert "belongs to nobody, and this is root. Start Headway as nobody" in as_root.refused()


def test_roots_data_is_refused_to_an_ordinary_account(of_a_stranger: Installation, first_start: FirstStart) -> None:
    of_a_stranger.environment["HEADWAY_DATA_DIR"] = str(first_start.data_dir)
    assert "belongs to root, and this is nobody. Start Headway as root" in of_a_stranger.refused()


def interpreters() -> list[str]:
    """Pythons of this version, the tests' own first."""
    system = f"/usr/bin/python{sys.version_info.major}.{sys.version_info.minor}"
    return [sys.executable, *([system] if Path(system).exists() else [])]


def works(switch: tuple[str, ...], python: str) -> bool:
    """Whether that account can run the interpreter, and the interpreter itself again."""
    itself = "import subprocess, sys; subprocess.run([sys.executable, '-c', ''], check=True)"
    return subprocess.run([*switch, python, "-c", itself], check=False, capture_output=True).returncode == 0
