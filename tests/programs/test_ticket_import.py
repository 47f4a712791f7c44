"""Tickets from CSV: what was downloaded can be uploaded elsewhere, and a wrong row stores nothing."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from core.csv_export import csv_lines
from core.csv_import import CsvFileError, text_of
from insights.query.windows import local_today
from programs.models import Ticket, TicketState
from programs.tickets.services.csv_files import MOST_ROWS, import_tickets, read_tickets
from programs.tickets.services.writing import move_ticket
from tests.org import Org
from tests.pages.delivering import day_before
from tests.personas import EXECUTIVE, MANAGER, MEMBER, Persona, signed_in
from tests.programs.tickets import as_, ticket
from tests.teams import create_teams

IMPORT = "/programs/tickets/import/"
YESTERDAY, TODAY, TOMORROW = (timedelta(days=days) for days in (-1, 0, 1))  # from the day on which the test runs
SignIn = Callable[[Persona], Client]


@pytest.fixture
def sign_in(org: Org) -> SignIn:
    create_teams()
    return signed_in


def day_of(fields: Any) -> Any:
    return local_today() + fields if isinstance(fields, timedelta) else fields


def file_of(*rows: dict[str, Any], heads: tuple[str, ...] = ()) -> str:
    """A length of time in a row is the day so far from today."""
    usual = {"title": "Slow builds", "kind": "tooling", "unit": "platform", "owner": "ada@example.com", "due_on": TODAY}
    full = [{name: day_of(value) for name, value in {**usual, **row}.items()} for row in rows]
    names = heads or tuple(dict.fromkeys(name for row in full for name in row))
    return "".join(csv_lines([names, *([row.get(name, "") for name in names] for row in full)]))


def problems(text: str, persona: Persona = MANAGER) -> dict[int, str]:
    return {row.row: row.problem for row in read_tickets(as_(persona), text) if row.problem}


def test_what_was_downloaded_becomes_the_same_tickets_elsewhere(sign_in: SignIn) -> None:
    began = day_before(20)
    ticket(title="=1+1", resolution="Two\nlines, with “quotes” 🚀", metric="ci.duration", nature="opportunity")
    done = ticket(title="Was done", starts_on=began)
    move_ticket(as_(MANAGER), done, TicketState.DONE, completed_on=day_before(3))
    move_ticket(as_(MANAGER), ticket(title="Was dropped"), TicketState.DROPPED, dropped_why="Another does it")
    content = sign_in(MANAGER).get(reverse("tickets_csv"), {"state": "all"}).getvalue()
    fields = ("title", "nature", "resolution", "kind", "unit", "owner", "starts_on", "due_on", "completed_on", "state")
    before = list(Ticket.objects.order_by("title").values_list(*fields, "dropped_why", "metric"))
    assert all(row.is_known for row in read_tickets(as_(MANAGER), text_of(content))), "here they are there already"
    Ticket.objects.all().delete()
    assert len(import_tickets(as_(MANAGER), read_tickets(as_(MANAGER), text_of(content)))) == 3
    assert list(Ticket.objects.order_by("title").values_list(*fields, "dropped_why", "metric")) == before


def test_the_page_shows_what_a_file_would_do_and_does_it(sign_in: SignIn) -> None:
    client = sign_in(MANAGER)
    upload = SimpleUploadedFile("tickets.csv", file_of({}, {"title": "Flaky tests"}).encode())
    preview = client.post(IMPORT, {"file": upload}).content.decode()
    assert "2 new tickets" in preview
    assert not Ticket.objects.exists()
    stored = client.post(IMPORT, {"text": file_of({}, {"title": "Flaky tests"})})
    assert stored.status_code == 302
    assert set(Ticket.objects.values_list("title", flat=True)) == {"Slow builds", "Flaky tests"}
    again = client.post(IMPORT, {"text": file_of({}, {"title": "Flaky tests"})})
    assert again.status_code == 400
    assert "due date already exists" in again.content.decode()
    assert Ticket.objects.count() == 2
    assert client.post(IMPORT, {}).status_code == 400
    assert sign_in(MEMBER).get(IMPORT).status_code == 403


WRONG_ROWS: Sequence[tuple[dict[str, Any], str]] = [
    ({"title": ""}, "Opportunity or challenge: Enter the"),
    ({"kind": "weather"}, "Where the cause lies"),
    ({"due_on": "soon"}, "Due by: “soon” is not a day"),
    ({"due_on": ""}, "needs a due date"),
    ({"unit": "nowhere"}, "no unit"),
    ({"unit": "search"}, "Unit"),
    ({"unit": ""}, "executives and admins"),
    ({"owner": ""}, "Owner: A ticket needs an owner"),
    ({"owner": "nobody@example.com"}, "Nobody with the address"),
    ({"state": "melted"}, "is none of"),
    ({"state": "dropped"}, "Give a reason"),
    ({"state": "open", "completed_on": TODAY}, "was not completed"),
    ({"completed_on": TOMORROW}, "is in the future"),
    ({"starts_on": TODAY, "completed_on": YESTERDAY}, "It began on"),
    ({"starts_on": TOMORROW, "due_on": timedelta(days=2), "state": "done"}, "cannot start in the future"),
    ({"metric": "dora.luck"}, "no metric"),
]


def test_a_wrong_row_is_named_and_nothing_is_stored(sign_in: SignIn, subtests: pytest.Subtests) -> None:
    for row, message in WRONG_ROWS:
        with subtests.test(row=row):
            text = file_of({"title": "A good one"}, row)
            assert set(problems(text)) == {3}
            assert message in problems(text)[3]
            with pytest.raises(CsvFileError, match=r"Row 3.*Nothing was stored"):
                import_tickets(as_(MANAGER), read_tickets(as_(MANAGER), text))
            assert not Ticket.objects.exists()


def test_a_duplicate_row_is_reported(sign_in: SignIn) -> None:
    assert problems(file_of({}, {"title": "Another"}, {})) == {4: "The same as row 2."}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "missing: Opportunity or challenge, Where the cause lies, Owner, Due by"),
        ("title,kind,owner\na,tooling,ada@example.com\n", "missing: Due by"),
        ("title,kind,owner,due_on,Due by\n", "names the column Due by twice"),
        (
            "title,kind,owner,due_on\n" + "a,tooling,b,2026-03-02\n" * (MOST_ROWS + 1),
            "more than 500 rows",
        ),
    ],
)
def test_a_file_that_cannot_be_read_says_why(sign_in: SignIn, text: str, message: str) -> None:
    with pytest.raises(CsvFileError, match=message):
        read_tickets(as_(EXECUTIVE), text)


def test_files_in_other_encodings_and_huge_ones_are_refused() -> None:
    with pytest.raises(CsvFileError, match="UTF-8"):
        text_of("Überstunden".encode("latin-1"))
    with pytest.raises(CsvFileError, match="1 MB"):
        text_of(b"x" * 1_000_001)
    assert text_of("\ufefftitle".encode()) == "title"


def test_columns_have_any_order_and_unknown_ones_are_left(sign_in: SignIn) -> None:
    heads = "Colour,DUE BY,Where the cause lies,Opportunity or challenge,unit,Owner"
    read = read_tickets(as_(MANAGER), f"{heads}\nred,{local_today()},Tooling,Slow builds,platform,ada@example.com\n\n")
    assert len(import_tickets(as_(MANAGER), read)) == 1
    assert Ticket.objects.get().title == "Slow builds"
    rows = list(csv.reader(io.StringIO(sign_in(MANAGER).get(reverse("tickets_csv")).getvalue().decode("utf-8-sig"))))
    assert rows[1][2] == "Slow builds"
