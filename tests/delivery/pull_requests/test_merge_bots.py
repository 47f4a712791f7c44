"""Pull requests that a merge bot closed, and reviewers that are programs."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import transaction

from integrations.connectors.drafts import ProvidedParts, PullRequestDraft, PullRequestEventDraft, ReviewDraft, Who
from integrations.delivery.recompute import recompute_waiting_pull_requests
from integrations.enums import PullRequestEventKind, PullRequestState, ReviewState
from integrations.intake.store_drafts import store_drafts
from integrations.models import PullRequest, PullRequestFigures
from integrations.push.drafts import KINDS
from integrations.push.store import push_connection
from tests.delivery.linking.delivery import iso, moment, sha_of

pytestmark = pytest.mark.django_db
REPOSITORY = "acme/shop"
OPENED, CLOSED = "Mon 10:00", "Mon 14:00"


def closed(by: Who, **others: object) -> PullRequestDraft:
    """#3, as its host tells of it: closed, not merged."""
    event = PullRequestEventDraft(kind=PullRequestEventKind.CLOSED, at=moment(CLOSED), by=by)
    draft = PullRequestDraft(
        external_id="3",
        repository=REPOSITORY,
        number=3,
        author=Who(email="ada@example.com"),
        state=PullRequestState.CLOSED,
        native_state="closed",
        created_at=moment(OPENED),
        merged_at=None,
        closed_at=moment(CLOSED),
        merge_sha="",
        merged_by=None,
        events=ProvidedParts([event]),
    )
    return replace(draft, **others)  # type: ignore[arg-type]


def store(draft: PullRequestDraft) -> None:
    with transaction.atomic():
        store_drafts(push_connection(), [draft])


def commit(subject: str, at: str = CLOSED) -> None:
    record = {
        "repository": REPOSITORY,
        "sha": sha_of("squash"),
        "parents": [],
        "branch": "main",
        "author_email": "ada@example.com",
        "committed_at": iso(at),
        "message": subject,
    }
    serializer = KINDS["commits"].record(data=record, context={"left_out": {}})
    serializer.is_valid(raise_exception=True)
    with transaction.atomic():
        store_drafts(push_connection(), [KINDS["commits"].draft_of(serializer.validated_data)])
    recompute_waiting_pull_requests()


def state() -> tuple[str, object]:
    stored = PullRequest.objects.get(number=3)
    return stored.state, stored.merged_at


MERGED = ("merged", moment(CLOSED))


@pytest.mark.parametrize("subject", ["Change 3 (#3)", "Merge #2 #3", "Auto merge of #3 - ada:topic, r=bea"])
@pytest.mark.parametrize("bot", [Who(login="merge-queue[bot]", bot=True), Who(login="bors"), Who(login="asfgit")])
def test_what_a_merge_bot_brought_and_closed_was_merged_then(subject: str, bot: Who) -> None:
    store(closed(bot))
    assert state()[0] == "closed"
    commit(subject)
    assert state() == MERGED
    figures = PullRequestFigures.objects.get(pull_request__number=3)
    assert figures.cycle_seconds == timedelta(hours=4).total_seconds()
    store(closed(bot, title="Renamed"))
    assert state() == MERGED, "the host still says closed"


def test_the_commit_may_be_known_before_its_pull_request() -> None:
    commit("Change 3 (#3)")
    store(closed(Who(login="bors[bot]", bot=True)))
    assert state() == MERGED


@pytest.mark.parametrize(
    ("by", "subject"),
    [
        (Who(login="bea"), "Change 3 (#3)"),
        (Who(login="stale[bot]", bot=True), "Change 3 (#3)"),
        (Who(login="bors"), 'Revert "Change 3 (#3)" (#7)'),
        (Who(login="bors"), "Change 33 (#33)"),
    ],
)
def test_what_others_closed_or_nobody_brought_stays_closed(by: Who, subject: str) -> None:
    store(closed(by))
    commit(subject)
    assert state()[0] == "closed"


def test_one_that_is_opened_again_is_open() -> None:
    bot = Who(login="bors")
    store(closed(bot))
    commit("Change 3 (#3)")
    store(closed(bot, state=PullRequestState.OPEN, native_state="open", closed_at=None))
    assert state() == ("open", None)


def review(by: Who, state: ReviewState, at: str) -> ReviewDraft:
    return ReviewDraft(external_id=at, author=by, state=state, native_state=state, submitted_at=moment(at))


def test_review_bots_are_no_reviewers_under_any_name_and_a_dismissed_review_ends_pickup() -> None:
    reviews = [
        review(Who(login="coderabbitai"), ReviewState.APPROVED, "Mon 10:05"),
        review(Who(login="CodeRabbitAI[bot]"), ReviewState.COMMENTED, "Mon 10:10"),
        review(Who(email="bea@example.com"), ReviewState.DISMISSED, "Mon 11:00"),
        review(Who(email="cy@example.com"), ReviewState.APPROVED, "Mon 12:00"),
    ]
    merged = {"state": PullRequestState.MERGED, "merged_at": moment(CLOSED)}
    store(closed(Who(login="bea"), **merged, reviews=ProvidedParts(reviews)))
    figures = PullRequestFigures.objects.get(pull_request__number=3)
    assert figures.reviewer_count == 2
    assert (figures.pickup_seconds, figures.review_seconds, figures.merge_seconds) == (3600, 3600, 7200)
