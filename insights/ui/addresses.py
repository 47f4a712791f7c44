"""Addresses of pages by their names: a page has two hundred links, and to find one took longer than to write it."""

from __future__ import annotations

from functools import lru_cache

from django.urls import get_script_prefix, reverse

CACHE_SIZE = 4_096


def address(name: str, *about: str) -> str:
    """As `reverse`, for a route by name with what stands in its path.  Raises django.urls.NoReverseMatch.

    For paths of few kinds, such as those of metrics and charts; not of each fact or person.
    """
    return _address(get_script_prefix(), name, about)


@lru_cache(maxsize=CACHE_SIZE)
def _address(_prefix: str, name: str, about: tuple[str, ...]) -> str:
    return reverse(name, args=about)
