"""Pages of tickets: who sees which, what a list shows, conflicts, and that nothing that was written runs."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from insights.query.windows import local_today
from insights.ui import wording
from orgtree.models import Person, Unit
from programs.comments.writing import comment_on
from programs.models import Comment, Ticket, TicketEffect, TicketState
from programs.requests.visible import account_of
from programs.tickets.services.writing import change_ticket, move_ticket
from tests.org import Org
from tests.pages.delivering import day_before
from tests.pages.recomputed import plain
from tests.personas import ADMIN, EXECUTIVE, MANAGER, MEMBER, OTHER_MEMBER, PERSONAS, Persona, signed_in
from tests.programs.tickets import as_, draft, ownerless, ticket
from tests.teams import create_teams

MOST_QUERIES = 17  # of one ticket, with the finding that it came from and the experiment that it belongs to
SignIn = Callable[[Persona], Client]


@pytest.fixture
def teams(org: Org) -> Org:
    create_teams()
    return org


@pytest.fixture
def sign_in(teams: Org) -> SignIn:
    return signed_in


def executed_sql(queries: CaptureQueriesContext) -> str:
    return "\n".join(" ".join(str(query["sql"]).split())[:150] for query in queries.captured_queries)


def text(client: Client, address: str, status: int = 200) -> str:
    answer = client.get(address)
    assert answer.status_code == status, address
    return answer.content.decode()


def test_who_sees_which_tickets(sign_in: SignIn) -> None:
    of_platform = ticket(title="Of Platform")
    of_search = ticket(EXECUTIVE, title="Of Search", unit="search", owner="grace@example.com")
    of_all = ownerless(EXECUTIVE, title="Of everybody", unit="")
    above = ownerless(EXECUTIVE, title="Of Engineering", unit="engineering")
    lent = ticket(EXECUTIVE, title="Lent to Ada", unit="search")
    seen = {
        ADMIN: {of_platform, of_search, of_all, above, lent},
        EXECUTIVE: {of_platform, of_search, of_all, above, lent},
        MANAGER: {of_platform, of_all, above},
        MEMBER: {of_platform, of_all, above, lent},
        OTHER_MEMBER: {of_search, of_all, above, lent},
    }
    for persona in PERSONAS:
        if persona not in seen:
            continue
        client = sign_in(persona)
        for ticket_ in (of_platform, of_search, of_all, above, lent):
            may = ticket_ in seen[persona]
            for name in ("ticket", "ticket_edit"):
                status = client.get(reverse(name, args=[ticket_.pk])).status_code
                assert status in ((200, 403) if may else (404,)), (persona.name, name, ticket_.title)
            for name in ("ticket_move", "ticket_comment", "ticket_watch"):
                if not may:
                    assert client.post(reverse(name, args=[ticket_.pk])).status_code == 404
    assert not Comment.objects.exists()


def test_a_member_finds_their_own_tickets_of_any_unit(sign_in: SignIn) -> None:
    ticket(title="Of Platform, not hers", owner="hedy@example.com")
    ticket(EXECUTIVE, title="Lent to Ada", unit="search")
    page = text(sign_in(MEMBER), "/programs/tickets/?mine=1")
    assert "Lent to Ada" in page
    assert "not hers" not in page
    assert reverse("ticket_new") not in page
    assert sign_in(MEMBER).get(reverse("ticket_new")).status_code == 403


def test_the_table_says_what_the_plan_asks_for(sign_in: SignIn) -> None:
    late = ticket(
        title="Reviews wait overnight",
        resolution="A *rota*",
        starts_on=day_before(20),
        due_on=day_before(5),
    )
    ownerless(title="Due now", nature="opportunity", due_on=local_today())
    page = plain(text(sign_in(MANAGER), "/programs/tickets/?unit=platform"))
    for words in ("Opportunity or challenge", "Resolution", "Owner", "Due by", "Completed on", "Before → after"):
        assert words in page
    assert "Challenge Reviews wait overnight A *rota*" in page
    assert "5 days late" in page
    assert "Due today" in page
    assert "Unassigned" in page
    assert page.index("Reviews wait overnight") < page.index("Due now")
    overdue = text(sign_in(MANAGER), "/programs/tickets/?state=overdue")
    assert late.title in overdue
    assert "Due now" not in overdue


LISTS: Sequence[tuple[str, set[str]]] = [
    ("", {"tooling", "process"}),
    ("state=done", {"finished"}),
    ("state=all", {"tooling", "process", "finished"}),
    ("kind=tooling", {"tooling"}),
    ("nature=opportunity", {"process"}),
    ("q=slow+build", {"tooling"}),
    ("q=hedy", {"process"}),
    ("metric=ci.duration", {"tooling"}),
    ("q=nothing", set()),
    ("unit=engineering", {"tooling", "process"}),
]


def test_lists_are_narrowed(sign_in: SignIn, subtests: pytest.Subtests) -> None:
    ticket(title="the tooling one", kind="tooling", resolution="slow build", metric="ci.duration")
    ticket(title="the process one", nature="opportunity", owner="hedy@example.com")
    move_ticket(as_(MANAGER), ticket(title="the finished one"), TicketState.DONE)
    client = sign_in(EXECUTIVE)
    for address, shown in LISTS:
        with subtests.test(address=address):
            page = text(client, f"/programs/tickets/?{address}")
            assert {word for word in ("tooling", "process", "finished") if f"the {word} one" in page} == shown


def test_a_unit_lists_what_its_people_own_elsewhere(sign_in: SignIn) -> None:
    ticket(EXECUTIVE, title="Lent to Ada", unit="search")
    ticket(EXECUTIVE, title="Of Search alone", unit="search", owner="grace@example.com")
    page = text(sign_in(EXECUTIVE), "/programs/tickets/?unit=platform")
    assert "Lent to Ada" in page
    assert "Of Search alone" not in page


@pytest.mark.parametrize(
    "wrong", ["state=gone", "kind=weather", "sort=luck", "view=pie", "month=soon", "objective=x", "due=x"]
)
def test_what_an_address_cannot_mean_is_named(sign_in: SignIn, wrong: str) -> None:
    view = "&view=calendar" if wrong.startswith("month") else ""
    answer = sign_in(EXECUTIVE).get(f"/programs/tickets/?{wrong}{view}")
    assert answer.status_code == 400
    assert wrong.partition("=")[0] in answer.content.decode()


def test_the_board_and_the_calendar_show_the_same_tickets(sign_in: SignIn) -> None:
    first = ticket(title="To begin", due_on=local_today())
    move_ticket(as_(MANAGER), ticket(title="Was done", due_on=local_today()), TicketState.DONE)
    client = sign_in(MANAGER)
    board = text(client, "/programs/tickets/?view=board")
    month = text(client, "/programs/tickets/?view=calendar")
    for title in ("To begin", "Was done"):
        assert title in board
        assert title in month
    assert "to In progress" in board
    others = text(sign_in(EXECUTIVE), "/programs/tickets/?view=board&unit=platform")
    assert "to In progress" in others
    assert "to In progress" not in text(sign_in(Persona("hedy")), "/programs/tickets/?view=board"), "may not move it"
    back = "/programs/tickets/?view=board"
    moved = client.post(reverse("ticket_move", args=[first.pk]), {"state": "in_progress", "back": back})
    assert (moved.status_code, moved["Location"]) == (302, back)
    elsewhere = client.post(
        reverse("ticket_move", args=[first.pk]), {"state": "open", "back": "https://evil.example.com/"}
    )
    assert elsewhere["Location"] == reverse("ticket", args=[first.pk])


def test_impossible_moves_are_explained_on_the_page(sign_in: SignIn) -> None:
    written, client = ticket(), sign_in(MANAGER)
    for form, message in (
        ({"state": "dropped"}, "Give a reason for dropping"),
        ({"state": "melted"}, "A ticket is one of"),
        ({"state": "done", "completed_on": "tomorrow"}, "is not a day such as"),
        ({"state": "done", "completed_on": str(local_today() + timedelta(days=1))}, "is in the future"),
    ):
        answer = client.post(reverse("ticket_move", args=[written.pk]), form)
        assert answer.status_code == 400
        assert message in answer.content.decode()
    assert Ticket.objects.get().state == "open"
    assert sign_in(OTHER_MEMBER).get(reverse("ticket", args=[written.pk])).status_code == 404


def form_of(**fields: object) -> dict[str, object]:
    usual = {
        "title": "PRs miss their work item", "nature": "challenge", "resolution": "Label it.", "kind": "process",
        "unit": "platform", "owner": "ada@example.com", "starts_on": str(local_today()), "due_on": str(local_today()),
        "metric": "", "objective": "", "version": "1",
    }  # fmt: skip
    return {**usual, **fields}


def test_a_ticket_is_filed_and_changed_by_form(sign_in: SignIn) -> None:
    client = sign_in(MANAGER)
    assert 'value="platform" selected' in text(client, "/programs/tickets/new/?unit=platform&metric=ci.duration")
    filed = client.post(reverse("ticket_new"), form_of())
    written = Ticket.objects.get()
    assert filed["Location"] == reverse("ticket", args=[written.pk])
    page = plain(text(client, filed["Location"]))
    assert "PRs miss their work item" in page
    assert "Created" in page
    refused = client.post(reverse("ticket_new"), form_of(due_on=str(day_before(1))))
    assert refused.status_code == 400
    assert "cannot be due before" in refused.content.decode()
    assert 'value="PRs miss their work item"' in refused.content.decode(), "what was written stays"
    edited = client.post(reverse("ticket_edit", args=[written.pk]), form_of(title="PRs lack an item"))
    assert edited.status_code == 302
    history = plain(text(client, reverse("ticket", args=[written.pk])))
    assert "Opportunity or challenge PRs miss their work item → PRs lack an item" in history


def test_the_second_edit_sees_both_texts_and_can_be_saved(sign_in: SignIn) -> None:
    written, client = ticket(), sign_in(MANAGER)
    change_ticket(as_(MEMBER), written, draft(resolution="Ask the author."), of_version=1)
    edit = reverse("ticket_edit", args=[written.pk])
    answer = client.post(edit, form_of(resolution="Block the merge."))
    assert answer.status_code == 409
    page = answer.content.decode()
    assert "Ask the author." in page
    assert page.count("Block the merge.") >= 2, "beside the other text, and in the form"
    assert Ticket.objects.get().resolution == "Ask the author."
    assert 'name="version" value="2"' in page
    assert client.post(edit, form_of(resolution="Block the merge.", version="2")).status_code == 302
    assert Ticket.objects.get().resolution == "Block the merge."


def test_what_is_written_never_runs(sign_in: SignIn) -> None:
    hostile = "<script>alert(1)</script> [x](javascript:alert(1)) <img src=x onerror=alert(1)>"
    written = ticket(title=hostile[:200], resolution=hostile)
    comment_on(as_(MEMBER), written, hostile)
    client = sign_in(MANAGER)
    for address in (reverse("ticket", args=[written.pk]), "/programs/tickets/", "/programs/tickets/?view=board"):
        page = text(client, address)
        assert "<script>alert" not in page
        assert "<img src=x" not in page
        assert 'href="javascript' not in page


def test_an_author_without_an_account_any_more_is_named_as_such(sign_in: SignIn) -> None:
    written, member = ticket(), as_(MEMBER)
    comment_on(member, written, "Still worth reading")
    address = reverse("ticket", args=[written.pk])
    client = sign_in(EXECUTIVE)
    assert "<b>Deleted account</b>" not in text(client, address)
    User.objects.get(pk=account_of(member).pk).delete()
    assert "<b>Deleted account</b>" in text(client, address)


def test_csv_neutralises_formulas_and_keeps_every_ticket(sign_in: SignIn) -> None:
    ticket(title="=1+1")
    ticket(title="Übergabe 🚀")
    content = sign_in(MANAGER).get(reverse("tickets_csv")).getvalue().decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(content)))
    assert {row["Opportunity or challenge"] for row in rows} == {"'=1+1", "Übergabe 🚀"}
    assert {row["Owner"] for row in rows} == {"ada@example.com"}


def test_before_and_after_are_shown_to_those_who_may_see_the_figures(sign_in: SignIn) -> None:
    written = ticket(EXECUTIVE, unit="search", metric="pr.review_time", starts_on=day_before(60))
    done = move_ticket(as_(EXECUTIVE), written, TicketState.DONE, completed_on=day_before(40))
    TicketEffect.objects.create(
        ticket=done, of_version=done.version, metric_version=1, before=72_000, after=36_000,
        sample_before=20, sample_after=22, people_before=9, people_after=9, weeks_after=4,
    )  # fmt: skip
    page = plain(text(sign_in(EXECUTIVE), reverse("ticket", args=[done.pk])))
    assert "20.0 h" in page
    assert "10.0 h" in page
    assert "Not clear yet" in page, "without an interval"
    assert "10.0 h" not in plain(text(sign_in(MEMBER), reverse("ticket", args=[done.pk]))), "hers, of another unit"


def test_two_thousand_tickets_take_no_more_queries(sign_in: SignIn) -> None:
    units, people = list(Unit.objects.all()), list(Person.objects.all())
    Ticket.objects.bulk_create(
        Ticket(
            title=f"Ticket {number}", kind="process", unit=units[number % len(units)], starts_on=local_today(),
            owner=people[number % len(people)], due_on=local_today() + timedelta(days=number % 90),
        )
        for number in range(2_000)
    )  # fmt: skip
    client = sign_in(EXECUTIVE)
    for address in ("", "?view=board", "?view=calendar", "?state=all&sort=-owner"):
        client.get(f"/programs/tickets/{address}")
        with CaptureQueriesContext(connection) as queries:
            page = text(client, f"/programs/tickets/{address}")
        assert len(queries) <= MOST_QUERIES, chr(10).join(
            str(query["sql"])[:150].replace(chr(10), " ") for query in queries.captured_queries
        )
        assert "Ticket " in page


def test_no_day_of_the_calendar_is_empty_because_others_are_full(sign_in: SignIn) -> None:
    first = local_today().replace(day=1)
    Ticket.objects.bulk_create(
        Ticket(title=f"Ticket {number}", kind="process", starts_on=first, due_on=first + timedelta(days=number % 28))
        for number in range(2_800)
    )
    done = ownerless(EXECUTIVE, unit="", title="Done already", starts_on=first, due_on=first)
    move_ticket(as_(EXECUTIVE), done, TicketState.DONE)
    client = sign_in(EXECUTIVE)
    calendar = client.get("/programs/tickets/?view=calendar").context["rows"]
    days = [day for week in calendar for day in week if day.in_month and day.tickets]
    assert [(len(day.tickets), day.more) for day in days] == [(5, 96), *[(5, 95)] * 27]
    assert "Done already" not in [line.ticket.title for line in days[0].tickets], "what is to do stands first"
    listed = client.get(days[0].more_url)
    assert listed.context["total"] == "101"
    assert f"Due {wording.day(first)}" in plain(listed.content.decode())


def test_one_ticket_takes_few_queries(sign_in: SignIn) -> None:
    written = ticket(metric="ci.duration")
    for number in range(12):
        comment_on(as_(MEMBER), written, f"Comment {number}")
        change_ticket(as_(MANAGER), written, draft(resolution=f"Text {number}"), of_version=number + 1)
    client = sign_in(MANAGER)
    client.get(reverse("ticket", args=[written.pk]))
    with CaptureQueriesContext(connection) as queries:
        text(client, reverse("ticket", args=[written.pk]))
    assert len(queries) <= MOST_QUERIES, chr(10).join(
        str(query["sql"])[:150].replace(chr(10), " ") for query in queries.captured_queries
    )


def test_a_metric_leads_to_a_ticket_for_whoever_may_file_one(sign_in: SignIn) -> None:
    address = "/insights/metrics/pr.review_time/?unit=platform"
    link = f"{reverse('ticket_new')}?metric=pr.review_time&amp;unit=platform"
    assert link in text(sign_in(MANAGER), address)
    assert "Create ticket" not in text(sign_in(MEMBER), address)
    form = text(sign_in(MANAGER), link.replace("&amp;", "&"))
    assert 'value="pr.review_time" selected' in form
    assert 'value="platform" selected' in form
