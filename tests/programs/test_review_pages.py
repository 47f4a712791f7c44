"""Monthly reviews on their pages and through the API."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from insights.query.windows import local_today
from orgtree.models import Unit
from programs.models import Review, ReviewPoint, Ticket
from programs.reviews.pages.labels import seal_of
from programs.reviews.services.writing import add_point, prepare_review
from tests.org import Org
from tests.pages.delivering import day_before
from tests.personas import EXECUTIVE, MANAGER, MEMBER, OTHER_MEMBER, signed_in
from tests.programs.api_pages import MOST_QUERIES, got, sent
from tests.programs.tickets import as_, ticket
from tests.teams import create_teams

pytestmark = pytest.mark.django_db


@pytest.fixture
def manager(org: Org) -> Client:
    create_teams()
    return signed_in(MANAGER)


def prepared() -> Review:
    return prepare_review(as_(MANAGER), Unit.objects.get(slug="platform"), local_today().replace(day=1))


def texts(point: ReviewPoint, notes: str, decision: str = "") -> dict[str, str]:
    """As the form sends them, which was read with the point as it is here."""
    return {
        **{f"notes-{point.pk}": notes, f"decision-{point.pk}": decision, f"version-{point.pk}": str(point.version)},
        f"seal-{point.pk}": seal_of(point.notes, point.decision),
    }


def page(client: Client, review: Review, status: int = 200) -> str:
    answer = client.get(reverse("review", args=[review.pk]))
    assert answer.status_code == status
    return answer.content.decode()


def test_a_manager_goes_from_the_agenda_to_a_signed_review_with_a_ticket(manager: Client) -> None:
    late = ticket(starts_on=day_before(40), due_on=day_before(10))
    month = (local_today().replace(day=1) - timedelta(days=1)).replace(day=1)
    listed = manager.get(reverse("reviews")).content.decode()
    assert "Prepare the review of Platform" in listed
    answer = manager.post(reverse("review_prepare"), {"unit": "platform", "month": month.isoformat()}, follow=True)
    review = Review.objects.get()
    add_point(as_(MANAGER), review, "Reviews wait overnight")
    point = review.points.get(title="Reviews wait overnight")
    said = texts(point, "Three waited **two days**.", "A rota from Monday.")
    ticket_fields = {
        **{"ticket": str(point.pk), f"ticket-title-{point.pk}": point.title, f"ticket-kind-{point.pk}": "process"},
        f"ticket-due-{point.pk}": str(day_before(-14)),
    }
    save = reverse("review_save", args=[review.pk])
    refused = manager.post(save, {**said, **ticket_fields})
    assert refused.status_code == 400
    assert "needs an owner" in refused.content.decode()
    assert "A rota from Monday." in refused.content.decode(), "what was written is saved"
    point.refresh_from_db()
    owned = {
        **texts(point, point.notes, point.decision),
        **ticket_fields,
        f"ticket-owner-{point.pk}": "ada@example.com",
    }
    answer = manager.post(save, owned, follow=True)
    made = Ticket.objects.exclude(pk=late.pk).get()
    assert (made.title, made.resolution) == ("Reviews wait overnight", "A rota from Monday."), "the challenge stays"
    assert reverse("ticket", args=[made.pk]) in answer.content.decode()
    sign = reverse("review_sign", args=[review.pk])
    assert b"record who came before you sign" in manager.get(sign).content
    refused = manager.post(sign)
    assert refused.status_code == 400
    assert b"Record who attended" in refused.content
    to_sign = manager.post(save, {"attendance": "1", "attendee": "ada@example.com", "then": "sign"})
    assert to_sign.headers["Location"] == sign
    manager.post(sign)
    shown = page(signed_in(MEMBER), review)
    assert "<strong>two days</strong>" in shown
    assert "A rota from Monday." in shown
    assert "<textarea" not in shown
    assert "Signed by" in shown


def test_an_open_review_is_not_there_for_members(manager: Client) -> None:
    review = prepared()
    review.attendance.all().delete()
    address = reverse("review", args=[review.pk])
    assert address in manager.get(reverse("reviews")).content.decode()
    for persona in (MEMBER, OTHER_MEMBER):
        page(signed_in(persona), review, status=404)
        assert address not in signed_in(persona).get(reverse("reviews")).content.decode()


def test_two_writers_of_one_point_both_see_their_words(manager: Client) -> None:
    review = prepared()
    point = add_point(as_(MANAGER), review, "Build times")
    other = add_point(as_(MANAGER), review, "Flaky tests")
    url = reverse("review_save", args=[review.pk])
    manager.post(url, texts(point, "The first text"))
    answer = signed_in(EXECUTIVE).post(url, {**texts(point, "The second text"), **texts(other, "Of another point")})
    assert answer.status_code == 409
    other.refresh_from_db()
    assert other.notes == "Of another point", "what nobody else wrote is saved"
    shown = answer.content.decode()
    assert "The first text" in shown
    assert "The second text" in shown
    point.refresh_from_db()
    again = signed_in(EXECUTIVE).post(url, texts(point, "Both texts"))
    assert again.status_code == 302
    assert ReviewPoint.objects.get(pk=point.pk).notes == "Both texts"


def test_who_did_not_touch_a_point_is_in_nobodys_way(manager: Client) -> None:
    """The form sends every text of the page; only those that it changed are written."""
    review = prepared()
    mine, theirs = (add_point(as_(MANAGER), review, title) for title in ("Mine", "Theirs"))
    url = reverse("review_save", args=[review.pk])
    form = {**texts(mine, "I write here"), **texts(theirs, "")}
    signed_in(EXECUTIVE).post(url, texts(theirs, "They wrote here"))
    assert manager.post(url, form).status_code == 302
    assert [point.notes for point in review.points.filter(kind="other")] == ["I write here", "They wrote here"]


def test_the_dora_strip_stands_above_the_agenda(manager: Client) -> None:
    shown = page(manager, prepared())
    strip = shown[shown.index('class="hw-dora"') : shown.index('class="hw-grid hw-review"')]
    assert strip.count("<dt>") == 5


def test_what_is_written_never_runs(manager: Client) -> None:
    review = prepared()
    add_point(as_(MANAGER), review, "<script>alert(1)</script>")
    assert "<script>alert(1)" not in page(manager, review)


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"unit": "nowhere", "month": "2026-10-01"}, 404),
        ({"unit": "platform", "month": "October"}, 302),
        ({"unit": "platform", "month": "2999-01-01"}, 302),
        ({"unit": "search", "month": "2026-10-01"}, 404),
    ],
)
def test_what_cannot_be_prepared_changes_nothing(manager: Client, fields: dict[str, str], status: int) -> None:
    assert manager.post(reverse("review_prepare"), fields).status_code == status
    assert not Review.objects.exists()


def test_the_list_and_the_page_take_few_queries_however_long_they_are(manager: Client) -> None:
    platform = Unit.objects.get(slug="platform")
    month = local_today().replace(day=1)
    for _ in range(40):
        month = (month - timedelta(days=1)).replace(day=1)
        Review.objects.create(unit=platform, month=month, agenda_until=month)
    review = prepared()
    for number in range(30):
        add_point(as_(MANAGER), review, f"Point {number}")
    of_dora = 9  # figures and benchmarks above the agenda
    for address, most in (
        (reverse("reviews"), MOST_QUERIES),
        (reverse("review", args=[review.pk]), MOST_QUERIES + of_dora),
    ):
        manager.get(address)
        with CaptureQueriesContext(connection) as queries:
            manager.get(address)
        assert len(queries) <= most, (address, [str(query["sql"])[:90] for query in queries.captured_queries])


def test_a_program_does_what_the_pages_do(manager: Client) -> None:
    api = "/api/v1/reviews/"
    month = local_today().replace(day=1).isoformat()
    review = sent(manager, "POST", api, {"unit": "platform", "month": month}, 201)
    here = f"{api}{review['id']}/"
    review = sent(manager, "POST", f"{here}points/", {"title": "Build times"})
    point = review["points"][-1]
    there = f"{here}points/{point['id']}/"
    sent(manager, "PATCH", there, {"decision": "Cache builds", "version": 1})
    conflict = sent(manager, "PATCH", there, {"decision": "Do not", "version": 1}, 409)
    assert conflict["stored"]["points"][-1]["decision"] == "Cache builds"
    fields = {"title": "Cache builds", "kind": "tooling", "due_on": str(day_before(-14)), "owner": "ada@example.com"}
    assert sent(manager, "POST", f"{there}tickets/", fields)["points"][-1]["tickets"]
    sent(manager, "PATCH", here, {"summary": "Builds first.", "version": 1})
    sent(manager, "PUT", f"{here}attendance/", {"attended": ["ada@example.com"]})
    assert sent(manager, "POST", f"{here}sign/", {})["signed_at"]
    assert got(manager, api, state="signed", unit="engineering")["total"] == 1
    assert got(manager, api, state="open")["total"] == 0
    assert "state" in str(got(manager, api, 400, state="half"))


@pytest.mark.parametrize(
    ("fields", "named"),
    [({"unit": "platform"}, "month"), ({"unit": "nowhere", "month": "2026-10-01"}, "unit"), ({"units": "x"}, "units")],
)
def test_a_wrong_field_is_named(manager: Client, fields: dict[str, str], named: str) -> None:
    assert named in str(sent(manager, "POST", "/api/v1/reviews/", fields, 400))
