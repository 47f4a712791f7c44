"""Records that stop saying what links came from: the links of others follow."""

from __future__ import annotations

from typing import Any

import pytest

from integrations.delivery.linking.relink import relink_everything
from integrations.delivery.mappings.effective import Subject
from integrations.delivery.set_mapping import set_value_mapping
from integrations.models import DeployedPullRequest
from integrations.push.store import push_connection
from tests.delivery.linking.delivery import Delivery, links, sha_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Delivery:
    return Delivery()


def listed(sha: str, parent: str) -> dict[str, Any]:
    return {"sha": sha_of(sha), "parents": [sha_of(parent)]}


def assert_as_from_nothing() -> None:
    before = links()
    relink_everything()
    assert links() == before


@pytest.mark.parametrize("branch", ["main", "release"])
@pytest.mark.parametrize("correction", ["another merge", "other commits", "taken back"])
def test_a_squash_that_did_not_list_a_commit_after_all(shop: Delivery, branch: str, correction: str) -> None:
    """#1 was merged into the branch of #2, as f1; #2 was squashed as m2, by which f1 went live."""
    shop.commits("m1", after="start")
    shop.commits("f1", "f2", after="m1", branch="feature")
    shop.commits("m2", "m3", after="m1", branch=branch)
    shop.merges(1, at="Mon 10:00", sha="f1")
    shop.merges(2, at="Mon 11:00", sha="m2", commits=[listed("f2", "f1")])
    shop.deploys("d", at="Mon 12:00", sha="m2")
    assert shop.deployed(1) == ("d", "chain" if branch == "main" else "graph")
    if correction == "another merge":
        shop.merges(2, at="Mon 11:00", sha="m3", commits=[listed("f2", "f1")])
    elif correction == "other commits":
        shop.merges(2, at="Mon 11:00", sha="m2")
    else:
        shop.takes_back("pull-requests", "acme/shop#2")
    assert shop.deployed(1) is None
    assert_as_from_nothing()


def test_a_squash_on_a_release_branch_whose_pull_request_arrives_last(shop: Delivery) -> None:
    shop.commits("m1", "m2", after="start")
    shop.commits("f1", "f2", after="m2", branch="feature")
    shop.commits("r2", "r3", after="m1", branch="release")
    shop.merges(1, at="Mon 10:00", sha="f1")
    shop.merges(3, at="Mon 10:00", sha="m2")
    shop.deploys("d", at="Mon 12:00", sha="r3")
    assert (shop.deployed(1), shop.deployed(3)) == (None, None)
    shop.merges(2, at="Mon 11:00", sha="r2", commits=[listed("f2", "f1")])
    assert (shop.deployed(1), shop.deployed(3)) == (("d", "graph"), ("d", "chain"))
    assert_as_from_nothing()


@pytest.mark.parametrize("correction", ["environment", "mapping", "sha", "taken back"])
def test_a_commit_that_was_not_deployed_before_the_merge_after_all(shop: Delivery, correction: str) -> None:
    shop.deploys("d1", at="Mon 10:00", sha="a", environment="live prod")
    shop.merges(1, at="Mon 12:00", sha="m1")
    shop.deploys("d2", at="Mon 14:00", sha="a")
    assert shop.deployed(1) is None, "a deployed commit contains nothing that was merged after it went live"
    if correction == "environment":
        shop.deploys("d1", at="Mon 10:00", sha="a", environment="staging")
    elif correction == "mapping":
        set_value_mapping(push_connection(), Subject.ENVIRONMENT, "live prod", "staging")
    elif correction == "sha":
        shop.deploys("d1", at="Mon 10:00", sha="b", environment="live prod")
    else:
        shop.takes_back("deployments", "d1")
    assert shop.deployed(1) == ("d2", "time")
    assert_as_from_nothing()


def test_a_first_deployment_that_was_none_to_production(shop: Delivery) -> None:
    """Changes merged long before the first known deployment were brought by an unknown one."""
    shop.commits("m1", "m2", after="start")
    shop.merges(1, at="Mon+1 10:00", sha="m2")
    shop.deploys("d1", at="Mon 10:00", sha="m1")
    shop.deploys("d2", at="Mon+8 10:00", sha="m2")
    assert not DeployedPullRequest.objects.get().predates
    shop.deploys("d1", at="Mon 10:00", sha="m1", environment="staging")
    assert DeployedPullRequest.objects.get().predates
    assert_as_from_nothing()
