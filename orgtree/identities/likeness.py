"""What speaks for two somebodies being one: looked up, so that nobody is compared with everybody."""

from __future__ import annotations

import enum
import math
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

from orgtree.identities.addresses import local_part, without_tag
from orgtree.identities.names import NOBODYS_NAMES, handle, handles_of, words_of

# How often such a likeness is no chance, with nothing else known.  docs/identities.md gives the reasons.
SAME_MAILBOX = 0.95
SAME_NAME = 0.88
SAME_LONG_HANDLE = 0.80
SAME_SHORT_HANDLE = 0.65
WHOLE_NAME_AS_HANDLE = 0.75
FIRST_AND_LAST_NAME = 0.75
PART_OF_NAME_AS_HANDLE = 0.60
INITIAL_AND_LAST_NAME = 0.60
SAME_SINGLE_NAME = 0.40
ONE_WORD_AS_HANDLE = 0.30
SAME_ORGANISATION = 0.20
WITHOUT_ITS_NUMBER = 0.85  # times the strength: aking7 for aking

SHORTEST_HANDLE = 4  # "ada" is anybody's
LONG_HANDLE = 8
# What so many share tells nobody from anybody; looking at them all would only take time.
MOST_SHARING = 20
_NUMBER_BEHIND = re.compile(r"\d+$")
_Sharing = TypeVar("_Sharing")


class Method(enum.StrEnum):
    """Kinds of evidence; of each kind only the strongest counts."""

    MAILBOX = "mailbox"
    NAME = "name"
    HANDLE = "handle"
    DOMAIN = "domain"
    DOUBT = "doubt"


@dataclass(frozen=True, slots=True)
class Evidence:
    """Something that speaks for it: how strongly, 0–1, and in words."""

    method: Method
    strength: float
    words: str

    @classmethod
    def of_domains(cls, inner: str, outer: str) -> Evidence:
        if inner == outer:
            return cls(Method.DOMAIN, SAME_ORGANISATION, f"Both have an address at {inner}.")
        part, whole = sorted((inner, outer), key=len, reverse=True)
        return cls(Method.DOMAIN, SAME_ORGANISATION, f"{part} is a part of {whole}.")


def certainty(evidences: Iterable[Evidence]) -> float:
    """0–1: that not all of the evidence, each kind independent of the others, is chance."""
    return 1 - math.prod(1 - evidence.strength for evidence in evidences)


@dataclass(frozen=True)
class Somebody:
    """All that is known of a person, or of an identity of which nobody knows whose it is.

    `called` is for sentences; `names` are only names that somebody wrote, none that was made from an address.
    """

    key: int
    anchored: bool
    called: str
    names: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    logins: tuple[tuple[str, str], ...] = ()  # provider, login

    @cached_property
    def words(self) -> tuple[tuple[str, ...], ...]:
        return tuple(dict.fromkeys(words for name in self.names if (words := words_of(name))))

    @cached_property
    def handles(self) -> dict[str, str]:
        """What others call them by machine, as it compares, with where it stands."""
        found: dict[str, str] = {}
        for email in self.emails:
            found.setdefault(handle(local_part(email)), email)
        for provider, login in self.logins:
            found.setdefault(handle(login), f"{login} ({provider})" if provider else login)
        return {
            text: where
            for text, where in found.items()
            if len(text) >= SHORTEST_HANDLE and not text.isdigit() and text not in NOBODYS_NAMES
        }


class Index:
    """Somebodies by what they may share with others."""

    def __init__(self, people: Iterable[Somebody]) -> None:
        self._people: dict[int, Somebody] = {}
        self._mailboxes: defaultdict[str, list[int]] = defaultdict(list)
        self._names: defaultdict[tuple[str, ...], list[int]] = defaultdict(list)
        self._ends: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
        self._initials: defaultdict[tuple[str, str], list[int]] = defaultdict(list)  # of those named in full
        self._handles: defaultdict[str, list[int]] = defaultdict(list)
        self._patterns: defaultdict[str, list[tuple[int, float, str]]] = defaultdict(list)
        for person in people:
            self.add(person)

    def __getitem__(self, key: int) -> Somebody:
        return self._people[key]

    def add(self, each: Somebody) -> None:
        self._people[each.key] = each
        for email in {without_tag(email) for email in each.emails}:
            self._mailboxes[email].append(each.key)
        for words in each.words:
            self._names[tuple(sorted(words))].append(each.key)
            if len(words) > 1:
                self._ends[words[0], words[-1]].append(each.key)
                if len(words[0]) > 1:
                    self._initials[words[0][0], words[-1]].append(each.key)
            for text, strength, said in _patterns(words):
                self._patterns[text].append((each.key, strength, said))
        for text in each.handles:
            self._handles[text].append(each.key)

    def clues(self, each: Somebody) -> Iterator[tuple[int, Evidence]]:
        """Who shares something with them, and what it is; somebody may come several times."""
        for clues in (self._by_mailbox(each), self._by_name(each), self._by_handle(each)):
            yield from clues

    def _by_mailbox(self, each: Somebody) -> Iterator[tuple[int, Evidence]]:
        for email in each.emails:
            mailbox = without_tag(email)
            for key in self._mailboxes.get(mailbox, ()):
                words = f"Without what follows the plus sign, both addresses are {mailbox}."
                yield key, Evidence(Method.MAILBOX, SAME_MAILBOX, words)

    def _by_name(self, each: Somebody) -> Iterator[tuple[int, Evidence]]:
        for words in each.words:
            signed = next(name for name in each.names if words_of(name) == words)
            for key in _few(self._names.get(tuple(sorted(words)), ())):
                strength = SAME_NAME if len(words) > 1 else SAME_SINGLE_NAME
                yield (
                    key,
                    Evidence(Method.NAME, strength, f"Signed “{signed}”, which is also {self[key].called}’s name."),
                )
            if len(words) < 2:
                continue
            first, last = words[0], words[-1]
            shortened = (
                self._ends.get((first[0], last), ()) if len(first) > 1 else self._initials.get((first, last), ())
            )
            for keys, strength, said in (
                (self._ends.get((first, last), ()), FIRST_AND_LAST_NAME, "have"),
                (shortened, INITIAL_AND_LAST_NAME, "may have"),
            ):
                for key in _few(keys):
                    text = f"“{signed}” and {self[key].called} {said} the same first and last name."
                    yield key, Evidence(Method.NAME, strength, text)

    def _by_handle(self, each: Somebody) -> Iterator[tuple[int, Evidence]]:
        for text, where in each.handles.items():
            for short, weight in _with_and_without_number(text):
                for key in _few(self._handles.get(short, ())):
                    strength = SAME_LONG_HANDLE if len(short) >= LONG_HANDLE else SAME_SHORT_HANDLE
                    words = f"{where} is much the same as {self[key].handles[short]}."
                    yield key, Evidence(Method.HANDLE, strength * weight, words)
                for key, strength, said in _few(self._patterns.get(short, ())):
                    words = f"{where} may be made of {said} of {self[key].called}."
                    yield key, Evidence(Method.HANDLE, strength * weight, words)
        for words_of_name in each.words:
            for text, strength, said in _patterns(words_of_name):
                for key in _few(self._handles.get(text, ())):
                    # With a name of its own, the handle would only say the same as the names once more.
                    if not self[key].words:
                        words = f"{self[key].handles[text]} may be made of {said} of {each.called}."
                        yield key, Evidence(Method.HANDLE, strength, words)


def _patterns(words: tuple[str, ...]) -> Iterator[tuple[str, float, str]]:
    """The handles that a name is likely behind: text, strength, and what of the name it is."""
    made = handles_of(words)
    for text, said in made.items():
        if len(text) >= SHORTEST_HANDLE:
            whole = len(text) >= len(words[0]) + len(words[-1])
            yield text, WHOLE_NAME_AS_HANDLE if whole else PART_OF_NAME_AS_HANDLE, said
    for word, said in {words[-1]: "the last name", words[0]: "the first name"}.items():
        if len(word) >= SHORTEST_HANDLE and word not in made and word not in NOBODYS_NAMES:
            yield word, ONE_WORD_AS_HANDLE, said


def _with_and_without_number(text: str) -> Iterator[tuple[str, float]]:
    yield text, 1.0
    bare = _NUMBER_BEHIND.sub("", text)
    if bare != text and len(bare) >= SHORTEST_HANDLE:
        yield bare, WITHOUT_ITS_NUMBER


def _few(sharing: Sequence[_Sharing]) -> Sequence[_Sharing]:
    return sharing if len(sharing) <= MOST_SHARING else ()
