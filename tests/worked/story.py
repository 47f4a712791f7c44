"""The events of a story, one per line, sent through the real intake."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from itertools import chain, count
from pathlib import Path
from typing import Any

from django.db import transaction

from integrations.code.attribution.tasks import attribute_pending
from integrations.code.git.line_history import sync_line_histories
from integrations.connectors.drafts import (
    AnyDraft,
    CodeScanningAlertDraft,
    CommitDraft,
    CoverageReportDraft,
    DeploymentDraft,
    IncidentDraft,
    ProvidedParts,
    PullRequestDraft,
    TestReportDraft,
    VendorReportDraft,
    VendorUsageDraft,
    Who,
)
from integrations.delivery.recompute import recompute_waiting_pull_requests
from integrations.enums import VendorContent
from integrations.intake.store_drafts import Stored, store_drafts
from integrations.models import Connection
from integrations.sync.git.connect import connect_git
from integrations.sync.git.read_source import sync_source
from tests.code.git.repositories import Repo
from tests.delivery.pull_requests.histories import pieces_of
from tests.intake.conftest import SHOP_RESOURCE
from tests.worked.facts import AgentSession, Attempt, PullRequest, Sprint, WorkItem


@dataclass
class Story:
    """The folder is for a clone, which is made where lines of code are told of.  Facts are kept by what names them."""

    folder: Path
    pull_requests: dict[str, PullRequest] = field(default_factory=dict)
    commits: dict[str, CommitDraft] = field(default_factory=dict)
    deployments: dict[str, DeploymentDraft] = field(default_factory=dict)
    incidents: dict[str, IncidentDraft] = field(default_factory=dict)
    work_items: dict[str, WorkItem] = field(default_factory=dict)
    sprints: dict[str, Sprint] = field(default_factory=dict)
    attempts: dict[tuple[str, ...], list[Attempt]] = field(default_factory=dict)
    reports: list[TestReportDraft | CoverageReportDraft] = field(default_factory=list)
    alerts: dict[str, CodeScanningAlertDraft] = field(default_factory=dict)
    vendor_usage: dict[tuple[VendorContent, date], list[VendorUsageDraft]] = field(default_factory=dict)
    clones: list[Repo] = field(default_factory=list)  # none, or the only one
    members: list[tuple[str, str, date | None]] = field(default_factory=list)  # who, in which team, since when
    logins: dict[str, str] = field(default_factory=dict)  # by e-mail address, as a people file has them
    sessions: list[AgentSession] = field(default_factory=list)
    seats: list[tuple[str, str, date]] = field(default_factory=list)  # who, dollars a month, since when
    owned: list[tuple[str, str, date | None]] = field(default_factory=list)  # what, by which team
    terms: list[tuple[str, dict[str, Any], date | None]] = field(default_factory=list)  # which team agreed on what
    boards_with_parts: list[str] = field(default_factory=list)  # where sub-tasks count alone
    _lines: Iterator[int] = field(default_factory=count)

    @cached_property
    def clone(self) -> Repo:
        """A clone of the repository that the connection reports, too."""
        self.clones.append(Repo.create(self.folder / "clone"))
        self.clones[0].git("remote", "add", "origin", f"https://{SHOP_RESOURCE.remote}.git")
        return self.clones[0]

    def new_line(self) -> str:
        """A line of code that is like no other."""
        return f"line {next(self._lines)}"

    def tell(self, connection: Connection) -> None:
        """All of it at once, as it stands at the end; then what a clone and the worker add."""
        _store(connection, list(self.drafts()))
        self._read_clone()

    def tell_again(self, connection: Connection) -> Stored:
        """All of it once more: what that changed."""
        return _store(connection, list(self.drafts()))

    def tell_backwards(self, connection: Connection) -> None:
        """The clone first, and then one thing after the other, the last first: pull requests in their pieces."""
        self._read_clone()
        for draft in reversed([piece for whole in self.drafts() for piece in _pieces(whole)]):
            _store(connection, [draft])
        self._read_clone()

    def drafts(self) -> Iterator[AnyDraft]:
        yield from (pull_request.draft() for pull_request in self.pull_requests.values())
        yield from (item.draft() for item in self.work_items.values())
        yield from (sprint.draft() for sprint in self.sprints.values())
        yield from (attempt.draft() for attempt in chain(*self.attempts.values()))
        yield from self.commits.values()
        yield from self.deployments.values()
        yield from self.incidents.values()
        yield from self.reports
        yield from self.alerts.values()
        for (content, day), usage in self.vendor_usage.items():
            yield VendorReportDraft(
                external_id=f"{content}:{day}", report=content, content=content, day=day, usage=ProvidedParts(usage)
            )

    def _read_clone(self) -> None:
        for clone in self.clones:
            sync_source(connect_git(clone.path))
            attribute_pending()
            sync_line_histories()
        recompute_waiting_pull_requests()
        attribute_pending()


def _pieces(draft: AnyDraft) -> Sequence[AnyDraft]:
    return pieces_of(draft) if isinstance(draft, PullRequestDraft) else [draft]


def _store(connection: Connection, drafts: Sequence[AnyDraft]) -> Stored:
    with transaction.atomic():
        return store_drafts(connection, drafts)


def person(name: str) -> Who:
    return Who(login=name, bot=True) if name.endswith("[bot]") else Who(email=f"{name}@example.com")
