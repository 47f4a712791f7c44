"""Derived columns of new pull requests, predicted from their drafts; recomputing corrects wrong ones."""

from __future__ import annotations

from datetime import datetime

from integrations.connectors.drafts import Draft, Missing, PullRequestDraft
from integrations.delivery.mappings.defaults import default_work_type_of_title
from integrations.delivery.mappings.effective import ValueMappings
from integrations.enums import PullRequestEventKind, WorkType
from integrations.intake.records import Expected
from integrations.intake.tables import column_of
from integrations.models import PullRequest

_MARKS = (PullRequestEventKind.READY, PullRequestEventKind.DRAFT)


def expected_of_pull_requests(meanings: ValueMappings) -> Expected:
    """The columns, as long as nothing else is known about the pull requests and their links."""

    def expected(draft: Draft) -> dict[str, object]:
        if not isinstance(draft, PullRequestDraft):
            raise TypeError("Only pull requests are expected here.")
        labels = () if isinstance(draft.labels, Missing) else draft.labels
        title, branch = (text if isinstance(text, str) else "" for text in (draft.title, draft.source_branch))
        work_type = meanings.of_labels(labels) or default_work_type_of_title(title, branch) or WorkType.OTHER
        return {"ready_at": _ready_at(draft), "work_type": work_type}

    return Expected((column_of(PullRequest, "ready_at"), column_of(PullRequest, "work_type")), expected)


def _ready_at(draft: PullRequestDraft) -> datetime | None:
    created_at = None if isinstance(draft.created_at, Missing) else draft.created_at
    events = () if isinstance(draft.events, Missing) else draft.events.parts
    marks = [(event.at, event.kind) for event in events if event.kind in _MARKS]
    if not marks:
        return None if draft.is_draft is True else created_at
    at, kind = min(marks)
    return at if kind == PullRequestEventKind.READY else created_at
