"""Sentences about pipelines: their attempts, and the jobs of these."""

from __future__ import annotations

from dataclasses import replace

from integrations.connectors.drafts import JobDraft
from integrations.enums import RunStatus
from tests.worked.facts import Attempt
from tests.worked.sentences import Line, sentence

_ENDS = {
    "succeeds": RunStatus.SUCCESS,
    "fails": RunStatus.FAILURE,
    "is cancelled": RunStatus.CANCELLED,
}
_OF = r"pipeline (?P<name>\w+){} for (?P<commit>\S+)"
_JOB = r"its job (?P<job>\w+) {} at pipeline (?P<name>\w+) for (?P<commit>\S+)"


def _attempts(line: Line, name: str, commit: str) -> list[Attempt]:
    """The attempts of that pipeline for that commit and branch, oldest first."""
    branch = line.text("on the branch (.+)", "main")
    return line.story.attempts.setdefault((name, commit, branch), [])


def _begin(line: Line, name: str, commit: str, again: str | None) -> Attempt:
    """A new attempt; that it is not the first is said."""
    branch = line.text("on the branch (.+)", "main")
    known = line.story.attempts.setdefault((name, commit, branch), [])
    assert bool(known) == bool(again), f"{name} for {commit} is attempt {len(known) + 1}"
    known.append(Attempt(name, commit, branch, len(known) + 1))
    return known[-1]


@sentence(_OF.format(" is queued(?P<again> again)?"))
def is_queued(line: Line, name: str, commit: str, again: str | None) -> None:
    _begin(line, name, commit, again).queued_at = line.at


@sentence(_OF.format(" starts(?P<again> again)?"))
def starts(line: Line, name: str, commit: str, again: str | None) -> None:
    _begin(line, name, commit, again).started_at = line.at


@sentence(_OF.format("’s turn has come"))
def turn_has_come(line: Line, name: str, commit: str) -> None:
    _attempts(line, name, commit)[-1].started_at = line.at


@sentence(_OF.format(" (?P<end>succeeds|fails|is cancelled)"))
def ends(line: Line, name: str, end: str, commit: str) -> None:
    attempt = _attempts(line, name, commit)[-1]
    attempt.finished_at, attempt.status = line.at, _ENDS[end]


@sentence(_OF.format(" is skipped"))
def is_skipped(line: Line, name: str, commit: str) -> None:
    """It never ran; providers tell of it as if it had begun and ended at once."""
    attempt = _begin(line, name, commit, None)
    attempt.started_at = attempt.finished_at = line.at
    attempt.status = RunStatus.SKIPPED


@sentence(_JOB.format("is queued"))
def job_is_queued(line: Line, job: str, name: str, commit: str) -> None:
    attempt = _attempts(line, name, commit)[-1]
    attempt.jobs[job] = JobDraft(
        external_id=f"{name} {commit} {job} {attempt.number}",
        name=job,
        status=RunStatus.SUCCESS,
        native_status="success",
        queued_at=line.at,
    )


@sentence(_JOB.format("starts"))
def job_starts(line: Line, job: str, name: str, commit: str) -> None:
    jobs = _attempts(line, name, commit)[-1].jobs
    jobs[job] = replace(jobs[job], started_at=line.at)
