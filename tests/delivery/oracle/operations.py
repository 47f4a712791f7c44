"""Random deployments, incidents and pipeline runs of a repository's history."""

from __future__ import annotations

import hashlib
import random
from datetime import datetime, timedelta

from tests.delivery.oracle.calendar import beginning_of
from tests.delivery.oracle.organisation import REPOSITORIES, SERVICES
from tests.delivery.oracle.repositories import History, Record

ENVIRONMENTS = ("production", "production", "production", "production", "staging", "qa")
ENDS = ("success", "success", "success", "success", "success", "failure", "cancelled")
PIPELINES = ("test", "build")
RUN_ENDS = ("success", "success", "success", "failure", "failure", "cancelled", "skipped")
LONGEST_RUN = timedelta(hours=3)


def deployments_of(history: History, many: int) -> list[Record]:
    """Most of the newest commit of main; some of an older one, of the release branch, or of what nobody knows."""
    chance, days = history.chance, history.dates
    times = sorted(history.moments.between(beginning_of(days.first), days.now) for _ in range(many))
    services = ["", *(name for name, repository in SERVICES.items() if repository == history.name)]
    deployments: list[Record] = []
    for number, finished in enumerate(times):
        started = finished - timedelta(minutes=chance.randrange(300))
        record: Record = {
            "id": f"{history.name} d{number}",
            "repository": history.name,
            "environment": chance.choice(ENVIRONMENTS),
            "status": chance.choice(ENDS),
            "finished_at": finished.isoformat(),
            "sha": _deployed_sha(history, started),
            "service": chance.choice(services),
            "unplanned": chance.random() < 0.25,
        }
        if chance.random() < 0.6:
            record["started_at"] = started.isoformat()
        if deployments and chance.random() < 0.12:
            record["rollback_of"] = chance.choice(deployments[-3:])["id"]
        if deployments and chance.random() < 0.12:
            record["fixes"] = sorted(
                {deployment["id"] for deployment in chance.sample(deployments, min(len(deployments), 2))}
            )
        deployments.append(record)
    running = {"id": f"{history.name} running", "repository": history.name, "environment": "production"}
    return [*deployments, {**running, "status": "running", "started_at": (days.now - timedelta(hours=1)).isoformat()}]


def _deployed_sha(history: History, at: datetime) -> str:
    chance = history.chance
    kind = chance.random()
    if not history.is_reported or kind < 0.1:
        return chance.choice(("", _unknown("x"), _unknown("y"), _unknown("z")))
    if kind < 0.2:
        return history.release.at(at)
    if kind < 0.4:
        return chance.choice([sha for since, sha in history.main.tips if since <= at][-4:])
    return history.main.at(at)


def _unknown(name: str) -> str:
    return hashlib.sha1(name.encode(), usedforsecurity=False).hexdigest()


def incidents_of(histories: list[History], deployments: list[Record], many: int, chance: random.Random) -> list[Record]:
    """Most begin within two days of a deployment; some name it, and some have never ended."""
    incidents: list[Record] = []
    days, moments = histories[0].dates, histories[0].moments
    finished = [deployment for deployment in deployments if "finished_at" in deployment]
    for number in range(many):
        after = datetime.fromisoformat(chance.choice(finished)["finished_at"])
        started = moments.after(after, timedelta(hours=chance.choice((4, 24, 26, 60))), days.now)
        record: Record = {"id": f"i{number}", "started_at": started.isoformat()}
        if chance.random() < 0.6:
            record["service"] = chance.choice(list(SERVICES))
        repositories = (SERVICES[record["service"]],) if "service" in record else REPOSITORIES
        if chance.random() < 0.7:
            record["repository"] = chance.choice(repositories)
        if chance.random() < 0.75:
            record["resolved_at"] = moments.after(started, timedelta(hours=40), days.now).isoformat()
        if chance.random() < 0.2:
            record["caused_by"] = chance.choice([*(deployment["id"] for deployment in deployments), "never told"])
        incidents.append(record)
    return incidents


def runs_of(history: History, many: int) -> list[Record]:
    """Runs for commits of pull requests and of main, tried up to three times; the last attempt may still run."""
    chance, days = history.chance, history.dates
    listed = [
        (commit["sha"], datetime.fromisoformat(commit["authored_at"]))
        for pull_request in history.records["pull-requests"]
        for commit in pull_request["commits"]
    ]
    runs: list[Record] = []
    for number in range(many):
        sha, at = chance.choice(listed)
        queued = history.moments.after(max(at, beginning_of(days.first)), timedelta(days=3), days.now)
        name, branch = chance.choice(PIPELINES), chance.choice(("main", "feature"))
        for attempt in range(1, chance.choice((1, 1, 1, 2, 3)) + 1):
            started = queued + timedelta(minutes=chance.randrange(30))
            finished = started + timedelta(minutes=chance.randrange(1, 120))
            if finished >= days.now:
                break
            runs.append(
                {
                    "id": f"{history.name} r{number}.{attempt}",
                    "repository": history.name,
                    "name": name,
                    "sha": sha,
                    "branch": branch,
                    "status": chance.choice(RUN_ENDS),
                    "attempt": attempt,
                    "queued_at": queued.isoformat(),
                    "started_at": started.isoformat(),
                    "finished_at": finished.isoformat(),
                }
            )
            queued = finished + timedelta(minutes=chance.randrange(1, 90))
    # One goes on still: it is no run yet that counts.
    tip = history.main.tips[-1][1]
    running = {"id": f"{history.name} running", "repository": history.name, "name": "nightly", "sha": tip}
    return [*runs, {**running, "status": "running", "queued_at": (days.now - timedelta(minutes=5)).isoformat()}]
