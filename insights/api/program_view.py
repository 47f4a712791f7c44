"""Access to views of the program's API."""

from __future__ import annotations

from functools import cached_property

from rest_framework.permissions import SAFE_METHODS
from rest_framework.views import APIView

from orgtree.access.access import Access, access_of
from orgtree.models import TokenScope


class ProgramView(APIView):
    """Reading takes a token that reads or one of the program, writing one of the program; sessions do both.

    A script that changes a ticket reads it first, for its version: one token does both.
    """

    @property
    def token_scopes(self) -> tuple[TokenScope, ...]:
        if self.request.method in SAFE_METHODS:
            return (TokenScope.READ, TokenScope.PROGRAM)
        return (TokenScope.PROGRAM,)

    @cached_property
    def access(self) -> Access:
        return access_of(self.request.user)
