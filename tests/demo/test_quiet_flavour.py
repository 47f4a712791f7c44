"""The demo's flavour `quiet`: neither its telemetry nor its delivery asks for attention."""

from __future__ import annotations

import json

import pytest
from django.utils import timezone

from integrations.demo.sending import send_year
from integrations.demo.stories import Flavour
from orgtree.models import Employment
from programs.services.begin_demo import begin_demo, year_of
from tests.conftest import StartServer
from tests.demo.read_pages import HINT, ai_page, bottleneck, delivery_page, wait_until_folded
from tests.personas import ADMIN
from tests.servers import Server

pytestmark = pytest.mark.timeout(900)  # a year of telemetry and of deliveries, as in test_demo_command.py

DEMO_SECONDS = 700
TEAMS = ("checkout", "search", "platform", "mobile", "data")


def test_the_quiet_flavour_raises_nothing(start_server: StartServer) -> None:
    with start_server("web", "worker", "beat", named="demo_quiet") as server:
        _its_telemetry_alone(server)
        printed = json.loads(server.manage("demo", "--flavour", "quiet", "--json", within_seconds=DEMO_SECONDS))
        assert printed["flavour"] == "quiet"
        browser = server.browse(as_=ADMIN)
        for range_ in ("8w", "12w", "26w"):
            page = delivery_page(browser, range=range_)
            assert "More of hygiene" in page  # all three sections are there
            assert HINT not in page, range_
        waiting = {unit: bottleneck(delivery_page(browser, unit=unit)) for unit in TEAMS}
        assert all(waiting.values()), "each has delivered"
        assert not any("waiting for review" in told for told in waiting.values()), waiting


def _its_telemetry_alone(server: Server) -> None:
    """As long as no commit is known, the AI page has nothing to look for."""
    with server.database():
        run = begin_demo(seed=1, flavour=Flavour.QUIET, now=timezone.now())
        sent = send_year(year_of(run), base_url=server.url, token=server.ingest_token, weeks=range(24))
        assert sent.rejected == 0
        wait_until_folded()
        assert not Employment.objects.filter(during__upper_inf=False).exists()
    browser = server.browse(as_=ADMIN)
    for range_ in ("4w", "8w", "12w"):
        page = ai_page(browser, range=range_)
        assert "WebFetch" in page  # the part with the failing tools is there
        assert HINT not in page, range_
