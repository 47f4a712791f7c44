"""Facts while they are told of: what is known of a pull request, a work item and a pipeline's attempt so far."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from integrations.connectors.drafts import (
    AssignmentDraft,
    JobDraft,
    PipelineRunDraft,
    ProvidedParts,
    PullRequestDraft,
    SprintChangeDraft,
    SprintDraft,
    TransitionDraft,
    ValueChangeDraft,
    Who,
    WorkItemDraft,
    WorkItemReference,
)
from integrations.delivery.mappings.defaults import default_status_category
from integrations.enums import ItemField, LinkMethod, RunStatus, SprintState, StatusCategory
from tests.delivery.pull_requests.histories import History, draft_of, sha_of
from tests.intake.conftest import SHOP

FIRST_STATUS = "To do"


@dataclass
class PullRequest:
    history: History
    files: int | None = None
    comments: int | None = None
    names: tuple[str, ...] = ()  # keys of work items

    def draft(self) -> PullRequestDraft:
        return replace(
            draft_of(self.history),
            changed_files=self.files,
            comment_count=self.comments,
            review_comment_count=None,
            references=ProvidedParts([WorkItemReference(key=key, method=LinkMethod.BRANCH) for key in self.names]),
        )


@dataclass
class AgentSession:
    """A session of Claude Code; the tokens and costs are those of all its requests together."""

    who: str
    at: datetime
    name: str | None = None
    minutes: int = 10
    requests: int = 1
    input: int = 1000
    cache_read: int = 0
    cache_write: int = 0
    output: int = 0
    measured: int = 0
    model: str | None = None
    lines: int = 0
    reported_cost: float | None = None
    calls: dict[str, int] = field(default_factory=dict)
    failures: dict[str, int] = field(default_factory=dict)
    refusals: dict[str, int] = field(default_factory=dict)


@dataclass
class WorkItem:
    key: str
    created_at: datetime
    type: str  # as trackers call it: Story, Bug, Task
    reporter: Who | None = None
    labels: tuple[str, ...] = ()
    estimate: float | None = None
    has_description: bool | None = None
    moves: list[tuple[datetime, str]] = field(default_factory=list)  # into which status
    assigned: list[tuple[datetime, Who | None]] = field(default_factory=list)
    edited: list[datetime] = field(default_factory=list)
    resolved_at: datetime | None = None
    parent: str = ""
    sprints: list[tuple[datetime, str, bool]] = field(default_factory=list)  # which it enters, or leaves
    estimates: list[tuple[datetime, float | None]] = field(default_factory=list)

    @property
    def project(self) -> str:
        """The issues of the repository, or a project of its own, which the key names."""
        name = self.key.rpartition("-")[0]
        return SHOP if name == "SHOP" else name

    def draft(self) -> WorkItemDraft:
        statuses = [FIRST_STATUS, *(status for _, status in self.moves)]
        now = "Done" if self.resolved_at else statuses[-1]
        return WorkItemDraft(
            external_id=self.key,
            key=self.key,
            project=self.project,
            updated_at=max(self._changes()),
            created_at=self.created_at,
            native_type=self.type,
            resolved_at=self.resolved_at,
            native_status=now,
            status_category=default_status_category(now) or StatusCategory.TODO,
            first_category=StatusCategory.TODO,
            reporter=self.reporter,
            assignee=self.assigned[-1][1] if self.assigned else None,
            labels=self.labels,
            estimate=self.estimates[-1][1] if self.estimates else self.estimate,
            parent_key=self.parent,
            sprint_changes=ProvidedParts(
                [SprintChangeDraft(at=at, sprint=sprint, added=added) for at, sprint, added in self.sprints]
            ),
            value_changes=ProvidedParts(
                [
                    ValueChangeDraft(at=at, field=ItemField.ESTIMATE, before=_text(before), after=_text(after))
                    for before, (at, after) in zip(
                        [self.estimate, *(points for _, points in self.estimates)], self.estimates, strict=False
                    )
                ]
            ),
            has_description=self.has_description,
            transitions=ProvidedParts(
                [
                    TransitionDraft(at=at, from_status=before, to_status=status)
                    for before, (at, status) in zip(statuses, self.moves, strict=False)
                ]
            ),
            assignments=ProvidedParts([AssignmentDraft(at=at, assignee=who) for at, who in self.assigned]),
        )

    def _changes(self) -> Iterator[datetime]:
        yield self.created_at
        yield from self.edited
        yield from (at for at, _ in self.moves)
        yield from (at for at, _ in self.assigned)
        yield from (at for at, *_ in self.sprints)
        yield from (at for at, _ in self.estimates)
        if self.resolved_at:
            yield self.resolved_at


def _text(points: float | None) -> str:
    return "" if points is None else f"{points:g}"


@dataclass
class Sprint:
    """A sprint of a board, which is known by its name."""

    name: str
    board: str
    starts_at: datetime
    completed_at: datetime | None = None

    def draft(self) -> SprintDraft:
        return SprintDraft(
            external_id=self.name,
            board=self.board,
            name=self.name,
            state=SprintState.CLOSED if self.completed_at else SprintState.ACTIVE,
            native_state="closed" if self.completed_at else "active",
            updated_at=self.completed_at or self.starts_at,
            starts_at=self.starts_at,
            ends_at=self.starts_at + timedelta(days=11),
            completed_at=self.completed_at,
        )


@dataclass
class Attempt:
    """One try of a pipeline for a commit."""

    name: str
    commit: str
    branch: str
    number: int
    queued_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    status: RunStatus = RunStatus.RUNNING
    jobs: dict[str, JobDraft] = field(default_factory=dict)

    def draft(self) -> PipelineRunDraft:
        run = f"{self.name} {self.commit} {self.branch}"
        return PipelineRunDraft(
            external_id=f"{run} {self.number}",
            repository=SHOP,
            run=run,
            attempt=self.number,
            name=self.name,
            status=self.status,
            native_status=self.status.value,
            sha=sha_of(self.commit),
            branch=self.branch,
            queued_at=self.queued_at,
            started_at=self.started_at,
            finished_at=self.finished_at,
            jobs=ProvidedParts(list(self.jobs.values())),
        )
