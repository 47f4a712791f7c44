"""One spelling for names of repositories and services, whatever the tool."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

from integrations.connectors.git.repository import one_spelling

_SCHEME = re.compile(r"^[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_CREDENTIALS = re.compile(r"^[^/@\s]*@(?=[^/\s]*\.[^/\s]*/)")
_SCP_LIKE = re.compile(r"^(?:[^@/\s]+@[^:/\s]+|[^:/@\s]+\.[^:/@\s]+):(?!//|\d+/)\S")
_PORT = re.compile(r":\d+(?=/)")
_GIT = ".git"


def spelled(name: str) -> str:
    """The name without scheme, credentials, `.git` and trailing slash: host/path of an address, else the name
    itself.
    """
    plain = name.replace("\0", "").encode("utf-8", "replace").decode().strip()
    if _SCHEME.match(plain) or _SCP_LIKE.match(plain):
        plain = (one_spelling(plain) or _SCHEME.sub("", plain)).rpartition("@")[2]  # a password may have slashes
    return _without_git(_CREDENTIALS.sub("", plain))


def address_in(name: str) -> str:
    """The address in a spelled name, if any: github.com/acme/shop has a host, acme/shop has none."""
    return one_spelling(f"https://{name}") if host_of(name) else ""


def host_of(name: str) -> str:
    """The host of a spelled name; empty if it names none."""
    host, slash, path = name.partition("/")
    return host.lower() if slash and path and "." in host.strip(".") else ""


def folded(name: str) -> str:
    """The name for comparisons: case and the composition of Unicode characters are ignored."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def folded_service(name: str) -> str:
    """A service's name for comparisons: letters and digits only, in lower case; a name with neither stays unchanged."""
    plain = "".join(filter(str.isalnum, unicodedata.normalize("NFKC", name).casefold()))
    return plain or folded(name)


def last_part(name: str) -> str:
    return name.rpartition("/")[2]


def spelled_pattern(pattern: str) -> str:
    """A pattern in the spelling of names; * and ? stay."""
    scp = _SCP_LIKE.match(pattern.strip())
    plain = _PORT.sub("", _CREDENTIALS.sub("", _SCHEME.sub("", pattern.strip())), count=1)
    return folded(_without_git(plain.replace(":", "/", 1) if scp else plain))


def matches(names: Iterable[str], patterns: Sequence[str]) -> bool:
    """Whether a name equals one of these patterns, or matches one with * and ?, without regard to case."""
    return any(
        name.casefold() == pattern.casefold() or fnmatchcase(name.casefold(), pattern.casefold())
        for name in names
        for pattern in patterns
    )


def _without_git(name: str) -> str:
    plain = name.rstrip("/")
    return plain[: -len(_GIT)].rstrip("/") if plain.lower().endswith(_GIT) and len(plain) > len(_GIT) else plain
