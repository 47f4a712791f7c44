"""Webhooks of a repository: payloads as the records that a sync would read, and their registration.

A delivery contains a record's state, not its history: times of events (ready for review, reopened, assigned) and
omitted parts (a pull request's commits, a push's parents) are read afterwards, see `news_of`.
https://docs.github.com/en/webhooks/webhook-events-and-payloads
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from integrations.connectors.base import Http, Json, RawRecord
from integrations.connectors.drafts import MISSING, AnyDraft, ProvidedParts, PullRequestDraft
from integrations.connectors.errors import GoneError, PermanentError, TransientError
from integrations.connectors.github.actions import normalise_job, normalise_run
from integrations.connectors.github.code_scanning import normalise_alert
from integrations.connectors.github.commits import normalise_commit
from integrations.connectors.github.deployments import normalise_deployment
from integrations.connectors.github.issues import normalise_issue
from integrations.connectors.github.lists import list_all
from integrations.connectors.github.projects import normalise_item, normalise_iteration
from integrations.connectors.github.pull_requests import normalise_pull_request, rest_review
from integrations.connectors.github.releases import normalise_release
from integrations.connectors.github.repositories import normalise_repository
from integrations.connectors.github.stream_repository import Place
from integrations.connectors.reader import Reader
from integrations.connectors.unchecked import object_of, text_of
from integrations.enums import Kind


def normalise_review(payload: Json) -> list[PullRequestDraft]:
    """`review` and `pull_request`: the pull request's current state, and this one of its reviews."""
    (draft,) = normalise_pull_request({"pull_request": payload.get("pull_request")})
    reader = Reader(payload)
    review = reader.part("review", rest_review)
    reviews = MISSING if review is None else ProvidedParts([review], whole=False)
    return [replace(draft, reviews=reviews, left_out=(*draft.left_out, *reader.left_out))]


NORMALISE: Mapping[str, Callable[[Json], Sequence[AnyDraft]]] = {
    "code_scanning_alert": normalise_alert,
    "commit": normalise_commit,
    "deployment": normalise_deployment,
    "issue": normalise_issue,
    "iteration": normalise_iteration,
    "project_item": normalise_item,
    "pull_request": normalise_pull_request,
    "release": normalise_release,
    "repository": normalise_repository,
    "review": normalise_review,
    "workflow_job": normalise_job,
    "workflow_run": normalise_run,
}
"""By the source of a record, as quarantine keeps it."""
_RECORDS: Mapping[str, tuple[str, Sequence[str]]] = {
    "deployment": ("deployment", ("deployment", "repository")),
    "deployment_status": ("deployment", ("deployment", "deployment_status", "repository")),
    "issues": ("issue", ("issue", "repository")),
    "pull_request": ("pull_request", ("pull_request",)),
    "pull_request_review": ("review", ("pull_request", "review")),
    "pull_request_review_comment": ("pull_request", ("pull_request",)),
    "release": ("release", ("release", "repository")),
    "repository": ("repository", ("repository",)),
    "workflow_job": ("workflow_job", ("workflow_job", "repository")),
    "workflow_run": ("workflow_run", ("workflow_run",)),
}
"""Event → the source of its record, and the parts of the delivery that it is made of; the first has the record's id."""
_GONE = frozenset(
    {
        ("issues", "deleted"),
        ("issues", "transferred"),  # deleted here, and a new one there
        ("release", "deleted"),
        ("repository", "deleted"),
    }
)
EVENTS = ("push", *_RECORDS)
"""What a webhook is registered for."""
PROJECT_ITEM = "projects_v2_item"  # of an organisation's webhook, registered by hand
_NEWS: Mapping[str, Kind] = {
    "deployment": Kind.DEPLOYMENT,
    "deployment_status": Kind.DEPLOYMENT,
    "issues": Kind.WORK_ITEM,
    "pull_request": Kind.PULL_REQUEST,
    "pull_request_review": Kind.PULL_REQUEST,
    "pull_request_review_comment": Kind.PULL_REQUEST,
    "push": Kind.COMMIT,
}


def records_of(event: str, payload: Json) -> list[RawRecord] | None:
    """The records in a delivery; None for an event that is not used, such as ping."""
    if event == PROJECT_ITEM:  # lacks the issue and its fields: the project is read afterwards
        return []
    if event == "push":  # lacks the commits' parents and author times: they are read afterwards
        return []
    if event not in _RECORDS:
        return None
    if event == "workflow_job" and not text_of(payload.get("workflow_job"), "workflow_name"):
        return []  # it would make a run without a name: a sync reads it
    source, parts = _RECORDS[event]
    record = {part: payload.get(part) for part in parts}
    if source != "repository" and "repository" in parts:
        record["repository"] = _named(payload.get("repository"))
    action = text_of(payload, "action")
    if (event, action) in _GONE:
        record["deleted"] = True
    records = [_record(source, parts[0], record)]
    changes = object_of(payload, "changes")
    if (event, action) == ("issues", "transferred") and changes.get("new_issue"):
        there = {"issue": changes["new_issue"], "repository": _named(changes.get("new_repository"))}
        records.append(_record("issue", "issue", there))
    return records


def _record(source: str, main: str, record: Json) -> RawRecord:
    return RawRecord(record, NORMALISE[source], text_of(record.get(main), "id"), source)


def _named(repository: object) -> Json | None:
    """The needed fields of a repository: the rest would stay in quarantine for nothing."""
    if not isinstance(repository, dict):
        return None
    return {field: repository.get(field) for field in ("id", "full_name", "html_url")}


def news_of(event: str, payload: Json) -> tuple[str, Kind] | None:
    """The repository or project, and the kind of facts that have more to read than the delivery contains."""
    if event == PROJECT_ITEM:
        project = text_of(payload.get(PROJECT_ITEM), "project_node_id")
        return (project, Kind.SPRINT) if project else None
    kind, repository = _NEWS.get(event), object_of(payload, "repository")
    if event == "push" and payload.get("ref") != f"refs/heads/{text_of(repository, 'default_branch')}":
        return None
    number = text_of(repository, "id")
    return (number, kind) if kind is not None and number else None


def register_hook(http: Http, place: Place, address: str, secret: str) -> str:
    """Register a webhook that sends to `address`, and return its id.

    An existing one is replaced: GitHub does not reveal its secret.
    """
    for hook in _at(http, place, address):
        remove_hook(http, place, text_of(hook, "id"))
    settings = {
        "name": "web",
        "active": True,
        "events": list(EVENTS),
        "config": {"url": address, "content_type": "json", "secret": secret, "insecure_ssl": "0"},
    }
    try:
        hook = http.post(place.path("hooks"), json=settings).json()
    except PermanentError:
        # Registered by a request whose answer was lost: it is ours, with this secret.
        hook = next(_at(http, place, address), None)
        if hook is None:
            raise
    number = text_of(hook, "id")
    if not number:
        raise TransientError("GitHub registered the webhook without saying under which number.")
    return number


def remove_hook(http: Http, place: Place, hook_id: str) -> None:
    """Remove the webhook; does nothing if it is gone already."""
    try:
        http.delete(place.path("hooks", hook_id))
    except GoneError:
        return


def _at(http: Http, place: Place, address: str) -> Iterator[Any]:
    """The repository's webhooks that send to the address."""
    for hook in list_all(http, place.path("hooks")):
        if text_of(object_of(hook, "config"), "url") == address:
            yield hook
