"""Commits as read from git's output."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter

import pytest

from integrations.connectors.git import history, line_changes
from integrations.connectors.git.commands import GitError
from integrations.connectors.git.history import ReadCommit, ReadFile, Trailer, new_commits, read_commits
from integrations.connectors.git.line_changes import added_lines, read_chain
from integrations.connectors.git.messages import MOST_TRAILERS
from integrations.connectors.git.repository import GitRepository
from tests.code.git.repositories import BEN, Repo, lines
from tests.seeds import seeds

Files = Mapping[str | bytes, str | bytes | None]


def read(repo: Repo, revision: str = "HEAD") -> ReadCommit:
    git = GitRepository.open(repo.path)
    mailmap = git.mailmap(git.branches["refs/heads/main"])
    (commit,) = read_commits(git.git_dir, [repo.git("rev-parse", revision)], mailmap=mailmap)
    return commit


def read_all(repo: Repo) -> list[ReadCommit]:
    git = GitRepository.open(repo.path)
    return list(read_commits(git.git_dir, new_commits(git.git_dir, git.branches.values(), ())))


def test_a_root_commit_adds_all_its_lines(repo: Repo) -> None:
    sha = repo.commit({"a.py": lines(3), "b.md": lines(2)}, "Begin\n\nWith a body that nobody keeps.")
    commit = read(repo)
    assert (commit.sha, commit.parents, commit.subject) == (sha, (), "Begin")
    assert commit.files == (ReadFile("a.py", "", 3, 0), ReadFile("b.md", "", 2, 0))


def test_author_and_committer_stand_apart_with_times_in_utc(repo: Repo) -> None:
    at, committed_at = datetime(2026, 3, 2, 9, tzinfo=UTC), datetime(2026, 3, 4, 10, tzinfo=UTC)
    repo.commit({"a": "1\n"}, committed_by=BEN, at=at, committed_at=committed_at)
    commit = read(repo)
    assert (commit.author.name, commit.author.email, commit.author.at) == ("Ada Example", "ada@example.com", at)
    assert (commit.committer.email, commit.committer.at) == ("ben@example.com", committed_at)


def test_a_rename_keeps_both_names_and_only_changed_lines(repo: Repo) -> None:
    repo.commit({"old.py": lines(20)})
    repo.commit({"old.py": None, "new.py": lines(20) + "one more\n"})
    assert read(repo).files == (ReadFile("new.py", "old.py", 1, 0),)


def test_a_binary_file_has_no_lines_and_an_emptied_file_loses_its(repo: Repo) -> None:
    repo.commit({"logo.png": b"\x89PNG\0\0", "notes.txt": lines(4)})
    repo.commit({"logo.png": b"\x89PNG\0\1", "notes.txt": ""})
    assert read(repo).files == (ReadFile("logo.png", "", None, None), ReadFile("notes.txt", "", 0, 4))


def test_a_merge_and_an_empty_commit_have_no_files(repo: Repo) -> None:
    repo.commit({"a": "1\n"})
    repo.branch("side")
    repo.commit({"b": "1\n"})
    repo.switch("main")
    repo.commit({"c": "1\n"})
    repo.merge("side")
    merge = read(repo)
    assert (len(merge.parents), merge.files, merge.lines_known) == (2, (), True)
    repo.commit(message="Trigger the pipeline")
    assert read(repo).files == ()


@pytest.mark.parametrize("name", ["with\nnewline.py", 'with"quote.py', "with\ttab.py", "ünïcode.py", " blanks .py"])
def test_names_with_odd_characters_arrive_as_they_are(repo: Repo, name: str) -> None:
    repo.commit({name: lines(2)})
    assert read(repo).files == (ReadFile(name, "", 2, 0),)


def test_names_that_are_no_utf8_are_shown_with_their_bytes(repo: Repo) -> None:
    repo.commit({b"caf\xe9.py": lines(2), "plain.py": lines(1)})
    assert [file.path for file in read(repo).files] == ["caf\\xe9.py", "plain.py"]


def test_a_file_name_like_our_marker_is_read_as_a_name(repo: Repo) -> None:
    repo.commit({"a.py": lines(1), "\x01begin": lines(2)})
    repo.commit({"b.py": lines(3)})
    assert [[file.path for file in commit.files] for commit in read_all(repo)] == [["b.py"], ["\x01begin", "a.py"]]


@pytest.mark.parametrize("year", [1970, 2040])
def test_dates_far_away_are_kept(repo: Repo, year: int) -> None:
    at = datetime(year, 1, 1, tzinfo=UTC)
    repo.commit({"a": "1\n"}, at=at)
    assert (read(repo).author.at, read(repo).committer.at) == (at, at)


@pytest.mark.parametrize("date", ["99999999999999 +0000", "nonsense", "-5 +0000", ""])
def test_dates_that_no_calendar_has_become_1970(repo: Repo, date: str) -> None:
    repo.commit({"a": "1\n"})
    repo.raw_commit(f"Ada <ada@example.com> {date}", f"Ada <ada@example.com> {date}")
    assert read(repo).author.at == datetime(1970, 1, 1, tzinfo=UTC)


def test_an_author_without_name_or_address_is_read(repo: Repo) -> None:
    repo.commit({"a": "1\n"})
    repo.raw_commit(" <> 1772442000 +0000", " <> 1772442000 +0000")
    assert (read(repo).author.name, read(repo).author.email) == ("", "")


def test_a_message_in_another_encoding_becomes_text(repo: Repo) -> None:
    repo.commit({"a": "1\n"})
    signature = "Ada <ada@example.com> 1772442000 +0000"
    repo.raw_commit(signature, signature, message="Größe ändern", encoding="ISO-8859-1")
    assert read(repo).subject == "Größe ändern"


def test_bytes_that_are_no_text_in_a_subject_are_replaced(repo: Repo) -> None:
    repo.commit({"a": "1\n"})
    text = f"tree {repo.git('rev-parse', 'HEAD^{tree}')}\nauthor A <a@example.com> 1 +0000\n".encode()
    text += b"committer A <a@example.com> 1 +0000\n\nbroken \xff here\n"
    sha = repo.git("hash-object", "-t", "commit", "-w", "--stdin", given=text)
    assert read(repo, sha).subject == "broken � here"


def test_trailers_are_read_with_their_keys_and_folded_values(repo: Repo) -> None:
    message = "Add a cart\n\nWhy.\n\nCo-Authored-By: Claude <noreply@anthropic.com>\nReviewed-by: Ben\n of Example\n"
    repo.commit({"a": "1\n"}, message)
    assert read(repo).trailers == (
        Trailer("Co-Authored-By", "Claude <noreply@anthropic.com>"),
        Trailer("Reviewed-by", "Ben of Example"),
    )


def test_of_the_middle_of_a_message_only_agents_are_read(repo: Repo) -> None:
    lines_of_two = "Co-Authored-By: Claude <noreply@anthropic.com>\nCo-authored-by: Ben Example <ben@example.com>"
    repo.commit({"a": "1\n"}, f"Say so\n\n{lines_of_two}\n\nand then go on.\n")
    assert read(repo).trailers == (Trailer("Co-Authored-By", "Claude <noreply@anthropic.com>"),)


def test_a_message_of_ten_thousand_trailers_is_read_in_linear_time_and_cut(repo: Repo) -> None:
    def seconds(count: int) -> float:
        names = "\n".join(f"Co-authored-by: Ada {number} <ada{number}@example.com>" for number in range(count))
        message = f"Add\n\n{names}\n".encode()
        repo.git("commit", "--quiet", "--allow-empty", "--file=-", given=message, signed=repo.signed())
        began = perf_counter()
        assert len(read(repo).trailers) == min(count, MOST_TRAILERS)
        return perf_counter() - began

    seconds(10)
    assert seconds(10_000) < 20 * max(seconds(1000), 0.05)


def test_the_mailmap_of_the_default_branch_names_people(repo: Repo) -> None:
    repo.commit({"a": "1\n"}, by="ada <ada@laptop.local>")
    repo.commit({".mailmap": "Ada Example <ada@example.com> <ada@laptop.local>\n"})
    assert read(repo, "HEAD~1").author.email == "ada@example.com"
    bare = repo.clone(repo.path.parent / "bare.git", "--bare")
    assert read(bare, "HEAD~1").author.name == "Ada Example"


def test_a_submodule_is_one_line_as_git_counts_it(repo: Repo) -> None:
    repo.commit({"a": "1\n"})
    repo.git("update-index", "--add", "--cacheinfo", f"160000,{repo.head},library")
    repo.git("commit", "--quiet", "--message=Add a submodule", signed=repo.signed())
    assert read(repo).files == (ReadFile("library", "", 1, 0),)


def test_commits_whose_objects_are_missing_come_without_lines_and_the_rest_with(repo: Repo) -> None:
    repo.commit({"a.py": lines(1)})
    repo.commit({"a.py": lines(2)})
    repo.commit({"b.py": lines(3)})
    repo.commit({"c.py": lines(4)})
    repo.remove_object("HEAD~2:a.py")
    commits = read_all(repo)
    assert [commit.lines_known for commit in commits] == [True, True, False, True]
    assert [[file.added for file in commit.files] for commit in commits] == [[4], [3], [], [1]]


def test_only_the_commit_with_the_missing_folder_lacks_its_lines(repo: Repo) -> None:
    for number in range(4):
        repo.commit({f"folder{number}/a.py": lines(number + 1)})
    repo.remove_object("HEAD~1:folder2")
    # The newest commit compares folder2 with itself by object id, and needs not open it.
    assert [(commit.lines_known, len(commit.files)) for commit in read_all(repo)] == [
        *((True, 1), (False, 0)),
        *((True, 1), (True, 1)),
    ]


@pytest.mark.parametrize("left_out", ["blob:none", "tree:0"])
def test_a_partial_clone_gives_all_commits_without_lines_and_fetches_nothing(
    repo: Repo, tmp_path: Path, left_out: str
) -> None:
    for number in range(12):
        repo.commit({"a.py": lines(number)})
    repo.git("config", "uploadpack.allowFilter", "true")
    partial = repo.clone(tmp_path / "partial.git", "--bare", f"--filter={left_out}")
    objects = sorted((tmp_path / "partial.git" / "objects").rglob("*"))
    commits = read_all(partial)
    assert [commit.sha for commit in commits] == repo.git("rev-list", "HEAD").split()
    assert not any(commit.lines_known for commit in commits)
    assert sorted((tmp_path / "partial.git" / "objects").rglob("*")) == objects


def test_a_commit_whose_content_is_gone_costs_the_added_lines_of_no_other(repo: Repo) -> None:
    """While looking for renames, git dies before it has written anything of the commit."""
    shas = [repo.commit({"cart.py": lines(30)}), repo.commit({"moved.py": lines(40)})]
    shas += [repo.commit({"moved.py": None, "basket.py": lines(41)}), repo.commit({"end.py": lines(2)})]
    repo.remove_object("HEAD~1:basket.py")
    found = dict(added_lines(repo.path / ".git", shas))
    assert found.keys() == {*shas} - {shas[2]}
    assert found[shas[1]] == {"moved.py": [(1, 40)]}


@pytest.mark.parametrize("seed", seeds(0))
def test_a_commit_that_lacks_a_file_costs_no_other(repo: Repo, seed: int) -> None:
    """Many in a row, at both ends, and of renamed files; what reads commits, their lines and the branch agrees."""
    chance = random.Random(seed)
    names = [f"folder{number}/file.py" for number in range(4)]
    for step in range(30):
        changed: Files = {name: lines(chance.randint(1, 60), f"{step} {name}") for name in chance.sample(names, 2)}
        repo.commit({"moved.py": lines(40), **changed} if step == 0 else changed)
    repo.commit({"moved.py": None, "here.py": lines(41)})
    shas = repo.git("rev-list", "HEAD").split()
    blobs: dict[str, set[str]] = {}  # of a commit, before and after it
    for sha in shas:
        entries = repo.git("diff-tree", "-r", "--root", "--no-commit-id", "--no-renames", sha).splitlines()
        blobs[sha] = {blob for entry in entries for blob in entry.split()[2:4] if blob.strip("0")}
    whole = {commit.sha: commit for commit in read_all(repo)}
    removed = set(chance.sample(sorted({*set[str]().union(*blobs.values())}), 12)) | {
        *blobs[shas[12]],
        *blobs[shas[13]],
    }
    for blob in removed:
        repo.remove_object(blob)
    lacking = {sha for sha in shas if blobs[sha] & removed}
    assert 5 < len(lacking) < len(shas)
    read = read_all(repo)
    assert [commit.sha for commit in read] == shas
    assert {commit.sha for commit in read if not commit.lines_known} == lacking
    assert all(commit == whole[commit.sha] for commit in read if commit.lines_known)
    added = dict(added_lines(repo.path / ".git", shas))
    assert added.keys() == {*shas} - lacking
    assert all(
        {path: sum(last - first + 1 for first, last in ranges) for path, ranges in added[commit.sha].items()}
        == {file.path: file.added for file in commit.files}
        for commit in read
        if commit.lines_known
    )
    chain = list(read_chain(repo.path / ".git", repo.head))
    assert [commit.sha for commit in chain] == shas[::-1]
    assert {commit.sha for commit in chain if not commit.is_known} == lacking


def test_a_clone_without_large_files_lacks_the_lines_of_those_alone(repo: Repo, tmp_path: Path) -> None:
    for number in range(12):
        repo.commit({"large.txt": lines(number + 900, "large")} if 2 < number < 10 else {"a.py": lines(number + 1)})
    repo.git("config", "uploadpack.allowFilter", "true")
    partial = repo.clone(tmp_path / "partial.git", "--bare", "--filter=blob:limit=2k")
    known = [commit.lines_known for commit in reversed(read_all(partial))]
    assert known == [True] * 3 + [False] * 7 + [True] * 2


@pytest.mark.parametrize("most", [2, 100])
def test_damaged_files_are_tried_one_by_one_and_not_for_ever(
    repo: Repo, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    """An object that is there and cannot be read: git alone can tell."""
    monkeypatch.setattr(history, "MOST_FAILURES", most)
    monkeypatch.setattr(line_changes, "MOST_FAILURES", most)
    shas = [repo.commit({f"{number}.py": lines(number + 1, str(number))}) for number in range(12)]
    damaged = {sha for number, sha in enumerate(shas) if number % 2}
    for sha in damaged:
        blob = repo.git("rev-parse", f"{sha}:{shas.index(sha)}.py")
        file = repo.path / ".git" / "objects" / blob[:2] / blob[2:]
        file.chmod(0o600)
        file.write_bytes(b"damage")
    read = read_all(repo)
    assert [commit.sha for commit in read] == shas[::-1]
    known = {commit.sha for commit in read if commit.lines_known}
    found = {sha for sha, _ in added_lines(repo.path / ".git", shas)}
    chain = list(read_chain(repo.path / ".git", repo.head))
    assert [commit.sha for commit in chain] == shas
    followed = {commit.sha for commit in chain if commit.is_known}
    for there in (known, found, followed):
        assert there == {*shas} - damaged if most > len(damaged) else there < {*shas} - damaged


@pytest.mark.parametrize("seed", seeds(0))
def test_added_lines_are_as_many_as_git_counts(repo: Repo, seed: int) -> None:
    """Files of a few words repeated, of which git finds other parts the same if it shows no lines around."""
    chance = random.Random(seed)
    text: list[str] = []
    for _ in range(40):
        at, gone = chance.randint(0, len(text)), chance.randint(0, 6)
        text[at : at + gone] = chance.choices(["{", "}", "", "x = 1", "y = 2"], k=chance.randint(0, 12))
        repo.commit({"a.py": "".join(f"{line}\n" for line in text)})
    added = dict(added_lines(repo.path / ".git", repo.git("rev-list", "HEAD").split()))
    for commit in read_all(repo):
        for file in commit.files:
            ranges = added[commit.sha][file.path]
            assert sum(last - first + 1 for first, last in ranges) == file.added
            now = repo.git("show", f"{commit.sha}:{file.path}").count("\n") + 1
            assert all(1 <= first <= last <= now for first, last in ranges)


def test_a_missing_commit_is_an_error_in_words(repo: Repo) -> None:
    repo.commit({"a": "1\n"})
    git = GitRepository.open(repo.path)
    with pytest.raises(GitError, match="is not there"):
        list(read_commits(git.git_dir, ["0" * 39 + "1"]))


def test_many_commits_come_one_after_another(repo: Repo) -> None:
    """More than one batch to git and more than one read of its output."""
    stream = "".join(
        f"commit refs/heads/main\ncommitter Ada <ada@example.com> {1_772_442_000 + n} +0000\ndata 1\nx\n"
        f"M 644 inline folder/file{n % 50}.py\ndata {len(str(n)) + 1}\n{n}\n\n"
        for n in range(1200)
    )
    repo.git("fast-import", "--quiet", given=stream.encode())
    commits = read_all(repo)
    assert len(commits) == 1200
    assert all(len(commit.files) == 1 for commit in commits)
    assert [field.name for field in dataclasses.fields(commits[0])][:2] == ["sha", "parents"]
