"""The stream of a pipeline's builds, newest first: those of one job, or of all branches of a multibranch project.

Jenkins numbers the builds of a job in order and returns ranges of their list by position, the newest at 0.  Builds that
begin meanwhile move the others back, which are then seen twice; builds that are deleted meanwhile move them forward, so
that each page overlaps the one before, and reading goes back if it does not.  Deletions are not detected: builds are
deleted to save space, and still happened.  New builds are recognised by number, because the controller's clock may be
wrong.

A cursor is one of
  {}                          nothing was read yet
  {"jobs", "open", "rules"}   `jobs` is job → [number, timestamp] of the newest build, up to which all were read;
                              `open` are [job, number, since] of running builds, and since when that is known
  these, and {"at"}           a job's reading is under way: `newest` as above, the list's `position`, the number `below`
                              which builds are still to be read
`rules` are those by which builds were made deployments, `undo` former ones whose deployments may have to be removed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from core.batches import batched
from integrations.connectors.base import Cursor, FetchedResource, Http, Page, RawRecord
from integrations.connectors.deployment_rules import Rules
from integrations.connectors.errors import GoneError, TransientError
from integrations.connectors.jenkins.builds import TREE, is_running
from integrations.connectors.jenkins.jobs import Head, heads_of, number_of, path_of, place_of, shown
from integrations.connectors.jenkins.records import BuildRecords
from integrations.connectors.json_text import list_in

PER_PAGE = 100
BATCH = 25  # builds stored together, each of which may take a request for its stages
OVERLAP = 5  # builds that a page shares with the one before
LISTED_AGAIN = timedelta(days=1)  # running builds are looked for in the list for this long, afterwards one by one
WATCHED = timedelta(days=35)
MOST_RECHECKED = 2  # per reading, so that one with nothing new takes only three requests


@dataclass(slots=True)
class Progress:
    """The cursor during a reading."""

    jobs: dict[str, tuple[int, int]]
    open: list[tuple[str, int, str]]
    rules: str
    undo: str = ""
    at: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, cursor: Cursor, rules: str) -> Progress:
        """The progress at a cursor; if the rules have changed, everything is read again."""
        before, undo = str(cursor.get("rules") or ""), str(cursor.get("undo") or "")
        if before != rules:
            return cls({}, [], rules, undo="\n".join(filter(None, (undo, before))))
        jobs = {name: (int(number), int(began)) for name, (number, began) in (cursor.get("jobs") or {}).items()}
        running = [(str(job), int(number), str(since)) for job, number, since in cursor.get("open") or ()]
        return cls(jobs, running, rules, undo, dict(cursor.get("at") or {}))

    def cursor(self) -> Cursor:
        way = {name: value for name, value in (("undo", self.undo), ("at", self.at)) if value}
        jobs = {name: list(newest) for name, newest in self.jobs.items()}
        return {"jobs": jobs, "open": [list(running) for running in self.open], "rules": self.rules, **way}

    def keep(self, heads: Mapping[str, Head]) -> None:
        """Drop jobs that are gone or were emptied."""
        there = {name for name, head in heads.items() if head.newest}
        self.jobs = {name: newest for name, newest in self.jobs.items() if name in there}
        self.open = [running for running in self.open if running[0] in there]
        if self.at.get("job") not in there:
            self.at = {}

    def is_open(self, job: str, build: Any) -> bool:
        return any(running[:2] == (job, number_of(build)) for running in self.open)

    def note(self, job: str, build: Any, now: datetime) -> bool:
        """Note a build, and return whether to store it: a running one is stored once."""
        if is_running(build) and self.is_open(job, build):
            return False
        self.open = [running for running in self.open if running[:2] != (job, number_of(build))]
        if is_running(build):
            self.open.append((job, number_of(build), now.isoformat()))
        return True


def fetch_builds(
    http: Http, resource: FetchedResource, cursor: Cursor, *, rules: Rules, libraries: Sequence[str], now: datetime
) -> Iterator[Page]:
    """Read everything from an empty cursor, else new builds and those that were running."""
    heads = {head.name: head for head in heads_of(http, resource)}
    progress = Progress.of(cursor, rules.text)
    progress.keep(heads)
    records = BuildRecords(http, resource, rules, progress.undo, libraries, now)
    reading = _Reading(http, progress, records, now)
    resumed = progress.at.get("job")
    waiting = sorted(heads.values(), key=lambda head: (head.name != resumed, -head.began, head.name))
    left = sum(map(reading.left_of, waiting))
    for head in waiting:
        for page in reading.pages(head):
            left = max(left - len(page.records), 0)
            yield Page(page.records, page.cursor, left=left)
    changed = reading.recheck(heads)
    progress.undo = ""
    yield Page(changed, progress.cursor(), left=0)


@dataclass(slots=True)
class _Reading:
    http: Http
    progress: Progress
    records: BuildRecords
    now: datetime

    def left_of(self, head: Head) -> int:
        """The approximate number of builds still to be read."""
        known, _ = self.progress.jobs.get(head.name, (0, 0))
        return max(head.newest[0] - max(known, head.oldest - 1), 0) if head.newest else 0

    def pages(self, head: Head) -> Iterator[Page]:
        """The new builds of one job, and those that were running."""
        progress, newest = self.progress, head.newest
        if newest is None:
            return
        known = progress.jobs.get(head.name, (0, 0))
        if known[0] > newest[0]:
            known = (0, 0)  # its numbers began again
        listed_again = self._listed_again(head)
        lowest, position, below = min([known[0] or 1, *listed_again]), 0, 0
        if progress.at.get("job") == head.name:
            number, began = progress.at["newest"]
            newest, position, below = (int(number), int(began)), int(progress.at["position"]), int(progress.at["below"])
        elif newest == known and not listed_again:
            return
        size = max(min(PER_PAGE, newest[0] - lowest + 1), 1)
        while True:
            try:
                builds, position = self._listed(head, position, below, size)
            except GoneError:  # deleted meanwhile
                progress.at = {}
                return
            places = [place for place in map(place_of, builds) if place[0]]
            if not below and places:  # builds that began since are in the page, too
                newest = max(newest, places[0])
            if any(_is_another(place, known) for place in places):
                known, lowest = (0, 0), 1  # the builds with these numbers are newer ones
            fresh = [build for build in builds if not below or number_of(build) < below]
            if builds and not fresh and position > newest[0]:
                raise TransientError(f"Jenkins' list of builds of {shown(head.name)} leads in a circle.")
            wanted = [build for build in fresh if self._is_wanted(head, build, known[0])]
            for batch in batched(wanted, BATCH):
                stored = [build for build in batch if progress.note(head.name, build, self.now)]
                below = min([number for build in batch if (number := number_of(build))], default=below)
                progress.at = {"job": head.name, "newest": list(newest), "position": position, "below": below}
                yield Page(self.records.of(head, stored, is_front=position == 0), progress.cursor())
            last = min((number for number, _ in places), default=0)
            if len(builds) < size or last <= lowest:
                break
            position, size, below = position + len(builds), PER_PAGE, last
            progress.at = {"job": head.name, "newest": list(newest), "position": position, "below": below}
        progress.jobs[head.name], progress.at = newest, {}

    def recheck(self, heads: Mapping[str, Head]) -> list[RawRecord]:
        """Long-running builds that have finished, requested one by one; those that were just requested move to the
        end.
        """
        progress = self.progress
        watched = [running for running in progress.open if self.now - datetime.fromisoformat(running[2]) < WATCHED]
        due = [running for running in watched if running[1] not in self._listed_again(heads[running[0]])]
        due = due[:MOST_RECHECKED]
        progress.open = [running for running in watched if running not in due]
        changed: list[RawRecord] = []
        for job, number, since in due:
            try:
                build = self.http.get(path_of(job, number, "api", "json"), params={"tree": TREE}).json()
            except GoneError:
                continue
            if is_running(build):
                progress.open.append((job, number, since))
            else:
                changed += self.records.of(heads[job], [build], is_front=False)
        return changed

    def _listed(self, head: Head, position: int, below: int, size: int) -> tuple[list[Any], int]:
        """The builds from about this position on, and where they begin: overlapping what was read, or at the front."""
        path = path_of(head.name, "api", "json")
        while True:
            start = max(position - OVERLAP, 0)
            tree = f"allBuilds[{TREE}]{{{start},{start + size}}}"
            builds = list_in(self.http.get(path, params={"tree": tree}).json(), "allBuilds", f"Jenkins answered {path}")
            if start == 0 or any(number_of(build) >= below for build in builds):
                return builds, start
            position = max(position - PER_PAGE, 0)

    def _is_wanted(self, head: Head, build: Any, known: int) -> bool:
        """Whether to store the build; one without a number cannot be understood, and is shown in quarantine."""
        number = number_of(build)
        return number > known or not number or self.progress.is_open(head.name, build)

    def _listed_again(self, head: Head) -> list[int]:
        """The recent running builds that are near the front of the list."""
        newest = head.newest[0] if head.newest else 0
        return [
            number
            for job, number, since in self.progress.open
            if job == head.name
            and newest - number < PER_PAGE
            and self.now - datetime.fromisoformat(since) < LISTED_AGAIN
        ]


def _is_another(place: tuple[int, int], known: tuple[int, int]) -> bool:
    """Whether a build is newer than the known one despite its lower number: the job was created anew."""
    (number, began), (last, last_began) = place, known
    return began != last_began if number == last else number < last and began > last_began
