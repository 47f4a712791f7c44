"""Django admin: everybody's dashboards (with their history) and saved views, and notes and context for searching."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from core.admin_permissions import NoAdding, ReadOnly
from core.authorship import account_of, changes_by
from insights.dashboards.document import placed
from insights.dashboards.saved_views import page_name
from insights.models import Annotation, Context, Dashboard, DashboardShare, SavedView, SavedViewShare
from insights.ui.wording import moment
from orgtree.access.who_sees import names_of

CHANGES_LISTED = 50


class PublishedFilter(admin.SimpleListFilter):
    title, parameter_name = "state", "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("published", "Published"), ("draft", "Draft")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Dashboard]) -> QuerySet[Dashboard]:
        match self.value():
            case "published":
                return queryset.filter(version__gt=0)
            case "draft":
                return queryset.filter(version=0)
        return queryset


class Shares(admin.TabularInline[DashboardShare, Dashboard]):
    model = DashboardShare
    extra = 0
    autocomplete_fields = ("unit",)


@admin.register(Dashboard)
class DashboardAdmin(NoAdding, admin.ModelAdmin[Dashboard]):
    """Cards are arranged on the dashboard's own page."""

    list_display = ("title", "owner", "state", "shared", "changed_at")
    list_filter = (PublishedFilter, "shares__role")
    list_select_related = ("owner",)
    search_fields = ("title", "purpose", "owner__email", "owner__username")
    date_hierarchy = "changed_at"
    ordering = ("title", "pk")
    autocomplete_fields = ("owner",)
    inlines = (Shares,)
    fields = ("title", "purpose", "owner", "page", "state", "cards", "changes")
    readonly_fields = ("page", "state", "cards", "changes")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Dashboard]:
        return super().get_queryset(request).prefetch_related("shares__unit")

    @admin.display(description="state")
    def state(self, dashboard: Dashboard) -> str:
        if not dashboard.is_published:
            return "Draft"
        changed = ", with changes that are not published" if dashboard.has_changes else ""
        return f"Version {dashboard.version} is published{changed}"

    @admin.display(description="shared with")
    def shared(self, dashboard: Dashboard) -> str:
        return ", ".join(str(share) for share in dashboard.shares.all()) or "nobody"

    @admin.display(description="page")
    def page(self, dashboard: Dashboard) -> SafeString:
        return format_html('<a href="{}">Open the dashboard</a>', reverse("dashboard", args=[dashboard.pk]))

    @admin.display(description="cards")
    def cards(self, dashboard: Dashboard) -> SafeString | str:
        lines = [(card.name, card.kind, card.problem) for card in placed(dashboard.draft)]
        return format_html_join("", "<div>{} ({}) {}</div>", lines) or "none"

    @admin.display(description="changes")
    def changes(self, dashboard: Dashboard) -> SafeString | str:
        """The history of changes with authors, newest first."""
        history = apps.get_model("insights", "DashboardEvent")._default_manager.select_related("pgh_context")
        events: list[Any] = list(history.filter(pgh_obj_id=dashboard.pk).order_by("-pgh_id")[:CHANGES_LISTED])
        accounts = {account for event in events if (account := account_of(event))}
        names = names_of(list(User.objects.filter(pk__in=accounts)))
        lines = [
            (
                moment(event.pgh_created_at),
                event.pgh_label,
                names.get(account_of(event) or 0, "Headway"),
                f"“{event.title}”, {len(event.draft)} cards, version {event.version}",
            )
            for event in events
        ]
        return format_html_join("", "<div>{}: {} by {}: {}</div>", lines) or "nothing yet"

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        with changes_by(_account(request)):
            super().save_related(request, form, formsets, change)

    def save_model(self, request: HttpRequest, obj: Dashboard, form: Any, change: bool) -> None:
        obj.changed_at = timezone.now()
        with changes_by(_account(request)):
            super().save_model(request, obj, form, change)

    def delete_model(self, request: HttpRequest, obj: Dashboard) -> None:
        with changes_by(_account(request)):
            super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Dashboard]) -> None:
        with changes_by(_account(request)):
            super().delete_queryset(request, queryset)


class ViewShares(admin.TabularInline[SavedViewShare, SavedView]):
    model = SavedViewShare
    extra = 0
    autocomplete_fields = ("unit",)


@admin.register(SavedView)
class SavedViewAdmin(NoAdding, admin.ModelAdmin[SavedView]):
    """Saved views, which are made from the filter bar of a page."""

    list_display = ("title", "owner", "shows", "shared", "changed_at")
    list_filter = ("shares__role",)
    list_select_related = ("owner",)
    search_fields = ("title", "address", "owner__email", "owner__username")
    date_hierarchy = "changed_at"
    ordering = ("title", "pk")
    autocomplete_fields = ("owner",)
    inlines = (ViewShares,)
    fields = ("title", "owner", "shows")
    readonly_fields = ("shows",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[SavedView]:
        return super().get_queryset(request).prefetch_related("shares__unit")

    @admin.display(description="shared with")
    def shared(self, view: SavedView) -> str:
        return ", ".join(str(share) for share in view.shares.all()) or "nobody"

    @admin.display(description="shows")
    def shows(self, view: SavedView) -> SafeString:
        return format_html('<a href="{}">{}</a>', view.address, page_name(view))


@admin.register(Annotation)
class AnnotationAdmin(ReadOnly, admin.ModelAdmin[Annotation]):
    """Notes and events, which are written on their own page so that their author is recorded."""

    list_display = ("text", "unit", "repository", "start", "end", "about", "excuses")
    list_filter = ("excuses",)
    list_select_related = ("unit", "repository")
    search_fields = ("text", "unit__name", "repository__name")
    date_hierarchy = "start"


@admin.register(Context)
class ContextAdmin(ReadOnly, admin.ModelAdmin[Context]):
    """Context, which is set on the page of its unit or repository."""

    list_display = ("since", "unit", "repository", "stage", "language", "long_reviews", "conventions")
    list_filter = ("stage", "long_reviews")
    list_select_related = ("unit", "repository")
    search_fields = ("unit__name", "repository__name", "language")
    date_hierarchy = "since"


def _account(request: HttpRequest) -> User | None:
    return request.user if isinstance(request.user, User) else None
