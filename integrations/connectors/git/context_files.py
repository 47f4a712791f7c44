"""Agent context files on a branch over time: instructions for coding agents in a repository."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from integrations.connectors.git.commands import run

# Pathspec → the agent that reads it; empty if several do.
CONTEXT_FILES = {
    ":(glob)**/CLAUDE.md": "claude_code",
    ":(glob)**/AGENTS.md": "",
    ":(glob)**/GEMINI.md": "gemini",
    ":(glob)**/.cursorrules": "cursor",
    ":(glob)**/.cursor/rules/**": "cursor",
    ":(glob).github/copilot-instructions.md": "copilot",
    ":(glob).github/instructions/**": "copilot",
    ":(glob)**/.windsurfrules": "windsurf",
    ":(glob)**/.clinerules": "cline",
}
# The same patterns as regular expressions.
_CONTEXT_FILE = re.compile(
    r"(?:^|/)(?:(?:CLAUDE|AGENTS|GEMINI)\.md|\.cursorrules|\.windsurfrules|\.clinerules)\Z"
    r"|(?:^|/)\.cursor/rules/.|^\.github/(?:copilot-instructions\.md\Z|instructions/.)",
    re.DOTALL,
)
DECODED = "backslashreplace"  # for names that are not UTF-8
MOST_PATHS = 500  # each is compared with every commit, and the length of a command line is limited


@dataclass(frozen=True, slots=True)
class ContextFilePeriod:
    """A context file that existed on the branch from one commit's time to another's; `until` is None while it does."""

    path: str
    agent: str
    since: datetime
    until: datetime | None


def context_file_periods(git_dir: Path, tip: str, paths: Collection[str] | None = None) -> list[ContextFilePeriod]:
    """The periods of context files on the branch ending in `tip`, by the commit times of its first-parent chain.

    `paths` are those of all context files that any commit touches, if known: git then need not look into every folder
    of every commit.
    """
    known = None if paths is None else {*paths, *_standing(git_dir, tip)}
    if known is not None and not known:
        return []
    open_since: dict[str, datetime] = {}
    periods = []
    for at, status, path in _changes(git_dir, tip, pathspecs=_pathspecs(known)):
        if status == "D":
            if (since := open_since.pop(path, None)) is not None:
                periods.append(ContextFilePeriod(path, agent_of(path), since, max(at, since)))
        else:
            open_since.setdefault(path, at)
    periods += [ContextFilePeriod(path, agent_of(path), since, None) for path, since in open_since.items()]
    return sorted(periods, key=lambda period: (period.path, period.since))


def agent_of(path: str) -> str:
    """The agent that reads the context file at that path; empty if several do."""
    name = path.rsplit("/", 1)[-1]
    agents = {spec.rsplit("/", 1)[-1]: agent for spec, agent in CONTEXT_FILES.items()}
    if name in agents:
        return agents[name]
    return "cursor" if ".cursor/rules/" in path else "copilot" if path.startswith(".github/") else ""


def is_context_file(path: str) -> bool:
    """Whether the path matches one of the patterns of CONTEXT_FILES."""
    return bool(_CONTEXT_FILE.search(path))


def _standing(git_dir: Path, tip: str) -> list[str]:
    """The context files present at a commit: a merge may have brought one that none of its parents has."""
    names = run(git_dir, "ls-tree", "-r", "-z", "--name-only", "--end-of-options", tip).decode("utf-8", DECODED)
    return [name for name in names.split("\0") if is_context_file(name)]


def _pathspecs(paths: Collection[str] | None) -> Sequence[str]:
    """The patterns, unless the paths are known, few, and plain as git writes them."""
    if paths is None or len(paths) > MOST_PATHS or any("\\" in path for path in paths):
        return tuple(CONTEXT_FILES)
    return [f":(literal){path}" for path in sorted(paths)]


def context_files_changed(git_dir: Path, before: str, tip: str) -> bool:
    """Whether any commit since `before` touched a context file: only new commits are read, not the whole history."""
    return any(True for _ in _changes(git_dir, tip, f"^{before}"))


def _changes(
    git_dir: Path, *revisions: str, pathspecs: Sequence[str] = tuple(CONTEXT_FILES)
) -> Iterator[tuple[datetime, str, str]]:
    """Commit time, A, M or D, and path, from the oldest commit to the newest."""
    answer = run(
        git_dir,
        *("log", "--reverse", "--first-parent", "--diff-merges=first-parent", "--no-renames", "--name-status", "-z"),
        *("--no-ext-diff", "--no-show-signature", "--format=tformat:%x01%ct", "--end-of-options", *revisions, "--"),
        *pathspecs,
    )
    at = datetime.fromtimestamp(0, UTC)
    tokens: Sequence[str] = answer.decode("utf-8", DECODED).split("\0")
    iterator = iter(tokens)
    for raw in iterator:
        token = raw.lstrip("\n")
        if token.startswith("\x01"):
            at = datetime.fromtimestamp(max(0, int(token[1:])), UTC)
        elif token:
            yield at, token[:1], next(iterator, "")
