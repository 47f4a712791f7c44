"""The sources of the search: each room registers its sources in `AppConfig.ready`.  docs/search.md

A source finds only what its reader may open: it starts from the queryset of the page that it leads to.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from django.db.models import Case, Q, Value, When

from core.hooks import Hook
from orgtree.access.access import Access

Takes = Literal["", "scope", "window", "context"]


@dataclass(frozen=True)
class Hit:
    """`hint` says which one it is, `note` its state.  Its link takes that much of the context of the reader's page.

    It ranks by how closely the words match its title, or `matched`.
    """

    title: str
    address: str
    hint: str = ""
    note: str = ""
    icon: str = ""
    takes: Takes = ""
    matched: str = ""


@dataclass(frozen=True)
class SearchSource:
    """`find` returns at most so many hits that contain all words, the closest first.

    Sources of one name are one group; of groups that match equally well the one with the smaller `order` comes first.
    """

    name: str
    order: int
    icon: str
    find: Callable[[Access, Sequence[str], int], Sequence[Hit]]
    handicap: int = 0  # added to the rank of its hits, where they are rarely what is meant


ELSEWHERE = 4  # the rank of a hit whose own text lacks a word
search_sources: Hook[SearchSource] = Hook()


def with_all(words: Sequence[str], *fields: str) -> Q:
    """Rows of which each word is in one of the fields."""
    condition = Q()
    for word in words:
        in_any = Q()
        for field in fields:
            in_any |= Q(**{f"{field}__icontains": word})
        condition &= in_any
    return condition


def closeness(words: Sequence[str], field: str) -> Case:
    """0 where the field begins with the phrase, 1 where one of its words does, 2 elsewhere: to order by."""
    phrase = " ".join(words)
    return Case(
        When(**{f"{field}__istartswith": phrase}, then=Value(0)),
        When(**{f"{field}__icontains": f" {phrase}"}, then=Value(1)),
        default=Value(2),
    )


def rank(hit: Hit, words: Sequence[str]) -> int:
    """The distance of a hit from the words: 0 for the phrase itself, ELSEWHERE where some are not in its text."""
    return min(_rank(hit.title, words), _rank(hit.matched, words))


def _rank(text: str, words: Sequence[str]) -> int:
    text, phrase = text.lower(), " ".join(words).lower()
    if text == phrase:
        return 0
    if text.startswith(phrase):
        return 1
    if f" {phrase}" in text:
        return 2
    return 3 if all(word.lower() in text for word in words) else ELSEWHERE
