"""Closed sign-up (admins create accounts), and the key by which failed sign-ins are counted."""

from __future__ import annotations

from collections.abc import Mapping

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest


class ClosedSignUpAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False


def attempted_name(request: HttpRequest, credentials: Mapping[str, str] | None) -> str:
    """The e-mail address or user name of a sign-in attempt in lower case, for counting failures with axes."""
    given = credentials or {}
    name = (
        given.get("username") or given.get("email") or request.POST.get("login") or request.POST.get("username") or ""
    )
    return str(name).strip().lower()
