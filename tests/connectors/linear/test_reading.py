"""Linear's streams: pages, what changes meanwhile, whatever fails on the way."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from demo.plan.delivery import DeliveryEvent, EventKind, Issue
from demo.providers import faults
from demo.providers.faults import Answer, Fault
from demo.providers.linear_server import MOST_COMPLEX, LinearServer
from integrations.connectors.base import FetchedResource, Page, Settings
from integrations.connectors.drafts import ProvidedParts, SprintDraft, WorkItemDraft
from integrations.connectors.errors import (
    Cause,
    ConnectorError,
    CredentialRefusedError,
    PermanentError,
    TransientError,
)
from integrations.connectors.http import ConnectionHttp
from integrations.connectors.linear.connector import Linear
from integrations.connectors.linear.teams import ROADMAP
from integrations.enums import Kind, ResourceKind, SprintState, StatusCategory
from tests.connectors.jira.conftest import with_issues
from tests.connectors.reading import (
    QUICK,
    TOKEN,
    assert_goes_on_from_any_page,
    by_id,
    drafts_of,
    faults_that_change,
    read_despite_faults,
    read_pages,
)
from tests.demo.small_history import ADA, BEGIN, DAY, HOUR, MAX, SHOP, small_history

MINUTE = timedelta(minutes=1)
KEY = "lin_api_of_the_tests"
TEAM = FetchedResource(ResourceKind.PROJECT, "team-101", "SHOP · shop", {"key": "SHOP"})
BOARD = FetchedResource(ResourceKind.BOARD, "team-101", "SHOP · shop", {"key": "SHOP"})
WORKSPACE = FetchedResource(ResourceKind.PROJECT, "workspace-1", "Acme", {ROADMAP: True})
STREAMS = {"Issues": (TEAM, Kind.WORK_ITEM), "Cycles": (BOARD, Kind.SPRINT), "Projects": (WORKSPACE, Kind.WORK_ITEM)}
FAULTS: Mapping[str, Callable[[str], Fault]] = {
    "RATELIMITED": lambda path: Fault(limited(), path=path, nth=2, times=1),
    "429": lambda path: Fault(faults.too_many_requests(retry_after=0), path=path, nth=2, times=2),
    "401 in the middle": lambda _: Fault(faults.unauthorised(), path="/graphql", nth=3, times=2),
    "403 for a while": lambda path: Fault(faults.forbidden(), path=path, nth=2, times=1),
    "500": lambda _: Fault(faults.server_error(), path="/graphql", nth=2, times=3),
    "an error beside 200": lambda path: Fault(failed(), path=path, nth=2, times=1),
    "502": lambda path: Fault(faults.bad_gateway(), path=path, nth=2, times=5),
    "cut connection": lambda path: Fault(faults.cut_short(), path=path, times=2),
    "half an answer": lambda _: Fault(faults.truncated(), path="/graphql", nth=2, times=2),
    "a page for people": lambda path: Fault(faults.html_page(), path=path, nth=2, times=2),
    "a page repeated": lambda path: Fault(faults.repeated_page(), path=path, times=2),
}


def limited(milliseconds: int = 0) -> faults.Effect:
    """Linear's own answer to too much, with a time of renewal in milliseconds since 1970."""
    error = {"message": "Rate limit exceeded", "extensions": {"code": "RATELIMITED", "type": "ratelimited"}}
    headers = {
        "X-RateLimit-Requests-Remaining": "2000",
        "X-RateLimit-Complexity-Remaining": "0",
        "X-RateLimit-Complexity-Reset": str(int(time.time() * 1000) + milliseconds),
    }
    return faults.instead(Answer.of({"errors": [error]}, status=400, headers=headers))


def failed() -> faults.Effect:
    error = {"message": "Internal server error", "extensions": {"code": "INTERNAL_SERVER_ERROR"}}
    return faults.instead(Answer.of({"errors": [error], "data": None}))


@pytest.fixture
def linear() -> Iterator[LinearServer]:
    """The team SHOP with few issues, each of which shows something, a project and an initiative."""
    with LinearServer(small_history(), token=TOKEN) as server:
        server.initiatives = [initiative(1)]
        server.projects = [project(number) for number in range(1, 4)]
        yield server


@pytest.fixture
def many() -> Iterator[LinearServer]:
    """Three pages of each list; a server may give less than is asked for."""
    with LinearServer(with_issues(22), token=TOKEN, page=9) as server:
        server.initiatives = [initiative(number) for number in range(20)]
        server.projects = [project(number) for number in range(20)]
        yield server


def project(number: int) -> dict[str, Any]:
    return {
        "id": f"project-{number}",
        "slugId": f"{number:012x}",
        "name": f"Faster checkout {number}",
        "url": f"https://linear.app/acme/project/{number:012x}",
        "priority": 2,
        "targetDate": "2026-04-30",
        "createdAt": "2026-02-01T09:00:00.000Z",
        "updatedAt": f"2026-03-01T09:{number:02}:00.000Z",
        "startedAt": "2026-02-10T09:00:00.000Z",
        "status": {"name": "In Progress", "type": "started"},
        "lead": {"id": "user-13", "name": "Maya Manager", "email": "maya@example.com", "app": False},
        "labels": {"nodes": []},
        "initiatives": {"nodes": [{"slugId": f"{1:012x}"}]},
    }


def initiative(number: int) -> dict[str, Any]:
    return {
        "id": f"initiative-{number}",
        "slugId": f"{number:012x}",
        "name": "Sell more",
        "url": "https://linear.app/acme/initiative/1",
        "priority": 0,
        "createdAt": "2026-01-01T09:00:00.000Z",
        "updatedAt": f"2026-01-02T09:{number:02}:00.000Z",
        "status": "Active",
    }


def connector(linear: LinearServer, token: str = TOKEN) -> Linear:
    return Linear(Settings({"base_url": f"{linear.url}/"}, {"token": token}))


def pages_of(
    linear: LinearServer, stream: str, cursor: Mapping[str, Any] | None = None, *, most: int | None = None
) -> list[Page]:
    resource, kind = STREAMS[stream]
    linear.requests.clear()
    return read_pages(connector(linear), resource, kind, cursor, now=linear.at, most=most)


def issues(linear: LinearServer, cursor: Mapping[str, Any] | None = None) -> dict[str, WorkItemDraft]:
    drafts = drafts_of(pages_of(linear, "Issues", cursor))
    return {draft.key: draft for draft in drafts if isinstance(draft, WorkItemDraft)}


@pytest.mark.parametrize("stream", STREAMS)
def test_under_every_fault_the_drafts_are_the_same(many: LinearServer, stream: str) -> None:
    if stream == "Cycles":
        many.advance(BEGIN + 600 * DAY)
    usual = by_id(drafts_of(pages_of(many, stream)))
    assert len(usual) >= 20
    resource, kind = STREAMS[stream]
    faults = {name: fault(f"/{stream}$") for name, fault in FAULTS.items()}
    changed = faults_that_change(
        usual, many, faults, lambda: read_despite_faults(connector(many), resource, kind, now=many.at)
    )
    assert changed == []


@pytest.mark.parametrize("stream", STREAMS)
def test_a_reading_goes_on_from_any_page(many: LinearServer, stream: str) -> None:
    if stream == "Cycles":
        many.advance(BEGIN + 600 * DAY)
    pages = pages_of(many, stream)
    assert (len(pages) > 2, pages[-1].left, pages[-1].complete) == (True, 0, True)
    assert_goes_on_from_any_page(pages, lambda cursor: pages_of(many, stream, cursor))


@pytest.mark.parametrize(("stream", "requests"), [("Issues", 1), ("Cycles", 1), ("Projects", 2)])
def test_nothing_new_costs_two_requests_at_most(many: LinearServer, stream: str, requests: int) -> None:
    *_, last = pages_of(many, stream)
    again = pages_of(many, stream, last.cursor)
    assert len(many.requests) == requests
    assert stream == "Cycles" or all(page.records == [] for page in again)  # those that have not ended


def test_issues_that_changed_at_the_same_moment_are_all_read_once() -> None:
    """More of them than a page has, as after a bulk edit: then pages are counted."""
    listed = tuple(Issue(number, number, SHOP, ADA, f"Wish {number}", "", BEGIN) for number in range(1, 61))
    with LinearServer(replace(small_history(), issues=listed), token=TOKEN, page=7) as linear:
        drafts = drafts_of(pages_of(linear, "Issues"))
    assert sorted(draft.external_id for draft in drafts) == sorted(f"issue-{number}" for number in range(1, 61))


def test_the_newest_come_first(many: LinearServer) -> None:
    times = [draft.updated_at for draft in drafts_of(pages_of(many, "Issues"))]
    assert times == sorted(times, reverse=True)  # type: ignore[type-var]


def test_an_issue_has_its_history(linear: LinearServer) -> None:
    weigh = issues(linear)["SHOP-1"]
    assert (weigh.native_status, weigh.status_category, weigh.resolved_at) == (
        "Done",
        StatusCategory.DONE,
        BEGIN + 7 * HOUR,
    )
    assert isinstance(weigh.transitions, ProvidedParts)
    assert [(one.from_status, one.to_status) for one in weigh.transitions.parts] == [("Todo", "Done")]
    assert isinstance(weigh.assignments, ProvidedParts)
    assert [one.assignee and one.assignee.email for one in weigh.assignments.parts] == [MAX.email, None, ADA.email]
    assert (weigh.labels, weigh.has_description, weigh.estimate) == (("feature",), True, 2.0)


def test_a_long_history_is_read_to_its_end(many: LinearServer) -> None:
    """One of the issues went to and fro a hundred times."""
    longest = max(
        len(draft.transitions.parts) for draft in issues(many).values() if isinstance(draft.transitions, ProvidedParts)
    )
    assert longest >= 100
    assert any("History" in request.path for request in many.requests)


def test_descriptions_are_not_kept(linear: LinearServer) -> None:
    payloads = [record.payload for page in pages_of(linear, "Issues") for record in page.records]
    assert "It should." not in repr(payloads)


def test_a_canceled_issue_is_done_and_was_dropped() -> None:
    dropped = DeliveryEvent(1, EventKind.CLOSED, BEGIN + HOUR, MAX, text="not_planned")
    history = replace(small_history(), issues=(Issue(1, 1, SHOP, ADA, "No", "", BEGIN, happenings=(dropped,)),))
    with LinearServer(history, token=TOKEN) as linear:
        found = issues(linear)["SHOP-1"]
    assert (found.native_status, found.status_category, found.resolution, found.resolved_at) == (
        "Canceled",
        StatusCategory.DONE,
        "Canceled",
        BEGIN + HOUR,
    )


def test_projects_are_epics_of_initiatives(linear: LinearServer) -> None:
    drafts = by_id(drafts_of(pages_of(linear, "Projects")))
    epic, above = drafts["project-1"], drafts["initiative-1"]
    assert isinstance(epic, WorkItemDraft)
    assert isinstance(above, WorkItemDraft)
    assert (epic.native_type, epic.parent_key, str(epic.due_on)) == ("Epic", above.key, "2026-04-30")
    assert (above.native_type, above.status_category) == ("Initiative", StatusCategory.IN_PROGRESS)
    assert isinstance(epic.transitions, ProvidedParts)
    assert [one.to_status for one in epic.transitions.parts] == ["started"]


def test_cycles_are_sprints(linear: LinearServer) -> None:
    cycles = [draft for draft in drafts_of(pages_of(linear, "Cycles")) if isinstance(draft, SprintDraft)]
    states = [cycle.state for cycle in sorted(cycles, key=lambda cycle: str(cycle.starts_at))]
    assert states == sorted(states, key=[SprintState.CLOSED, SprintState.ACTIVE, SprintState.PLANNED].index)
    assert {SprintState.CLOSED, SprintState.ACTIVE, SprintState.PLANNED} == set(states)
    assert all((cycle.completed_at is not None) == (cycle.state is SprintState.CLOSED) for cycle in cycles)


# The commonest complaints about other tools' connectors ---------------------------------------------------------------


def test_no_query_is_too_complex(many: LinearServer) -> None:
    """canvasxai/sketch 246, mvanhorn/printing-press-library 946: lists within lists, refused at 10,000 points."""
    for stream in STREAMS:
        pages_of(many, stream)
    with ConnectionHttp(connector(many), patience=QUICK) as http:
        list(connector(many).resources(http))
    assert {"Issues", "Details", "Cycles", "Projects", "Initiatives", "Teams"} <= many.complexities.keys()
    assert max(many.complexities.values()) <= MOST_COMPLEX


def test_archived_issues_are_read(linear: LinearServer) -> None:
    """vanillagreencom/kendex 795: without includeArchived, they vanish."""
    linear.archived = {"SHOP-1"}
    assert issues(linear).keys() == {"SHOP-1", "SHOP-7"}


def test_a_limit_is_a_400_with_a_code_and_waits_until_the_budget_is_renewed(linear: LinearServer) -> None:
    """Others take it for a wrong query: the budget that is used up may be that of complexity."""
    linear.clock_ahead = timedelta()  # its time of renewal is by its own clock
    linear.faults = [Fault(limited(milliseconds=600_000), path="/Issues", times=None)]
    with pytest.raises(TransientError) as raised:
        pages_of(linear, "Issues")
    assert raised.value.retry_at is not None
    assert 590 < raised.value.retry_at.timestamp() - time.time() < 610


def test_an_issue_that_changed_at_the_very_time_of_the_last_reading_is_read() -> None:
    """A filter with `gt` instead of `gte` loses it."""
    at = BEGIN + 10 * DAY
    late = Issue(1, 1, SHOP, ADA, "Late", "", at)
    with LinearServer(replace(small_history(), issues=(late,)), token=TOKEN) as linear:
        cursor = {"since": f"{at:%Y-%m-%dT%H:%M:%S}.000Z", "known": {}}
        assert issues(linear, cursor).keys() == {"SHOP-1"}


# The form -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("token", [TOKEN, KEY])
def test_a_key_is_sent_as_it_is_and_an_oauth_token_as_a_bearer(token: str) -> None:
    with LinearServer(small_history(), token=token) as linear:
        of = connector(linear, token)
        with ConnectionHttp(of, patience=QUICK) as http:
            listed = [(one.kind, one.name, bool(one.details.get(ROADMAP))) for one in of.resources(http)]
    assert listed == [
        (ResourceKind.PROJECT, "Acme · Projects and initiatives", True),
        (ResourceKind.PROJECT, "SHOP · shop", False),
        (ResourceKind.BOARD, "SHOP · shop", False),
    ]


def test_the_check_names_every_list_and_what_is_missing(linear: LinearServer) -> None:
    of = connector(linear)
    error = {"message": "Forbidden", "extensions": {"code": "FORBIDDEN", "userPresentableMessage": "No access."}}
    with ConnectionHttp(of, patience=QUICK) as http:
        assert [permission.what for permission in of.check(http) if permission.works] == [
            *("Teams", "Issues", "Cycles", "Projects", "Initiatives"),
        ]
        linear.faults = [Fault(faults.instead(Answer.of({"errors": [error]})), path="/Initiatives", times=None)]
        missing = next(permission for permission in of.check(http) if permission.what == "Initiatives")
    assert (missing.works, "No access" in missing.remedy, "Read" in missing.remedy) == (False, True, True)


@pytest.mark.parametrize(
    ("effect", "error", "cause"),
    [
        (faults.unauthorised(), CredentialRefusedError, Cause.REFUSED),
        (faults.forbidden(), PermanentError, Cause.REFUSED),
        (faults.html_page(), ConnectorError, Cause.WRONG_ADDRESS),
        (faults.held(QUICK.read + 1), ConnectorError, Cause.UNREACHABLE),
    ],
)
def test_why_nothing_works_has_one_of_three_causes(
    linear: LinearServer, effect: faults.Effect, error: type[ConnectorError], cause: Cause | None
) -> None:
    of = connector(linear)
    linear.faults = [Fault(effect, path="/graphql", times=None)]
    with ConnectionHttp(of, patience=replace(QUICK, read=0.5, tries=1)) as http, pytest.raises(error) as raised:
        of.check(http)
    assert raised.value.cause == cause


def test_a_refused_token_is_no_wrong_query(linear: LinearServer) -> None:
    of = connector(linear, "another")
    with ConnectionHttp(of, patience=QUICK) as http, pytest.raises(CredentialRefusedError, match="not authenticated"):
        of.check(http)
