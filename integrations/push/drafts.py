"""Pushed records, once they are valid, as drafts.  A record replaces the stored one entirely, so every field is told.

Words that are none of ours are kept beside what they are taken for: another status is *other*, another state of a
pull request follows from its times.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from rest_framework import serializers

from integrations.connectors.drafts import (
    AnyDraft,
    AssignmentDraft,
    CommitDraft,
    DeploymentDraft,
    IncidentDraft,
    PipelineRunDraft,
    PullRequestCommitDraft,
    PullRequestDraft,
    PullRequestEventDraft,
    ReviewDraft,
    Told,
    TransitionDraft,
    Who,
    WorkItemDraft,
    WorkItemReference,
    shown_title,
)
from integrations.connectors.git.agent_signatures import agents_of_message
from integrations.enums import (
    Kind,
    LinkMethod,
    Priority,
    PullRequestEventKind,
    PullRequestState,
    ReviewState,
    RunStatus,
    Severity,
    StatusCategory,
)
from integrations.push.fields import who
from integrations.push.serializers import (
    CommitRecord,
    DeploymentRecord,
    IncidentRecord,
    PipelineRunRecord,
    PullRequestRecord,
    WorkItemRecord,
)

Values = Mapping[str, Any]
# What build systems say instead of our words.
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


def deployment(told: Values) -> DeploymentDraft:
    return DeploymentDraft(
        external_id=told["id"],
        updated_at=told["updated_at"],
        repository=told["repository"],
        native_environment=told["environment"],
        service=told["service"],
        status=_word(RunStatus, told["status"], RunStatus.OTHER),
        native_status=told["status"],
        sha=told["sha"],
        ref="",
        url=told["url"],
        deployed_by=who(told["deployed_by"]),
        created_at=told["started_at"],
        started_at=told["started_at"],
        finished_at=told["finished_at"],
        rollback_of=told["rollback_of"],
        fixes=tuple(told["fixes"]),
        unplanned=bool(told["unplanned"]),  # whoever pushes says all there is: what is not said is not so
    )


def incident(told: Values) -> IncidentDraft:
    return IncidentDraft(
        external_id=told["id"],
        updated_at=told["updated_at"],
        repository=told["repository"],
        service=told["service"],
        key=told["id"],
        title=shown_title(told["title"]),
        url=told["url"],
        native_status="resolved" if told["resolved_at"] else "open",
        native_severity=told["severity"],
        severity=_word(Severity, told["severity"], Severity.UNKNOWN),
        started_at=told["started_at"],
        acknowledged_at=told["acknowledged_at"],
        resolved_at=told["resolved_at"],
        caused_by=told["caused_by"],
    )


def pipeline_run(told: Values) -> PipelineRunDraft:
    return PipelineRunDraft(
        external_id=told["id"],
        updated_at=told["updated_at"],
        repository=told["repository"],
        run=told["id"],
        name=told["name"],
        attempt=told["attempt"],
        status=_word(RunStatus, told["status"], RunStatus.OTHER),
        native_status=told["status"],
        url=told["url"],
        trigger="",
        sha=told["sha"],
        branch=told["branch"],
        started_by=None,
        queued_at=told["queued_at"],
        started_at=told["started_at"],
        finished_at=told["finished_at"],
    )


def pull_request(told: Values) -> PullRequestDraft:
    # One that was created as a draft tells when it was ready; every other was so at its creation.
    ready = [PullRequestEventDraft(kind=PullRequestEventKind.READY, at=told["ready_at"])] if told["ready_at"] else []
    return PullRequestDraft(
        external_id=told["id"],
        updated_at=told["updated_at"],
        repository=told["repository"],
        number=told["number"],
        title=shown_title(told["title"]),
        url=told["url"],
        author=who(told["author"]),
        requested_by=who(told["requested_by"]),
        state=_state(told),
        native_state=told["state"],
        is_draft=told["draft"],
        created_at=told["created_at"],
        merged_at=told["merged_at"],
        closed_at=told["closed_at"] or told["merged_at"],
        merged_by=who(told["merged_by"]),
        merge_sha=told["merge_sha"],
        head_sha=told["commits"][-1]["sha"] if told["commits"] else "",
        source_branch=told["source_branch"],
        target_branch=told["target_branch"],
        additions=told["additions"],
        deletions=told["deletions"],
        changed_files=None,
        comment_count=None,
        review_comment_count=None,
        labels=tuple(told["labels"]),
        commits=Told([_commit_of(each, position) for position, each in enumerate(told["commits"])]),
        reviews=Told([_review(each) for each in told["reviews"]]),
        events=Told(ready),
        references=Told([WorkItemReference(key=key, method=LinkMethod.PROVIDER) for key in _once(told["work_items"])]),
    )


def commit(told: Values) -> CommitDraft:
    author = who(told["author_email"]) or Who(name="unknown")
    committed_at = told["committed_at"] or told["authored_at"]
    return CommitDraft(
        external_id=told["sha"],
        updated_at=told["updated_at"],
        repository=told["repository"],
        parents=tuple(told["parents"]),
        author=author,
        authored_at=told["authored_at"] or committed_at,
        committer=author,
        committed_at=committed_at,
        message=told["message"],
        on_default_branch=None,
        branch=told["branch"],
        additions=told["additions"],
        deletions=told["deletions"],
    )


def work_item(told: Values) -> WorkItemDraft:
    transitions = sorted(told["transitions"], key=lambda each: each["at"])
    return WorkItemDraft(
        external_id=told["id"],
        updated_at=told["updated_at"],
        project=told["project"],
        key=told["id"],
        title=shown_title(told["title"]),
        url=told["url"],
        native_type=told["type"],
        native_status=(transitions[-1]["to"] if transitions else "") or told["status_category"],
        status_category=_word(StatusCategory, told["status_category"], StatusCategory.TODO),
        first_category=_word(StatusCategory, told["first_category"], StatusCategory.TODO),
        native_priority=told["priority"],
        priority=_word(Priority, told["priority"], Priority.UNKNOWN),
        resolution="",
        estimate=told["estimate"],
        parent_key=told["parent"],
        reporter=None,
        assignee=who(told["assignee"]) or _last_assignee(told),
        labels=tuple(told["labels"]),
        has_description=None,
        comment_count=None,
        created_at=told["created_at"],
        resolved_at=told["resolved_at"],
        transitions=Told(
            [
                TransitionDraft(
                    at=transition["at"],
                    from_status=transition["from"],
                    to_status=transition["to"] or transition["category"],
                    category=_word(StatusCategory, transition["category"], StatusCategory.TODO),
                )
                for transition in transitions
            ]
        ),
        assignments=Told(
            [AssignmentDraft(at=each["at"], assignee=who(each["assignee"])) for each in told["assignees"]]
        ),
        sprint_changes=Told(),
    )


@dataclass(frozen=True, slots=True)
class PushedKind:
    """A kind of records: what a valid one looks like, and what makes a draft of it."""

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
}
"""By the segment of the address."""


def _word(words: type[Word], told: str, otherwise: Word) -> Word:
    known = {word.value for word in words}
    plain = told.strip().lower().replace("-", "_").replace(" ", "_")
    plain = plain if plain in known else _SYNONYMS.get(plain, plain)
    return words(plain) if plain in known else otherwise


def _state(told: Values) -> PullRequestState:
    """By its word; a word that is none of ours is taken for what the times say."""
    if told["merged_at"]:
        return PullRequestState.MERGED
    return _word(
        PullRequestState, told["state"], PullRequestState.CLOSED if told["closed_at"] else PullRequestState.OPEN
    )


def _review(told: Values) -> ReviewDraft:
    return ReviewDraft(
        external_id=f"{told['author']} {told['submitted_at'].isoformat()}"[:200],
        author=who(told["author"]),
        state=_word(ReviewState, told["state"], ReviewState.COMMENTED),
        native_state=told["state"],
        submitted_at=told["submitted_at"],
    )


def _commit_of(told: Values, position: int) -> PullRequestCommitDraft:
    return PullRequestCommitDraft(
        sha=told["sha"],
        position=position,
        author=who(told["author_email"]),
        authored_at=told["authored_at"],
        committed_at=told["committed_at"],
        subject=told["message"].split("\n", 1)[0][:200],
        parents=tuple(told["parents"]),
        agents=agents_of_message(told["message"]),
    )


def _last_assignee(told: Values) -> Who | None:
    assignees = sorted(told["assignees"], key=lambda each: each["at"])
    return who(assignees[-1]["assignee"]) if assignees else None


def _once(keys: list[str]) -> list[str]:
    return list(dict.fromkeys(key for key in keys if key))
