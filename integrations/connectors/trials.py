"""Tries to read each thing that a connection needs, for Test connection."""

from __future__ import annotations

from collections.abc import Callable

from integrations.connectors.base import CheckedPermission
from integrations.connectors.errors import PermanentError


def tried(what: str, read: Callable[[], object], remedy: str = "") -> CheckedPermission:
    """Whether `read` is permitted; the provider's message comes before the remedy, which is the error's own if none is
    given.

    Raises CredentialRefusedError, which makes every other check useless.
    """
    try:
        read()
    except PermanentError as problem:
        return CheckedPermission(what, works=False, remedy=f"{problem.problem} {remedy or problem.what_to_do}")
    return CheckedPermission(what, works=True)
