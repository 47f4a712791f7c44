"""Copilot's reports: rows as documented, and which requests are made for them.

Rows of users-1-day: docs.github.com/en/copilot/reference/copilot-usage-metrics/example-schema.  Rows of
user-teams-1-day: docs.github.com/en/copilot/reference/copilot-usage-metrics/team-level-metrics.  Links to files:
docs.github.com/en/rest/copilot/copilot-usage-metrics.  Seats: docs.github.com/en/rest/copilot/copilot-user-management.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest

from demo.plan.vendor_usage import VendorUse
from demo.providers import faults
from demo.providers.copilot_server import CopilotServer
from demo.providers.faults import Answer, Fault
from integrations.connectors.base import FetchedResource, Page, Settings
from integrations.connectors.copilot import connector as module
from integrations.connectors.copilot.connector import Copilot
from integrations.connectors.copilot.records import normalise_seats, normalise_teams, normalise_usage
from integrations.connectors.drafts import ProvidedParts, VendorReportDraft, VendorUsageDraft, Who
from integrations.connectors.errors import CredentialRefusedError, PermanentError, SchemaError, TransientError
from integrations.connectors.http import ConnectionHttp
from integrations.enums import Kind, ResourceKind, VendorContent, VendorLevel
from tests.connectors.reading import QUICK, TOKEN, by_id, drafts_of, read_pages

TODAY = date(2026, 3, 20)
NOW = datetime.combine(TODAY, time(9), UTC)
DAY = timedelta(days=1)
ROW: dict[str, Any] = {
    "ai_adoption_phase": {"phase": "Phase 2", "phase_number": 2, "version": "v1"},
    "ai_credits_used": 12.5,
    "code_acceptance_activity_count": 3,
    "code_generation_activity_count": 4,
    "day": "2026-03-19",
    "enterprise_id": "1",
    "loc_added_sum": 32,
    "loc_deleted_sum": 6,
    "loc_suggested_to_add_sum": 34,
    "loc_suggested_to_delete_sum": 6,
    "totals_by_cli": {
        "last_known_cli_version": {"cli_version": "1.0.8", "sampled_at": "2025-10-01T00:01:43.000Z"},
        "prompt_count": 2,
        "request_count": 2,
        "session_count": 2,
        "token_usage": {"avg_tokens_per_request": 4400.0, "output_tokens_sum": 5000, "prompt_tokens_sum": 3800},
    },
    "used_agent": True,
    "used_cli": True,
    "user_id": 1,
    "user_login": "octocat",
    "user_initiated_interaction_count": 5,
}
MEMBER = {
    **{"user_id": 1, "user_login": "octocat", "day": "2026-03-19"},
    **{"enterprise_id": "1", "team_id": 2**53 + 1, "slug": "platform"},
}
SEAT: dict[str, Any] = {
    "created_at": "2021-08-03T18:00:00-06:00",
    "updated_at": "2021-09-23T15:00:00-06:00",
    "pending_cancellation_date": None,
    "last_activity_at": "2021-10-14T20:53:32-06:00",
    "last_activity_editor": "vscode/1.77.3/copilot/1.86.82",
    "plan_type": "business",
    "assignee": {"login": "octocat", "id": 1, "type": "User"},
}


def parts_of(reports: Sequence[VendorReportDraft]) -> list[VendorUsageDraft]:
    (report,) = reports
    assert isinstance(report.usage, ProvidedParts)
    return list(report.usage.parts)


def usage_of(*rows: Mapping[str, Any]) -> list[VendorUsageDraft]:
    return parts_of(normalise_usage({"report": "usage:orgs/acme", "day": "2026-03-19", "rows": list(rows)}))


def test_the_cli_is_apart_from_editors() -> None:
    editors, cli = usage_of(ROW)
    assert (editors.level, editors.person) == (VendorLevel.PERSON, Who(login="octocat", at="github"))
    assert (editors.product, editors.sessions, editors.input_tokens, editors.requests) == ("copilot", None, None, 5)
    assert (editors.suggestions, editors.acceptances, editors.lines_suggested) == (4, 3, 34)
    assert (editors.lines_added, editors.lines_removed, editors.credits) == (32, 6, Decimal("12.5"))
    assert (cli.product, cli.sessions, cli.requests, cli.input_tokens) == ("copilot_cli", 2, 2, 3800)
    assert (cli.output_tokens, cli.lines_added, cli.credits) == (5000, None, None)
    assert {part.phase for part in (editors, cli)} == {"Phase 2 (v1)"}
    assert {part.agent for part in (editors, cli)} == {"copilot"}


def test_a_phase_without_a_version_and_none_at_all() -> None:
    (part, _) = usage_of(ROW | {"ai_adoption_phase": {"phase": "Phase 1", "phase_number": 1}})
    assert part.phase == "Phase 1"
    assert {part.phase for part in usage_of(ROW | {"ai_adoption_phase": None})} == {""}


def test_a_person_without_use_is_left_out() -> None:
    numbers = dict.fromkeys((name for name, value in ROW.items() if isinstance(value, int)), 0)
    assert usage_of(ROW | numbers | {"totals_by_cli": None, "used_agent": False, "used_cli": False}) != []
    nothing = numbers | {"ai_credits_used": 0, "totals_by_cli": None, "used_agent": False, "used_cli": False}
    assert usage_of(ROW | nothing) == []


def test_someone_with_the_cloud_agent_alone_is_active() -> None:
    (part,) = usage_of({"day": "2026-03-19", "user_login": "octocat", "used_copilot_cloud_agent": True})
    assert (part.product, part.requests, part.lines_added) == ("copilot", None, None)


def test_a_renamed_field_is_named() -> None:
    with pytest.raises(SchemaError, match="user_login"):
        usage_of({name: value for name, value in ROW.items() if name != "user_login"})
    with pytest.raises(SchemaError, match="loc_added_sum"):
        usage_of(ROW | {"loc_added_sum": "many"})


def test_seats_have_their_last_use() -> None:
    never = deepcopy(SEAT) | {"assignee": {"login": "hubot"}, "last_activity_at": None}
    reports = normalise_seats({"report": "seats:orgs/acme", "day": "2026-03-19", "rows": [SEAT, never, SEAT]})
    used, idle = parts_of(reports)
    assert reports[0].content == VendorContent.SEATS
    assert (used.person, used.product, used.last_used_on) == (
        Who(login="octocat", at="github"),
        "business",
        date(2021, 10, 15),
    )
    assert idle.last_used_on is None


def test_teams_with_one_name_have_their_ids() -> None:
    another = MEMBER | {"user_login": "hubot", "team_id": 7}
    infra = MEMBER | {"team_id": 8, "slug": "infra"}
    payload = {"report": "teams:enterprises/big", "day": "2026-03-19", "rows": [MEMBER, MEMBER, another, infra]}
    reports = normalise_teams(payload)
    assert reports[0].content == VendorContent.TEAMS
    assert [(part.person and part.person.login, part.name, part.agent) for part in parts_of(reports)] == [
        ("octocat", "big/platform (9007199254740993)", "copilot"),
        ("hubot", "big/platform (7)", "copilot"),
        ("octocat", "big/infra", "copilot"),
    ]
    with pytest.raises(SchemaError, match="slug"):
        normalise_teams(payload | {"rows": [{name: value for name, value in MEMBER.items() if name != "slug"}]})


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[CopilotServer]:
    """Twenty days of three people, in files and pages of two rows; nothing of Sundays."""
    monkeypatch.setattr(module, "HISTORY", 20)
    usual = VendorUse(TODAY, NOW, "ada", "copilot", "", requests=2, output=10, sessions=1, accepted=1)
    uses = [
        replace(usual, day=day, known_at=datetime.combine(day + 2 * DAY, time(), UTC), account=account)
        for day in (TODAY - number * DAY for number in range(1, 21))
        if day.weekday() != 6
        for account in ("ada", "ben", "cem")
    ]
    teams = {"everyone": ["ada", "ben", "cem", "dan", "eve"], "small": ["ada"]}
    with CopilotServer(uses, token=TOKEN, page=2, at=NOW, teams=teams) as copilot:
        yield copilot


def connector(server: CopilotServer, token: str = TOKEN) -> Copilot:
    return Copilot(Settings({"base_url": server.url, "organisations": "acme"}, {"token": token}))


def pages_of(server: CopilotServer, report: str, cursor: Mapping[str, Any] | None = None) -> list[Page]:
    resource = FetchedResource(ResourceKind.REPORT, f"{report}:orgs/acme", report, {})
    server.requests.clear()
    return read_pages(connector(server), resource, Kind.VENDOR_REPORT, cursor, now=NOW)


def days_of(pages: Sequence[Page]) -> list[date]:
    return sorted(draft.day for draft in drafts_of(pages) if isinstance(draft, VendorReportDraft))


def test_everything_is_read_once_and_goes_on_from_any_page(server: CopilotServer) -> None:
    pages = pages_of(server, "usage")
    usual = by_id(drafts_of(pages))
    days = [TODAY - number * DAY for number in range(20, 1, -1)]
    assert days_of(pages) == [day for day in days if day.weekday() != 6]
    assert all(isinstance(one, VendorReportDraft) and len(parts_of([one])) == 6 for one in usual.values())
    for position, page in enumerate(pages[:-1]):
        rest = pages_of(server, "usage", page.cursor)
        assert by_id(drafts_of([*pages[: position + 1], *rest])) == usual


def test_teams_are_read_by_day_and_an_organisation_may_have_none(server: CopilotServer) -> None:
    pages = pages_of(server, "teams")
    assert days_of(pages) == days_of(pages_of(server, "usage"))
    newest = max((one for one in drafts_of(pages) if isinstance(one, VendorReportDraft)), key=lambda one: one.day)
    assert [(part.person and part.person.login, part.name) for part in parts_of([newest])] == [
        (login, "acme/everyone") for login in ("ada", "ben", "cem", "dan", "eve")
    ]
    server.faults = [Fault(faults.not_found(), path="user-teams-1-day", times=None)]
    assert drafts_of(pages_of(server, "teams")) == []


def test_only_missing_reports_are_requested_again(server: CopilotServer) -> None:
    """Each of these days takes one request, and files only where a report has come meanwhile."""
    cursor = pages_of(server, "usage")[-1].cursor
    assert days_of(again := pages_of(server, "usage", cursor)) == []
    assert [served.path.rpartition("=")[2] for served in server.requests] == ["2026-03-19"]
    server.advance(NOW + DAY)
    assert days_of(pages_of(server, "usage", again[-1].cursor)) == [date(2026, 3, 19)]


def test_after_two_weeks_without_a_sync_no_day_is_missing(server: CopilotServer) -> None:
    until = TODAY - 14 * DAY
    days = [TODAY - number * DAY for number in range(17, 1, -1)]
    assert days_of(pages_of(server, "usage", {"until": until.isoformat()})) == [
        day for day in days if day.weekday() != 6
    ]


def test_files_are_read_without_the_token(server: CopilotServer) -> None:
    """The simulated host of the files answers 403 to a token."""
    pages_of(server, "usage")
    files = [served for served in server.requests if served.path.startswith("/files/")]
    assert files
    assert {served.status for served in files} == {200}


@pytest.mark.parametrize("documents", [b'[{"day": "2026-03-18", "user_login": "ada", "used_chat": true}]\n', b"  \n"])
def test_a_file_may_be_one_list_or_empty(server: CopilotServer, documents: bytes) -> None:
    server.faults = [Fault(faults.instead(Answer(200, documents)), path="/files/2026-03-18/", times=None)]
    pages = pages_of(server, "usage", {"until": (TODAY - DAY).isoformat()})
    last = next(one for one in drafts_of(pages) if isinstance(one, VendorReportDraft) and one.day == date(2026, 3, 18))
    assert {part.person for part in parts_of([last])} == (
        {Who(login="ada", at="github")} if documents.strip() else set()
    )


def test_an_expired_link_is_requested_again(server: CopilotServer) -> None:
    server.faults = [Fault(faults.instead(Answer(403, b"<Error/>")), path="/files/", times=None)]
    with pytest.raises(TransientError, match="no longer works: it answered 403"):
        pages_of(server, "usage")


@pytest.mark.parametrize(
    ("where", "value", "problem"),
    [
        ("report_day", "2026-03-01", "another day than 2026-03-13"),
        ("download_links", "https://files.example.com", "other than the files"),
        ("download_links", ["ftp://files.example.com"], "no address beginning with https"),
    ],
)
def test_an_answer_with_other_links_is_refused(server: CopilotServer, where: str, value: Any, problem: str) -> None:
    server.faults = [Fault(faults.changed(where, value), path="users-1-day", times=None)]
    with pytest.raises(TransientError, match=problem):
        pages_of(server, "usage")


def test_an_organisation_without_any_report_says_what_to_do(server: CopilotServer) -> None:
    server.faults = [Fault(faults.not_found(), path="users-1-day", times=None)]
    with pytest.raises(PermanentError, match="no report of the last days about acme") as problem:
        pages_of(server, "usage")
    assert "Enabled everywhere" in problem.value.what_to_do


def test_seats_are_read_once_a_week(server: CopilotServer) -> None:
    pages = pages_of(server, "seats")
    (report,) = (draft for draft in drafts_of(pages) if isinstance(draft, VendorReportDraft))
    assert [part.person and part.person.login for part in parts_of([report])] == ["ada", "ben", "cem"]
    assert (report.day, len(server.requests)) == (TODAY, 2)
    assert drafts_of(pages_of(server, "seats", pages[-1].cursor)) == []
    assert server.requests == []
    assert drafts_of(pages_of(server, "seats", {"read_on": (TODAY - 7 * DAY).isoformat()})) != []


def test_the_check_names_reports_and_a_wrong_token(server: CopilotServer) -> None:
    server.faults = [Fault(faults.forbidden(), path="/seats", times=None)]
    with ConnectionHttp(connector(server), patience=QUICK) as http:
        usage, seats = connector(server).check(http)
    assert (usage.what, usage.works) == ("Usage of acme", True)
    assert (seats.what, seats.works) == ("Seats of acme", False)
    assert "GitHub Copilot Business: read" in seats.remedy
    wrong = connector(server, token="another")
    with ConnectionHttp(wrong, patience=QUICK) as http, pytest.raises(CredentialRefusedError):
        wrong.check(http)


def test_either_organisations_or_the_enterprise_are_named() -> None:
    assert "only one of the two" in Copilot.mistakes({"organisations": "acme", "enterprise": "big"})["organisations"]
    assert Copilot.mistakes({"organisations": " "})["organisations"] == "Enter whose use to read."
    of = Copilot(Settings({"base_url": "https://api.github.com", "enterprise": "big"}, {"token": TOKEN}))
    with ConnectionHttp(of, patience=QUICK) as http:
        assert [resource.external_id for resource in of.resources(http)] == [
            "usage:enterprises/big",
            "teams:enterprises/big",
            "seats:enterprises/big",
        ]


# The commonest complaints about other tools' connectors ---------------------------------------------------------------


def test_all_seats_are_read_not_the_first_page_alone() -> None:
    """github-copilot-resources/copilot-metrics-viewer 149: 50 of more than 600 seats; its Power BI 4: 50 of 239."""
    uses = [VendorUse(TODAY, NOW, f"person-{number}", "copilot", "", requests=1) for number in range(239)]
    with CopilotServer(uses, token=TOKEN, page=50, at=NOW) as large:
        (report,) = (draft for draft in drafts_of(pages_of(large, "seats")) if isinstance(draft, VendorReportDraft))
    assert len(parts_of([report])) == 239


@pytest.mark.parametrize("order", [1, -1])
def test_a_person_with_seats_in_two_organisations_has_one_that_is_used(order: int) -> None:
    """github-copilot-resources/copilot-metrics-viewer 178: an enterprise lists somebody once per organisation."""
    rows = [SEAT, SEAT | {"last_activity_at": None, "plan_type": "enterprise"}][::order]
    (seat,) = parts_of(normalise_seats({"report": "seats:enterprises/big", "day": "2026-03-19", "rows": rows}))
    assert (seat.last_used_on, seat.product) == (date(2021, 10, 15), "business")


def test_a_day_without_a_report_is_no_day_without_use(server: CopilotServer) -> None:
    """github-copilot-resources/copilot-metrics-viewer 54: days are missing in between, and some arrive late."""
    late = date(2026, 3, 17)
    server.faults = [Fault(faults.not_found(), path=f"users-1-day.*{late}", times=None)]
    pages = pages_of(server, "usage")
    assert late not in days_of(pages)
    server.faults = []
    assert days_of(pages_of(server, "usage", pages[-1].cursor)) == [late]
