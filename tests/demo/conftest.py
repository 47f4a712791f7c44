"""A running installation that holds the demo's stories: a small one in `make test`, the year in `make soak`."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from demo.load.begin import year_of
from demo.plan.stories import Flavour
from programs.models import DemoRun
from tests.conftest import StartServer
from tests.demo.flavours import DEMO_SECONDS, STORIES
from tests.demo.running import Demo


@pytest.fixture(scope="module", params=STORIES)
def demo(request: pytest.FixtureRequest, start_server: StartServer) -> Iterator[Demo]:
    flavour: Flavour = request.param
    with start_server("web", "worker", "beat", named=f"demo_{flavour}") as server:
        command = ("demo", "--flavour", flavour.value, "--json")
        printed = json.loads(server.manage(*command, within_seconds=DEMO_SECONDS))
        with server.database():
            year = year_of(DemoRun.objects.get())
        yield Demo(server, printed, year)
