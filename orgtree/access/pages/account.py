"""My account: personal API tokens, and signing out everywhere."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, cast

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from orgtree.access.api_tokens import create_api_token, revoke_api_token
from orgtree.access.sign_in import sign_out_everywhere
from orgtree.models import ApiToken, Grant, TokenScope
from orgtree.models.visibility import person_of

LIFETIMES = {"30": "30 days", "90": "90 days", "365": "a year", "never": "no end"}
MOST_TOKENS = 50  # in use per account; more are leftovers


class TokenForm(forms.Form):
    """Name, scope and lifetime of a new token."""

    name = forms.CharField(max_length=100, help_text="The program that will use it, such as a dashboard.")
    scope = forms.ChoiceField(choices=TokenScope.choices, label="For")
    lifetime = forms.ChoiceField(choices=list(LIFETIMES.items()), initial="365", label="Ends after")

    def __init__(self, *args: Any, may_write: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not may_write:
            allowed = [(scope.value, scope.label) for scope in TokenScope if scope is not TokenScope.PEOPLE]
            cast(forms.ChoiceField, self.fields["scope"]).choices = allowed

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if not name.isprintable():
            raise forms.ValidationError("Use printable characters.")
        return name


@login_required
@never_cache
@require_GET
def account(request: HttpRequest) -> HttpResponse:
    return _page(request, TokenForm(may_write=cast(User, request.user).is_superuser))


@login_required
@never_cache
@require_POST
def create_token(request: HttpRequest) -> HttpResponse:
    """Creates a token that acts for the account, and shows it once."""
    user = cast(User, request.user)
    form = TokenForm(request.POST, may_write=user.is_superuser)
    if form.is_valid() and _tokens(user).count() >= MOST_TOKENS:
        form.add_error(None, f"You have {MOST_TOKENS} tokens in use. Revoke one that you no longer need.")
    if not form.is_valid():
        return _page(request, form, status=400)
    lifetime = form.cleaned_data["lifetime"]
    expires_at = None if lifetime == "never" else timezone.now() + timedelta(days=int(lifetime))
    token, secret = create_api_token(
        form.cleaned_data["name"], user=user, scope=TokenScope(form.cleaned_data["scope"]), expires_at=expires_at
    )
    fresh = TokenForm(may_write=user.is_superuser)
    return _page(request, fresh, secret=secret, made=token)


@login_required
@require_POST
def revoke_token(request: HttpRequest, pk: int) -> HttpResponse:
    token = get_object_or_404(ApiToken, pk=pk, user=cast(User, request.user))
    revoke_api_token(token)
    messages.success(request, f"“{token.name}” is revoked.")
    return redirect("account")


@login_required
@require_POST
def sign_out_of_everything(request: HttpRequest) -> HttpResponse:
    """Ends all of the account's sessions, this one included."""
    sign_out_everywhere(cast(User, request.user))
    logout(request)
    messages.success(request, "You are signed out on every device. API tokens work until they are revoked.")
    return redirect("account_login")


def _page(
    request: HttpRequest, form: TokenForm, *, secret: str = "", made: ApiToken | None = None, status: int = 200
) -> HttpResponse:
    user = cast(User, request.user)
    context = {
        "person": person_of(user),
        "grants": Grant.objects.filter(user=user, during__contains=timezone.localdate()).select_related("unit"),
        "tokens": _tokens(user),
        "form": form,
        "secret": secret,
        "made": made,
        "mcp_url": settings.BASE_URL + reverse("mcp"),
    }
    return render(request, "orgtree/account.html", context, status=status)


def _tokens(user: User) -> QuerySet[ApiToken]:
    now = timezone.now()
    usable = ApiToken.objects.filter(Q(expires_at=None) | Q(expires_at__gt=now), user=user, revoked_at=None)
    return usable.order_by("name", "pk")
