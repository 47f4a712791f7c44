"""A session's spend is behind the pull requests of its lines, its branch, or its lost commits."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from insights.engine.comparison import read_comparisons
from insights.query.query import Query, Window
from integrations.connectors.drafts import (
    PipelineRunDraft,
    ProvidedParts,
    PullRequestDraft,
    WorkItemDraft,
    WorkItemReference,
)
from integrations.enums import LinkMethod, PullRequestEventKind, ReviewState, RunStatus, StatusCategory
from integrations.facts.costs import (
    ABANDONED_PULL_REQUESTS_WITH_SPEND,
    DONE_WORK_ITEMS_WITH_SPEND,
    MERGED_PULL_REQUESTS_WITH_SPEND,
)
from integrations.facts.pull_requests import ENDED_PULL_REQUESTS
from integrations.models import (
    AgentSession,
    AgentSessionDay,
    AttributionWork,
    Commit,
    FactChange,
    PullRequestShare,
    Repository,
    WorkItem,
)
from orgtree.models import Identity, Person
from tests.code.attribution.world import at, commit, day_of, note, recompute_all, rows_of, session
from tests.delivery.pull_requests.histories import Commit as Listed
from tests.delivery.pull_requests.histories import History, Review, draft_of
from tests.intake.conftest import SHOP, Tell, github, tell
from tests.orgtree.identity_world import assign_identities

__all__ = ["github", "tell"]

pytestmark = pytest.mark.django_db


def test_a_session_behind_two_pull_requests_is_shared_by_its_lines(tell: Tell) -> None:
    """20 of 40 lines in #1, 10 in #2, 10 in none: 0.50, 0.25 and 0.25 of a dollar."""
    session("s", "10:00", "11:00", spend="1")
    one, two = commit("one", "10:10", {"a.py": 20}), commit("two", "10:20", {"b.py": 10})
    commit("three", "10:30", {"c.py": 10})
    tell(merged(1, [one]), merged(2, [two]))
    recompute_all()
    assert spend_of_merged() == {1: Decimal("0.5"), 2: Decimal("0.25")}
    assert shares() == {("commits", 1): 20, ("commits", 2): 10, ("commits", None): 10}


@pytest.mark.parametrize("spend", ["0.0000000001", "1", "3.1415926535", "9999999999"])
def test_the_shares_sum_to_the_spend(tell: Tell, spend: str) -> None:
    session("s", "10:00", "11:00", spend=spend)
    commits = [commit(f"c{n}", f"10:1{n}", {f"{n}.py": 3 + n}) for n in range(3)]
    tell(*(merged(n + 1, [listed]) for n, listed in enumerate(commits)))
    recompute_all()
    assert sum(spend_of_merged().values()) == Decimal(spend)


def test_a_session_without_lines_is_behind_the_pull_request_of_its_branch(tell: Tell) -> None:
    on_branch("s", "feat/tea", spend="2")
    tell(replace(merged(1, []), source_branch="feat/tea"))
    recompute_all()
    assert spend_of_merged() == {1: Decimal(2)}
    assert shares() == {("branch", 1): 1}


def test_a_pull_request_that_comes_after_the_session_takes_it(tell: Tell) -> None:
    on_branch("s", "feat/tea", spend="2")
    recompute_all()
    assert shares() == {("branch", None): 1}
    tell(replace(opened(1), source_branch="feat/tea"))
    recompute_all()
    assert shares() == {("branch", 1): 1}


def test_a_branch_that_is_used_again_is_behind_the_next_pull_request(tell: Tell) -> None:
    """#1 was merged at 15:00, the session began at 18:00, #2 was opened at 20:00."""
    on_branch("s", "develop", begin="18:00", end="19:00", spend="2")
    later = replace(opened(2), source_branch="develop", created_at=at("20:00"))
    tell(replace(merged(1, []), source_branch="develop"), later)
    recompute_all()
    assert shares() == {("branch", 2): 1}


def test_the_default_branch_is_behind_no_pull_request(tell: Tell) -> None:
    on_branch("s", "main")
    Repository.objects.filter(name="acme/shop").update(default_branch="main")
    tell(replace(opened(1), source_branch="main"))
    recompute_all()
    assert shares() == {("place", None): 1}


def test_commits_say_more_than_the_branch(tell: Tell) -> None:
    on_branch("s", "feat/tea", spend="2")
    listed = commit("one", "10:10", {"a.py": 20}, inside="acme/shop")
    note(listed, {"a.py": 20})
    tell(replace(opened(2), source_branch="feat/tea"), merged(1, [listed]))
    recompute_all()
    assert spend_of_merged() == {1: Decimal(2)}


def test_commits_that_are_lost_stay_behind_the_pull_request_that_lists_them(tell: Tell) -> None:
    """Its branch was deleted without a merge: the spend is abandoned."""
    session("s", "10:00", "11:00", spend="3")
    lost = commit("one", "10:10", {"a.py": 20})
    tell(closed(1, [lost]))
    recompute_all()
    assert shares() == {("commits", 1): 20}
    commit("one", "10:10", {"a.py": 20}, exclusion_reason="gone")
    recompute_all()
    assert shares() == {("lost", 1): 20}
    [abandoned] = rows_of(ABANDONED_PULL_REQUESTS_WITH_SPEND)
    assert (abandoned["spend"], abandoned["day"]) == (Decimal(3), day_of(0))
    assert spend_of_merged() == {}


def test_a_commit_in_a_closed_and_a_merged_pull_request_is_the_merged_ones(tell: Tell) -> None:
    session("s", "10:00", "11:00", spend="3")
    listed = commit("one", "10:10", {"a.py": 20})
    tell(closed(1, [listed]), merged(2, [listed]))
    recompute_all()
    assert spend_of_merged() == {2: Decimal(3)}


def test_what_was_given_up_counts_for_the_pull_request_that_took_its_place(tell: Tell) -> None:
    """#1 was closed; #2, of the same item, cost 1 and was merged; #3, of no item, was merged too."""
    session("given up", "08:00", "09:00", spend="4")
    session("kept", "10:00", "11:00", spend="1")
    session("other", "14:00", "15:00", spend="7")
    first, second = commit("one", "08:10", {"a.py": 20}), commit("two", "10:10", {"b.py": 20})
    third = commit("three", "14:10", {"c.py": 20})
    tell(item("SHOP-1"))
    tell(for_items(closed(1, [first]), "SHOP-1"), for_items(merged(2, [second]), "SHOP-1"), merged(3, [third]))
    recompute_all()
    rows = {
        row["reference"][-1]: (row["spend"], row["abandoned_spend"]) for row in rows_of(MERGED_PULL_REQUESTS_WITH_SPEND)
    }
    assert rows == {"2": (Decimal(5), Decimal(4)), "3": (Decimal(7), Decimal(0))}


def test_an_item_costs_what_its_pull_requests_cost_and_sessions_that_name_it(tell: Tell) -> None:
    """#1 of both items cost 3: 1.5 each.  #2 of the first was closed and cost 1.  A session of the second cost 0.5."""
    session("both", "10:00", "11:00", spend="3")
    session("given up", "14:00", "15:00", spend="1")
    one, two = commit("one", "10:10", {"a.py": 20}), commit("two", "14:10", {"b.py": 20})
    tell(item("SHOP-1", parent="SHOP-9"), item("SHOP-2"), item("SHOP-9", kind="Epic", parent="SHOP-10", done=False))
    tell(item("SHOP-10", kind="Initiative", done=False))
    tell(for_items(merged(1, [one]), "SHOP-1", "SHOP-2"), for_items(closed(2, [two]), "SHOP-1"))
    named = session("named", "18:00", "19:00", spend="0.5", by="ben@example.com")
    AgentSession.objects.filter(pk=named.pk).update(work_item=WorkItem.objects.get(key="SHOP-2"))
    recompute_all()
    found = {row["reference"]: (row["spend"], row["abandoned_spend"]) for row in rows_of(DONE_WORK_ITEMS_WITH_SPEND)}
    assert found == {"SHOP-1": (Decimal("2.5"), Decimal(1)), "SHOP-2": (Decimal(2), Decimal(0))}
    assert {(row["reference"], row["epic"], row["initiative"]) for row in rows_of(DONE_WORK_ITEMS_WITH_SPEND)} == {
        ("SHOP-1", "SHOP-9", "SHOP-10"),
        ("SHOP-2", None, None),
    }


def test_later_spend_changes_the_day_of_the_merge(tell: Tell) -> None:
    """The session is of the 2nd, the merge of the 5th: what the session costs counts on the 5th."""
    run = session("s", "10:00", "11:00", spend="1")
    tell(merged(1, [commit("one", "10:10", {"a.py": 20})], hours=75))
    recompute_all()
    FactChange.objects.all().delete()
    AgentSessionDay.objects.filter(session=run).update(spend=Decimal(2))
    AttributionWork.objects.create(session=run)
    recompute_all()
    assert ("ai", day_of(3)) in set(FactChange.objects.values_list("family", "day_from"))


def test_a_pull_request_that_is_deleted_leaves_the_lines_behind_none(tell: Tell) -> None:
    session("s", "10:00", "11:00")
    tell(merged(1, [commit("one", "10:10", {"a.py": 20})]))
    recompute_all()
    tell(replace(merged(1, []), deleted=True))
    recompute_all()
    assert shares() == {("commits", None): 20}


def test_the_fate_of_a_pull_request(tell: Tell) -> None:
    """Reviewed twice before the second commit and once after it; one run of three failed before the merge."""
    one, two = commit("one", "10:10", {"a.py": 20}), commit("two", "13:00", {"b.py": 20})
    history = history_of(1, [one, two])
    history.merged_at = at("15:00")
    history.marks = [(at("12:10"), PullRequestEventKind.CLOSED), (at("12:20"), PullRequestEventKind.REOPENED)]
    history.reviews = [
        Review(at("12:30"), "ben", ReviewState.COMMENTED),
        Review(at("12:40"), "cem", ReviewState.CHANGES_REQUESTED),
        Review(at("14:00"), "ben", ReviewState.APPROVED),
    ]
    tell(draft_of(history), closed(2, []))
    tell(
        ran(one, "12:00", RunStatus.FAILURE), ran(two, "13:30", RunStatus.SUCCESS), ran(two, "15:30", RunStatus.FAILURE)
    )
    recompute_all()
    rows = {
        row["reference"][-1]: (row["merged"], row["reopened"], row["review_rounds"], row["failed_runs"])
        for row in rows_of(ENDED_PULL_REQUESTS)
    }
    assert rows == {"1": (1, 1, 2, 1), "2": (0, 0, 0, None)}


def test_the_fate_with_an_agent_is_compared_with_that_without(tell: Tell) -> None:
    """One of two PRs with an agent was merged, and so was the one without: too few developers for an interval."""
    signed = "Add\n\nCo-Authored-By: Claude <noreply@anthropic.com>"
    kept, given_up, own = history_of(1, []), history_of(2, []), history_of(3, [])
    kept.commits = [Listed("one", at("10:00"), at("10:00"), message=signed)]
    given_up.commits = [Listed("two", at("10:00"), at("10:00"), message=signed)]
    kept.merged_at = own.merged_at = at("15:00")
    given_up.closed_at = at("15:00")
    tell(*map(draft_of, (kept, given_up, own)))
    assign_identities(list(Identity.objects.filter(value="ada")), Person.objects.create(full_name="Ada"))
    recompute_all()
    [found] = read_comparisons([Query("ai.pr_fate", Window(day_of(0), day_of(7)))], "AI")
    assert (found.first.value, found.first.facts, found.second.value, found.second.facts) == (50, 2, 100, 1)
    assert found.interval is None
    assert found.difference == -50


def on_branch(name: str, branch: str, *, begin: str = "10:00", end: str = "11:00", spend: str = "1") -> AgentSession:
    stored = session(name, begin, end, spend=spend)
    AgentSession.objects.filter(pk=stored.pk).update(repository=Repository.objects.get(name="acme/shop"), branch=branch)
    return stored


def history_of(number: int, commits: Iterable[Commit]) -> History:
    listed = [Listed(committed.sha, committed.authored_at, committed.committed_at) for committed in commits]
    return History(number=number, author="ada", created_at=at("12:00"), commits=listed)


def opened(number: int, commits: Iterable[Commit] = ()) -> PullRequestDraft:
    return draft_of(history_of(number, commits))


def merged(number: int, commits: Iterable[Commit], *, hours: int = 3) -> PullRequestDraft:
    history = history_of(number, commits)
    history.merged_at = history.created_at + timedelta(hours=hours)
    return draft_of(history)


def closed(number: int, commits: Iterable[Commit]) -> PullRequestDraft:
    history = history_of(number, commits)
    history.closed_at = history.created_at + timedelta(hours=1)
    return draft_of(history)


def for_items(draft: PullRequestDraft, *keys: str) -> PullRequestDraft:
    references = [WorkItemReference(key=key, method=LinkMethod.BRANCH) for key in keys]
    return replace(draft, references=ProvidedParts(references))


def item(key: str, *, kind: str = "Story", parent: str = "", done: bool = True) -> WorkItemDraft:
    return WorkItemDraft(
        external_id=key,
        project=SHOP,
        key=key,
        native_type=kind,
        parent_key=parent,
        created_at=at("08:00"),
        resolved_at=at("18:00") if done else None,
        status_category=StatusCategory.DONE if done else StatusCategory.IN_PROGRESS,
    )


def ran(on: Commit, clock: str, status: RunStatus) -> PipelineRunDraft:
    finished: datetime = at(clock)
    return PipelineRunDraft(
        external_id=f"{on.sha[:6]} {clock}",
        repository=SHOP,
        run=clock,
        name="test",
        status=status,
        sha=on.sha,
        queued_at=finished - timedelta(minutes=6),
        started_at=finished - timedelta(minutes=5),
        finished_at=finished,
    )


def spend_of_merged() -> dict[int, Decimal]:
    return {int(row["reference"].rpartition("#")[2]): row["spend"] for row in rows_of(MERGED_PULL_REQUESTS_WITH_SPEND)}


def shares() -> dict[tuple[str, int | None], int]:
    """(how it is known, number of the pull request) → lines."""
    lines: dict[tuple[str, int | None], int] = defaultdict(int)
    for share in PullRequestShare.objects.select_related("pull_request"):
        lines[share.via, share.pull_request.number if share.pull_request else None] += share.lines
    return dict(lines)
