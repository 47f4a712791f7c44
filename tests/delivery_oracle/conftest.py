from __future__ import annotations

import random
from collections.abc import Iterator
from zoneinfo import ZoneInfo

import pytest
import time_machine
from pytest_django.fixtures import Settings

from tests.delivery_oracle.agents import Told, told_with_agents
from tests.delivery_oracle.calendar import ZONE_NAME
from tests.delivery_oracle.world import random_world
from tests.org import Org
from tests.seeds import seeds
from tests.telemetry.raw_rows import days_cut_in

SEEDS = seeds()


@pytest.fixture(params=SEEDS)
def told(request: pytest.FixtureRequest, org: Org, settings: Settings) -> Iterator[Told]:
    world, chance = random_world(request.param), random.Random(request.param)
    settings.ORGANISATION_TIME_ZONE = ZoneInfo(ZONE_NAME)
    with time_machine.travel(world.span.now, tick=False), days_cut_in(ZONE_NAME):
        yield told_with_agents(world, org, chance)
