"""Permissions of API tokens and accounts at the API, and of admins on pages."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from orgtree.models import ApiToken, TokenScope

if TYPE_CHECKING:  # avoids an import cycle through the default permissions
    from rest_framework.views import APIView


class TokenScopeAllows(BasePermission):
    """A view requires the token scope in `token_scope`, by default READ.  Sessions pass.

    Views open to several scopes set `token_scopes` instead.
    """

    message = (
        "This token is for something else. Create one with `manage.py create_api_token NAME --scope …`, or on the page "
        "“My account”."
    )

    def has_permission(self, request: Request, view: APIView) -> bool:
        token = request.auth
        if not isinstance(token, ApiToken):
            return True
        allowed = getattr(view, "token_scopes", None) or (getattr(view, "token_scope", TokenScope.READ),)
        return token.scope in allowed


class MayWritePeople(BasePermission):
    """Signed-in admins, and people-scoped tokens of an admin or without a user."""

    message = "Only admins, and tokens with `--scope people`, can write people and units."

    def has_permission(self, request: Request, view: APIView) -> bool:
        if isinstance(request.auth, ApiToken) and request.auth.user is None:
            return request.auth.scope == TokenScope.PEOPLE
        return bool(getattr(request.user, "is_superuser", False))


Response = TypeVar("Response", bound=HttpResponseBase)


def admins_only(view: Callable[..., Response]) -> Callable[..., Response | HttpResponse]:
    """Restrict the view to admins; other signed-in users get 404."""

    @wraps(view)
    @login_required
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> Response | HttpResponse:
        if not getattr(request.user, "is_superuser", False):
            raise Http404
        return view(request, *args, **kwargs)

    return guarded
