"""Accounts, roles and API tokens in Django admin."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import Group, User
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from core.admin_permissions import NoAdding, NoDeleting
from core.dated_rows_admin import days
from orgtree.access.api_tokens import revoke_api_token
from orgtree.access.sign_in import sign_out_everywhere
from orgtree.models import ApiToken, Grant

admin.site.unregister(User)
admin.site.unregister(Group)  # roles are grants; groups have no effect


@admin.register(User)
class HeadwayUserAdmin(UserAdmin[User]):
    """Django's UserAdmin with actions to end sessions and to deactivate accounts with their API tokens."""

    list_display = ("username", "email", "first_name", "last_name", "is_superuser", "is_active", "last_login")
    list_filter = ("is_superuser", "is_active")
    actions = ("sign_out", "switch_off")
    filter_horizontal = ()
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        ("Who it is", {"fields": ("first_name", "last_name", "email")}),
        (
            "What it may do",
            {
                "fields": ("is_active", "is_staff", "is_superuser"),
                "description": (
                    "An admin has both “staff” and “superuser”. Grant other roles on the page “Who sees what”. An "
                    "inactive account can neither sign in nor use its API tokens."
                ),
            },
        ),
        ("When", {"fields": ("last_login", "date_joined")}),
    )
    readonly_fields = ("last_login", "date_joined")

    @admin.action(description="Sign out everywhere")
    def sign_out(self, request: HttpRequest, accounts: QuerySet[User]) -> None:
        ended = sum(sign_out_everywhere(account) for account in accounts)
        tokens = ApiToken.objects.filter(
            Q(expires_at=None) | Q(expires_at__gt=timezone.now()), user__in=accounts, revoked_at=None
        ).count()
        left = f" API tokens that still work: {tokens}. Revoke them in the list of tokens." if tokens else ""
        messages.success(request, f"Sessions ended: {ended}.{left}")

    @admin.action(description="Deactivate: no sign-in, no API tokens")
    def switch_off(self, request: HttpRequest, accounts: QuerySet[User]) -> None:
        others = accounts.exclude(pk=request.user.pk or 0)
        for account in others:
            sign_out_everywhere(account)
        switched = others.filter(is_active=True).update(is_active=False)
        messages.success(request, f"{switched} accounts are deactivated. Your own account does not change.")


@admin.register(Grant)
class GrantAdmin(admin.ModelAdmin[Grant]):
    """All grants, past ones included; the page “Who sees what” shows current ones."""

    list_display = ("user", "role", "unit", days, "reason", "granted_by", "granted_at")
    list_filter = ("role", "unit__tree")
    list_select_related = ("user", "unit", "granted_by")
    search_fields = ("user__username", "user__email", "unit__name", "reason")
    autocomplete_fields = ("user", "unit")
    fields = ("user", "role", "unit", "during", "reason")

    def save_model(self, request: HttpRequest, obj: Grant, form: Any, change: bool) -> None:
        if not change and isinstance(request.user, User):
            obj.granted_by = request.user
        super().save_model(request, obj, form, change)


@admin.register(ApiToken)
class ApiTokenAdmin(NoAdding, NoDeleting, admin.ModelAdmin[ApiToken]):
    """All API tokens, with their last use and an action to revoke them."""

    list_display = ("name", "hint", "user", "scope", "created_at", "last_used_at", "expires_at", "revoked_at")
    list_filter = ("scope", ("revoked_at", admin.EmptyFieldListFilter), ("user", admin.EmptyFieldListFilter))
    list_select_related = ("user",)
    search_fields = ("name", "hint", "user__username", "user__email")
    fields = readonly_fields = list_display
    actions = ("revoke",)

    @admin.action(description="Revoke")
    def revoke(self, request: HttpRequest, tokens: QuerySet[ApiToken]) -> None:
        for token in tokens:
            revoke_api_token(token)
        messages.success(request, "They are revoked with immediate effect.")
