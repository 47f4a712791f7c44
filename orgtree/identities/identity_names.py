"""Names of identities: validated, normalised and made readable."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field

from orgtree.identities.names import host_login
from orgtree.models import IdentityKind

LONGEST_VALUE = 320  # limit of an e-mail address, and of the column
LONGEST_PROVIDER = 40
LONGEST_FULL_NAME = 200
_ADDRESS = re.compile(r"[^\s@]+@[^\s@]+")
_UNNAMED = "unnamed"


class UnusableNameError(ValueError):
    """The name cannot identify anybody; the message says why, without repeating the name."""


@dataclass(frozen=True, slots=True, order=True)
class IdentityName:
    """A name as a system sent it: kind, provider (empty for e-mail addresses) and value.

    Normalised, so that equal names compare equal: stripped, Unicode NFC, e-mail addresses in lower case.  Raises
    UnusableNameError if empty, too long, not an address, or with control characters.  `signed` is the display name
    sent with it; it does not take part in comparison.
    """

    kind: IdentityKind
    provider: str
    value: str
    signed: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        value = unicodedata.normalize("NFC", self.value.strip())
        if self.kind == IdentityKind.EMAIL:
            value = unicodedata.normalize("NFC", value.lower())
            if self.provider:
                raise UnusableNameError("An e-mail address has no provider.")
            if not _ADDRESS.fullmatch(value):
                raise UnusableNameError("The e-mail address is invalid: write name@domain, without spaces.")
        if not value:
            raise UnusableNameError(f"The {self.kind.label} is empty.")
        if len(value) > LONGEST_VALUE:
            raise UnusableNameError(f"The {self.kind.label} has {len(value)} characters; {LONGEST_VALUE} are allowed.")
        if len(self.provider) > LONGEST_PROVIDER:
            raise UnusableNameError(f"The provider's name is longer than {LONGEST_PROVIDER} characters.")
        text = value + self.provider
        if not text.isprintable() and any(unicodedata.category(character) in ("Cc", "Cs") for character in text):
            raise UnusableNameError(f"The {self.kind.label} contains control characters.")
        object.__setattr__(self, "value", value)
        object.__setattr__(self, "signed", _printable(self.signed)[:LONGEST_FULL_NAME])

    @classmethod
    def of_address(cls, email: str, signed: str = "") -> IdentityName:
        """An e-mail address, or the login in a code host's no-reply address."""
        if account := host_login(email):
            return cls(IdentityKind.LOGIN, account.provider, account.login, signed)
        return cls(IdentityKind.EMAIL, "", email, signed)

    @classmethod
    def unnamed(cls, provider: str) -> IdentityName:
        """The name for records without any name: they count as unmatched."""
        return cls(IdentityKind.INSTALLATION, provider, _UNNAMED)

    @property
    def strength(self) -> int:
        """Position in IdentityKind; smaller is stronger."""
        return _STRENGTH[self.kind]


def _printable(text: str) -> str:
    """Normalised, without invisible characters: bidirectional controls would garble admin pages."""
    if text.isascii() and text.isprintable():  # the common case: checking each character is slow for thousands
        return " ".join(text.split())
    shown = "".join(character for character in text if unicodedata.category(character) not in ("Cf", "Cs", "Co", "Cn"))
    return unicodedata.normalize(
        "NFC", " ".join("".join(" " if ord(character) < 32 else character for character in shown).split())
    )


_STRENGTH = {kind: position for position, kind in enumerate(IdentityKind)}


def readable_name(name: IdentityName) -> str:
    """A display name from an identity: ada.lovelace@example.com → Ada Lovelace."""
    if name.kind == IdentityKind.EMAIL:
        local_part = name.value.partition("@")[0].partition("+")[0]
        words = [word[0].upper() + word[1:] for word in re.split(r"[._\-]+", local_part) if word]
        return (" ".join(words) or name.value)[:LONGEST_FULL_NAME]
    if name.kind == IdentityKind.LOGIN:
        return name.value[:LONGEST_FULL_NAME]
    return f"{name.provider} account …{name.value[-8:]}"
