"""The response to each role from a route."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.personas import ADMIN, MEMBER, Persona

SIGN_IN = 302  # to the sign-in page
NOT_TAKEN = 405
ROLES: dict[str, Persona] = {"member": MEMBER, "admin": ADMIN}
TOKENS = ("token", "token_of_nobody")
ASKING = ("visitor", *ROLES, *TOKENS)


@dataclass(frozen=True)
class Access:
    """An address of a route, and the status of a GET by each role.

    Without an Org Tree or a grant whoever signed in is a member: other roles are in tests/test_access_to_units.py.  A
    token signs nobody in: pages take its holder for a visitor.
    """

    address: str
    visitor: int
    member: int
    admin: int
    query: dict[str, str] = field(default_factory=dict)
    token: int | None = None  # None: as a visitor
    token_of_nobody: int | None = None  # None: as another token

    def by(self, asking: str) -> int:
        if asking in TOKENS:
            chosen = self.token_of_nobody if asking == "token_of_nobody" else None
            return next(client for client in (chosen, self.token, self.visitor) if client is not None)
        return {"visitor": self.visitor, "admin": self.admin}.get(asking, self.member)


def signed_in_only(address: str) -> Access:
    return Access(address, visitor=SIGN_IN, member=200, admin=200)


def admins_only(address: str) -> Access:
    """404 for members, who must not learn that the page exists."""
    return Access(address, visitor=SIGN_IN, member=404, admin=200)


def no_such(address: str) -> Access:
    """A route whose object does not exist; separate tests say who may see it."""
    return Access(address, visitor=SIGN_IN, member=404, admin=404)


def everybody(address: str, status: int = 200) -> Access:
    return Access(address, visitor=status, member=status, admin=status)


def api(address: str) -> Access:
    """401 for programs without a token; no redirect to a sign-in page."""
    return Access(address, visitor=401, member=200, admin=200, token=200)


def api_rows(address: str) -> Access:
    """Rows show individuals: a token of nobody gets none."""
    return Access(address, visitor=401, member=200, admin=200, token=200, token_of_nobody=403)
