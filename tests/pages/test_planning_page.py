"""The planning page: a sprint's report with who decided what, and what each viewer may see of it."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from html import unescape
from typing import Any

import pytest
import time_machine
from django.test import Client

from integrations.connectors.drafts import ProvidedParts, SprintChangeDraft, SprintDraft, ValueChangeDraft, Who
from integrations.delivery.agreements.apply import apply_agreements
from integrations.enums import ItemField, SprintState
from integrations.models import Connection, Owned, OwnedKind, Sprint
from tests.delivery.work_items.tracker import Tracker, at
from tests.org import Org
from tests.personas import EXECUTIVE, MANAGER, Persona, signed_in
from tests.teams import create_teams

PAGE = "/insights/planning/"
ADA, BEN = Who(email="ada@example.com"), Who(email="ben@example.com")
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _now() -> Iterator[None]:
    with time_machine.travel(datetime(2026, 3, 20, 12, tzinfo=UTC), tick=True):
        yield


@pytest.fixture
def shop(org: Org) -> Org:
    """Two weeks of Platform: four items committed, one added; one removed, two done, two carried over."""
    create_teams()
    tracker = Tracker()

    def item(key: str, *moves: tuple[str, str], entered: str, left: str = "", by: Who = ADA, **more: Any) -> Any:
        changes = [SprintChangeDraft(at=at(entered), sprint="7", added=True, by=by)]
        changes += [SprintChangeDraft(at=at(left), sprint="7", added=False, by=BEN)] if left else []
        return tracker.item(key, "02-20 09:00", *moves, sprint_changes=ProvidedParts(changes), **more)

    re_estimated = ValueChangeDraft(at=at("03-05 10:00"), field=ItemField.ESTIMATE, before="3", after="8", by=BEN)
    tracker.tell(
        item("SHOP-1", ("03-03 09:00", "Done"), entered="02-27 09:00", estimate=2.0),
        item(
            "SHOP-2",
            ("03-03 09:00", "In progress"),
            entered="02-27 09:00",
            estimate=8.0,
            value_changes=ProvidedParts([re_estimated]),
        ),
        item("SHOP-3", entered="02-27 09:00"),
        item("SHOP-4", entered="02-27 09:00", left="03-06 09:00"),
        item("SHOP-5", ("03-12 09:00", "Done"), entered="03-09 09:00", by=BEN),
        SprintDraft(
            external_id="7",
            board="12",
            name="Platform sprint 7",
            state=SprintState.CLOSED,
            native_state="closed",
            starts_at=at("03-02 09:00"),
            ends_at=at("03-13 16:00"),
            completed_at=at("03-16 17:00"),
        ),
    )
    org.own("12", "platform")
    return org


def words(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


def report(client: Client, query: str = "") -> str:
    answer = client.get(f"{PAGE}{query}")
    assert answer.status_code == 200
    found = re.search(
        r'<section class="hw-card s8" id="sprint-report".*?</section>', answer.content.decode(), re.DOTALL
    )
    assert found
    return words(found[0])


def test_the_report_says_what_became_of_the_commitment_and_who_decided_it(shop: Org) -> None:
    client = signed_in(EXECUTIVE)
    carried = report(client)
    assert "2 – 16 Mar 2026, closed 3 days late" in carried
    assert "Committed at start 4 items Added 1 25% Removed 1 25% Delivered 2 1 + 1 added Carried over 2" in carried
    assert "SHOP-2 In progress since 3 Mar Re-estimated 3 → 8 on 5 Mar by Ben 3 → 8" in carried
    assert "SHOP-3 Not started –" in carried
    assert "Removed on 6 Mar by Ben" in report(client, "?list=removed")
    assert "Added on 9 Mar by Ben" in report(client, "?list=added")
    points = report(client, "?counted=points")
    assert "Committed at start 5 points Added 5 100%" in points, "2 + 3 committed, and the 5 that SHOP-2 grew by"


def test_the_report_says_how_sub_tasks_count(shop: Org) -> None:
    Tracker.known().tell(Tracker.known().item("SHOP-6", "03-05 09:00", parent_key="SHOP-3"))
    client = signed_in(EXECUTIVE)
    shown = report(client, "?list=added")
    assert "Sub-tasks count with their parent on this board." in shown
    assert "SHOP-6" not in shown
    Owned.objects.filter(kind=OwnedKind.BOARD).update(parts_alone=True)
    apply_agreements()
    shown = report(client, "?list=added")
    assert "Sub-tasks are items of their own on this board." in shown
    assert "SHOP-6 Not started Added on 5 Mar" in shown


def test_the_report_of_a_sprint_without_a_history_says_since_when_it_is_known(shop: Org) -> None:
    connections = Connection.objects.filter(pk__in=Sprint.objects.values("connection"))
    connections.update(provider="jira")
    Sprint.objects.update(first_seen_at=at("03-04 09:00"))
    assert "keeps no history" not in report(signed_in(EXECUTIVE)), "Jira has one"
    connections.update(provider="github")
    assert "keeps no history of iterations. Headway has read this one since 4 Mar 2026" in report(signed_in(EXECUTIVE))
    Sprint.objects.update(first_seen_at=at("02-20 09:00"))
    assert "keeps no history" not in report(signed_in(EXECUTIVE)), "it was read before it began"


def test_an_open_sprint_says_the_odds_that_its_open_work_is_done_by_its_end(org: Org) -> None:
    """Two of the board's items a working day in the last sprint; six are open, and five working days left."""
    create_teams()
    tracker = Tracker()
    moments = [f"03-{day:02} 10:00" for day in (3, 4, 5, 6, 9, 10, 11, 12, 13)]

    def item(key: str, sprint: str, entered: str, *moves: tuple[str, str]) -> Any:
        changes = [SprintChangeDraft(at=at(entered), sprint=sprint, added=True, by=ADA)]
        return tracker.item(key, "02-20 09:00", *moves, sprint_changes=ProvidedParts(changes))

    tracker.tell(
        *(item(f"SHOP-{20 + place}", "7", "02-27 09:00", (moments[place // 2], "Done")) for place in range(18)),
        *(item(f"SHOP-{50 + place}", "8", "03-16 09:00") for place in range(6)),
        *(
            SprintDraft(
                external_id=number,
                board="12",
                name=f"Platform sprint {number}",
                state=state,
                native_state=state,
                starts_at=at(f"{first} 09:00"),
                ends_at=at(f"{last} 16:00"),
                completed_at=at(f"{last} 16:00") if state == SprintState.CLOSED else None,
            )
            for number, state, first, last in (
                ("7", SprintState.CLOSED, "03-02", "03-13"),
                ("8", SprintState.ACTIVE, "03-16", "03-27"),
            )
        ),
    )
    org.own("12", "platform")
    opened = Sprint.objects.get(external_id="8")
    shown = report(signed_in(EXECUTIVE), f"?sprint={opened.pk}")
    found = re.search(r"All 6 open items are done by 27 Mar 2026 with odds of (\d+)%", shown)
    assert found, shown
    assert 50 <= int(found[1]) <= 100


def test_the_trackers_own_report_stands_beside_ours_with_the_reasons(shop: Org) -> None:
    """Jira has no grace, and lists SHOP-6, which was done before the start, apart; SHOP-9 is in no synced project."""
    tracker, in_sprint = Tracker.known(), [SprintChangeDraft(at=at("02-27 09:00"), sprint="7", added=True, by=ADA)]
    late = [SprintChangeDraft(at=at("03-02 15:00"), sprint="7", added=True, by=ADA)]
    tracker.tell(
        tracker.item("SHOP-6", "02-20 09:00", ("02-26 09:00", "Done"), sprint_changes=ProvidedParts(in_sprint)),
        tracker.item("SHOP-7", "02-20 09:00", ("03-04 09:00", "Done"), sprint_changes=ProvidedParts(late)),
    )
    assert "own report" not in report(signed_in(EXECUTIVE))
    reported = {
        "SHOP-1": ("completed", False),
        "SHOP-2": ("not_completed", False),
        "SHOP-3": ("completed", False),  # its status is in the board's last column
        "SHOP-4": ("removed", False),
        "SHOP-5": ("completed", True),
        "SHOP-6": ("completed", False),
        "SHOP-7": ("completed", True),
        "SHOP-9": ("not_completed", False),
    }
    sprint = Sprint.objects.get()
    for key, (outcome, added) in reported.items():
        sprint.reported.create(key=key, outcome=outcome, added=added)
    shown = report(signed_in(EXECUTIVE))
    assert "own report: 4 figures of five differ" in shown
    assert (
        "Committed 6 5 1 done before the sprint began (SHOP-6); 1 entered within the grace (SHOP-7); "
        "1 not among the items that are synced (SHOP-9)"
    ) in shown
    assert "Added 2 1 1 entered within the grace (SHOP-7)" in shown
    assert "Removed 1 1 –" in shown
    assert (
        "Delivered 5 3 1 done by its status here, or by the board’s last column there (SHOP-3); "
        "1 done before the sprint began (SHOP-6)"
    ) in shown


def test_the_burn_up_follows_scope_and_what_is_done_day_by_day(shop: Org) -> None:
    sprint = Sprint.objects.get()
    days = signed_in(EXECUTIVE).get(f"{PAGE}sprints/{sprint.pk}/days/").json()
    labels, (scope, done) = days["labels"], (series["data"] for series in days["datasets"])
    assert labels == [f"{day} Mar" for day in (2, 3, 4, 5, 6, 9, 10, 11, 12, 13, 16)]
    assert scope == [4, 4, 4, 4, 3, 4, 4, 4, 4, 4, 4]
    assert done == [0, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2]


def test_the_file_has_every_item(shop: Org) -> None:
    answer = signed_in(EXECUTIVE).get(f"{PAGE}sprints/{Sprint.objects.get().pk}.csv")
    rows = list(csv.DictReader(io.StringIO(answer.getvalue().decode("utf-8-sig"))))
    outcomes = {row["Item"]: (row["Committed"], row["Outcome"], row["Left by"]) for row in rows}
    assert outcomes == {
        "SHOP-1": ("yes", "delivered", ""),
        "SHOP-2": ("yes", "carried over", ""),
        "SHOP-3": ("yes", "carried over", ""),
        "SHOP-4": ("yes", "removed", "Ben"),
        "SHOP-5": ("no", "delivered", ""),
    }


@pytest.mark.parametrize(("viewer", "unit"), [(MANAGER, "platform"), (EXECUTIVE, "platform")])
def test_a_unit_sees_the_sprints_of_its_boards(shop: Org, viewer: Persona, unit: str) -> None:
    assert "Platform sprint 7" in report(signed_in(viewer), f"?unit={unit}")


def test_a_unit_without_sprints_learns_where_its_figures_are(shop: Org) -> None:
    page = words(signed_in(EXECUTIVE).get(f"{PAGE}?unit=search").content.decode())
    assert "No board of this unit has had a sprint." in page
    assert "Platform sprint 7" not in page


def test_others_may_not_know_that_the_sprint_exists(shop: Org) -> None:
    """Its board belongs to nobody whom a manager of Platform sees."""
    shop.own("12", "search", from_=datetime(2026, 3, 1, tzinfo=UTC).date())
    manager, sprint = signed_in(MANAGER), Sprint.objects.get().pk
    for address in (f"{PAGE}?sprint={sprint}", f"{PAGE}sprints/{sprint}.csv", f"{PAGE}sprints/{sprint}/days/"):
        assert manager.get(address).status_code == 404, address
    assert signed_in(EXECUTIVE).get(f"{PAGE}?sprint={sprint}").status_code == 200


def test_a_number_that_is_none_is_explained(shop: Org) -> None:
    assert signed_in(EXECUTIVE).get(f"{PAGE}?sprint=seven").status_code == 400
