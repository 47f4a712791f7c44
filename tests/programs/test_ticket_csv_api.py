"""CSV by program: what is downloaded is the page's download, and what is sent is stored whole or not at all."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from core.csv_import import MOST_BYTES
from insights.query.windows import local_today
from orgtree.models import TokenScope
from programs.models import Ticket, TicketState
from programs.tickets.services.csv_files import MOST_ROWS
from programs.tickets.services.writing import move_ticket
from tests.org import Org
from tests.pages.delivering import day_before
from tests.personas import EXECUTIVE, MANAGER, MEMBER, OTHER_MEMBER, Persona
from tests.programs.agreements import agree
from tests.programs.api_pages import bearer
from tests.programs.objectives import objective
from tests.programs.tickets import as_, ownerless, ticket
from tests.teams import create_teams

IMPORT = "/api/v1/tickets/import/"
SignIn = Callable[[Persona], Client]
HEAD = "title,kind,due_on,unit,owner"


@pytest.fixture(autouse=True)
def teams(org: Org) -> Org:
    create_teams()
    return org


def imported(client: Client, text: str | bytes, status: int, address: str = IMPORT) -> Any:
    answer = client.post(address, text, content_type="text/csv")
    assert answer.status_code == status, answer.content
    return answer.json()


def row(title: str, **fields: Any) -> str:
    usual = {"kind": "tooling", "due_on": local_today(), "unit": "platform", "owner": "ada@example.com", **fields}
    return ",".join([title, *map(str, usual.values())])


def test_a_program_gets_the_download_of_the_page(sign_in: SignIn, subtests: pytest.Subtests) -> None:
    began = day_before(9)
    ticket(title="=1+1", resolution="Two\nlines", starts_on=began)
    move_ticket(as_(MANAGER), ticket(title="Done", starts_on=began), TicketState.DONE)
    ownerless(EXECUTIVE, title="Of Search", unit="search")
    objective(title="Of all", unit=None, persona=EXECUTIVE)
    objective(title="Of Platform")
    agree(MANAGER, metric="pr.pickup_time", threshold=9.0, target=5.0)
    personas = (EXECUTIVE, MANAGER, MEMBER, OTHER_MEMBER)
    for name, persona in itertools.product(("tickets", "objectives", "benchmarks"), personas):
        with subtests.test(name=name, persona=persona.name):
            is_the_download_of_the_page(sign_in, persona, name)


def is_the_download_of_the_page(sign_in: SignIn, persona: Persona, name: str) -> None:
    params = {"state": "all"} if name == "tickets" else {}
    page = sign_in(persona).get(f"/programs/{name}/{name}.csv", params).getvalue()
    for client in (sign_in(persona), bearer(persona, TokenScope.READ), bearer(persona, TokenScope.PROGRAM)):
        unit = {"unit": "platform"} if name == "benchmarks" and persona in (MANAGER, MEMBER) else {}
        answer = client.get(f"/api/v1/{name}.csv", unit, headers={"Accept": "text/csv"})
        assert (answer.status_code, answer["Content-Type"]) == (200, "text/csv; charset=utf-8")
        if name != "benchmarks" or unit or persona is EXECUTIVE:
            assert sorted(answer.getvalue().splitlines()) == sorted(page.splitlines())
    if name == "tickets":
        listed = sign_in(persona).get("/api/v1/tickets/").json()["total"]
        assert (b"Of Search" in page) is (persona in (EXECUTIVE, OTHER_MEMBER))
        assert listed == {EXECUTIVE: 3, MANAGER: 2, MEMBER: 2, OTHER_MEMBER: 1}[persona]


def test_downloads_are_narrowed_like_lists(sign_in: SignIn) -> None:
    ticket(title="Slow builds", kind="tooling")
    ticket(title="Late reviews", due_on=local_today() + timedelta(days=2))
    client = sign_in(MANAGER)

    def titles(query: str) -> set[str]:
        text = client.get(f"/api/v1/tickets.csv?{query}").getvalue().decode()
        return {title for title in ("Slow builds", "Late reviews") if title in text}

    assert titles("kind=tooling") == {"Slow builds"}
    assert titles(f"due={local_today() + timedelta(days=2)}") == {"Late reviews"}
    assert titles("teams=yes&state=overdue") == set()
    for name in ("tickets", "objectives", "benchmarks"):
        for query in ("colour=red", "teams=perhaps", "due=soon", "standing=lost", "show=luck"):
            answer = client.get(f"/api/v1/{name}.csv?{query}", headers={"Accept": "text/csv"})
            assert (answer.status_code, answer["Content-Type"]) == (400, "application/json"), (name, query)
    assert client.get("/api/v1/benchmarks.csv?unit=search").status_code == 404
    assert Client().get("/api/v1/tickets.csv").status_code == 401


def test_rows_become_tickets_or_are_only_looked_at(sign_in: SignIn) -> None:
    client = sign_in(MANAGER)
    text = "\n".join([HEAD, row("Slow builds"), row("Late reviews", kind="process")])
    looked = imported(client, text, 200, f"{IMPORT}?dry_run=yes")
    assert looked == {"applied": False, "added": 2, "known": 0, "tickets": [], "errors": []}
    assert not Ticket.objects.exists()
    done = imported(client, text, 201)
    assert (done["applied"], done["added"]) == (True, 2)
    assert set(done["tickets"]) == set(Ticket.objects.values_list("pk", flat=True))
    again = imported(client, text, 400)
    assert [error["row"] for error in again["errors"]] == [2, 3]
    downloaded = client.get("/api/v1/tickets.csv").getvalue()
    known = imported(client, downloaded, 201)
    assert (known["added"], known["known"]) == (0, 2), "edits are made where two of them are told apart"


def test_every_wrong_row_is_named_with_its_column_and_nothing_is_stored(sign_in: SignIn) -> None:
    text = "\n".join(
        [
            HEAD,
            row("Fine"),
            row("Cause", kind="weather"),
            row("Day", due_on="soon"),
            row("Unit", unit="nowhere"),
            row("Of others", unit="search"),
            row("Owner", owner="nobody@example.com"),
            row("Fine"),
        ]
    )
    for status, address in ((400, IMPORT), (200, f"{IMPORT}?dry_run=yes")):
        errors = imported(sign_in(MANAGER), text, status, address)["errors"]
        assert [(error["row"], error["column"]) for error in errors] == [
            (3, "kind"), (4, "due_on"), (5, "unit"), (6, "unit"), (7, "owner"), (8, None),
        ]  # fmt: skip
        assert all(error["message"] for error in errors)
    assert not Ticket.objects.exists()


NO_FILES: Sequence[tuple[bytes, str | None]] = [
    (b"", "must be a CSV file"),
    (b"title,kind,owner\nx,tooling,a", "missing: Due by"),
    (b"title,title,kind,owner,due_on\n", "twice"),
    ("title,kind,due_on\nK\xf6ln,tooling,2026-11-30".encode("latin-1"), "UTF-8"),
    ("title;kind;due_on\nx;y".encode("utf-16"), None),
    (b"x" * (MOST_BYTES + 1), "more than 1 MB"),
    (HEAD.encode() + b"\na,tooling,2030-01-01,," * (MOST_ROWS + 1), f"more than {MOST_ROWS} rows"),
    (b'title,kind,due_on\n"open', None),
    (b"title,kind,due_on\na\x00b,tooling,2030-01-01", None),
]


def test_what_is_no_such_file_is_refused(sign_in: SignIn, subtests: pytest.Subtests) -> None:
    for content, words in NO_FILES:
        with subtests.test(content=content):
            refused = imported(sign_in(EXECUTIVE), content, 400)
            assert words is None or words in refused["error"]["message"]
            assert not Ticket.objects.exists()


def test_a_form_with_a_file_does_as_well(sign_in: SignIn) -> None:
    client = sign_in(MANAGER)

    def file(content: bytes) -> SimpleUploadedFile:
        return SimpleUploadedFile("tickets.csv", content, content_type="text/csv")

    text = f"{HEAD}\n{row('Slow builds')}".encode("utf-8-sig")
    assert client.post(IMPORT, {"file": file(text)}).json()["added"] == 1
    for body in ({"file": file(b"x" * (MOST_BYTES + 1))}, {"file": "no file"}, {}, {"csv": file(text)}, {"body": "x"}):
        assert client.post(IMPORT, body).status_code == 400, body
    assert client.post(IMPORT, {"csv": "x"}, content_type="application/json").status_code == 415
    assert client.post(f"{IMPORT}?dry_run=perhaps", "x", content_type="text/csv").status_code == 400
    assert client.post(f"{IMPORT}?dry=yes", "x", content_type="text/csv").status_code == 400
    assert Ticket.objects.count() == 1


def test_whoever_writes_no_tickets_imports_none(sign_in: SignIn) -> None:
    text = f"{HEAD}\n{row('Slow builds')}"
    for client in (
        sign_in(MEMBER),
        sign_in(OTHER_MEMBER),
        bearer(MANAGER, TokenScope.READ),
        bearer(None, TokenScope.PROGRAM),
    ):
        imported(client, text, 403)
        imported(client, text, 403, f"{IMPORT}?dry_run=yes")
    imported(Client(), text, 401)
    imported(bearer(MANAGER, TokenScope.PROGRAM), text, 201)


def test_who_watches_is_counted(sign_in: SignIn) -> None:
    new_ticket = ticket()
    address = f"/api/v1/tickets/{new_ticket.pk}/watch/"
    assert sign_in(MANAGER).get(address).json() == {"watch": True, "watchers": 1}, "whoever filed it watches it"
    member = sign_in(MEMBER)
    assert member.get(address).json() == {"watch": False, "watchers": 1}
    watching = member.post(address, {"watch": True}, content_type="application/json").json()
    assert watching == {"watch": True, "watchers": 2} == member.get(address).json()
    page = member.get(f"/programs/tickets/{new_ticket.pk}/").context
    assert (page["watches"], page["watchers"]) == (True, 2)
    assert bearer(None, TokenScope.READ).get(address).status_code in (200, 404)
    assert sign_in(OTHER_MEMBER).get(address).status_code == 404
