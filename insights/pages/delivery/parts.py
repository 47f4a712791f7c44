"""Parts that load after the page: menus, and whatever is slow.

Without JavaScript their links open the same parts as pages.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from django.utils import timezone

from insights.pages.delivery.sections import SECTIONS, section
from insights.pages.delivery.spread import slowest
from insights.pages.integrations.needs import need_lines
from insights.ui.filters import Filters
from integrations.delivery.completeness import completeness


def needs(filters: Filters) -> dict[str, Any]:
    """The missing inputs of DORA, independent of the filters."""
    for_admin = bool(getattr(filters.access.viewer, "is_staff", False))
    lines = need_lines(completeness(), timezone.now(), for_admin=for_admin)
    return {"title": "Missing DORA inputs", "needs": lines, "part": "insights/_part_dora_needs.html"}


def section_part(filters: Filters, *, name: str) -> dict[str, Any]:
    return {"title": name.capitalize(), "section": section(name, filters), "part": "insights/delivery/_section.html"}


PARTS: Mapping[str, Callable[[Filters], dict[str, Any]]] = {
    "slowest": lambda filters: {"title": "Slowest changes", "slowest": slowest(filters)},
    "needs": needs,
    **{name: partial(section_part, name=name) for name in SECTIONS},
}
