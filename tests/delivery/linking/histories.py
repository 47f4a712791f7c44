"""Random histories with all the traps: branches, merges, squashes, picks, rollbacks, old states again, holes."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Any

from tests.delivery.linking.delivery import MONDAY, Record, sha_of

REPOSITORIES = ("acme/shop", "acme/search")
SERVICES = ("", "cart", "search")


class History:
    """Records of each kind, by id, as one seed tells them.

    Another variant has the same commits, with other gaps, and other records under the same names.
    """

    def __init__(self, seed: int, variant: int = 0) -> None:
        self.graph_chance = random.Random(seed)
        self.pick_chance = random.Random(f"picks {seed}")
        self.chance = random.Random(f"{seed} {variant}")
        self.parents: dict[str, list[str]] = {}  # of all commits, the oldest first
        self.records: dict[str, list[dict[str, Any]]] = {
            kind: [] for kind in ("commits", "pull-requests", "deployments", "incidents")
        }
        for repository in REPOSITORIES:
            self._repository(repository)
        for number in range(self.chance.randrange(2, 8)):
            self._incident(number)
        rule_chance = random.Random(f"rules {seed} {variant}")
        self.service_paths = [
            {"repository": repository, "service": service}
            for repository in REPOSITORIES
            for service in filter(None, SERVICES)
            if rule_chance.random() < 0.5
        ]

    @property
    def known(self) -> dict[str, list[dict[str, Any]]]:
        """The records, and the path rules of an admin."""
        return {**self.records, "service-paths": self.service_paths}

    def shuffled_records(self) -> list[Record]:
        """All records in an order of their own, some of them twice."""
        records = [(kind, record) for kind, records in self.records.items() for record in records]
        records += self.chance.sample(records, len(records) // 5)
        self.chance.shuffle(records)
        return records

    def _repository(self, repository: str) -> None:
        chance = self.graph_chance
        tip = sha_of(f"{repository} 0")
        self.parents[tip] = []
        branches: list[str] = []
        commits: list[dict[str, Any]] = []
        for step in range(1, chance.randrange(4, 14)):
            sha = sha_of(f"{repository} {step}")
            act = chance.random()
            if act < 0.45:
                commits.append(self._commit(repository, sha, [tip], "main"))
                if act < 0.15:  # a branch had it first, to which main was fast-forwarded
                    commits.append({**commits[-1], "branch": "feature"})
                tip = sha
            elif act < 0.7 or not branches:
                start = chance.choice([tip, *(commit["sha"] for commit in commits)])
                commits.append(self._commit(repository, sha, [start], "feature"))
                branches.append(sha)
            elif act < 0.9:
                commits.append(self._commit(repository, sha, [tip, chance.choice(branches)], "main"))
                tip = sha
            else:
                branches.append(sha)
                commits.append(self._commit(repository, sha, [chance.choice(branches), tip], "release"))
        every = [commit["sha"] for commit in commits] + [sha_of(f"{repository} 0")]
        chance = self.chance
        holes = chance.sample(commits, len(commits) // 6)
        self.records["commits"] += [commit for commit in commits if commit not in holes]
        for number in range(chance.randrange(1, 7)):
            self._pull_request(repository, number, every, holes)
        ids: list[str] = []
        for number in range(chance.randrange(1, 8)):
            ids.append(self._deployment(repository, number, every, ids))

    def _commit(self, repository: str, sha: str, parents: list[str], branch: str) -> dict[str, Any]:
        self.parents[sha] = parents
        message = "Change something"
        if self.pick_chance.random() < 0.3:
            picked_from = sha_of(f"{repository} {self.pick_chance.randrange(14)}")
            message += f"\n\n(cherry picked from commit {picked_from})"
        return {
            "repository": repository,
            "sha": sha,
            "parents": parents,
            "branch": branch,
            "author_email": "ada@example.com",
            "committed_at": (MONDAY + timedelta(hours=6 * self.pick_chance.randrange(4 * 7))).isoformat(),
            "message": message,
        }

    def _pull_request(self, repository: str, number: int, shas: list[str], holes: list[dict[str, Any]]) -> None:
        drawn = [hole for hole in holes if self.chance.random() < 0.3]
        merged_at = self._time().isoformat()
        merge = self.chance.choice([*shas, "", sha_of("nobody knows")])
        self.records["pull-requests"].append(
            {
                "id": f"{repository}#{number}",
                "repository": repository,
                "number": number,
                "author": "ada@example.com",
                "created_at": MONDAY.isoformat(),
                "state": "merged",
                "merged_at": merged_at,
                "merge_sha": merge,
                "commits": self._branch_of(drawn, merge),
            }
        )

    def _branch_of(self, drawn: list[dict[str, Any]], merge: str) -> list[dict[str, Any]]:
        """The pull request's commits: the newest of those drawn that is older than the merge, and those below it."""
        ages = list(self.parents)
        ordered = sorted(drawn, key=lambda commit: ages.index(commit["sha"]))
        if merge in ages:
            ordered = [commit for commit in ordered if ages.index(commit["sha"]) < ages.index(merge)]
        below = set(ordered[-1]["parents"]) if ordered else set()
        for sha in reversed(ages):
            if sha in below:
                below.update(self.parents[sha])
        branch = [commit for commit in ordered if commit["sha"] in below or commit is ordered[-1]]
        return [{"sha": commit["sha"], "parents": commit["parents"]} for commit in branch]

    def _deployment(self, repository: str, number: int, shas: list[str], others: list[str]) -> str:
        chance = self.chance
        finished_at = self._time()
        record: dict[str, Any] = {
            "id": f"{repository} d{number}",
            "repository": repository,
            "environment": "production" if chance.random() < 0.85 else "staging",
            "status": "success" if chance.random() < 0.85 else "failure",
            "finished_at": finished_at.isoformat(),
            "sha": chance.choice([*shas, "", sha_of("x"), sha_of("y")]),
            "service": chance.choice(SERVICES),
        }
        if chance.random() < 0.4:
            record["started_at"] = (finished_at - timedelta(hours=chance.randrange(4))).isoformat()
        if others and chance.random() < 0.2:
            record["rollback_of"] = chance.choice(others)
        if others and chance.random() < 0.2:
            record["fixes"] = sorted({chance.choice(others), chance.choice(others)})
        self.records["deployments"].append(record)
        return str(record["id"])

    def _incident(self, number: int) -> None:
        chance = self.chance
        started_at = self._time()
        record: dict[str, Any] = {
            "id": f"i{number}",
            "started_at": started_at.isoformat(),
            "service": chance.choice(SERVICES),
        }
        if chance.random() < 0.7:
            record["repository"] = chance.choice(REPOSITORIES)
        if chance.random() < 0.7:
            record["resolved_at"] = (started_at + timedelta(hours=chance.randrange(30))).isoformat()
        if chance.random() < 0.25:
            deployments = self.records["deployments"]
            record["caused_by"] = chance.choice([*(deployment["id"] for deployment in deployments), "never told"])
        self.records["incidents"].append(record)

    def _time(self) -> datetime:
        """One of a few moments in a week, so that many coincide."""
        return MONDAY + timedelta(hours=6 * self.chance.randrange(4 * 7))
