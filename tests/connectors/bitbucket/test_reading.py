"""Bitbucket's streams: pages, what changes meanwhile, whatever fails on the way."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from demo.plan.delivery import DeliveryEvent, DeliveryHistory, EventKind, Verdict
from demo.providers import faults
from demo.providers.bitbucket_server import BitbucketServer
from demo.providers.faults import Answer, Fault
from integrations.connectors.base import Page, Settings
from integrations.connectors.bitbucket.connector import Bitbucket
from integrations.connectors.drafts import MISSING, CommitDraft, PipelineRunDraft, ProvidedParts, PullRequestDraft
from integrations.connectors.errors import Cause, ConnectorError, CredentialRefusedError, GoneError, PermanentError
from integrations.connectors.http import ConnectionHttp
from integrations.enums import Kind, PullRequestEventKind, PullRequestState, ResourceKind, ReviewState, RunStatus
from tests.connectors.github.histories import pull_request, with_deployments, with_pull_requests, with_runs
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
from tests.demo.small_history import ADA, BEGIN, DAY, HOUR, MAX, MAYA, SHOP, commit, small_history

LISTS = {
    Kind.PULL_REQUEST: "/pullrequests\\?",
    Kind.DEPLOYMENT: "/deployments/\\?.*COMPLETED",
    Kind.PIPELINE_RUN: "/pipelines/\\?",
    Kind.COMMIT: "/commits\\?(.*&)?pagelen=100",  # without the request for the head
}
STREAMS = tuple(LISTS)
MINUTE = timedelta(minutes=1)
FAULTS: Mapping[str, Callable[[str], Fault]] = {
    "429": lambda path: Fault(faults.too_many_requests(retry_after=0), path=path, nth=2, times=2),
    "401 in the middle": lambda _: Fault(faults.unauthorised(), path="/repositories/", nth=3, times=2),
    "403 for a while": lambda path: Fault(faults.forbidden(), path=path, nth=2, times=1),
    "500": lambda _: Fault(faults.server_error(), path="/repositories/", nth=2, times=3),
    "502": lambda path: Fault(faults.bad_gateway(), path=path, nth=2, times=5),
    "cut connection": lambda path: Fault(faults.cut_short(), path=path, times=2),
    "half an answer": lambda _: Fault(faults.truncated(), path="/repositories/", nth=2, times=2),
    "a page for people": lambda path: Fault(faults.html_page(), path=path, nth=2, times=2),
    "a page repeated": lambda path: Fault(faults.repeated_page(), path=path, times=2),
}


@pytest.fixture
def bitbucket() -> Iterator[BitbucketServer]:
    """The repository acme/shop with few records, each of which shows something."""
    with BitbucketServer(small_history(), token=TOKEN) as server:
        yield server


@pytest.fixture
def many() -> Iterator[BitbucketServer]:
    """Three pages of each list; a server may give less than is asked for."""
    with BitbucketServer(many_records(), token=TOKEN, page=9) as server:
        yield server


def many_records() -> DeliveryHistory:
    """25 of each kind, the last of which changed 25 minutes after the beginning."""
    minutes = [BEGIN + number * MINUTE for number in range(1, 26)]
    runs = with_runs([at - 5 * MINUTE for at in minutes]).runs
    deployments = with_deployments([at - HOUR for at in minutes]).deployments
    history = replace(with_pull_requests(25), runs=runs, deployments=deployments)
    return replace(history, commits={"shop": tuple(commit(f"Step {at}", at) for at in minutes)})


def connector(bitbucket: BitbucketServer, **values: str) -> Bitbucket:
    return Bitbucket(Settings({"base_url": f"{bitbucket.url}/", "workspace": "acme", **values}, {"token": TOKEN}))


def pages_of(bitbucket: BitbucketServer, kind: Kind, cursor: Mapping[str, Any] | None = None) -> list[Page]:
    of = connector(bitbucket)
    shop = only_resource(of, ResourceKind.REPOSITORY)
    bitbucket.requests.clear()
    return read_pages(of, shop, kind, cursor, now=bitbucket.at)


def pull_requests(bitbucket: BitbucketServer, cursor: Mapping[str, Any] | None = None) -> list[PullRequestDraft]:
    drafts = drafts_of(pages_of(bitbucket, Kind.PULL_REQUEST, cursor))
    return [draft for draft in drafts if isinstance(draft, PullRequestDraft)]


@pytest.mark.parametrize("kind", STREAMS)
def test_under_every_fault_the_drafts_are_the_same(many: BitbucketServer, kind: Kind) -> None:
    usual = by_id(drafts_of(pages_of(many, kind)))
    assert len(usual) == 25
    of = connector(many)
    shop = only_resource(of, ResourceKind.REPOSITORY)
    faults = {name: fault(LISTS[kind]) for name, fault in FAULTS.items()}
    changed = faults_that_change(usual, many, faults, lambda: read_despite_faults(of, shop, kind, now=many.at))
    assert changed == []


@pytest.mark.parametrize("kind", STREAMS)
def test_a_reading_goes_on_from_any_page(many: BitbucketServer, kind: Kind) -> None:
    pages = pages_of(many, kind)
    assert (len(pages) > 2, pages[-1].left) == (True, 0)
    assert_goes_on_from_any_page(pages, lambda cursor: pages_of(many, kind, cursor))


@pytest.mark.parametrize(("kind", "requests"), list(zip(STREAMS, (2, 2, 1, 1), strict=True)))
def test_nothing_new_costs_two_requests_at_most(many: BitbucketServer, kind: Kind, requests: int) -> None:
    many.advance(BEGIN + 60 * MINUTE)
    *_, last = pages_of(many, kind)
    (page,) = pages_of(many, kind, last.cursor)
    assert (list(page.records), len(many.requests)) == ([], requests)


def test_the_newest_come_first(many: BitbucketServer) -> None:
    times = [draft.updated_at for draft in pull_requests(many)]
    assert times == sorted(times, reverse=True)  # type: ignore[type-var]


def test_pull_requests_that_changed_at_the_same_moment_are_all_read_once() -> None:
    requests = tuple(replace(pull_request(number), created_at=BEGIN) for number in range(1, 31))
    with BitbucketServer(replace(small_history(), pull_requests=requests), token=TOKEN, page=7) as bitbucket:
        assert sorted(draft.number for draft in pull_requests(bitbucket)) == list(range(1, 31))


def test_commits_that_were_added_are_read_and_after_a_rewrite_all_of_them(many: BitbucketServer) -> None:
    many.advance(BEGIN + 20 * MINUTE)
    *_, last = pages_of(many, Kind.COMMIT)
    many.advance(BEGIN + 25 * MINUTE)
    added = drafts_of(pages_of(many, Kind.COMMIT, last.cursor))
    assert [draft.message for draft in added if isinstance(draft, CommitDraft)] == [
        f"Step {BEGIN + number * MINUTE}" for number in range(25, 20, -1)
    ]
    assert len(drafts_of(pages_of(many, Kind.COMMIT, {"head": "f" * 40}))) == 25


def test_a_pipeline_that_had_not_finished_is_looked_at_again() -> None:
    runs = with_runs([BEGIN, BEGIN + HOUR], minutes=600).runs
    with BitbucketServer(replace(small_history(), runs=runs), token=TOKEN, at=BEGIN + 2 * HOUR) as bitbucket:
        *_, last = pages_of(bitbucket, Kind.PIPELINE_RUN)
        assert len(last.cursor["open"]) == 2
        bitbucket.advance(BEGIN + 10.5 * HOUR)
        found = drafts_of(pages_of(bitbucket, Kind.PIPELINE_RUN, last.cursor))
        states = [draft.status for draft in found if isinstance(draft, PipelineRunDraft)]
        assert sorted(map(str, states)) == [RunStatus.RUNNING, RunStatus.SUCCESS]
        *_, last = pages_of(bitbucket, Kind.PIPELINE_RUN, last.cursor)
        assert len(last.cursor["open"]) == 1


def test_a_deployment_that_was_in_progress_is_read_once_it_has_ended() -> None:
    history = with_deployments([BEGIN, BEGIN + 3 * HOUR])
    with BitbucketServer(history, token=TOKEN, at=BEGIN + HOUR / 2) as bitbucket:
        *_, last = pages_of(bitbucket, Kind.DEPLOYMENT)
        bitbucket.advance(BEGIN + 5 * HOUR)
        found = by_id(drafts_of(pages_of(bitbucket, Kind.DEPLOYMENT, last.cursor)))
        assert len(found) == 2


def test_a_mirror_is_cloned_from_the_connections_own_host_alone(bitbucket: BitbucketServer) -> None:
    of = connector(bitbucket)
    shop = only_resource(of, ResourceKind.REPOSITORY)
    with ConnectionHttp(of, patience=QUICK) as http:
        assert of.clone_address(http, shop).url == f"{bitbucket.url}/acme/shop.git"
        elsewhere = replace(shop, details={"html_url": "https://evil.example.com/acme/shop"})
        with pytest.raises(PermanentError, match="evil"):
            of.clone_address(http, elsewhere)


# Pull requests --------------------------------------------------------------------------------------------------------


def test_a_pull_request_has_its_reviews_commits_events_and_lines(bitbucket: BitbucketServer) -> None:
    (merged,) = (draft for draft in pull_requests(bitbucket) if draft.number == 2)
    assert (merged.state, merged.merged_at) == (PullRequestState.MERGED, BEGIN + 7 * HOUR)
    assert isinstance(merged.merge_sha, str)
    assert isinstance(merged.head_sha, str)
    assert (len(merged.merge_sha), len(merged.head_sha)) == (40, 40)
    assert isinstance(merged.reviews, ProvidedParts)
    assert [(review.state, len(review.commit_sha)) for review in merged.reviews.parts] == [
        (ReviewState.CHANGES_REQUESTED, 40),
        (ReviewState.APPROVED, 40),
    ]
    assert isinstance(merged.commits, ProvidedParts)
    assert [one.subject for one in merged.commits.parts] == ["Weigh the basket", "Weigh it again"]
    assert {one.author.email for one in merged.commits.parts if one.author} == {MAX.email}
    assert isinstance(merged.events, ProvidedParts)
    assert [event.kind for event in merged.events.parts] == [PullRequestEventKind.REVIEW_REQUESTED]
    assert (merged.additions, merged.deletions, merged.comment_count, merged.review_comment_count) == (14, 4, 1, 2)


def test_declined_reopened_draft_and_deleted_accounts(bitbucket: BitbucketServer) -> None:
    by_number = {draft.number: draft for draft in pull_requests(bitbucket)}
    reopened, draft, of_bot = by_number[4], by_number[5], by_number[6]
    assert reopened.author is None
    assert isinstance(reopened.events, ProvidedParts)
    assert [event.kind for event in reopened.events.parts][:2] == [
        PullRequestEventKind.CLOSED,
        PullRequestEventKind.REOPENED,
    ]
    assert draft.is_draft is True
    assert (of_bot.state, of_bot.native_state) == (PullRequestState.CLOSED, "DECLINED")
    assert of_bot.author is not MISSING
    assert of_bot.author is not None
    assert of_bot.author.bot


def test_texts_of_comments_are_not_kept(bitbucket: BitbucketServer) -> None:
    payloads = [record.payload for page in pages_of(bitbucket, Kind.PULL_REQUEST) for record in page.records]
    assert not any(text in repr(payloads) for text in ("Twice, please", "Why?", "Done"))


def test_an_approval_that_was_withdrawn_is_dismissed() -> None:
    """It leaves no trace but in the participants."""
    approved = DeliveryEvent(900, EventKind.REVIEWED, BEGIN + HOUR, MAYA, verdict=Verdict.APPROVED)
    withdrawn = DeliveryEvent(901, EventKind.REVIEW_DISMISSED, BEGIN + 2 * HOUR, MAYA, review=900)
    history = replace(small_history(), pull_requests=(replace(pull_request(1), happenings=(approved, withdrawn)),))
    with BitbucketServer(history, token=TOKEN) as bitbucket:
        (found,) = pull_requests(bitbucket)
    assert isinstance(found.reviews, ProvidedParts)
    assert [review.state for review in found.reviews.parts] == [ReviewState.DISMISSED]


def test_an_approval_that_leaves_the_time_of_change_is_read() -> None:
    """It is not documented that each approval changes updated_on: the activity of the repository tells of it."""
    approved = DeliveryEvent(900, EventKind.REVIEWED, BEGIN + DAY, MAYA, verdict=Verdict.APPROVED)
    history = replace(
        small_history(), pull_requests=(replace(pull_request(1), happenings=(approved,)), pull_request(2))
    )
    with BitbucketServer(history, token=TOKEN, at=BEGIN + DAY - MINUTE) as bitbucket:
        bitbucket.silent = {1}
        *_, last = pages_of(bitbucket, Kind.PULL_REQUEST)
        bitbucket.advance(BEGIN + DAY + MINUTE)
        pages = pages_of(bitbucket, Kind.PULL_REQUEST, last.cursor)
        (found,) = drafts_of(pages)
        assert isinstance(found, PullRequestDraft)
        assert isinstance(found.reviews, ProvidedParts)
        assert (found.number, len(found.reviews.parts)) == (1, 1)
        assert pages_of(bitbucket, Kind.PULL_REQUEST, pages[-1].cursor)[-1].records == []


def test_without_the_activity_of_the_repository_the_list_alone_is_read(bitbucket: BitbucketServer) -> None:
    bitbucket.faults = [Fault(faults.forbidden(), path="/pullrequests/activity", times=None)]
    assert len(pull_requests(bitbucket)) == 5


def test_a_diff_that_takes_too_long_leaves_lines_unknown(bitbucket: BitbucketServer) -> None:
    """Bitbucket answers 555, however often it is asked."""
    bitbucket.faults = [Fault(faults.instead(Answer.of({}, status=555)), path="/diffstat/", times=None)]
    assert {draft.additions for draft in pull_requests(bitbucket)} == {MISSING}


# The commonest complaints about other tools' connectors ---------------------------------------------------------------


def test_drafts_and_merged_ones_are_listed(bitbucket: BitbucketServer) -> None:
    """https://jira.atlassian.com/browse/BCLOUD-23659, and the list has open ones alone by default."""
    assert {draft.number for draft in pull_requests(bitbucket)} == {2, 3, 4, 5, 6}


def test_one_pull_request_without_commits_stops_no_others(bitbucket: BitbucketServer) -> None:
    """apache/devlake 7258: commits of a deleted fork."""
    bitbucket.faults = [Fault(faults.not_found(), path="/pullrequests/2/commits", times=None)]
    by_number = {draft.number: draft for draft in pull_requests(bitbucket)}
    assert (len(by_number), by_number[2].commits, by_number[2].merged_at) == (5, MISSING, BEGIN + 7 * HOUR)


def test_all_repositories_of_a_large_workspace_are_offered() -> None:
    """apache/devlake 8998: only the first hundred of 1,266."""
    shops = tuple(replace(SHOP, id=number, name=f"shop-{number}") for number in range(1, 1267))
    history = replace(small_history(), repositories=shops, pull_requests=(), commits={})
    with BitbucketServer(history, token=TOKEN) as bitbucket:
        of = connector(bitbucket)
        with ConnectionHttp(of, patience=QUICK) as http:
            listed = [one.name for one in of.resources(http)]
    assert (len(listed), listed[0]) == (1266, "acme/shop-1266")


@pytest.mark.parametrize("email", ["", "ada@example.com"])
def test_an_api_token_is_a_password_and_an_access_token_a_bearer(email: str) -> None:
    """apache/devlake 8604: an API token is refused as a bearer."""
    with BitbucketServer(small_history(), token=TOKEN, email=email) as bitbucket:
        assert len(only_resource(connector(bitbucket, email=email), ResourceKind.REPOSITORY).details["workspace"]) == 36
        other = connector(bitbucket, email="" if email else "ada@example.com")
        with ConnectionHttp(other, patience=QUICK) as http, pytest.raises(CredentialRefusedError):
            other.check(http)


def test_what_happens_after_the_merge_is_read() -> None:
    """apache/devlake 8255, of GitLab."""
    history = small_history()
    (merged,) = (record for record in history.pull_requests if record.number == 2)
    late = DeliveryEvent(900, EventKind.COMMENTED, BEGIN + 10 * DAY, ADA, text="Thanks")
    others = tuple(record for record in history.pull_requests if record.number != 2)
    history = replace(history, pull_requests=(replace(merged, happenings=(*merged.happenings, late)), *others))
    with BitbucketServer(history, token=TOKEN, at=late.at - HOUR) as later:
        *_, last = pages_of(later, Kind.PULL_REQUEST)
        later.advance(late.at + HOUR)
        (found,) = pull_requests(later, last.cursor)
    assert (found.number, found.state, found.comment_count) == (2, PullRequestState.MERGED, 2)
    assert isinstance(found.commits, ProvidedParts)
    assert len(found.commits.parts) == 2


# The form -------------------------------------------------------------------------------------------------------------


def test_the_check_names_every_permission_and_the_missing_scope(bitbucket: BitbucketServer) -> None:
    of = connector(bitbucket)
    detail = {"required": ["read:pullrequest:bitbucket"], "granted": ["read:repository:bitbucket"]}
    message = "Your credentials lack one or more required privilege scopes."
    refused = Answer.of({"type": "error", "error": {"message": message, "detail": detail}}, status=403)
    with ConnectionHttp(of, patience=QUICK) as http:
        assert [permission.what for permission in of.check(http) if permission.works] == [
            "Repositories",
            "Commits",
            "Pull requests",
            "Pipelines and steps",
            "Deployments",
            "Environments",
        ]
        bitbucket.faults = [Fault(faults.instead(refused), path="/pullrequests", times=None)]
        missing = next(permission for permission in of.check(http) if permission.what == "Pull requests")
    assert (missing.works, "lacks the scope read:pullrequest:bitbucket" in missing.remedy) == (False, True)


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
    bitbucket: BitbucketServer, effect: faults.Effect, error: type[ConnectorError], cause: Cause | None
) -> None:
    of = connector(bitbucket)
    bitbucket.faults = [Fault(effect, path="/repositories/acme", times=None)]
    with ConnectionHttp(of, patience=replace(QUICK, read=0.5, tries=1)) as http, pytest.raises(error) as raised:
        of.check(http)
    assert raised.value.cause == cause
