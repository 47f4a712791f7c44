"""Deployments, incidents and lead times: which deployment brought what, which failed, and when it was restored.

The links are those of the plain walk in tests/delivery/linking/oracle.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from functools import cached_property

from tests.delivery.linking import oracle as links
from tests.delivery.oracle.calendar import day_of
from tests.delivery.oracle.figures import Counted
from tests.delivery.oracle.organisation import SERVICES, SHOP
from tests.delivery.oracle.pull_requests import PullRequest, PullRequests, seconds, time_of
from tests.delivery.oracle.repositories import Record
from tests.delivery.oracle.work_items import WorkItem
from tests.delivery.oracle.world import World

STAGES = ("coding", "pickup", "review", "merge", "deploy")


class Deliveries:
    def __init__(self, world: World, pull_requests: PullRequests) -> None:
        self._world = world
        self._pull_requests = pull_requests
        # Somebody's word that one rolled another back counts like its own.
        deployments = [
            {**record, "rollback_of": world.confirmed.get(record["id"], record.get("rollback_of", ""))}
            for record in world.records["deployments"]
        ]
        merged = [record for record in world.records["pull-requests"] if record.get("merged_at")]
        self._records = {
            **world.records,
            "deployments": deployments,
            "pull-requests": merged,
            "service-paths": [
                {"service": name, "repository": follows} for name, follows in SERVICES.items() if follows
            ],
        }
        self.in_production = [dict(deployment) for deployment in links.in_production(deployments)]
        self._by_id = {deployment["id"]: deployment for deployment in deployments}

    # Deployments, for the owner of the service, or else of the repository, when they finished.

    def deployments(self) -> list[Counted]:
        return [self._counted(deployment) for deployment in self.in_production]

    def reaching_users(self) -> list[Counted]:
        """The successful ones, and those that failed and that an incident is linked to."""
        return [
            self._counted(deployment)
            for deployment in self._records["deployments"]
            if deployment["id"] in self._restored
            or deployment["id"] in {successful["id"] for successful in self.in_production}
        ]

    def failed(self) -> list[Counted]:
        return [self._counted(self._by_id[id_]) for id_ in self._restored]

    def unplanned(self) -> list[Counted]:
        return [self._counted(deployment) for deployment in self.in_production if deployment["unplanned"]]

    def recoveries(self) -> list[Counted]:
        """At the restoration; what is not restored yet is left out on the day of the deployment."""
        counted = []
        for id_, restored_at in self._restored.items():
            failed = self._by_id[id_]
            day = day_of(restored_at or _known(time_of(failed, "finished_at")))
            since = links.failed_since(self._records, id_)
            counted.append(Counted(id_, day, _owner(failed), seconds(since, restored_at)))
        return counted

    @cached_property
    def _restored(self) -> Mapping[str, datetime | None]:
        return links.restorations(self._records)

    def _counted(self, deployment: Record) -> Counted:
        return Counted(deployment["id"], day_of(_known(time_of(deployment, "finished_at"))), _owner(deployment))

    # Incidents, for the same.

    def incidents(self) -> list[Counted]:
        return [
            Counted(record["id"], day_of(_known(time_of(record, "started_at"))), _owner(record))
            for record in self._world.records["incidents"]
        ]

    def resolved(self) -> list[Counted]:
        return [
            Counted(record["id"], day_of(resolved), _owner(record), seconds(time_of(record, "started_at"), resolved))
            for record in self._world.records["incidents"]
            if (resolved := time_of(record, "resolved_at"))
        ]

    # Lead times, for the author, at the deployment; without a value what an earlier, unknown one brought.

    def lead_times(self) -> list[Counted]:
        return [
            self._deployed(pull_request, seconds(pull_request.first_commit_at, at))
            for pull_request, at in self._reached_production
        ]

    def stages(self, stage: str) -> list[Counted]:
        """The stage of deliveries with all five stages, so that they add up."""
        counted = []
        for pull_request, at in self._reached_production:
            all_five = {**pull_request.stages, "deploy": seconds(pull_request.merged_at, at)}
            known = all(all_five[name] is not None for name in STAGES)
            counted.append(self._deployed(pull_request, all_five[stage] if known else None))
        return counted

    def deploy_times(self) -> list[Counted]:
        return [
            self._deployed(pull_request, seconds(pull_request.merged_at, at))
            for pull_request, at in self._reached_production
        ]

    def planning_times(self) -> list[Counted]:
        return [
            self._deployed(pull_request, seconds(_started(pull_request), pull_request.first_commit_at))
            for pull_request, _ in self._reached_production
        ]

    def backlog_times(self) -> list[Counted]:
        return [
            self._deployed(pull_request, seconds(_created(pull_request), _started(pull_request)))
            for pull_request, _ in self._reached_production
        ]

    def ideas_to_production(self) -> list[Counted]:
        return [
            self._deployed(pull_request, seconds(_created(pull_request), at))
            for pull_request, at in self._reached_production
        ]

    @cached_property
    def _reached_production(self) -> list[tuple[PullRequest, datetime]]:
        return [
            (pull_request, _known(time_of(deployment, "finished_at")))
            for pull_request in self._pull_requests.merged
            if (deployment := self.deployment_of(pull_request.id))
        ]

    def deployment_of(self, pull_request: str) -> Record | None:
        """The first that brought it to production."""
        return self._by_id[self._deployed_by[pull_request]] if pull_request in self._deployed_by else None

    @cached_property
    def _deployed_by(self) -> Mapping[str, str]:
        return links.deployed(self._records, self._built_from)

    @cached_property
    def _predating(self) -> set[str]:
        return links.predating(self._records, self._built_from)

    @property
    def _built_from(self) -> Mapping[str, set[str]]:
        return {key: services for key, services in self._world.touched.items() if key.startswith(SHOP)}

    def _deployed(self, pull_request: PullRequest, value: float | None) -> Counted:
        if pull_request.id in self._predating:
            value = None
        return Counted(pull_request.id, self._days[pull_request.id], pull_request.credited_to, value)

    @cached_property
    def _days(self) -> Mapping[str, date]:
        return {pull_request.id: day_of(at) for pull_request, at in self._reached_production}


def _owner(record: Record) -> str | None:
    return record.get("service") or record.get("repository")


def _created(pull_request: PullRequest) -> datetime | None:
    """The creation of the first of its linked items."""
    return min((WorkItem(item).created_at for item in pull_request.items), default=None)


def _started(pull_request: PullRequest) -> datetime | None:
    """The first time that one of them was in progress."""
    starts = [WorkItem(item).started_at for item in pull_request.items]
    return min((start for start in starts if start), default=None)


def _known(at: datetime | None) -> datetime:
    assert at is not None
    return at
