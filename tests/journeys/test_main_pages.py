"""Every main page opens without errors, is accessible, and fits a narrow window, in both themes."""

from __future__ import annotations

from datetime import date

import pytest
from django.urls import reverse

from config.context_processors import ENTRIES, MORE_PAGES
from insights.findings.checks import Check
from insights.findings.detectors import BY_KEY
from insights.findings.night import Night, store
from tests.journeys.window import THEMES_AND_WIDTHS, WIDE, BrowserWindows, Theme
from tests.personas import ADMIN, MEMBER
from tests.servers import Server

PAGES = {
    "home": "/",
    "delivery-empty": "/insights/delivery/",
    "compare-empty": "/insights/compare/",
    "how": "/insights/metrics/ai.spend/how/",
    "rows": "/insights/metrics/ai.spend/rows/",
    "catalogue": "/insights/metrics/",
    "metric": "/insights/metrics/ai.spend/",
    "connect": "/setup/agents/",
    "integrations-empty": "/integrations/",
    "planning-empty": "/insights/planning/",
    "flow-empty": "/insights/planning/flow/",
    "forecast-empty": "/insights/planning/forecast/",
    "allocation-empty": "/insights/allocation/",
    "allocation-teams-empty": "/insights/allocation/teams/",
    "agreements": "/programs/agreements/",
    "allocation-rules": "/insights/allocation/rules/",
    "capacity-empty": "/insights/capacity/",
    "reconciliation-empty": "/insights/ai/reconciliation/",
    "vendors-empty": "/insights/ai/vendors/",
    "findings": "/insights/findings/",
    "report-empty": "/insights/report/",
    "experiments-empty": "/programs/experiments/",
    "work-types": "/insights/context/work-types/",
    "thresholds-empty": "/insights/findings/thresholds/",
    "context-empty": "/insights/context/",
    "comparable-teams": "/insights/context/comparable/",
    "who-sees-what": "/orgtree/access/",
}
ADMIN_PAGES = {
    "admin": "/admin/",
    "admin-people": "/admin/orgtree/person/",
    "admin-person": "/admin/orgtree/person/add/",
    "admin-connections": "/admin/integrations/connection/",
    "admin-connect": "/admin/integrations/connection/add/",
    "admin-users": "/admin/auth/user/",
    "admin-schedule": "/admin/django_celery_beat/periodictask/",
    "api-docs": "/api/docs/",
}
# The pages that the navigation or the search opens, where no other test above examines them.
NAVIGATED = [
    entry.url_name
    for entry in (*ENTRIES, *MORE_PAGES)
    if entry.url_name != "admin:index" and reverse(entry.url_name) not in PAGES.values()
]


SLOWER = Check(
    detector=BY_KEY["pr.pickup_time.change"],
    unit=None,
    chance=1e-5,
    since=date(2026, 8, 3),
    before=36_000.0,
    after=72_000.0,
    low=18_000.0,
    high=50_000.0,
    sample=160,
    is_large=True,
)


@pytest.mark.parametrize(("theme", "width"), THEMES_AND_WIDTHS)
def test_a_page_keeps_nobody_out_and_fits(
    reporting_server: Server, windows: BrowserWindows, theme: Theme, width: int
) -> None:
    with reporting_server.database():
        store(Night(1, [SLOWER]), today=date(2026, 11, 28))
    window = windows.open(reporting_server, as_=MEMBER, theme=theme, width=width)
    barriers, too_wide = {}, []
    for name, address in PAGES.items():
        window.go(address)
        window.keep_picture(f"{name}-{theme}-{width}")
        if theme == "light":  # once for a page; the page of all components is examined in both themes
            barriers[name] = window.grave_barriers()
        too_wide += [name] if window.overflows() else []
    assert {name: violations for name, violations in barriers.items() if violations} == {}
    assert too_wide == []


@pytest.mark.parametrize(("theme", "width"), THEMES_AND_WIDTHS)
def test_every_page_of_the_navigation_keeps_nobody_out_and_fits(
    reporting_server: Server, windows: BrowserWindows, theme: Theme, width: int
) -> None:
    window = windows.open(reporting_server, as_=ADMIN, theme=theme, width=width)
    barriers, too_wide = {}, []
    for name in NAVIGATED:
        window.go(reverse(name))
        window.keep_picture(f"navigation-{name}-{theme}-{width}")
        barriers[name] = window.grave_barriers()
        too_wide += [name] if window.overflows() else []
    assert {name: violations for name, violations in barriers.items() if violations} == {}
    assert too_wide == []


@pytest.mark.parametrize("theme", ["light", pytest.param("dark", marks=pytest.mark.soak)])
def test_admin_pages_open_without_a_complaint(reporting_server: Server, windows: BrowserWindows, theme: Theme) -> None:
    window = windows.open(reporting_server, as_=ADMIN, theme=theme)
    for name, address in ADMIN_PAGES.items():
        window.go(address)
        window.keep_picture(f"{name}-{theme}-{WIDE}")
