"""Stored data agree with the counts of `git log`, read independently of the product.

Public histories are read if HEADWAY_TEST_HISTORIES names a folder with some; none is part of the project.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from django.db.models import Count

from integrations.connectors.git.repository import GitRepository
from integrations.models import CoAuthor, Commit, CommitFile
from tests.code.git.repositories import BEN, ENVIRONMENT, Repo, lines
from tests.code.git.tables import sync

pytestmark = pytest.mark.django_db

MARK = "\x02commit\x02"
CLAUDE = re.compile(r"^co-authored-by:.*<noreply@anthropic\.com>", re.IGNORECASE | re.MULTILINE)


@dataclass
class GitFacts:
    """The facts of all branches in `git log`."""

    lines: dict[str, tuple[int, int, int]] = field(default_factory=dict)  # sha → files, added, deleted
    authors: Counter[str] = field(default_factory=Counter)
    endings: Counter[str] = field(default_factory=Counter)
    with_claude: set[str] = field(default_factory=set)


def facts_of_git(path: Path) -> GitFacts:
    words = ("log", "--branches", "--remotes", "--numstat", f"--format={MARK}%H%x00%aE%x00%(trailers:only,unfold)%x00")
    answer = subprocess.run(
        ["git", "-c", "safe.directory=*", "-c", "core.quotePath=true", "-c", "diff.renameLimit=1000", *words],
        cwd=path,
        capture_output=True,
        check=True,
        env=ENVIRONMENT,
    ).stdout.decode("utf-8", "replace")
    facts = GitFacts()
    for part in answer.split(MARK)[1:]:
        sha, email, trailers, numstat = part.split("\0")
        facts.authors[email.lower()] += 1
        if CLAUDE.search(trailers):
            facts.with_claude.add(sha)
        rows = [line.split("\t") for line in numstat.strip().splitlines()]
        added, deleted = (sum(int(row[column]) for row in rows if row[column] != "-") for column in (0, 1))
        facts.lines[sha] = len(rows), added, deleted
        facts.endings.update(row[2].rstrip('}"').rpartition(".")[2] for row in rows)
    return facts


def agrees(path: Path) -> None:
    """Everything that both count is the same."""
    facts = facts_of_git(path)
    assert sync(path).state == "done"
    stored: dict[str, list[int]] = {sha: [0, 0, 0] for sha in Commit.objects.values_list("sha", flat=True)}
    for sha, added, deleted in CommitFile.objects.values_list("commit__sha", "added", "deleted"):
        for column, number in enumerate((1, added or 0, deleted or 0)):
            stored[sha][column] += number
    assert {sha: tuple(counts) for sha, counts in stored.items()} == facts.lines
    assert (
        set(
            CoAuthor.objects.filter(agent="claude_code", identity__value="noreply@anthropic.com").values_list(
                "commit__sha", flat=True
            )
        )
        == facts.with_claude
    )
    by_author = Commit.objects.filter(author__kind="email").values_list("author__value").annotate(Count("pk"))
    assert dict(by_author) == {email: facts.authors[email] for email, _ in by_author}
    languages = {"Rust": "rs", "Python": "py", "Svelte": "svelte"}
    for language, ending in languages.items():
        assert CommitFile.objects.filter(language=language).count() == facts.endings[ending], language


def test_a_history_with_everything_in_it(repo: Repo) -> None:
    repo.commit({"a.py": lines(30), "logo.png": b"\0\1", "with space.py": lines(2)})
    repo.branch("topic")
    repo.commit({"b.rs": lines(4)}, "Add\n\nCo-Authored-By: Claude <noreply@anthropic.com>\n", by=BEN)
    repo.commit({"a.py": None, "folder/moved.py": lines(30) + "more\n", 'q"uote.py': "1\n", b"\xe9.py": "1\n"})
    repo.switch("main")
    repo.commit({"c.md": lines(3), "uv.lock": lines(90)})
    repo.merge("topic")
    repo.squash("topic~1")
    repo.commit(message="Nothing")
    agrees(repo.path)


def public_histories() -> list[Path]:
    folder = os.environ.get("HEADWAY_TEST_HISTORIES")
    if not folder:
        return []
    places = [*Path(folder).glob("*"), *Path(folder).glob("*/*")]
    return sorted({GitRepository.open(place).git_dir for place in places if (place / "HEAD").exists()})


@pytest.mark.skipif(not public_histories(), reason="HEADWAY_TEST_HISTORIES names no folder with repositories")
def test_public_histories() -> None:
    for path in public_histories():
        Commit.objects.all().delete()
        agrees(path)
