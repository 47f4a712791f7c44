"""What every page needs: the navigation and the notice of the trial mode."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.functional import SimpleLazyObject

from orgtree.services.trust import trial_state


@dataclass(frozen=True)
class Entry:
    """A page that the navigation leads to: its URL's name, its label and its icon."""

    url_name: str
    label: str
    icon: str
    staff_only: bool = False


@dataclass(frozen=True)
class NavigationItem:
    label: str
    icon: str
    url: str
    current: bool


@dataclass(frozen=True)
class NavigationSection:
    title: str
    items: Sequence[NavigationItem]


NAVIGATION: tuple[tuple[str, tuple[Entry, ...]], ...] = (
    ("", (Entry("home", "Home", "home"),)),
    ("Insights", (Entry("ai", "AI", "sparkles"), Entry("metric_catalogue", "Metrics", "chart-line"))),
    (
        "Setup",
        (
            Entry("connect_agent", "Connect an agent", "plug"),
            Entry("admin:index", "Admin", "settings", staff_only=True),
        ),
    ),
)


def shell(request: HttpRequest) -> dict[str, Any]:
    """`navigation`, and `trial_notice` as a lazy text: a page that does not print it asks the database nothing."""
    return {
        "navigation": navigation(request),
        "trial_notice": SimpleLazyObject(lambda: trial_state().notice),
    }


def navigation(request: HttpRequest) -> list[NavigationSection]:
    """The sections with the pages that this installation has and that this user may open."""
    is_staff = bool(getattr(getattr(request, "user", None), "is_staff", False))
    sections = [
        NavigationSection(title, list(_items(request.path, [e for e in entries if is_staff or not e.staff_only])))
        for title, entries in NAVIGATION
    ]
    return [section for section in sections if section.items]


def _items(path: str, entries: Sequence[Entry]) -> Iterator[NavigationItem]:
    for entry in entries:
        try:
            url = reverse(entry.url_name)
        except NoReverseMatch:
            continue
        yield NavigationItem(entry.label, entry.icon, url, current=_leads_to(url, path))


def _leads_to(url: str, path: str) -> bool:
    """Whether the page at `path` stands below `url`; the home page stands below nothing."""
    return path == url if url == "/" else path.startswith(url)
