"""Seats of agents in Django admin."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AdminDateWidget
from django.contrib.auth.models import User
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from core.authorship import changes_by
from core.dated_rows_admin import DAYS_WIDGET, days
from integrations.models import SeatAssignment, SeatPlan
from integrations.telemetry.seats.change_price import change_price
from integrations.telemetry.seats.changed_days import announce_plan, announcing_seats
from integrations.telemetry.seats.history import history_of
from orgtree.identities.resolving import IdentityName, identify
from orgtree.models import IdentityKind


class SeatPlanForm(forms.ModelForm[SeatPlan]):
    """The form of a seat plan, with the first day of a changed price."""

    price_since = forms.DateField(
        label="Changed price from",
        required=False,
        widget=AdminDateWidget(format="%Y-%m-%d"),
        help_text=(
            "First day of a changed price; empty: today. Earlier days keep their price; a new plan starts on this day. "
            "To correct a price that was always wrong, enter the plan’s first day."
        ),
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        cleaned["price_since"] = cleaned.get("price_since") or timezone.localdate()
        end = cleaned["during"].upper if cleaned.get("during") else None
        if self.instance.pk and "monthly_price" in self.changed_data and end and cleaned["price_since"] >= end:
            self.add_error("price_since", f"The plan has ended before {end}: give a day on which it is valid.")
        return cleaned


@admin.register(SeatPlan)
class SeatPlanAdmin(admin.ModelAdmin[SeatPlan]):
    form = SeatPlanForm
    list_display = ("name", "agent", "monthly_price", days, "seats", "assigned_today")
    list_filter = ("agent",)
    search_fields = ("name", "agent")
    formfield_overrides = DAYS_WIDGET
    readonly_fields = ("history",)

    def get_fields(self, request: HttpRequest, obj: SeatPlan | None = None) -> tuple[str, ...]:
        of_a_change = ("price_since",) if obj else ()
        return ("agent", "name", "monthly_price", *of_a_change, "seats", "during", "history")

    @admin.display(description="history")
    def history(self, plan: SeatPlan) -> SafeString | str:
        entries = [
            (date_format(timezone.localtime(change.at), "DATETIME_FORMAT"), change.words, change.by)
            for change in history_of(plan)
        ]
        return format_html_join("", "<div>{}: {}, by {}</div>", entries) or "nothing yet"

    def get_queryset(self, request: HttpRequest) -> QuerySet[SeatPlan]:
        today = Q(assignments__during__contains=timezone.localdate())
        return super().get_queryset(request).annotate(assigned=Count("assignments", filter=today))

    @admin.display(description="assigned today")
    def assigned_today(self, plan: SeatPlan) -> int:
        return plan.assigned  # type: ignore[attr-defined,no-any-return]  # annotated by get_queryset

    def save_model(self, request: HttpRequest, obj: SeatPlan, form: Any, change: bool) -> None:
        price = obj.monthly_price
        has_new_price = change and "monthly_price" in form.changed_data
        if has_new_price:
            obj.monthly_price = form.initial["monthly_price"]
        with changes_by(_account(request)), announcing_seats([obj.pk] if change else []):
            super().save_model(request, obj, form, change)
            announce_plan(obj.pk)
            if has_new_price:
                holding = change_price(obj, price, since=form.cleaned_data["price_since"])
                if holding != obj:
                    since = holding.during.lower
                    self.message_user(request, f"The plan ends there; another continues from {since} at ${price}.")

    def delete_model(self, request: HttpRequest, obj: SeatPlan) -> None:
        with changes_by(_account(request)), announcing_seats([obj.pk]):
            obj.delete()

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[SeatPlan]) -> None:
        with changes_by(_account(request)), announcing_seats(list(queryset.values_list("pk", flat=True))):
            queryset.delete()


class SeatAssignmentForm(forms.ModelForm[SeatAssignment]):
    """The form of a seat assignment, which names the person by e-mail address."""

    email = forms.EmailField(label="E-mail address", help_text="E-mail address of the person with the seat.")

    class Meta:
        model = SeatAssignment
        fields = ("plan", "during")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.fields["email"].initial = self.instance.identity.value

    def _post_clean(self) -> None:
        email = self.cleaned_data.get("email")
        if email:
            self.instance.identity_id = identify([[IdentityName(IdentityKind.EMAIL, "", email)]])[0]
        super()._post_clean()  # type: ignore[misc]  # Django's, not in its stubs


@admin.register(SeatAssignment)
class SeatAssignmentAdmin(admin.ModelAdmin[SeatAssignment]):
    form = SeatAssignmentForm
    fields = ("plan", "email", "during")
    list_display = ("address", "plan", days)
    list_filter = ("plan",)
    list_select_related = ("plan", "identity")
    search_fields = ("identity__value",)
    autocomplete_fields = ("plan",)
    formfield_overrides = DAYS_WIDGET

    @admin.display(description="e-mail address", ordering="identity__value")
    def address(self, assignment: SeatAssignment) -> str:
        return assignment.identity.value

    def save_model(self, request: HttpRequest, obj: SeatAssignment, form: Any, change: bool) -> None:
        before = SeatAssignment.objects.filter(pk=obj.pk).values_list("plan", flat=True).first()
        with changes_by(_account(request)), announcing_seats({obj.plan_id, before or obj.plan_id}):
            super().save_model(request, obj, form, change)

    def delete_model(self, request: HttpRequest, obj: SeatAssignment) -> None:
        with changes_by(_account(request)), announcing_seats([obj.plan_id]):
            obj.delete()

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[SeatAssignment]) -> None:
        plans = list(queryset.values_list("plan", flat=True).distinct())
        with changes_by(_account(request)), announcing_seats(plans):
            queryset.delete()


def _account(request: HttpRequest) -> User:
    return cast(User, request.user)
