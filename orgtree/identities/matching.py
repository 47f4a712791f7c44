"""Who is like whom: every pair of somebodies that shares a name, a handle or a mailbox, with a confidence.

Nothing here depends on the order in which identities were seen: of two who are alike, the one that is better known
stays, and the other one waits.  docs/identities.md gives the strengths with their reasons.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from orgtree.identities.addresses import domain, is_below
from orgtree.identities.likeness import Evidence, Index, Method, Somebody, certainty

# Below, being alike is chance more often than not, and asking would waste an admin's time.
LIKELY = 0.5
# Whoever is like more people than that is like nobody in particular: "dev", or a very common name.
MOST_ALIKE = 5
MOST_PROPOSED = 3
HIGHEST_PERCENT = 97  # only what somebody said is sure
PUBLIC_MAIL = frozenset(
    {
        *("gmail.com", "googlemail.com", "outlook.com", "hotmail.com", "live.com", "yahoo.com", "icloud.com", "me.com"),
        *("proton.me", "protonmail.com", "gmx.de", "gmx.net", "web.de", "aol.com", "fastmail.com", "hey.com"),
        *("qq.com", "163.com", "126.com", "mail.ru", "yandex.ru", "naver.com"),
    }
)


@dataclass(frozen=True, slots=True)
class Likeness:
    """Somebody is likely `other` (a key); the confidence is in percent, the evidence stands strongest first."""

    other: int
    confidence: int
    evidence: tuple[Evidence, ...]


def match(people: Sequence[Somebody], rejected: frozenset[tuple[int, int]] = frozenset()) -> dict[int, list[Likeness]]:
    """For each somebody who is not anchored and likely is somebody else: whom, the likeliest first; by key.

    `rejected` are pairs of keys (who, not whom) of which somebody said that they differ.
    """
    index = Index(person for person in people if person.anchored)
    found: dict[int, list[Likeness]] = {}
    for each in _better_known_first(people):
        if alike := _alike(each, index, rejected):
            found[each.key] = alike
        else:
            index.add(each)
    return found


def _better_known_first(people: Sequence[Somebody]) -> list[Somebody]:
    """Those who are not anchored: of the organisation's own domains first, then with any address, then by alphabet."""
    usual = Counter(domain(email) for person in people for email in set(person.emails))
    for public in PUBLIC_MAIL & usual.keys():
        usual[public] = 0

    def standing(each: Somebody) -> tuple[int, bool, tuple[str, ...]]:
        colleagues = max((usual[domain(email)] for email in each.emails), default=0)
        return -colleagues, not each.emails, (*sorted(each.emails), *sorted(login for _, login in each.logins))

    return sorted((person for person in people if not person.anchored), key=standing)


def _alike(each: Somebody, index: Index, rejected: frozenset[tuple[int, int]]) -> list[Likeness]:
    clues: defaultdict[int, list[Evidence]] = defaultdict(list)
    for key, evidence in index.clues(each):
        if (each.key, key) not in rejected:
            clues[key].append(evidence)
    likely: dict[int, tuple[float, tuple[Evidence, ...]]] = {}
    for key, evidences in clues.items():
        weighed = _weigh(each, index[key], evidences)
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


def _weigh(each: Somebody, other: Somebody, evidences: Sequence[Evidence]) -> tuple[Evidence, ...]:
    """The strongest evidence of each kind, less what speaks against it, and what speaks for it besides."""
    best: dict[Method, Evidence] = {}
    for evidence in evidences:
        if evidence.method not in best or evidence.strength > best[evidence.method].strength:
            best[evidence.method] = evidence
    shared = _shared_domain(each, other)
    if Method.HANDLE in best and Method.NAME not in best and shared and shared[0] == shared[1]:
        # An organisation gives everybody an address: aking@ and ada.king@ of one domain are two people as a rule.
        del best[Method.HANDLE]
    if Method.NAME not in best and _differently_called(each, other):
        best.pop(Method.HANDLE, None)
    if best and shared:
        best[Method.DOMAIN] = Evidence.of_domains(*shared)
    return tuple(sorted(best.values(), key=lambda evidence: -evidence.strength))


def _shared_domain(each: Somebody, other: Somebody) -> tuple[str, str] | None:
    """(theirs, the other's) where one address is of the other's organisation; the same domain rather than a part."""
    pairs = [
        (inner, outer)
        for inner in map(domain, each.emails)
        for outer in map(domain, other.emails)
        if outer not in PUBLIC_MAIL and (is_below(inner, outer) or is_below(outer, inner))
    ]
    return min(pairs, key=lambda pair: (pair[0] != pair[1], pair), default=None)


def _differently_called(each: Somebody, other: Somebody) -> bool:
    """Whether both have a name of several words, and no word of any is in any of the other's."""
    theirs = [words for words in each.words if len(words) > 1]
    others = [words for words in other.words if len(words) > 1]
    return bool(theirs and others) and not (
        {word for words in theirs for word in words} & {word for words in others for word in words}
    )


def _others(count: int) -> Iterator[Evidence]:
    if count:
        people = "One other person is" if count == 1 else f"{count} other people are"
        yield Evidence(Method.DOUBT, 0.0, f"{people} as likely or nearly so.")
