"""The scope of the overview and its parts, and URLs that keep it."""

from __future__ import annotations

from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse

from insights.privacy.scope_access import access_in
from insights.query import windows
from insights.ui.filters import Filters, read_filters


def program_filters(request: HttpRequest) -> Filters:
    """Raises BadFilterError."""
    return read_filters(request.GET, today=windows.local_today(), access=access_in(request))


def leads(filters: Filters) -> bool:
    """Whether the viewer answers for those whose page it is."""
    visibility, slug = filters.access.visibility, filters.scope.unit
    return visibility.leads_whole if slug is None else visibility.leads(visibility.slugs.get(slug, 0))


def scoped(filters: Filters, route: str, **more: str) -> str:
    pairs = [*filters.scope_parameters(), *more.items()]
    return f"{reverse(route)}?{urlencode(pairs)}" if pairs else reverse(route)
