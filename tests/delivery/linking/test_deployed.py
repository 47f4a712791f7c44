"""The deployment that brought a pull request to production: each trap as a story of a week."""

from __future__ import annotations

import pytest

from integrations.delivery.linking import relink
from integrations.delivery.linking.relink import relink_everything
from tests.delivery.linking.delivery import Delivery, links, sha_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Delivery:
    return Delivery()


def test_the_first_deployment_of_a_repository_counts_like_any_other(shop: Delivery) -> None:
    shop.merges(1, at="Mon 10:00")
    shop.deploys("d1", at="Mon 12:00")
    assert shop.deployed(1) == ("d1", "time")


def test_without_a_graph_it_is_the_first_deployment_that_started_after_the_merge(shop: Delivery) -> None:
    shop.merges(1, at="Mon 10:00")
    shop.deploys("under way", started="Mon 09:50", at="Mon 10:20")
    shop.deploys("next", started="Mon 11:00", at="Mon 11:10")
    assert shop.deployed(1) == ("next", "time")


def test_where_no_start_is_known_the_finish_says_it(shop: Delivery) -> None:
    shop.merges(1, at="Mon 10:00")
    shop.deploys("before", at="Mon 10:00")
    shop.deploys("after", at="Mon 10:01")
    assert shop.deployed(1) == ("after", "time")


def test_a_rollback_brings_nothing_new_where_only_time_tells(shop: Delivery) -> None:
    shop.deploys("d0", at="Mon 09:00")
    shop.merges(1, at="Mon 10:00")
    shop.deploys("back", at="Mon 11:00", rollback_of="d0")
    shop.deploys("d2", at="Tue 11:00")
    assert shop.deployed(1) == ("d2", "time")


@pytest.mark.parametrize(
    ("details", "why"),
    [
        ({"environment": "staging"}, "staging is not production"),
        ({"status": "failure"}, "a rollout that failed reached nobody"),
        ({"status": "cancelled"}, "neither did one that was cancelled"),
    ],
)
def test_only_successful_rollouts_to_production_count(shop: Delivery, details: dict[str, str], why: str) -> None:
    shop.merges(1, at="Mon 10:00")
    shop.deploys("none", at="Mon 11:00", **details)
    assert shop.deployed(1) is None, why
    shop.deploys("real", at="Mon 12:00")
    assert shop.deployed(1) == ("real", "time")


def test_a_deployment_contains_what_is_below_it_on_the_default_branch(shop: Delivery) -> None:
    shop.commits("m1", "m2", "m3", after="start")
    for number, at in ((1, "Mon 10:00"), (2, "Mon 11:00"), (3, "Mon 12:00")):
        shop.merges(number, at=at, sha=f"m{number}")
    shop.deploys("d1", at="Mon 13:00", sha="m2")  # started after all three merges, and holds two of them
    shop.deploys("d2", at="Mon 14:00", sha="m3")
    assert [shop.deployed(number) for number in (1, 2, 3)] == [("d1", "chain"), ("d1", "chain"), ("d2", "chain")]


def test_an_older_sha_deployed_again_does_not_contain_newer_merges(shop: Delivery) -> None:
    shop.commits("m1", "m2", after="start")
    shop.merges(1, at="Mon 10:00", sha="m1")
    shop.deploys("d1", at="Mon 11:00", sha="m1")
    shop.merges(2, at="Mon 12:00", sha="m2")
    shop.deploys("again", at="Mon 13:00", sha="m1")
    assert shop.deployed(2) is None
    shop.deploys("d2", at="Mon 14:00", sha="m2")
    assert shop.deployed(2) == ("d2", "chain")


def test_a_sha_that_is_known_as_a_parent_only_contains_nothing_above_it(shop: Delivery) -> None:
    shop.commits("m1", after="start")
    shop.merges(1, at="Mon 10:00", sha="m1")
    shop.deploys("old", at="Mon 11:00", sha="start")
    assert shop.deployed(1) is None


def test_a_squash_is_found_where_it_stands_and_not_by_the_commits_of_its_branch(shop: Delivery) -> None:
    shop.commits("feature1", "feature2", after="start", branch="feature")
    shop.commits("squash", after="start")
    shop.merges(1, at="Mon 10:00", sha="squash", commits=[{"sha": "f" * 40}])
    shop.deploys("branch", at="Mon 11:00", sha="feature2")
    assert shop.deployed(1) is None
    shop.deploys("d1", at="Mon 12:00", sha="squash")
    assert shop.deployed(1) == ("d1", "chain")


def test_a_merge_commit_brings_the_merges_of_its_branch(shop: Delivery) -> None:
    """A pull request was merged into a feature branch, and that was merged: the chain holds the second merge only."""
    shop.commits("base", after="start")
    shop.commits("inner", after="base", branch="feature")
    shop.commit("outer", parents=["base", "inner"])
    shop.merges(1, at="Mon 10:00", sha="inner", target_branch="feature")
    shop.merges(2, at="Mon 12:00", sha="outer")
    shop.deploys("d0", at="Mon 11:00", sha="base")
    assert shop.deployed(1) is None
    shop.deploys("d1", at="Mon 13:00", sha="outer")
    assert shop.deployed(1) == shop.deployed(2) == ("d1", "chain")


def test_what_stands_on_a_branch_contains_the_commit_to_which_main_was_fast_forwarded(shop: Delivery) -> None:
    shop.commits("m1", after="root")
    shop.commits("c1", "c2", after="m1", branch="feature")
    shop.merges(1, at="Mon 10:00", sha="c1")
    shop.commit("c1", parents=["m1"], branch="main")
    shop.deploys("d1", at="Mon 12:00", sha="c2")
    assert shop.deployed(1) == ("d1", "chain")
    before = links()
    relink_everything()
    assert links() == before


def test_a_release_branch_contains_its_fork_point_and_its_own_commits(shop: Delivery) -> None:
    shop.commits("m1", "m2", after="start")
    shop.commits("hotfix", after="m1", branch="release")
    shop.merges(1, at="Mon 10:00", sha="m1")
    shop.merges(2, at="Mon 11:00", sha="m2")
    shop.merges(3, at="Mon 12:00", sha="hotfix", target_branch="release")
    shop.deploys("r1", at="Mon 13:00", sha="hotfix")
    assert shop.deployed(1) == ("r1", "chain")
    assert shop.deployed(2) is None
    assert shop.deployed(3) == ("r1", "graph")


def test_the_parents_that_a_pull_request_tells_are_part_of_the_graph(shop: Delivery) -> None:
    commits = [{"sha": sha_of("m1"), "parents": [sha_of("start")]}]
    shop.merges(1, at="Mon 10:00", sha="m1", commits=commits)
    shop.deploys("old", at="Mon 11:00", sha="start")
    assert shop.deployed(1) is None


def test_a_known_merge_waits_for_a_deployment_whose_sha_is_known_or_was_never_deployed(shop: Delivery) -> None:
    shop.deploys("d0", at="Mon 09:00", sha="unknown")
    shop.commits("m1", after="start")
    shop.merges(1, at="Mon 10:00", sha="m1")
    shop.deploys("again", at="Mon 11:00", sha="unknown")
    assert shop.deployed(1) is None
    shop.deploys("new", at="Mon 12:00", sha="unknown too")
    assert shop.deployed(1) == ("new", "time")


def test_what_becomes_known_later_corrects_links_by_time(shop: Delivery) -> None:
    shop.merges(1, at="Mon 10:00", sha="m2")
    shop.deploys("d1", at="Mon 11:00", sha="m1")
    shop.deploys("d2", at="Mon 12:00", sha="m2")
    assert shop.deployed(1) == ("d1", "time")
    shop.commits("m1", "m2", after="start")
    assert shop.deployed(1) == ("d2", "chain")


def test_a_commit_between_a_release_and_a_merge_links_them_when_it_arrives_last(shop: Delivery) -> None:
    shop.commits("m1", "m2", after="start")
    shop.commits("fix", after="m1", branch="release")
    shop.merges(1, at="Mon 10:00", sha="fix", target_branch="release")
    shop.commit("tip", parents=["m2", "between"], branch="release")
    shop.deploys("r", at="Mon 13:00", sha="tip")
    assert shop.deployed(1) is None
    shop.commits("between", after="fix", branch="release")
    assert shop.deployed(1) == ("r", "graph")


def test_any_service_of_the_repository_will_do_without_path_rules(shop: Delivery) -> None:
    shop.merges(1, at="Mon 10:00")
    shop.deploys("cart", at="Mon 11:00", service="cart")
    shop.deploys("search", at="Mon 12:00", service="search")
    assert shop.deployed(1) == ("cart", "time")


def test_other_repositories_deploy_other_things(shop: Delivery) -> None:
    shop.merges(1, at="Mon 10:00")
    Delivery("acme/docs").deploys("docs", at="Mon 11:00")
    assert shop.deployed(1) is None


def test_a_deployment_that_is_taken_back_or_changed_is_no_longer_the_first(shop: Delivery) -> None:
    shop.merges(1, at="Mon 10:00")
    shop.deploys("d1", at="Mon 11:00")
    shop.deploys("d2", at="Mon 12:00")
    shop.takes_back("deployments", "d1")
    assert shop.deployed(1) == ("d2", "time")
    shop.deploys("d1", at="Mon 11:00")
    assert shop.deployed(1) == ("d1", "time")
    shop.deploys("d1", at="Mon 13:00")
    assert shop.deployed(1) == ("d2", "time")


def test_a_pull_request_that_is_no_longer_merged_is_not_deployed(shop: Delivery) -> None:
    shop.merges(1, at="Mon 10:00")
    shop.deploys("d1", at="Mon 11:00")
    shop.takes_back("pull-requests", "acme/shop#1")
    assert shop.deployed(1) is None


def test_a_large_repository_is_numbered_by_the_worker(shop: Delivery, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relink, "LARGE", 0)
    shop.commits("m2", after="m1")
    shop.merges(1, at="Mon 10:00", sha="m1")
    shop.deploys("old", at="Mon 11:00", sha="start")
    shop.deploys("new", at="Mon 12:00", sha="m2")
    assert shop.deployed(1) == ("old", "time")
    shop.commits("m1", after="start")
    assert shop.deployed(1) == ("old", "time"), "its parents are known, and not read yet"
    assert relink.place_waiting_commits() == 1
    assert shop.deployed(1) == ("new", "chain")
    assert relink.place_waiting_commits() == 0
