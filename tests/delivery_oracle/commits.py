"""Commits that are pushed: each change once, merges and bots left out, at the committer's time."""

from __future__ import annotations

from datetime import datetime

from tests.delivery_oracle.calendar import day_of
from tests.delivery_oracle.figures import Counted
from tests.delivery_oracle.organisation import BOTS, person_of
from tests.delivery_oracle.world import World


def commits(world: World) -> list[Counted]:
    return [
        Counted(each["sha"], day_of(datetime.fromisoformat(each["committed_at"])), person_of(each["author_email"]))
        for each in world.records["commits"]
        if len(each["parents"]) < 2 and each["author_email"] not in BOTS
    ]
