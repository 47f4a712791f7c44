"""GitHub's projects: iterations as sprints, and what each reading sees of the plan.

https://docs.github.com/graphql/reference/objects: ProjectV2, ProjectV2IterationFieldConfiguration (whose iterations
have a start and a length in days), ProjectV2ItemFieldIterationValue, ProjectV2ItemFieldNumberValue.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from demo.providers import faults
from demo.providers.faults import Fault
from demo.providers.github_access import Token
from demo.providers.github_projects import Iteration, Project
from demo.providers.github_server import GitHubServer
from integrations.connectors.base import FetchedResource, Page, Settings
from integrations.connectors.drafts import MISSING, SeenPlan, SprintDraft, Who, WorkItemDraft
from integrations.connectors.errors import GoneError, PermanentError, SchemaError
from integrations.connectors.github.connector import GitHub
from integrations.connectors.github.projects import normalise_item, normalise_iteration
from integrations.connectors.github.webhooks import news_of, records_of
from integrations.connectors.http import ConnectionHttp
from integrations.enums import Kind, ResourceKind, SprintState
from tests.connectors.github.histories import with_issues
from tests.connectors.github.reading import LONG_AFTER, TOKEN, connector
from tests.connectors.github.test_check import checks
from tests.connectors.reading import QUICK, by_id, drafts_of, only_resource, read_despite_faults
from tests.demo.small_history import BEGIN, DAY, HOUR, MAX

FIRST, SECOND = (
    Iteration("381c7c80", "Sprint 1", date(2026, 3, 2)),
    Iteration("0b1e2f00", "Sprint 2", date(2026, 3, 16)),
)
WISHES = 230  # issues 1001 to 1230: three pages
SETTINGS = {"read_projects": "true"}


def project(number: int = 7, wishes: int = WISHES) -> Project:
    """Everything is planned for the first iteration on its first day; the first issue moves on after three days."""
    moves: dict[int, list[tuple[datetime, Any]]] = {
        1000 + n: [(BEGIN + 8 * HOUR, FIRST.id)] for n in range(1, wishes + 1)
    }
    moves[1001].append((BEGIN + 3 * DAY, SECOND.id))
    moves[1002].append((BEGIN + 4 * DAY, None))
    estimates = {1001: [(BEGIN + 9 * HOUR, 3.0), (BEGIN + 2 * DAY, 5.0)], 1003: [(BEGIN + 9 * HOUR, 0.5)]}
    return Project(number, "Shop", (FIRST, SECOND), moves=moves, estimates=estimates, by=MAX)


@pytest.fixture
def github() -> Iterator[GitHubServer]:
    with GitHubServer(with_issues(WISHES), tokens=[Token(TOKEN, "ada")]) as server:
        server.projects.append(project())
        yield server


def read(
    github: GitHubServer, cursor: Mapping[str, Any] | None = None, *, most: int | None = None, **settings: str
) -> tuple[list[Page], int]:
    of = connector(github, **SETTINGS, **settings)
    resource = only_resource(of, ResourceKind.BOARD)
    with ConnectionHttp(of, patience=QUICK) as http:
        pages: list[Page] = []
        for page in of.fetch(http, resource, Kind.SPRINT, cursor or {}, now=LONG_AFTER):
            pages.append(page)
            if len(pages) == most:
                break
        return pages, http.requests


def plans(pages: list[Page]) -> dict[str, WorkItemDraft]:
    return {draft.key: draft for draft in drafts_of(pages) if isinstance(draft, WorkItemDraft)}


def seen(draft: WorkItemDraft) -> SeenPlan:
    assert draft.seen is not None
    return draft.seen


def test_projects_are_boards(github: GitHubServer) -> None:
    github.projects.append(Project(8, "Second", ()))
    with ConnectionHttp(connector(github, **SETTINGS), patience=QUICK) as http:
        found = list(connector(github, **SETTINGS).resources(http))
    boards = [(one.external_id, one.name, one.details) for one in found if one.kind == ResourceKind.BOARD]
    assert boards == [
        ("PVT_7", "acme: Shop", {"projects": ["acme/"]}),
        ("PVT_8", "acme: Second", {"projects": ["acme/"]}),
    ]


@pytest.mark.parametrize("owners", ["acme", ""])
def test_projects_are_those_of_the_owners_of_repositories(github: GitHubServer, owners: str) -> None:
    of = connector(github, **SETTINGS, owners=owners)
    assert only_resource(of, ResourceKind.BOARD).external_id == "PVT_7"


@pytest.mark.parametrize("settings", [{}, {"read_projects": "true", "use_graphql": "false"}])
def test_nothing_is_requested_without_the_opt_in(github: GitHubServer, settings: dict[str, str]) -> None:
    of = connector(github, **settings)
    assert of.streams_of(ResourceKind.BOARD) == []
    with ConnectionHttp(of, patience=QUICK) as http:
        assert {one.kind for one in of.resources(http)} == {ResourceKind.REPOSITORY}
        board = FetchedResource(ResourceKind.BOARD, "PVT_7", "acme: Shop", {})
        pages = list(of.fetch(http, board, Kind.SPRINT, {}, now=LONG_AFTER))
    assert [page.records for page in pages] == [()]
    assert "/graphql" not in {request.path for request in github.requests}


def test_projects_without_graphql_are_a_mistake() -> None:
    assert GitHub.mistakes({"read_projects": "true", "use_graphql": "false"}).keys() == {"read_projects"}
    assert GitHub.mistakes({"read_projects": "true"}) == {} == GitHub.mistakes({"use_graphql": "false"})


def test_iterations_are_sprints(github: GitHubServer) -> None:
    github.advance(BEGIN + 15 * DAY)  # the second one has started
    pages, _ = read(github)
    sprints = {draft.name: draft for draft in drafts_of(pages) if isinstance(draft, SprintDraft)}
    first, second = sprints["Sprint 1"], sprints["Sprint 2"]
    assert (first.external_id, first.board) == ("PVT_7/381c7c80", "PVT_7")
    assert (first.starts_at, first.ends_at) == (datetime(2026, 3, 2, tzinfo=UTC), datetime(2026, 3, 16, tzinfo=UTC))
    assert (first.state, first.completed_at) == (SprintState.CLOSED, first.ends_at)
    assert second.ends_at == datetime(2026, 3, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("day", "state"),
    [
        ("2026-03-01", SprintState.PLANNED),
        ("2026-03-02", SprintState.ACTIVE),
        ("2026-03-15", SprintState.ACTIVE),
        ("2026-03-16", SprintState.CLOSED),
    ],
)
def test_the_state_of_an_iteration_follows_the_calendar(day: str, state: SprintState) -> None:
    entry = {"id": "381c7c80", "title": "Sprint 1", "startDate": "2026-03-02", "duration": 14}
    (draft,) = normalise_iteration({"iteration": entry, "board": "PVT_7", "at": f"{day}T00:00:00+00:00"})
    assert draft.state == state


def test_an_item_has_its_iteration_and_estimate_of_now(github: GitHubServer) -> None:
    drafts = plans(read(github)[0])
    moved, emptied, usual = (drafts[f"acme/shop#{number}"] for number in (1001, 1002, 1003))
    assert len(drafts) == WISHES
    assert (moved.external_id, moved.project) == ("20001", "101")
    assert (seen(moved).sprint, seen(moved).sprint_at) == ("PVT_7/0b1e2f00", BEGIN + 3 * DAY)
    assert (moved.estimate, seen(moved).estimate_at) == (5.0, BEGIN + 2 * DAY)
    assert (seen(emptied).sprint, seen(emptied).sprint_at, emptied.estimate) == ("", BEGIN + 4 * DAY, None)
    assert (seen(usual).sprint, usual.estimate) == ("PVT_7/381c7c80", 0.5)
    assert moved.title is MISSING, "nothing else is said of the issue"


def test_who_planned_it_is_known_of_the_first_value_only(github: GitHubServer) -> None:
    drafts = plans(read(github)[0])
    assert seen(drafts["acme/shop#1003"]).sprint_by == Who(login="max-member", account="12")
    assert seen(drafts["acme/shop#1001"]).sprint_by is None, "GitHub names the creator of a value, not its changer"


@pytest.mark.parametrize(("fields", "estimate"), [("Estimate", 5.0), ("effort, estimate", 5.0), ("Effort", MISSING)])
def test_the_field_of_estimates_is_found_by_its_name(github: GitHubServer, fields: str, estimate: object) -> None:
    assert plans(read(github, estimate_field=fields)[0])["acme/shop#1001"].estimate == estimate


def test_a_large_project_is_read_again_once_it_has_changed(github: GitHubServer) -> None:
    pages, _ = read(github)
    cursor = pages[-1].cursor
    assert [page.complete for page in pages] == [False, False, False, True]
    pages, requests = read(github, cursor)
    assert (requests, plans(pages)) == (1, {}), "of three pages, nothing is new"
    github.projects[0].moves[1005].append((BEGIN + 5 * DAY, SECOND.id))  # type: ignore[attr-defined]
    pages, _ = read(github, cursor)
    assert seen(plans(pages)["acme/shop#1005"]).sprint == "PVT_7/0b1e2f00"
    assert not pages[-1].complete, "only a first reading tells what is gone"
    hour_ago = {**cursor, "read_at": (datetime.fromisoformat(cursor["read_at"]) - timedelta(hours=1)).isoformat()}
    github.projects[0] = project()
    assert len(plans(read(github, hour_ago)[0])) == WISHES, "GitHub may forget to say that it changed"


def test_a_small_project_costs_three_requests_at_most(github: GitHubServer) -> None:
    github.projects[0] = project(wishes=200)
    cursor = read(github)[0][-1].cursor
    pages, requests = read(github, cursor)
    assert (requests, len(plans(pages))) == (3, 200)


@pytest.mark.parametrize("most", [1, 2, 3])
def test_a_reading_goes_on_from_any_page(github: GitHubServer, most: int) -> None:
    usual = by_id(drafts_of(read(github)[0]))
    started, _ = read(github, most=most)
    rest, _ = read(github, started[-1].cursor)
    assert by_id(drafts_of([*started, *rest])) == usual
    assert rest[-1].complete
    assert rest[-1].cursor.keys() == {"changed", "read_at", "pages"}


FAULTS: Mapping[str, Callable[[], Fault]] = {
    "429": lambda: Fault(faults.too_many_requests(retry_after=0), path="/graphql", times=2),
    "secondary limit": lambda: Fault(faults.secondary_limit(retry_after=0), path="/graphql"),
    "quota used up": lambda: Fault(faults.limit_used_up(seconds=1), path="/graphql", nth=2),
    "401 in the middle": lambda: Fault(faults.unauthorised(), path="/graphql", nth=3, times=2),
    "500": lambda: Fault(faults.server_error(), path="/graphql", times=3),
    "502": lambda: Fault(faults.bad_gateway(), path="/graphql", times=5),
    "cut connection": lambda: Fault(faults.cut_short(), path="/graphql", times=2),
    "half an answer": lambda: Fault(faults.truncated(), path="/graphql", nth=3, times=2),
    "a page for people": lambda: Fault(faults.html_page(), path="/graphql", nth=2),
    "a page repeated": lambda: Fault(faults.repeated_page(), path="/graphql", nth=4),
}


def test_under_every_fault_the_drafts_are_the_same(github: GitHubServer) -> None:
    of = connector(github, **SETTINGS)
    board = only_resource(of, ResourceKind.BOARD)
    usual = by_id(drafts_of(read(github)[0]))
    differing = []
    for name, fault in FAULTS.items():
        github.faults = [fault()]
        if by_id(read_despite_faults(of, board, Kind.SPRINT, now=LONG_AFTER)) != usual:
            differing.append(name)
    assert differing == []


def test_a_project_that_is_gone_is_said_so(github: GitHubServer) -> None:
    of = connector(github, **SETTINGS)
    board = only_resource(of, ResourceKind.BOARD)
    github.projects.clear()
    with ConnectionHttp(of, patience=QUICK) as http, pytest.raises(GoneError, match="no project acme: Shop"):
        list(of.fetch(http, board, Kind.SPRINT, {}, now=LONG_AFTER))


def test_the_test_of_the_connection_names_the_permission(github: GitHubServer) -> None:
    assert checks(github, **SETTINGS)["Iterations of projects"].works
    assert "Iterations of projects" not in checks(github)
    with GitHubServer(
        with_issues(1), tokens=[Token(TOKEN, "ada", lacks=frozenset({"organization_projects"}))]
    ) as limited:
        limited.projects.append(project(wishes=2))
        answer = checks(limited, **SETTINGS)["Iterations of projects"]
    assert not answer.works
    assert "“Projects: read”" in answer.remedy
    assert "read:project" in answer.remedy


def test_a_token_without_the_scope_is_refused_in_words(github: GitHubServer) -> None:
    message = "Your token has not been granted the required scopes to execute this query."
    refused = faults.Answer.of({"errors": [{"type": "INSUFFICIENT_SCOPES", "message": message}]})
    github.faults = [Fault(faults.instead(refused), path="/graphql", times=None)]
    with pytest.raises(PermanentError, match="has not been granted the required scopes"):
        read(github)


@pytest.fixture
def payload() -> dict[str, Any]:
    value = {"createdAt": "2026-03-02T09:00:00Z", "updatedAt": "2026-03-02T09:00:00Z", "creator": None}
    return {
        "project_item": {
            "id": "PVTI_1",
            "updatedAt": "2026-03-03T09:00:00Z",
            "iteration": {"iterationId": "381c7c80", **value},
            "estimate": {"number": 3, **value},
            "content": {
                "fullDatabaseId": "3402938471",
                "number": 12,
                "updatedAt": "2026-03-01T09:00:00Z",
                "repository": {"databaseId": 101, "nameWithOwner": "acme/shop"},
                "projectItems": {"totalCount": 1},
            },
        },
        "board": "PVT_7",
        "estimated": True,
    }


def item_of(payload: dict[str, Any]) -> WorkItemDraft:
    (draft,) = normalise_item(payload)
    return draft


def test_ids_of_issues_are_long(payload: dict[str, Any]) -> None:
    draft = item_of(payload)
    assert (draft.external_id, draft.key, draft.estimate) == ("3402938471", "acme/shop#12", 3.0)


@pytest.mark.parametrize("iteration", [{}, "381c7c80", {"iterationId": 7.5}])
def test_an_iteration_that_is_not_understood_is_unknown(payload: dict[str, Any], iteration: object) -> None:
    """It must not pass for an item that was taken out of its sprint."""
    payload["project_item"]["iteration"] = iteration
    assert seen(item_of(payload)).sprint is None


@pytest.mark.parametrize("number", [-1, 1e9, "3", True, None])
def test_an_estimate_that_is_not_understood_is_left_out(payload: dict[str, Any], number: object) -> None:
    payload["project_item"]["estimate"]["number"] = number
    draft = item_of(payload)
    assert draft.estimate is MISSING
    assert draft.left_out == ("project_item.estimate.number",)


@pytest.mark.parametrize(("projects", "estimate"), [(1, None), (2, MISSING)])
def test_an_emptied_estimate_may_be_in_another_project(
    payload: dict[str, Any], projects: int, estimate: object
) -> None:
    payload["project_item"]["estimate"] = None
    payload["project_item"]["content"]["projectItems"]["totalCount"] = projects
    assert item_of(payload).estimate == estimate


@pytest.mark.parametrize("field", ["updatedAt", "content"])
def test_a_renamed_field_is_named_in_the_error(payload: dict[str, Any], field: str) -> None:
    del payload["project_item"][field]
    with pytest.raises(SchemaError, match=field):
        normalise_item(payload)


def test_a_webhook_of_the_organisation_says_which_project_to_read() -> None:
    """https://docs.github.com/webhooks/webhook-events-and-payloads#projects_v2_item"""
    delivery = {"action": "edited", "projects_v2_item": {"id": 1, "project_node_id": "PVT_7", "content_type": "Issue"}}
    assert news_of("projects_v2_item", delivery) == ("PVT_7", Kind.SPRINT)
    assert records_of("projects_v2_item", delivery) == []
    assert news_of("projects_v2_item", {}) is None


def test_records_in_quarantine_can_be_replayed(payload: dict[str, Any]) -> None:
    of = GitHub(Settings({}, {}))
    assert of.replay("project_item", payload) == normalise_item(payload)
