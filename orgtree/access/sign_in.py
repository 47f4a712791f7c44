"""Sign-in and sign-out: closed sign-up (admins create accounts), passwords, and the key that counts failed sign-ins."""

from __future__ import annotations

from collections.abc import Mapping

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.auth_backends import AuthenticationBackend
from allauth.account.internal.userkit import filter_users_by_email, get_user_by_username
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.utils import timezone

SESSIONS_READ_TOGETHER = 1_000


class ClosedSignUpAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False


class SignInBackend(AuthenticationBackend):  # type: ignore[misc]  # allauth has no types
    """Compares a password once, whether or not the account exists.

    allauth and Django's backend would compare it two to four times for an existing account, so that response times
    reveal which names exist; and each comparison costs half a second of a processor.
    """

    def authenticate(self, request: HttpRequest | None, **credentials: str) -> User:
        """The account.  Raises PermissionDenied on failure, so that no other backend compares again."""
        name, password = attempted_name(request, credentials), credentials.get("password") or ""
        found: list[User | None] = [get_user_by_username(name), *filter_users_by_email(name)]
        accounts = {account.pk: account for account in found if account is not None}
        for account in accounts.values() if password else ():
            if account.check_password(password) and self.user_can_authenticate(account):
                return account
        if not accounts:
            User().set_password(password)
        raise PermissionDenied


def attempted_name(request: HttpRequest | None, credentials: Mapping[str, str] | None) -> str:
    """The e-mail address or user name of a sign-in attempt in lower case, for counting failures with axes."""
    given, posted = credentials or {}, request.POST if request is not None else {}
    name = given.get("username") or given.get("email") or posted.get("login") or posted.get("username") or ""
    return str(name).strip().lower()


def sign_out_everywhere(user: User) -> int:
    """End every session of the account and return their number.  API tokens stay valid.

    Sessions have no user column, so all unexpired ones are decoded: rare, and seconds for some tens of thousands.
    """
    ending = [
        session.session_key
        for session in Session.objects.filter(expire_date__gt=timezone.now()).iterator(SESSIONS_READ_TOGETHER)
        if session.get_decoded().get(SESSION_KEY) == str(user.pk)
    ]
    return Session.objects.filter(session_key__in=ending).delete()[0]
