"""Changes that reach production as other commits than those that they were merged as: picked, or rebased."""

from __future__ import annotations

from pathlib import Path

import pytest

from integrations.delivery.linking.relink import relink_everything
from integrations.models import Commit
from tests.code.git.repositories import ADA, Repo, lines
from tests.code.git.tables import sync
from tests.delivery.linking.delivery import Delivery, deployment, links, sha_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Delivery:
    """main: start ─ m1 ─ m2 ─ m3, of which #1, #2 and #3 are the merges; r1 on the release branch follows start."""
    shop = Delivery()
    shop.commits("m1", "m2", "m3", after="start")
    shop.commits("r1", after="start", branch="release")
    for number in (1, 2, 3):
        shop.merges(number, at=f"Mon 1{number}:00", sha=f"m{number}")
    return shop


def pick(shop: Delivery, sha: str, of: str, *, after: str, at: str = "Tue 09:00") -> None:
    """A commit on the release branch that says of which it is a copy."""
    shop.commit(sha, parents=[after], branch="release", at=at, picked_from=of)


def test_a_cherry_pick_on_a_release_branch_brings_its_pull_request_along(shop: Delivery) -> None:
    pick(shop, "p2", "m2", after="r1")
    shop.deploys("r", at="Tue 10:00", sha="p2")
    assert [shop.deployed(number) for number in (1, 2, 3)] == [None, ("r", "pick"), None]


def test_only_its_first_deployment_counts(shop: Delivery) -> None:
    """The release branch was deployed with it, then the default branch with the merge itself: once is enough."""
    pick(shop, "p2", "m2", after="r1")
    shop.deploys("main", at="Wed 10:00", sha="m3")
    assert shop.deployed(2) == ("main", "chain")
    shop.deploys("r", at="Tue 10:00", sha="p2")
    assert [shop.deployed(number) for number in (1, 2, 3)] == [("main", "chain"), ("r", "pick"), ("main", "chain")]
    shop.deploys("early", at="Mon 18:00", sha="m2")
    assert shop.deployed(2) == ("early", "chain")


def test_what_was_picked_onto_something_that_was_not_deployed_waits(shop: Delivery) -> None:
    pick(shop, "p2", "m2", after="r1")
    shop.deploys("before it", at="Tue 10:00", sha="r1")
    shop.deploys("failed", at="Tue 11:00", sha="p2", status="failure")
    assert shop.deployed(2) is None
    shop.commits("r3", after="p2", branch="release")
    shop.deploys("with it", at="Tue 12:00", sha="r3")
    assert shop.deployed(2) == ("with it", "pick")


@pytest.mark.parametrize("last", ["merge", "deploy", "copy"])
def test_whatever_arrives_last(last: str) -> None:
    shop = Delivery()
    shop.commits("r1", after="start", branch="release")

    def merge() -> None:
        shop.commits("m1", after="start")
        shop.merges(1, at="Mon 10:00", sha="m1")

    def deploy() -> None:
        shop.deploys("r", at="Tue 10:00", sha="p1")

    def copy() -> None:
        pick(shop, "p1", "m1", after="r1")

    for tell in sorted((merge, deploy, copy), key=lambda step: step.__name__ == last):
        tell()
    assert shop.deployed(1) == ("r", "pick")
    before = links()
    relink_everything()
    assert links() == before


def test_a_copy_of_its_only_commit_will_do(shop: Delivery) -> None:
    """#4 was merged by a merge commit; picked was the one commit of its branch."""
    shop.commits("c4", after="m3", branch="feature")
    shop.commit("m4", parents=["m3", "c4"])
    shop.merges(4, at="Mon 20:00", sha="m4", commits=[{"sha": sha_of("c4")}])
    pick(shop, "p4", "c4", after="r1")
    shop.deploys("r", at="Tue 10:00", sha="p4")
    assert shop.deployed(4) == ("r", "pick")


def test_a_copy_of_one_among_several_commits_brings_a_part_only(shop: Delivery) -> None:
    shop.commits("c4", "c5", after="m3", branch="feature")
    shop.commit("m4", parents=["m3", "c5"])
    shop.merges(4, at="Mon 20:00", sha="m4", commits=[{"sha": sha_of(name)} for name in ("c4", "c5")])
    pick(shop, "p4", "c4", after="r1")
    shop.deploys("r", at="Tue 10:00", sha="p4")
    assert shop.deployed(4) is None


def test_a_copy_from_before_the_merge_is_none_of_it(shop: Delivery) -> None:
    """The commit was tried out on the release branch while its pull request was still open."""
    shop.merges(4, at="Wed 10:00", sha="m4", commits=[{"sha": sha_of("c4")}])
    pick(shop, "p4", "c4", after="r1", at="Tue 09:00")
    shop.commits("m4", after="m3")
    shop.deploys("r", at="Tue 10:00", sha="p4")
    shop.deploys("main", at="Thu 10:00", sha="m4")
    assert shop.deployed(4) == ("main", "chain")


def test_a_pick_in_another_repository_is_another_change(shop: Delivery) -> None:
    other = Delivery("acme/search")
    other.commits("s1")
    pick(other, "p2", "m2", after="s1")
    other.deploys("d", at="Tue 10:00", sha="p2")
    assert shop.deployed(2) is None


def test_a_pull_request_that_was_merged_by_rebasing(shop: Delivery) -> None:
    """Its two commits stand on the default branch as others, n1 and n2; the last of them is what it was merged as.

    The head of its own branch is the same change, if it is deployed after the merge.
    """
    shop.commits("c1", "c2", after="m1", branch="feature")
    shop.commits("n1", "n2", after="m3")
    shop.merges(4, at="Tue 10:00", sha="n2", commits=[{"sha": sha_of(name)} for name in ("c1", "c2")])
    shop.deploys("half of it", at="Tue 11:00", sha="n1")
    shop.deploys("half of its branch", at="Tue 11:30", sha="c1")
    assert shop.deployed(4) is None
    shop.deploys("all of it", at="Tue 13:00", sha="n2")
    assert shop.deployed(4) == ("all of it", "chain")
    shop.deploys("branch", at="Tue 12:00", sha="c2")
    assert shop.deployed(4) == ("branch", "pick")


def test_the_head_of_a_squashed_branch_is_the_change_once_it_is_merged(shop: Delivery) -> None:
    """Each merge is a squash, and what is deployed is the head of the branch."""
    shop.commits("s4", "s5", after="m3")
    for number, at, sha, own, parent in ((4, "Tue 10:00", "s4", "c4", "m3"), (5, "Wed 10:00", "s5", "c5", "s4")):
        listed = [{"sha": sha_of(own), "parents": [sha_of(parent)]}]
        shop.merges(number, at=at, sha=sha, commits=listed, source_branch=f"topic-{number}")
    shop.deploys("preview", at="Tue 09:00", sha="c4")
    assert shop.deployed(4) is None
    shop.deploys("again", at="Tue 10:30", sha="c4")
    assert shop.deployed(4) is None, "a sha that was deployed before the merge contains it in no case"
    shop.deploys("five", at="Wed 10:30", sha="c5")
    assert shop.deployed(5) == ("five", "pick")
    assert shop.deployed(4) == ("five", "chain"), "topic-5 was begun from the squash of topic-4"


def test_a_develop_branch_of_which_no_commit_is_read_reaches_production_with_its_release(shop: Delivery) -> None:
    """git-flow without a clone: #4 goes to develop, a hotfix to main, and later develop to main."""
    listed = [{"sha": sha_of("c4"), "parents": [sha_of("m3")]}]
    shop.merges(4, at="Tue 10:00", sha="d4", target_branch="develop", commits=listed)
    shop.commits("hotfix", after="m3")
    shop.deploys("hotfix", at="Wed 10:00", sha="hotfix")
    assert shop.deployed(4) is None
    released = [*listed, {"sha": sha_of("d4"), "parents": [sha_of("m3"), sha_of("c4")]}]
    shop.merges(5, at="Thu 10:00", sha="release", source_branch="develop", commits=released)
    shop.commits("release", after="hotfix")  # squashed
    shop.deploys("release", at="Thu 11:00", sha="release")
    assert shop.deployed(4) == ("release", "chain")


def test_an_environment_branch_is_a_chain_of_its_merges(shop: Delivery) -> None:
    """production is no default branch: what was merged to it before is in what was merged to it later."""
    for number, at, own in ((4, "Tue 10:00", "c4"), (5, "Wed 10:00", "c5")):
        listed = [{"sha": sha_of(own), "parents": [sha_of("m3")]}]
        shop.merges(number, at=at, sha=f"p{number}", target_branch="production", commits=listed)
    shop.deploys("both", at="Wed 11:00", sha="p5")
    assert shop.deployed(5) == ("both", "graph")
    assert shop.deployed(4) == ("both", "graph")
    assert shop.deployed(3) == ("both", "chain"), "they were begun from it"


class TestClones:
    """A clone tells which changes are the same; the message need not say it."""

    @pytest.fixture
    def repo(self, tmp_path: Path) -> Repo:
        repo = Repo.create(tmp_path / "acme" / "shop")
        repo.commit({"a.py": lines(3)}, "One")
        return repo

    @pytest.mark.parametrize("words", [(), ("-x",)], ids=["without a note", "-x"])
    def test_a_pick_of_the_same_lines(self, repo: Repo, words: tuple[str, ...]) -> None:
        repo.branch("release")
        repo.switch("main")
        repo.commit({"b.py": lines(4)}, "Two")
        merged = repo.commit({"c.py": lines(5)}, "Three")
        repo.switch("release")
        repo.git("cherry-pick", *words, merged, signed=repo.signed(ADA, ADA))
        picked = repo.head
        sync(repo)
        assert Commit.objects.get(sha=picked).picked_from == ([merged] if words else [])
        shop = Delivery(Commit.objects.get(sha=merged).repositories.get().repository.name)
        shop.merges(1, at="Mon 11:00", merge_sha=merged)
        shop.push("deployments", **{**deployment(shop.repository, "r", at="Tue 10:00"), "sha": picked})
        assert shop.deployed(1) == ("r", "pick")

    def test_a_branch_that_was_rebased_and_merged_counts_by_its_head(self, repo: Repo) -> None:
        repo.branch("feature")
        own = repo.commit({"b.py": lines(4)}, "Two")
        repo.switch("main")
        repo.commit({"c.py": lines(5)}, "Three")
        merged = repo.cherry_pick(own)
        sync(repo)
        shop = Delivery(Commit.objects.get(sha=merged).repositories.get().repository.name)
        shop.merges(1, at="Mon 13:00", merge_sha=merged, commits=[{"sha": own}])
        shop.push("deployments", **{**deployment(shop.repository, "branch", at="Tue 10:00"), "sha": own})
        assert shop.deployed(1) == ("branch", "pick")
        shop.push("deployments", **{**deployment(shop.repository, "main", at="Tue 09:00"), "sha": merged})
        assert shop.deployed(1) == ("main", "chain")
