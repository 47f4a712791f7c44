"""Reads the stories of worked_examples.md."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from integrations.connectors.words import PullRequestEventKind, ReviewState
from tests.pulls.histories import Commit, History, Review

EXAMPLES = Path(__file__).parent / "worked_examples.md"
_LINE = re.compile(r"- (?P<day>\d+) (?P<time>\d\d:\d\d) (?P<who>\S+) (?P<what>.+)")
_REVIEWS = {
    "approves it": ReviewState.APPROVED,
    "comments on it": ReviewState.COMMENTED,
    "asks for changes": ReviewState.CHANGES_REQUESTED,
    "approves it, dismissed later": ReviewState.DISMISSED,
}
_MARKS = {
    "marks it ready": PullRequestEventKind.READY,
    "makes it a draft": PullRequestEventKind.DRAFT,
    "closes it": PullRequestEventKind.CLOSED,
    "reopens it": PullRequestEventKind.REOPENED,
}


@dataclass(frozen=True)
class Example:
    """A story, and what each stage has to come to in hours; None: it has no such stage."""

    title: str
    history: History
    hours: Mapping[str, float | None]


def read_examples() -> Iterator[Example]:
    for section in EXAMPLES.read_text(encoding="utf-8").split("\n## ")[1:]:
        title, *lines = section.splitlines()
        story = [line for line in lines if line.startswith("- ")]
        names, _, values = (
            [cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")
        )
        hours = [None if value == "–" else float(value.removesuffix(" h")) for value in values]
        yield Example(title, history_of(story), dict(zip(names, hours, strict=True)))


def history_of(story: list[str]) -> History:
    """The pull request, number 1, that the lines tell of."""
    history = History(1, "", datetime.max.replace(tzinfo=UTC))
    for line in story:
        told = _LINE.fullmatch(line)
        assert told, f"not understood: {line}"
        hour, minute = map(int, told["time"].split(":"))
        _happen(history, datetime(2026, 3, int(told["day"]), hour, minute, tzinfo=UTC), told["who"], told["what"])
    return history


def _happen(history: History, at: datetime, by: str, what: str) -> None:
    if what in _REVIEWS:
        history.reviews.append(Review(at, by, _REVIEWS[what]))
    elif what in _MARKS:
        history.marks.append((at, _MARKS[what]))
    else:
        verb, _, rest = what.partition(" ")
        _VERBS[verb](history, at, by, rest)


def _commits(history: History, at: datetime, by: str, name: str) -> None:
    history.commits.append(Commit(name, at, at, by))


def _opens(history: History, at: datetime, by: str, how: str) -> None:
    history.author, history.created_at, history.draft = by, at, how == "it as a draft"
    history.requested_by = how.partition("it for ")[2]


def _merges(history: History, at: datetime, by: str, _it: str) -> None:
    history.merged_at, history.merged_by = at, by


_VERBS: Mapping[str, Callable[[History, datetime, str, str], None]] = {
    "commits": _commits,
    "opens": _opens,
    "merges": _merges,
}
