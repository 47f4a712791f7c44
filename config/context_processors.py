"""Context of every page: navigation, trial notice and the account's role."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from core.page_links import url_with
from insights.privacy.scope_access import access_in
from insights.ui.addresses import address
from insights.ui.filters import SCOPE_PARAMETERS, context_of
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
    takes: Literal["", "scope", "context"] = "context"  # what its link has of the page's context


NavigationLink = tuple[Entry, str, bool]  # with its URL, and whether it is current


NAVIGATION: tuple[tuple[str, tuple[Entry, ...]], ...] = (
    ("", (Entry("home", "Home", "home"), Entry("inbox", "Inbox", "bell", counts_unread=True, takes=""))),
    (
        "Insights",
        (
            Entry("ai", "AI", "sparkles"),
            Entry("ai_costs", "AI costs", "coins"),
            Entry("budgets", "AI budgets", "calendar-due", also=("charge_back",), takes=""),
            Entry("ai_repositories", "AI readiness", "shield-check"),
            Entry("attribution", "Attribution", "git-commit"),
            Entry("delivery", "Delivery", "git-merge"),
            Entry("compare", "Compare units", "table"),
            Entry("metric_catalogue", "Metrics", "chart-line", takes=""),
            Entry("hand_kept", "Hand-kept metrics", "writing", takes=""),
        ),
    ),
    (
        "Program",
        (
            Entry("program", "Overview", "layout-dashboard", takes="scope"),
            Entry("objectives", "Objectives", "target", also=("quarters",), takes="scope"),
            Entry("roadmap", "Roadmap", "layout-kanban", takes="scope"),
            Entry("tickets", "Action plans", "list-check", takes="scope"),
            Entry("reviews", "Monthly reviews", "checks", takes="scope"),
            Entry("meetings", "Meetings", "calendar", takes="scope"),
            Entry("qbrs", "QBR", "presentation", takes=""),
            Entry("benchmarks", "Benchmarks", "ruler-measure", also=("focus",), takes="scope"),
            Entry("philosophy", "Philosophy", "book", takes=""),
        ),
    ),
    (
        "Organisation",
        (
            Entry("people", "People", "user", also=("people_import",), takes=""),
            Entry("access", "Who can see what", "eye", takes=""),
        ),
    ),
    (
        "Setup",
        (
            Entry("trees", "Org Trees", "sitemap", takes=""),
            Entry("integrations", "Integrations", "plug-connected", takes=""),
            Entry("ownership", "Ownership", "key", takes=""),
            Entry("connect_agent", "Connect an agent", "plug", takes=""),
            Entry("connect_repository", "Repositories", "binary-tree-2", takes=""),
            Entry("identities", "Identities", "users", staff_only=True, takes=""),
            Entry("admin:index", "Admin", "settings", staff_only=True, takes=""),
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
    given = context_of(request)
    context = {"": [], "scope": [pair for pair in given if pair[0] in SCOPE_PARAMETERS], "context": given}

    def link(entry: Entry) -> str:
        return url_with(address(entry.url_name), context[entry.takes])

    return [
        (
            title,
            [(entry, link(entry), entry is current) for entry in entries],
        )
        for title, entries in sections
    ]


def _current_url(path: str, urls: Iterable[str]) -> str:
    """The longest URL that is a prefix of `path`; the home page only matches itself."""
    above = [url for url in urls if path == url or (url != "/" and path.startswith(url))]
    return max(above, key=len, default="")
