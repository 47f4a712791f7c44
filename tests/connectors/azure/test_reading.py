"""Azure DevOps' streams: pages, what changes meanwhile, whatever fails on the way."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from urllib.parse import parse_qsl

import pytest

from demo.plan.delivery import DeliveryEvent, DeliveryHistory, EventKind, Incident, Urgency
from demo.providers import faults
from demo.providers.azure_server import AzureServer
from demo.providers.faults import Answer, Fault, Request
from demo.providers.simulated_server import SimulatedServer
from integrations.connectors.azure import deployments, lists, pull_requests, releases, work_items
from integrations.connectors.azure.connector import AzureDevOps
from integrations.connectors.base import FetchedResource, Page, Settings
from integrations.connectors.drafts import ProvidedParts, PullRequestDraft
from integrations.connectors.errors import ConnectorError, CredentialRefusedError, GoneError, PermanentError
from integrations.connectors.http import ConnectionHttp
from integrations.enums import Kind, PullRequestEventKind, PullRequestState, ResourceKind, ReviewState
from tests.connectors.github.histories import with_deployments, with_issues, with_runs
from tests.connectors.reading import (
    QUICK,
    TOKEN,
    assert_goes_on_from_any_page,
    by_id,
    drafts_of,
    faults_that_change,
    only_resource,
    read_despite_faults,
    read_pages,
)
from tests.demo.small_history import BEGIN, DAY, HOUR, MAX, MAYA, SHOP, small_history

KINDS = {
    Kind.PULL_REQUEST: ResourceKind.REPOSITORY,
    Kind.DEPLOYMENT: ResourceKind.PROJECT,
    Kind.PIPELINE_RUN: ResourceKind.PROJECT,
    Kind.WORK_ITEM: ResourceKind.PROJECT,
    Kind.INCIDENT: ResourceKind.PROJECT,
    Kind.SPRINT: ResourceKind.BOARD,
}
LISTS = {
    Kind.PULL_REQUEST: "/pullrequests\\?",
    Kind.DEPLOYMENT: "/environments",
    Kind.PIPELINE_RUN: "/builds\\?",
    Kind.WORK_ITEM: "/wit/wiql",
    Kind.INCIDENT: "/wit/wiql",
}
RULES = "Bug, severity=2 - High, tag=incident"
STREAMS = tuple(LISTS)
MINUTE = timedelta(minutes=1)
FAULTS: Mapping[str, Callable[[str], Fault]] = {
    "429": lambda path: Fault(faults.too_many_requests(retry_after=0), path=path, nth=2, times=2),
    "429 by X-RateLimit-Reset": lambda path: Fault(limited(), path=path, nth=2, times=1),
    "203 in the middle": lambda _: Fault(sign_in(), path="/_apis/", nth=4, times=2),
    "a redirect to sign in": lambda path: Fault(
        faults.redirect("https://spsprod.vssps.visualstudio.com/_signin"), path=path, nth=2
    ),
    "403 for a while": lambda path: Fault(faults.forbidden(), path=path, nth=2, times=1),
    "500": lambda _: Fault(faults.server_error(), path="/_apis/", nth=2, times=3),
    "502": lambda path: Fault(faults.bad_gateway(), path=path, nth=2, times=5),
    "cut connection": lambda path: Fault(faults.cut_short(), path=path, times=2),
    "half an answer": lambda _: Fault(faults.truncated(), path="/_apis/", nth=2, times=2),
    "a page for people": lambda path: Fault(faults.html_page(), path=path, nth=2, times=2),
    "a page repeated": lambda path: Fault(faults.repeated_page(), path=path, times=2),
}


def limited() -> faults.Effect:
    """https://learn.microsoft.com/azure/devops/integrate/concepts/rate-limits: the headers, and TF400733."""
    headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1700000000", "X-RateLimit-Delay": "1"}
    return faults.instead(
        Answer.of({"message": "TF400733: The request has been canceled."}, status=429, headers=headers)
    )


def sign_in() -> faults.Effect:
    """https://github.com/apache/incubator-devlake/blob/main/backend/plugins/azuredevops_go/tasks/shared.go: 203 is a
    refused token.
    """
    return faults.instead(Answer(203, b"<!DOCTYPE html><title>Sign In</title>", {"Content-Type": "text/html"}))


@pytest.fixture(autouse=True)
def _small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (lists, pull_requests, deployments, releases, work_items):
        monkeypatch.setattr(module, "PER_PAGE", 9)


@pytest.fixture
def azure() -> Iterator[AzureServer]:
    """The repository acme/shop with few records, each of which shows something."""
    with AzureServer(small_history(), token=TOKEN) as server:
        yield server


@pytest.fixture
def many() -> Iterator[AzureServer]:
    """Three pages of each list."""
    with AzureServer(many_records(), token=TOKEN, page=9) as server:
        yield server


def many_records() -> DeliveryHistory:
    """25 of each kind; what deploys is a build, too, and an incident a work item."""
    minutes = [BEGIN + number * MINUTE for number in range(1, 26)]
    runs = with_runs([at - 5 * MINUTE for at in minutes]).runs
    deployed = with_deployments([at - HOUR for at in minutes]).deployments
    deployed = tuple(replace(one, environment=f"east-{number % 3}") for number, one in enumerate(deployed))
    incidents = tuple(
        Incident(number, SHOP, f"Late {number}", Urgency.HIGH, at - HOUR, at - HOUR / 2, at)
        for number, at in enumerate(minutes)
    )
    return replace(with_issues(25), runs=runs, deployments=deployed, incidents=incidents, ends_at=BEGIN + DAY)


def connector(azure: AzureServer, **values: str) -> AzureDevOps:
    return AzureDevOps(Settings({"base_url": f"{azure.url}/", "incidents": RULES, **values}, {"token": TOKEN}))


def pages_of(azure: AzureServer, kind: Kind, cursor: Mapping[str, Any] | None = None) -> list[Page]:
    of = connector(azure)
    resource = only_resource(of, KINDS[kind])
    azure.requests.clear()
    return read_pages(of, resource, kind, cursor, now=azure.at)


def pull_request(azure: AzureServer, number: int) -> PullRequestDraft:
    drafts = drafts_of(pages_of(azure, Kind.PULL_REQUEST))
    return next(draft for draft in drafts if isinstance(draft, PullRequestDraft) and draft.number == number)


@pytest.mark.parametrize("kind", STREAMS)
def test_under_every_fault_the_drafts_are_the_same(many: AzureServer, kind: Kind) -> None:
    usual = by_id(drafts_of(pages_of(many, kind)))
    assert len(usual) == (50 if kind in (Kind.PIPELINE_RUN, Kind.WORK_ITEM) else 25)
    of = connector(many)
    resource = only_resource(of, KINDS[kind])
    faults = {name: fault(LISTS[kind]) for name, fault in FAULTS.items()}
    changed = faults_that_change(usual, many, faults, lambda: read_despite_faults(of, resource, kind, now=many.at))
    assert changed == []


@pytest.mark.parametrize("kind", STREAMS)
def test_a_reading_goes_on_from_any_page(many: AzureServer, kind: Kind) -> None:
    pages = pages_of(many, kind)
    assert (len(pages) > 1, pages[-1].left) == (True, 0)
    assert_goes_on_from_any_page(pages, lambda cursor: pages_of(many, kind, cursor))


@pytest.mark.parametrize(
    ("kind", "requests"), [(Kind.PIPELINE_RUN, 1), (Kind.DEPLOYMENT, 3), (Kind.WORK_ITEM, 1), (Kind.INCIDENT, 1)]
)
def test_nothing_new_brings_nothing_and_costs_little(many: AzureServer, kind: Kind, requests: int) -> None:
    *_, last = pages_of(many, kind)
    pages = pages_of(many, kind, last.cursor)
    assert [list(page.records) for page in pages if page.records or page.complete] == []
    assert len(many.requests) == requests


@pytest.mark.parametrize("kind", [Kind.PIPELINE_RUN, Kind.WORK_ITEM, Kind.INCIDENT])
def test_those_within_the_overlap_are_known(many: AzureServer, kind: Kind) -> None:
    many.advance(BEGIN + 26 * MINUTE)
    *_, last = pages_of(many, kind)
    pages = pages_of(many, kind, last.cursor)
    assert [page.records for page in pages if page.records] == []
    assert len(many.requests) <= 4  # pages have nine entries here


def test_the_newest_come_first(many: AzureServer) -> None:
    times = [
        draft.created_at
        for draft in drafts_of(pages_of(many, Kind.PULL_REQUEST))
        if isinstance(draft, PullRequestDraft)
    ]
    assert times == sorted(times, reverse=True)  # type: ignore[type-var]


def test_without_changes_pull_requests_cost_three_requests(azure: AzureServer) -> None:
    """Those that are active, those that ended since, and the threads of one: a comment changes no list."""
    *_, last = pages_of(azure, Kind.PULL_REQUEST)
    for _ in range(3):
        (page,) = pages_of(azure, Kind.PULL_REQUEST, last.cursor)
        assert (list(page.records), page.complete, len(azure.requests)) == ([], False, 3)
        last = page


def test_what_happened_since_is_read_and_nothing_else(azure: AzureServer) -> None:
    azure.advance(BEGIN + 6.5 * HOUR)  # before the merge of the first
    *_, last = pages_of(azure, Kind.PULL_REQUEST)
    azure.advance(BEGIN + DAY + 2 * HOUR)  # and another one is opened
    pages = pages_of(azure, Kind.PULL_REQUEST, last.cursor)
    assert {draft.number for draft in drafts_of(pages) if isinstance(draft, PullRequestDraft)} == {1002, 1003}
    assert drafts_of(pages_of(azure, Kind.PULL_REQUEST, pages[-1].cursor)) == []


def test_a_later_reading_goes_on_after_any_page(many: AzureServer) -> None:
    """All of them end at once: three pages of ten."""
    *_, last = pages_of(many, Kind.PULL_REQUEST)
    history = many_records()
    ended = tuple(
        replace(record, happenings=(DeliveryEvent(number, EventKind.CLOSED, BEGIN + HOUR, MAX),))
        for number, record in enumerate(history.pull_requests)
    )
    with AzureServer(replace(history, pull_requests=ended), token=TOKEN) as later:
        pages = pages_of(later, Kind.PULL_REQUEST, last.cursor)
        assert len(pages) == 4
        rest = pages_of(later, Kind.PULL_REQUEST, pages[0].cursor)
        assert by_id(drafts_of([pages[0], *rest])) == by_id(drafts_of(pages))
        assert len(drafts_of(rest)) == 15


def test_a_pull_request_has_its_votes_commits_events_and_comments(azure: AzureServer) -> None:
    merged = pull_request(azure, 1002)
    assert (merged.state, merged.merged_at) == (PullRequestState.MERGED, BEGIN + 7 * HOUR)
    assert isinstance(merged.reviews, ProvidedParts)
    assert [review.state for review in merged.reviews.parts] == [ReviewState.CHANGES_REQUESTED, ReviewState.APPROVED]
    assert isinstance(merged.commits, ProvidedParts)
    assert [commit.subject for commit in merged.commits.parts] == ["Weigh the basket", "Weigh it again"]
    assert [review.commit_sha for review in merged.reviews.parts] == [commit.sha for commit in merged.commits.parts]
    assert isinstance(merged.events, ProvidedParts)
    requested = PullRequestEventKind.REVIEW_REQUESTED
    assert [(event.kind, event.team) for event in merged.events.parts] == [(requested, ""), (requested, "checkout")]
    assert (merged.comment_count, merged.review_comment_count) == (1, 2)


def test_force_pushes_are_the_iterations_of_that_reason(azure: AzureServer) -> None:
    pushed = pull_request(azure, 1003)
    assert isinstance(pushed.events, ProvidedParts)
    assert [(event.kind, event.at) for event in pushed.events.parts] == [
        (PullRequestEventKind.FORCE_PUSHED, BEGIN + 2 * DAY)
    ]


def test_texts_of_comments_are_not_kept(azure: AzureServer) -> None:
    payloads = [record.payload for page in pages_of(azure, Kind.PULL_REQUEST) for record in page.records]
    assert not {"content", "threadContext"} & {name for payload in payloads for name in _names(payload["threads"])}


def _names(document: Any) -> Iterator[str]:
    if isinstance(document, dict):
        for name, value in document.items():
            yield name
            yield from _names(value)
    elif isinstance(document, list):
        for item in document:
            yield from _names(item)


def test_a_message_that_a_list_cuts_is_read_whole(azure: AzureServer) -> None:
    """Trailers, which name agents, stand at its end."""
    cut = {"comment": "Weigh", "commentTruncated": True, "commitId": "c" * 40}
    whole = {"comment": "Weigh\n\nCo-authored-by: Claude <noreply@anthropic.com>"}
    listed = faults.instead(Answer.of({"value": [cut]}))
    azure.faults = [
        Fault(listed, path="/1002/commits"),
        Fault(faults.instead(Answer.of(whole)), path=f"/commits/{'c' * 40}"),
    ]
    commits = pull_request(azure, 1002).commits
    assert isinstance(commits, ProvidedParts)
    assert [commit.agents for commit in commits.parts] == [("claude_code",)]


def test_one_that_is_gone_after_it_was_listed_is_left_out(azure: AzureServer) -> None:
    azure.faults = [Fault(faults.not_found(), path="/pullrequests/1002", times=None)]
    numbers = {draft.number for draft in drafts_of(pages_of(azure, Kind.PULL_REQUEST)) if hasattr(draft, "number")}
    assert numbers == {1003, 1004, 1005, 1006}


# The commonest complaints about other tools' connectors ---------------------------------------------------------------


def test_a_comment_after_the_end_is_found_within_a_round(azure: AzureServer) -> None:
    """apache/devlake 8255: what was said after the merge was missing.  Lists do not show it, so one is looked at in
    each reading.
    """
    history = small_history()
    (merged,) = (record for record in history.pull_requests if record.number == 2)
    late = DeliveryEvent(900, EventKind.COMMENTED, BEGIN + 10 * DAY, MAYA, text="Thanks")
    others = tuple(record for record in history.pull_requests if record.number != 2)
    history = replace(history, pull_requests=(replace(merged, happenings=(*merged.happenings, late)), *others))
    with AzureServer(history, token=TOKEN, at=late.at - HOUR) as later:
        *_, last = pages_of(later, Kind.PULL_REQUEST)
        later.advance(late.at + HOUR)
        found: list[Any] = []
        for _ in range(5):
            *_, last = pages = pages_of(later, Kind.PULL_REQUEST, last.cursor)
            found += drafts_of(pages)
    assert [(draft.number, draft.state, draft.comment_count) for draft in found] == [(1002, PullRequestState.MERGED, 2)]


def test_every_page_of_a_list_is_read_by_its_continuation_token(azure: AzureServer) -> None:
    """https://github.com/microsoft/azure-devops-node-api/issues/609: clients drop the token, and read one page."""
    history = small_history()
    (first, *others) = history.pull_requests
    commits = tuple(replace(first.commits[0], sha=f"{number:040x}") for number in range(25))
    history = replace(history, pull_requests=(replace(first, commits=commits, happenings=()), *others))
    with AzureServer(history, token=TOKEN, page=10) as server:
        assert pull_request(server, 1002).commit_count == 25


def test_a_disabled_repository_does_not_stop_the_others(azure: AzureServer) -> None:
    """Its pull requests are answered with 404, whatever the permissions."""
    of = connector(azure)
    shop = only_resource(of, ResourceKind.REPOSITORY)
    off = replace(shop, details={**shop.details, "disabled": True})
    azure.requests.clear()
    (page,) = read_pages(of, off, Kind.PULL_REQUEST, {"since": "2026-03-02T09:00:00Z"}, now=azure.at)
    assert (page.records, page.cursor, azure.requests) == ((), {"since": "2026-03-02T09:00:00Z"}, [])


# The form -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("projects", "found"), [("", 1), ("ACME", 1), ("other", 0)])
def test_repositories_are_those_of_the_projects(azure: AzureServer, projects: str, found: int) -> None:
    of = connector(azure, projects=projects)
    with ConnectionHttp(of, patience=QUICK) as http:
        repositories = [one for one in of.resources(http) if one.kind is ResourceKind.REPOSITORY]
    assert [one.name for one in repositories] == ["acme/shop"] * found


def test_projects_are_read_to_the_last_page(azure: AzureServer) -> None:
    pages = [
        Answer.of(
            {"value": [{"id": str(number), "name": f"p{number}"}]}, headers={"x-ms-continuationtoken": str(number)}
        )
        for number in range(3)
    ]
    azure.faults = [
        Fault(faults.instead(page), path="/_apis/projects", nth=number) for number, page in enumerate(pages, 1)
    ]
    of = connector(azure)
    with ConnectionHttp(of, patience=QUICK) as http:
        names = [one.name for one in of.resources(http) if one.kind is ResourceKind.PROJECT]
    assert names == ["p0", "p1", "p2"]


def test_the_check_names_every_scope_and_what_is_missing(azure: AzureServer) -> None:
    of = connector(azure)
    with ConnectionHttp(of, patience=QUICK) as http:
        assert [permission.what for permission in of.check(http) if permission.works] == [
            "Projects",
            "Pull requests",
            "Work items",
            "Builds",
            "Environments",
            "Classic releases",
        ]
        azure.faults = [Fault(faults.forbidden(), path="/pullrequests", times=None)]
        missing = next(permission for permission in of.check(http) if permission.what == "Pull requests")
    assert (missing.works, "Code (read)" in missing.remedy) == (False, True)


def test_a_project_that_the_token_does_not_see_is_named(azure: AzureServer) -> None:
    of = connector(azure, projects="acme, orchard")
    with ConnectionHttp(of, patience=QUICK) as http:
        (projects, *_) = of.check(http)
    assert (projects.works, "orchard" in projects.remedy, "acme" in projects.remedy) == (False, True, False)


@pytest.mark.parametrize(
    ("effect", "error"),
    [
        (faults.unauthorised(), CredentialRefusedError),
        (sign_in(), CredentialRefusedError),
        (faults.redirect("https://spsprod.vssps.visualstudio.com/_signin?realm=dev.azure.com"), CredentialRefusedError),
        (faults.redirect("https://elsewhere.example.com/"), PermanentError),
        (faults.forbidden(), PermanentError),
        (faults.not_found(), GoneError),
        (faults.html_page(), ConnectorError),
    ],
)
def test_what_nothing_works_for_has_a_cause(
    azure: AzureServer, effect: faults.Effect, error: type[ConnectorError]
) -> None:
    of = connector(azure)
    azure.faults = [Fault(effect, path="/_apis/", times=None)]
    with ConnectionHttp(of, patience=QUICK) as http, pytest.raises(error):
        of.check(http)


def test_a_mirror_is_cloned_from_the_connections_own_host_alone(azure: AzureServer) -> None:
    of = connector(azure)
    shop = only_resource(of, ResourceKind.REPOSITORY)
    with ConnectionHttp(of, patience=QUICK) as http:
        assert of.clone_address(http, shop).url == f"{azure.url}/acme/_git/{SHOP.name}"
        elsewhere = FetchedResource(shop.kind, shop.external_id, shop.name, {"html_url": "https://evil.example.com/x"})
        with pytest.raises(PermanentError, match="evil"):
            of.clone_address(http, elsewhere)


# Service principals and webhooks --------------------------------------------------------------------------------------


class Entra(SimulatedServer):
    """Microsoft's token endpoint, for one client."""

    def answer_of(self, request: Request) -> Answer:
        sent = dict(parse_qsl(request.body.decode()))
        if (sent["client_id"], sent["client_secret"], sent["grant_type"]) != ("app", TOKEN, "client_credentials"):
            message = "AADSTS7000215: Invalid client secret provided."
            return Answer.of({"error": "invalid_client", "error_description": message}, status=401)
        assert request.path == "/contoso/oauth2/v2.0/token"
        return Answer.of({"token_type": "Bearer", "expires_in": 3599, "access_token": "entra-token"})

    def advance(self, to: Any) -> None: ...


@pytest.mark.parametrize(("client_id", "works"), [("app", True), ("another", False)])
def test_a_service_principal_exchanges_its_secret_for_a_token(
    azure: AzureServer, monkeypatch: pytest.MonkeyPatch, client_id: str, works: bool
) -> None:
    """https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow"""
    azure.accepts = "Bearer entra-token"
    with Entra("Entra") as entra:
        monkeypatch.setattr("integrations.connectors.azure.connector.LOGIN", entra.url)
        of = connector(azure, tenant="contoso", client_id=client_id)
        with ConnectionHttp(of, patience=QUICK) as http:
            if works:
                assert all(permission.works for permission in of.check(http))
                return
            with pytest.raises(CredentialRefusedError, match="Invalid client secret"):
                of.check(http)


def test_a_tenant_without_a_client_is_a_mistake_in_the_form() -> None:
    assert "client_id" in AzureDevOps.mistakes({"tenant": "contoso"})
    assert AzureDevOps.mistakes({"tenant": "contoso", "client_id": "app"}) == {}


def test_only_tokens_of_people_end() -> None:
    cloud = {"base_url": "https://dev.azure.com/acme"}
    (end,) = AzureDevOps(Settings(cloud, {})).ends()
    assert end.ends_on == date(2026, 12, 1)
    assert AzureDevOps(Settings({**cloud, "tenant": "contoso"}, {})).ends() == ()
    assert AzureDevOps(Settings({"base_url": "https://azure.example.com/Acme"}, {})).ends() == ()


def basic(password: str) -> dict[str, str]:
    return {"authorization": f"Basic {b64encode(f'headway:{password}'.encode()).decode()}"}


@pytest.mark.parametrize(
    ("headers", "secret", "accepted"),
    [
        (basic("s3cret"), "s3cret", True),
        (basic("other"), "s3cret", False),
        (basic(""), "", False),
        ({"authorization": "Basic ???"}, "s3cret", False),
        ({"authorization": "Bearer s3cret"}, "s3cret", False),
        ({}, "s3cret", False),
    ],
)
def test_a_delivery_has_the_secret_as_its_password(
    azure: AzureServer, headers: dict[str, str], secret: str, accepted: bool
) -> None:
    body = b'{"id": "a0a0", "eventType": "build.complete"}'
    arrival = connector(azure).arrival(headers, body, secret)
    assert (arrival is not None) == accepted
    if arrival is not None:
        assert (arrival.delivery_id, arrival.event) == ("a0a0", "build.complete")


CONTAINERS = {"project": {"id": "p1"}, "collection": {"id": "c1"}}


@pytest.mark.parametrize(
    ("payload", "news"),
    [
        ({"eventType": "git.pullrequest.updated", "resource": {"repository": {"id": "r1"}}}, ("r1", Kind.PULL_REQUEST)),
        (
            {
                "eventType": "ms.vss-code.git-pullrequest-comment-event",
                "resource": {"pullRequest": {"repository": {"id": "r1"}}},
            },
            ("r1", Kind.PULL_REQUEST),
        ),
        ({"eventType": "workitem.updated", "resourceContainers": CONTAINERS}, ("p1", Kind.WORK_ITEM)),
        ({"eventType": "build.complete", "resourceContainers": CONTAINERS}, ("p1", Kind.PIPELINE_RUN)),
        (
            {"eventType": "ms.vss-pipelines.stage-state-changed-event", "resourceContainers": CONTAINERS},
            ("p1", Kind.DEPLOYMENT),
        ),
        ({"eventType": "build.complete"}, None),
        ({"eventType": "tfvc.checkin", "resourceContainers": CONTAINERS}, None),
        ({}, None),
    ],
)
def test_a_delivery_says_what_to_read(azure: AzureServer, payload: dict[str, Any], news: Any) -> None:
    """https://learn.microsoft.com/azure/devops/service-hooks/events has a payload of each event."""
    of = connector(azure)
    event = payload.get("eventType", "")
    assert of.news(event, payload) == news
    assert of.deliveries(event, payload) == (None if news is None else ())
