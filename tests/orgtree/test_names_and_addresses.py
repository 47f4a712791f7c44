"""Normalisation of names and addresses."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orgtree.identities.names import (
    HostLogin,
    better_name,
    handle,
    handles_of,
    host_login,
    is_below,
    local_part,
    without_tag,
    words_of,
)

ADA_KING = ("ada", "king")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Ada King", ADA_KING),
        ("  ada   KING ", ADA_KING),
        ("King, Ada", ADA_KING),
        ("Ada King, PhD", ADA_KING),
        ("Dr. Ada King", ADA_KING),
        ("Ada King (she/her)", ADA_KING),
        ("Ada King [ACME]", ADA_KING),
        ("Ada_King", ADA_KING),
        ("ada.king@example.com", ADA_KING),
        ("Áda Kïng", ADA_KING),
        ("A\u0301da King", ADA_KING),
        ("ＡＤＡ　ＫＩＮＧ", ADA_KING),
        ("A\u200bda\u00ad K\u2060ing", ADA_KING),
        ("\u202eAda King\u202c", ADA_KING),
        ("Ada\u00a0King", ADA_KING),
        ("Ada\nKing", ADA_KING),
        ("Anna-Maria O’Neil", ("anna", "maria", "oneil")),
        ("Anna Maria O'Neil", ("anna", "maria", "oneil")),
        ("Straße", ("strasse",)),
        ("Łukasz Żółć", ("lukasz", "zolc")),
        ("Søren Ærø", ("soren", "aero")),
        ("עדה קינג", ("עדה", "קינג")),
        ("קינג, עדה", ("עדה", "קינג")),
        ("عَدَا", ("عدا",)),
        ("अदा किंग", ("अदा", "किंग")),
        ("王 小明", ("王", "小明")),
        ("Ada 2nd", ("ada", "2nd")),
        ("", ()),
        ("   ", ()),
        (",", ()),
        ("\u200b", ()),
        ("Your Name", ()),
        ("root", ()),
        ("no-reply", ()),
        ("😀", ()),
        ("a " * 150, ()),
        ("x" * 300, ("x" * 300,)),
    ],
)
def test_names_compare_by_their_words(name: str, words: tuple[str, ...]) -> None:
    assert words_of(name) == words


@given(st.text(max_size=300))
def test_any_text_is_a_name_or_nobodys(name: str) -> None:
    words = words_of(name)
    assert words_of(" ".join(words)) in (words, ())
    assert all(words)


@given(st.text(max_size=40), st.text(max_size=40))
def test_the_better_name_is_the_same_whichever_comes_first(one: str, other: str) -> None:
    assert better_name(one, other) == better_name(other, one)


@pytest.mark.parametrize(
    ("worse", "better"),
    [("ada", "Ada King"), ("Ada", "Ada King"), ("ada king", "Ada King"), ("", "ada"), ("Your Name", "ada")],
)
def test_more_words_and_capitals_say_more(worse: str, better: str) -> None:
    assert better_name(worse, better) == better


@pytest.mark.parametrize(
    ("email", "account"),
    [
        ("40100301+finch-imagined@users.noreply.github.com", HostLogin("github", "finch-imagined")),
        ("Finch-Imagined@Users.NoReply.GitHub.com", HostLogin("github", "finch-imagined")),
        ("49699333+dependabot[bot]@users.noreply.github.com", HostLogin("github", "dependabot[bot]")),
        ("7-up@users.noreply.github.com", HostLogin("github", "7-up")),
        ("12+ada@users.noreply.git.example.com", HostLogin("git.example.com", "ada")),
        ("ada@users.noreply.octocorp.ghe.com", HostLogin("octocorp.ghe.com", "ada")),
        ("123-ada@users.noreply.gitlab.com", HostLogin("gitlab", "ada")),
        ("123-ada@users.noreply.gitlab.example.com", HostLogin("gitlab.example.com", "ada")),
        ("ada@users.noreply.bitbucket.org", HostLogin("bitbucket", "ada")),
        ("ada@noreply.codeberg.org", HostLogin("codeberg.org", "ada")),
        ("ada@example.com", None),
        ("noreply@github.com", None),
        ("noreply@example.com", None),
        ("ada@noreply.localhost", None),
        ("ada@users.noreply.github.com.", None),
        ("a b@users.noreply.github.com", None),
        ("x" * 200 + "@users.noreply.github.com", None),
        ("ada@users.noreply." + "x" * 60 + ".example.com", None),
        ("@users.noreply.github.com", None),
        ("", None),
    ],
)
def test_no_reply_addresses_are_logins(email: str, account: HostLogin | None) -> None:
    assert host_login(email) == account


@pytest.mark.parametrize(
    ("email", "mailbox"),
    [
        ("ada+git@example.com", "ada@example.com"),
        ("ada+git+more@example.com", "ada@example.com"),
        ("ada@example.com", "ada@example.com"),
        ("+git@example.com", "+git@example.com"),
    ],
)
def test_tags_are_left_out(email: str, mailbox: str) -> None:
    assert without_tag(email) == mailbox
    assert local_part(email) == mailbox.partition("@")[0]


def test_parts_of_an_organisation() -> None:
    assert is_below("laptop.example.com", "example.com")
    assert not is_below("notexample.com", "example.com")
    assert not is_below("example.com", "laptop.example.com")


def test_handles_are_made_of_names() -> None:
    assert handle("Finch-Imagined") == handle("finch.imagined") == "finchimagined"
    assert set(handles_of(ADA_KING)) == {"adak", "aking", "kinga", "kingada", "adaking"}
    assert handles_of(("ada",)) == {}
