"""Cached URLs of named routes: a page has two hundred links, and reversing them dominated its rendering."""

from __future__ import annotations

from functools import lru_cache

from django.urls import get_script_prefix, reverse

CACHE_SIZE = 4_096


def address(name: str, *about: str) -> str:
    """The URL of a route name and its path arguments, as `reverse`.  Raises django.urls.NoReverseMatch."""
    return _address(get_script_prefix(), name, about)


@lru_cache(maxsize=CACHE_SIZE)
def _address(_prefix: str, name: str, about: tuple[str, ...]) -> str:
    return reverse(name, args=about)
