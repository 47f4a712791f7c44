"""Gitea's pull requests and issues: pages, what changes meanwhile, whatever fails on the way."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from demo.plan.delivery import DeliveryEvent, EventKind
from demo.providers import faults
from demo.providers.faults import Fault
from demo.providers.gitea_server import GiteaServer
from integrations.connectors.base import Arrival, Page, Settings
from integrations.connectors.drafts import ProvidedParts, PullRequestDraft, WorkItemDraft
from integrations.connectors.errors import TransientError
from integrations.connectors.gitea.connector import Gitea
from integrations.connectors.http import ConnectionHttp
from integrations.enums import Kind, PullRequestEventKind, PullRequestState, ResourceKind, ReviewState
from tests.connectors.github.histories import with_issues
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
from tests.demo.small_history import BEGIN, DAY, HOUR, MAX, small_history

STREAMS = Gitea.kinds[ResourceKind.REPOSITORY]
FAULTS: Mapping[str, Callable[[], Fault]] = {
    "429": lambda: Fault(faults.too_many_requests(retry_after=0), path="/issues", nth=2, times=2),
    "401 in the middle": lambda: Fault(faults.unauthorised(), path="/repos/", nth=3, times=2),
    "500": lambda: Fault(faults.server_error(), path="/repos/", nth=2, times=3),
    "502": lambda: Fault(faults.bad_gateway(), path="/issues", nth=2, times=5),
    "cut connection": lambda: Fault(faults.cut_short(), path="/issues", times=2),
    "half an answer": lambda: Fault(faults.truncated(), path="/timeline", nth=2, times=2),
    "a page for people": lambda: Fault(faults.html_page(), path="/issues", nth=2, times=2),
    "a page repeated": lambda: Fault(faults.repeated_page(), path="/issues\\?", times=2),
}


@pytest.fixture
def gitea() -> Iterator[GiteaServer]:
    """The repository acme/shop with few records, each of which shows something."""
    with GiteaServer(small_history(), token=TOKEN) as server:
        yield server


@pytest.fixture
def many() -> Iterator[GiteaServer]:
    """Three pages of each list; a server may give less than is asked for."""
    with GiteaServer(with_issues(25), token=TOKEN, page=9) as server:
        yield server


def connector(gitea: GiteaServer) -> Gitea:
    return Gitea(Settings({"base_url": f"{gitea.url}/"}, {"token": TOKEN}))


def pages_of(gitea: GiteaServer, kind: Kind, cursor: Mapping[str, Any] | None = None) -> list[Page]:
    of = connector(gitea)
    shop = only_resource(of, ResourceKind.REPOSITORY)
    gitea.requests.clear()
    return read_pages(of, shop, kind, cursor, now=gitea.at)


def pull_request(gitea: GiteaServer, number: int) -> PullRequestDraft:
    drafts = drafts_of(pages_of(gitea, Kind.PULL_REQUEST))
    return next(draft for draft in drafts if isinstance(draft, PullRequestDraft) and draft.number == number)


@pytest.mark.parametrize("kind", STREAMS)
def test_under_every_fault_the_drafts_are_the_same(many: GiteaServer, kind: Kind) -> None:
    pages = pages_of(many, kind)
    usual = by_id(drafts_of(pages))
    assert (len(usual), len(pages)) == (25, 3)
    assert [(page.complete, page.left) for page in pages] == [(False, 16), (False, 7), (True, 0)]
    of = connector(many)
    shop = only_resource(of, ResourceKind.REPOSITORY)
    faults = {name: fault() for name, fault in FAULTS.items()}
    changed = faults_that_change(usual, many, faults, lambda: read_despite_faults(of, shop, kind, now=many.at))
    assert changed == []


@pytest.mark.parametrize("kind", STREAMS)
def test_a_reading_goes_on_from_any_page(many: GiteaServer, kind: Kind) -> None:
    pages = pages_of(many, kind)
    assert_goes_on_from_any_page(pages, lambda cursor: pages_of(many, kind, cursor))


@pytest.mark.parametrize("kind", STREAMS)
def test_nothing_new_costs_one_request_and_brings_nothing(gitea: GiteaServer, kind: Kind) -> None:
    gitea.advance(BEGIN + 4 * DAY + 2 * HOUR + timedelta(minutes=1))  # a minute after the last change
    *_, last = pages_of(gitea, kind)
    (page,) = pages_of(gitea, kind, last.cursor)
    assert (page.records, page.complete, len(gitea.requests)) == ([], False, 1)


def test_what_changed_since_is_read_again() -> None:
    closed = DeliveryEvent(900, EventKind.CLOSED, BEGIN + 10 * DAY, MAX)
    history = small_history()
    draft = next(pull for pull in history.pull_requests if pull.number == 5)
    others = [pull for pull in history.pull_requests if pull.number != 5]
    draft = replace(draft, happenings=(*draft.happenings, closed))
    history = replace(history, pull_requests=(*others, draft))
    with GiteaServer(history, token=TOKEN, at=closed.at - HOUR) as gitea:
        *_, last = pages_of(gitea, Kind.PULL_REQUEST)
        gitea.advance(closed.at + HOUR)
        (page,) = pages_of(gitea, Kind.PULL_REQUEST, last.cursor)
        (found,) = drafts_of([page])
    assert isinstance(found, PullRequestDraft)
    assert (found.number, found.state, found.closed_at) == (5, PullRequestState.CLOSED, closed.at)


def test_a_pull_request_has_its_reviews_commits_and_events(gitea: GiteaServer) -> None:
    merged = pull_request(gitea, 2)
    assert (merged.state, merged.merged_at, merged.source_branch) == (
        PullRequestState.MERGED,
        BEGIN + 7 * HOUR,
        "1-weigh",
    )
    assert isinstance(merged.reviews, ProvidedParts)
    assert [review.state for review in merged.reviews.parts] == [ReviewState.CHANGES_REQUESTED, ReviewState.APPROVED]
    assert isinstance(merged.commits, ProvidedParts)
    assert [commit.subject for commit in merged.commits.parts] == ["Weigh the basket", "Weigh it again"]
    assert isinstance(merged.events, ProvidedParts)
    assert [(event.kind, event.team) for event in merged.events.parts] == [
        (PullRequestEventKind.REVIEW_REQUESTED, ""),
        (PullRequestEventKind.REVIEW_REQUESTED, "checkout"),
    ]
    assert isinstance(merged.references, ProvidedParts)
    assert {reference.key for reference in merged.references.parts} == {"acme/shop#1"}


def test_titles_say_which_pull_requests_are_drafts_and_since_when(gitea: GiteaServer) -> None:
    draft = pull_request(gitea, 5)
    assert draft.is_draft is True
    assert isinstance(draft.events, ProvidedParts)
    kinds = [event.kind for event in draft.events.parts]
    assert kinds == [PullRequestEventKind.READY, PullRequestEventKind.DRAFT]


def test_a_pull_request_has_dismissed_reviews_and_forced_pushes(gitea: GiteaServer) -> None:
    forced = pull_request(gitea, 3)
    assert isinstance(forced.reviews, ProvidedParts)
    assert [review.state for review in forced.reviews.parts] == [ReviewState.DISMISSED]
    assert isinstance(forced.events, ProvidedParts)
    assert [event.kind for event in forced.events.parts] == [PullRequestEventKind.FORCE_PUSHED]


def test_an_issue_has_its_transitions_and_assignments(gitea: GiteaServer) -> None:
    by_key = {
        draft.key: draft for draft in drafts_of(pages_of(gitea, Kind.WORK_ITEM)) if isinstance(draft, WorkItemDraft)
    }
    weight, crates = by_key["acme/shop#1"], by_key["acme/shop#7"]
    assert isinstance(weight.assignments, ProvidedParts)
    assert [who and who.login for who in (part.assignee for part in weight.assignments.parts)] == [
        "max-member",
        None,
        "ada",
    ]
    assert isinstance(crates.transitions, ProvidedParts)
    assert [part.to_status for part in crates.transitions.parts] == ["closed", "open"]


def test_a_name_that_another_repository_took_is_not_read(gitea: GiteaServer) -> None:
    of = connector(gitea)
    other = replace(only_resource(of, ResourceKind.REPOSITORY), external_id="999")
    with pytest.raises(TransientError, match="another repository"):
        read_pages(of, other, Kind.WORK_ITEM, now=gitea.at)


def test_the_check_names_every_permission_and_the_scope_that_is_missing(gitea: GiteaServer) -> None:
    of = connector(gitea)
    scope = {"message": "token does not have at least one of required scope(s): [read:issue]"}
    refused = faults.Answer.of(scope, status=403)
    with ConnectionHttp(of, patience=QUICK) as http:
        assert all(permission.works for permission in of.check(http))
        gitea.faults = [Fault(faults.instead(refused), path="/issues", times=None)]
        *works, issues = of.check(http)
    assert [permission.what for permission in works] == ["User", "Repositories", "Pull requests"]
    assert (issues.what, issues.works) == ("Issues", False)
    assert "[read:issue]" in issues.remedy


def test_the_check_tries_nothing_that_a_repository_has_turned_off(gitea: GiteaServer) -> None:
    of = connector(gitea)
    off = Fault(faults.changed("0.has_pull_requests", False), path="/user/repos", times=None)
    gone = Fault(faults.instead(faults.Answer.of({"message": "not found"}, status=404)), path="/pulls", times=None)
    gitea.faults = [off, gone]
    with ConnectionHttp(of, patience=QUICK) as http:
        checks = {permission.what: permission.works for permission in of.check(http)}
    assert checks == {"User": True, "Repositories": True, "Issues": True}


def delivery(gitea: GiteaServer, number: int) -> dict[str, Any]:
    """Gitea's payload of a pull request's state, without commits, reviews and timeline."""
    (record,) = [
        record
        for page in pages_of(gitea, Kind.PULL_REQUEST)
        for record in page.records
        if record.payload["pull_request"]["number"] == number
    ]
    pull = record.payload["pull_request"]
    return {"action": "closed", "number": number, "pull_request": pull, "repository": pull["base"]["repo"]}


def test_a_webhook_brings_the_pull_request_and_says_that_there_is_more(gitea: GiteaServer) -> None:
    of, payload = connector(gitea), delivery(gitea, 2)
    body = json.dumps(payload).encode()
    signature = hmac.new(b"secret", body, hashlib.sha256).hexdigest()
    headers = {"x-gitea-delivery": "d-1", "x-gitea-event": "pull_request", "x-gitea-signature": signature}
    assert of.arrival(headers, body, "secret") == Arrival("d-1", "pull_request")
    assert of.arrival(headers, body + b" ", "secret") is None
    assert of.arrival({**headers, "x-gitea-signature": ""}, body, "") is None
    (record,) = of.deliveries("pull_request_approved", payload) or ()
    (draft,) = of.replay(record.source, record.payload)
    assert isinstance(draft, PullRequestDraft)
    assert draft.state == PullRequestState.MERGED
    assert {"reviews", "commits", "events", "commit_count"}.isdisjoint(draft.provided())
    assert of.news("pull_request", payload) == ("101", Kind.PULL_REQUEST)
    assert of.deliveries("push", payload) is None
    assert of.news("push", payload) is None
