"""Names of people in normal form, handles derived from them, and the parts of e-mail addresses."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

# Placeholders that programs write and people leave instead of a name.
NOBODYS_NAMES = frozenset(
    {
        *("admin", "administrator", "anonymous", "author", "bot", "build", "ci", "deploy", "dev", "developer", "git"),
        *("github", "gitlab", "guest", "hello", "info", "jenkins", "localhost", "mail", "me", "nobody", "noreply"),
        *("no reply", "root", "runner", "support", "system", "team", "test", "tester", "ubuntu", "unknown", "user"),
        *("vagrant", "your name", "first last", "name"),
    }
)
MOST_WORDS = 12  # a longer "name" is a sentence
_TITLES = frozenset({"jr", "sr", "ii", "iii", "phd", "md", "msc", "dr", "prof"})
# Accents and points that are optional; vowel signs of other scripts are part of the word.
_OPTIONAL_MARKS = re.compile("[\u0300-\u036f\u0591-\u05bd\u05bf-\u05c7\u064b-\u065f\u0670]")
# Letters that NFKD does not decompose, and that people type without their stroke.
_PLAIN_CHARACTERS = str.maketrans({"ł": "l", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i"})
_INVISIBLE = ("Cf", "Cs", "Co", "Cn")
_BLANK = ("Cc", "Zs", "Zl", "Zp")
_BRACKETED = re.compile(r"\([^()]*\)|\[[^\[\]]*\]|<[^<>]*>")
_ASCII_WORDS = re.compile("[a-z0-9]+")
_APOSTROPHES = re.compile("['\u2019\u02bc`´]")
# Longer values are ordinary addresses on a domain called noreply.
LONGEST_LOGIN, LONGEST_HOST = 100, 40
# GitHub:     ID+login@users.noreply.github.com, before 2017 login@users.noreply.github.com
#             https://docs.github.com/en/account-and-profile/reference/email-addresses-reference
# Enterprise: the same two forms at users.noreply.<host>
# GitLab:     ID-login@users.noreply.<host>  https://docs.gitlab.com/user/profile/#use-an-automatically-generated-private-commit-email
# Bitbucket:  login@users.noreply.bitbucket.org, written by tools; Bitbucket itself gives out none
# Gitea:      login@noreply.<host>, the usual setting of NO_REPLY_ADDRESS; Forgejo and Codeberg the same
_NO_REPLY = re.compile(
    r"(?P<local>[^@\s]+)@(?P<users>users\.)?noreply\.(?P<host>[a-z0-9.-]+\.[a-z0-9-]+)", re.IGNORECASE
)
_NUMBERED = re.compile(r"\d+\+(?=.)")
_NUMBERED_BY_GITLAB = re.compile(r"\d+-(?=.)")
_PROVIDERS = {"github.com": "github", "gitlab.com": "gitlab", "bitbucket.org": "bitbucket"}


def words_of(name: str) -> tuple[str, ...]:
    """The normalised words of a name: "King, Ada" and "ＡＤＡ KING" → ("ada", "king"); () for placeholders.

    Without case, accents, punctuation, invisible characters, bracketed text and titles.  Other scripts are kept: a
    name in Hebrew matches names in Hebrew.  An address given as a name is reduced to its local part.
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
    """The more informative name, regardless of order: more words, no handle, longer; then by alphabet."""
    return max(one, other, key=lambda name: (len(words_of(name)), name != name.lower(), len(name), name))


def handle(text: str) -> str:
    """A normalised login or local part: finch-imagined equals Finch.Imagined."""
    return "".join(_words(_plain(text)))


def handles_of(words: tuple[str, ...]) -> dict[str, str]:
    """Handles commonly made from a name, with descriptions; {} for a single word."""
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
    if text.isascii() and text.isprintable():  # the common case, ten times faster
        return _APOSTROPHES.sub("", text.lower())
    decomposed = unicodedata.normalize("NFKD", text).casefold().translate(_PLAIN_CHARACTERS)
    visible = "".join(
        " " if (category := unicodedata.category(character)) in _BLANK else "" if category in _INVISIBLE else character
        for character in decomposed
    )
    return _OPTIONAL_MARKS.sub("", _APOSTROPHES.sub("", visible))


def _words(plain: str) -> list[str]:
    """Runs of letters, their marks and digits."""
    if plain.isascii():
        return _ASCII_WORDS.findall(plain)
    return "".join(character if unicodedata.category(character)[0] in "LMN" else " " for character in plain).split()


@dataclass(frozen=True, slots=True)
class HostLogin:
    """An account at a code host.  `provider` is github, gitlab or bitbucket, else the host name; lower case."""

    provider: str
    login: str


def host_login(email: str) -> HostLogin | None:
    """The account in a no-reply address; None for other addresses."""
    match = _NO_REPLY.fullmatch(email.strip())
    if not match:
        return None
    host = match["host"].lower()
    provider = _PROVIDERS.get(host, host)
    login = match["local"].lower()
    if match["users"]:
        login = _NUMBERED.sub("", login, count=1)
        # GitHub logins may start with digits and a hyphen; on other hosts GitLab's form is more likely.
        if provider != "github":
            login = _NUMBERED_BY_GITLAB.sub("", login, count=1)
    return HostLogin(provider, login) if len(login) <= LONGEST_LOGIN and len(host) <= LONGEST_HOST else None


def without_tag(email: str) -> str:
    """The address without a plus tag: ada+git@example.com → ada@example.com."""
    local, at, domain = email.rpartition("@")
    mailbox, plus, _ = local.partition("+")
    return f"{mailbox}{at}{domain}" if plus and mailbox else email


def local_part(email: str) -> str:
    """The local part, without a tag."""
    return without_tag(email).rpartition("@")[0]


def domain(email: str) -> str:
    return email.rpartition("@")[2]


def is_below(inner: str, outer: str) -> bool:
    """Whether `inner` equals `outer` or is a subdomain: laptop.example.com of example.com."""
    return inner == outer or inner.endswith(f".{outer}")
