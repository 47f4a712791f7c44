"""Agent context files on a branch over time: what tells coding agents how to work in a repository."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from integrations.connectors.git.commands import run

# Pathspec → the agent that reads it; empty where several do.
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


@dataclass(frozen=True, slots=True)
class ContextFilePeriod:
    """A context file stood on the branch from one commit's time to another's; `until` is None while it does."""

    path: str
    agent: str
    since: datetime
    until: datetime | None


def context_file_periods(git_dir: Path, tip: str) -> list[ContextFilePeriod]:
    """When context files stood on the branch that `tip` ends, by the commit times of its first-parent chain."""
    open_since: dict[str, datetime] = {}
    periods = []
    for at, status, path in _changes(git_dir, tip):
        if status == "D":
            if (since := open_since.pop(path, None)) is not None:
                periods.append(ContextFilePeriod(path, agent_of(path), since, max(at, since)))
        else:
            open_since.setdefault(path, at)
    periods += [ContextFilePeriod(path, agent_of(path), since, None) for path, since in open_since.items()]
    return sorted(periods, key=lambda period: (period.path, period.since))


def agent_of(path: str) -> str:
    """The agent that reads the context file of that path; empty where several do."""
    name = path.rsplit("/", 1)[-1]
    told = {spec.rsplit("/", 1)[-1]: agent for spec, agent in CONTEXT_FILES.items()}
    if name in told:
        return told[name]
    return "cursor" if ".cursor/rules/" in path else "copilot" if path.startswith(".github/") else ""


def context_files_changed(git_dir: Path, before: str, tip: str) -> bool:
    """Whether any commit since `before` touched one: a look at what is new, where all periods need the whole past."""
    return any(True for _ in _changes(git_dir, tip, f"^{before}"))


def _changes(git_dir: Path, *revisions: str) -> Iterator[tuple[datetime, str, str]]:
    """Commit time, A, M or D, and path, from the oldest commit to the newest."""
    answer = run(
        git_dir,
        *("log", "--reverse", "--first-parent", "--diff-merges=first-parent", "--no-renames", "--name-status", "-z"),
        *("--no-ext-diff", "--no-show-signature", "--format=tformat:%x01%ct", "--end-of-options", *revisions, "--"),
        *CONTEXT_FILES,
    )
    at = datetime.fromtimestamp(0, UTC)
    tokens: Sequence[str] = answer.decode("utf-8", "backslashreplace").split("\0")
    iterator = iter(tokens)
    for raw in iterator:
        token = raw.lstrip("\n")
        if token.startswith("\x01"):
            at = datetime.fromtimestamp(max(0, int(token[1:])), UTC)
        elif token:
            yield at, token[:1], next(iterator, "")
