"""The demo's flavour `quiet`: neither its telemetry nor its delivery asks for attention."""

from __future__ import annotations

import json

import pytest

from integrations.demo.stories import Flavour
from orgtree.models import Employment
from tests.conftest import StartServer
from tests.demo.read_pages import HINT, ai_page, bottleneck, delivery_page
from tests.personas import ADMIN

DEMO_SECONDS = 4000
pytestmark = pytest.mark.timeout(DEMO_SECONDS + 400)  # others may use the same processors
TEAMS = ("checkout", "search", "platform", "mobile", "data")


def test_the_quiet_flavour_raises_nothing(start_server: StartServer) -> None:
    """Its people work for half a year: what is longer is the same again, and takes as long once more to tell."""
    assert Flavour.QUIET.weeks > 26
    with start_server("web", "worker", "beat", named="demo_quiet") as server:
        printed = json.loads(server.manage("demo", "--flavour", "quiet", "--json", within_seconds=DEMO_SECONDS))
        assert printed["flavour"] == "quiet"
        with server.database():
            assert not Employment.objects.filter(during__upper_inf=False).exists()
        browser = server.browse(as_=ADMIN)
        for range_ in ("4w", "8w", "12w"):
            page = ai_page(browser, range=range_)
            assert "WebFetch" in page  # the part with the failing tools is there
            assert HINT not in page, range_
        for range_ in ("8w", "12w", "26w"):
            page = delivery_page(browser, range=range_)
            assert "More of hygiene" in page  # all three sections are there
            assert HINT not in page, range_
        waiting = {unit: bottleneck(delivery_page(browser, unit=unit)) for unit in TEAMS}
        assert all(waiting.values()), "each has delivered"
        assert not any("waiting for review" in told for told in waiting.values()), waiting
