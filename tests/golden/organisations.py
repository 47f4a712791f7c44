"""The organisations of the text: the demo by its real intake, and random ones as the oracles make them."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.conf import settings
from django.db import transaction

from demo.load.begin import begin_demo, year_of
from demo.plan.stories import Flavour
from insights.query.query import Window
from tests.conftest import StartServer
from tests.delivery.oracle.agents import store_with_agents
from tests.delivery.oracle.calendar import ZONE_NAME
from tests.delivery.oracle.organisation import OUTSIDE, address
from tests.delivery.oracle.world import random_world
from tests.demo.flavours import DEMO_SECONDS
from tests.engine.facts import World, create_world
from tests.engine.organisations import add_organisation
from tests.golden.questions import Organisation, stored_organisation
from tests.org import Org
from tests.telemetry.raw_rows import days_cut_in

DEMO_ENDS = datetime(2026, 11, 20, 10, tzinfo=UTC)  # a Friday; the same one whenever the text is written
DEMO_WEEKS = 26  # its people work for 14 of them, and their repositories are older
TELEMETRY_READ = datetime(2026, 3, 18, 15, 30, tzinfo=UTC)  # a Wednesday
TELEMETRY_DAYS = 90
NOT_COME = timedelta(days=10)  # of each window: a week that is not over, and one that has not begun
BEFORE = timedelta(weeks=3)  # some of what a history tells is older than its first day of work

NewFolder = Callable[[str], Path]


@contextmanager
def demo(start_server: StartServer) -> Iterator[Organisation]:
    """The small demo, received, synced and attributed by a running installation, and read as of its end."""
    with start_server("web", "worker", "beat", named="golden_demo") as server:
        with server.database():
            run = begin_demo(seed=1, flavour=Flavour.SMALL_STORIES, now=DEMO_ENDS)
        server.manage("demo", "--flavour", Flavour.SMALL_STORIES.value, "--json", within_seconds=DEMO_SECONDS)
        server.stop()
        year = year_of(run)
        with server.database(), time_machine.travel(DEMO_ENDS, tick=False):
            start = year.last_day - timedelta(weeks=DEMO_WEEKS)
            named = {person.full_name: person.email for person in year.people}
            people = [named[name] for name in ("Juniper Sample", "Linden Example", "Max Member")]
            yield stored_organisation("demo", Window(start, year.last_day + NOT_COME), people)


@contextmanager
def telemetry(_new_folder: NewFolder) -> Iterator[Organisation]:
    """Sessions and commits, two trees whose people and units move, a leaver, and attributes of people."""
    seed, last = 1, TELEMETRY_READ.date()
    days = [last - timedelta(days=number) for number in reversed(range(TELEMETRY_DAYS))]
    with _stored(TELEMETRY_READ):
        world = create_world(seed, days=days, people=12, sessions=150)
        add_organisation(world, seed, days)
        people = [f"p{seed}-{number}@example.com" for number in (0, 1, 11)]
        yield stored_organisation("random-1", Window(days[0], last + NOT_COME), people)


@contextmanager
def deliveries(new_folder: NewFolder) -> Iterator[Organisation]:
    """Pull requests, items, runs, deployments and incidents of an autumn; people, owners and a unit move."""
    with _history(1, new_folder) as window:
        yield stored_organisation("random-2", window, [address(person) for person in ("ada", "ben", OUTSIDE)])


@contextmanager
def deliveries_with_attributes(new_folder: NewFolder) -> Iterator[Organisation]:
    """An organisation in spring, with people who are also in squads and whose attributes change."""
    with _history(2, new_folder) as window:
        known = World([], [], {}, {}, [], {}, {})
        add_organisation(known, 2, [window.start + timedelta(days=number) for number in range(50)])
        yield stored_organisation("random-3", window, [address(person) for person in ("cy", "dee", OUTSIDE)])


@contextmanager
def _history(seed: int, new_folder: NewFolder) -> Iterator[Window]:
    world = random_world(seed)
    with pytest.MonkeyPatch.context() as patch, _stored(world.dates.now):
        patch.setattr(settings, "ORGANISATION_TIME_ZONE", ZoneInfo(ZONE_NAME))
        with days_cut_in(ZONE_NAME):
            store_with_agents(world, Org(new_folder), random.Random(seed))
            yield Window(world.dates.window.start - BEFORE, world.dates.window.end)


@contextmanager
def _stored(now: datetime) -> Iterator[None]:
    """At that time, and undone afterwards."""
    with time_machine.travel(now, tick=False), transaction.atomic():
        yield
        transaction.set_rollback(True)


RANDOM: Mapping[str, Callable[[NewFolder], AbstractContextManager[Organisation]]] = {
    "random-1": telemetry,
    "random-2": deliveries,
    "random-3": deliveries_with_attributes,
}
