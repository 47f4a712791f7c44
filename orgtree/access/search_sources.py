"""The sources of the search, which each app registers in `AppConfig.ready`.  docs/search.md

A source finds only pages that its reader may open: it starts from the queryset of the page that a hit leads to.
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
    """A result; `hint` distinguishes it from others of its name, `note` is its state.

    `takes` limits the context that its link inherits from the reader's page.  `metric` is the key of the metric whose
    value is read after the list.  Its rank depends on how closely the words match its title, or `matched`.
    """

    title: str
    address: str
    hint: str = ""
    note: str = ""
    icon: str = ""
    takes: Takes = ""
    matched: str = ""
    metric: str = ""


@dataclass(frozen=True)
class SearchSource:
    """A source; `find` returns a limited number of hits that contain all words, closest first.

    Sources of one name form one group; among groups that match equally well, the one with the smaller `order` comes
    first.
    """

    name: str
    order: int
    icon: str
    find: Callable[[Access, Sequence[str], int], Sequence[Hit]]
    handicap: int = 0  # added to the rank of its hits, if they are rarely what the reader wants


ELSEWHERE = 4  # the rank of a hit whose own text lacks a word
search_sources: Hook[SearchSource] = Hook()


def with_all(words: Sequence[str], *fields: str) -> Q:
    """The condition that each word is in one of the fields."""
    condition = Q()
    for word in words:
        in_any = Q()
        for field in fields:
            in_any |= Q(**{f"{field}__icontains": word})
        condition &= in_any
    return condition


def closeness(words: Sequence[str], field: str) -> Case:
    """An expression to order by: 0 if the field begins with the phrase, 1 if one of its words does, 2 otherwise."""
    phrase = " ".join(words)
    return Case(
        When(**{f"{field}__istartswith": phrase}, then=Value(0)),
        When(**{f"{field}__icontains": f" {phrase}"}, then=Value(1)),
        default=Value(2),
    )


def rank(hit: Hit, words: Sequence[str]) -> int:
    """The distance of a hit from the words: 0 for the phrase itself, ELSEWHERE if some are not in its text."""
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
