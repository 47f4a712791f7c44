"""An issue tracker and a CI system as tables: drafts of work items and pipeline runs, and queries."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any, Self

from django.db import transaction

from insights.engine.read import read_series
from insights.query.query import Answer, Dimension, Granularity, MetricValue, Query, Scope, Statistic, Window
from integrations.connectors.base import ResourceDraft
from integrations.connectors.drafts import (
    AssignmentDraft,
    JobDraft,
    PipelineRunDraft,
    ProvidedParts,
    PullRequestDraft,
    TransitionDraft,
    Who,
    WorkItemDraft,
    WorkItemReference,
)
from integrations.delivery.mappings.defaults import default_status_category
from integrations.enums import LinkMethod, PullRequestState, ResourceKind, RunStatus, StatusCategory
from integrations.intake.forget_connection import forget_records
from integrations.intake.places import store_resource
from integrations.intake.store_drafts import Stored, store_drafts
from integrations.models import Connection

YEAR = 2026
HOUR = 3600.0
DAY = 24 * HOUR


def at(moment: str) -> datetime:
    """ "03-02 10:00" → that time of 2026, in UTC."""
    return datetime.strptime(f"{YEAR}-{moment}", "%Y-%m-%d %H:%M").replace(tzinfo=UTC)


def on(day: str) -> date:
    return date.fromisoformat(f"{YEAR}-{day}")


def week_of(day: str, weeks: int = 1) -> Window:
    monday = date.fromisocalendar(*on(day).isocalendar()[:2], 1)
    return Window(monday, date.fromordinal(monday.toordinal() + 7 * weeks))


class Tracker:
    """One connection with a repository, shop, and the project of its issues."""

    def __init__(self, provider: str = "github", name: str = "Tracker", repository: str = "acme/shop") -> None:
        self.connection = Connection.objects.create(provider=provider, name=name)
        self.place = f"R-{repository}"
        store_resource(self.connection, ResourceDraft(ResourceKind.REPOSITORY, self.place, repository))

    @classmethod
    def known(cls) -> Self:
        """The one that was set up before."""
        tracker = cls.__new__(cls)
        tracker.connection = Connection.objects.get()
        tracker.place = tracker.connection.resources.get().external_id
        return tracker

    def tell(self, *drafts: Any) -> Stored:
        with transaction.atomic():
            return store_drafts(self.connection, drafts)

    def forget(self) -> None:
        """Delete all that the connection told of."""
        with transaction.atomic():
            forget_records(self.connection)

    def item(
        self,
        key: str,
        created: str,
        *moves: tuple[str, str],
        status: str | None = None,
        resolved: str | None = None,
        assigned: Sequence[tuple[str, str | None]] = (),
        type: str = "Story",  # as trackers call it
        **details: Any,
    ) -> WorkItemDraft:
        """A work item with its moves: when, and into which status; without moves it stands in `status`."""
        statuses = ["To do", *(to for _, to in moves)]
        now = status or statuses[-1]
        owner = assigned[-1][1] if assigned else details.pop("assignee", None)
        return WorkItemDraft(
            external_id=key,
            key=key,
            project=self.place,
            updated_at=max([at(created), *(at(moment) for moment, _ in moves), *(at(m) for m, _ in assigned)]),
            created_at=at(created),
            resolved_at=at(resolved) if resolved else None,
            native_type=type,
            native_status=now,
            status_category=default_status_category(now) or StatusCategory.TODO,
            first_category=StatusCategory.TODO,
            assignee=_who(owner),
            transitions=ProvidedParts(
                [
                    TransitionDraft(at=at(moment), from_status=before, to_status=to)
                    for before, (moment, to) in zip(statuses, moves, strict=False)
                ]
            ),
            assignments=ProvidedParts([AssignmentDraft(at=at(moment), assignee=_who(who)) for moment, who in assigned]),
            **details,
        )

    def pull_request(self, number: int, key: str, agent: str | None = None) -> PullRequestDraft:
        """An open pull request that names the work item; by a coding agent's bot, for ada, where one is given."""
        return PullRequestDraft(
            external_id=f"PR{number}",
            repository=self.place,
            number=number,
            updated_at=at("03-09 08:00"),
            created_at=at("03-09 08:00"),
            state=PullRequestState.OPEN,
            author=Who(login=agent, bot=True) if agent else Who(login="ada"),
            requested_by=Who(login="ada") if agent else None,
            references=ProvidedParts([WorkItemReference(key=key, method=LinkMethod.BRANCH)]),
        )

    def run(
        self,
        key: str,
        sha: str,
        status: str,
        started: str,
        finished: str | None,
        *,
        queued: str | None = None,
        attempt: int = 1,
        name: str = "Tests",
        branch: str = "main",
        jobs: Sequence[tuple[str, str]] = (),
    ) -> PipelineRunDraft:
        """An attempt of a run; `jobs` are the times at which each was queued and started."""
        return PipelineRunDraft(
            external_id=key,
            updated_at=at(finished or started),
            repository=self.place,
            run=key.partition("/")[0],
            attempt=attempt,
            name=name,
            status=RunStatus(status),
            native_status=status,
            sha=sha,
            branch=branch,
            queued_at=at(queued) if queued else None,
            started_at=at(started),
            finished_at=at(finished) if finished else None,
            jobs=ProvidedParts(
                [
                    JobDraft(
                        external_id=f"{key}-{number}",
                        name=f"job {number}",
                        status=RunStatus.SUCCESS,
                        native_status="success",
                        queued_at=at(waits),
                        started_at=at(starts),
                    )
                    for number, (waits, starts) in enumerate(jobs)
                ]
            ),
        )


def _who(name: str | None) -> Who | None:
    """ada → the login, ada@example.com → the address."""
    if name is None:
        return None
    return Who(email=name) if "@" in name else Who(login=name)


def answer(
    key: str,
    window: Window,
    *,
    unit: str | None = None,
    by: Dimension | None = None,
    statistic: Statistic | None = None,
    granularity: Granularity = Granularity.WEEK,
    **facets: tuple[str, ...],
) -> Answer:
    query = Query(
        key=key,
        window=window,
        granularity=granularity,
        scope=Scope(unit=unit),
        segments=(by,) if by else (),
        statistic=statistic,
        facets={Dimension(name): values for name, values in facets.items()},
    )
    return read_series([query])[0]


def figure(key: str, window: Window, **options: Any) -> MetricValue:
    (computed,) = answer(key, window, **options).total
    return computed


def values(key: str, window: Window, **options: Any) -> list[float | None]:
    """The values of each bucket."""
    return [entry.value for entry in answer(key, window, **options).series]


def by_segment(key: str, window: Window, by: Dimension, **options: Any) -> dict[str, float | None]:
    return {entry.segment[by.value]: entry.value for entry in answer(key, window, by=by, **options).total}
