"""`manage.py …` beside a running installation and without one."""

from __future__ import annotations

import json
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext

import pytest
from django.db import transaction

import manage
from config.launcher import command
from core import sql
from tests.launcher.installation import Installation
from tests.patience import PATIENCE_SECONDS, wait_until
from tests.servers import PROJECT_DIR

READ = ("shell", "--verbosity", "0", "-c", "from orgtree.models import Person; Person.objects.count(); print(0)")


def test_a_command_on_a_stopped_installation_starts_the_database_for_itself(stopped: Installation) -> None:
    finished = stopped.manage("doctor", "--json")
    findings = json.loads(finished.stdout)  # nothing else is on stdout
    assert {finding["part"]: finding["state"] for finding in findings}["database"] == "right"
    assert stopped.postmaster() is None


def test_commands_at_the_same_time_share_the_database_and_the_last_one_stops_it(stopped: Installation) -> None:
    with ThreadPoolExecutor() as pool:
        finished = list(pool.map(lambda _: stopped.manage(*READ), range(2)))
    assert [one.stdout for one in finished] == ["0\n"] * 2, [one.stderr for one in finished]
    assert stopped.postmaster() is None


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_command_stops_the_database_it_started(stopped: Installation, number: signal.Signals) -> None:
    waiting = subprocess.Popen(
        [*stopped.python, "manage.py", "shell", "--verbosity", "0", "-c", "input()"],
        cwd=PROJECT_DIR,
        env=stopped.environment,
        stdin=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    wait_until(lambda: stopped.postmaster() is not None, what="the command's database")
    waiting.send_signal(number)
    waiting.communicate(timeout=PATIENCE_SECONDS)
    assert waiting.returncode != 0
    assert stopped.postmaster() is None


@pytest.mark.parametrize("arguments", [("version",), ("up", "--help")])
def test_what_needs_no_database_starts_none(stopped: Installation, arguments: tuple[str, ...]) -> None:
    assert stopped.manage(*arguments).returncode == 0
    assert stopped.postmaster() is None


def test_a_wrong_setting_is_a_sentence_for_commands_too(stopped: Installation) -> None:
    wrong = Installation(stopped.data_dir, variables={"HEADWAY_TIME_ZONE": "Mars/Olympus"})
    for arguments in (("doctor",), ("check",)):
        refused = wrong.manage(*arguments)
        assert refused.returncode != 0
        assert refused.stderr.startswith("HEADWAY_TIME_ZONE must be a zone"), refused.stderr


def test_a_command_leaves_a_database_that_up_took_over(stopped: Installation) -> None:
    waiting = subprocess.Popen(
        [*stopped.python, "manage.py", "shell", "--verbosity", "0", "-c", "print(input())"],
        cwd=PROJECT_DIR,
        env=stopped.environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
    )
    wait_until(lambda: stopped.postmaster() is not None, what="the command's database")
    stopped.start()
    postmaster = stopped.postmaster()
    waiting.communicate(b"go on\n", timeout=PATIENCE_SECONDS)
    assert waiting.returncode == 0
    assert stopped.postmaster() == postmaster
    assert stopped.is_ready()


def test_doctor_beside_a_running_installation_sees_it_at_work_and_leaves_it_alone(running: Installation) -> None:
    postmaster = running.postmaster()
    running.wait_for_a_task()
    finished = running.manage("doctor")
    assert "ok     database" in finished.stdout
    assert "Worker and beat are running" in finished.stdout
    assert running.postmaster() == postmaster
    assert running.is_ready()


@pytest.mark.django_db
@pytest.mark.parametrize("statement", ["SELECT FROM no_such_table", "SELECT no_such_column FROM django_migrations"])
def test_a_command_without_its_tables_says_to_start_once(
    statement: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def execute() -> None:
        with transaction.atomic():
            sql.execute(statement)

    monkeypatch.setattr(manage, "execute", execute)
    monkeypatch.setattr(command, "database_for_command", nullcontext)
    monkeypatch.setattr("sys.argv", ["manage.py", "create_ingest_token", "laptops"])
    assert manage.main() == 2
    assert capsys.readouterr().err.endswith("Run python manage.py up once, then repeat the command.\n")
