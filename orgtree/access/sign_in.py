"""Who may open an account (nobody by themselves: admins create them), and how failed sign-ins are counted."""

from __future__ import annotations

from collections.abc import Mapping

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest


class ClosedSignUpAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False


def attempted_name(request: HttpRequest, credentials: Mapping[str, str] | None) -> str:
    """The account that somebody tried to open, as axes counts failures: an e-mail or a username, in lower case."""
    given = credentials or {}
    name = (
        given.get("username") or given.get("email") or request.POST.get("login") or request.POST.get("username") or ""
    )
    return str(name).strip().lower()
