"""A runtime image without the folders demo/ and bench/."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers import PROJECT_DIR


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With the bytecode that is there, which takes longer to make than all else here."""
    copy = tmp_path_factory.mktemp("runtime") / "image"
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=PROJECT_DIR, check=True, capture_output=True, text=True)
    rooms = ("config/", "core/", "orgtree/", "integrations/", "insights/", "programs/")
    runtime = (*rooms, "agent/", "templates/", "manage.py")  # the installation builds the collector from agent/
    for name in filter(lambda name: name.startswith(runtime), listed.stdout.split("\0")):
        source, target = PROJECT_DIR / name, copy / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, target)  # with its time, by which bytecode is known to be of it
        for compiled in source.parent.glob(f"__pycache__/{source.stem}.*.pyc"):
            (target.parent / "__pycache__").mkdir(exist_ok=True)
            shutil.copy2(compiled, target.parent / "__pycache__")
    return copy


def manage(image: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    variables = {**os.environ, "HEADWAY_DATA_DIR": str(image.parent / "data")}
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(command, cwd=image, env=variables, capture_output=True, text=True, check=False)


def test_it_is_whole(image: Path) -> None:
    checked = manage(image, "check")
    assert checked.returncode == 0, checked.stderr


def test_it_says_that_it_cannot_play_the_demo(image: Path) -> None:
    started = manage(image, "up", "--demo")
    assert started.returncode == 1
    assert started.stderr == "This installation was built without the folder demo/, so it cannot play the demo.\n"
