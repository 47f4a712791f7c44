"""Updates of pull requests: complete, partial, late, and repeated."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db.transaction import TransactionManagementError

from integrations.connectors.drafts import (
    ProvidedParts,
    PullRequestCommitDraft,
    PullRequestDraft,
    PullRequestEventDraft,
    ReviewDraft,
    Who,
    WorkItemReference,
)
from integrations.enums import LinkMethod, PullRequestEventKind, PullRequestState, ReviewState
from integrations.intake.store_drafts import Outcome, store_drafts
from integrations.models import Connection, FactChange, PullRequest, PullRequestFigures
from tests.intake.conftest import SHOP, Tell

MONDAY = datetime(2026, 3, 2, 10, tzinfo=UTC)
ADA = Who(login="ada-k", email="ada@example.com", name="Ada Kovacs")
BEN = Who(login="ben")


def at(hours: float) -> datetime:
    return MONDAY + timedelta(hours=hours)


def pull_request(hours: float = 1, **fields: Any) -> PullRequestDraft:
    """Number 7, told of as a whole after so many hours, unless something else is told."""
    whole: dict[str, Any] = {
        "external_id": "PR7",
        "updated_at": at(hours),
        "repository": SHOP,
        "number": 7,
        "title": "Sell tea",
        "author": ADA,
        "state": PullRequestState.OPEN,
        "native_state": "OPEN",
        "is_draft": False,
        "created_at": MONDAY,
        "merged_at": None,
        "labels": ("checkout",),
        "additions": 10,
        "commits": ProvidedParts((PullRequestCommitDraft(sha="a" * 40, position=0, author=ADA),)),
        "reviews": ProvidedParts((review("1"),)),
        "events": ProvidedParts(),
        "references": ProvidedParts((WorkItemReference(key="SHOP-1", method=LinkMethod.BRANCH),)),
    }
    return PullRequestDraft(**whole | fields)


def bare(hours: float, **fields: Any) -> PullRequestDraft:
    """A draft of number 7 that provides nothing but this."""
    return PullRequestDraft(external_id="PR7", repository=SHOP, number=7, updated_at=at(hours), **fields)


def review(external_id: str, state: ReviewState = ReviewState.APPROVED) -> ReviewDraft:
    return ReviewDraft(external_id=external_id, author=BEN, state=state, native_state=state.upper(), submitted_at=at(2))


def test_a_pull_request_is_stored_with_all_that_its_draft_provides(tell: Tell) -> None:
    assert tell(pull_request()).outcomes == (Outcome.ADDED,)
    stored = PullRequest.objects.get()
    assert (stored.repository.name, stored.number, stored.title, stored.labels) == (
        "acme/shop",
        7,
        "Sell tea",
        ["checkout"],
    )
    assert stored.author is not None
    assert stored.author.person is not None
    assert stored.author.person.email == "ada@example.com"
    assert [(commit.sha, commit.author) for commit in stored.commits.all()] == [("a" * 40, stored.author)]
    assert [stored_review.state for stored_review in stored.reviews.all()] == ["approved"]
    assert [link.key for link in stored.links.all()] == ["SHOP-1"]
    assert stored.ready_at == stored.created_at
    assert stored.field_versions == dict.fromkeys(stored.field_versions)  # what was never told


def test_a_pull_request_that_was_closed_at_an_unknown_time_is_not_open_for_ever(tell: Tell) -> None:
    tell(pull_request(state=PullRequestState.CLOSED))
    figures = PullRequestFigures.objects.get()
    assert (figures.open_days, figures.stale_days) == (None, None)
    tell(pull_request(2, state=PullRequestState.OPEN))
    figures.refresh_from_db()
    assert figures.open_days
    assert figures.stale_days


def test_the_same_again_changes_nothing(tell: Tell) -> None:
    tell(pull_request())
    FactChange.objects.all().delete()
    assert tell(pull_request()).outcomes == (Outcome.UNCHANGED,)
    assert not FactChange.objects.exists()


def test_drafts_need_a_transaction(transactional_db: None, github: Connection) -> None:
    with pytest.raises(TransactionManagementError):
        store_drafts(github, [])


def test_an_older_draft_changes_nothing_that_a_newer_one_provided(tell: Tell) -> None:
    tell(pull_request(5, title="New", state=PullRequestState.MERGED))
    assert tell(pull_request(3, title="Old")).outcomes == (Outcome.UNCHANGED,)
    stored = PullRequest.objects.get()
    assert (stored.title, stored.state, stored.updated_at) == ("New", "merged", at(5))


def test_an_older_draft_fills_in_what_the_newer_left_out(tell: Tell) -> None:
    tell(bare(5, title="New"))
    assert tell(pull_request(3, title="Old")).outcomes == (Outcome.CHANGED,)
    stored = PullRequest.objects.get()
    assert (stored.title, stored.additions, stored.reviews.count()) == ("New", 10, 1)
    assert tell(bare(2, additions=3)).outcomes == (Outcome.UNCHANGED,)
    assert tell(bare(4, additions=4)).outcomes == (Outcome.CHANGED,)


def test_a_whole_draft_takes_away_what_it_does_not_name(tell: Tell) -> None:
    tell(pull_request(1, reviews=ProvidedParts((review("1"), review("2")))))
    assert tell(pull_request(2, reviews=ProvidedParts((review("2"),)))).outcomes == (Outcome.CHANGED,)
    assert [stored_review.external_id for stored_review in PullRequest.objects.get().reviews.all()] == ["2"]


def test_a_newer_part_survives_a_late_whole_draft(tell: Tell) -> None:
    tell(pull_request(1))
    tell(bare(5, reviews=ProvidedParts((review("2"),), whole=False)))
    tell(pull_request(3, reviews=ProvidedParts((review("3"),))))
    assert sorted(stored_review.external_id for stored_review in PullRequest.objects.get().reviews.all()) == ["2", "3"]


def test_a_dismissed_review_stays_dismissed(tell: Tell) -> None:
    tell(bare(5, reviews=ProvidedParts((review("2", ReviewState.DISMISSED),), whole=False)))
    tell(bare(5, reviews=ProvidedParts((review("2", ReviewState.APPROVED),), whole=False)))
    assert [stored_review.state for stored_review in PullRequest.objects.get().reviews.all()] == ["dismissed"]


def test_two_drafts_in_one_batch_come_one_after_the_other(tell: Tell) -> None:
    assert tell(pull_request(1), pull_request(2, title="Sell coffee")).outcomes == (Outcome.ADDED, Outcome.CHANGED)
    assert PullRequest.objects.get().title == "Sell coffee"


def test_a_merge_of_the_same_second_stays(tell: Tell) -> None:
    tell(pull_request(1, state=PullRequestState.MERGED))
    assert tell(pull_request(1, state=PullRequestState.OPEN)).outcomes == (Outcome.UNCHANGED,)


def test_what_is_deleted_leaves_and_comes_back_on_its_row(tell: Tell) -> None:
    tell(pull_request(1))
    before = PullRequest.objects.get().pk
    assert tell(bare(2, deleted=True)).outcomes == (Outcome.REMOVED,)
    assert tell(pull_request(1)).outcomes == (Outcome.UNCHANGED,)
    assert PullRequest.objects.get().deleted_at is not None
    assert tell(pull_request(3)).outcomes == (Outcome.CHANGED,)
    stored = PullRequest.objects.get()
    assert (stored.pk, stored.deleted_at) == (before, None)


def test_nothing_is_stored_of_repositories_that_the_connection_does_not_know(tell: Tell) -> None:
    assert tell(pull_request(repository="R2")).outcomes == (Outcome.UNPLACED,)


def test_ready_is_the_first_time_that_it_was_marked_so(tell: Tell) -> None:
    marks = [
        PullRequestEventDraft(kind=PullRequestEventKind.DRAFT, at=at(4), by=ADA),
        PullRequestEventDraft(kind=PullRequestEventKind.READY, at=at(3), by=ADA),
    ]
    tell(pull_request(1, is_draft=True))
    assert PullRequest.objects.get().ready_at is None
    tell(pull_request(5, is_draft=True, events=ProvidedParts(marks)))
    assert PullRequest.objects.get().ready_at == at(3)


@pytest.mark.parametrize(
    "text", ["NUL \0 inside", "half \ud800 a character", "emoji 🫖 and 𝔱ea", "t" * 100_000, "\\u0000 literally"]
)
def test_any_text_can_be_stored(tell: Tell, text: str) -> None:
    assert tell(pull_request(title=text, native_state=text)).outcomes == (Outcome.ADDED,)
    assert tell(pull_request(title=text, native_state=text)).outcomes == (Outcome.UNCHANGED,)
