"""Working agreements as managers edit them: inheritance, days, conflicts, and the preview of their effect."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
import time_machine
from django.test import Client

from integrations.delivery.agreements.agree import agree
from integrations.delivery.agreements.apply import apply_agreements
from integrations.delivery.recompute import recompute_waiting_pull_requests
from integrations.models import AppliedAgreement, FactChange, PullRequestFigures, PullRequestWork, WorkingAgreement
from orgtree.models import Unit
from tests.org import Org
from tests.personas import EXECUTIVE, MANAGER, MEMBER, OTHER_MEMBER, signed_in
from tests.programs.reminders import open_accounts
from tests.teams import OTHERS_IN_PLATFORM, Teams, create_teams

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 16, 12, tzinfo=UTC)  # a Monday
LIST, CHANGE = "/programs/agreements/", "/programs/agreements/platform/"
IN_PLATFORM = ("ada", *OTHERS_IN_PLATFORM)
EMPTY = dict.fromkeys(
    (
        *("most_lines", "size_thresholds", "review_hours", "needs_work_item", "ignored_labels", "hotfix_branches"),
        *("hotfix_labels", "link_window_hours", "rollout_gap_minutes", "trunk", "sprint_grace_days"),
        *("work_starts_at", "work_ends_at", "time_zone"),
    ),
    "",
)


@pytest.fixture(autouse=True)
def teams() -> Iterator[Teams]:
    with time_machine.travel(NOW, tick=False):
        teams = create_teams()
        open_accounts()
        yield teams


@pytest.fixture
def shop(org: Org) -> None:
    """acme/shop of Platform: in August each of six people merged one of 100, 200 … 600 lines, reviewed after 1 … 6
    hours; the last carries the label `bulk`, the first names an item."""
    org.push(
        "work-items",
        {
            **{"id": "SHOP-1", "project": "SHOP", "title": "Basket", "type": "feature", "status_category": "done"},
            "created_at": "2026-08-01T09:00:00Z",
        },
    )
    reviewers = (*IN_PLATFORM[1:], IN_PLATFORM[0])
    org.push(
        "pull-requests",
        *(
            {
                **{"id": f"shop#{n}", "repository": "acme/shop", "number": n, "state": "merged"},
                "author": f"{person}@example.com",
                "created_at": f"2026-08-1{n}T08:00:00Z",
                "merged_at": f"2026-08-1{n}T18:00:00Z",
                **{"additions": 100 * n, "deletions": 0, "labels": ["bulk"] if n == 6 else []},
                "work_items": ["SHOP-1"] if n == 1 else [],
                "reviews": [
                    {
                        "author": f"{reviewers[n - 1]}@example.com",
                        "state": "approved",
                        "submitted_at": f"2026-08-1{n}T{8 + n:02}:00:00Z",
                    }
                ],
            }
            for n, person in enumerate(IN_PLATFORM, start=1)
        ),
    )
    org.own("acme/shop", "platform")
    apply()


def apply() -> None:
    """What the worker does after a change."""
    apply_agreements()
    recompute_waiting_pull_requests()


def fields(**given: Any) -> dict[str, Any]:
    return {**EMPTY, "first_day": "2026-07-01", "version": "0", **given}


def text(client: Client, path: str, **params: str) -> str:
    response = client.get(path, params)
    assert response.status_code == 200, response.content[:500]
    return " ".join(response.content.decode().split())


def preview(client: Client, **given: Any) -> str:
    response = client.post(CHANGE, {**fields(**given), "preview": "1"})
    return " ".join(response.content.decode().split())


def csv(client: Client) -> str:
    answer: Any = client.get("/programs/agreements.csv")
    return b"".join(answer.streaming_content).decode()


def figure(key: str) -> float | None:
    answer = signed_in(EXECUTIVE).get(f"/api/v1/metrics/{key}/series/?unit=platform&from=2026-07-01&to=2026-10-01")
    value: float | None = answer.json()["total"][0]["value"]
    return value


def everything() -> list[Any]:
    """What a preview must leave as it is."""
    return [
        list(WorkingAgreement.objects.values()),
        list(PullRequestFigures.objects.order_by("pk").values()),
        list(AppliedAgreement.objects.order_by("pk").values()),
        FactChange.objects.count(),
        PullRequestWork.objects.count(),
    ]


@pytest.mark.usefixtures("shop")
def test_a_preview_shows_from_and_to_and_stores_nothing() -> None:
    manager = signed_in(MANAGER)
    before = everything()
    page = preview(manager, most_lines="300", review_hours="4", needs_work_item="yes")
    assert "Preview: Platform with these terms, in 2026-Q3" in page
    for name, value in (
        ("Larger than agreed", "50.0%"),  # 400, 500 and 600 of six
        ("Reviewed later than agreed", "33.3%"),  # after 5 and 6 hours
        ("Without the agreed work item", "83.3%"),  # all but the first
    ):
        assert f'<th scope="row">{name}</th><td class="num">No data</td><td class="num"><b>{value}</b></td>' in page
    assert "Unchanged: " in page
    assert everything() == before


@pytest.mark.usefixtures("shop")
def test_the_preview_is_what_the_agreement_then_makes_of_the_quarter(teams: Teams) -> None:
    """The same pull requests without the label, S up to 100 lines, and after the real change."""
    manager = signed_in(MANAGER)
    given = {"most_lines": "300", "ignored_labels": "bulk, huge", "size_thresholds": "100, 200, 300"}
    page = preview(manager, **given)
    assert (
        '<th scope="row">Larger than agreed</th><td class="num">No data</td><td class="num"><b>40.0%</b></td>' in page
    )
    assert figure("pr.throughput") == 6
    assert manager.post(CHANGE, fields(**given)).status_code == 302
    apply()
    assert figure("pr.throughput") == 5
    assert figure("pr.oversized_rate") == 40
    assert figure("pr.late_review_rate") is None
    assert [*PullRequestFigures.objects.order_by("pk").values_list("size_class", "exclusion_reason")][:3] == [
        ("S", ""),
        ("M", ""),
        ("L", ""),
    ]
    page = preview(manager, **given, version=version())
    assert "No figure of this quarter would have been different." in page
    shown = {"unit": "platform", "from": "2026-08-10", "to": "2026-08-17"}
    page = manager.get("/insights/delivery/hygiene/", shown).content.decode()
    assert 'id="chart-breaches"' in page
    drawn = manager.get("/insights/delivery/charts/breaches/", {**shown, "tab": "hygiene"}).json()
    assert [(line["label"], line["data"]) for line in drawn["datasets"]] == [
        ("Larger than agreed", [40.0]),
        ("Late reviews", [None]),
        ("Unlinked", [None]),
    ]


def version() -> str:
    document = signed_in(MANAGER).get("/api/v1/working-agreements/platform/").json()
    return str(document["version"])


def test_a_preview_without_anything_says_so() -> None:
    assert "No figure of this quarter would have been different." in preview(signed_in(MANAGER), most_lines="300")


def test_terms_are_inherited_dated_and_their_history_names_who_changed_them(teams: Teams) -> None:
    agree(teams.engineering, {"most_lines": 400, "hotfix_labels": ["Hotfix"]})
    manager = signed_in(MANAGER)
    page = text(manager, LIST, unit="platform")
    assert "Inherited from Engineering" in page
    assert "400 lines" in page
    given = fields(first_day="2026-11-01", most_lines="200", hotfix_branches="fix/", version=version())
    answer = manager.post(CHANGE, given)
    assert (answer.status_code, answer["Location"]) == (302, "/programs/agreements/?unit=platform")
    page = text(manager, LIST, unit="platform")
    assert "<b>This unit</b>" in page
    assert "Hotfix</td>" not in page, "branches and labels are one rule"
    assert "Edith" in page
    assert "from 1 Nov 2026 on" in page
    assert [(row.during.lower, row.most_lines) for row in WorkingAgreement.objects.filter(unit=teams.platform)] == [
        (date(2026, 11, 1), 200)
    ]
    later = fields(first_day="2026-11-10", most_lines="250", version=version())
    assert manager.post(CHANGE, later).status_code == 302
    stored = WorkingAgreement.objects.filter(unit=teams.platform).order_by("during")
    assert [(row.during.lower, row.during.upper, row.most_lines) for row in stored] == [
        (date(2026, 11, 1), date(2026, 11, 10), 200),
        (date(2026, 11, 10), None, 250),
    ]


def test_two_managers_who_edit_one_agreement_lose_nothing() -> None:
    manager, executive = signed_in(MANAGER), signed_in(EXECUTIVE)
    opened = fields(most_lines="300", review_hours="8", version=version())
    assert executive.post(CHANGE, fields(most_lines="200", version=version())).status_code == 302
    refused = manager.post(CHANGE, opened)
    page = " ".join(refused.content.decode().split())
    assert refused.status_code == 409
    assert "Somebody changed this agreement while you were editing. Your version is not saved" in page
    assert "200" in page, "theirs"
    assert 'value="300"' in page, "one's own"
    assert WorkingAgreement.objects.get().most_lines == 200
    assert manager.post(CHANGE, {**opened, "version": version()}).status_code == 302
    assert WorkingAgreement.objects.get().most_lines == 300


def test_who_may_read_and_write(teams: Teams) -> None:
    agree(teams.engineering, {"most_lines": 400})
    agree(teams.search, {"most_lines": 100})
    member = signed_in(MEMBER)
    assert "Inherited from Engineering" in text(member, LIST, unit="platform"), "members read what applies to them"
    assert "Change the agreement" not in text(member, LIST, unit="platform")
    assert member.get(CHANGE).status_code == 403
    assert member.post(CHANGE, fields(most_lines="1")).status_code == 403
    assert signed_in(MANAGER).get("/programs/agreements/search/").status_code in (403, 404)
    assert "Search" not in csv(signed_in(MANAGER))
    assert signed_in(OTHER_MEMBER).get("/programs/agreements/platform/").status_code == 404
    assert "platform" not in text(signed_in(OTHER_MEMBER), "/api/v1/working-agreements/")
    refused = signed_in(MEMBER).patch(
        "/api/v1/working-agreements/platform/", json.dumps({"version": 0, "trunk": True}), "application/json"
    )
    assert refused.status_code == 403


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"size_thresholds": "300, 200, 100"}, "Give three numbers of lines that grow"),
        ({"size_thresholds": "small"}, "Give three numbers of lines that grow"),
        ({"work_starts_at": "09:00"}, "Give both ends of the working hours"),
        ({"time_zone": "Berlin"}, "Give the name of a time zone"),
        ({"most_lines": "0"}, "greater than or equal to 1"),
        ({"review_hours": "9999"}, "less than or equal to 720"),
        ({"first_day": "soon"}, "Enter a valid date"),
        ({"ignored_labels": "x" * 101}, "no more than 100 characters"),
    ],
)
def test_invalid_terms_are_refused_with_a_sentence(given: dict[str, str], message: str) -> None:
    for more in ({}, {"preview": "1"}):
        answer = signed_in(MANAGER).post(CHANGE, {**fields(**given), **more})
        assert answer.status_code == 400
        assert message in answer.content.decode()
    assert not WorkingAgreement.objects.exists()


def test_the_api_reads_changes_and_lists(teams: Teams) -> None:
    manager = signed_in(MANAGER)
    agree(teams.engineering, {"review_hours": 24})
    address = "/api/v1/working-agreements/platform/"

    def change(**sent: Any) -> Any:
        return manager.patch(address, json.dumps(sent), "application/json")

    document = manager.get(address).json()
    assert (document["unit"], document["version"], document["own"]["most_lines"]) == ("platform", 0, None)
    assert {"name": "review_hours", "value": 24, "inherited_from": "engineering"} in document["in_force"]
    changed = change(version=0, most_lines=300, work_starts_at="09:00", work_ends_at="17:30", first_day=None)
    assert changed.status_code == 200, changed.content
    assert changed.json()["own"]["work_ends_at"] == "17:30:00"
    again = change(version=changed.json()["version"], most_lines=None)
    assert again.json()["own"]["work_starts_at"] == "09:00:00", "what is not named stays"
    assert change(version=changed.json()["version"], trunk=True).status_code == 409
    assert change(trunk=True).status_code == 400
    assert change(version=0, colour="red").status_code == 400
    listed = manager.get("/api/v1/working-agreements/?unit=platform").json()
    assert {row["unit"] for row in listed["agreements"]} == {"engineering", "platform"}
    lines = csv(manager).splitlines()
    assert lines[0].removeprefix("\ufeff").startswith("Unit,From,Until,Largest pull request")
    assert Unit.objects.filter(slug="platform").exists()
