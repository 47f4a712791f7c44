"""Branches that grow, go, and are rewritten: what is stored is what an import of today would store."""

from __future__ import annotations

from pathlib import Path

import pytest

from integrations.models import Commit, CommitFile, CommitInRepository, Repository, RepositorySource, SyncRun
from tests.code.git.repositories import ADA, BEN, Repo, lines
from tests.code.git.tables import counted, imported_anew, sync, tables

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(repo: Repo) -> Repo:
    """Three commits on main, and two on a branch that is not merged."""
    for number in range(3):
        repo.commit({f"{number}.py": lines(number + 1)}, f"Main {number}")
    repo.branch("topic")
    for number in range(2):
        repo.commit({f"topic{number}.py": lines(number + 1)}, f"Topic {number}")
    repo.switch("main")
    return repo


def test_a_second_reading_changes_nothing_and_reads_nothing(shop: Repo) -> None:
    first = sync(shop)
    assert (first.state, first.to_read, first.read, first.added) == (SyncRun.State.DONE, 5, 5, 5)
    before = tables()
    second = sync(shop)
    assert (second.state, second.read, second.added, second.changed, second.removed) == (SyncRun.State.DONE, 0, 0, 0, 0)
    assert tables() == before
    sync(shop)
    assert list(SyncRun.objects.values_list("read", flat=True).order_by("pk")) == [5, 0]  # idle runs are not kept


def test_looking_at_everything_again_changes_nothing(shop: Repo) -> None:
    sync(shop)
    before = tables()
    run = sync(shop, full=True)
    assert (run.read, run.added, run.changed, run.unchanged) == (5, 0, 0, 5)
    assert tables() == before


def test_only_new_commits_are_read(shop: Repo) -> None:
    sync(shop)
    shop.commit({"new.py": lines(4)}, "New")
    run = sync(shop)
    assert (run.read, run.added, run.unchanged) == (1, 1, 0)
    assert tables() == imported_anew(shop)


def test_a_new_branch_without_commits_of_its_own_reads_nothing(shop: Repo) -> None:
    sync(shop)
    shop.git("branch", "another")
    assert sync(shop).read == 0
    assert "refs/heads/another" in RepositorySource.objects.get().refs
    assert tables() == imported_anew(shop)


def test_a_removed_branch_leaves_no_ghost(shop: Repo) -> None:
    sync(shop)
    shop.git("branch", "--quiet", "-D", "topic")
    run = sync(shop)
    assert run.removed == 2
    assert set(counted()) == {"Main 0", "Main 1", "Main 2"}
    assert tables() == imported_anew(shop)


def test_a_force_pushed_default_branch_leaves_no_ghost(shop: Repo) -> None:
    sync(shop)
    shop.git("reset", "--quiet", "--hard", "HEAD~2")
    shop.commit({"other.py": lines(9)}, "Other")
    run = sync(shop)
    assert (run.read, run.removed) == (1, 0)  # the branch "topic" still holds what main has lost
    assert set(counted()) == {"Main 0", "Main 1", "Main 2", "Topic 0", "Topic 1", "Other"}
    assert tables() == imported_anew(shop)
    shop.git("branch", "--quiet", "-D", "topic")
    assert sync(shop).removed == 4
    assert tables() == imported_anew(shop)


def test_what_was_gone_counts_again_when_a_branch_holds_it_again(shop: Repo) -> None:
    sync(shop)
    before = tables()
    tip = shop.git("rev-parse", "topic")
    shop.git("branch", "--quiet", "-D", "topic")
    sync(shop)
    shop.git("branch", "topic", tip)
    assert sync(shop).read == 0
    assert tables() == before


def test_another_default_branch_is_noticed(shop: Repo) -> None:
    sync(shop)
    shop.git("branch", "--quiet", "-m", "main", "old")
    shop.git("branch", "--quiet", "-m", "topic", "main")
    sync(shop)
    assert not CommitInRepository.objects.filter(on_default_branch=False).exists()
    assert tables() == imported_anew(shop)


def test_the_default_branch_of_a_clone_is_known_by_its_name(shop: Repo, tmp_path: Path) -> None:
    sync(shop.clone(tmp_path / "clone"))
    assert Repository.objects.get().default_branch == "main"


def test_all_branches_gone_leaves_an_empty_repository(shop: Repo) -> None:
    sync(shop)
    for ref in shop.git("for-each-ref", "--format=%(refname)").split():
        shop.git("update-ref", "-d", ref)
    assert sync(shop).removed == 5
    assert counted() == {}


def test_an_empty_repository_becomes_one_with_commits(repo: Repo) -> None:
    run = sync(repo)
    assert (run.state, run.read) == (SyncRun.State.DONE, 0)
    repo.commit({"a.py": lines(2)}, "One")
    sync(repo)
    assert counted() == {"One": 2}
    assert Repository.objects.get().default_branch == "main"


def test_two_connections_onto_one_repository_store_it_once(shop: Repo, tmp_path: Path) -> None:
    bare = shop.clone(tmp_path / "shop.git", "--bare")
    bare.git("remote", "remove", "origin")
    sync(shop)
    run = sync(bare)
    assert (run.read, run.unchanged) == (0, 5)
    assert Repository.objects.count() == 1
    assert tables() == imported_anew(shop, bare)


def test_what_one_of_two_sources_lost_stays_while_the_other_holds_it_and_then_goes(shop: Repo, tmp_path: Path) -> None:
    bare = shop.clone(tmp_path / "shop.git", "--bare")
    bare.git("remote", "remove", "origin")
    sync(shop)
    sync(bare)
    for repo, left in ((shop, 5), (bare, 3)):
        repo.git("branch", "--quiet", "-D", "topic")
        sync(repo)
        assert len(counted()) == left
    assert tables() == imported_anew(shop, bare)


def test_what_a_source_that_is_gone_may_hold_stays(shop: Repo, tmp_path: Path) -> None:
    bare = shop.clone(tmp_path / "shop.git", "--bare")
    bare.git("remote", "remove", "origin")
    sync(shop)
    sync(bare)
    bare.path.rename(tmp_path / "unmounted")
    shop.git("branch", "--quiet", "-D", "topic")
    assert sync(shop).state == SyncRun.State.DONE
    assert len(counted()) == 5


def test_a_worktree_and_its_repository_are_one(shop: Repo, tmp_path: Path) -> None:
    shop.git("worktree", "add", "--quiet", str(tmp_path / "tree"), "topic")
    sync(shop)
    assert sync(tmp_path / "tree").read == 0
    assert Repository.objects.count() == 1


def test_a_shallow_clone_is_read_as_far_as_it_goes_and_further_when_it_is_deepened(shop: Repo, tmp_path: Path) -> None:
    shallow = shop.clone(tmp_path / "shallow", "--depth=1", "--no-single-branch")
    assert sync(shallow).read == 2
    assert Repository.objects.get().shallow
    shallow.git("fetch", "--quiet", "--unshallow")
    assert sync(shallow).added == 3
    assert not Repository.objects.get().shallow
    assert tables() == imported_anew(shallow)


def test_a_changed_mailmap_speaks_of_the_past_too(repo: Repo) -> None:
    repo.commit({"a.py": lines(3)}, by="ada <ada@laptop.local>")
    sync(repo)
    repo.commit({".mailmap": "Ada Example <ada@example.com> <ada@laptop.local>\n"}, by=BEN)
    assert sync(repo).changed == 1
    assert Commit.objects.get(file_count=1, lines_added=3).author.value == "ada@example.com"
    assert tables() == imported_anew(repo)


def test_changed_attributes_speak_of_the_past_too(repo: Repo) -> None:
    repo.commit({"client.py": lines(3), "a.tpl": lines(2)}, by=ADA)
    sync(repo)
    repo.commit({".gitattributes": "client.py linguist-generated\n*.tpl linguist-language=HTML\n"})
    assert sync(repo).changed == 1
    assert CommitFile.objects.get(path="client.py").exclusion_reason == "generated"
    assert Commit.objects.get(parents=[]).lines_added == 2
    assert tables() == imported_anew(repo)


def test_a_partial_clone_counts_its_commits_and_their_lines_once_it_has_them(repo: Repo, tmp_path: Path) -> None:
    for number in range(8):
        repo.commit({"a.py": lines(number)}, f"Commit {number}")
    repo.git("config", "uploadpack.allowFilter", "true")
    partial = repo.clone(tmp_path / "partial.git", "--bare", "--filter=blob:none")
    run = sync(partial)
    assert (run.state, run.added) == (SyncRun.State.DONE, 8)
    assert not Commit.objects.filter(lines_known=True).exists()
    assert len(counted()) == 8
    partial.git("fetch", "--quiet", "--refetch", "--no-filter", "origin", "+refs/heads/*:refs/heads/*")
    partial.git("config", "--unset", "remote.origin.promisor")
    assert sync(partial, full=True).changed == 8
    assert sum(counted().values()) == 7
    assert tables() == imported_anew(partial)


def test_pushing_in_parts_stores_what_one_import_stores(repo: Repo) -> None:
    """The order and number of readings does not matter."""
    for number in range(4):
        repo.commit({"a.py": lines(number + 2), f"{number}.md": "x\n"}, f"Main {number}")
        sync(repo)
        repo.branch(f"topic{number}")
        repo.commit({f"topic{number}.py": lines(3)}, f"Topic {number}", by=BEN)
        if number % 2:
            sync(repo)
        repo.commit({f"topic{number}.py": lines(5)}, f"Topic {number} again", by=BEN)
        repo.switch("main")
        if number == 1:
            repo.merge("topic0")
        if number == 2:
            repo.squash("topic1", "Squash topic 1")
        if number == 3:
            repo.cherry_pick("topic2~1")
            sync(repo)
            repo.switch("topic2")
            repo.rebase("main")
            repo.switch("main")
    sync(repo)
    assert tables() == imported_anew(repo)


def test_context_files_follow_the_default_branch(shop: Repo) -> None:
    sync(shop)
    shop.commit({"CLAUDE.md": "Be kind.\n"})
    sync(shop)
    shop.commit({"new.py": "1\n"})
    sync(shop)
    (file,) = Repository.objects.get().context_files.all()
    assert (file.path, file.agent, file.present_to) == ("CLAUDE.md", "claude_code", None)
    shop.commit({"CLAUDE.md": None})
    sync(shop)
    assert Repository.objects.get().context_files.get().present_to is not None
    assert tables() == imported_anew(shop)
