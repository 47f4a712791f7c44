"""Invitations: admins send them, invited people create their account."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login, password_validation
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from core.secret_links import secret_link
from orgtree.access.invitations import (
    MOST_AT_ONCE,
    CannotInviteError,
    Invited,
    accept,
    can_send_mail,
    find_invitation,
    invite,
    people_without_account,
    renew,
    send_invitation,
    withdraw,
)
from orgtree.access.permissions import admins_only
from orgtree.access.who_sees import name_of
from orgtree.models import Invitation

PEOPLE_LISTED = 100
INVITATIONS_LISTED = 200
SIGN_IN_BACKEND = "django.contrib.auth.backends.ModelBackend"


@dataclass(frozen=True)
class ShownLink:
    """A link shown once, and whether it was also sent by mail."""

    email: str
    url: str
    sent: bool


class PasswordForm(forms.Form):
    """The password of a new account, entered twice."""

    password = forms.CharField(
        strip=False, max_length=1000, widget=forms.PasswordInput(attrs={"autocomplete": "new-password"})
    )
    again = forms.CharField(
        strip=False,
        max_length=1000,
        label="Password again",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, *args: Any, email: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.email = email
        self.fields["password"].help_text = password_validation.password_validators_help_text_html()

    def clean(self) -> None:
        password, again = self.cleaned_data.get("password"), self.cleaned_data.get("again")
        if password is None or again is None:
            return
        if password != again:
            raise ValidationError("The two passwords differ.")
        try:
            password_validation.validate_password(password, User(username=self.email, email=self.email))
        except ValidationError as problem:
            self.add_error("password", problem)


@admins_only
@never_cache
@require_http_methods(["GET", "POST"])
def invitations(request: HttpRequest) -> HttpResponse:
    """The open invitations; POST invites addresses and shows their links once."""
    if request.method != "POST":
        return _page(request, written=request.GET.get("email", ""))
    written = request.POST.get("emails", "")
    chosen = request.POST.getlist("person")
    emails = [*written.replace(",", "\n").replace(";", "\n").split("\n"), *chosen]
    try:
        invited = invite(emails, by=cast(User, request.user))
    except CannotInviteError as problem:
        return _page(request, written=written, problem=str(problem), status=400)
    if not invited:
        return _page(request, problem="Enter at least one address, or choose people.", status=400)
    return _page(request, links=_links(invited))


@admins_only
@never_cache
@require_POST
def renew_invitation(request: HttpRequest, pk: int) -> HttpResponse:
    """A new link, shown once; the old one stops working."""
    try:
        invited = renew(get_object_or_404(Invitation, pk=pk), by=cast(User, request.user))
    except CannotInviteError as problem:
        return _page(request, problem=str(problem), status=400)
    return _page(request, links=_links([invited]))


@admins_only
@require_POST
def withdraw_invitation(request: HttpRequest, pk: int) -> HttpResponse:
    invitation = get_object_or_404(Invitation, pk=pk)
    withdraw(invitation)
    messages.success(request, f"The invitation of {invitation.email} is withdrawn.")
    return redirect("invitations")


@secret_link
@never_cache
@require_http_methods(["GET", "POST"])
def accept_invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Creates the account and signs in.  Does not say why a link fails: it may be a guess."""
    invitation = find_invitation(token)
    if invitation is None:
        return render(request, "account/invitation_closed.html", status=404)
    form = PasswordForm(request.POST or None, email=invitation.email)
    if request.method == "POST" and form.is_valid():
        user = accept(token, form.cleaned_data["password"])
        if user is None:
            return render(request, "account/invitation_closed.html", status=404)
        login(request, user, backend=SIGN_IN_BACKEND)
        return redirect("home")
    context = {
        "form": form,
        "invitation": invitation,
        "invited_by": name_of(invitation.invited_by) if invitation.invited_by else "An admin",
    }
    return render(request, "account/invitation.html", context, status=400 if form.errors else 200)


def _page(
    request: HttpRequest,
    *,
    written: str = "",
    problem: str = "",
    links: Sequence[ShownLink] = (),
    status: int = 200,
) -> HttpResponse:
    people = people_without_account()
    still_open = Invitation.objects.filter(accepted_at=None, withdrawn_at=None).select_related("invited_by")
    context = {
        "written": written,
        "problem": problem,
        "links": links,
        "people": people[:PEOPLE_LISTED],
        "people_left_out": max(0, people.count() - PEOPLE_LISTED),
        "open": still_open.order_by("-invited_at", "-pk")[:INVITATIONS_LISTED],
        "now": timezone.now(),
        "sends_mail": can_send_mail(),
        "most_at_once": MOST_AT_ONCE,
    }
    return render(request, "orgtree/invitations.html", context, status=status)


def _links(invited: Sequence[Invited]) -> list[ShownLink]:
    links = []
    for issued in invited:
        url = f"{settings.BASE_URL}{reverse('accept_invitation', args=[issued.token])}"
        links.append(ShownLink(issued.invitation.email, url, send_invitation(issued.invitation, url)))
    return links
