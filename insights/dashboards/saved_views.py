"""Saves a page with its unit, window and filters under a name.  What it shows depends on the rights of its reader."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from django.db import transaction
from django.http import QueryDict
from django.urls import Resolver404, ResolverMatch, resolve
from django.utils import timezone

from core.page_links import url_with
from core.write_errors import FieldError, checked_text
from insights.catalogue.registry import find
from insights.dashboards.sharing import account_of, check_may_change, checked_title
from insights.engine.plan import resolve_scope
from insights.models import SavedView
from insights.models.saved_views import LONGEST_ADDRESS
from insights.query import windows
from insights.ui.filters import Filters, read_filters
from orgtree.access.access import Access

MOST_VIEWS = 200  # per account
# The pages with a filter bar, by the names of their routes.
PAGES: Mapping[str, str] = {
    **{"ai": "AI", "ai_tab": "AI", "ai_sessions": "Agent sessions", "ai_leaderboard": "Leaderboard"},
    **{"delivery": "Delivery", "delivery_tab": "Delivery", "compare": "Compare units"},
    **{"planning": "Planning", "planning_tab": "Planning"},
    **{"metric_page": "Metric", "dashboard": "Dashboard"},
}


def save_view(access: Access, *, title: object, address: object) -> SavedView:
    """Save a view of one's own.  Raises FieldError, MayNotWriteError."""
    owner = account_of(access)
    fields = {"title": checked_title(title), "address": checked_address(access, address)}
    if SavedView.objects.filter(owner=owner).count() >= MOST_VIEWS:
        raise FieldError("", f"An account has at most {MOST_VIEWS} saved views: delete one first.")
    return SavedView.objects.create(owner=owner, **fields)


def update_view(access: Access, view: SavedView, *, title: object, address: object = None) -> None:
    """Rename the view; with an address, make it show another page or other filters."""
    check_may_change(access, view)
    view.title = checked_title(title)
    if address is not None:
        view.address = checked_address(access, address)
    view.changed_at = timezone.now()
    view.save()


@transaction.atomic
def remove_view(access: Access, view: SavedView) -> None:
    check_may_change(access, view)
    view.delete()


def checked_address(access: Access, address: object) -> str:
    """The path and parameters of a page with a filter bar that the account may open.  Raises FieldError."""
    if not isinstance(address, str):
        raise FieldError("address", "It must be a text: the address of a page without the host.")
    text = checked_text("address", address, LONGEST_ADDRESS, missing="It needs the address of a page.")
    parts, match = urlsplit(text), _page(text)
    if parts.scheme or parts.netloc or match is None:
        raise FieldError(
            "address", f"There is no view of this page: {', '.join(dict.fromkeys(PAGES.values()))} have one."
        )
    parameters = QueryDict(parts.query)
    try:
        resolve_scope(read_filters(parameters, today=windows.local_today(), access=access).scope)
    except FieldError as problem:
        raise FieldError("address", f"{problem.field}: {problem.message}") from None
    return url_with(parts.path, parameters)


def filters_of_view(access: Access, view: SavedView) -> Filters | None:
    """The unit, window and filters as the reader sees them.

    None if its unit is not visible to the reader or a filter no longer exists; which of the two is not disclosed.
    """
    try:
        return read_filters(QueryDict(urlsplit(view.address).query), today=windows.local_today(), access=access)
    except FieldError:
        return None


def page_name(view: SavedView) -> str:
    """The name of the view's page, such as “AI: Spend”."""
    match = _page(view.address)
    if match is None:
        return "A page that no longer exists"
    name = PAGES[match.url_name or ""]
    detail = match.kwargs.get("tab", "").replace("-", " ").capitalize()
    if metric := find(match.kwargs.get("key", "")):
        detail = metric.label
    return f"{name}: {detail}" if detail else name


def _page(address: str) -> ResolverMatch | None:
    try:
        match = resolve(urlsplit(address).path)
    except (Resolver404, ValueError):
        return None
    return match if match.url_name in PAGES else None
