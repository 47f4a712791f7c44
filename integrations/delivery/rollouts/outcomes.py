"""The outcome of a deployment's statuses: a plain function, so that webhooks and lists agree whatever the order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from integrations.enums import RunStatus

INACTIVE = "inactive"  # another deployment replaced it: a successful one stays successful
_FINAL = frozenset({RunStatus.SUCCESS, RunStatus.FAILURE})
_ORDER = (RunStatus.QUEUED, RunStatus.RUNNING, RunStatus.OTHER, RunStatus.FAILURE, RunStatus.SUCCESS)


@dataclass(frozen=True, slots=True)
class Status:
    """A status that holds from `at` on; `run` and `job` come from its URL."""

    at: datetime
    status: RunStatus
    native_status: str
    run: str = ""
    job: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of a deployment, with its times."""

    status: RunStatus
    native_status: str
    started_at: datetime | None
    finished_at: datetime | None
    run: str = ""
    job: str = ""


WAITING = Outcome(RunStatus.QUEUED, "", None, None)  # the outcome of a deployment without statuses


def outcomes(statuses: Sequence[Status]) -> list[Outcome]:
    """The deployment's own outcome, which is that of its first final status, and one for each later reactivation: a
    success after it was inactive, or had failed.  A repeated success counts once.
    """
    ordered = sorted(
        statuses, key=lambda status: (status.at, status.native_status == INACTIVE, _ORDER.index(status.status))
    )
    first = next((n for n, status in enumerate(ordered) if status.status in _FINAL), None)
    if first is None:
        return [_unfinished(ordered)]
    return [_finished(ordered[: first + 1]), *_made_active_again(ordered, first)]


def _made_active_again(ordered: Sequence[Status], first: int) -> Iterator[Outcome]:
    active, since = ordered[first].status is RunStatus.SUCCESS, first + 1
    for position in range(first + 1, len(ordered)):
        status = ordered[position]
        if status.status is RunStatus.SUCCESS and not active:
            yield _finished(ordered[since : position + 1])
        if status.status in _FINAL or status.native_status == INACTIVE:
            active, since = status.status is RunStatus.SUCCESS, position + 1


def _finished(statuses: Sequence[Status]) -> Outcome:
    last = statuses[-1]
    return Outcome(last.status, last.native_status, _start(statuses), last.at, *_run(statuses))


def _unfinished(statuses: Sequence[Status]) -> Outcome:
    last = statuses[-1]
    if last.native_status == INACTIVE:  # another one began before it had ended
        return Outcome(RunStatus.CANCELLED, INACTIVE, _start(statuses), last.at, *_run(statuses))
    return Outcome(last.status, last.native_status, _start(statuses), None, *_run(statuses))


def _start(statuses: Sequence[Status]) -> datetime | None:
    return next((status.at for status in statuses if status.status is RunStatus.RUNNING), None)


def _run(statuses: Sequence[Status]) -> tuple[str, str]:
    return next(((status.run, status.job) for status in statuses if status.run), ("", ""))
