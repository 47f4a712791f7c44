"""The grammar of a story's lines.  A sentence has a head, which one function understands, and clauses:

ada opens #1, as a draft, from the branch tea
───────────── ─────────── ───────────────────
head          clause      clause
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from tests.worked.story import Story

Teller = Callable[..., None]  # of the line and the groups of the head's pattern
_TELLERS: list[tuple[re.Pattern[str], Teller]] = []


@dataclass
class Line:
    """One line of a story while it is understood: when it happened, and the clauses that nobody asked for yet."""

    story: Story
    moment: datetime | None  # of what holds all the time there is none
    clauses: list[str]

    @property
    def at(self) -> datetime:
        assert self.moment, "when was that?"
        return self.moment

    def says(self, words: str) -> bool:
        return self._take(words) is not None

    def text(self, pattern: str, otherwise: str = "") -> str:
        """The text of the pattern's group."""
        found = self._take(pattern)
        return found[1] if found else otherwise

    def texts(self, pattern: str) -> list[tuple[str, ...]]:
        """The groups of each clause that the pattern fits."""
        found = []
        while taken := self._take(pattern):
            found.append(taken.groups())
        return found

    def _take(self, pattern: str) -> re.Match[str] | None:
        for words in self.clauses:
            if found := re.fullmatch(pattern, words):
                self.clauses.remove(words)
                return found
        return None


def sentence(pattern: str) -> Callable[[Teller], Teller]:
    """Marks the function that understands sentences with this head."""

    def register(teller: Teller) -> Teller:
        _TELLERS.append((re.compile(pattern), teller))
        return teller

    return register


def tell(story: Story, at: datetime | None, words: str) -> None:
    """Let the story know what the line says; it has to mean one thing, and nothing of it may be left over."""
    head, *clauses = words.split(", ")
    meant = [(teller, found) for pattern, teller in _TELLERS if (found := pattern.fullmatch(head))]
    assert len(meant) == 1, f"{'ambiguous' if meant else 'not understood'}: {words}"
    [(teller, found)] = meant
    line = Line(story, at, clauses)
    teller(line, **found.groupdict())
    assert not line.clauses, f"not understood: {line.clauses} in: {words}"
