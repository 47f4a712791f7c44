"""Parses cells with addresses and identities; errors are sentences."""

from __future__ import annotations

from core.cells import CellError
from orgtree.identities.identity_names import IdentityName, UnusableNameError
from orgtree.models import IdentityKind


def email_address(text: str) -> str:
    """In lower case."""
    try:
        return IdentityName(IdentityKind.EMAIL, "", text).value
    except UnusableNameError:
        raise CellError(f"“{text[:60]}” is not an e-mail address. Write it as name@example.com.") from None


def manager_address(text: str) -> str:
    if "@" not in text:
        raise CellError(f"“{text[:60]}” is not an e-mail address. Give the manager's e-mail address.")
    return email_address(text)


def identity_names(text: str) -> tuple[IdentityName, ...]:
    """Identities separated by semicolons: an e-mail address, a login, or a login with provider as in github:ada.

    A code host's no-reply address becomes its login.
    """
    return tuple(_identity_name(part.strip()) for part in text.split(";") if part.strip())


def _identity_name(text: str) -> IdentityName:
    provider, colon, login = text.partition(":")
    try:
        if colon and provider and login and "@" not in provider:
            return IdentityName(IdentityKind.LOGIN, provider.strip().lower(), login)
        if "@" in text:
            return IdentityName.of_address(text)
        return IdentityName(IdentityKind.LOGIN, "", text)
    except UnusableNameError as problem:
        raise CellError(f"“{text[:60]}”: {problem}") from None
