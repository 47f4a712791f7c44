"""Random histories of records, sent completely and in part, and the resulting tables."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection

from integrations.connectors.drafts import (
    MISSING,
    AnyDraft,
    AssignmentDraft,
    DeploymentDraft,
    DeploymentStatusDraft,
    JobDraft,
    PipelineRunDraft,
    ProvidedParts,
    PullRequestCommitDraft,
    PullRequestDraft,
    PullRequestEventDraft,
    ReviewDraft,
    SprintChangeDraft,
    TransitionDraft,
    ValueChangeDraft,
    Who,
    WorkItemDraft,
    WorkItemReference,
)
from integrations.enums import (
    ItemField,
    LinkMethod,
    PullRequestEventKind,
    PullRequestState,
    ReviewState,
    RunStatus,
    StatusCategory,
)
from tests.intake.conftest import SHOP

START = datetime(2026, 3, 2, tzinfo=UTC)
PEOPLE = (Who(login="ada-k"), Who(login="ben"), Who(login="cy", email="cy@example.com"), Who(login="x", bot=True))
LABELS = ("bug", "enhancement", "kind/docs", "checkout 🫖")
KEYS = ("SHOP-1", "SHOP-2", "acme/shop#3")

Chance = random.Random
OPTIONAL: dict[str, Callable[[Chance], Any]] = {
    "title": lambda chance: chance.choice(["fix: tea", "Sell tea", "feat(x): 🫖", "t" * 2000]),
    "author": lambda chance: chance.choice((*PEOPLE, None)),
    "assignee": lambda chance: chance.choice((*PEOPLE, None)),
    "merged_by": lambda chance: chance.choice((*PEOPLE, None)),
    "is_draft": lambda chance: chance.random() < 0.5,
    "created_at": lambda chance: START + timedelta(hours=chance.randrange(5)),
    "merged_at": lambda chance: chance.choice([None, START + timedelta(hours=90)]),
    "resolved_at": lambda chance: chance.choice([None, START + timedelta(hours=90)]),
    "finished_at": lambda chance: chance.choice([None, START + timedelta(hours=90)]),
    "additions": lambda chance: chance.choice([None, 0, 7, 2**31 - 1]),
    "labels": lambda chance: tuple(chance.sample(LABELS, chance.randrange(3))),
    "source_branch": lambda chance: chance.choice(["", "feature/SHOP-1", "hotfix/x"]),
    "native_status": lambda chance: chance.choice(["Open", "In review", "Done", "?"]),
    "native_type": lambda chance: chance.choice(["", "Bug", "Story"]),
    "native_environment": lambda chance: chance.choice(["prod", "staging", "pre-prod", "qa"]),
    "estimate": lambda chance: chance.choice([None, 0.5, 3.0]),
    "trigger": lambda chance: chance.choice(["push", "pull_request"]),
    "fixes": lambda chance: tuple(chance.sample(("D1", "D2"), chance.randrange(3))),
    "former_keys": lambda chance: tuple(chance.sample(("OLD-1", "OLD-2"), chance.randrange(3))),
    "versions": lambda chance: tuple(chance.sample(("1.0", "2.0"), chance.randrange(3))),
}


def _at(chance: Chance) -> datetime:
    return START + timedelta(hours=chance.randrange(12))


PARTS: dict[str, Callable[[Chance], Any]] = {
    "commits": lambda chance: PullRequestCommitDraft(
        sha=chance.choice("abc") * 40, position=chance.randrange(3), author=chance.choice((*PEOPLE, None))
    ),
    # A dismissal is final whatever is told of the review alone: test_pull_requests.py.
    "reviews": lambda chance: ReviewDraft(
        external_id=chance.choice("123"),
        author=chance.choice(PEOPLE),
        state=chance.choice([ReviewState.APPROVED, ReviewState.COMMENTED]),
        native_state="",
        submitted_at=_at(chance),
    ),
    "events": lambda chance: PullRequestEventDraft(
        kind=chance.choice([PullRequestEventKind.READY, PullRequestEventKind.DRAFT, PullRequestEventKind.REOPENED]),
        at=_at(chance),
        of=chance.choice((*PEOPLE, None)),
    ),
    "references": lambda chance: WorkItemReference(key=chance.choice(KEYS), method=chance.choice(list(LinkMethod))),
    "transitions": lambda chance: TransitionDraft(
        at=_at(chance),
        from_status=chance.choice(["Open", "In review"]),
        to_status=chance.choice(["In review", "Done", "?"]),
        category=chance.choice([None, *StatusCategory]),
    ),
    "assignments": lambda chance: AssignmentDraft(at=_at(chance), assignee=chance.choice((*PEOPLE, None))),
    "sprint_changes": lambda chance: SprintChangeDraft(at=_at(chance), sprint="S1", added=chance.random() < 0.5),
    "value_changes": lambda chance: ValueChangeDraft(
        at=_at(chance), field=chance.choice(list(ItemField)), before="", after=chance.choice("xy")
    ),
    "jobs": lambda chance: JobDraft(
        external_id=chance.choice("12"), name="build", status=RunStatus.FAILURE, native_status=chance.choice("xyz")
    ),
    "statuses": lambda chance: DeploymentStatusDraft(
        external_id=chance.choice("12"), at=_at(chance), status=RunStatus.SUCCESS, native_status="x"
    ),
}
# What every draft of a record provides, by its kind and external id.
RECORDS: dict[tuple[type[AnyDraft], str], dict[str, Any]] = {
    **{(PullRequestDraft, f"P{n}"): {"repository": SHOP, "number": n} for n in (1, 2)},
    **{(WorkItemDraft, f"I{n}"): {"project": SHOP, "key": KEYS[n]} for n in (0, 2)},
    **{
        (PipelineRunDraft, f"R{n}"): {"repository": SHOP, "run": str(n), "name": name}
        for n, name in ((1, "Deploy"), (2, "CI"))
    },
    (DeploymentDraft, "D1"): {"repository": SHOP},
}


def random_draft(chance: Chance, record: tuple[type[AnyDraft], str], hour: int) -> AnyDraft:
    """Some or all of what there is to tell of the record at that hour."""
    draft, external_id = record
    values: dict[str, Any] = {}
    share = chance.choice([1.0, 0.5, 0.2])
    for field in fields(draft):
        if field.default is not MISSING or chance.random() > share:
            continue
        if field.name in PARTS:
            parts = [PARTS[field.name](chance) for _ in range(chance.randrange(4))]
            values[field.name] = ProvidedParts(parts, whole=chance.random() < 0.5)
        elif field.name in OPTIONAL:
            values[field.name] = OPTIONAL[field.name](chance)
    if draft is PullRequestDraft and chance.random() < share:
        values["state"] = chance.choice(list(PullRequestState))
    return draft(
        external_id=external_id,
        updated_at=START + timedelta(hours=hour),
        deleted=chance.random() < 0.1,
        **RECORDS[record],
        **values,
    )


def random_history(chance: Chance) -> list[AnyDraft]:
    """Tellings in the order of their times, each at a time of its own record's."""
    return [random_draft(chance, record, hour) for hour in range(8) for record in RECORDS if chance.random() < 0.6]


def tables() -> dict[str, list[Any]]:
    """All facts by names that outlive a new draft: without numbers of rows and times of storing."""
    with connection.cursor() as cursor:
        rows = {}
        for name, statement in _TABLES.items():
            cursor.execute(statement)
            rows[name] = sorted(repr(row) for row in cursor.fetchall())
        return rows


_OWN = "- ARRAY['id', 'tellings', 'first_seen_at', 'deleted_at', 'pipeline_run_id', 'work_item_id']"
_OWNERS = {
    "pullrequest": ("pull_request_id", ("pullrequestcommit", "pullrequestreview", "pullrequestevent", "workitemlink")),
    "workitem": ("work_item_id", ("workitemtransition", "workitemassignment", "sprintchange", "workitemchange")),
    "pipelinerun": ("run_id", ("pipelinejob",)),
    "deployment": ("deployment_id", ("deploymentstatus",)),
}
_TABLES = (
    {owner: f"SELECT to_jsonb(r) {_OWN}, r.deleted_at IS NULL FROM integrations_{owner} r" for owner in _OWNERS}
    | {
        part: f"""
        SELECT owner.external_id, to_jsonb(r) {_OWN} - '{column}'
        FROM integrations_{part} r JOIN integrations_{owner} owner ON owner.id = r.{column}
    """
        for owner, (column, parts) in _OWNERS.items()
        for part in parts
    }
    | {
        "linked": """
        SELECT link.key, link.method, pull_request.external_id, item.external_id
        FROM integrations_workitemlink link
        JOIN integrations_pullrequest pull_request ON pull_request.id = link.pull_request_id
        LEFT JOIN integrations_workitem item ON item.id = link.work_item_id
    """
    }
)


def in_batches(chance: Chance, drafts: Sequence[AnyDraft]) -> list[Sequence[AnyDraft]]:
    batches = []
    position = 0
    while position < len(drafts):
        size = chance.randrange(1, 8)
        batches.append(drafts[position : position + size])
        position += size
    return batches
