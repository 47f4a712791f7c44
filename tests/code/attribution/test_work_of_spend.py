"""The work type of a session's spend is that of the pull requests that brought its commits."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal

import pytest

from integrations.facts.outcomes import AGENT_SPEND_SHARES
from integrations.models import AttributionWork, Commit
from tests.code.attribution.world import at, attribute, commit, recompute_all, rows_of, session
from tests.delivery.pull_requests.histories import Commit as Listed
from tests.delivery.pull_requests.histories import History, draft_of
from tests.intake.conftest import Tell, github, tell

__all__ = ["github", "tell"]

pytestmark = pytest.mark.django_db


def test_spend_is_split_by_the_work_of_pull_requests(tell: Tell) -> None:
    """20 lines of a feature, 10 of a bug's fix and 10 that no pull request brought, of a session that cost 1."""
    session("s", "10:00", "11:00", spend="1")
    feature, fix = commit("one", "10:10", {"a.py": 20}), commit("two", "10:20", {"b.py": 10})
    commit("three", "10:30", {"c.py": 10})
    attribute()
    assert spend_by_work() == {("shop", ""): Decimal(1)}
    tell(
        *(draft_of(pull_request) for pull_request in (merged(1, "feat: tea", [feature]), merged(2, "fix: milk", [fix])))
    )
    recompute_all()
    assert spend_by_work() == {
        ("shop", ""): Decimal("0.25"),
        ("shop", "bug"): Decimal("0.25"),
        ("shop", "feature"): Decimal("0.5"),
    }


def test_a_squash_has_the_work_of_its_branch(tell: Tell) -> None:
    session("s", "10:00", "11:00", spend="1")
    squash = commit("squash", "10:40", {"a.py": 20})
    branched = commit("branched", "10:10", {"a.py": 20}, exclusion_reason="stood_in_for", duplicate_of=squash)
    tell(draft_of(merged(1, "feat: tea", [branched])))
    recompute_all()
    assert spend_by_work() == {("shop", "feature"): Decimal(1)}


def test_what_a_commit_was_merged_as_tells_too(tell: Tell) -> None:
    session("s", "10:00", "11:00", spend="1")
    squash = commit("squash", "10:40", {"a.py": 20})
    history = merged(1, "fix: milk", [])
    history.merge_commit = squash.sha
    tell(draft_of(history))
    recompute_all()
    assert spend_by_work() == {("shop", "bug"): Decimal(1)}


def test_another_title_is_another_work_and_none_without_the_pull_request(tell: Tell) -> None:
    session("s", "10:00", "11:00", spend="1")
    listed = commit("one", "10:10", {"a.py": 20})
    tell(draft_of(merged(1, "feat: tea", [listed])))
    recompute_all()
    tell(draft_of(merged(1, "fix: tea", [listed])))
    recompute_all()
    assert spend_by_work() == {("shop", "bug"): Decimal(1)}
    tell(draft_of(merged(1, "fix: tea", [listed])))
    assert not AttributionWork.objects.exists(), "nothing changed"


def test_the_first_that_was_merged_counts(tell: Tell) -> None:
    session("s", "10:00", "11:00", spend="1")
    listed = commit("one", "10:10", {"a.py": 20})
    later, earlier = merged(1, "fix: tea", [listed], hours=30), merged(2, "feat: tea", [listed])
    tell(draft_of(later), draft_of(earlier))
    recompute_all()
    assert spend_by_work() == {("shop", "feature"): Decimal(1)}


def merged(number: int, title: str, commits: Iterable[Commit], *, hours: int = 3) -> History:
    opened = at("12:00")
    return History(
        number=number,
        author="ada",
        created_at=opened,
        commits=[Listed(listed.sha, listed.authored_at, listed.committed_at) for listed in commits],
        merged_at=opened + timedelta(hours=hours),
        title=title,
    )


def spend_by_work() -> dict[tuple[str, str], Decimal]:
    return {(row["repository"], row["work_type"]): row["spend"] for row in rows_of(AGENT_SPEND_SHARES)}
