"""Random histories with coding agents: in which sessions, and for which pull requests."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from integrations.models import AgentSession, PullRequestFigures
from tests.delivery.oracle.organisation import EMPLOYED, OUTSIDE
from tests.delivery.oracle.world import World, tell
from tests.org import Org

AGENTS = ("claude_code", "codex", "gemini")


@dataclass(frozen=True)
class StoredWorld:
    """A history, and what is given: sessions (agent, whose, day), and the agents of each pull request by its id."""

    world: World
    sessions: Sequence[tuple[str, str, date]]
    agents: Mapping[str, Sequence[str]]


def store_with_agents(world: World, org: Org, chance: random.Random) -> StoredWorld:
    """Tell the history, and give it agents."""
    tell(world, org, chance)
    return StoredWorld(world, _sessions(world, org, chance), _agents(world, chance))


def _sessions(world: World, org: Org, chance: random.Random) -> list[tuple[str, str, date]]:
    days = [day for day in world.dates.days() if day < world.dates.today]
    sessions = []
    for person in chance.choices((*EMPLOYED, OUTSIDE), k=25):
        day = chance.choice(days)
        agent = chance.choice(AGENTS)
        session = org.session(by=person, on=day, at="11:00")
        sessions.append((agent, person, day, session))
    org.fold()
    for agent, _, _, session in sessions:
        AgentSession.objects.filter(external_id=session).update(agent=agent)
    return [(agent, person, day) for agent, person, day, _ in sessions]


def _agents(world: World, chance: random.Random) -> dict[str, list[str]]:
    agents = {}
    for record in world.records["pull-requests"]:
        agents[record["id"]] = sorted(chance.sample(AGENTS, chance.choice((0, 0, 1, 1, 2))))
        PullRequestFigures.objects.filter(pull_request__external_id=record["id"]).update(agents=agents[record["id"]])
    return agents
