"""The segments of each counted thing, from the records alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property

from insights.query.query import Dimension
from tests.delivery.oracle.deliveries import Deliveries
from tests.delivery.oracle.figures import Counted
from tests.delivery.oracle.organisation import BOTS, CODING_AGENT, SHOP
from tests.delivery.oracle.pull_requests import PullRequest, PullRequests
from tests.delivery.oracle.repositories import AGENTS_BY_TRAILER, Record
from tests.delivery.oracle.world import World

UNKNOWN = ("unknown",)
NOBODYS = "Non-AI"
ITEM_TYPES = {"Story": "feature", "Bug": "bug", "Task": "other"}
LABELS = {"bug": "bug", "enhancement": "feature", "documentation": "documentation"}
CONVENTIONS = {"feat": "feature", "fix": "bug", "docs": "documentation", "revert": "operations"}
SIZES = ((100, "S"), (400, "M"), (800, "L"))
# Lead times are of the service that was deployed, figures of merged pull requests of those whose paths they touch.
OF_DEPLOYED = ("dora.lead_time", "pr.deploy_time", "delivery.")
Values = tuple[str, ...]


class Segments:
    """The values of one dimension that a thing counts for: several agents, or services, of one pull request."""

    def __init__(self, world: World, pull_requests: PullRequests, deliveries: Deliveries) -> None:
        self._world = world
        self._pull_requests = {pull_request.id: pull_request for pull_request in pull_requests.all}
        self._deliveries = deliveries

    def of(self, key: str, dimension: Dimension) -> Callable[[Counted], Values]:
        return lambda counted: self._values(key, counted.name, dimension)

    def _values(self, key: str, name: str, dimension: Dimension) -> Values:
        pull_request = self._pull_requests.get(name.partition(" ")[0])
        if pull_request is not None and name.partition(" ")[2][:1] not in ("d", "r"):
            if dimension is Dimension.SERVICE:
                return self._services(pull_request, deployed=key.startswith(OF_DEPLOYED))
            return self._of_pull_request(pull_request, dimension)
        if name in self._items:
            return self._of_item(self._items[name], dimension)
        record = self._others[name]  # a deployment, an incident or a run
        if key.startswith("ci.") and dimension is not Dimension.REPOSITORY:
            return self._of_run(record, dimension)
        value: str = record.get(dimension.value) or ""
        return (value,) if value else UNKNOWN

    # Pull requests.

    def _of_pull_request(self, pull_request: PullRequest, dimension: Dimension) -> Values:
        if dimension is Dimension.REPOSITORY:
            return (pull_request.record["repository"],)
        if dimension is Dimension.SIZE_CLASS:
            return self._size_class(pull_request)
        if dimension is Dimension.WORK_TYPE:
            return (self._work_type(pull_request.record),)
        agents = self.agents(pull_request)
        if dimension is Dimension.ASSISTANCE:
            return ("AI" if agents else NOBODYS,)
        assert dimension is Dimension.AGENT
        return tuple(sorted(agents)) or (NOBODYS,)

    def agents(self, pull_request: PullRequest) -> set[str]:
        """Agents that signed one of its own commits or its merge commit, and an agent that opened it."""
        record = pull_request.record
        listed = {commit["sha"] for commit in record["commits"]}
        shas = self._world.own.get(pull_request.id, listed) & listed
        if self._is_reported(record.get("merge_sha", "")):
            shas = shas | {record["merge_sha"]}
        agents = {AGENTS_BY_TRAILER[self._world.signed[sha]] for sha in shas if sha in self._world.signed}
        return agents | ({"copilot"} if record["author"] == CODING_AGENT else set())

    def _is_reported(self, sha: str) -> bool:
        return any(record["sha"] == sha for record in self._world.records["commits"])

    @staticmethod
    def _size_class(pull_request: PullRequest) -> Values:
        size = pull_request.size
        if size is None:
            return UNKNOWN
        return (next((name for most, name in SIZES if size <= most), "XL"),)

    def _work_type(self, record: Record) -> str:
        """A label that maps, else the linked item's type, else the title's or branch's convention, else other."""
        for label in record.get("labels", ()):
            if label in LABELS:
                return LABELS[label]
        for key in sorted(record["work_items"]):  # of several that say something, the first by its key
            if key in self._items and ITEM_TYPES[self._items[key]["type"]] != "other":
                return ITEM_TYPES[self._items[key]["type"]]
        title = re.match(r"([a-z]+)(\([a-z]+\))?: ", record["title"])
        branch = re.match(r"([a-z]+)[/-]", record.get("source_branch", ""))
        for match in (title, branch):
            if match and match[1] in CONVENTIONS:
                return CONVENTIONS[match[1]]
        return "other"

    def _services(self, pull_request: PullRequest, *, deployed: bool) -> Values:
        touched = self._world.touched.get(pull_request.id, set()) if pull_request.id.startswith(SHOP) else set()
        if touched and not deployed:
            return tuple(sorted(touched))
        deployment = self._deliveries.deployment_of(pull_request.id)
        return (deployment["service"],) if deployment and deployment.get("service") else UNKNOWN

    # Pipeline runs.

    def _of_run(self, run: Record, dimension: Dimension) -> Values:
        """Those of the pull request, the first that was merged, that lists its commit or was merged as it."""
        belonging = [
            pull_request
            for pull_request in self._pull_requests.values()
            if pull_request.record["repository"] == run["repository"]
            and run["sha"]
            in (pull_request.record.get("merge_sha"), *(commit["sha"] for commit in pull_request.record["commits"]))
        ]
        if not belonging:
            return UNKNOWN
        first = min(
            belonging,
            key=lambda pull_request: (
                pull_request.merged_at is None,
                pull_request.merged_at,
                pull_request.record["created_at"],
            ),
        )
        if not first.counts:
            return UNKNOWN  # a bot's
        if dimension is Dimension.SERVICE:
            return self._services(first, deployed=False)
        return self._of_pull_request(first, dimension)

    # Work items.

    def _of_item(self, item: Record, dimension: Dimension) -> Values:
        if dimension is Dimension.WORK_TYPE:
            return (ITEM_TYPES[item["type"]],)
        if dimension is Dimension.REPOSITORY:
            return UNKNOWN  # nobody says where it is worked on
        linked = [
            pull_request
            for pull_request in self._pull_requests.values()
            if item["id"] in pull_request.record["work_items"] and pull_request.record["author"] not in BOTS
        ]
        agents = {agent for pull_request in linked for agent in self.agents(pull_request)}
        if not linked:
            return UNKNOWN
        if dimension is Dimension.ASSISTANCE:
            return ("AI" if agents else NOBODYS,)
        return tuple(sorted(agents)) or (NOBODYS,)

    @cached_property
    def _items(self) -> Mapping[str, Record]:
        return {record["id"]: record for record in self._world.records["work-items"]}

    @cached_property
    def _others(self) -> Mapping[str, Record]:
        kinds: Sequence[str] = ("deployments", "incidents", "pipeline-runs")
        return {record["id"]: record for kind in kinds for record in self._world.records[kind]}
