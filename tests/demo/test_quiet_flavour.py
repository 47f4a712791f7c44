"""The demo's flavour `quiet`: neither its telemetry nor its delivery asks for attention."""

from __future__ import annotations

import json

import pytest

from demo.plan.stories import Flavour
from insights.models import Finding
from orgtree.models import Employment
from tests.conftest import StartServer
from tests.demo.flavours import DEMO_SECONDS, QUIET
from tests.demo.read_pages import HINT, ai_page, bottleneck, delivery_page
from tests.personas import ADMIN

# A second demo, of which planned figures (test_stories_planned.py) and the hints' own tests have the most.
pytestmark = [pytest.mark.soak, pytest.mark.timeout(900)]
TEAMS = ("checkout", "search", "platform", "mobile", "data")


@pytest.mark.parametrize("flavour", QUIET)
def test_the_quiet_flavour_raises_nothing(start_server: StartServer, flavour: Flavour) -> None:
    """Its people work for half a year at most: what is longer is the same again, and takes as long to tell."""
    ranges = [f"{weeks}w" for weeks in (8, 12, 26) if weeks <= flavour.weeks]
    assert ranges[:2] == ["8w", "12w"]
    with start_server("web", "worker", "beat", named=f"demo_{flavour}") as server:
        printed = json.loads(server.manage("demo", "--flavour", flavour.value, "--json", within_seconds=DEMO_SECONDS))
        assert printed["flavour"] == flavour
        with server.database():
            assert not Employment.objects.filter(during__upper_inf=False).exists()
            assert not Finding.objects.exists()
        browser = server.browse(as_=ADMIN)
        for range_ in ("4w", "8w", "12w"):
            page = ai_page(browser, range=range_)
            assert "Bash" in page  # the part with the failing tools is there: a shell's calls fail most
            assert HINT not in page, range_
        for range_ in ranges:
            page = delivery_page(browser, range=range_)
            assert "More hygiene metrics" in page  # all three sections are there
            assert HINT not in page, range_
        waiting = {unit: bottleneck(delivery_page(browser, unit=unit)) for unit in TEAMS}
        assert all(waiting.values()), "each has delivered"
        assert not any("Pickup" in kinds for kinds in waiting.values()), waiting
