from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import ExitStack
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.conf import settings
from pytest_django.plugin import DjangoDbBlocker

from tests.delivery.oracle.agents import StoredWorld, store_with_agents
from tests.delivery.oracle.calendar import ZONE_NAME
from tests.delivery.oracle.world import random_world
from tests.org import Org
from tests.seeds import seeds
from tests.stored_once import StoreOnce
from tests.telemetry.raw_rows import days_cut_in

SEEDS = seeds()


@pytest.fixture(scope="module", params=SEEDS)
def stored_world(
    request: pytest.FixtureRequest,
    stored_once: StoreOnce,
    django_db_blocker: DjangoDbBlocker,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[StoredWorld]:
    """Told once for all tests of a file, which are run at its end and in its time zone."""
    world, chance = random_world(request.param), random.Random(request.param)
    in_its_zone = ExitStack()

    def tell() -> StoredWorld:
        in_its_zone.enter_context(days_cut_in(ZONE_NAME))
        return store_with_agents(world, Org(tmp_path_factory.mktemp), chance)

    with pytest.MonkeyPatch.context() as patch, time_machine.travel(world.dates.now, tick=False):
        patch.setattr(settings, "ORGANISATION_TIME_ZONE", ZoneInfo(ZONE_NAME))
        with stored_once(tell) as made:
            yield made
            with django_db_blocker.unblock():
                in_its_zone.close()
