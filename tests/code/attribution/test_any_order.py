"""Whatever arrives in whichever order, as often as it likes: what is derived is what the oracle says."""

from __future__ import annotations

import hashlib
import random
from collections import defaultdict
from datetime import datetime, timedelta

import pytest

from integrations.models import AgentSession, CommitFile, FileAttribution, Method
from tests.code.attribution import oracle
from tests.code.attribution.world import DAY, attribute, commit, everything_derived, note, session
from tests.seeds import seeds

pytestmark = pytest.mark.django_db
PEOPLE = ("ada@example.com", "ben@example.com")
SEEDS = seeds()


class History:
    """Random sessions and commits of two people over one day, crowded enough to compete for each other's lines."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.sessions = [self._session(f"session-{number:02}") for number in range(10)]
        self.commits = [self._commit(f"commit-{number}") for number in range(25)]

    def _minute(self, least: int = 0, most: int = 1200) -> datetime:
        return DAY + timedelta(minutes=self.random.randint(least, most))

    def _session(self, name: str) -> oracle.Run:
        begin, periods = self.random.randint(0, 1000), []
        for _ in range(self.random.choice([1, 1, 2])):
            end = begin + self.random.randint(0, 90)
            periods.append((DAY + timedelta(minutes=begin), DAY + timedelta(minutes=end)))
            begin = end + self.random.randint(31, 200)
        return oracle.Run(name, self.random.choice(PEOPLE), tuple(periods), self.random.choice([0, 5, 40, 200]))

    def _commit(self, name: str) -> oracle.Change:
        files = {f"{name}/{path}": self.random.randint(1, 40) for path in self.random.sample("abcde", 2)}
        noted = None
        if self.random.random() < 0.25:
            noted = (self.random.choice(self.sessions).name, next(iter(files)), self.random.randint(1, 50))
        person = self.random.choice(PEOPLE)
        sha = commit_sha(name)
        return oracle.Change(name, person, self._minute(), files, sha, noted, counts=self.random.random() > 0.1)

    def send_shuffled(self, seed: int, *, often: bool) -> None:
        """All of it in some order; `often`: some of it twice, and attribution at work in between."""
        shuffled = random.Random(seed)
        events: list[oracle.Run | oracle.Change] = [*self.sessions, *self.commits]
        events += shuffled.sample(events, 10) if often else []
        shuffled.shuffle(events)
        for event in events:
            if isinstance(event, oracle.Run):
                first, *more = [(_clock(begin), _clock(end)) for begin, end in event.periods]
                session(event.name, *first, by=event.person, lines=event.lines, more=more)
            else:
                apart = "" if event.counts else "bulk"
                stored = commit(
                    event.name, _clock(event.authored_at), event.files, by=event.person, exclusion_reason=apart
                )
                if event.noted:
                    name, path, lines = event.noted
                    note(stored, {path: lines}, session=name)
            if often and shuffled.random() < 0.3:
                attribute()
        attribute()


def commit_sha(name: str) -> str:
    return hashlib.sha1(name.encode(), usedforsecurity=False).hexdigest()


def _clock(at: datetime) -> str:
    minutes = int((at - DAY).total_seconds()) // 60
    return f"{minutes // 60}:{minutes % 60:02}"


def derived() -> oracle.Attributed:
    """Commit, path, session → lines."""
    return {
        (row.file.path.split("/")[0], row.file.path, row.session.external_id if row.session else ""): row.ai_lines
        for row in FileAttribution.objects.select_related("file", "session")
    }


@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_derived_is_what_the_oracle_says(seed: int) -> None:
    history = History(seed)
    history.send_shuffled(seed, often=False)
    assert derived() == oracle.attributed(history.sessions, history.commits)


@pytest.mark.parametrize("seed", SEEDS)
def test_order_and_repetition_change_nothing(seed: int) -> None:
    history = History(seed)
    history.send_shuffled(seed + 1000, often=True)
    assert derived() == oracle.attributed(history.sessions, history.commits)
    for external_id, committed in AgentSession.objects.values_list("external_id", "committed"):
        assert committed == any(session == external_id for _, _, session in derived())


@pytest.mark.parametrize("seed", SEEDS)
def test_no_file_has_more_ai_lines_than_added_ones_and_no_session_gives_more_than_it_generated(seed: int) -> None:
    History(seed).send_shuffled(seed, often=True)
    of_file: dict[CommitFile, int] = defaultdict(int)
    of_session: dict[AgentSession, int] = defaultdict(int)
    for row in FileAttribution.objects.select_related("session", "file"):
        of_file[row.file] += row.ai_lines
        if row.session and row.method == Method.OVERLAP:
            of_session[row.session] += row.ai_lines
    assert all(lines <= (file.added or 0) for file, lines in of_file.items())
    assert all(lines <= session.lines_added for session, lines in of_session.items())


def test_deriving_everything_again_writes_nothing() -> None:
    history = History(99)
    history.send_shuffled(99, often=False)
    before, rows = everything_derived(), set(FileAttribution.objects.values_list("pk", flat=True))
    history.send_shuffled(99, often=False)
    assert everything_derived() == before
    assert set(FileAttribution.objects.values_list("pk", flat=True)) == rows
