"""The second opinion: stages, reviews and stock of pull requests counted slowly, in Python, from their histories."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from integrations.enums import PullRequestEventKind, ReviewState
from tests.delivery.pull_requests.histories import History

AGENTS = {"copilot-swe-agent[bot]": "copilot", "claude[bot]": "claude_code"}
STALE_AFTER = timedelta(days=14)


@dataclass(frozen=True)
class Expected:
    """The expected figures of one pull request; in seconds."""

    exclusion_reason: str
    coding: float | None
    pickup: float | None
    review: float | None
    merge: float | None
    cycle: float | None
    reviews: int
    reviewers: int
    self_merged: bool | None
    size: int | None
    agents: Sequence[str]


def expected(histories: Sequence[History], people: Mapping[str, str]) -> dict[int, Expected]:
    """The expected figures by number; `people` maps logins to people, if several belong to one."""
    return {history.number: _expected(history, histories, people) for history in histories}


def opened_at(history: History) -> datetime | None:
    """The time when it was first ready: its creation or, if created as a draft, the first mark as ready."""
    marks = sorted(
        mark for mark in history.marks if mark[1] in (PullRequestEventKind.READY, PullRequestEventKind.DRAFT)
    )
    if not marks:
        return None if history.draft else history.created_at
    first_at, first_kind = marks[0]
    return first_at if first_kind is PullRequestEventKind.READY else history.created_at


def _expected(history: History, histories: Sequence[History], people: Mapping[str, str]) -> Expected:
    opened, merged = opened_at(history), history.merged_at
    counted = [review for review in history.reviews if _counts(review.by, review.state, review.at, history, people)]
    first_review = min((review.at for review in counted), default=None)
    approved = max((review.at for review in counted if review.state is ReviewState.APPROVED), default=None)
    first_commit = min(
        (commit.authored_at for commit in history.commits if _own(commit.name, history, histories)), default=None
    )
    agents = {
        AGENTS[commit.by] for commit in history.commits if commit.by in AGENTS and _own(commit.name, history, histories)
    }
    if history.author in AGENTS:
        agents.add(AGENTS[history.author])
    sized = history.additions is not None and history.deletions is not None
    return Expected(
        exclusion_reason="bot" if history.author.endswith("[bot]") and history.author not in AGENTS else "",
        coding=_seconds(first_commit, opened),
        pickup=_seconds(opened, first_review),
        review=_seconds(first_review, approved),
        merge=_seconds(approved, merged),
        cycle=_seconds(opened, merged),
        reviews=len(counted),
        reviewers=len({people.get(review.by, review.by) for review in counted}),
        self_merged=_self_merged(history, people),
        size=(history.additions or 0) + (history.deletions or 0) if sized else None,
        agents=sorted(agents),
    )


def _counts(by: str, state: ReviewState, at: datetime, history: History, people: Mapping[str, str]) -> bool:
    if by.endswith("[bot]"):
        return False
    if people.get(by, by) == people.get(history.author, history.author):
        return False
    return history.merged_at is None or at <= history.merged_at


def _own(name: str, history: History, histories: Sequence[History]) -> bool:
    def brought_it(other: History) -> bool:
        holds_it = name == other.merge_commit or any(commit.name == name for commit in other.commits)
        earlier = other.merged_at is not None and (history.merged_at is None or other.merged_at < history.merged_at)
        return holds_it and earlier and other.target == "main"

    return not any(brought_it(other) for other in histories if other is not history)


def _self_merged(history: History, people: Mapping[str, str]) -> bool | None:
    if history.merged_at is None or not history.merged_by:
        return None
    return people.get(history.merged_by, history.merged_by) == people.get(history.author, history.author)


def _seconds(start: datetime | None, end: datetime | None) -> float | None:
    if start is None or end is None or end < start:
        return None
    return (end - start).total_seconds()


def open_on(history: History, day: date) -> bool:
    """Whether it is open at the end of the day."""
    return _open_at(history, _end_of(day))


def stale_on(history: History, day: date) -> bool:
    """Whether it is open at the end of the day, and nothing had happened for two weeks, by the calendar."""
    opened = opened_at(history)
    if opened is None or not _open_at(history, _end_of(day)):
        return False
    happened = [opened, *(at for at, _ in history.marks), *(review.at for review in history.reviews)]
    happened += [commit.committed_at for commit in history.commits]
    last = max(at for at in happened if opened <= at < _end_of(day))
    return day >= last.date() + STALE_AFTER


def _open_at(history: History, at: datetime) -> bool:
    opened, ended = opened_at(history), history.ended_at
    if opened is None or opened >= at or (ended is not None and ended < at):
        return False
    turns = sorted(
        (when, kind)
        for when, kind in history.marks
        if kind in (PullRequestEventKind.CLOSED, PullRequestEventKind.REOPENED)
    )
    before = [kind for when, kind in turns if when < at]
    after = [kind for when, kind in turns if when >= at]
    closed = bool(before) and before[-1] is PullRequestEventKind.CLOSED
    return not (closed and PullRequestEventKind.REOPENED in after)


def _end_of(day: date) -> datetime:
    return datetime.combine(day + timedelta(days=1), time(), UTC)
