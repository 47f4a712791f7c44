"""Valid paths, branches, and the identity of a repository."""

from __future__ import annotations

from pathlib import Path

import pytest

from integrations.connectors.git.commands import NotARepositoryError
from integrations.connectors.git.history import existing, new_commits
from integrations.connectors.git.repository import GitRepository, one_spelling
from tests.code.git.repositories import Repo, run_git


def test_a_folder_that_is_no_repository_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(NotARepositoryError, match="is not a git repository"):
        GitRepository.open(tmp_path)


def test_a_folder_that_is_not_there_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(NotARepositoryError, match="There is no folder"):
        GitRepository.open(tmp_path / "nothing")


def test_a_file_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(NotARepositoryError, match="is not a folder"):
        GitRepository.open(tmp_path / "notes.txt")


def test_a_folder_inside_a_repository_is_not_taken_for_it(repo: Repo) -> None:
    repo.commit({"folder/a": "1\n"})
    with pytest.raises(NotARepositoryError, match="is not a git repository"):
        GitRepository.open(repo.path / "folder")


def test_a_repository_is_known_by_its_folder_and_by_its_git_folder(repo: Repo) -> None:
    assert GitRepository.open(repo.path) == GitRepository.open(repo.path / ".git")


def test_a_bare_clone_has_the_branches_and_the_default(repo: Repo, tmp_path: Path) -> None:
    repo.commit({"a": "1\n"})
    repo.branch("topic")
    tip = repo.commit({"b": "1\n"})
    repo.switch("main")
    git = GitRepository.open(repo.clone(tmp_path / "shop.git", "--bare").path)
    assert (git.is_bare, git.is_shallow) == (True, False)
    assert dict(git.branches) == {"refs/heads/main": repo.head, "refs/heads/topic": tip}
    assert git.default_branch(git.branches) == "refs/heads/main"


def test_a_clone_has_the_remote_branches_without_repeating_its_head(repo: Repo, tmp_path: Path) -> None:
    repo.commit({"a": "1\n"})
    git = GitRepository.open(repo.clone(tmp_path / "clone").path)
    assert sorted(git.branches) == ["refs/heads/main", "refs/remotes/origin/main"]
    assert git.default_branch(git.branches) == "refs/remotes/origin/main"


def test_a_worktree_on_another_branch_says_nothing_of_the_default(repo: Repo, tmp_path: Path) -> None:
    repo.commit({"a": "1\n"})
    repo.git("worktree", "add", "--quiet", "-b", "topic", str(tmp_path / "tree"))
    git = GitRepository.open(tmp_path / "tree")
    assert git.default_branch(git.branches) == "refs/heads/main"


def test_a_default_branch_may_have_any_name(tmp_path: Path) -> None:
    repo = Repo.create(tmp_path / "trunk")
    repo.git("symbolic-ref", "HEAD", "refs/heads/trunk/ünder-way")
    repo.commit({"a": "1\n"})
    git = GitRepository.open(repo.path)
    assert git.default_branch(git.branches) == "refs/heads/trunk/ünder-way"


def test_an_empty_repository_has_no_branch(repo: Repo) -> None:
    git = GitRepository.open(repo.path)
    assert (dict(git.branches), git.default_branch(git.branches), git.remote) == ({}, None, "")


def test_a_shallow_clone_says_so_and_has_no_root(repo: Repo, tmp_path: Path) -> None:
    for number in range(3):
        repo.commit({"a": f"{number}\n"})
    git = GitRepository.open(repo.clone(tmp_path / "shallow", "--depth=2").path)
    assert git.is_shallow
    assert git.root(repo.head) == ""
    assert len(new_commits(git.git_dir, [repo.head], ())) == 2


def test_a_submodule_is_a_repository_of_its_own(repo: Repo, tmp_path: Path) -> None:
    library = Repo.create(tmp_path / "library")
    library.commit({"lib.py": "1\n"})
    repo.commit({"a": "1\n"})
    run_git(repo.path, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(library.path), "library")
    git = GitRepository.open(repo.path / "library")
    assert git.branches["refs/heads/main"] == library.head


@pytest.mark.parametrize(
    "address",
    [
        "https://Git.Example.com/acme/shop.git",
        "https://user:secret@git.example.com/acme/shop/",
        "git@git.example.com:acme/shop.git",
        "ssh://git@git.example.com:2222/acme/shop.git",
    ],
)
def test_one_remote_has_one_spelling_without_anybodys_name(address: str) -> None:
    assert one_spelling(address) == "git.example.com/acme/shop"


@pytest.mark.parametrize("address", ["/srv/git/shop.git", "../shop", "file:///srv/git/shop.git", "https://[broken", ""])
def test_a_remote_on_disk_or_without_sense_names_no_host(address: str) -> None:
    assert one_spelling(address) == ""


def test_objects_that_are_no_commits_and_such_that_are_gone_do_not_exist(repo: Repo) -> None:
    sha = repo.commit({"a": "1\n"})
    tree = repo.git("rev-parse", "HEAD^{tree}")
    git_dir = GitRepository.open(repo.path).git_dir
    assert existing(git_dir, [sha, tree, "0" * 40]) == [sha]
    assert new_commits(git_dir, [sha], ["0" * 40]) == [sha]
