"""Likely matches: pairs of people that share a name, a handle or a mailbox, with a confidence.

Independent of the order in which identities were seen: of two matches, the better known stays and the other one waits.
docs/identities.md gives the strengths with their reasons.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from orgtree.identities.likeness import Evidence, Index, Method, Somebody, certainty
from orgtree.identities.names import domain, is_below, without_tag

# Below, a match is more likely coincidence, and reviewing it wastes an admin's time.
LIKELY = 0.5
# More matches identify nobody: "dev", or a very common name.
MOST_ALIKE = 5
MOST_PROPOSED = 3
HIGHEST_PERCENT = 97  # only decisions are certain
PUBLIC_MAIL = frozenset(
    {
        *("gmail.com", "googlemail.com", "outlook.com", "hotmail.com", "live.com", "yahoo.com", "icloud.com", "me.com"),
        *("proton.me", "protonmail.com", "gmx.de", "gmx.net", "web.de", "aol.com", "fastmail.com", "hey.com"),
        *("qq.com", "163.com", "126.com", "mail.ru", "yandex.ru", "naver.com"),
    }
)


@dataclass(frozen=True, slots=True)
class Likeness:
    """A likely match with `other` (a key); confidence in percent, strongest evidence first."""

    other: int
    confidence: int
    evidence: tuple[Evidence, ...]


def match(people: Sequence[Somebody], rejected: frozenset[tuple[int, int]] = frozenset()) -> dict[int, list[Likeness]]:
    """Likely matches of unanchored people by key, likeliest first.

    `rejected` are pairs of keys that were decided to differ.
    """
    index = Index(person for person in people if person.anchored)
    likenesses: dict[int, list[Likeness]] = {}
    for person in _better_known_first(people):
        if alike := _alike(person, index, rejected):
            likenesses[person.key] = alike
        else:
            index.add(person)
    return likenesses


def _better_known_first(people: Sequence[Somebody]) -> list[Somebody]:
    """Unanchored people: those with the organisation's domains first, then with any address, then by alphabet.

    A plain address is better known than one with a tag, which somebody made for a purpose.
    """
    usual = Counter(domain(email) for person in people for email in set(person.emails))
    for public in PUBLIC_MAIL & usual.keys():
        usual[public] = 0

    def rank(person: Somebody) -> tuple[int, bool, bool, tuple[str, ...]]:
        colleagues = max((usual[domain(email)] for email in person.emails), default=0)
        tagged = all(without_tag(email) != email for email in person.emails)
        return (
            -colleagues,
            not person.emails,
            tagged,
            (*sorted(person.emails), *sorted(login for _, login in person.logins)),
        )

    return sorted((person for person in people if not person.anchored), key=rank)


def _alike(person: Somebody, index: Index, rejected: frozenset[tuple[int, int]]) -> list[Likeness]:
    clues: defaultdict[int, list[Evidence]] = defaultdict(list)
    for key, evidence in index.clues(person):
        if (person.key, key) not in rejected:
            clues[key].append(evidence)
    likely: dict[int, tuple[float, tuple[Evidence, ...]]] = {}
    for key, evidences in clues.items():
        weighed = _weigh(person, index[key], evidences)
        if weighed and (sure := certainty(weighed)) >= LIKELY:
            likely[key] = sure, weighed
    if not likely or len(likely) > MOST_ALIKE:
        return []
    odds = {key: sure / (1 - sure) for key, (sure, _) in likely.items()}
    total = sum(odds.values())
    alike = [
        Likeness(
            key,
            min(HIGHEST_PERCENT, round(100 * sure * odds[key] / total)),
            (*evidence, *_others(len(likely) - 1)),
        )
        for key, (sure, evidence) in likely.items()
    ]
    alike.sort(key=lambda likeness: (-likeness.confidence, index[likeness.other].called, likeness.other))
    return alike[:MOST_PROPOSED]


def _weigh(person: Somebody, other: Somebody, evidences: Sequence[Evidence]) -> tuple[Evidence, ...]:
    """The strongest evidence of each kind, without contradicted evidence, plus a shared domain."""
    best: dict[Method, Evidence] = {}
    for evidence in evidences:
        if evidence.method not in best or evidence.strength > best[evidence.method].strength:
            best[evidence.method] = evidence
    shared = _shared_domain(person, other)
    if Method.HANDLE in best and Method.NAME not in best and shared and shared[0] == shared[1]:
        # One address per person and domain: aking@ and ada.king@ of one domain are usually two people.
        del best[Method.HANDLE]
    if Method.NAME not in best and _differently_called(person, other):
        best.pop(Method.HANDLE, None)
    if best and shared:
        best[Method.DOMAIN] = Evidence.of_domains(*shared)
    return tuple(sorted(best.values(), key=lambda evidence: -evidence.strength))


def _shared_domain(person: Somebody, other: Somebody) -> tuple[str, str] | None:
    """(own, other's) domains that are equal or nested, equal ones preferred; None without any."""
    pairs = [
        (inner, outer)
        for inner in map(domain, person.emails)
        for outer in map(domain, other.emails)
        if outer not in PUBLIC_MAIL and (is_below(inner, outer) or is_below(outer, inner))
    ]
    return min(pairs, key=lambda pair: (pair[0] != pair[1], pair), default=None)


def _differently_called(person: Somebody, other: Somebody) -> bool:
    """Whether both have multi-word names without a common word."""
    theirs = [words for words in person.words if len(words) > 1]
    others = [words for words in other.words if len(words) > 1]
    return bool(theirs and others) and not (
        {word for words in theirs for word in words} & {word for words in others for word in words}
    )


def _others(count: int) -> Iterator[Evidence]:
    if count:
        people = "One other person is" if count == 1 else f"{count} other people are"
        yield Evidence(Method.DOUBT, 0.0, f"{people} about equally likely.")
