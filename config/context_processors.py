"""Context of every page: navigation, trial notice and the account's role."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from insights.privacy.scope_access import access_in
from insights.ui.addresses import address
from orgtree.access.trust import trial_state


@dataclass(frozen=True)
class Entry:
    """A navigation entry: URL name, label and icon.

    It is current for pages below its URL, and below those of `also`.
    """

    url_name: str
    label: str
    icon: str
    staff_only: bool = False
    also: tuple[str, ...] = ()
    counts_unread: bool = False


NavigationLink = tuple[Entry, str, bool]  # with its URL, and whether it is current


NAVIGATION: tuple[tuple[str, tuple[Entry, ...]], ...] = (
    ("", (Entry("home", "Home", "home"), Entry("inbox", "Inbox", "bell", counts_unread=True))),
    (
        "Insights",
        (
            Entry("ai", "AI", "sparkles"),
            Entry("ai_costs", "AI costs", "coins"),
            Entry("budgets", "AI budgets", "calendar-due", also=("charge_back",)),
            Entry("ai_repositories", "AI readiness", "shield-check"),
            Entry("attribution", "Attribution", "git-commit"),
            Entry("delivery", "Delivery", "git-merge"),
            Entry("compare", "Compare units", "table"),
            Entry("metric_catalogue", "Metrics", "chart-line"),
            Entry("hand_kept", "Hand-kept metrics", "writing"),
        ),
    ),
    (
        "Program",
        (
            Entry("program", "Overview", "layout-dashboard"),
            Entry("objectives", "Objectives", "target", also=("quarters",)),
            Entry("roadmap", "Roadmap", "layout-kanban"),
            Entry("tickets", "Action plans", "list-check"),
            Entry("reviews", "Monthly reviews", "checks"),
            Entry("meetings", "Meetings", "calendar"),
            Entry("qbrs", "QBR", "presentation"),
            Entry("benchmarks", "Benchmarks", "ruler-measure", also=("focus",)),
            Entry("philosophy", "Philosophy", "book"),
        ),
    ),
    (
        "Organisation",
        (Entry("people", "People", "user", also=("people_import",)), Entry("access", "Who can see what", "eye")),
    ),
    (
        "Setup",
        (
            Entry("trees", "Org Trees", "sitemap"),
            Entry("integrations", "Integrations", "plug-connected"),
            Entry("ownership", "Ownership", "key"),
            Entry("connect_agent", "Connect an agent", "plug"),
            Entry("connect_repository", "Repositories", "binary-tree-2"),
            Entry("identities", "Identities", "users", staff_only=True),
            Entry("admin:index", "Admin", "settings", staff_only=True),
        ),
    ),
)


def shell(request: HttpRequest) -> dict[str, Any]:
    """`navigation`, and lazy texts that query the database only if a page prints them."""
    return {
        "navigation": navigation(request),
        "trial_notice": SimpleLazyObject(lambda: _trial_notice(request)),
        "account_role": SimpleLazyObject(lambda: access_in(request).role),
    }


def _trial_notice(request: HttpRequest) -> str:
    """From the access the page has read already; error pages may have no account."""
    return (access_in(request).trial if hasattr(request, "user") else trial_state()).notice


def navigation(request: HttpRequest) -> list[tuple[str, list[NavigationLink]]]:
    """The links that the user may open, by the title of their section."""
    is_staff = bool(getattr(getattr(request, "user", None), "is_staff", False))
    sections = [
        (title, [entry for entry in entries if is_staff or not entry.staff_only]) for title, entries in NAVIGATION
    ]
    entry_by_url = {
        address(name): entry for _, entries in sections for entry in entries for name in (entry.url_name, *entry.also)
    }
    current = entry_by_url.get(_current_url(request.path, entry_by_url))
    return [
        (title, [(entry, address(entry.url_name), entry is current) for entry in entries])
        for title, entries in sections
    ]


def _current_url(path: str, urls: Iterable[str]) -> str:
    """The longest URL that is a prefix of `path`; the home page only matches itself."""
    above = [url for url in urls if path == url or (url != "/" and path.startswith(url))]
    return max(above, key=len, default="")
