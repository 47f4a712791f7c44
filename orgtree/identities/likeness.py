"""Evidence that two people are the same, found through an index instead of comparing all pairs."""

from __future__ import annotations

import enum
import math
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

from orgtree.identities.names import NOBODYS_NAMES, handle, handles_of, local_part, without_tag, words_of

# Probability that such a match is no coincidence, with nothing else known.  docs/identities.md gives the reasons.
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

SHORTEST_HANDLE = 4  # "ada" could be anybody
LONG_HANDLE = 8
# A value shared by more people identifies nobody.
MOST_SHARING = 20
_NUMBER_BEHIND = re.compile(r"\d+$")
_Sharing = TypeVar("_Sharing")


class Method(enum.StrEnum):
    """Kinds of evidence; only the strongest of each kind counts."""

    MAILBOX = "mailbox"
    NAME = "name"
    HANDLE = "handle"
    DOMAIN = "domain"
    DOUBT = "doubt"


@dataclass(frozen=True, slots=True)
class Evidence:
    """Evidence with its strength, 0–1, and a sentence."""

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
    """Probability, 0–1, that not all of the evidence is coincidence; kinds are independent."""
    return 1 - math.prod(1 - evidence.strength for evidence in evidences)


@dataclass(frozen=True)
class Somebody:
    """Everything known about a person or an unmatched identity.

    `called` is for sentences; `names` were written by people, never derived from an address.
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
        """Normalised handles with their source."""
        source_of: dict[str, str] = {}
        for email in self.emails:
            source_of.setdefault(handle(local_part(email)), email)
        for provider, login in self.logins:
            source_of.setdefault(handle(login), f"{login} ({provider})" if provider else login)
        return {
            text: where
            for text, where in source_of.items()
            if len(text) >= SHORTEST_HANDLE and not text.isdigit() and text not in NOBODYS_NAMES
        }


class Index:
    """Index of people by mailbox, name and handle."""

    def __init__(self, people: Iterable[Somebody]) -> None:
        self._people: dict[int, Somebody] = {}
        self._mailboxes: defaultdict[str, list[int]] = defaultdict(list)
        self._names: defaultdict[tuple[str, ...], list[int]] = defaultdict(list)
        self._ends: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
        self._initials: defaultdict[tuple[str, str], list[int]] = defaultdict(list)  # of people with a full first name
        self._handles: defaultdict[str, list[int]] = defaultdict(list)
        self._patterns: defaultdict[str, list[tuple[int, float, str]]] = defaultdict(list)
        for person in people:
            self.add(person)

    def __getitem__(self, key: int) -> Somebody:
        return self._people[key]

    def add(self, person: Somebody) -> None:
        self._people[person.key] = person
        for email in {without_tag(email) for email in person.emails}:
            self._mailboxes[email].append(person.key)
        for words in person.words:
            self._names[tuple(sorted(words))].append(person.key)
            if len(words) > 1:
                self._ends[words[0], words[-1]].append(person.key)
                if len(words[0]) > 1:
                    self._initials[words[0][0], words[-1]].append(person.key)
            for text, strength, description in _patterns(words):
                self._patterns[text].append((person.key, strength, description))
        for text in person.handles:
            self._handles[text].append(person.key)

    def clues(self, person: Somebody) -> Iterator[tuple[int, Evidence]]:
        """Keys of people that share something, with the evidence; keys may repeat."""
        for clues in (self._mailbox_clues(person), self._name_clues(person), self._handle_clues(person)):
            yield from clues

    def _mailbox_clues(self, person: Somebody) -> Iterator[tuple[int, Evidence]]:
        for email in person.emails:
            mailbox = without_tag(email)
            for key in self._mailboxes.get(mailbox, ()):
                words = f"Without the part after the plus sign, both addresses are {mailbox}."
                yield key, Evidence(Method.MAILBOX, SAME_MAILBOX, words)

    def _name_clues(self, person: Somebody) -> Iterator[tuple[int, Evidence]]:
        for words in person.words:
            signed = next(name for name in person.names if words_of(name) == words)
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
            for keys, strength, verb in (
                (self._ends.get((first, last), ()), FIRST_AND_LAST_NAME, "have"),
                (shortened, INITIAL_AND_LAST_NAME, "may have"),
            ):
                for key in _few(keys):
                    text = f"“{signed}” and {self[key].called} {verb} the same first and last name."
                    yield key, Evidence(Method.NAME, strength, text)

    def _handle_clues(self, person: Somebody) -> Iterator[tuple[int, Evidence]]:
        for text, where in person.handles.items():
            for short, weight in _with_and_without_number(text):
                for key in _few(self._handles.get(short, ())):
                    strength = SAME_LONG_HANDLE if len(short) >= LONG_HANDLE else SAME_SHORT_HANDLE
                    words = f"{where} is similar to {self[key].handles[short]}."
                    yield key, Evidence(Method.HANDLE, strength * weight, words)
                for key, strength, description in _few(self._patterns.get(short, ())):
                    words = f"{where} may be made of {description} of {self[key].called}."
                    yield key, Evidence(Method.HANDLE, strength * weight, words)
        for words_of_name in person.words:
            for text, strength, description in _patterns(words_of_name):
                for key in _few(self._handles.get(text, ())):
                    # If it has names, they already cover the handle's evidence.
                    if not self[key].words:
                        words = f"{self[key].handles[text]} may be made of {description} of {person.called}."
                        yield key, Evidence(Method.HANDLE, strength, words)


def _patterns(words: tuple[str, ...]) -> Iterator[tuple[str, float, str]]:
    """Handles likely made from a name: handle, strength, and the part of the name."""
    made = handles_of(words)
    for text, description in made.items():
        if len(text) >= SHORTEST_HANDLE:
            whole = len(text) >= len(words[0]) + len(words[-1])
            yield text, WHOLE_NAME_AS_HANDLE if whole else PART_OF_NAME_AS_HANDLE, description
    for word, description in {words[-1]: "the last name", words[0]: "the first name"}.items():
        if len(word) >= SHORTEST_HANDLE and word not in made and word not in NOBODYS_NAMES:
            yield word, ONE_WORD_AS_HANDLE, description


def _with_and_without_number(text: str) -> Iterator[tuple[str, float]]:
    yield text, 1.0
    bare = _NUMBER_BEHIND.sub("", text)
    if bare != text and len(bare) >= SHORTEST_HANDLE:
        yield bare, WITHOUT_ITS_NUMBER


def _few(sharing: Sequence[_Sharing]) -> Sequence[_Sharing]:
    return sharing if len(sharing) <= MOST_SHARING else ()
