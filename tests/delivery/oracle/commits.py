"""Commits that are pushed: each change once, merges and bots left out, at the committer's time.

Of pushed commits no files are known, so that a copy of one is another change.  A coding agent's that nobody is known to
have asked for is of autonomous agents, in the unit that owns the repository.  So is what an agent signed for a bot,
unless the bot updates what others wrote.
"""

from __future__ import annotations

from datetime import datetime

from tests.delivery.oracle.calendar import day_of
from tests.delivery.oracle.figures import Counted
from tests.delivery.oracle.organisation import BOTS, CODING_AGENT, UPDATER, person_of
from tests.delivery.oracle.repositories import Record
from tests.delivery.oracle.world import World


def commits(world: World) -> list[Counted]:
    return [
        Counted(record["sha"], day_of(datetime.fromisoformat(record["committed_at"])), _whose(world, record))
        for record in world.records["commits"]
        if len(record["parents"]) < 2 and (record["author_email"] not in BOTS or _is_of_agents(world, record))
    ]


def _is_of_agents(world: World, commit: Record) -> bool:
    author: str = commit["author_email"]
    return author == CODING_AGENT or (author in BOTS and author != UPDATER and commit["sha"] in world.signed)


def _whose(world: World, commit: Record) -> str | None:
    return str(commit["repository"]) if _is_of_agents(world, commit) else person_of(commit["author_email"])
