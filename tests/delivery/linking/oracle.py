"""The expected links, by walking the graph and comparing everything with everything: slow and simple.

It reads the records of a history as they are pushed, and path rules as an admin enters them, and uses no tables.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from integrations.delivery.rollouts.grouping import Part, representatives

LINK_WINDOW = timedelta(hours=24)
HISTORY = timedelta(days=30)
Records = Mapping[str, Sequence[Mapping[str, Any]]]
Pushed = Mapping[str, Any]


def time_of(record: Pushed, name: str) -> datetime | None:
    written = record.get(name)
    return datetime.fromisoformat(written) if written else None


def rollouts(deployments: Iterable[Pushed]) -> dict[str, str]:
    """Finished deployment to production → the one by which its rollout counts (tests/delivery/rollouts hold how)."""
    of_service: dict[tuple[str, str], list[Part]] = defaultdict(list)
    ids = []
    for number, record in enumerate(deployments):
        ids.append(record["id"])
        finished_at = time_of(record, "finished_at")
        if record["environment"] == "production" and record["status"] in ("success", "failure") and finished_at:
            part = Part(
                id=number,
                external_id=record["id"],
                environment="production",
                sha=record.get("sha", ""),
                run="",
                started_at=time_of(record, "started_at") or finished_at,
                finished_at=finished_at,
                succeeded=record["status"] == "success",
                says=(record.get("rollback_of") or "") + " ".join(record.get("fixes") or ()),
            )
            of_service[record["repository"], record.get("service") or ""].append(part)
    counted = {
        part: by for parts in of_service.values() for part, by in representatives(parts, timedelta(minutes=30)).items()
    }
    return {ids[part]: ids[by] for part, by in counted.items()}


def in_production(deployments: Iterable[Pushed]) -> list[Pushed]:
    """The successful rollouts to production, the earliest finish first."""
    return [rollout for rollout in rolled_out(deployments) if rollout["status"] == "success"]


def rolled_out(deployments: Iterable[Pushed]) -> list[Pushed]:
    """The ended rollouts to production: each since its first part, a rollback where one is."""
    every = list(deployments)
    counted = rollouts(every)
    ended = []
    for deployment in every:
        if counted.get(deployment["id"]) == deployment["id"]:
            parts = [part for part in every if counted.get(part["id"]) == deployment["id"]]
            start = min((part.get("started_at") or part["finished_at"] for part in parts), key=datetime.fromisoformat)
            rolled_back = next((part["rollback_of"] for part in (deployment, *parts) if part.get("rollback_of")), "")
            ended.append({**deployment, "started_at": start, "rollback_of": rolled_back})
    return sorted(ended, key=lambda deployment: (time_of(deployment, "finished_at"), deployment["id"]))


def deployed(records: Records, built_from: Mapping[str, Collection[str]] = MappingProxyType({})) -> dict[str, str]:
    """Pull request → its first deployment; `built_from` are the services, by pull request, whose paths it touches.

    Of those that touch none any deployment of the repository will do.
    """
    expected = {}
    for pull_request in records["pull-requests"]:
        of_repository = _brings(records, pull_request, built_from)
        graph = _graph(records, pull_request["repository"])
        since = _known_since(records, pull_request["repository"])
        if first := _first(pull_request, of_repository, graph, _copies(records, pull_request), since):
            expected[pull_request["id"]] = first
    return expected


def predating(records: Records, built_from: Mapping[str, Collection[str]] = MappingProxyType({})) -> set[str]:
    """Pull requests merged long before the first known deployment of what they run on: an unknown one brought them."""
    return {
        pull_request["id"]
        for pull_request in records["pull-requests"]
        if (deployments := _brings(records, pull_request, built_from))
        and time_of(pull_request, "merged_at") < time_of(deployments[0], "finished_at") - HISTORY  # type: ignore[operator]
    }


def _brings(records: Records, pull_request: Pushed, built_from: Mapping[str, Collection[str]]) -> Sequence[Pushed]:
    """The rollouts of what it runs on, the earliest first."""
    services = {"", *built_from.get(pull_request["id"], ())}
    return [
        deployment
        for deployment in in_production(records["deployments"])
        if deployment["repository"] == pull_request["repository"]
        and (services == {""} or deployment.get("service", "") in services)
    ]


def _copies(records: Records, pull_request: Pushed) -> set[str]:
    """Commits made after the merge that say that they were picked from it, or from the only commit of its branch."""
    listed = [commit["sha"] for commit in pull_request["commits"]]
    origins = {pull_request["merge_sha"], *(listed if len(listed) == 1 else ())} - {""}
    return {
        record["sha"]
        for record in records["commits"]
        if record["repository"] == pull_request["repository"]
        and time_of(record, "committed_at") >= time_of(pull_request, "merged_at")  # type: ignore[operator]
        and any(f"(cherry picked from commit {origin})" in record["message"] for origin in origins)
    }


def _known_since(records: Records, repository: str) -> dict[str, datetime]:
    """The time when each sha was first deployed to the repository's production, for any service: it was built by
    then.
    """
    since: dict[str, datetime] = {}
    for deployment in in_production(records["deployments"]):
        started_at = time_of(deployment, "started_at") or time_of(deployment, "finished_at")
        assert started_at is not None
        if deployment["repository"] == repository:
            since[deployment["sha"]] = min(started_at, since.get(deployment["sha"], started_at))
    return since


def _first(
    pull_request: Pushed,
    deployments: Sequence[Pushed],
    graph: Mapping[str, Sequence[str]],
    copies: set[str],
    known_since: Mapping[str, datetime],
) -> str | None:
    merge = pull_request["merge_sha"]
    merged_at = time_of(pull_request, "merged_at")
    head = pull_request["commits"][-1]["sha"] if pull_request["commits"] else None
    known = graph.keys() | {parent for parents in graph.values() for parent in parents}
    seen: set[str] = set()
    for deployment in deployments:
        started_at = time_of(deployment, "started_at") or time_of(deployment, "finished_at")
        later = started_at > merged_at and not deployment.get("rollback_of")  # type: ignore[operator]
        built_later = not deployment["sha"] or known_since[deployment["sha"]] > merged_at  # type: ignore[operator]
        if merge not in graph:
            contains = later and built_later
        elif deployment["sha"] in known:
            contains = merge in _ancestors(deployment["sha"], graph)
        else:
            contains = later and built_later and (not deployment["sha"] or deployment["sha"] not in seen)
        # The head of its branch, deployed as such after it was squashed.
        is_head = deployment["sha"] == head and known_since[deployment["sha"]] >= merged_at  # type: ignore[operator]
        if contains or is_head or copies & _ancestors(deployment["sha"], graph):
            return str(deployment["id"])
        seen.add(deployment["sha"])
    return None


def _graph(records: Records, repository: str) -> dict[str, Sequence[str]]:
    graph: dict[str, Sequence[str]] = {
        record["sha"]: record["parents"] for record in records["commits"] if record["repository"] == repository
    }
    for pull_request in records["pull-requests"]:
        if pull_request["repository"] == repository:
            for commit in pull_request["commits"]:
                if commit.get("parents") and commit["sha"] not in graph:
                    graph[commit["sha"]] = commit["parents"]
    for pull_request in records["pull-requests"]:  # a merge, or squash, contains what its pull request listed
        merge = pull_request["merge_sha"]
        if pull_request["repository"] == repository and merge in graph:
            listed = [commit["sha"] for commit in pull_request["commits"] if commit.get("parents")]
            graph[merge] = [*graph[merge], *listed]
    return graph


def _ancestors(sha: str, graph: Mapping[str, Sequence[str]]) -> set[str]:
    """Itself and all that is reached from it."""
    ancestors: set[str] = set()
    waiting = [sha]
    while waiting:
        commit = waiting.pop()
        if commit not in ancestors:
            ancestors.add(commit)
            waiting.extend(graph.get(commit, ()))
    return ancestors


def failures(records: Records) -> set[tuple[str, str, str]]:
    """(deployment, method, incident or repairing deployment)."""
    production = in_production(records["deployments"])
    ids = {deployment["id"] for deployment in production}
    ended = rolled_out(records["deployments"])
    by_start = sorted(ended, key=lambda one: (*times_of(one), one["id"]))
    counted = rollouts(records["deployments"])
    pairs = set()
    for incident in records["incidents"]:
        if incident.get("caused_by"):
            cause = counted.get(incident["caused_by"])
            if cause and not _began_later(records["deployments"], ended, cause, incident):
                pairs.add((str(cause), "explicit", incident["id"]))
            continue
        started_at = time_of(incident, "started_at")
        repository = incident.get("repository") or _stated(records, incident)
        before = [
            deployment
            for deployment in by_start
            if _same(incident, repository, deployment) and times_of(deployment)[0] <= started_at  # type: ignore[operator]
        ]
        if before and started_at - time_of(before[-1], "finished_at") <= LINK_WINDOW:  # type: ignore[operator]
            pairs.add((before[-1]["id"], "window", incident["id"]))
    repairs: dict[tuple[str, str], str] = {}
    for repair in records["deployments"]:
        rollout = counted.get(repair["id"])
        if rollout not in ids:  # what is repaired elsewhere still fails where users are
            continue
        named = [(fixed, "hotfix") for fixed in repair.get("fixes", ())]
        for name, method in [*named, (repair.get("rollback_of"), "rollback")]:
            failed = counted.get(name)
            if failed in ids and failed != rollout:
                pair = (str(failed), str(rollout))
                repairs[pair] = max(method, repairs.get(pair, ""))
    pairs |= {(failed, method, rollout) for (failed, rollout), method in repairs.items()}
    return pairs


def _began_later(deployments: Iterable[Pushed], ended: Iterable[Pushed], cause: str, incident: Pushed) -> bool:
    """Whether the rollout is known to have begun after the incident."""
    begins_at = next(times_of(rollout)[0] for rollout in ended if rollout["id"] == cause)
    is_known = next(record.get("started_at") for record in deployments if record["id"] == cause)
    return bool(is_known) and begins_at > datetime.fromisoformat(incident["started_at"])


def times_of(deployment: Pushed) -> tuple[datetime, datetime]:
    """From when to when it was rolled out."""
    started_at, finished_at = time_of(deployment, "started_at"), time_of(deployment, "finished_at")
    assert finished_at is not None
    return min(started_at or finished_at, finished_at), finished_at


def _stated(records: Records, incident: Pushed) -> str:
    """The repository that an admin's path rules name for the incident's service; empty if they name none or several."""
    service = incident.get("service", "")
    named = {rule["repository"] for rule in records.get("service-paths", ()) if service == rule["service"]}
    return str(named.pop()) if len(named) == 1 else ""


def _same(incident: Pushed, repository: str, deployment: Pushed) -> bool:
    """Whether both have the same service; the same repository if one of them names no service."""
    services = incident.get("service", ""), deployment.get("service", "")
    if all(services):
        return bool(services[0] == services[1])
    return bool(repository and repository == deployment["repository"])


def recoveries(records: Records) -> dict[str, float | None]:
    """Failed deployment → seconds until it was restored; None: not yet, or before it."""
    expected: dict[str, float | None] = {}
    for deployment, restored in restorations(records).items():
        since = failed_since(records, deployment)
        seconds = None if restored is None else (restored - since).total_seconds()
        expected[deployment] = None if seconds is None or seconds < 0 else seconds
    return expected


def failed_since(records: Records, deployment: str) -> datetime:
    """The end of the deployment, or the start of its first incident if that was earlier."""
    [finished_at] = [time_of(record, "finished_at") for record in records["deployments"] if record["id"] == deployment]
    incidents = {record["id"]: time_of(record, "started_at") for record in records["incidents"]}
    starts = [incidents[by] for of, how, by in failures(records) if of == deployment and how in ("explicit", "window")]
    return min(moment for moment in (finished_at, *starts) if moment)


def restorations(records: Records) -> dict[str, datetime | None]:
    """Failed deployment → when it was restored; None: not yet."""
    by_id = {record["id"]: record for record in records["deployments"]}
    incidents = {record["id"]: record for record in records["incidents"]}
    expected: dict[str, datetime | None] = {}
    for deployment in {failure[0] for failure in failures(records)}:
        linked = [failure for failure in failures(records) if failure[0] == deployment]
        of_incidents = [time_of(incidents[by], "resolved_at") for _, how, by in linked if how in ("explicit", "window")]
        repaired = [time_of(by_id[by], "finished_at") for _, how, by in linked if how in ("rollback", "hotfix")]
        expected[deployment] = _restored(of_incidents, repaired)
    return expected


def _restored(resolved: Sequence[datetime | None], repaired: Sequence[datetime | None]) -> datetime | None:
    if resolved:
        return None if None in resolved else max(moment for moment in resolved if moment)
    return min(moment for moment in repaired if moment)
