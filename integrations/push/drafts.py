"""Converts valid pushed records to drafts.  A record replaces the stored one entirely, so every field is provided.

Unknown values are stored next to their interpretation: an unknown status is *other*, an unknown state of a pull request
follows from its times.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import Any, TypeVar

from rest_framework import serializers

from integrations.connectors.addresses import run_in
from integrations.connectors.drafts import (
    AnyDraft,
    AssignmentDraft,
    CommitDraft,
    DeploymentDraft,
    IncidentDraft,
    PipelineRunDraft,
    ProvidedParts,
    PullRequestCommitDraft,
    PullRequestDraft,
    PullRequestEventDraft,
    ReviewDraft,
    SprintChangeDraft,
    SprintDraft,
    TransitionDraft,
    ValueChangeDraft,
    Who,
    WorkItemDraft,
    WorkItemReference,
    shown_title,
)
from integrations.connectors.git.agent_signatures import agents_of_message
from integrations.connectors.git.history import written_at
from integrations.enums import (
    ItemField,
    Kind,
    LinkMethod,
    Priority,
    PullRequestEventKind,
    PullRequestState,
    ReviewState,
    RunStatus,
    Severity,
    SprintState,
    StatusCategory,
)
from integrations.intake.order_of_parts import moves_in_order
from integrations.push.serializers import (
    CommitRecord,
    DeploymentRecord,
    IncidentRecord,
    PipelineRunRecord,
    PullRequestRecord,
    SprintRecord,
    WorkItemRecord,
    who,
)

Values = Mapping[str, Any]
# Build systems' terms for our values.
_SYNONYMS = {
    "succeeded": "success",
    "passed": "success",
    "failed": "failure",
    "error": "failure",
    "canceled": "cancelled",
    "aborted": "cancelled",
    "in_progress": "running",
    "pending": "queued",
}
Word = TypeVar("Word", bound=StrEnum)


def deployment(values: Values) -> DeploymentDraft:
    named = run_in(values["url"])
    return DeploymentDraft(
        external_id=values["id"],
        updated_at=values["updated_at"],
        repository=values["repository"],
        native_environment=values["environment"],
        service=values["service"],
        status=_word(RunStatus, values["status"], RunStatus.OTHER),
        native_status=values["status"],
        sha=values["sha"],
        ref="",
        url=values["url"],
        deployed_by=who(values["deployed_by"]),
        created_at=values["started_at"],
        started_at=values["started_at"],
        finished_at=values["finished_at"],
        rollback_of=values["rollback_of"],
        fixes=tuple(values["fixes"]),
        unplanned=bool(values["unplanned"]),  # a pushed record is complete: a missing value does not exist
        run=named.run,
        job=named.job,
    )


def incident(values: Values) -> IncidentDraft:
    return IncidentDraft(
        external_id=values["id"],
        updated_at=values["updated_at"],
        repository=values["repository"],
        service=values["service"],
        key=values["id"],
        title=shown_title(values["title"]),
        url=values["url"],
        native_status="resolved" if values["resolved_at"] else "open",
        native_severity=values["severity"],
        severity=_word(Severity, values["severity"], Severity.UNKNOWN),
        started_at=values["started_at"],
        acknowledged_at=values["acknowledged_at"],
        resolved_at=values["resolved_at"],
        caused_by=values["caused_by"],
    )


def pipeline_run(values: Values) -> PipelineRunDraft:
    return PipelineRunDraft(
        external_id=values["id"],
        updated_at=values["updated_at"],
        repository=values["repository"],
        run=values["id"],
        name=values["name"],
        attempt=values["attempt"],
        status=_word(RunStatus, values["status"], RunStatus.OTHER),
        native_status=values["status"],
        url=values["url"],
        trigger="",
        sha=values["sha"],
        branch=values["branch"],
        started_by=None,
        queued_at=values["queued_at"],
        started_at=values["started_at"],
        finished_at=values["finished_at"],
    )


def pull_request(values: Values) -> PullRequestDraft:
    # A pull request created as a draft has its own ready time; any other was ready at its creation.
    ready = (
        [PullRequestEventDraft(kind=PullRequestEventKind.READY, at=values["ready_at"])] if values["ready_at"] else []
    )
    return PullRequestDraft(
        external_id=values["id"],
        updated_at=values["updated_at"],
        repository=values["repository"],
        number=values["number"],
        title=shown_title(values["title"]),
        url=values["url"],
        author=who(values["author"]),
        requested_by=who(values["requested_by"]),
        state=_state(values),
        native_state=values["state"],
        is_draft=values["draft"],
        created_at=values["created_at"],
        merged_at=values["merged_at"],
        closed_at=values["closed_at"] or values["merged_at"],
        merged_by=who(values["merged_by"]),
        merge_sha=values["merge_sha"],
        head_sha=values["commits"][-1]["sha"] if values["commits"] else "",
        source_branch=values["source_branch"],
        target_branch=values["target_branch"],
        additions=values["additions"],
        deletions=values["deletions"],
        changed_files=None,
        commit_count=None,
        comment_count=None,
        review_comment_count=None,
        labels=tuple(values["labels"]),
        commits=ProvidedParts(
            [_commit_of(pushed_commit, position) for position, pushed_commit in enumerate(values["commits"])]
        ),
        reviews=ProvidedParts([_review(review) for review in values["reviews"] if review["submitted_at"]]),
        events=ProvidedParts(ready),
        references=ProvidedParts(
            [WorkItemReference(key=key, method=LinkMethod.PROVIDER) for key in _once(values["work_items"])]
        ),
    )


def commit(values: Values) -> CommitDraft:
    author = who(values["author_email"]) or Who(name="unknown")
    committed_at = values["committed_at"] or values["authored_at"]
    return CommitDraft(
        external_id=values["sha"],
        updated_at=values["updated_at"],
        repository=values["repository"],
        parents=tuple(values["parents"]),
        author=author,
        authored_at=values["authored_at"] or committed_at,
        committer=author,
        committed_at=committed_at,
        message=values["message"],
        on_default_branch=None,
        branch=values["branch"],
        additions=values["additions"],
        deletions=values["deletions"],
    )


def work_item(values: Values) -> WorkItemDraft:
    transitions = moves_in_order([_transition(move) for move in values["transitions"] if move["at"]])
    return WorkItemDraft(
        external_id=values["id"],
        updated_at=values["updated_at"],
        project=values["project"],
        key=values["id"],
        former_keys=(),
        title=shown_title(values["title"]),
        url=values["url"],
        native_type=values["type"],
        native_status=(transitions[-1].to_status if transitions else "") or values["status_category"],
        status_category=_word(StatusCategory, values["status_category"], StatusCategory.TODO),
        first_category=_word(StatusCategory, values["first_category"], StatusCategory.TODO),
        native_priority=values["priority"],
        priority=_word(Priority, values["priority"], Priority.UNKNOWN),
        resolution="",
        estimate=_last_estimate(values) if values["estimate"] is None else values["estimate"],
        parent_key=values["parent"],
        native_team="",
        due_on=None,
        versions=(),
        release_on=None,
        reporter=None,
        assignee=who(values["assignee"]) or _last_assignee(values),
        labels=tuple(values["labels"]),
        components=tuple(values["components"]),
        has_description=None,
        comment_count=None,
        created_at=values["created_at"],
        resolved_at=values["resolved_at"],
        transitions=ProvidedParts(transitions),
        assignments=ProvidedParts(
            [
                AssignmentDraft(at=assignment["at"], assignee=who(assignment["assignee"]))
                for assignment in _dated(values["assignees"])
            ]
        ),
        sprint_changes=ProvidedParts(
            [
                SprintChangeDraft(at=move["at"], sprint=move["sprint"], added=move["added"])
                for move in _dated(values["sprints"])
            ]
        ),
        value_changes=ProvidedParts(_estimates(values)),
    )


def sprint(values: Values) -> SprintDraft:
    return SprintDraft(
        external_id=values["id"],
        updated_at=values["updated_at"],
        board=values["board"],
        name=shown_title(values["name"]),
        state=_word(SprintState, values["state"], SprintState.PLANNED),
        native_state=values["state"],
        starts_at=values["starts_at"],
        ends_at=values["ends_at"],
        completed_at=values["closed_at"],
        reported=ProvidedParts(),
    )


@dataclass(frozen=True, slots=True)
class PushedKind:
    """A kind of records: the serializer that validates them, and the function that converts them to drafts."""

    kind: Kind
    record: type[serializers.Serializer[Any]]
    draft_of: Callable[[Values], AnyDraft]


KINDS: Mapping[str, PushedKind] = {
    "deployments": PushedKind(Kind.DEPLOYMENT, DeploymentRecord, deployment),
    "incidents": PushedKind(Kind.INCIDENT, IncidentRecord, incident),
    "pipeline-runs": PushedKind(Kind.PIPELINE_RUN, PipelineRunRecord, pipeline_run),
    "pull-requests": PushedKind(Kind.PULL_REQUEST, PullRequestRecord, pull_request),
    "commits": PushedKind(Kind.COMMIT, CommitRecord, commit),
    "work-items": PushedKind(Kind.WORK_ITEM, WorkItemRecord, work_item),
    "sprints": PushedKind(Kind.SPRINT, SprintRecord, sprint),
}
"""Given by the URL."""


def _word(words: type[Word], word: str, otherwise: Word) -> Word:
    known = {word.value for word in words}
    plain = word.strip().lower().replace("-", "_").replace(" ", "_")
    plain = plain if plain in known else _SYNONYMS.get(plain, plain)
    return words(plain) if plain in known else otherwise


def _state(values: Values) -> PullRequestState:
    """The state by its name; an unknown name yields the state that the times imply."""
    if values["merged_at"]:
        return PullRequestState.MERGED
    return _word(
        PullRequestState, values["state"], PullRequestState.CLOSED if values["closed_at"] else PullRequestState.OPEN
    )


def _review(values: Values) -> ReviewDraft:
    return ReviewDraft(
        external_id=f"{values['author']} {values['submitted_at'].isoformat()}"[:200],
        author=who(values["author"]),
        state=_word(ReviewState, values["state"], ReviewState.COMMENTED),
        native_state=values["state"],
        submitted_at=values["submitted_at"],
    )


def _commit_of(values: Values, position: int) -> PullRequestCommitDraft:
    return PullRequestCommitDraft(
        sha=values["sha"],
        position=position,
        author=who(values["author_email"]),
        authored_at=written_at(
            values["message"], authored_at=values["authored_at"], committed_at=values["committed_at"]
        ),
        committed_at=values["committed_at"],
        subject=values["message"].split("\n", 1)[0][:200],
        parents=tuple(values["parents"]),
        agents=agents_of_message(values["message"]),
    )


def _transition(values: Values) -> TransitionDraft:
    return TransitionDraft(
        at=values["at"],
        from_status=values["from"],
        to_status=values["to"] or values["category"],
        category=_word(StatusCategory, values["category"], StatusCategory.TODO),
    )


def _estimates(values: Values) -> list[ValueChangeDraft]:
    """The changes of the estimate; before the first one there was none."""
    dated = _dated(values["estimates"])
    texts = ["", *(_number(one["estimate"]) for one in dated)]
    return [
        ValueChangeDraft(at=one["at"], field=ItemField.ESTIMATE, before=before, after=after)
        for one, (before, after) in zip(dated, pairwise(texts), strict=True)
        if before != after
    ]


def _number(estimate: float | None) -> str:
    return "" if estimate is None else f"{estimate:.6f}".rstrip("0").rstrip(".")


def _last_estimate(values: Values) -> float | None:
    estimates = _dated(values["estimates"])
    return estimates[-1]["estimate"] if estimates else None


def _last_assignee(values: Values) -> Who | None:
    assignees = _dated(values["assignees"])
    return who(assignees[-1]["assignee"]) if assignees else None


def _dated(parts: Iterable[Values]) -> list[Values]:
    """The parts that have a possible time, in order of time."""
    return sorted((part for part in parts if part["at"]), key=lambda part: part["at"])


def _once(keys: list[str]) -> list[str]:
    return list(dict.fromkeys(key for key in keys if key))
