"""API clients: a signed-in account, or the holder of an API token."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import AnonymousUser, User
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from orgtree.access.api_tokens import find_api_token
from orgtree.models import ApiToken

SCHEME = "Bearer"


class TokenHolder(AnonymousUser):
    """The holder of a token that acts for no account: it may read aggregates and is not a person."""

    @property
    def is_authenticated(self) -> bool:  # type: ignore[override]  # its stubs say that nobody anonymous is
        return True


class ApiTokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer hwa_…`; `request.auth` is the token."""

    def authenticate(self, request: Request) -> tuple[User | TokenHolder, ApiToken] | None:
        scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != SCHEME.lower():
            return None
        token = find_api_token(secret.strip())
        if token is None:
            raise AuthenticationFailed(
                "This API token is unknown, revoked or expired. Create one with `manage.py create_api_token NAME`."
            )
        return token.user or TokenHolder(), token

    def authenticate_header(self, request: Request) -> str:
        return SCHEME


class ApiTokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # registers itself
    target_class = ApiTokenAuthentication
    name = "apiToken"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "description": "A token of `manage.py create_api_token`."}
