"""Connections in Django admin: adding, testing, syncing and pausing them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial, update_wrapper
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.postgres.aggregates import ArrayAgg
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Count, F, Max, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_POST

from core.markdown import as_html
from integrations.admin.connections import (
    actions,
    history,
    mapped_fields,
    quarantine,
    removal,
    resources,
    unplaced,
    value_mappings,
    webhook,
)
from integrations.admin.connections.actions import Act
from integrations.admin.connections.forms import GitConnectionForm, NameForm, ProviderForm, choices, form_of
from integrations.admin.connections.sections import name_of_provider, tabs_of
from integrations.connectors.base import CheckedPermission
from integrations.connectors.errors import Cause
from integrations.connectors.registered import connectors
from integrations.models import Connection, RepositorySource, SyncRun
from integrations.models.connections import GIT, PUSH
from integrations.sync.check import check_connection, check_connector
from integrations.sync.connect import connect
from integrations.sync.enqueue import is_syncing

Section = Callable[[HttpRequest, Connection], HttpResponse]
SECTIONS: dict[str, Section] = {
    "resources": resources.resources,
    "resources/count": resources.count_matches,
    "fields": mapped_fields.mapped_fields,
    "meanings": value_mappings.value_mappings,
    "webhook": webhook.webhook,
    "history": history.history,
    "quarantine": quarantine.quarantine,
    "unplaced": unplaced.unplaced,
}


def _on_selected(description: str, act: Act) -> Callable[..., None]:
    """An admin action that applies `act` to each of the selected connections."""

    @admin.action(description=description, permissions=["change"])
    def act_on_selected(
        self: admin.ModelAdmin[Connection], request: HttpRequest, connections: QuerySet[Connection]
    ) -> None:
        for connection in connections:
            self.message_user(request, *act(connection))

    return act_on_selected


@admin.register(Connection)
class ConnectionAdmin(admin.ModelAdmin[Connection]):
    """Admin of connections.  An unused one can be paused; removing one asks what becomes of its facts."""

    list_display = ("name", "provider_name", "state", "last_success", "problem_shown")
    search_fields = ("name", "sources__external_id")
    list_filter = ("provider", ("paused_at", admin.EmptyFieldListFilter))
    ordering = ("name",)
    test_connection = _on_selected("Test connection", actions.test)
    sync_now = _on_selected("Sync now", actions.sync)
    sync_all = _on_selected("Full sync", actions.look_again)
    pause = _on_selected("Pause", actions.hold)
    resume = _on_selected("Resume", actions.go_on)
    actions = ("test_connection", "sync_now", "sync_all", "pause", "resume")
    change_form_template = "admin/integrations/connection/settings.html"

    # Pages ----------------------------------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        def shown(section: Section) -> Callable[..., HttpResponse]:
            return update_wrapper(self.admin_site.admin_view(partial(self._section, section=section)), section)

        own = [
            path("test/", self.admin_site.admin_view(self.test_view), name="integrations_connection_test"),
            path("<int:pk>/act/", self.admin_site.admin_view(self.act_view), name="integrations_connection_act"),
        ]
        for name, section in SECTIONS.items():
            url_name = f"integrations_connection_{name.replace('/', '_')}"
            own.append(path(f"<int:pk>/{name}/", shown(section), name=url_name))
        return own + super().get_urls()

    def _section(self, request: HttpRequest, pk: int, *, section: Section) -> HttpResponse:
        return section(request, self._connection(request, pk))

    def _connection(self, request: HttpRequest, pk: int) -> Connection:
        connection = get_object_or_404(Connection, pk=pk, removed_at=None)
        if not self.has_change_permission(request, connection):
            raise PermissionDenied
        return connection

    # The list -------------------------------------------------------------------------------------------------

    def get_queryset(self, request: HttpRequest) -> QuerySet[Connection]:
        """Connections that are not removed, with the columns of the list."""
        sources = RepositorySource.objects.filter(connection=OuterRef("pk")).order_by(F("synced_at").desc())
        on_disk = SyncRun.objects.filter(source__connection=OuterRef("pk")).order_by("-pk")
        streams = Q(resources__picked=True, resources__gone_at=None)
        return (
            super()
            .get_queryset(request)
            .filter(removed_at=None)
            .annotate(
                read_at=Coalesce(
                    Max("resources__streams__succeeded_at", filter=streams), Subquery(sources.values("synced_at")[:1])
                ),
                failing=Count("resources__streams", filter=streams & Q(resources__streams__failures__gt=0)),
                causes_of_failing=ArrayAgg(
                    "resources__streams__cause",
                    filter=streams & Q(resources__streams__failures__gt=0),
                    distinct=True,
                    default=[],
                ),
                synced=Count("resources", filter=streams, distinct=True),
                state_on_disk=Subquery(on_disk.values("state")[:1]),
                problem_on_disk=Subquery(on_disk.values("problem")[:1]),
            )
        )

    def get_actions(self, request: HttpRequest) -> Any:
        """The actions without bulk deletion, because what becomes of the facts must be asked for each connection."""
        return {name: action for name, action in super().get_actions(request).items() if name != "delete_selected"}

    @admin.display(description="Provider", ordering="provider")
    def provider_name(self, connection: Connection) -> str:
        return name_of_provider(connection.provider)

    @admin.display(description="State")
    def state(self, connection: Connection) -> str:
        shown: Any = connection  # annotated by get_queryset
        on_disk = SyncRun.State(shown.state_on_disk).label if shown.state_on_disk else "Waiting for its first sync"
        holding = (
            ("Paused", connection.paused_at is not None),
            ("Receives pushed records", connection.provider == PUSH),
            (on_disk, connection.provider == GIT),
            *((cause.label, connection.cause == cause) for cause in Cause),
            ("Failing", bool(connection.problem)),
            ("No resource selected", not shown.synced),
            (_of_failing(shown.failing, shown.causes_of_failing), bool(shown.failing)),
            ("First sync", shown.read_at is None),
        )
        return next((words for words, holds in holding if holds), "Up to date")

    @admin.display(description="Last success", ordering=F("read_at").desc(nulls_last=True))
    def last_success(self, connection: Connection) -> Any:
        return connection.read_at  # type: ignore[attr-defined]  # annotated by get_queryset

    @admin.display(description="Problem")
    def problem_shown(self, connection: Connection) -> str:
        on_disk: str = connection.problem_on_disk or ""  # type: ignore[attr-defined]  # annotated by get_queryset
        return " ".join(filter(None, (connection.problem, connection.remedy))) or on_disk

    # Its settings ---------------------------------------------------------------------------------------------

    def get_form(self, request: HttpRequest, obj: Connection | None = None, change: bool = False, **_: Any) -> Any:
        return self._form(obj.provider if obj else request.GET.get("provider", ""), is_new=obj is None)

    def get_fieldsets(self, request: HttpRequest, obj: Connection | None = None) -> Any:
        form = self.get_form(request, obj)(instance=obj)
        return [(None, {"fields": list(form.fields)})]

    def _form(self, provider: str, *, is_new: bool) -> type[forms.ModelForm[Connection]]:
        known = connectors().get(provider)
        if known is not None:
            return form_of(known)
        return GitConnectionForm if is_new and provider == GIT else NameForm

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Choose a provider first; then its guided form."""
        provider = request.GET.get("provider", "")
        if provider == GIT or provider in connectors():
            return super().add_view(request, form_url, {**self._guide(provider), **(extra_context or {})})
        if not self.has_add_permission(request):
            raise PermissionDenied
        context = {
            **self.admin_site.each_context(request),
            "title": "Choose what to connect",
            "opts": self.opts,
            "choices": choices(),
        }
        return TemplateResponse(request, "admin/integrations/connection/choose.html", context)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        connection = self.get_object(request, object_id)
        if connection is None:
            return super().change_view(request, object_id, form_url, extra_context)
        context = {
            **self._guide(connection.provider),
            "object": connection,
            "tabs": tabs_of(connection, "change"),
            "checks": connection.checks,
            "checked_at": connection.checked_at,
            "state": self.state(connection),
            "problem": self.problem_shown(connection),
            "can_be_asked": connection.provider != PUSH,
            "looks_again_at_all": connection.provider in connectors(),
            "is_syncing": is_syncing(connection),
            "subtitle": None,
            "title": connection.name,
        }
        return super().change_view(request, object_id, form_url, {**context, **(extra_context or {})})

    def _guide(self, provider: str) -> dict[str, Any]:
        known = connectors().get(provider)
        return {
            "provider": provider,
            "provider_name": name_of_provider(provider),
            "permissions": as_html(known.permissions) if known else "",
            "can_be_tested": known is not None,
            "title": f"Connect {name_of_provider(provider)}",
        }

    def save_model(self, request: HttpRequest, obj: Connection, form: Any, change: bool) -> None:
        if isinstance(form, GitConnectionForm):
            obj.pk, obj.name, obj.provider = form.connected.pk, form.connected.name, GIT
            return
        if not isinstance(form, ProviderForm):
            obj.save(update_fields=["name"])
            return
        with transaction.atomic():
            stored = form.connection()
            if change:
                stored.sync_every_minutes = obj.sync_every_minutes
                stored.save(update_fields=["name", "sync_every_minutes", "secrets"])
            connected = connect(form.connector.slug, obj.name, form.answers(), resources=None if change else ())
            if not change:
                Connection.objects.filter(pk=connected.pk).update(sync_every_minutes=obj.sync_every_minutes)
        obj.pk, obj.provider = connected.pk, connected.provider

    def response_add(self, request: HttpRequest, obj: Connection, post_url_continue: str | None = None) -> HttpResponse:
        """Redirect to the choice of resources."""
        if obj.provider == GIT:
            return super().response_add(request, obj, post_url_continue)
        if not self._works(request, obj):
            return redirect("admin:integrations_connection_change", obj.pk)
        self.message_user(request, f"{obj.name} is connected. Choose what it syncs.", messages.SUCCESS)
        return redirect("admin:integrations_connection_resources", obj.pk)

    def response_change(self, request: HttpRequest, obj: Connection) -> HttpResponse:
        if obj.provider not in connectors() or self._works(request, obj):
            self.message_user(request, f"{obj.name} is saved.", messages.SUCCESS)
        return redirect("admin:integrations_connection_change", obj.pk)

    def _works(self, request: HttpRequest, connection: Connection) -> bool:
        """Test the saved connection, and warn the admin if none of it works; return whether any of it does."""
        stored = Connection.objects.get(pk=connection.pk)
        checked = check_connection(stored)
        if stored.cause:
            name = Cause(stored.cause).label.lower()
            self.message_user(
                request, f"{stored} is saved, but nothing works yet ({name}). {checked[0].what}", messages.WARNING
            )
        return not stored.cause

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """Ask, with counts, whether to keep the facts; then remove the connection."""
        connection = self.get_object(request, object_id)
        if connection is None or not self.has_delete_permission(request, connection):
            return super().delete_view(request, object_id, extra_context)
        return removal.remove(request, connection, log=self.log_deletions)

    # Actions --------------------------------------------------------------------------------------------------

    @method_decorator(require_POST)
    def test_view(self, request: HttpRequest) -> HttpResponse:
        """Test the connection with the form's current values, saved or not."""
        connection = None
        if pk := request.GET.get("connection", ""):
            connection = self._connection(request, int(pk) if pk.isascii() and pk.isdigit() else 0)
        elif not self.has_add_permission(request):
            raise PermissionDenied
        known = connectors().get(connection.provider if connection else request.GET.get("provider", ""))
        if known is None:
            raise Http404("There is no such connector.")
        form = form_of(known)(request.POST, instance=connection or Connection(provider=known.slug))
        checked: Sequence[CheckedPermission] = ()
        if form.is_valid():
            is_stored = connection is not None and not form.has_changed()
            checked = check_connection(connection) if connection and is_stored else check_connector(form.to_check())
        context = {
            **self.admin_site.each_context(request),
            "title": "Test connection",
            "opts": self.opts,
            "form": form,
            "checked": checked,
            "understood": form.understood() if form.is_valid() else "",
            "all_works": bool(checked) and all(permission.works for permission in checked),
        }
        whole = "admin/integrations/connection/tested.html"
        part = "admin/integrations/connection/_tested.html"
        return render(request, part if request.headers.get("HX-Request") else whole, context)

    @method_decorator(require_POST)
    def act_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Run the action of the button that was pressed on the connection's page."""
        connection = self._connection(request, pk)
        act = actions.ACTS.get(request.POST.get("act", ""))
        if act is None:
            raise Http404("There is no such action.")
        self.message_user(request, *act(connection))
        return redirect("admin:integrations_connection_change", connection.pk)


def _of_failing(number: int, causes: Sequence[str]) -> str:
    """The shared cause of the failing streams with their number, or only the number if the causes differ."""
    streams = f"{number:,} stream{'' if number == 1 else 's'}"
    if len(causes) == 1 and causes[0]:
        return f"{Cause(causes[0]).label}: {streams}"
    return f"{streams} fail{'s' if number == 1 else ''}"
