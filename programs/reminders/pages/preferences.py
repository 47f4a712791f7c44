"""The notification settings of an account: kinds, channels and quiet hours; and unsubscribing by a link."""

from __future__ import annotations

from datetime import time
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from core.forms import posted
from core.secret_links import secret_link
from core.views import form_view
from core.write_forms import WriteForm
from orgtree.access.invitations import can_send_mail
from programs.models import MessageKind
from programs.reminders.services.preferences import (
    NoSuchLinkError,
    Preferences,
    change_preferences,
    is_unsubscribed,
    preferences_of,
    read_token,
    unsubscribe,
)

CLOCK = forms.TimeInput(attrs={"type": "time"}, format="%H:%M")


class PreferencesForm(WriteForm):
    is_on = forms.BooleanField(label="Send me e-mail", required=False)
    kinds = forms.MultipleChoiceField(
        label="Kinds", required=False, choices=MessageKind.choices, widget=forms.CheckboxSelectMultiple
    )
    begins = forms.TimeField(label="Nothing from", widget=CLOCK)
    ends = forms.TimeField(label="until", widget=CLOCK)
    time_zone = forms.CharField(
        label="Time zone",
        required=False,
        max_length=80,
        widget=forms.TextInput(attrs={"list": "time-zones", "autocomplete": "off"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["time_zone"].help_text = f"Such as Europe/Berlin. Empty: {settings.TIME_ZONE}, the organisation's."
        self.fields["time_zone"].widget.attrs["placeholder"] = settings.TIME_ZONE

    @property
    def preferences(self) -> Preferences:
        """The preferences from a valid form."""
        data = self.cleaned_data
        begins, ends = (_to_the_minute(data[name]) for name in ("begins", "ends"))
        return Preferences(data["is_on"], frozenset(data["kinds"]), begins, ends, data["time_zone"].strip())


@form_view
def notifications(request: HttpRequest) -> HttpResponse:
    account = request.user
    assert isinstance(account, User), "the page is for accounts"  # noqa: S101 — none else is let in
    known = preferences_of(account)
    form = PreferencesForm(posted(request), initial={**vars(known), "kinds": sorted(known.kinds)})
    if form.save_by(lambda: change_preferences(account, form.preferences)):
        messages.success(request, "Stored.")
        return redirect("notifications")
    context = {
        "form": form,
        "sends_mail": can_send_mail(),
        "address": getattr(request.user, "email", ""),
        "time_zones": sorted(available_timezones()),
    }
    return render(request, "programs/notifications/preferences.html", context, status=form.status)


def _to_the_minute(clock: time) -> time:
    return clock.replace(second=0, microsecond=0)


@csrf_exempt
@secret_link
@never_cache
@require_http_methods(["GET", "POST"])
def unsubscribe_page(request: HttpRequest, token: str) -> HttpResponse:
    """The page of an unsubscribe link.

    A GET changes nothing, because mail programs and filters open links by themselves; the page has a button.  A POST
    unsubscribes: from that button, or directly from a mail program that offers one (RFC 8058), which has neither a
    session nor a CSRF token.
    """
    try:
        link = read_token(token)
    except NoSuchLinkError:
        raise Http404("No such link.") from None
    if request.method == "POST":
        unsubscribe(link)
    context = {
        "done": is_unsubscribed(link),
        "channel": link.channel.label,
        "kind": MessageKind(link.kind).label if link.kind else "",
    }
    return render(request, "programs/notifications/unsubscribe.html", context)
