"""Every main page opens without an error, keeps nobody out, and fits a narrow window, in both themes."""

from __future__ import annotations

import pytest

from tests.journeys.window import NARROW, WIDE, BrowserWindows, Theme
from tests.personas import ADMIN, MEMBER
from tests.servers import Server

PAGES = {
    "home": "/",
    "ai": "/insights/ai/",
    "delivery-empty": "/insights/delivery/",
    "compare-empty": "/insights/compare/",
    "how": "/insights/metrics/ai.spend/how/",
    "rows": "/insights/metrics/ai.spend/rows/",
    "catalogue": "/insights/metrics/",
    "metric": "/insights/metrics/ai.spend/",
    "connect": "/setup/agents/",
    "integrations-empty": "/integrations/",
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


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_a_page_keeps_nobody_out(telling_server: Server, windows: BrowserWindows, name: str, theme: Theme) -> None:
    window = windows.open(telling_server, as_=MEMBER, theme=theme)
    window.go(PAGES[name])
    window.keep_picture(f"{name}-{theme}-{WIDE}")
    assert window.grave_barriers() == []


@pytest.mark.parametrize("name", PAGES)
def test_a_page_fits_a_narrow_window(telling_server: Server, windows: BrowserWindows, name: str) -> None:
    window = windows.open(telling_server, as_=MEMBER, width=NARROW)
    window.go(PAGES[name])
    window.keep_picture(f"{name}-light-{NARROW}")
    assert not window.overflows()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", ADMIN_PAGES)
def test_admin_pages_open_without_a_complaint(
    telling_server: Server, windows: BrowserWindows, name: str, theme: Theme
) -> None:
    window = windows.open(telling_server, as_=ADMIN, theme=theme)
    window.go(ADMIN_PAGES[name])
    window.keep_picture(f"{name}-{theme}-{WIDE}")
