"""A history of one repository and few records, each of which shows something: made by hand, for tests of connectors."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta

from demo.plan.delivery import (
    Account,
    Attempt,
    CodeScanningAlert,
    Commit,
    DeliveryEvent,
    DeliveryHistory,
    Deployment,
    DeploymentState,
    DeploymentStatus,
    EventKind,
    Issue,
    Job,
    LineComment,
    Outcome,
    PipelineRun,
    PullRequest,
    Release,
    Repository,
    Verdict,
    Workflow,
)

BEGIN = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)

ACME = Account(1, "acme", "Acme", is_organisation=True)
ADA = Account(11, "ada", "Ada Admin", "ada@example.com")
MAX = Account(12, "max-member", "Max Member", "max@example.com")
MAYA = Account(13, "maya", "Maya Manager", "maya@example.com")
BOT = Account(14, "orchard-updates[bot]", "orchard-updates[bot]", is_bot=True)
SHOP = Repository(101, "shop", BEGIN - 30 * DAY, language="Python")
CI = Workflow(201, "CI", ".github/workflows/ci.yml")
DEPLOY = Workflow(202, "Deploy", ".github/workflows/deploy.yml")


def sha(words: str) -> str:
    return hashlib.sha1(words.encode(), usedforsecurity=False).hexdigest()


def commit(message: str, at: datetime, author: Account | None = MAX, *, added: int = 10, removed: int = 2) -> Commit:
    """A commit of one file, of its author's address."""
    name, email = (author.name, author.email) if author else ("Nobody", "nobody@example.com")
    return Commit(
        sha=sha(message),
        parents=(sha("begin"),),
        author=author,
        author_name=name,
        author_email=email,
        authored_at=at,
        committed_at=at,
        message=message,
        additions=added,
        deletions=removed,
        paths=(f"shop/{sha(message)[:6]}.py",),
    )


def small_history() -> DeliveryHistory:
    """Pull requests that were merged after two reviews, force-pushed, reopened, a draft, a bot's; and the rest."""
    pull_requests = (_reviewed(), _force_pushed(), _reopened(), _draft(), _of_the_bot())
    merged = [
        commit(f"Merge pull request #{pull_request.number}", happening.at, happening.by, added=0, removed=0)
        for pull_request in pull_requests
        for happening in pull_request.happenings
        if happening.did is EventKind.MERGED
    ]
    return DeliveryHistory(
        organisation=ACME,
        accounts=(ACME, ADA, MAX, MAYA, BOT),
        repositories=(SHOP,),
        ends_at=BEGIN + 30 * DAY,
        commits={
            "shop": tuple(sorted([commit("begin", BEGIN - DAY, ADA), *merged], key=lambda record: record.committed_at))
        },
        pull_requests=pull_requests,
        issues=_issues(),
        runs=_runs(pull_requests[0]),
        deployments=_deployments(),
        releases=(
            Release(701, SHOP, "v1.0", "One", sha("Merge pull request #2"), MAYA, BEGIN + 5 * DAY, BEGIN + 5 * DAY),
        ),
        alerts=(
            CodeScanningAlert(1, SHOP, "py/sql-injection", "error", "critical", "cart.py", BEGIN, BEGIN + 3 * DAY),
            CodeScanningAlert(2, SHOP, "py/unused-import", "note", "", "basket.py", BEGIN + DAY),
            CodeScanningAlert(3, SHOP, "py/todo", "warning", "", "basket.py", BEGIN + DAY, None, BEGIN + 2 * DAY),
        ),
    )


def _reviewed() -> PullRequest:
    first = commit("Weigh the basket\n\nCloses #1", BEGIN)
    second = commit("Weigh it again", BEGIN + 5 * HOUR, added=4)
    return PullRequest(
        id=1002,
        number=2,
        repository=SHOP,
        author=MAX,
        title="Weigh the basket 🧺",
        body="Closes #1",
        source_branch="1-weigh",
        target_branch="main",
        base_sha=sha("begin"),
        created_at=BEGIN + HOUR,
        commits=(first,),
        labels=("feature",),
        happenings=(
            DeliveryEvent(1, EventKind.REVIEW_REQUESTED, BEGIN + 1.1 * HOUR, MAX, of=MAYA),
            DeliveryEvent(2, EventKind.REVIEW_REQUESTED, BEGIN + 1.2 * HOUR, MAX, team="checkout"),
            DeliveryEvent(
                3,
                EventKind.REVIEWED,
                BEGIN + 4 * HOUR,
                MAYA,
                verdict=Verdict.CHANGES_REQUESTED,
                sha=first.sha,
                text="Twice, please",
                line_comments=(LineComment(31, "shop/basket.py", "Why?"), LineComment(32, "shop/basket.py", "How?")),
            ),
            DeliveryEvent(4, EventKind.PUSHED, BEGIN + 5 * HOUR, MAX, commits=(second,)),
            DeliveryEvent(5, EventKind.COMMENTED, BEGIN + 5.5 * HOUR, MAX, text="Done"),
            DeliveryEvent(6, EventKind.REVIEWED, BEGIN + 6 * HOUR, MAYA, verdict=Verdict.APPROVED, sha=second.sha),
            DeliveryEvent(7, EventKind.MERGED, BEGIN + 7 * HOUR, MAX, sha=sha("Merge pull request #2")),
        ),
    )


def _force_pushed() -> PullRequest:
    first, again = commit("Sort the crates", BEGIN + DAY), commit("Sort all crates", BEGIN + 2 * DAY)
    return PullRequest(
        id=1003,
        number=3,
        repository=SHOP,
        author=MAYA,
        title="Sort the crates",
        body="",
        source_branch="sort",
        target_branch="main",
        base_sha=sha("begin"),
        created_at=BEGIN + DAY + HOUR,
        commits=(first,),
        labels=("bug",),
        happenings=(
            DeliveryEvent(
                11, EventKind.REVIEWED, BEGIN + 1.5 * DAY, ADA, verdict=Verdict.CHANGES_REQUESTED, sha=first.sha
            ),
            DeliveryEvent(12, EventKind.FORCE_PUSHED, BEGIN + 2 * DAY, MAYA, commits=(again,), sha=first.sha),
            DeliveryEvent(13, EventKind.REVIEW_DISMISSED, BEGIN + 2.1 * DAY, MAYA, review=11),
            DeliveryEvent(14, EventKind.LABELLED, BEGIN + 2.2 * DAY, ADA, text="urgent"),
            DeliveryEvent(15, EventKind.RETITLED, BEGIN + 2.3 * DAY, MAYA, text="Sort all crates"),
        ),
    )


def _reopened() -> PullRequest:
    return PullRequest(
        id=1004,
        number=4,
        repository=SHOP,
        author=None,  # somebody whose account is gone
        title="Count the pickers",
        body="For SHOP-9",
        source_branch="shop-9-count",
        target_branch="main",
        base_sha=sha("begin"),
        created_at=BEGIN + 3 * DAY,
        commits=(commit("Count the pickers", BEGIN + 3 * DAY, None),),
        happenings=(
            DeliveryEvent(21, EventKind.CLOSED, BEGIN + 4 * DAY, MAYA),
            DeliveryEvent(22, EventKind.REOPENED, BEGIN + 5 * DAY, ADA),
            DeliveryEvent(23, EventKind.REVIEW_REQUESTED, BEGIN + 5.1 * DAY, ADA, of=MAX),
            DeliveryEvent(24, EventKind.REVIEW_REQUEST_REMOVED, BEGIN + 5.2 * DAY, ADA, of=MAX),
            DeliveryEvent(25, EventKind.MERGED, BEGIN + 6 * DAY, ADA, sha=sha("Merge pull request #4")),
        ),
    )


def _draft() -> PullRequest:
    return PullRequest(
        id=1005,
        number=5,
        repository=SHOP,
        author=MAX,
        title="Try another press",
        body="",
        source_branch="press",
        target_branch="main",
        base_sha=sha("begin"),
        created_at=BEGIN + 7 * DAY,
        commits=(commit("Try another press", BEGIN + 7 * DAY),),
        is_draft=True,
        happenings=(
            DeliveryEvent(41, EventKind.MADE_READY, BEGIN + 8 * DAY, MAX),
            DeliveryEvent(42, EventKind.MADE_DRAFT, BEGIN + 9 * DAY, MAX),
        ),
    )


def _of_the_bot() -> PullRequest:
    update = commit("Update the lock file", BEGIN + 8 * DAY, BOT)
    return PullRequest(
        id=1006,
        number=6,
        repository=SHOP,
        author=BOT,
        title="Update the lock file",
        body="",
        source_branch="updates/lock",
        target_branch="main",
        base_sha=sha("begin"),
        created_at=BEGIN + 8 * DAY,
        commits=(update,),
        labels=("dependencies",),
        happenings=(DeliveryEvent(51, EventKind.CLOSED, BEGIN + 9 * DAY, BOT),),
    )


def _issues() -> tuple[Issue, ...]:
    return (
        Issue(
            id=2001,
            number=1,
            repository=SHOP,
            author=MAYA,
            title="The basket has no weight",
            body="It should.",
            created_at=BEGIN - DAY,
            labels=("feature",),
            happenings=(
                DeliveryEvent(101, EventKind.ASSIGNED, BEGIN - 20 * HOUR, MAYA, of=MAX),
                DeliveryEvent(102, EventKind.UNASSIGNED, BEGIN - 19 * HOUR, MAYA, of=MAX),
                DeliveryEvent(103, EventKind.ASSIGNED, BEGIN - 18 * HOUR, MAYA, of=ADA),
                DeliveryEvent(104, EventKind.CLOSED, BEGIN + 7 * HOUR, MAX, text="completed"),
            ),
        ),
        Issue(
            id=2007,
            number=7,
            repository=SHOP,
            author=ADA,
            title="Crates are lost",
            body="",
            created_at=BEGIN + 2 * DAY,
            labels=("bug",),
            happenings=(
                DeliveryEvent(111, EventKind.CLOSED, BEGIN + 3 * DAY, ADA, text="not_planned"),
                DeliveryEvent(112, EventKind.REOPENED, BEGIN + 4 * DAY, MAYA),
                DeliveryEvent(113, EventKind.LABELLED, BEGIN + 4 * DAY + HOUR, MAYA, text="urgent"),
                DeliveryEvent(114, EventKind.COMMENTED, BEGIN + 4 * DAY + 2 * HOUR, ADA, text="Again."),
            ),
        ),
    )


def _runs(pull_request: PullRequest) -> tuple[PipelineRun, ...]:
    first = pull_request.commits[0]
    started_at = BEGIN + HOUR
    return (
        PipelineRun(
            id=3001,
            number=1,
            repository=SHOP,
            workflow=CI,
            trigger="pull_request",
            commit=first,
            branch=pull_request.source_branch,
            by=MAX,
            created_at=started_at,
            attempts=(
                _attempt(1, started_at, Outcome.FAILURE, first_job=4001),
                _attempt(2, started_at + HOUR, Outcome.SUCCESS, first_job=4011),
            ),
            pull_request=pull_request.number,
        ),
        PipelineRun(
            id=3002,
            number=1,
            repository=SHOP,
            workflow=DEPLOY,
            trigger="push",
            commit=commit("Merge pull request #2", BEGIN + 7 * HOUR, added=0, removed=0),
            branch="main",
            by=MAX,
            created_at=BEGIN + 7 * HOUR,
            attempts=(_attempt(1, BEGIN + 7 * HOUR, Outcome.SUCCESS, first_job=4021),),
        ),
    )


def _attempt(number: int, at: datetime, outcome: Outcome, *, first_job: int) -> Attempt:
    minute = timedelta(minutes=1)
    lint = Job(first_job, "lint", at, at + minute, at + 2 * minute, Outcome.SUCCESS)
    test = Job(first_job + 1, "test", at, at + 2 * minute, at + 9 * minute, outcome)
    return Attempt(number, MAX, at, at + 9 * minute, outcome, (lint, test))


def _deployments() -> tuple[Deployment, ...]:
    shown = []
    for number, (environment, ends) in enumerate(
        [
            ("staging", DeploymentState.SUCCESS),
            ("production", DeploymentState.FAILURE),
            ("production", DeploymentState.SUCCESS),
        ]
    ):
        at = BEGIN + (8 + number) * HOUR
        shown.append(
            Deployment(
                id=5001 + number,
                repository=SHOP,
                environment=environment,
                sha=sha("Merge pull request #2"),
                ref="main",
                by=MAX,
                created_at=at,
                statuses=(
                    DeploymentStatus(6001 + 10 * number, at + HOUR / 60, DeploymentState.IN_PROGRESS, MAX),
                    DeploymentStatus(6002 + 10 * number, at + HOUR / 6, ends, MAX),
                ),
            )
        )
    return tuple(shown)
