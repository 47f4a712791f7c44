"""Context of every page: navigation, trial notice and the account's role."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import NoReverseMatch
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


@dataclass(frozen=True)
class NavigationItem:
    label: str
    icon: str
    url: str
    current: bool
    counts_unread: bool = False


@dataclass(frozen=True)
class NavigationSection:
    title: str
    items: Sequence[NavigationItem]


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


def navigation(request: HttpRequest) -> list[NavigationSection]:
    """The sections with installed pages that the user may open."""
    is_staff = bool(getattr(getattr(request, "user", None), "is_staff", False))
    sections = [(title, list(_linked(entries, is_staff=is_staff))) for title, entries in NAVIGATION]
    belonging = {url: url for _, links in sections for _, url in links}
    belonging |= {address(name): url for _, links in sections for entry, url in links for name in entry.also}
    current = belonging.get(_current_entry(request.path, list(belonging)), "")
    return [
        NavigationSection(
            title,
            [NavigationItem(entry.label, entry.icon, url, url == current, entry.counts_unread) for entry, url in links],
        )
        for title, links in sections
        if links
    ]


def _linked(entries: Sequence[Entry], *, is_staff: bool) -> Iterator[tuple[Entry, str]]:
    for entry in entries:
        if entry.staff_only and not is_staff:
            continue
        try:
            yield entry, address(entry.url_name)
        except NoReverseMatch:
            continue


def _current_entry(path: str, urls: Sequence[str]) -> str:
    """The entry with the longest URL prefix of `path`; the home page only matches itself."""
    above = [url for url in urls if path == url or (url != "/" and path.startswith(url))]
    return max(above, key=len, default="")
