"""Records of the program in Django admin: lists to search, with filters and history, and nothing to change."""

from __future__ import annotations

import html

import pytest
from django.contrib.auth.models import User
from django.test import Client

from core.authorship import changes_by
from programs.models import Objective, Ticket
from tests.org import Org
from tests.programs.agreements import agree
from tests.programs.objectives import objective
from tests.programs.tickets import ticket
from tests.teams import create_teams

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def teams(org: Org) -> None:
    create_teams()


LISTS = ("objective", "ticket", "benchmarkversion", "review", "qbr")


def text_of(client: Client, path: str) -> str:
    answer = client.get(path, follow=True)
    assert answer.status_code == 200, path
    return html.unescape(answer.content.decode())


def test_the_lists_can_be_searched_and_filtered_and_not_written(admin: Client) -> None:
    agree(metric="dora.lead_time")
    objective(title="Reviews within a day")
    ticket(title="Ask for smaller changes")
    for model in LISTS:
        page = text_of(admin, f"/admin/programs/{model}/")
        assert 'id="searchbar"' in page, model
        assert 'id="changelist-filter"' in page, model
        assert admin.get(f"/admin/programs/{model}/add/").status_code == 403
    assert "Reviews within a day" in text_of(admin, "/admin/programs/objective/?q=reviews")
    assert "Reviews within a day" not in text_of(admin, "/admin/programs/objective/?q=elsewhere")
    assert "dora.lead_time" in text_of(admin, "/admin/programs/benchmarkversion/?q=lead_time")


def test_the_history_says_who_changed_what(admin: Client) -> None:
    written = ticket(title="Ask for smaller changes")
    with changes_by(User.objects.get(is_superuser=True)):
        Ticket.objects.filter(pk=written.pk).update(title="Ask for small changes", state="dropped", dropped_why="Moot.")
    page = text_of(admin, f"/admin/programs/ticket/{written.pk}/change/")
    assert "changed opportunity or challenge, state, dropped why" in page
    assert "Ask for smaller changes" not in page
    assert admin.post(f"/admin/programs/ticket/{written.pk}/change/", {"title": "Mine"}).status_code == 403
    history = admin.get(f"/admin/programs/ticket/{written.pk}/history/")
    assert history["Location"] == f"/admin/programs/ticket/{written.pk}/change/"
    assert f'href="/programs/tickets/{written.pk}/"' in page


def test_the_index_groups_models_by_what_an_admin_does(admin: Client) -> None:
    page = text_of(admin, "/admin/")
    for group in ("Connections and data", "People and Org Trees", "Access", "Prices and seats", "Program", "Schedule"):
        assert f">{group}" in page.replace("\n", "").replace("  ", ""), group
    for name in ("Matching rules", "Business reviews", "Action tickets", "Benchmarks", "Roles", "Event mappings"):
        assert name in page, name
    for name in ("Placing rules", "Unread events", "Owned things", "Meanings", ">More<"):
        assert name not in page, name


def test_dates_have_one_form(admin: Client) -> None:
    made = objective(title="Reviews within a day")
    Objective.objects.filter(pk=made.pk).update(dropped_at="2026-07-07T10:05:00Z", dropped_why="Merged.")
    assert "7 Jul 2026, 10:05" in text_of(admin, "/admin/programs/objective/")
