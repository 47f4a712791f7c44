"""Sections of the home page that upper apps register at start-up."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from insights.ui.filters import Filters


@dataclass(frozen=True)
class HomeSection:
    """A template, which prints `section`, and the style sheets that it needs."""

    template: str
    section: Mapping[str, Any]
    style_sheets: tuple[str, ...] = ()


OfferSection = Callable[[Filters], HomeSection | None]
_offers: list[OfferSection] = []


def offer_section(offer: OfferSection) -> None:
    """Register a section of the home page; it returns None where the viewer has nothing there."""
    if offer not in _offers:
        _offers.append(offer)


def sections_on_home(filters: Filters) -> list[HomeSection]:
    """In the order in which they were registered."""
    return [section for offer in _offers if (section := offer(filters)) is not None]
