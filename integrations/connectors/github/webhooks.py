"""Webhook payloads as the records that a sync would read.

A delivery contains a record's state, not its history: times of events (ready for review, reopened, assigned) and
omitted parts (a pull request's commits, a push's parents) are read afterwards, see `news_of`.
https://docs.github.com/en/webhooks/webhook-events-and-payloads
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from integrations.connectors.base import Json, RawRecord
from integrations.connectors.drafts import AnyDraft, ProvidedParts, PullRequestDraft
from integrations.connectors.github.actions import normalise_job, normalise_run
from integrations.connectors.github.deployments import normalise_deployment
from integrations.connectors.github.issues import normalise_issue
from integrations.connectors.github.pull_request_parts import rest_review
from integrations.connectors.github.pull_requests import normalise_pull_request
from integrations.connectors.github.releases import normalise_release
from integrations.connectors.github.repositories import normalise_repository
from integrations.connectors.reader import Reader
from integrations.connectors.unchecked import text_of
from integrations.enums import Kind

_REPOSITORY_FIELDS = ("id", "full_name", "html_url")


def normalise_review(payload: Json) -> list[PullRequestDraft]:
    """`review` and `pull_request`: the pull request's current state, and this one of its reviews."""
    review = rest_review(Reader(payload.get("review"), "review"))
    (draft,) = normalise_pull_request({"pull_request": payload.get("pull_request")})
    return [draft if review is None else replace(draft, reviews=ProvidedParts([review], whole=False))]


def records_of(event: str, payload: Json) -> list[RawRecord] | None:
    """The records in a delivery; None for an event that is not used, such as ping."""
    tell = _EVENTS.get(event)
    return None if tell is None else tell(payload, text_of(payload, "action"))


def replayed(event: str, payload: Json) -> list[AnyDraft]:
    """The drafts of a delivery's record that an earlier version kept under its event."""
    return list(_NORMALISE[event](payload))


def news_of(event: str, payload: Json) -> tuple[str, Kind] | None:
    """The repository and the kind of facts that have more to read than the delivery contains."""
    kind = _NEWS.get(event)
    if kind is None or (event == "push" and not _is_to_default_branch(payload)):
        return None
    repository = payload.get("repository")
    return (text_of(repository, "id"), kind) if text_of(repository, "id") else None


def _record(normalise: Callable[[Json], Sequence[AnyDraft]], source: str, main: str, payload: Json) -> RawRecord:
    return RawRecord(payload, normalise, text_of(payload.get(main), "id"), source)


def _pull_request(payload: Json, action: str) -> list[RawRecord]:
    record = {"pull_request": payload.get("pull_request")}
    return [_record(normalise_pull_request, "pull_request", "pull_request", record)]


def _review(payload: Json, action: str) -> list[RawRecord]:
    record = {"review": payload.get("review"), "pull_request": payload.get("pull_request")}
    return [_record(normalise_review, "review", "pull_request", record)]


def _push(payload: Json, action: str) -> list[RawRecord]:
    """A push names commits without their parents, and without the author's own time: they are read afterwards."""
    return []


def _run(payload: Json, action: str) -> list[RawRecord]:
    return [_record(normalise_run, "workflow_run", "workflow_run", {"workflow_run": payload.get("workflow_run")})]


def _job(payload: Json, action: str) -> list[RawRecord]:
    """A job without its workflow's name would make a run without a name: a sync brings it."""
    job = payload.get("workflow_job")
    if not text_of(job, "workflow_name"):
        return []
    record = {"workflow_job": job, "repository": _repository_of(payload)}
    return [_record(normalise_job, "workflow_job", "workflow_job", record)]


def _deployment(payload: Json, action: str) -> list[RawRecord]:
    record = {"deployment": payload.get("deployment"), "repository": _repository_of(payload)}
    if "deployment_status" in payload:
        record["deployment_status"] = payload["deployment_status"]
    return [_record(normalise_deployment, "deployment", "deployment", record)]


def _release(payload: Json, action: str) -> list[RawRecord]:
    record = {
        "release": payload.get("release"),
        "repository": _repository_of(payload),
        "deleted": action == "deleted",
    }
    return [_record(normalise_release, "release", "release", record)]


def _issue(payload: Json, action: str) -> list[RawRecord]:
    """A transferred issue is gone here, and another one there."""
    gone = action in ("deleted", "transferred")
    record = {"issue": payload.get("issue"), "repository": _repository_of(payload), "deleted": gone}
    records = [_record(normalise_issue, "issue", "issue", record)]
    changes = payload.get("changes")
    if action == "transferred" and isinstance(changes, dict) and changes.get("new_issue"):
        there = {"issue": changes["new_issue"], "repository": _named(changes.get("new_repository"))}
        records.append(_record(normalise_issue, "issue", "issue", there))
    return records


def _repository(payload: Json, action: str) -> list[RawRecord]:
    record = {"repository": payload.get("repository"), "deleted": action == "deleted"}
    return [_record(normalise_repository, "repository", "repository", record)]


_EVENTS: Mapping[str, Callable[[Json, str], list[RawRecord]]] = {
    "deployment": _deployment,
    "deployment_status": _deployment,
    "issues": _issue,
    "pull_request": _pull_request,
    "pull_request_review": _review,
    "pull_request_review_comment": _pull_request,
    "push": _push,
    "release": _release,
    "repository": _repository,
    "workflow_job": _job,
    "workflow_run": _run,
}
EVENTS = tuple(_EVENTS)
"""What a webhook is registered for."""

_NORMALISE: Mapping[str, Callable[[Json], Sequence[AnyDraft]]] = {
    "deployment": normalise_deployment,
    "deployment_status": normalise_deployment,
    "issues": normalise_issue,
    "pull_request": normalise_pull_request,
    "pull_request_review": normalise_review,
    "pull_request_review_comment": normalise_pull_request,
    "release": normalise_release,
    "repository": normalise_repository,
    "workflow_job": normalise_job,
    "workflow_run": normalise_run,
}
_NEWS: Mapping[str, Kind] = {
    "deployment": Kind.DEPLOYMENT,
    "deployment_status": Kind.DEPLOYMENT,
    "issues": Kind.WORK_ITEM,
    "pull_request": Kind.PULL_REQUEST,
    "pull_request_review": Kind.PULL_REQUEST,
    "pull_request_review_comment": Kind.PULL_REQUEST,
    "push": Kind.COMMIT,
}


def _is_to_default_branch(payload: Json) -> bool:
    branch = text_of(payload.get("repository"), "default_branch")
    return bool(branch) and payload.get("ref") == f"refs/heads/{branch}"


def _repository_of(payload: Json) -> Json | None:
    return _named(payload.get("repository"))


def _named(repository: object) -> Json | None:
    """Only what is needed of it: the rest would stay in quarantine for nothing."""
    if not isinstance(repository, dict):
        return None
    return {field: repository.get(field) for field in _REPOSITORY_FIELDS}
