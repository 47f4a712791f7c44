"""The builder in which tests of linking tell their stories: everything goes through the push API's drafts.

    shop.merges(1, at="Mon 10:00", sha="m1")
    shop.deploys("d1", at="Mon 12:00", sha="m1")
    assert shop.deployed(1) == ("d1", "chain")

Times are a weekday of the week of Monday 2 March 2026 and a time of day in UTC; "Mon+1" is a week later.
Object ids are told by their names.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import transaction

from integrations.intake.store_drafts import store_drafts
from integrations.models import (
    DeployedPullRequest,
    Deployment,
    DeploymentFailure,
    FailedDeployment,
    PullRequest,
)
from integrations.push.drafts import KINDS
from integrations.push.store import forget_record, push_connection

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
Record = tuple[str, dict[str, Any]]


def moment(written: str) -> datetime:
    """The time that a story tells: "Tue 14:30", "Mon+1 09:00"."""
    day, _, time = written.partition(" ")
    name, _, weeks = day.partition("+")
    hours, minutes = time.split(":")
    days = DAYS.index(name) + 7 * int(weeks or 0)
    return MONDAY + timedelta(days=days, hours=int(hours), minutes=int(minutes))


def iso(written: str) -> str:
    return moment(written).isoformat()


def sha_of(name: str) -> str:
    """The object id that a name stands for."""
    return name and name.encode().hex().ljust(40, "0")[:40]


class Delivery:
    """A repository of which pushes tell, at once or as they are collected by `told`."""

    def __init__(self, repository: str = "acme/shop") -> None:
        self.repository = repository

    def commits(self, *shas: str, after: str | Sequence[str] = "", branch: str = "main") -> None:
        """Commits in a row, the first of them after these parents."""
        parents = [after] if isinstance(after, str) else list(after)
        for sha in shas:
            self.commit(sha, parents=[parent for parent in parents if parent], branch=branch)
            parents = [sha]

    def commit(
        self,
        sha: str,
        *,
        parents: Sequence[str] = (),
        branch: str = "main",
        at: str = "Mon 00:00",
        picked_from: str = "",
    ) -> None:
        record = commit(self.repository, sha, parents=parents, branch=branch, at=at, picked_from=picked_from)
        self.push("commits", **record)

    def merges(self, number: int, *, at: str, **others: Any) -> None:
        self.push("pull-requests", **pull_request(self.repository, number, at=at, **others))

    def deploys(self, id_: str, *, at: str, **others: Any) -> None:
        self.push("deployments", **deployment(self.repository, id_, at=at, **others))

    def incident(self, id_: str, *, at: str, **others: Any) -> None:
        self.push("incidents", **incident(self.repository, id_, at=at, **others))

    def push(self, kind: str, **record: Any) -> None:
        push((kind, record))

    def takes_back(self, kind: str, id_: str) -> None:
        assert forget_record(KINDS[kind].kind, id_)

    def deployed(self, number: int) -> tuple[str, str] | None:
        """The deployment that brought a pull request to production, and how that is known."""
        deliveries = DeployedPullRequest.objects.filter(
            pull_request__repository__name=self.repository, pull_request__number=number
        ).first()
        return (deliveries.deployment.external_id, deliveries.method) if deliveries else None


def push(*records: Record) -> None:
    """Tell of records of any kinds in one request each, in their order."""
    for kind, record in records:
        serializer = KINDS[kind].record(data=record)
        assert serializer.is_valid(), (kind, record, serializer.errors)
        with transaction.atomic():
            store_drafts(push_connection(), [KINDS[kind].draft_of(serializer.validated_data)])


def commit(
    repository: str,
    sha: str,
    *,
    parents: Sequence[str] = (),
    branch: str = "main",
    at: str = "Mon 00:00",
    picked_from: str = "",
) -> dict[str, Any]:
    trail = f"\n\n(cherry picked from commit {sha_of(picked_from)})" if picked_from else ""
    return {
        "repository": repository,
        "sha": sha_of(sha),
        "parents": [sha_of(parent) for parent in parents],
        "branch": branch,
        "author_email": "ada@example.com",
        "committed_at": iso(at),
        "message": sha + trail,
    }


def pull_request(
    repository: str,
    number: int,
    *,
    at: str,
    sha: str = "",
    opened: str = "Mon 00:00",
    first_commit: str = "",
    commits: Sequence[dict[str, Any]] = (),
    author: str = "ada@example.com",
    **others: Any,
) -> dict[str, Any]:
    own = list(commits)
    if first_commit:
        own.append({"sha": sha_of(f"c{number}"), "author_email": author, "authored_at": iso(first_commit)})
    return {
        "id": f"{repository}#{number}",
        "repository": repository,
        "number": number,
        "author": author,
        "created_at": iso(opened),
        "state": "merged",
        "merged_at": iso(at),
        "merge_sha": sha_of(sha),
        "commits": own,
        **others,
    }


def deployment(
    repository: str,
    id_: str,
    *,
    at: str,
    sha: str = "",
    started: str = "",
    environment: str = "production",
    status: str = "success",
    **others: Any,
) -> dict[str, Any]:
    record = {
        "id": id_,
        "repository": repository,
        "environment": environment,
        "status": status,
        "finished_at": iso(at),
        "sha": sha_of(sha),
        **others,
    }
    return {**record, "started_at": iso(started)} if started else record


def incident(repository: str, id_: str, *, at: str, resolved: str = "", **others: Any) -> dict[str, Any]:
    record = {"id": id_, "repository": repository, "started_at": iso(at), **others}
    return {**record, "resolved_at": iso(resolved)} if resolved else record


def failures() -> set[tuple[str, str, str]]:
    """(deployment, method, incident or repairing deployment) of every failure."""
    return {
        (
            failure.deployment.external_id,
            failure.method,
            failure.incident.external_id
            if failure.incident
            else failure.repaired_by.external_id
            if failure.repaired_by
            else "",
        )
        for failure in DeploymentFailure.objects.select_related("deployment", "incident", "repaired_by")
    }


def recovery_hours() -> dict[str, float | None]:
    """The hours until each failed deployment was restored; None: not yet."""
    return {
        failed.deployment.external_id: None if failed.recovery_seconds is None else failed.recovery_seconds / 3600
        for failed in FailedDeployment.objects.select_related("deployment")
    }


def links() -> dict[str, set[tuple[Any, ...]]]:
    """All links by the names of what they are between, to be compared after different tellings of the same."""
    pull_requests = dict(PullRequest.objects.values_list("pk", "external_id"))
    deployments = dict(Deployment.objects.values_list("pk", "external_id"))
    return {
        "deployed": {
            (pull_requests[row[0]], deployments[row[1]], *row[2:])
            for row in DeployedPullRequest.objects.values_list(
                "pull_request", "deployment", "method", "deployed_at", "deployed_on", "predates"
            )
        },
        "failures": set(failures()),
        "failed": {
            (deployments[row[0]], *row[1:])
            for row in FailedDeployment.objects.values_list(
                "deployment", "method", "restored_at", "restored_on", "recovery_seconds"
            )
        },
    }
