"""The pull request of a pipeline run, in whatever order both arrive, change or are deleted."""

from __future__ import annotations

from dataclasses import replace

import pytest
import time_machine
from django.db import transaction

from insights.columns.refresh import refresh
from insights.query.query import Dimension
from integrations.connectors.drafts import ProvidedParts, PullRequestCommitDraft, PullRequestDraft, Who
from integrations.enums import Kind, PullRequestState
from integrations.intake.deleted_records import mark_deleted
from integrations.models import PipelineRunFigures
from tests.columns.forgotten import forgotten_by_refresh
from tests.delivery.linking.delivery import Delivery, sha_of
from tests.delivery.work_items.tracker import Tracker, at, by_segment, week_of
from tests.org import Org

WEEK = week_of("03-09")


@pytest.fixture
def tracker(db: None) -> Tracker:
    return Tracker()


def proposed(
    tracker: Tracker, number: int, *shas: str, agent: str = "", merged: str = "", merge_sha: str = ""
) -> PullRequestDraft:
    """Pull request #number with these commits; the last of them is by the agent's bot, where one is given."""
    listed = [
        PullRequestCommitDraft(
            sha=sha,
            position=position,
            author=Who(login=agent, bot=True) if agent and sha == shas[-1] else Who(login="ada"),
            authored_at=at("03-09 07:00"),
            committed_at=at("03-09 07:00"),
        )
        for position, sha in enumerate(shas)
    ]
    draft = replace(tracker.pull_request(number, "SHOP-1"), commits=ProvidedParts(listed), updated_at=at("03-09 09:00"))
    if not merged:
        return draft
    return replace(
        draft, state=PullRequestState.MERGED, merged_at=at(merged), closed_at=at(merged), merge_sha=merge_sha
    )


def belonging() -> dict[str, int | None]:
    """Attempt → the number of the pull request that it belongs to."""
    rows = PipelineRunFigures.objects.select_related("run", "pull_request")
    return {row.run.external_id: row.pull_request.number if row.pull_request else None for row in rows}


def success(key: str = "ci.success_rate") -> dict[str, float | None]:
    return by_segment(key, WEEK, Dimension.ASSISTANCE)


def forgotten_of_runs() -> list[str]:
    return [difference for difference in forgotten_by_refresh() if difference.startswith("pipeline")]


@pytest.mark.parametrize("runs_first", [True, False])
def test_whichever_arrives_first(tracker: Tracker, runs_first: bool) -> None:
    runs = [
        tracker.run("listed", "aaa", "success", "03-09 10:00", "03-09 10:10"),
        tracker.run("merged", "mmm", "failure", "03-09 12:00", "03-09 12:10"),
        tracker.run("neither", "zzz", "failure", "03-09 13:00", "03-09 13:10"),
        tracker.run("no commit", "", "failure", "03-09 14:00", "03-09 14:10"),
    ]
    draft = proposed(tracker, 1, "aaa", merged="03-09 11:00", merge_sha="mmm")
    for drafts in ([*runs], [draft]) if runs_first else ([draft], [*runs]):
        tracker.tell(*drafts)
    assert belonging() == {"listed": 1, "merged": 1, "neither": None, "no commit": None}
    assert success() == {"Non-AI": 50, "unknown": 0}


def test_of_several_it_is_of_the_one_that_was_merged_first(tracker: Tracker) -> None:
    tracker.tell(tracker.run("1", "aaa", "success", "03-09 10:00", "03-09 10:10"))
    tracker.tell(proposed(tracker, 2, "aaa", "bbb"))
    assert belonging() == {"1": 2}
    tracker.tell(proposed(tracker, 1, "aaa", merged="03-10 11:00"))
    assert belonging() == {"1": 1}
    tracker.tell(replace(proposed(tracker, 2, "aaa", "bbb", merged="03-10 10:00"), updated_at=at("03-10 10:00")))
    assert belonging() == {"1": 2}


def test_a_commit_that_was_pushed_away_is_of_nobody(tracker: Tracker) -> None:
    tracker.tell(proposed(tracker, 1, "aaa"), tracker.run("1", "aaa", "success", "03-09 10:00", "03-09 10:10"))
    assert belonging() == {"1": 1}
    tracker.tell(replace(proposed(tracker, 1, "bbb"), updated_at=at("03-09 12:00")))
    assert belonging() == {"1": None}


def test_nor_is_one_whose_pull_request_was_deleted_or_forgotten(tracker: Tracker) -> None:
    other = Tracker(provider="gitlab", name="Other")
    tracker.tell(tracker.run("1", "aaa", "success", "03-09 10:00", "03-09 10:10"), proposed(tracker, 1, "aaa"))
    with transaction.atomic():
        mark_deleted(tracker.connection, Kind.PULL_REQUEST, ["PR1"])
    assert belonging() == {"1": None}
    tracker.tell(replace(proposed(tracker, 1, "aaa"), updated_at=at("03-09 12:00")))
    other.tell(other.run("2", "ccc", "success", "03-09 10:00", "03-09 10:10"))
    assert belonging() == {"1": 1, "2": None}
    tracker.forget()
    assert belonging() == {"2": None}


def test_a_run_in_another_repository_is_another_one(tracker: Tracker) -> None:
    fork = Tracker(name="Fork", repository="acme/fork")
    tracker.tell(proposed(tracker, 1, "aaa"))
    fork.tell(fork.run("1", "aaa", "success", "03-09 10:00", "03-09 10:10"))
    assert belonging() == {"1": None}


def test_services_are_those_of_the_pull_request(db: None) -> None:
    """Without service paths, the service of its first deployment; runs without a pull request have none."""
    shop = Delivery()
    shop.merges(1, at="Mon 10:00", commits=[{"sha": sha_of("tea")}])
    shop.deploys("d", at="Mon 11:00", service="cart")
    for name in ("tea", "milk"):
        shop.push(
            "pipeline-runs",
            id=name,
            repository=shop.repository,
            name="Tests",
            sha=sha_of(name),
            status="success",
            queued_at="2026-03-02T08:00:00+00:00",
            started_at="2026-03-02T08:10:00+00:00",
            finished_at="2026-03-02T08:30:00+00:00",
        )
    of_services = {
        key: by_segment(key, week_of("03-02"), Dimension.SERVICE) for key in ("ci.duration", "ci.queue_time")
    }
    assert of_services == {
        "ci.duration": {"cart": 1200, "unknown": 1200},
        "ci.queue_time": {"cart": 600, "unknown": 600},
    }


def test_columns_follow(tracker: Tracker, org: Org) -> None:
    """An agent's commit comes to the branch, and leaves it; the pull request goes, and comes back."""
    org.tree("Teams")
    with time_machine.travel(at("03-20 12:00"), tick=False):
        tracker.tell(
            tracker.run("1", "aaa", "success", "03-09 10:00", "03-09 10:10"),
            tracker.run("2", "bbb", "failure", "03-11 10:00", "03-11 10:10"),
        )
        refresh()
        steps = [
            ("told", {"unknown": 0, "Non-AI": 100}, proposed(tracker, 1, "aaa")),
            ("the agent's", {"AI": 50}, proposed(tracker, 1, "aaa", "bbb", agent="claude[bot]")),
            ("pushed away", {"unknown": 0, "Non-AI": 100}, proposed(tracker, 1, "aaa")),
        ]
        for hour, (what, expected, draft) in enumerate(steps):
            tracker.tell(replace(draft, updated_at=at(f"03-12 {10 + hour}:00")))
            assert success() == expected, what
            assert forgotten_of_runs() == [], what
        with transaction.atomic():
            mark_deleted(tracker.connection, Kind.PULL_REQUEST, ["PR1"])
        assert success() == {"unknown": 50}
        assert forgotten_of_runs() == []
