"""Reverts among pull requests, in whatever order they arrive."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from insights.engine.read import read_series
from insights.query.query import Query, Window
from integrations.connectors.drafts import ProvidedParts, PullRequestCommitDraft
from integrations.models import RevertMethod
from tests.delivery.pull_requests.conftest import TellOf, figures
from tests.delivery.pull_requests.histories import Commit, History, draft_of, sha_of
from tests.intake.conftest import SHOP, Tell

MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)
MARCH = Window(date(2026, 3, 1), date(2026, 4, 1))


def merged(number: int, title: str, *, branch: str = "") -> History:
    opened = MONDAY + timedelta(days=number)
    return History(
        number,
        "ada",
        opened,
        title=title,
        branch=branch,
        merged_at=opened + timedelta(hours=2),
        merge_commit=f"{number}merge",
    )


TEA, MILK = merged(1, "Sell tea"), merged(2, "Sell milk")
WAYS: dict[RevertMethod, History] = {
    RevertMethod.BRANCH_NUMBER: merged(5, 'Revert "Sell tea"', branch="revert-1-sell-tea"),
    RevertMethod.BRANCH_COMMIT: merged(5, 'Revert "Sell tea"', branch=f"revert-{sha_of('1merge')[:8]}"),
    RevertMethod.TITLE_NUMBER: merged(5, 'Revert "Sell tea (#1)"'),
    RevertMethod.NAMED_COMMIT: merged(5, f"revert: {sha_of('1merge')[:12]} was too early"),
    RevertMethod.QUOTED_TITLE: merged(5, "Revert “Sell tea”"),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("order", list(itertools.permutations(range(3))), ids=str)
def test_a_revert_is_found_by(way: RevertMethod, order: tuple[int, ...], tell_of: TellOf) -> None:
    histories = (TEA, MILK, WAYS[way])
    for position in order:
        tell_of(histories[position])
    stored = figures()
    assert stored[5].reverts == stored[1].pull_request
    assert stored[5].revert_method == way
    assert [number for number, row in stored.items() if row.reverted_by] == [1]
    [answer] = read_series([Query("pr.revert_rate", MARCH)])
    assert (answer.total[0].numerator, answer.total[0].denominator) == (1, 3)


def test_a_commit_that_takes_back_another_is_found_by_its_subject(tell: Tell) -> None:
    subject = f"Revert {sha_of('1merge')}"
    revert = merged(5, "Revert what we did on Monday")
    revert.commits = [Commit("undo", MONDAY, MONDAY, "ada")]
    draft = draft_of(revert)
    tell(draft_of(TEA), draft)
    assert figures()[5].reverts is None
    tell(
        replace(draft, commits=ProvidedParts([PullRequestCommitDraft(sha=sha_of("undo"), position=0, subject=subject)]))
    )
    assert figures()[5].reverts_id == figures()[1].pk


def test_the_last_one_of_that_title_before_it_is_meant(tell_of: TellOf) -> None:
    again, later = merged(3, "Sell tea"), merged(7, "Sell tea")
    for history in (merged(5, 'Revert "Sell tea"'), TEA, later, again):
        tell_of(history)
    assert figures()[5].reverts_id == figures()[3].pk


def test_only_what_is_merged_takes_anything_back(tell_of: TellOf) -> None:
    proposed = merged(5, 'Revert "Sell tea"', branch="revert-1-sell-tea")
    proposed.merged_at = None
    tell_of(TEA, proposed)
    assert (figures()[5].reverts_id, figures()[1].reverted_by_id) == (figures()[1].pk, None)


def test_another_title_makes_it_no_revert(tell_of: TellOf) -> None:
    reverting = merged(5, 'Revert "Sell tea"')
    tell_of(TEA, reverting)
    assert figures()[1].reverted_by is not None
    reverting.title = "Sell cocoa"
    tell_of(reverting)
    assert (figures()[5].reverts_id, figures()[5].revert_method, figures()[1].reverted_by_id) == (None, "", None)


def test_a_revert_that_is_taken_away_takes_nothing_back(tell: Tell, tell_of: TellOf) -> None:
    revert = WAYS[RevertMethod.BRANCH_NUMBER]
    tell_of(TEA, revert)
    gone = draft_of(revert)
    tell(type(gone)(external_id=gone.external_id, repository=SHOP, number=5, deleted=True))
    assert figures()[1].reverted_by is None


def test_a_revert_of_a_revert_leaves_both_taken_back(tell_of: TellOf) -> None:
    tell_of(TEA, merged(5, 'Revert "Sell tea"'), merged(6, 'Revert "Revert "Sell tea""'))
    stored = figures()
    assert stored[6].reverts == stored[5].pull_request
    assert stored[5].reverts == stored[1].pull_request
