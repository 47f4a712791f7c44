"""Sections of the home page that upper apps register at start-up."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from core.hooks import Hook
from insights.ui.filters import Filters


@dataclass(frozen=True)
class HomeSection:
    """A template, which prints `section`, and the style sheets that it needs."""

    template: str
    section: Mapping[str, Any]
    style_sheets: tuple[str, ...] = ()


OfferSection = Callable[[Filters], HomeSection | None]
# Sections of the home page; one returns None where the viewer has nothing there.
home_sections: Hook[OfferSection] = Hook()


def sections_on_home(filters: Filters) -> list[HomeSection]:
    """In the order in which they were registered."""
    return [section for offer in home_sections if (section := offer(filters)) is not None]
