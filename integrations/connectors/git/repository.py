"""A repository on disk: its identity, its branches, and its notes."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from core.batches import batched
from integrations.connectors.git.commands import GitError, ObjectsMissingError, find_git_dir, is_there, lines, run

# Branches of Entire: its checkpoints, and copies of work trees under the commit on which they are based.
BRANCH_OF_RECORDS = re.compile(
    r"refs/(?:heads|remotes/[^/]+)/entire/(?:(?:checkpoints|sessions|trails)(?:/.*)?|[0-9a-f]{7,64}(?:-[0-9a-f]{6})?)$"
)
NOTES_REFS = ("refs/notes/ai", "refs/notes/exceeds-ink", "refs/notes/whogitit")
FileCounts = tuple[str, int | None, int | None]
"""Path, added and deleted lines; None where git counts none."""
_PAIR = re.compile(r"[0-9a-f]{40,64} [0-9a-f]{40,64}\n")
_SCP_LIKE = re.compile(r"^(?:[^@/]+@)?([^:/]+):(?!//)(.+)$")


@dataclass(frozen=True)
class GitRepository:
    """An opened repository; every property runs git again."""

    git_dir: Path

    @classmethod
    def open(cls, path: str | Path) -> GitRepository:
        """Open a repository.  Raises NotARepositoryError with a sentence for the operator."""
        return cls(find_git_dir(Path(path).expanduser()))

    @property
    def branches(self) -> Mapping[str, str]:
        """Full ref name → object id, for local and remote-tracking branches; empty in an empty repository.

        Symbolic refs (origin/HEAD) only repeat another branch and are left out, and so are branches in which a tool
        stores its records: they are nobody's work.
        """
        refs = lines(
            self.git_dir,
            *("for-each-ref", "--format=%(objectname) %(objecttype) %(symref) %(refname)"),
            *("refs/heads", "refs/remotes"),
        )
        parts = (line.split(" ", 3) for line in refs)
        return {
            name: sha
            for sha, kind, symref, name in parts
            if kind == "commit" and not symref and not BRANCH_OF_RECORDS.match(name)
        }

    @property
    def tags(self) -> Mapping[str, str]:
        """Tag → object id of the commit that it names; tags of anything else are left out."""
        named = "%(objecttype) %(objectname) %(*objecttype) %(*objectname) %(refname:strip=2)"
        parts = (line.split(" ", 4) for line in lines(self.git_dir, "for-each-ref", f"--format={named}", "refs/tags"))
        return {
            name: sha if kind == "commit" else tagged
            for kind, sha, tagged_kind, tagged, name in parts
            if "commit" in (kind, tagged_kind)
        }

    def default_branch(self, branches: Mapping[str, str]) -> str | None:
        """The ref that the others are merged into: the remote's HEAD, this repository's HEAD, main or master.

        None in an empty repository.  A worktree on a feature branch says nothing about the default: the remote's HEAD
        and the usual names come before its own HEAD.
        """
        head = self._symbolic("HEAD")
        candidates = [
            self._symbolic("refs/remotes/origin/HEAD"),
            head if self.is_bare else None,
            *(f"{prefix}/{name}" for prefix in ("refs/remotes/origin", "refs/heads") for name in ("main", "master")),
            head,
        ]
        return next((name for name in candidates if name in branches), next(iter(branches), None))

    @property
    def is_bare(self) -> bool:
        return lines(self.git_dir, "rev-parse", "--is-bare-repository") == ["true"]

    @property
    def is_shallow(self) -> bool:
        return bool(self.boundary)

    @property
    def remote(self) -> str:
        """Host and path of the remote "origin" in one spelling, without scheme, user and .git; or empty."""
        try:
            (url,) = lines(self.git_dir, "config", "--local", "--get", "remote.origin.url")
        except (GitError, ValueError):
            return ""
        return one_spelling(url)

    def root(self, tip: str) -> str:
        """The oldest commit that the first-parent chain of `tip` leads to; empty if it is cut off."""
        if self.is_shallow:
            return ""
        return lines(self.git_dir, "rev-list", "--first-parent", "--max-parents=0", "--end-of-options", tip)[0]

    def mailmap(self, tip: str) -> str:
        """Object id of the .mailmap at that commit; empty if there is none, or it is missing."""
        try:
            object_ids = lines(self.git_dir, "ls-tree", "--format=%(objectname)", "--end-of-options", tip, ".mailmap")
            return object_ids[0] if object_ids and is_there(self.git_dir, object_ids[0]) else ""
        except GitError:
            return ""

    def attribute_files(self, tip: str) -> list[str]:
        """Each .gitattributes at that commit, and the repository's own, as "object id path"."""
        try:
            listing = run(self.git_dir, "ls-tree", "-r", "-z", "--end-of-options", tip)
        except GitError:
            listing = b""  # a missing tree: the names alone decide
        entries = (entry.partition("\t") for entry in listing.decode("utf-8", "backslashreplace").split("\0")[:-1])
        paths = [
            f"{meta.split()[2]} {path}" for meta, _, path in entries if path.rsplit("/", 1)[-1] == ".gitattributes"
        ]
        (name,) = lines(self.git_dir, "rev-parse", "--git-path", "info/attributes")
        own = self.git_dir / name
        return [*paths, own.read_text("utf-8", "backslashreplace")] if own.is_file() else paths

    @property
    def boundary(self) -> frozenset[str]:
        """The oldest commits of a shallow clone, whose parents it lacks; empty in a whole one."""
        (name,) = lines(self.git_dir, "rev-parse", "--git-path", "shallow")  # for a worktree, its repository's
        file = self.git_dir / name
        return frozenset(file.read_text("ascii", "replace").split()) if file.is_file() else frozenset()

    def unmerged(self, tips: Iterable[str], default_tip: str) -> dict[str, tuple[str, ...]]:
        """Commit → its parents, for commits that some of the tips reach and the default branch does not."""
        given = "".join(f"{tip}\n" for tip in sorted(set(tips))) + f"^{default_tip}\n"
        output = run(self.git_dir, "rev-list", "--parents", "--stdin", given=given.encode()).decode().splitlines()
        return {sha: tuple(parents) for sha, *parents in (line.split() for line in output)}

    def is_ancestor(self, one: str, other: str) -> bool:
        return not lines(self.git_dir, "rev-list", "--max-count=1", "--end-of-options", one, f"^{other}")

    def is_on_chain(self, commit: str, tip: str) -> bool:
        """Whether the first-parent chain of the tip goes through the commit; False if it is gone."""
        try:
            chain = lines(
                self.git_dir, "rev-list", "--first-parent", "--parents", "--end-of-options", tip, f"^{commit}"
            )
        except GitError:
            return False
        return commit == tip or (bool(chain) and chain[-1].split()[1:2] == [commit])

    def counts_between(self, pairs: Sequence[tuple[str, str]]) -> Iterator[list[FileCounts]]:
        """The differences between the two commits of each pair, in order: path, added and deleted lines of each file.

        Raises ObjectsMissingError if git cannot read them.
        """
        tree_lines = "".join(f"{sha}^{{tree}}\n" for pair in pairs for sha in pair)
        answers = lines(self.git_dir, "cat-file", "--batch-check", given=tree_lines.encode())
        if any(not answer.split(" ", 1)[1].startswith("tree ") for answer in answers):
            raise ObjectsMissingError("A commit's tree is not there.")
        trees = [answer.split(" ", 1)[0] for answer in answers]
        words = ("diff-tree", "--stdin", "-r", "-M", "--numstat", "-z", "--no-ext-diff", "--no-textconv")
        given = "".join(f"{old} {new}\n" for old, new in zip(trees[::2], trees[1::2], strict=True))
        return _counts_by_pair(run(self.git_dir, *words, given=given.encode()))

    def patch_id(self, old: str, new: str) -> str:
        """Hash of the removed and added lines, without their context; also for a commit and its parent."""
        words = ("diff-tree", "-p", "-U0", "-r", "-M", "--no-ext-diff", "--no-textconv", "--end-of-options")
        patch = run(self.git_dir, *words, old, new)
        return run(self.git_dir, "patch-id", "--stable", given=patch).decode().partition(" ")[0]

    def notes(self) -> Mapping[str, str]:
        """Notes ref → its tip, for the refs in which agents leave notes."""
        refs = lines(self.git_dir, "for-each-ref", "--format=%(objectname) %(refname)", *NOTES_REFS)
        return {name: sha for sha, _, name in (line.partition(" ") for line in refs)}

    def noted(self, tip: str) -> set[str]:
        """The commits that have a note below a notes ref's tip."""
        listing = run(self.git_dir, "ls-tree", "-r", "-z", "--name-only", "--end-of-options", tip)
        return {name.replace("/", "") for name in listing.decode("utf-8", "replace").split("\0")[:-1]}

    def changed_notes(self, before: str, tip: str) -> set[str]:
        """The commits whose notes differ between two tips of a notes ref.  Raises GitError if one does not exist."""
        listing = run(self.git_dir, "diff-tree", "-r", "-z", "--name-only", "--end-of-options", before, tip)
        return {name.replace("/", "") for name in listing.decode("utf-8", "replace").split("\0")[:-1]}

    def read_notes(self, tip: str, only: Collection[str] | None = None) -> Iterator[tuple[str, bytes]]:
        """Commit id and text of every note below a notes ref's tip, in whatever fan-out it is stored; if `only` is
        given, just those of these commits.
        """
        listing = run(self.git_dir, "ls-tree", "-r", "-z", "--end-of-options", tip).decode("utf-8", "replace")
        entries = [entry.split("\t", 1) for entry in listing.split("\0")[:-1]]
        noted = ((name.replace("/", ""), meta.split()[2]) for meta, name in entries)
        blobs = [(sha, blob) for sha, blob in noted if only is None or sha in only]
        for some in batched(blobs, 500):
            yield from self.contents(some)

    def notes_of(self, shas: Sequence[str]) -> Iterator[tuple[str, bytes]]:
        """Commit id and text of the notes of these commits, without listing all others."""
        tips = self.notes().values()
        # git stores notes flat, or below folders of two digits each.
        paths = ((sha, [f"{sha[:2]}/{sha[2:4]}/{sha[4:]}", f"{sha[:2]}/{sha[2:]}", sha]) for sha in shas)
        blobs = [(sha, f"{tip}:{path}") for sha, places in paths for path in places for tip in tips]
        return self.contents(blobs) if blobs else iter(())

    def notes_alike(self, tip: str, shas: Collection[str]) -> set[str]:
        """The commits with a note of the same size as one of these commits' notes: a copy has the same size."""
        listing = run(self.git_dir, "ls-tree", "-r", "-l", "-z", "--end-of-options", tip).decode("utf-8", "replace")
        entries = (entry.split("\t", 1) for entry in listing.split("\0")[:-1])
        sizes = {name.replace("/", ""): meta.split()[3] for meta, name in entries}
        wanted = {sizes[sha] for sha in shas if sha in sizes}
        return {sha for sha, size in sizes.items() if size in wanted}

    def contents(self, blobs: Sequence[tuple[str, str]]) -> Iterator[tuple[str, bytes]]:
        """Name and content of these blobs (name, object id or tip:path); missing ones are left out."""
        answer = run(self.git_dir, "cat-file", "--batch", given="".join(f"{blob}\n" for _, blob in blobs).encode())
        position = 0
        for commit, _blob in blobs:
            header, _, _ = answer[position:].partition(b"\n")
            position += len(header) + 1
            if header.endswith(b" missing"):
                continue
            size = int(header.rsplit(b" ", 1)[1])
            yield commit, answer[position : position + size]
            position += size + 1

    def _symbolic(self, ref: str) -> str | None:
        try:
            return lines(self.git_dir, "symbolic-ref", "--quiet", ref)[0]
        except (GitError, IndexError):
            return None


def _counts_by_pair(answer: bytes) -> Iterator[list[FileCounts]]:
    counts: list[FileCounts] | None = None
    tokens = iter(answer.decode("utf-8", "backslashreplace").split("\0"))
    for raw in tokens:
        token = raw
        while header := _PAIR.match(token):  # a pair without differences has a header and nothing else
            if counts is not None:
                yield counts
            counts, token = [], token[header.end() :]
        if token and counts is not None:
            added, deleted, path = token.split("\t", 2)
            if not path:  # a rename: the old and the new name follow
                next(tokens, "")
                path = next(tokens, "")
            counts.append((path, None if added == "-" else int(added), None if deleted == "-" else int(deleted)))
    if counts is not None:
        yield counts


def one_spelling(url: str) -> str:
    """The host/path of a remote's address in one spelling: git@host:a/b.git and https://host/a/b are equal."""
    if "://" not in url and (scp := _SCP_LIKE.match(url)):
        host, path = scp.groups()
    else:
        try:
            parts = urlsplit(url)
            host, path = parts.hostname or "", parts.path
        except ValueError:  # not an address
            return ""
    path = path.strip("/").removesuffix(".git").strip("/")
    return f"{host.lower()}/{path}" if host else ""
