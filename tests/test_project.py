"""Project wiring that all other tests rely on."""

import importlib
import re
import socket
import subprocess
from pathlib import Path

import pytest
from django.core.management import call_command
from pytest_socket import SocketConnectBlockedError

from tests.servers import PROJECT_DIR


@pytest.mark.django_db
def test_models_and_migrations_agree() -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


@pytest.mark.filterwarnings("ignore:A test tried to use socket")
def test_tests_reach_this_machine_only() -> None:
    with pytest.raises(SocketConnectBlockedError):
        socket.create_connection(("192.0.2.1", 80), timeout=1)


def test_code_handed_to_the_shell_prints_nothing_but_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("shell", command="print(Person.__name__)")
    assert capsys.readouterr().out == "Person\n"


SAYS_NOTHING = {"utils", "util", "helpers", "common", "misc", "manager", "handler", "processor"}
LEFT_TO_DO = re.compile(r"(?<![.'])\b(TODO|FIXME|XXX)\b(?! = )")  # StatusCategory.TODO is a word of ours
OURS = (".py", ".js", ".css", ".html", ".sh", ".md")


def files_of_the_project() -> list[Path]:
    """The files that git tracks or would track, except those written by others."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=PROJECT_DIR,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    paths = [PROJECT_DIR / name for name in listed.split("\0") if name and not name.startswith("static/vendor/")]
    return [path for path in paths if path.suffix in OURS and path.is_file()]


def test_files_are_named_after_what_they_hold() -> None:
    assert [path for path in files_of_the_project() if path.stem in SAYS_NOTHING] == []


def test_nothing_is_left_to_do_in_the_code() -> None:
    code = [path for path in files_of_the_project() if path != Path(__file__)]
    assert [path for path in code if LEFT_TO_DO.search(path.read_text(encoding="utf-8"))] == []


def test_heavy_libraries_are_imported_where_they_are_used() -> None:
    """An idle process that loads them would take a hundred megabytes more."""
    heavy = re.compile(r"^(import|from) (numpy|scipy|pandas|statsmodels|sklearn)\b", re.MULTILINE)
    code = [path for path in files_of_the_project() if path.suffix == ".py" and "tests" not in path.parts]
    assert [path for path in code if heavy.search(path.read_text(encoding="utf-8"))] == []


def test_the_worker_knows_every_task_that_is_scheduled() -> None:
    """Beat sends a name; a worker that does not know it throws the message away."""
    from config.celery import app
    from config.schedule import SCHEDULE, TASK_MODULES

    named = re.compile(r"^\w+ = signature\(\s*\"([\w.]+)\"", re.MULTILINE)
    code = {
        path.relative_to(PROJECT_DIR): path.read_text(encoding="utf-8")
        for path in files_of_the_project()
        if path.suffix == ".py" and "tests" not in path.parts
    }
    woken = {task for text in code.values() for task in named.findall(text)}
    assert len(woken) > 2
    defining = [path for path, text in code.items() if "import shared_task" in text]
    assert sorted(".".join(path.with_suffix("").parts) for path in defining) == TASK_MODULES
    for module in TASK_MODULES:
        importlib.import_module(module)
    assert {entry.task for entry in SCHEDULE} | woken <= set(app.tasks)
