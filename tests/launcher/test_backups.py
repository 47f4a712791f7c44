"""`manage.py backup FILE` of an installation that runs, and `manage.py restore FILE` in an empty place."""

from __future__ import annotations

import io
import json
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from tests.launcher.installation import Installation, command_line
from tests.pages.delivering import records
from tests.patience import wait_until
from tests.servers import PROJECT_DIR

FEWEST_FIGURES = 100
FREQUENCY = "dora.deployment_frequency"


@pytest.fixture
def elsewhere(roomy_tmp_path: Path) -> Iterator[Installation]:
    """An empty place."""
    with tempfile.TemporaryDirectory(prefix="elsewhere ", dir=roomy_tmp_path) as folder:
        installation = Installation(Path(folder))
        yield installation
        installation.end_everything()


@pytest.fixture
def backup(stopped: Installation, roomy_tmp_path: Path) -> Path:
    file = roomy_tmp_path / "headway.backup"
    if not file.exists():
        made = stopped.manage("backup", str(file))
        assert made.returncode == 0, made.stderr
    return file


def last_word(installation: Installation, *arguments: str) -> str:
    done = installation.manage(*arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()[-1]


def deliver(installation: Installation) -> None:
    """Push the records of a small shop that delivers."""
    token = last_word(installation, "create_ingest_token", "backup", "--scope", "push")
    for kind, pushed in records().items():
        answer = httpx.post(
            f"{installation.url}/ingest/v1/{kind}/",
            json={"records": pushed},
            headers={"Authorization": f"Bearer {token}"},
            trust_env=False,
        )
        assert [result["error"] for result in answer.json()["results"] if result["error"]] == []


def figures(installation: Installation, token: str, *keys: str) -> dict[str, Any]:
    """Total and series of these metrics, by default of every one of the catalogue."""
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=installation.url, headers=headers, timeout=60, trust_env=False) as client:
        every = client.get("/api/v1/metrics/").json()["metrics"]
        answers = {
            key: client.get(f"/api/v1/metrics/{key}/series/").json() for key in keys or [m["key"] for m in every]
        }
    return {key: [answer["total"], answer["series"]] for key, answer in answers.items()}


def deploys(installation: Installation, token: str) -> bool:
    [[total], _] = figures(installation, token, FREQUENCY)[FREQUENCY]
    return bool(total["value"])


def test_figures_are_the_same_after_a_restore_elsewhere(
    running: Installation, elsewhere: Installation, roomy_tmp_path: Path
) -> None:
    deliver(running)
    token = last_word(running, "create_api_token", "backup")
    wait_until(lambda: deploys(running, token), what="pushed records count")
    before = figures(running, token)
    file = roomy_tmp_path / "running.backup"
    made = running.manage("backup", str(file), "--json")
    assert made.returncode == 0, made.stderr
    assert json.loads(made.stdout)["bytes"] == file.stat().st_size
    assert file.stat().st_mode & 0o077 == 0, "others cannot read it"
    assert [path.name for path in file.parent.glob(".*backup*")] == [], "nothing is left beside it"

    restored = elsewhere.manage("restore", str(file))
    assert restored.returncode == 0, restored.stderr
    elsewhere.start()
    assert len(before) >= FEWEST_FIGURES
    assert figures(elsewhere, token) == before, "the token works, and every figure is the same"
    elsewhere.wait_for_a_task()
    findings = json.loads(elsewhere.manage("doctor", "--json").stdout)
    assert [finding for finding in findings if finding["state"] == "wrong"] == []


def test_a_place_with_data_is_refused(stopped: Installation, backup: Path) -> None:
    refused = stopped.manage("restore", str(backup))
    assert refused.returncode != 0
    assert "This installation has data. Restore into an empty one" in refused.stderr


@pytest.mark.parametrize("spoiled", ["cut off", "changed", "of a newer Headway", "another key", "no archive", "absent"])
def test_a_backup_that_cannot_be_restored_leaves_the_place_empty(
    elsewhere: Installation, backup: Path, roomy_tmp_path: Path, spoiled: str
) -> None:
    file = roomy_tmp_path / "spoiled.backup"
    wrong = spoil(backup, file, spoiled)
    refused = elsewhere.manage("restore", str(file))
    assert refused.returncode != 0
    assert wrong in refused.stderr
    assert "Traceback" not in refused.stderr
    if spoiled == "absent":
        restored = elsewhere.manage("restore", str(backup))
        assert restored.returncode == 0, restored.stderr


def spoil(backup: Path, file: Path, how: str) -> str:
    """Write a spoiled copy; returns words of the refusal."""
    with tarfile.open(backup) as archive:
        parts = {member.name: archive.extractfile(member).read() for member in archive.getmembers()}  # type: ignore[union-attr]
    manifest = json.loads(parts["manifest.json"])
    match how:
        case "cut off":
            file.write_bytes(backup.read_bytes()[: backup.stat().st_size // 2])
            return "truncated"
        case "no archive":
            file.write_text("select 1")
            return "is not a backup"
        case "absent":
            file.unlink(missing_ok=True)
            return "can’t be read: No such file"
        case "changed":
            parts["database.dump"] = parts["database.dump"][:-1] + b"x"
            words = "database.dump differs"
        case "of a newer Headway":
            manifest["migrations"].append(["programs", "9999_from_the_future"])
            words = "belongs to another version of Headway"
        case _:
            manifest["key_check"] = "0" * 16
            words = "Set HEADWAY_SECRET_KEY"
    parts["manifest.json"] = json.dumps(manifest).encode()
    with tarfile.open(file, "w") as archive:
        for name, content in parts.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return words


@pytest.mark.parametrize("program", ["", "pg_restore"], ids=["at its start", "while it restores"])
def test_a_killed_restore_leaves_an_empty_place_or_a_clear_refusal(
    elsewhere: Installation, backup: Path, program: str
) -> None:
    """Killed at once, and as soon as PostgreSQL's program reads the dump."""
    killed = subprocess.Popen(
        [*elsewhere.python, "manage.py", "restore", str(backup)],
        cwd=PROJECT_DIR,
        env=elsewhere.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    process = psutil.Process(killed.pid)
    wait_until(
        lambda: not program or any(program in " ".join(command_line(child)) for child in process.children()),
        what="the restore begins",
    )
    programs = [child for child in process.children() if "pg_restore" in " ".join(command_line(child))]
    process.kill()
    killed.wait()
    wait_until(lambda: not any(child.is_running() for child in programs), what="its programs end with it")
    again = elsewhere.manage("restore", str(backup))
    assert again.returncode == 0 or "This installation has data" in again.stderr, again.stderr
    assert again.returncode or not [*elsewhere.data_dir.glob("restore-*")], "no copy of the secrets is left"
    elsewhere.start()
    assert elsewhere.manage("doctor").returncode == 0
