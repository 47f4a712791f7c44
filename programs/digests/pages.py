"""The signed-in account's digests: subscriptions, past digests, a single digest, and a preview."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from core.forms import posted
from core.views import form_view, record_view
from core.write_forms import WriteForm
from insights.privacy.scope_access import access_in
from insights.ui.scope_bar import unit_name
from orgtree.access.access import Access
from orgtree.access.invitations import can_send_mail
from programs.digests.making import preview
from programs.digests.subscribing import WEEKDAYS, Wish, digests_of, subscribe, subscriptions_of
from programs.models import Digest, DigestSubscription, Rhythm
from programs.reminders.services.preferences import quiet_of
from programs.teams.pages import WHOLE, units_to_see, word_of

HOURS = [(hour, f"{hour:02}:00") for hour in range(24)]
ABOUT = {
    Rhythm.WEEKLY: "DORA, adoption and spend of the last week. For leadership.",
    Rhythm.FORTNIGHTLY: "Reviews, work in progress and AI of the last two weeks. For team leads.",
    Rhythm.QUARTERLY: "All of it for the quarter, with objectives and initiatives. The deep dive.",
}


class DigestForm(WriteForm):
    """A form of subscriptions: unit and time for each rhythm; fields are prefixed with the rhythm."""

    def __init__(self, data: Any = None, *, access: Access, account: User) -> None:
        super().__init__(data)
        self.stored, home = subscriptions_of(account), access.visibility.home_unit
        for rhythm in Rhythm:
            known = self.stored.get(rhythm.value)
            units = units_to_see(access.visibility, stored=known)
            first = units[0][0] if units else ""
            self.fields |= {
                f"{rhythm}_on": forms.BooleanField(label=rhythm.label, required=False, initial=known is not None),
                f"{rhythm}_unit": forms.ChoiceField(
                    label="Unit", choices=units, required=False, initial=word_of(known.unit) if known else home or first
                ),
                f"{rhythm}_weekday": forms.TypedChoiceField(
                    label="On", choices=[*enumerate(WEEKDAYS)], coerce=int, initial=known.weekday if known else 0
                ),
                f"{rhythm}_hour": forms.TypedChoiceField(
                    label="From", choices=HOURS, coerce=int, initial=known.hour if known else 8
                ),
            }

    @property
    def rows(self) -> list[dict[str, Any]]:
        return [
            {
                "rhythm": rhythm.value,
                "about": ABOUT[rhythm],
                **{name: self[f"{rhythm}_{name}"] for name in ("on", "unit", "weekday", "hour")},
            }
            for rhythm in Rhythm
        ]

    @property
    def wishes(self) -> dict[Rhythm, Wish]:
        """The chosen digests of a valid form, by rhythm."""
        data = self.cleaned_data
        return {
            rhythm: Wish(
                "" if data[f"{rhythm}_unit"] == WHOLE else data[f"{rhythm}_unit"],
                data[f"{rhythm}_weekday"],
                data[f"{rhythm}_hour"],
            )
            for rhythm in Rhythm
            if data[f"{rhythm}_on"]
        }


@form_view
def digests(request: HttpRequest) -> HttpResponse:
    account, access = _account(request), access_in(request)
    form = DigestForm(posted(request), access=access, account=account)
    if form.save_by(lambda: subscribe(access, form.wishes)):
        messages.success(request, "Digests saved.")
        return redirect("digests")
    context = {
        "form": form,
        "made": [(digest, unit_name(digest.unit), digest.document) for digest in digests_of(access)],
        "sends_mail": can_send_mail(),
        "zone": quiet_of(getattr(account, "quiet_hours", None)).zone.key,
    }
    return render(request, "programs/digests/list.html", context, status=form.status)


@record_view
def digest(request: HttpRequest, pk: int) -> HttpResponse:
    access = access_in(request)
    own = Digest.objects.filter(account=_account(request)).within(access.visibility)
    made = get_object_or_404(own, pk=pk)
    return render(request, "programs/digests/digest.html", {"content": made.document, "made": made})


@record_view
def digest_preview(request: HttpRequest, rhythm: str) -> HttpResponse:
    if rhythm not in Rhythm.values:
        raise Http404("There is no such digest.")
    access, account = access_in(request), _account(request)
    wanted: DigestSubscription | None = subscriptions_of(account).get(rhythm)
    content = preview(Rhythm(rhythm), wanted, access, now=timezone.now())
    return render(request, "programs/digests/digest.html", {"content": content, "made": None})


def _account(request: HttpRequest) -> User:
    assert isinstance(request.user, User), "the pages are for accounts"  # noqa: S101 — none else is let in
    return request.user
