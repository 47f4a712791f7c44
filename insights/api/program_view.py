"""Access to views of the program's API."""

from __future__ import annotations

from functools import cached_property

from rest_framework.permissions import SAFE_METHODS
from rest_framework.views import APIView

from orgtree.access.access import Access, access_of
from orgtree.models import TokenScope


class ProgramView(APIView):
    """A view of the program.  Reading accepts a token with the scope `read` or `program`, writing one with `program`;
    sessions do both.

    A script that changes a ticket first reads it to get its version, and one token does both.
    """

    @property
    def token_scopes(self) -> tuple[TokenScope, ...]:
        if self.request.method in SAFE_METHODS:
            return (TokenScope.READ, TokenScope.PROGRAM)
        return (TokenScope.PROGRAM,)

    @cached_property
    def access(self) -> Access:
        return access_of(self.request.user)
