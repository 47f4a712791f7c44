"""Matching by worked examples with the strengths of docs/identities.md, and by properties."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orgtree.identities.likeness import Method, Somebody
from orgtree.identities.matching import HIGHEST_PERCENT, LIKELY, MOST_ALIKE, MOST_PROPOSED, match

ADA = Somebody(1, True, "Ada King", ("Ada King",), ("ada.king@example.com",), (("github", "ada-k"),))
BEN = Somebody(2, True, "Ben Stone", ("Ben Stone",), ("ben.stone@example.com",))


def new(*names: str, email: str = "", login: str = "", key: int = 9) -> Somebody:
    emails, logins = ((email,) if email else ()), ((("gitlab", login),) if login else ())
    return Somebody(key, False, names[0] if names else email or login, names, emails, logins)


def confidence(somebody: Somebody, *known: Somebody) -> int | None:
    """Percent that it is the first of the known ones; None: nobody is proposed."""
    likely = match([*(known or (ADA, BEN)), somebody]).get(somebody.key, [])
    return next((likeness.confidence for likeness in likely if likeness.other == 1), None)


@pytest.mark.parametrize(
    ("somebody", "expected"),
    [
        # mailbox 0.95 and the domain 0.20: 1 − 0.05 × 0.8
        (new(email="ada.king+git@example.com"), 96),
        (new("Ada King", email="a@home.example.org"), 88),
        (new("King, Ada", email="a@home.example.org"), 88),
        (new("ÁDA  K\u200bING", email="a@home.example.org"), 88),
        (new("Ada M. King", email="a@home.example.org"), 75),
        (new("A. King", email="a@home.example.org"), 60),
        (new("Ada", email="a@home.example.org"), None),
        # a login of four to seven letters, much as at another provider
        (new(login="ada-k"), 65),
        # "adaking" has seven letters, too, but is the whole name
        (new(login="ada.king"), 75),
        (new(login="kingada"), 75),
        (new(login="aking"), 60),
        # 0.60 × 0.85
        (new(login="aking7"), 51),
        (new(login="king"), None),
        (new(login="ada"), None),
        # name 0.88 and handle 0.80: 1 − 0.12 × 0.2, but never surer than 97
        (new("Ada King", login="ada-king"), 97),
        # name 0.88, a part of the organisation 0.20
        (new("Ada King", email="x@laptop.example.com"), 90),
        # the same domain: colleagues, unless the names agree
        (new(email="aking@example.com"), None),
        (new("Ada King", email="aking@example.com"), 96),
        # a name that says otherwise
        (new("Alan Stone", login="aking"), None),
        (new("Your Name", email="x@home.example.org"), None),
        (new(), None),
        (new("x" * 300, email="y" * 300 + "@example.org"), None),
    ],
    ids=lambda value: (
        f"{value.names} {value.emails} {value.logins}"[:80] if isinstance(value, Somebody) else str(value)
    ),
)
def test_confidence(somebody: Somebody, expected: int | None) -> None:
    assert confidence(somebody) == expected


def test_names_in_other_scripts_compare_within_them() -> None:
    hebrew = Somebody(1, True, "עדה קינג", ("עדה קינג",), ("ada@example.com",))
    assert confidence(new("\u200fעדה  קינג", email="a@home.example.org"), hebrew) == 88


def test_namesakes_share_the_confidence_and_the_doubt_is_said() -> None:
    other = Somebody(2, True, "Ada King", ("Ada King",), ("ada.king2@example.com",))
    (likely,) = match([ADA, other, new("Ada King", email="a@home.example.org")]).values()
    assert [(likeness.other, likeness.confidence) for likeness in likely] == [(1, 44), (2, 44)]
    assert likely[0].evidence[-1].method == Method.DOUBT


def test_better_evidence_takes_most_of_the_confidence() -> None:
    queen = Somebody(1, True, "Ada King", ("Ada King",), ("ada.king@example.com",), (("github", "octavia"),))
    other = Somebody(2, True, "Ada King", ("Ada King",), ("ada.king2@example.com",))
    (likely,) = match([queen, other, new("Ada King", login="octavia")]).values()
    assert [likeness.other for likeness in likely] == [1, 2]
    assert likely[0].confidence > 2 * likely[1].confidence


def test_who_is_like_many_is_like_nobody() -> None:
    people = [
        Somebody(number, True, "Ada King", ("Ada King",), (f"ada{number}@example.com",))
        for number in range(1, MOST_ALIKE + 2)
    ]
    somebody = new("Ada King", email="a@home.example.org", key=99)
    assert len(match([*people[:-1], somebody])[99]) == MOST_PROPOSED
    assert match([*people, somebody]) == {}


def test_what_was_rejected_is_not_proposed() -> None:
    somebody = new("Ada King", email="a@home.example.org")
    assert match([ADA, somebody], frozenset({(9, 1)})) == {}


def test_of_two_unknown_ones_the_address_of_the_organisation_stays() -> None:
    office = new("Cedar Mockley", email="cedar.mockley@office.example.com", key=5)
    private = new("Cedar Mockley", email="cedar@gmail.com", key=6)
    login = new("Cedar Mockley", login="cedar", key=7)
    others = [new(f"Someone {n}", email=f"s{n}@office.example.com", key=10 + n) for n in range(3)]
    assert {key: likenesses[0].other for key, likenesses in match([login, private, office, *others]).items()} == {
        6: 5,
        7: 5,
    }


WORDS = st.sampled_from(["ada", "king", "ben", "stone", "cedar", "mockley", "a", "k"])
SOMEBODY = st.tuples(
    st.booleans(),
    st.lists(WORDS, max_size=3).map(" ".join),
    st.one_of(
        st.just(""), st.builds("{}@{}".format, WORDS, st.sampled_from(["example.com", "gmail.com", "x.example.com"]))
    ),
    st.one_of(st.just(""), st.builds("{}{}".format, WORDS, WORDS)),
)


@settings(max_examples=150)
@given(st.lists(SOMEBODY, max_size=8, unique_by=lambda drawn: (drawn[2], drawn[3])), st.randoms())
def test_the_order_does_not_matter_and_confidences_are_percentages(
    drawn: list[tuple[bool, str, str, str]], random: object
) -> None:
    people = [
        Somebody(
            number,
            anchored,
            name or email or login,
            (name,) if name else (),
            (email,) if email else (),
            (("github", login),) if login else (),
        )
        for number, (anchored, name, email, login) in enumerate(drawn, 1)
    ]
    likenesses = match(people)
    shuffled = list(people)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert match(shuffled) == likenesses
    anchored = {person.key for person in people if person.anchored}
    for key, likely in likenesses.items():
        assert key not in anchored
        assert all(0 <= likeness.confidence <= HIGHEST_PERCENT for likeness in likely)
        assert sum(likeness.confidence for likeness in likely) <= 100
        assert not {likeness.other for likeness in likely} & likenesses.keys(), "nobody waits for somebody who waits"
        assert likely[0].confidence >= 100 * LIKELY / MOST_ALIKE
