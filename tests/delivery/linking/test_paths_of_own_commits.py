"""Changes merged from the default branch do not count as touched by a branch's pull request: histories made by git.

The provider, or the pushing program, lists the branch's commits like `git log start..branch`: including those of
others.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from integrations.delivery.linking.relink import relink_everything, relink_paths
from integrations.models import Commit, CommitFile, PullRequest, Repository, ServicePaths, TouchedService
from tests.code.git.repositories import ADA, BEN, Repo, lines
from tests.code.git.tables import sync
from tests.delivery.linking.delivery import Delivery, sha_of
from tests.delivery.pull_requests.conftest import figures

pytestmark = pytest.mark.django_db
SERVICES = ("cart", "search", "mail")


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """main has files of three services.  Ada's branch starts there and touches the cart."""
    repo = Repo.create(tmp_path / "acme" / "shop")
    repo.commit({f"{service}/main.py": lines(3) for service in SERVICES}, "Start", by=BEN)
    repo.branch("feature")
    repo.commit({"cart/basket.py": lines(4)}, "Fill the basket", by=ADA)
    repo.switch("main")
    repo.commit({"search/index.sql": lines(5)}, "Index the search", by=BEN)
    repo.branch("fix")
    repo.commit({"mail/send.js": lines(2)}, "Send mail", by=BEN)
    repo.switch("main")
    repo.merge("fix", "Merge the fix")
    repo.switch("feature")
    return repo


def take_in_by_merging(repo: Repo) -> Sequence[str]:
    repo.merge("main", "Take in main")
    repo.commit({"cart/total.py": lines(3)}, "Add up", by=ADA)
    return repo.git("log", "--format=%H", "main~2..feature").split()


def take_in_by_rebasing(repo: Repo) -> Sequence[str]:
    start = repo.git("merge-base", "main", "feature")
    repo.rebase("main")
    repo.commit({"cart/total.py": lines(3)}, "Add up", by=ADA)
    return repo.git("log", "--format=%H", f"{start}..feature").split()


def merge(repo: Repo) -> str:
    repo.switch("main")
    return repo.merge("feature", "Merge the feature")


def squash(repo: Repo) -> str:
    repo.switch("main")
    return repo.squash("feature", "The feature (#1)")


def touched(number: int = 1) -> set[str]:
    return set(TouchedService.objects.filter(pull_request__number=number).values_list("service", flat=True))


def rule(repository: str) -> None:
    stored = Repository.objects.get(name=repository)
    for service in SERVICES:
        ServicePaths.objects.create(repository=stored, service=service, patterns=[f"{service}/"])
    relink_paths(stored.pk)


def tell(shop: Delivery, listed: Sequence[str], merge_sha: str) -> None:
    shop.merges(
        1,
        at="Tue 10:00",
        opened="Mon 12:00",
        merge_sha=merge_sha,
        commits=[{"sha": sha} for sha in listed],
        reviews=[{"author": "ben@example.com", "state": "approved", "submitted_at": "2026-03-02T20:00:00+00:00"}],
    )


def name_of(sha: str) -> str:
    return Commit.objects.get(sha=sha).repositories.get().repository.name


@pytest.mark.parametrize("take_in", [take_in_by_merging, take_in_by_rebasing])
@pytest.mark.parametrize("bring", [merge, squash])
def test_only_what_the_branch_changed_itself_is_touched(
    repo: Repo, take_in: Callable[[Repo], Sequence[str]], bring: Callable[[Repo], str]
) -> None:
    listed = take_in(repo)
    assert len(listed) >= 5, "with those of main"
    merge_sha = bring(repo)
    sync(repo)
    shop = Delivery(name_of(merge_sha))
    tell(shop, listed, merge_sha)
    rule(shop.repository)
    assert touched() == {"cart"}
    shop.deploys("mail", at="Tue 11:00", service="mail")
    assert shop.deployed(1) is None
    shop.deploys("cart", at="Tue 12:00", service="cart")
    assert shop.deployed(1) == ("cart", "time")


@pytest.mark.parametrize("take_in", [take_in_by_merging, take_in_by_rebasing])
@pytest.mark.parametrize("bring", [merge, squash])
def test_nor_do_its_directories_languages_and_paths_count_what_it_took_in(
    repo: Repo, take_in: Callable[[Repo], Sequence[str]], bring: Callable[[Repo], str]
) -> None:
    """Two Python files in one directory.  The reviewer, who wrote all of main, had changed neither."""
    listed = take_in(repo)
    merge_sha = bring(repo)
    sync(repo)
    tell(Delivery(name_of(merge_sha)), listed, merge_sha)
    [stored] = figures().values()
    assert (stored.file_count, stored.directory_count, stored.language_count) == (2, 1, 1)
    assert (stored.new_path_count, stored.reviewed_path_count) == (2, 2)


def test_what_main_was_moved_forward_to_is_its_own(repo: Repo) -> None:
    """Rebased, and listed as the provider does, from where main stood: the rest is told apart by no graph."""
    repo.rebase("main")
    listed = repo.git("log", "--format=%H", "main~1..feature").split()
    repo.switch("main")
    repo.git("merge", "--quiet", "--ff-only", "feature")
    sync(repo)
    shop = Delivery(name_of(repo.head))
    shop.merges(2, at="Mon 15:00", merge_sha=listed[-2], commits=[{"sha": sha} for sha in listed[-2:]])
    tell(shop, listed, repo.head)
    rule(shop.repository)
    assert (touched(1), touched(2)) == ({"cart"}, {"mail"})


def test_a_clone_that_is_read_later_tells_whose_the_commits_are(repo: Repo) -> None:
    """Told first of main without the merge: nothing says yet that what was taken in stood there before."""
    listed = take_in_by_merging(repo)
    repo.switch("main")
    sync(repo)
    shop = Delivery(name_of(repo.head))
    rule(shop.repository)
    merge_sha = merge(repo)
    tell(shop, listed, merge_sha)
    sync(repo)
    assert touched() == {"cart"}
    relink_everything()
    assert touched() == {"cart"}


class TestWithoutAGraph:
    """Another pull request that was merged earlier says it, too."""

    @pytest.fixture
    def shop(self) -> Delivery:
        shop = Delivery()
        for sha, path in {"tea": "cart/a.py", "milk": "search/b.py"}.items():
            shop.commit(sha, parents=["start"], branch="elsewhere")
            commit = Commit.objects.get(sha=sha_of(sha))
            CommitFile.objects.create(commit=commit, path=path, file_type="code")
        rule_of_two = Repository.objects.get(name=shop.repository)
        for service in ("cart", "search"):
            ServicePaths.objects.create(repository=rule_of_two, service=service, patterns=[f"{service}/"])
        return shop

    def first(self, shop: Delivery, **others: object) -> None:
        shop.merges(1, at="Mon 10:00", commits=[{"sha": sha_of("tea")}], **others)

    def second(self, shop: Delivery) -> None:
        shop.merges(2, at="Mon 12:00", commits=[{"sha": sha_of(name)} for name in ("tea", "milk")])

    def test_whichever_arrives_first(self, shop: Delivery) -> None:
        self.first(shop)
        self.second(shop)
        assert (touched(1), touched(2)) == ({"cart"}, {"search"})
        PullRequest.objects.all().delete()
        self.second(shop)
        assert touched(2) == {"cart", "search"}
        self.first(shop)
        assert (touched(1), touched(2)) == ({"cart"}, {"search"})

    def test_its_deployment_follows(self, shop: Delivery) -> None:
        self.second(shop)
        shop.deploys("cart", at="Mon 13:00", service="cart")
        shop.deploys("search", at="Mon 14:00", service="search")
        assert shop.deployed(2) == ("cart", "time")
        self.first(shop)
        assert (shop.deployed(1), shop.deployed(2)) == (("cart", "time"), ("search", "time"))
        shop.takes_back("pull-requests", f"{shop.repository}#1")
        assert shop.deployed(2) == ("cart", "time")
