"""Reading runs nothing that a repository brings, and changes nothing in it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from integrations.connectors.git.attributes import AttributeReader
from integrations.connectors.git.context_files import context_file_periods
from integrations.connectors.git.history import new_commits, read_commits
from integrations.connectors.git.repository import GitRepository
from tests.code.git.repositories import Repo, lines

CONFIGURATION = {
    "core.fsmonitor": "{program}",
    "core.hooksPath": "{folder}",
    "core.pager": "{program}",
    "core.sshCommand": "{program}",
    "core.gitProxy": "{program}",
    "core.editor": "{program}",
    "core.askPass": "{program}",
    "core.alternateRefsCommand": "{program}",
    "credential.helper": "!{program}",
    "diff.external": "{program}",
    "diff.evil.command": "{program}",
    "diff.evil.textconv": "{program}",
    "diff.evil.cachetextconv": "true",
    "filter.evil.clean": "{program}",
    "filter.evil.smudge": "{program}",
    "filter.evil.process": "{program}",
    "filter.evil.required": "true",
    "merge.evil.driver": "{program}",
    "log.showSignature": "true",
    "gpg.program": "{program}",
    "gpg.ssh.program": "{program}",
    "pager.log": "{program}",
    "pager.diff-tree": "{program}",
    "pager.rev-list": "{program}",
    "alias.log": "!{program}",
    "alias.rev-list": "!{program}",
    "interactive.diffFilter": "{program}",
    "uploadpack.packObjectsHook": "{program}",
    "remote.origin.uploadpack": "{program}",
    "remote.origin.promisor": "true",
    "remote.origin.partialclonefilter": "blob:none",
    "protocol.ext.allow": "always",
    "protocol.allow": "always",
    "trailer.evil.command": "{program}",
    "trailer.evil.cmd": "{program}",
    "trailer.Co-authored-by.command": "{program}",
    "trace2.eventTarget": "{trace}",
}


def read_everything(path: Path) -> int:
    """Every way in which a repository is read; how many commits it has."""
    git = GitRepository.open(path)
    branches = git.branches
    default = git.default_branch(branches)
    assert default is not None
    tip = branches[default]
    commits = list(read_commits(git.git_dir, new_commits(git.git_dir, [tip], ()), mailmap=git.mailmap(tip)))
    with AttributeReader(git.git_dir, tip) as attributes:
        attributes.of(file.path for commit in commits for file in commit.files)
    context_file_periods(git.git_dir, tip)
    git.root(tip)
    list(git.read_notes(git.notes()["refs/notes/ai"]))
    list(git.counts_between([(commits[-1].sha, tip)]))
    git.patch_id(commits[-1].sha, tip)
    git.attribute_files(tip)
    git.unmerged(branches.values(), tip)
    assert not git.boundary
    assert git.remote is not None
    return len(commits)


@pytest.fixture
def trap(repo: Repo, tmp_path: Path) -> Callable[[], list[str]]:
    """Plants a program wherever a repository could name one; says which of them ran."""
    folder = tmp_path / "trap"
    folder.mkdir()
    repo.commit({"a.py": lines(3), "CLAUDE.md": "x\n", "sub/.gitattributes": "* diff=evil filter=evil\n"})
    repo.commit({".gitattributes": "* diff=evil filter=evil merge=evil\n", "a.py": lines(5)})
    signed = f"tree {repo.git('rev-parse', 'HEAD^{tree}')}\nparent {repo.head}\n"
    signed += "author Ada <ada@example.com> 1772442000 +0000\ncommitter Ada <ada@example.com> 1772442000 +0000\n"
    signed += "gpgsig -----BEGIN PGP SIGNATURE-----\n \n iQ==\n -----END PGP SIGNATURE-----\n\nSigned\n"
    repo.git("update-ref", "HEAD", repo.git("hash-object", "-t", "commit", "-w", "--stdin", given=signed.encode()))
    repo.git("notes", "--ref=ai", "add", "-m", "a note", signed=repo.signed())
    config = []
    for key, value in CONFIGURATION.items():
        program = folder / f"program-{key}"
        program.write_text(f'#!/bin/sh\ntouch "{folder}/ran-{key}"\nexit 1\n')
        program.chmod(0o755)
        section, _, name = key.rpartition(".")
        section, _, sub = section.partition(".")
        head = f'[{section} "{sub}"]' if sub else f"[{section}]"
        word = value.format(program=program, folder=folder, trace=folder / "ran-trace")
        config.append(f"{head}\n\t{name} = {word}\n")
    config.append(f'[remote "origin"]\n\turl = ext::{folder}/program-protocol.ext.allow\n')
    for hook in ("post-index-change", "post-checkout", "reference-transaction", "pre-auto-gc", "fsmonitor-watchman"):
        for place in (folder, repo.path / ".git" / "hooks"):
            (place / hook).write_text(f'#!/bin/sh\ntouch "{folder}/ran-hook-{hook}"\n')
            (place / hook).chmod(0o755)
    included = folder / "included"
    included.write_text("".join(config))
    with (repo.path / ".git" / "config").open("a") as file:
        file.write(f"[include]\n\tpath = {included}\n")
        file.writelines(config)
    return lambda: sorted(path.name for path in folder.glob("ran-*"))


def state(folder: Path) -> dict[str, tuple[int, int, str]]:
    """Every file with its size, its time of change and a hash."""
    return {
        str(file.relative_to(folder)): (
            file.lstat().st_size,
            file.lstat().st_mtime_ns,
            hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else "",
        )
        for file in sorted(folder.rglob("*"))
    }


def test_nothing_that_the_repository_names_is_run(repo: Repo, trap: Callable[[], list[str]]) -> None:
    assert read_everything(repo.path) == 3
    assert trap() == []


def test_missing_objects_are_fetched_from_nowhere(repo: Repo, trap: Callable[[], list[str]]) -> None:
    (repo.path / ".git" / "objects" / "pack").mkdir(exist_ok=True)
    repo.remove_object("HEAD~2:a.py")
    git = GitRepository.open(repo.path)
    commits = list(read_commits(git.git_dir, new_commits(git.git_dir, git.branches.values(), ())))
    assert not all(commit.lines_known for commit in commits)
    assert trap() == []


def test_the_repository_is_the_same_afterwards_to_the_byte(repo: Repo, trap: Callable[[], list[str]]) -> None:
    os.utime(repo.path / "a.py")  # an index that is out of date would be refreshed by `git status` and its like
    before = state(repo.path)
    read_everything(repo.path)
    assert state(repo.path) == before


def test_a_repository_that_may_not_be_written_to_is_read(repo: Repo, trap: Callable[[], list[str]]) -> None:
    folders = [folder for folder in repo.path.rglob("*") if folder.is_dir()]
    for folder in folders:
        folder.chmod(0o555)
    try:
        assert read_everything(repo.path) == 3
    finally:
        for folder in folders:
            folder.chmod(0o755)


@pytest.mark.parametrize("name", ["--upload-pack=touch x", "-c", "--output=stolen"])
def test_a_path_that_resembles_an_option_is_read_as_a_path(tmp_path: Path, name: str) -> None:
    repo = Repo.create(tmp_path / name)
    repo.commit({"--output=stolen": "1\n", "-c": "2\n"})
    git = GitRepository.open(repo.path)
    (commit,) = read_commits(git.git_dir, new_commits(git.git_dir, git.branches.values(), ()))
    assert [file.path for file in commit.files] == ["--output=stolen", "-c"]
    assert not (git.git_dir / "stolen").exists()


def test_variables_of_the_process_point_git_nowhere_else(
    repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo.commit({"a": "1\n"})
    other = Repo.create(tmp_path / "other")
    other.commit({"b": "1\n"})
    monkeypatch.setenv("GIT_DIR", str(other.path / ".git"))
    monkeypatch.setenv("GIT_OBJECT_DIRECTORY", str(other.path / ".git" / "objects"))
    git = GitRepository.open(repo.path)
    assert git.branches["refs/heads/main"] == repo.head
