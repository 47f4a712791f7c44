"""`manage.py import_people`: its output for scripts and people."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from orgtree.models import Person
from tests.orgtree.people.files import values

pytestmark = pytest.mark.django_db

GOOD = (
    "full_name,email,manager_email,team\nGrace,grace@example.com,,Platform\nAda,ada@example.com,grace@example.com,Pay\n"
)


def run(*arguments: str) -> tuple[int, str]:
    """Exit code and what was printed."""
    output = io.StringIO()
    try:
        call_command("import_people", *arguments, stdout=output)
    except SystemExit as exit_:
        return int(str(exit_.code)), output.getvalue()
    return 0, output.getvalue()


def run_json(*arguments: str) -> tuple[int, dict[str, Any]]:
    code, printed = run(*arguments, "--json")
    return code, json.loads(printed)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "people.csv"
    path.write_text(GOOD)
    return path


def test_a_dry_run_and_the_import_print_the_same_counts(file: Path) -> None:
    columns = run_json(str(file), "--dry-run")[1]["columns"]
    assert {column["question"] for column in columns} == {""}
    counted = {"columns": columns, "added": 2, "changed": 0, "moved": 0, "leaving": 0, "unchanged": 0, "errors": []}
    assert run_json(str(file), "--dry-run") == (0, {"applied": False, **counted})
    assert not Person.objects.exists()
    assert run_json(str(file)) == (0, {"applied": True, **counted})
    assert run_json(str(file)) == (0, {"applied": True, **counted, "added": 0, "unchanged": 2})


@pytest.mark.parametrize(
    ("head", "used_as", "word"),
    [
        ("Line Manager Email Address", "manager_email", ""),
        ("Reporting to", "reporting_to", "manager_email"),
        ("Vorgesetzter", "vorgesetzter", "manager_email"),
        ("N+1", "n_1", "manager_email"),
        ("Termination Date (Effective)", "termination_date_effective", "“end”"),
        ("Last working day", "last_working_day", "“end”"),
        ("Cost Center", "cost_center", ""),
    ],
)
def test_a_dry_run_says_what_columns_are_taken_for_and_asks_about_heads_that_look_known(
    file: Path, head: str, used_as: str, word: str
) -> None:
    file.write_text(f"full_name,email,{head}\nAda,ada@example.com,\n")
    (*_, column) = run_json(str(file), "--dry-run")[1]["columns"]
    assert (column["head"], column["used_as"]) == (head, used_as)
    assert bool(column["question"]) == bool(word)
    assert word in column["question"]
    assert f"Column “{head}”" in run(str(file), "--dry-run")[1]


def test_errors_end_with_1_and_nothing_stored(file: Path) -> None:
    file.write_text(GOOD + "Alan,alan@example.com,nobody@example.com,Pay\n")
    code, document = run_json(str(file))
    assert (code, document["applied"]) == (1, False)
    (error,) = document["errors"]
    assert (error["row"], error["column"]) == (4, "manager_email")
    assert not Person.objects.exists()
    code, printed = run(str(file))
    assert code == 1
    assert printed.startswith("row 4, manager_email: “nobody@example.com” is unknown")


def test_differences_are_described_in_words(file: Path) -> None:
    run(str(file), "--effective", "2026-01-01")
    file.write_text(GOOD.replace("Pay", "Search"))
    code, printed = run(str(file), "--effective", "2026-03-01")
    assert code == 0
    assert "Moved: 1\n  Ada <ada@example.com>: team Pay → Search\n" in printed
    assert values("ada", "team") == [("Pay", "2026-01-01 – 2026-03-01"), ("Search", "from 2026-03-01")]
    file.write_text("email\ngrace@example.com\n")
    assert run_json(str(file), "--complete")[1]["leaving"] == 1


@pytest.mark.parametrize(
    "arguments", [("no/such/file.csv",), ("FILE", "--effective", "soon"), ("FILE", "--effective", "")]
)
def test_impossible_options_are_refused(file: Path, arguments: tuple[str, ...]) -> None:
    with pytest.raises(CommandError, match=r"can’t be read|Write it as"):
        run(*(str(file) if argument == "FILE" else argument for argument in arguments))
