"""Names of people in a form in which they compare, and the handles that people make of them."""

from __future__ import annotations

import re
import unicodedata

# What programs write, and people leave, where a name should stand.
NOBODYS_NAMES = frozenset(
    {
        *("admin", "administrator", "anonymous", "author", "bot", "build", "ci", "deploy", "dev", "developer", "git"),
        *("github", "gitlab", "guest", "hello", "info", "jenkins", "localhost", "mail", "me", "nobody", "noreply"),
        *("no reply", "root", "runner", "support", "system", "team", "test", "tester", "ubuntu", "unknown", "user"),
        *("vagrant", "your name", "first last", "name"),
    }
)
MOST_WORDS = 12  # a longer "name" is a sentence; comparing it would only cost
_TITLES = frozenset({"jr", "sr", "ii", "iii", "phd", "md", "msc", "dr", "prof"})
# Accents and points that may be written or left out; vowel signs of other scripts are letters of the word.
_OPTIONAL_MARKS = re.compile("[\u0300-\u036f\u0591-\u05bd\u05bf-\u05c7\u064b-\u065f\u0670]")
# Letters that Unicode does not take apart, and that people type without their stroke.
_PLAIN_LETTERS = str.maketrans({"ł": "l", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i"})
_INVISIBLE = ("Cf", "Cs", "Co", "Cn")
_BLANK = ("Cc", "Zs", "Zl", "Zp")
_BRACKETED = re.compile(r"\([^()]*\)|\[[^\[\]]*\]|<[^<>]*>")
_ASCII_WORDS = re.compile("[a-z0-9]+")
_APOSTROPHES = re.compile("['\u2019\u02bc`´]")


def words_of(name: str) -> tuple[str, ...]:
    """The words of a name as they compare: "King, Ada" and "ＡＤＡ KING" → ("ada", "king"); () where it is nobody's.

    Without case, accents, punctuation, what cannot be seen, text in brackets and titles.  Other scripts stay as they
    are: a name in Hebrew compares with names in Hebrew.  Of an address given as a name, what stands before the @.
    """
    plain = _plain(name)
    if "@" in plain:
        plain = plain.partition("@")[0]
    last, comma, first = _BRACKETED.sub(" ", plain).partition(",")
    first_words, last_words = _split(first), _split(last)
    words = [*first_words, *last_words] if comma and first_words and last_words else [*last_words, *first_words]
    if not words or len(words) > MOST_WORDS or " ".join(words) in NOBODYS_NAMES:
        return ()
    return tuple(words)


def better_name(one: str, other: str) -> str:
    """The one that says more of who it is, whichever came first: more words, no handle, longer; then by alphabet."""
    return max(one, other, key=lambda name: (len(words_of(name)), name != name.lower(), len(name), name))


def handle(text: str) -> str:
    """A login, or what stands before an address's @, as it compares: finch-imagined and Finch.Imagined are equal."""
    return "".join(_words(_plain(text)))


def handles_of(words: tuple[str, ...]) -> dict[str, str]:
    """The handles that are often made of a name, each with the words for it; {} for a name of a single word."""
    if len(words) < 2:
        return {}
    first, last = words[0], words[-1]
    return {
        f"{first}{last[0]}": "the first name and the initial of the last",
        f"{first[0]}{last}": "the initial of the first name and the last name",
        f"{last}{first[0]}": "the last name and the initial of the first",
        f"{last}{first}": "the last and the first name",
        f"{first}{last}": "the first and the last name",
        "".join(words): "the whole name",
    }


def _split(text: str) -> list[str]:
    return [word for word in _words(text) if word not in _TITLES]


def _plain(text: str) -> str:
    if text.isascii() and text.isprintable():  # most names, and a tenth of the time
        return _APOSTROPHES.sub("", text.lower())
    decomposed = unicodedata.normalize("NFKD", text).casefold().translate(_PLAIN_LETTERS)
    visible = "".join(
        " " if (category := unicodedata.category(each)) in _BLANK else "" if category in _INVISIBLE else each
        for each in decomposed
    )
    return _OPTIONAL_MARKS.sub("", _APOSTROPHES.sub("", visible))


def _words(plain: str) -> list[str]:
    """Stretches of letters, their marks and digits."""
    if plain.isascii():
        return _ASCII_WORDS.findall(plain)
    return "".join(each if unicodedata.category(each)[0] in "LMN" else " " for each in plain).split()
