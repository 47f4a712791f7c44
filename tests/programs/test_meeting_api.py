"""/api/v1/meetings/, its series, and /api/v1/calendar-feed/."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
import time_machine
from django.test import Client

from orgtree.models import TokenScope
from programs.models import MeetingSeries
from tests.personas import EXECUTIVE, MANAGER, MEMBER, OTHER_MEMBER
from tests.programs.api_pages import bearer, got, got_of_few_queries, problem, sent
from tests.programs.meetings import NOW, coming, days, scheduled
from tests.teams import Teams, create_teams

pytestmark = pytest.mark.django_db
MEETINGS, SERIES = "/api/v1/meetings/", "/api/v1/meetings/series/"
NEW = {
    "kind": "review", "unit": "platform", "rule": "weekday", "place": 1, "weekday": 1, "begins": "10:00",
    "time_zone": "Europe/Berlin", "participants": ["ada@example.com", "edith@example.com"],
}  # fmt: skip


@pytest.fixture(autouse=True)
def teams() -> Iterator[Teams]:
    with time_machine.travel(NOW, tick=False):
        yield create_teams()


@pytest.fixture
def manager() -> Client:
    return bearer(MANAGER, TokenScope.PROGRAM)


def test_a_series_is_scheduled_changed_and_ended(manager: Client) -> None:
    made = sent(manager, "POST", SERIES, NEW, 201)
    assert (made["title"], made["starts_on"], made["minutes"], made["version"]) == (
        *("Monthly review, Platform", "2026-06-15", 60, 1),
    )
    [series] = MeetingSeries.objects.all()
    assert days(series)[0] == "2026-07-07"
    address = f"{SERIES}{made['id']}/"
    changed = sent(manager, "PATCH", address, {"weekday": 2, "participants": ["edith@example.com"], "version": 1})
    assert (changed["weekday"], changed["participants"], changed["version"]) == (2, ["edith@example.com"], 2)
    assert days(series)[0] == "2026-07-01"
    conflict = sent(manager, "PATCH", address, {"weekday": 3, "version": 1}, 409)
    assert problem(conflict)[0] == "version"
    assert conflict["stored"]["weekday"] == 2
    sent(manager, "PATCH", address, {"ends_on": "2026-06-15", "version": 2})
    assert days(series) == []
    assert got(manager, SERIES)["series"] == [got(manager, address)]


WRONG: Sequence[tuple[dict[str, Any], str]] = [
    ({"kind": "party"}, "kind"),
    ({"kind": ""}, "kind"),
    ({"unit": "nowhere"}, "unit"),
    ({"unit": "search"}, "unit"),
    ({"unit": 7}, "unit"),
    ({"unit": "pl\x00at"}, "unit"),
    ({"rule": "never"}, "rule"),
    ({"rule": "day"}, "day"),
    ({"place": 7}, "place"),
    ({"minutes": 10**15}, "minutes"),
    ({"minutes": "long"}, "minutes"),
    ({"begins": "25:61"}, "begins"),
    ({"time_zone": "Moon"}, "time_zone"),
    ({"starts_on": "2026-02-30"}, "starts_on"),
    ({"participants": "ada@example.com"}, "participants"),
    ({"participants": [{"a": 1}]}, "participants.0"),
    ({"participants": ["nobody@example.com"]}, "participants"),
    ({"country": "ZZ"}, "country"),
    ({"colour": "red"}, "colour"),
]


def test_what_is_wrong_is_named_and_nothing_is_stored(manager: Client, subtests: pytest.Subtests) -> None:
    for fields, parameter in WRONG:
        with subtests.test(fields=fields):
            assert problem(sent(manager, "POST", SERIES, {**NEW, **fields}, 400))[0] == parameter
            assert not MeetingSeries.objects.exists()


def test_kind_and_unit_stay(manager: Client) -> None:
    series = scheduled()
    assert problem(sent(manager, "PATCH", f"{SERIES}{series.pk}/", {"kind": "qbr", "version": 1}, 400))[0] == "kind"


def test_a_meeting_is_moved_and_cancelled(manager: Client) -> None:
    meeting = coming(scheduled())[0]
    address = f"{MEETINGS}{meeting.pk}/"
    times = {"starts_at": "2026-07-09T14:00:00+02:00", "ends_at": "2026-07-09T15:00:00+02:00"}
    moved = sent(manager, "POST", f"{address}move/", {**times, "sequence": 0})
    assert (moved["sequence"], moved["participants"]) == (1, ["ada@example.com", "edith@example.com"])
    conflict = sent(manager, "POST", f"{address}cancel/", {"sequence": 0}, 409)
    assert conflict["stored"]["sequence"] == 1
    cancelled = sent(manager, "POST", f"{address}cancel/", {"sequence": 1, "reason": "Away"})
    assert (cancelled["state"], cancelled["cancelled_why"]) == ("cancelled", "Away")
    for fields, parameter in (
        ({**times, "sequence": 2, "ends_at": times["starts_at"]}, "ends_at"),
        ({**times, "sequence": "two"}, "sequence"),
        ({"sequence": 2}, "starts_at"),
        ({**times, "sequence": 2, "where": "x"}, "where"),
    ):
        assert problem(sent(manager, "POST", f"{address}move/", fields, 400))[0] == parameter


def test_members_read_title_and_time_and_others_nothing() -> None:
    meeting = coming(scheduled(people=("edith",), location="Room 4"))[0]
    member = bearer(MEMBER, TokenScope.READ)
    read = got(member, f"{MEETINGS}{meeting.pk}/")
    assert (read["title"], read["starts_at"], read["participants"], read["location"]) == (
        *("Monthly review, Platform", "2026-07-07T08:00:00Z", None, None),
    )
    assert got(member, MEETINGS)["total"] == 6
    other = bearer(OTHER_MEMBER, TokenScope.PROGRAM)
    assert got(other, MEETINGS)["total"] == 0
    got(other, f"{MEETINGS}{meeting.pk}/", 404)
    got(other, f"{SERIES}{meeting.series_id}/", 404)
    sent(other, "POST", f"{MEETINGS}{meeting.pk}/cancel/", {"sequence": 0}, 404)
    sent(bearer(MEMBER, TokenScope.PROGRAM), "POST", f"{MEETINGS}{meeting.pk}/cancel/", {"sequence": 0}, 403)


def test_a_token_of_nobody_reads_no_names() -> None:
    meeting = coming(scheduled())[0]
    nobody = bearer(None, TokenScope.READ)
    assert got(nobody, f"{MEETINGS}{meeting.pk}/")["participants"] is None
    got(nobody, SERIES, 403)


def test_lists_are_filtered_as_on_the_page(teams: Teams) -> None:
    scheduled(people=("edith",))
    scheduled(EXECUTIVE, unit=teams.search, kind="qbr")
    executive = bearer(EXECUTIVE, TokenScope.READ)
    found: tuple[tuple[dict[str, Any], int], ...] = (
        ({"unit": "search"}, 6),
        ({"unit": "engineering"}, 12),
        ({"kind": "qbr"}, 6),
        ({"when": "past"}, 0),
        ({"state": "cancelled"}, 0),
        ({"starts_before": "2026-07-08T00:00:00Z"}, 2),
        ({"starts_after": "2026-07-08T00:00:00Z", "kind": "qbr"}, 5),
    )
    for params, total in found:
        assert got(executive, MEETINGS, **params)["total"] == total, params
    assert got(bearer(MANAGER, TokenScope.READ), MEETINGS, mine="yes")["total"] == 12
    for wrong in ("kind=party", "when=never", "starts_after=soon", "colour=red", "mine=no"):
        got(executive, f"{MEETINGS}?{wrong}", 400)
    got(executive, MEETINGS, 404, unit="nowhere")
    got_of_few_queries(executive, MEETINGS)


def test_a_feed_is_made_and_revoked_by_program() -> None:
    member = bearer(MEMBER, TokenScope.PROGRAM)
    got(member, "/api/v1/calendar-feed/", 404)
    url = sent(member, "POST", "/api/v1/calendar-feed/", {}, 201)["url"]
    path = url[url.index("/calendar/") :]
    assert Client().get(path).status_code == 200
    assert got(member, "/api/v1/calendar-feed/")["last_read_at"] is not None
    assert member.delete("/api/v1/calendar-feed/").status_code == 204
    assert Client().get(path).status_code == 404
