"""Random histories of repositories: commits, merges of every style, and pull requests with all that may mislead.

A history happens in the order of time, so that it knows the truth that its records only hint at: which of the commits
that a pull request lists are its own.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from tests.delivery.oracle.calendar import DateRange, Moments, beginning_of
from tests.delivery.oracle.organisation import (
    BOTS,
    CODING_AGENT,
    EMPLOYED,
    OUTSIDE,
    SECOND_LOGIN,
    SHOP,
    TOOLS,
    address,
    person_of,
)

Record = dict[str, Any]
AUTHORS = (*map(address, EMPLOYED), *map(address, EMPLOYED), address(OUTSIDE), "ada-work", *BOTS, CODING_AGENT)
REVIEWERS = (*map(address, EMPLOYED), address(OUTSIDE), *SECOND_LOGIN, *BOTS, CODING_AGENT)
STATES = ("approved", "approved", "commented", "changes_requested", "dismissed")
STYLES = ("merge", "merge", "squash", "squash", "rebase", "forward", "untold")
# How long before its merge somebody began to work on it; one in six for months.
STARTED_BEFORE = (timedelta(hours=9), timedelta(days=2), timedelta(days=2), timedelta(days=5), timedelta(days=20))
LONG_AGO = timedelta(days=150)
# Which agent it is that signs so, below the message.
AGENTS_BY_TRAILER = {
    "Co-Authored-By: Claude <noreply@anthropic.com>": "claude_code",
    "Co-authored-by: Cursor Agent <cursoragent@cursor.com>": "cursor",
}
LABELS = ((), (), (), ("bug",), ("enhancement",), ("good first issue", "documentation"))
TITLES = ("Sell tea", "Sell tea", "feat: sell tea", "fix(cart): sell tea", "docs: tell of tea")
PATHS = {"cart": "cart/till.py", "mail": "mail/letters.py", "": "README.md"}  # which service is built from which


@dataclass
class Branch:
    """Commits, the latest last; `tips` is what the branch was from when on."""

    tips: list[tuple[datetime, str]] = field(default_factory=list)

    def at(self, moment: datetime) -> str:
        return next((sha for since, sha in reversed(self.tips) if since <= moment), self.tips[0][1])


@dataclass
class History:
    """One repository; `records` by kind as they are pushed, `own` the own commits of each pull request, by its id."""

    name: str
    dates: DateRange
    chance: random.Random
    work_items: Sequence[str]
    records: dict[str, list[Record]] = field(default_factory=lambda: {"commits": [], "pull-requests": []})
    own: dict[str, set[str]] = field(default_factory=dict)
    paths: dict[str, str] = field(default_factory=dict)  # sha → the path that it changes, where a clone tells
    touched: dict[str, set[str]] = field(default_factory=dict)  # pull request → services whose paths it changes
    signed: dict[str, str] = field(default_factory=dict)  # sha → the trailer by which an agent signed it

    def __post_init__(self) -> None:
        self.moments = Moments(self.chance)
        self.parents: dict[str, list[str]] = {}
        self.authored: dict[str, datetime] = {}
        self.reached: set[str] = set()  # what the default branch has, or had been listed by what was merged into it
        self.merged: list[Record] = []
        long_ago = beginning_of(self.dates.first) - LONG_AGO - timedelta(days=30)
        first = self._commit([], long_ago)
        self.main, self.release = Branch([(long_ago, first)]), Branch([(long_ago, first)])
        self._tell(first, "main", long_ago)
        self.reached.add(first)

    @property
    def is_reported(self) -> bool:
        """Whether anybody tells of the commits of this repository."""
        return self.name != TOOLS

    def happen(self, pull_requests: int) -> None:
        """All that happens in the span, in its order."""
        start = beginning_of(self.dates.first) - timedelta(days=10)
        merges = sorted(self.moments.between(start, self.dates.now) for _ in range(pull_requests))
        for number, (at, until) in enumerate(zip(merges, [*merges[1:], self.dates.now], strict=True), start=1):
            if self.is_reported and self.chance.random() < 0.25:
                self._push_to_main(at - timedelta(seconds=1))
            self._merged(number, at)
            if self.is_reported and self.chance.random() < 0.3:
                self._pick(at, until)
        for number in range(pull_requests + 1, pull_requests + 7):
            self._unmerged(number)

    # What happens.

    def _push_to_main(self, at: datetime) -> None:
        sha = self._commit([self.main.at(at)], at - timedelta(hours=self.chance.randrange(60)))
        self._tell(sha, "main", at, by=address(self.chance.choice(EMPLOYED)))
        self.main.tips.append((at, sha))
        self.reached.add(sha)

    def _merged(self, number: int, at: datetime) -> None:
        chance = self.chance
        author = chance.choice(AUTHORS)
        to_release = self.is_reported and chance.random() < 0.15
        style = "merge" if to_release else chance.choice(STYLES) if person_of(author) and self.is_reported else "untold"
        started = at - (LONG_AGO if chance.random() < 1 / 6 else chance.choice(STARTED_BEFORE))
        branch = self._work(started, at, may_merge_main=style != "forward")
        # Elsewhere nothing tells that a commit had been pushed to main before.
        of_main = self.is_reported and not to_release and style in ("merge", "squash")
        strays = self._strays(branch, at, of_main=of_main)
        record = self._pull_request(number, author, started, at)
        listed, merge_sha = self._bring_in(style, branch, record, at, self.release if to_release else self.main)
        listed_shas = list(dict.fromkeys([*strays, *listed]))
        self.own[record["id"]] = {sha for sha in listed_shas if sha not in self.reached}
        with_parents = self.is_reported and chance.random() < 0.5
        record["commits"] = [self._listed(sha, author, with_parents=with_parents) for sha in listed_shas]
        record |= {"state": "merged", "merged_at": at.isoformat(), "merge_sha": merge_sha}
        record["merged_by"] = chance.choice(("", author, "ada-work", *map(address, EMPLOYED)))
        record["target_branch"] = "release" if to_release else "main"
        if not to_release:
            self.reached |= set(listed_shas)
            if self.is_reported:
                self.reached |= self._ancestors(self.main.at(at))
        self.records["pull-requests"].append(record)
        self.merged.append(record)

    def _pick(self, merged: datetime, until: datetime) -> None:
        """Copy what was merged last, or one of its commits, to the release branch; it may have been tried out before.

        Later than the release branch's tip, so that it grows.
        """
        record, chance = self.merged[-1], self.chance
        origins = [sha for sha in (record["merge_sha"], *(commit["sha"] for commit in record["commits"])) if sha]
        tip = max(since for since, _ in self.release.tips)
        at = max(tip, self.moments.between(merged, until) if chance.random() < 0.8 else merged - timedelta(minutes=5))
        if not origins or at > until:
            return
        copy = self._commit([self.release.at(at)], at)
        of = f"(cherry picked from commit {chance.choice(origins)})"
        self._tell(copy, "release", at, by=record["author"], trail=of)
        self.release.tips.append((at, copy))

    def _unmerged(self, number: int) -> None:
        """Open still, or closed without a merge."""
        chance, now = self.chance, self.dates.now
        author = chance.choice(AUTHORS)
        started = self.moments.between(beginning_of(self.dates.first) - timedelta(days=10), now - timedelta(hours=2))
        until = self.moments.after(started, timedelta(days=12), now)
        record = self._pull_request(number, author, started, until)
        record["commits"] = [
            self._listed(self._commit([], self.moments.between(started, until)), author, with_parents=False)
            for _ in range(chance.randrange(3))
        ]
        record["state"], record["target_branch"] = "open", "main"
        if chance.random() < 0.4:
            record |= {"state": "closed", "closed_at": self.moments.between(until, now).isoformat()}
        self.records["pull-requests"].append(record)

    def _work(self, started: datetime, until: datetime, *, may_merge_main: bool) -> list[str]:
        """The commits of a branch in their order; main may be merged into it on the way."""
        tip = self.main.at(started)
        made: list[str] = []
        times = sorted(self.moments.between(started, until) for _ in range(self.chance.randrange(1, 4)))
        for at in times:
            parents = [tip]
            if made and may_merge_main and self.main.at(at) != tip and self.chance.random() < 0.4:
                parents.append(self.main.at(at))
            tip = self._commit(parents, at)
            made.append(tip)
        return made

    def _bring_in(
        self, style: str, branch: list[str], record: Record, at: datetime, into: Branch
    ) -> tuple[Sequence[str], str]:
        """Merge it; what the provider lists of it, and the commit that it was merged as, where that is told."""
        author, before = record["author"], into.at(at)
        name = "release" if into is self.release else "main"
        merge_sha = ""
        listed = branch
        if style == "merge":
            for sha in branch:
                self._tell(sha, "feature", at, by=author, of=record)
            merge_sha = self._commit([before, branch[-1]], at)
            self._tell(merge_sha, name, at, by=author)
        elif style == "forward":  # onto what main is now, and main is moved there
            listed = self._anew(branch, before, at, author, record)
            merge_sha = listed[-1]
        elif style == "rebase":  # the provider goes on listing what was pushed
            merge_sha = self._anew(branch, before, at, author, record)[-1]
        elif self.is_reported and person_of(author):
            squash = self._commit([before], at)
            named = style == "squash"
            self._tell(squash, name, at, by=author, of=record if named else None)
            merge_sha = squash if named else ""
            into.tips.append((at, squash))
        if style not in ("squash", "untold"):
            into.tips.append((at, merge_sha))
        return listed, merge_sha

    def _anew(self, branch: Sequence[str], onto: str, at: datetime, author: str, record: Record) -> list[str]:
        """The same commits with other parents, and so with other ids."""
        made: list[str] = []
        for sha in branch:
            onto = self._commit([onto], self.authored[sha])
            self._tell(onto, "main", at, by=author, of=record)
            made.append(onto)
        return made

    def _strays(self, branch: list[str], at: datetime, *, of_main: bool) -> list[str]:
        """Commits of others that are listed because main was merged, or the base is an old one."""
        if self.chance.random() < 0.6:
            return []
        shas = {
            commit["sha"] for other in self.merged if other["target_branch"] == "main" for commit in other["commits"]
        }
        if of_main:
            shas |= self._ancestors(self.main.at(at))
        known = sorted(shas - set(branch))
        return self.chance.sample(known, min(len(known), self.chance.randrange(1, 4)))

    # Records.

    def _pull_request(self, number: int, author: str, started: datetime, end: datetime) -> Record:
        chance = self.chance
        created = self.moments.between(started, end)
        record: Record = {
            "id": f"{self.name}#{number}",
            "repository": self.name,
            "number": number,
            "author": author,
            "created_at": created.isoformat(),
            "title": f"{chance.choice(TITLES)} {number}",
            "labels": list(chance.choice(LABELS)),
            "work_items": chance.sample(self.work_items, chance.choice((0, 1, 1, 2))),
            "reviews": self._reviews(created, end),
        }
        if chance.random() < 0.3:  # a draft, which may never have been marked ready
            ready = chance.random() < 0.8
            record |= {"draft": not ready}
            if ready:
                record["ready_at"] = self.moments.between(created, end).isoformat()
        if author == CODING_AGENT:
            record["requested_by"] = address(chance.choice(EMPLOYED))
        if chance.random() < 0.8:
            record |= {"additions": chance.randrange(700), "deletions": chance.randrange(300)}
        earlier = [other for other in self.merged if other["target_branch"] == "main"]
        if earlier and chance.random() < 0.15:
            back = chance.choice(earlier)
            record["title"] = f'Revert "{back["title"]}"'
            record["source_branch"] = f"revert-{back['number']}-tea"
            record["work_items"] = []
        return record

    def _reviews(self, created: datetime, end: datetime) -> list[Record]:
        chance = self.chance
        return [
            {
                "author": chance.choice(REVIEWERS),
                "state": chance.choice(STATES),
                # Some after the merge.
                "submitted_at": self.moments.between(
                    created, min(self.dates.now, end + chance.choice((timedelta(), timedelta(), timedelta(days=2))))
                ).isoformat(),
            }
            for _ in range(chance.choice((0, 1, 2, 3, 4, 6)))
        ]

    def _listed(self, sha: str, author: str, *, with_parents: bool) -> Record:
        at = self.authored[sha].isoformat()
        listed: Record = {"sha": sha, "author_email": author, "authored_at": at, "committed_at": at}
        listed["message"] = self._message(sha)
        if with_parents:
            listed["parents"] = self.parents[sha]
        return listed

    def _commit(self, parents: list[str], authored: datetime) -> str:
        number = len(self.parents)
        sha = hashlib.sha1(f"{self.name} {number}".encode(), usedforsecurity=False).hexdigest()
        self.parents[sha] = parents
        self.authored[sha] = authored
        if self.chance.random() < 0.15:
            self.signed[sha] = self.chance.choice(list(AGENTS_BY_TRAILER))
        return sha

    def _message(self, sha: str, trail: str = "") -> str:
        return "\n\n".join(part for part in ("Sell tea", trail, self.signed.get(sha, "")) if part)

    def _tell(
        self, sha: str, branch: str, at: datetime, *, by: str = "", of: Record | None = None, trail: str = ""
    ) -> None:
        """Let the commit be pushed; where a clone tells of its path it is that of its pull request."""
        if not self.is_reported:
            return
        self.records["commits"].append(
            {
                "repository": self.name,
                "sha": sha,
                "parents": self.parents[sha],
                "branch": branch,
                "author_email": by or address(OUTSIDE),
                "authored_at": self.authored[sha].isoformat(),
                "committed_at": max(at, self.authored[sha]).isoformat(),
                "message": self._message(sha, trail),
            }
        )
        if of is not None and self.name == SHOP:
            service = self.touched.setdefault(of["id"], {self.chance.choice(list(PATHS))})
            self.paths[sha] = PATHS[next(iter(service))]

    def _ancestors(self, sha: str) -> set[str]:
        ancestors: set[str] = set()
        waiting = [sha]
        while waiting:
            commit = waiting.pop()
            if commit not in ancestors:
                ancestors.add(commit)
                waiting.extend(self.parents[commit])
        return ancestors
