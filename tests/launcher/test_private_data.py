"""Other accounts of the machine cannot read the data directory; test_start_and_stop.py starts one that was open."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from django.core.management import call_command
from pytest_django.fixtures import Settings

from config.data_folder import exposed_paths, restrict_permissions
from config.embedded_postgres import Cluster

WIDE_FOLDER, WIDE_FILE = 0o755, 0o644
OTHERS_READ, OTHERS_PASS = stat.S_IRGRP | stat.S_IROTH, stat.S_IXGRP | stat.S_IXOTH


def readable(folder: Path) -> Iterator[Path]:
    """Files that the group or others can list or read, below folders that they can enter."""
    for entry in os.scandir(folder):
        mode = entry.stat(follow_symlinks=False).st_mode
        if mode & OTHERS_READ and not entry.is_symlink():
            yield Path(entry.path)
        if entry.is_dir(follow_symlinks=False) and mode & OTHERS_PASS:
            yield from readable(Path(entry.path))


def widen(data_dir: Path) -> list[Path]:
    """An installation of a version that left open what it made, with a mirror and a message; what is in it."""
    for name in ("mirrors/1/101.git", "broker/messages", "broker/control", "logs", "secrets", "run"):
        (data_dir / name).mkdir(parents=True, exist_ok=True)
    for name in ("mirrors/1/101.git/config", "broker/messages/1.unfinished", "logs/web.log", "run/last-task"):
        (data_dir / name).touch()
    paths = [path for path in data_dir.rglob("*") if "postgres" not in path.relative_to(data_dir).parts]
    for path in (data_dir, *paths):
        if not path.is_symlink():
            path.chmod(WIDE_FOLDER if path.is_dir() else WIDE_FILE)
    return paths


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "run").mkdir()
    widen(tmp_path)
    return tmp_path


def test_what_is_only_passed_through_stays_passable(folder: Path) -> None:
    folder.chmod(0o755)
    (folder / "run").chmod(0o711)
    restrict_permissions(Cluster(folder))
    assert stat.S_IMODE(folder.stat().st_mode) == 0o711, "root's database passes through"
    assert stat.S_IMODE((folder / "run").stat().st_mode) == 0o711
    assert stat.S_IMODE((folder / "run" / "last-task").stat().st_mode) == 0o600
    assert not list(readable(folder))


def test_a_directory_that_holds_other_things_keeps_them_as_they_are(folder: Path) -> None:
    (folder / "homepage").mkdir()
    (folder / "homepage").chmod(0o755)
    folder.chmod(0o755)
    restrict_permissions(Cluster(folder))
    assert {path.relative_to(folder).parts[0] for path in readable(folder)} == {"homepage"}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o755
    assert not list(exposed_paths(folder))


def test_links_are_not_followed(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    elsewhere.chmod(0o755)
    (folder / "static").symlink_to(elsewhere)
    restrict_permissions(Cluster(folder))
    assert stat.S_IMODE(elsewhere.stat().st_mode) == 0o755


@pytest.mark.django_db
def test_doctor_names_what_others_can_read(
    folder: Path, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.DATA_DIR = folder

    def data_folder_finding() -> tuple[str, str]:
        with suppress(SystemExit):
            call_command("doctor", "--json")
        findings = {finding["part"]: finding for finding in json.loads(capsys.readouterr().out)}
        return findings["data folder"]["state"], findings["data folder"]["sentence"]

    state, sentence = data_folder_finding()
    assert state == "wrong"
    assert f"can read {folder}, {folder}/broker, {folder}/broker/control" in sentence
    assert "Restart `manage.py up`" in sentence
    restrict_permissions(Cluster(folder))
    assert data_folder_finding()[0] == "right"
