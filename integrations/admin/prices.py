"""Prices in Django admin: overrides and their log, repricings, and cached price lists."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from core.admin_permissions import ReadOnly
from core.dated_rows_admin import DAYS_WIDGET, date_range_in_words, days
from integrations.models import PriceOverride, PriceOverrideChange, PriceSnapshot, Repricing
from integrations.models.prices import LONG_RATES, RATES
from integrations.telemetry.prices.library_update import accept_correction, decline_correction
from integrations.telemetry.prices.overrides import lists_of, remove_override, save_override

CHANGES_SHOWN = 50


class PriceOverrideForm(ModelForm[PriceOverride]):
    class Meta:
        model = PriceOverride
        fields = ("model", "agent", "during", "same_as", *RATES, "long_above", *LONG_RATES, "reason")

    def clean_same_as(self) -> str:
        name: str = self.cleaned_data["same_as"].strip()
        if name and not lists_of([name]):
            self.add_error("same_as", f"The price list has no model {name}.")
        return name


@admin.register(PriceOverride)
class PriceOverrideAdmin(admin.ModelAdmin[PriceOverride]):
    """Admin of overrides; a change is logged, and the worker reprices the affected requests."""

    form = PriceOverrideForm
    list_display = ("model", "agent", days, "input_and_output", "reason", "author", "noted_at")
    list_select_related = ("author",)
    search_fields = ("model", "reason")
    readonly_fields = ("log",)
    formfield_overrides = DAYS_WIDGET
    fieldsets = (
        (None, {"fields": ("model", "agent", "during", "reason")}),
        (
            "Prices, US dollars per million tokens",
            {"fields": ("same_as", RATES[:1] + RATES[-1:], RATES[1:4])},
        ),
        (
            "Long prompts",
            {"fields": ("long_above", LONG_RATES[:1] + LONG_RATES[-1:], LONG_RATES[1:4]), "classes": ("collapse",)},
        ),
        ("History", {"fields": ("log",)}),
    )

    @admin.display(description="input / output")
    def input_and_output(self, override: PriceOverride) -> str:
        if override.same_as:
            return f"as {override.same_as}"
        return f"${override.input:f} / ${override.output:f}".replace("000 ", " ")

    @admin.display(description="log")
    def log(self, override: PriceOverride) -> SafeString | str:
        changes = PriceOverrideChange.objects.filter(override_id=override.pk).select_related("by").order_by("-pk")
        entries = (
            (_when(change.at), change.get_act_display(), _terms(change), _who(change))
            for change in changes[:CHANGES_SHOWN]
        )
        return format_html_join("", "<div>{}: {}: {}, by {}</div>", entries) or "nothing yet"

    def save_model(self, request: HttpRequest, obj: PriceOverride, form: Any, change: bool) -> None:
        save_override(obj, by=cast(User, request.user))
        self.message_user(request, "Affected requests are repriced within minutes: see Repricings.", messages.INFO)

    def delete_model(self, request: HttpRequest, obj: PriceOverride) -> None:
        remove_override(obj, by=cast(User, request.user))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[PriceOverride]) -> None:
        for override in queryset:
            remove_override(override, by=cast(User, request.user))


@admin.register(PriceOverrideChange)
class PriceOverrideChangeAdmin(ReadOnly, admin.ModelAdmin[PriceOverrideChange]):
    list_display = ("at", "act", "of_model", "what", "by")
    list_filter = ("act",)
    list_select_related = ("by",)
    ordering = ("-pk",)

    @admin.display(description="model")
    def of_model(self, change: PriceOverrideChange) -> str:
        return str(change.terms.get("model", ""))

    @admin.display(description="what it said")
    def what(self, change: PriceOverrideChange) -> str:
        return _terms(change)


@admin.register(Repricing)
class RepricingAdmin(ReadOnly, admin.ModelAdmin[Repricing]):
    """Repricings with time, reason, author, first day, and the sums before and after, and corrections to confirm."""

    list_display = ("requested_at", "reason", "who", "days", "state", "looked_at", "spend", "unpriced")
    list_filter = ("state", "cause")
    list_select_related = ("requested_by",)
    search_fields = ("reason",)
    actions = ("accept", "decline")

    @admin.action(description="Accept corrections: reprice earlier days")
    def accept(self, request: HttpRequest, chosen: QuerySet[Repricing]) -> None:
        self._decide(request, chosen, "Their days are repriced within minutes.", accepts=True)

    @admin.action(description="Decline corrections: leave earlier days as they are")
    def decline(self, request: HttpRequest, chosen: QuerySet[Repricing]) -> None:
        self._decide(request, chosen, "Earlier days keep their prices.", accepts=False)

    def _decide(self, request: HttpRequest, chosen: QuerySet[Repricing], result: str, *, accepts: bool) -> None:
        user = cast(User, request.user)
        if not user.has_perm("integrations.change_repricing"):
            raise PermissionDenied
        states = [Repricing.State.OFFERED, *([Repricing.State.DECLINED] if accepts else [])]
        offers = list(chosen.filter(state__in=states).order_by("pk"))
        for offer in offers:
            if accepts:
                accept_correction(offer, by=user)
            else:
                decline_correction(offer)
        if offers:
            self.message_user(request, f"{len(offers)} decided. {result}", messages.INFO)
        else:
            self.message_user(request, "Choose repricings that are offered.", messages.WARNING)

    @admin.display(description="by", ordering="requested_by")
    def who(self, row: Repricing) -> str:
        return str(row.requested_by or "Headway")

    @admin.display(description="days", ordering="day_from")
    def days(self, row: Repricing) -> str:
        return date_range_in_words(row.day_from, row.day_to)

    @admin.display(description="requests, changed", ordering="requests")
    def looked_at(self, row: Repricing) -> str:
        return f"{row.requests:,}, {row.changed:,}"

    @admin.display(description="spend before and after", ordering="spend_after")
    def spend(self, row: Repricing) -> str:
        difference = row.spend_after - row.spend_before
        return f"${row.spend_before:,.2f} → ${row.spend_after:,.2f} ({difference:+,.2f})"

    @admin.display(description="tokens without a price")
    def unpriced(self, row: Repricing) -> str:
        if row.unpriced_before == row.unpriced_after:
            return f"{row.unpriced_after:,}"
        return f"{row.unpriced_before:,} → {row.unpriced_after:,}"


@admin.register(PriceSnapshot)
class PriceSnapshotAdmin(ReadOnly, admin.ModelAdmin[PriceSnapshot]):
    """Prices of the models in use, and models that the price library does not know, or no longer knows."""

    list_display = ("model", "known", "library", "missing_since")
    list_filter = (("prices", admin.EmptyFieldListFilter), ("missing_since", admin.EmptyFieldListFilter))
    search_fields = ("model",)
    ordering = ("model",)

    @admin.display(description="price known", boolean=True)
    def known(self, row: PriceSnapshot) -> bool:
        return row.prices is not None


def _when(at: Any) -> str:
    return date_format(timezone.localtime(at), "DATETIME_FORMAT")


def _terms(change: PriceOverrideChange) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in change.terms.items())


def _who(change: PriceOverrideChange) -> str:
    return str(change.by or "a command")
