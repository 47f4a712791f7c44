"""GitLab's streams: pages, what changes meanwhile, whatever fails on the way."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from demo.plan.delivery import DeliveryEvent, DeliveryHistory, EventKind, Incident, Urgency
from demo.providers import faults
from demo.providers.faults import Answer, Fault
from demo.providers.gitlab_server import GitLabServer
from integrations.connectors.base import FetchedResource, Page, Settings
from integrations.connectors.drafts import MISSING, CommitDraft, ProvidedParts, PullRequestDraft
from integrations.connectors.errors import Cause, ConnectorError, CredentialRefusedError, GoneError, PermanentError
from integrations.connectors.gitlab.connector import GitLab
from integrations.connectors.gitlab.group_changes import forget
from integrations.connectors.http import ConnectionHttp
from integrations.enums import Kind, PullRequestEventKind, PullRequestState, ResourceKind, ReviewState
from tests.connectors.github.histories import pull_request, with_deployments, with_issues, with_runs
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
from tests.demo.small_history import BEGIN, DAY, HOUR, MAX, SHOP, commit, small_history

LISTS = {
    Kind.PULL_REQUEST: "/merge_requests\\?",
    Kind.DEPLOYMENT: "/deployments\\?",
    Kind.PIPELINE_RUN: "/pipelines\\?",
    Kind.WORK_ITEM: "/issues\\?",
    Kind.INCIDENT: "/issues\\?",
    Kind.COMMIT: "/repository/commits\\?(.*&)?page=",  # without the request for the head
}
STREAMS = tuple(LISTS)
MINUTE = timedelta(minutes=1)
FAULTS: Mapping[str, Callable[[str], Fault]] = {
    "429": lambda path: Fault(faults.too_many_requests(retry_after=0), path=path, nth=2, times=2),
    "429 by RateLimit-Reset": lambda path: Fault(limited(), path=path, nth=2, times=1),
    "401 in the middle": lambda _: Fault(faults.unauthorised(), path="/projects/", nth=3, times=2),
    "403 for a while": lambda path: Fault(faults.forbidden(), path=path, nth=2, times=1),
    "500": lambda _: Fault(faults.server_error(), path="/projects/", nth=2, times=3),
    "502": lambda path: Fault(faults.bad_gateway(), path=path, nth=2, times=5),
    "cut connection": lambda path: Fault(faults.cut_short(), path=path, times=2),
    "half an answer": lambda _: Fault(faults.truncated(), path="/projects/", nth=2, times=2),
    "a page for people": lambda path: Fault(faults.html_page(), path=path, nth=2, times=2),
    "a page repeated": lambda path: Fault(faults.repeated_page(), path=path, times=2),
}


def limited() -> faults.Effect:
    """GitLab's own headers, of a limit that is renewed at once: epoch seconds."""
    headers = {"RateLimit-Limit": "2000", "RateLimit-Remaining": "0", "RateLimit-Reset": "1700000000"}
    return faults.instead(Answer(429, b"Retry later\n", {"Content-Type": "text/plain", **headers}))


@pytest.fixture(autouse=True)
def _nothing_kept() -> None:
    forget()


@pytest.fixture
def gitlab() -> Iterator[GitLabServer]:
    """The project acme/shop with few records, each of which shows something."""
    with GitLabServer(small_history(), token=TOKEN) as server:
        yield server


@pytest.fixture
def many() -> Iterator[GitLabServer]:
    """Three pages of each list, on a tier with iterations and weights; a server may give less than is asked for."""
    with GitLabServer(many_records(), token=TOKEN, page=9, teams={"shop": "Shop"}) as server:
        yield server


def many_records() -> DeliveryHistory:
    """25 of each kind, the last of which changed 25 minutes after the beginning."""
    minutes = [BEGIN + number * MINUTE for number in range(1, 26)]
    runs = with_runs([at - 5 * MINUTE for at in minutes]).runs
    deployments = with_deployments([at - HOUR for at in minutes]).deployments
    incidents = tuple(
        Incident(number, SHOP, f"Late {number}", Urgency.HIGH, at - HOUR, at - HOUR / 2, at)
        for number, at in enumerate(minutes)
    )
    history = replace(with_issues(25), runs=runs, deployments=deployments, incidents=incidents)
    return replace(history, commits={"shop": tuple(commit(f"Step {at}", at) for at in minutes)})


def connector(gitlab: GitLabServer, **values: str) -> GitLab:
    return GitLab(Settings({"base_url": f"{gitlab.url}/", **values}, {"token": TOKEN}))


def pages_of(gitlab: GitLabServer, kind: Kind, cursor: Mapping[str, Any] | None = None) -> list[Page]:
    of = connector(gitlab)
    shop = only_resource(of, ResourceKind.REPOSITORY)
    gitlab.requests.clear()
    return read_pages(of, shop, kind, cursor, now=gitlab.at)


def merge_request(gitlab: GitLabServer, number: int) -> PullRequestDraft:
    drafts = drafts_of(pages_of(gitlab, Kind.PULL_REQUEST))
    return next(draft for draft in drafts if isinstance(draft, PullRequestDraft) and draft.number == number)


@pytest.mark.parametrize("kind", STREAMS)
def test_under_every_fault_the_drafts_are_the_same(many: GitLabServer, kind: Kind) -> None:
    usual = by_id(drafts_of(pages_of(many, kind)))
    assert len(usual) == 25
    of = connector(many)
    shop = only_resource(of, ResourceKind.REPOSITORY)
    faults = {name: fault(LISTS[kind]) for name, fault in FAULTS.items()}
    changed = faults_that_change(usual, many, faults, lambda: read_despite_faults(of, shop, kind, now=many.at))
    assert changed == []


@pytest.mark.parametrize("kind", STREAMS)
def test_a_reading_goes_on_from_any_page(many: GitLabServer, kind: Kind) -> None:
    pages = pages_of(many, kind)
    assert (len(pages) > 2, pages[-1].left) == (True, 0)
    assert_goes_on_from_any_page(pages, lambda cursor: pages_of(many, kind, cursor))


@pytest.mark.parametrize("kind", STREAMS)
def test_nothing_new_costs_one_request_and_brings_nothing(many: GitLabServer, kind: Kind) -> None:
    many.advance(BEGIN + 25 * MINUTE + 3 * MINUTE)  # the last ones lie within the overlap
    *_, last = pages_of(many, kind)
    (page,) = pages_of(many, kind, last.cursor)
    assert (list(page.records), page.complete, len(many.requests)) == ([], False, 1)


def test_commits_that_were_added_are_read_and_after_a_rewrite_all_of_them(many: GitLabServer) -> None:
    many.advance(BEGIN + 20 * MINUTE)
    *_, last = pages_of(many, Kind.COMMIT)
    many.advance(BEGIN + 25 * MINUTE)
    added = drafts_of(pages_of(many, Kind.COMMIT, last.cursor))
    assert [draft.message for draft in added if isinstance(draft, CommitDraft)] == [
        f"Step {BEGIN + number * MINUTE}" for number in range(25, 20, -1)
    ]
    assert len(drafts_of(pages_of(many, Kind.COMMIT, {"head": "f" * 40}))) == 25


def test_an_empty_repository_has_no_commits(gitlab: GitLabServer) -> None:
    gitlab.faults = [Fault(faults.not_found(), path="/repository/commits", times=None)]
    (page,) = pages_of(gitlab, Kind.COMMIT)
    assert (page.records, page.cursor) == ((), {})


def test_a_mirror_is_cloned_from_the_connections_own_host_alone(gitlab: GitLabServer) -> None:
    of = connector(gitlab)
    shop = only_resource(of, ResourceKind.REPOSITORY)
    with ConnectionHttp(of, patience=QUICK) as http:
        assert of.clone_address(http, shop).url == f"{gitlab.url}/acme/shop.git"
        elsewhere = replace(shop, details={"html_url": "https://evil.example.com/acme/shop"})
        with pytest.raises(PermanentError, match="evil"):
            of.clone_address(http, elsewhere)


def test_the_newest_come_first(many: GitLabServer) -> None:
    times = [draft.updated_at for draft in drafts_of(pages_of(many, Kind.PULL_REQUEST))]
    assert times == sorted(times, reverse=True)  # type: ignore[type-var]


def test_records_that_changed_at_the_same_moment_are_all_read_once() -> None:
    """More of them than a page has, as after a bulk edit: then pages are counted."""
    requests = tuple(replace(pull_request(number), created_at=BEGIN) for number in range(1, 31))
    with GitLabServer(replace(small_history(), pull_requests=requests), token=TOKEN, page=7) as gitlab:
        drafts = drafts_of(pages_of(gitlab, Kind.PULL_REQUEST))
    assert sorted(int(draft.external_id) for draft in drafts) == [10_000 + number for number in range(1, 31)]


def test_a_comment_within_the_minute_that_leaves_the_time_of_change_is_read(gitlab: GitLabServer) -> None:
    """https://github.com/python-gitlab/python-gitlab/issues/743"""
    gitlab.advance(BEGIN + 7 * HOUR + timedelta(seconds=20))  # after the merge of the first
    *_, last = pages_of(gitlab, Kind.PULL_REQUEST)
    again = pages_of(gitlab, Kind.PULL_REQUEST, last.cursor)
    assert [draft.number for draft in drafts_of(again) if isinstance(draft, PullRequestDraft)] == [2]


def test_a_merge_request_has_its_reviews_commits_events_and_lines(gitlab: GitLabServer) -> None:
    merged = merge_request(gitlab, 2)
    assert (merged.state, merged.merged_at) == (PullRequestState.MERGED, BEGIN + 7 * HOUR)
    assert isinstance(merged.reviews, ProvidedParts)
    assert [review.state for review in merged.reviews.parts] == [ReviewState.CHANGES_REQUESTED, ReviewState.APPROVED]
    assert isinstance(merged.commits, ProvidedParts)
    assert [commit.subject for commit in merged.commits.parts] == ["Weigh the basket", "Weigh it again"]
    assert isinstance(merged.events, ProvidedParts)
    assert [event.kind for event in merged.events.parts] == [PullRequestEventKind.REVIEW_REQUESTED]
    assert (merged.additions, merged.deletions, merged.comment_count, merged.review_comment_count) == (14, 4, 1, 2)


def test_texts_of_comments_are_not_kept(gitlab: GitLabServer) -> None:
    (record,) = [
        record
        for page in pages_of(gitlab, Kind.PULL_REQUEST)
        for record in page.records
        if record.payload["merge_request"]["iid"] == 2
    ]
    assert {note["body"] for note in record.payload["notes"] if "body" in note} == {
        "requested review from @maya",
        "requested changes",
        "added 1 commit",
        "approved this merge request",
    }


def test_without_graphql_lines_are_unknown_and_the_rest_is_read(gitlab: GitLabServer) -> None:
    gitlab.faults = [Fault(faults.forbidden(), path="graphql", times=None)]
    merged = merge_request(gitlab, 2)
    assert (merged.additions, merged.commit_count) == (MISSING, 2)


def test_one_that_was_deleted_after_it_was_listed_is_left_out(gitlab: GitLabServer) -> None:
    gitlab.faults = [Fault(faults.not_found(), path="/merge_requests/2/", times=None)]
    numbers = {draft.number for draft in drafts_of(pages_of(gitlab, Kind.PULL_REQUEST)) if hasattr(draft, "number")}
    assert numbers == {3, 4, 5, 6}


# The commonest complaints about other tools' connectors ---------------------------------------------------------------


def test_what_happens_after_the_merge_is_read(gitlab: GitLabServer) -> None:
    """apache/devlake 8255: comments and commits of merged requests were missing."""
    history = small_history()
    (merged,) = (record for record in history.pull_requests if record.number == 2)
    late = DeliveryEvent(900, EventKind.COMMENTED, BEGIN + 10 * DAY, MAX, text="Thanks")
    others = tuple(record for record in history.pull_requests if record.number != 2)
    history = replace(history, pull_requests=(replace(merged, happenings=(*merged.happenings, late)), *others))
    with GitLabServer(history, token=TOKEN, at=late.at - HOUR) as later:
        *_, last = pages_of(later, Kind.PULL_REQUEST)
        later.advance(late.at + HOUR)
        (found,) = drafts_of(pages_of(later, Kind.PULL_REQUEST, last.cursor))
    assert isinstance(found, PullRequestDraft)
    assert (found.number, found.state, found.comment_count) == (2, PullRequestState.MERGED, 2)
    assert isinstance(found.commits, ProvidedParts)
    assert len(found.commits.parts) == 2


def test_a_thousand_projects_without_changes_cost_a_request_together() -> None:
    """apache/devlake 8181: a thousand projects took days."""
    shops = tuple(replace(SHOP, id=number, name=f"shop-{number}") for number in range(1, 1001))
    late = replace(pull_request(1), repository=shops[7], created_at=BEGIN + DAY + MINUTE)
    history = replace(
        small_history(), repositories=shops, pull_requests=(late,), commits={}, issues=(), ends_at=BEGIN + DAY
    )
    with GitLabServer(history, token=TOKEN) as gitlab:
        of = connector(gitlab)
        with ConnectionHttp(of, patience=QUICK) as http:
            projects = list(of.resources(http))
            fetched = [FetchedResource(one.kind, one.external_id, one.name, one.details) for one in projects]
            (first,) = of.fetch(http, fetched[0], Kind.PULL_REQUEST, {}, now=gitlab.at)
            gitlab.advance(late.created_at + MINUTE)
            forget()
            gitlab.requests.clear()
            found = {
                project.external_id: page
                for project in fetched
                for page in of.fetch(http, project, Kind.PULL_REQUEST, first.cursor, now=gitlab.at)
            }
        assert [number for number, page in found.items() if page.records] == ["8"]
        lists = [request.path for request in gitlab.requests if "/merge_requests?" in request.path]
        assert [path.split("?")[0] for path in lists] == ["/groups/acme/merge_requests", "/projects/8/merge_requests"]
        assert all(page.cursor["since"] > first.cursor["since"] for page in found.values())


def test_a_token_of_one_project_reads_without_its_group(many: GitLabServer) -> None:
    many.faults = [Fault(faults.not_found(), path="/groups/", times=None)]
    *_, last = pages_of(many, Kind.PULL_REQUEST)
    many.advance(many.at + MINUTE)
    (page,) = pages_of(many, Kind.PULL_REQUEST, last.cursor)
    assert (page.records, len(many.requests)) == ([], 2)
    (page,) = pages_of(many, Kind.PULL_REQUEST, page.cursor)
    assert (page.records, len(many.requests)) == ([], 1)  # the group is not tried each time


# The form -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("groups", ["", "acme"])
def test_projects_are_those_of_the_token_or_of_the_groups(gitlab: GitLabServer, groups: str) -> None:
    of = connector(gitlab, groups=groups)
    with ConnectionHttp(of, patience=QUICK) as http:
        (shop,) = (resource for resource in of.resources(http) if resource.kind is ResourceKind.REPOSITORY)
    assert (shop.external_id, shop.name, shop.details["group"]) == ("101", "acme/shop", "acme")
    path = next(request.path for request in gitlab.requests if "projects" in request.path)
    assert ("pagination=keyset" in path, "include_subgroups" in path) == (not groups, bool(groups))


def test_a_list_by_keyset_is_read_to_its_end_whatever_the_server_calls_itself(gitlab: GitLabServer) -> None:
    history = small_history()
    (shop,) = history.repositories
    shops = tuple(replace(shop, id=2**53 + number, name=f"shop-{number}") for number in range(25))
    with GitLabServer(replace(history, repositories=shops), token=TOKEN, page=10) as server:
        of = connector(server)
        with ConnectionHttp(of, patience=QUICK) as http:
            listed = [one.external_id for one in of.resources(http) if one.kind is ResourceKind.REPOSITORY]
    assert listed == [str(2**53 + number) for number in reversed(range(25))]


def test_the_check_names_every_permission_and_what_is_missing(gitlab: GitLabServer) -> None:
    of = connector(gitlab)
    scope = {"error": "insufficient_scope", "error_description": "The request requires higher privileges."}
    refused = Answer.of(scope, status=403)
    with ConnectionHttp(of, patience=QUICK) as http:
        assert [permission.what for permission in of.check(http) if permission.works] == [
            "Projects",
            "Merge requests",
            "Pipelines and jobs",
            "Deployments",
            "Environments",
            "Issues and incidents",
            "GraphQL, for lines and approvals",
        ]
        gitlab.faults = [Fault(faults.instead(refused), path="/merge_requests", times=None)]
        missing = next(permission for permission in of.check(http) if permission.what == "Merge requests")
    assert (missing.works, "higher privileges" in missing.remedy) == (False, True)
    assert "read_api" in missing.remedy
    assert "Reporter" in missing.remedy


@pytest.mark.parametrize(
    ("effect", "error", "cause"),
    [
        (faults.unauthorised(), CredentialRefusedError, Cause.REFUSED),
        (faults.forbidden(), PermanentError, Cause.REFUSED),
        (faults.not_found(), GoneError, None),  # the test of a connection takes it for a wrong address
        (faults.html_page(), ConnectorError, Cause.WRONG_ADDRESS),
        (faults.held(QUICK.read + 1), ConnectorError, Cause.UNREACHABLE),
    ],
)
def test_why_nothing_works_has_one_of_three_causes(
    gitlab: GitLabServer, effect: faults.Effect, error: type[ConnectorError], cause: Cause | None
) -> None:
    of = connector(gitlab)
    gitlab.faults = [Fault(effect, path="/user", times=None)]
    with ConnectionHttp(of, patience=replace(QUICK, read=0.5, tries=1)) as http, pytest.raises(error) as raised:
        of.check(http)
    assert raised.value.cause == cause
