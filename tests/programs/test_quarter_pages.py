"""Closing a quarter, and the page of one that is closed."""

from __future__ import annotations

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from orgtree.models import Unit
from programs.closing.services.closing import close_quarter
from programs.models import Objective, Quarter
from programs.objectives.services.check_ins import check_in
from programs.quarters.fiscal_quarters import current_quarter, following, preceding
from tests.org import Org
from tests.pages.recomputed import plain
from tests.personas import AUDITOR, EXECUTIVE, MANAGER, MEMBER, OTHER_MEMBER, Persona, signed_in
from tests.programs.objective_pages import LIST, MOST_QUERIES, SignIn, executed_sql, fill, text
from tests.programs.objectives import objective, stored
from tests.programs.tickets import as_
from tests.teams import create_teams


@pytest.fixture
def sign_in(org: Org) -> SignIn:
    create_teams()
    return signed_in


def test_a_quarter_is_closed_and_stays_as_it_was(sign_in: SignIn) -> None:
    before = preceding(current_quarter())
    quarter = current_quarter()
    new_objective = objective(title="Reviews no longer wait")
    result = new_objective.key_results.get()
    check_in(as_(MANAGER), stored(new_objective), confidence="high", note="Done.", key_result=result.pk, value=3.6)
    client = sign_in(EXECUTIVE)
    address = reverse("quarter_close", args=[quarter.start])
    page = plain(text(client, address))
    assert "Reviews no longer wait" in page
    assert "undecided" in page
    form = {
        f"decision-{new_objective.pk}": "carry", f"retrospective-{new_objective.pk}": "Rotas **work**.",
        "retrospective": "A *good* quarter.",
    }  # fmt: skip
    refused = client.post(address, form)
    assert refused.status_code == 400, "it is not over, and no reason was given"
    assert "Rotas **work**." in refused.content.decode(), "what was written stays"
    closed = client.post(address, {**form, "forced_because": "The year ends early."})
    assert closed.status_code == 302, plain(closed.content.decode())[:2000]
    frozen_url = reverse("quarter", args=[quarter.start])
    assert closed["Location"] == frozen_url
    assert "The document is final" in text(client, frozen_url)
    frozen = text(client, frozen_url)
    words = plain(frozen)
    for expected in ("Reviews no longer wait", "0.60", "Carried over", "The year ends early.", "SHA-256", "Search"):
        assert expected in words
    assert "<strong>work</strong>" in frozen
    assert "<em>good</em>" in frozen
    Unit.objects.filter(slug="platform").update(name="Renamed since")
    with connection.cursor() as cursor:  # as a changed formula or a repair would
        cursor.execute("UPDATE programs_keyresultmeasure SET value = 99")
    assert _figures(text(client, frozen_url)) == _figures(frozen), "whatever happens to units and figures"
    assert client.get(address).status_code == 302
    assert client.post(address, form)["Location"] == frozen_url, "closed twice"
    assert client.get(reverse("objective_edit", args=[new_objective.pk])).status_code == 403
    assert (
        "Check in" not in plain(text(client, reverse("objective", args=[new_objective.pk]))).split("Check-ins")[-1][:40]
    )
    carried = Objective.objects.get(quarter=following(quarter))
    assert carried.published_at is None
    assert "Carried over from" in text(sign_in(MANAGER), reverse("objective", args=[carried.pk]))
    opened = client.get(reverse("quarter", args=[before.start]))
    assert opened["Location"] == f"{LIST}?quarter={before.start}", "one that is open leads to its list"
    member = plain(text(sign_in(OTHER_MEMBER), frozen_url))
    assert "Reviews no longer wait" not in member, "of another unit"


def _figures(page: str) -> str:
    """The page without what differs from request to request."""
    return plain(page.partition("<main")[2])


@pytest.mark.parametrize("start", ["1999-01-01", "soon", "2026-13-45"])
def test_an_unknown_quarter_is_not_found(sign_in: SignIn, start: str) -> None:
    for name in ("quarter", "quarter_close"):
        assert sign_in(EXECUTIVE).get(reverse(name, args=[start])).status_code == 404


def test_what_serves_an_objective_unseen_does_not_name_it_when_it_is_closed_either(sign_in: SignIn) -> None:
    above = objective(EXECUTIVE, title="A secret draft", unit="engineering", publish=False)
    objective(EXECUTIVE, title="Platform's part", parent=above.pk)
    quarter = current_quarter()
    close_quarter(as_(EXECUTIVE), quarter, forced_because="The year ends early.")
    address = reverse("quarter", args=[quarter.start])
    assert "A secret draft" in text(sign_in(EXECUTIVE), address)
    page = plain(text(sign_in(MEMBER), address))
    assert "Platform's part" in page
    assert "A secret draft" not in page


def test_a_quarter_that_has_not_started_is_not_closed(sign_in: SignIn) -> None:
    quarter = following(current_quarter())
    client = sign_in(EXECUTIVE)
    answer = client.post(reverse("quarter_close", args=[quarter.start]), {"forced_because": "Why not."})
    assert answer["Location"] == f"{LIST}?quarter={quarter.start}"
    assert "has not started" in plain(text(client, answer["Location"]))
    quarter.refresh_from_db()
    assert not quarter.is_closed


def test_what_becomes_of_many_objectives_is_decided_page_by_page(sign_in: SignIn) -> None:
    """A browser sends two fields for each: all at once would be more than Django takes."""
    fill(60)
    quarter = current_quarter()
    address, client = reverse("quarter_close", args=[quarter.start]), sign_in(EXECUTIVE)
    shown = [re.findall(r'name="retrospective-(\d+)"', text(client, f"{address}?page={page}")) for page in (1, 2, 3)]
    assert [len(page) for page in shown] == [25, 25, 10]
    first, last = shown[0][0], shown[2][0]
    response = client.post(
        address, {f"decision-{first}": "carry", f"retrospective-{first}": "Kept.", "keep": "1", "next_page": "2"}
    )
    assert response["Location"] == f"{address}?page=2"
    assert not Quarter.objects.get(pk=quarter.pk).is_closed
    page = text(client, address)
    assert "Kept." in page
    assert "59 undecided" in plain(page)
    wrong = client.post(address, {"decision-4711": "carry", "keep": "1", "retrospective": "Not lost."})
    assert wrong.status_code == 400
    assert "Not lost." in wrong.content.decode()
    form = {f"decision-{last}": "carry", "forced_because": "The year ends early.", "retrospective": "Enough."}
    assert client.post(f"{address}?page=3", form).status_code == 302
    assert Objective.objects.filter(quarter=quarter, carry_over="carry").count() == 2, "of the first page, and the last"
    frozen_url = reverse("quarter", args=[quarter.start])
    assert "1–25 of 60" in plain(text(client, frozen_url))
    assert text(client, f"{frozen_url}?all=1").count("hw-frozen-one") == 60


def test_drafts_follow_on_the_last_pages_and_none_is_out_of_reach(sign_in: SignIn) -> None:
    quarter = current_quarter()
    objective(title="Published")
    Objective.objects.bulk_create(Objective(quarter=quarter, title=f"Draft {number:03}") for number in range(130))
    address, client = reverse("quarter_close", args=[quarter.start]), sign_in(EXECUTIVE)
    shown: list[str] = []
    for page in range(1, 7):
        page_text = text(client, f"{address}?page={page}")
        assert page_text.count("<fieldset") <= 25
        shown += re.findall(r">(Draft \d+)<", page_text)
    assert shown == [f"Draft {number:03}" for number in range(130)]
    last = Objective.objects.get(title="Draft 129")
    form = {f"decision-{last.pk}": "carry", "forced_because": "The year ends early."}
    assert client.post(f"{address}?page=6", form).status_code == 302
    assert Objective.objects.get(quarter=following(quarter)).title == "Draft 129"
    assert client.get(f"{address}?page=none").status_code == 302, "it is closed"
    assert client.get(f"{reverse('quarter', args=[quarter.start])}?page=none").status_code == 400


def test_the_preview_of_many_takes_few_queries(sign_in: SignIn) -> None:
    fill(500)
    client = sign_in(EXECUTIVE)
    address = reverse("quarter_close", args=[current_quarter().start])
    client.get(address)
    with CaptureQueriesContext(connection) as queries:
        text(client, f"{address}?page=3")
    assert len(queries) <= MOST_QUERIES, executed_sql(queries)


def test_its_owner_decides_what_becomes_of_an_objective(sign_in: SignIn) -> None:
    new_objective = objective(owner=MEMBER.email)
    address = reverse("objective_decide", args=[new_objective.pk])
    form = {"carry_over": "carry", "retrospective": "Rotas *work*."}
    assert sign_in(AUDITOR).post(address, form).status_code == 404
    assert sign_in(Persona("hedy")).post(address, form).status_code == 403
    assert sign_in(MEMBER).post(address, {"carry_over": "burn"}).status_code == 400
    assert sign_in(MEMBER).post(address, form).status_code == 302
    page = text(sign_in(MANAGER), reverse("objective", args=[new_objective.pk]))
    assert "<em>work</em>" in page
    assert 'value="carry" checked' in text(
        sign_in(EXECUTIVE), reverse("quarter_close", args=[new_objective.quarter.start])
    )
