"""Connections in Django admin: what is connected, how its reading goes, and what to do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.html import format_html_join

from integrations.connectors.git.commands import GitError
from integrations.connectors.git.repository import GitRepository
from integrations.git.connect import NameTakenError, connect_git
from integrations.git.sync import AlreadyReadingError
from integrations.models import Connection, Repository, RepositorySource, SyncRun
from integrations.services.connections import read_now
from integrations.services.remove_connection import brought_by, remove_keeping_facts, remove_with_facts

if TYPE_CHECKING:
    ConnectionModelAdmin = admin.ModelAdmin[Connection]
    ConnectionModelForm = forms.ModelForm[Connection]
    RepositoryModelAdmin = admin.ModelAdmin[Repository]
    SyncRunModelAdmin = admin.ModelAdmin[SyncRun]
else:  # generic for the type checker only
    ConnectionModelAdmin = RepositoryModelAdmin = SyncRunModelAdmin = admin.ModelAdmin
    ConnectionModelForm = forms.ModelForm

RUNS_SHOWN = 10


class AddConnectionForm(ConnectionModelForm):
    """A path is all it takes."""

    path = forms.CharField(
        max_length=500,
        help_text="Of a git repository on this machine, bare or with a work tree, that Headway may read.",
    )
    name = forms.CharField(max_length=200, required=False, help_text="By default the folder's name.")

    class Meta:
        model = Connection
        fields = ("name",)

    def clean_path(self) -> str:
        path: str = self.cleaned_data["path"]
        try:
            GitRepository.open(path)
        except GitError as problem:
            raise forms.ValidationError(str(problem)) from None
        return path

    def clean(self) -> dict[str, Any]:
        # Here, because the name that is chosen depends on what there is, and a taken one is a mistake in the form.
        if "path" in self.cleaned_data and not self.errors:
            try:
                self.connected = connect_git(self.cleaned_data["path"], name=self.cleaned_data["name"]).connection
            except (GitError, NameTakenError) as problem:
                raise forms.ValidationError(str(problem)) from None
        return self.cleaned_data


KEEP, DELETE = "keep", "delete"


class RemoveConnectionForm(forms.Form):
    """What becomes of the facts; nothing is chosen beforehand."""

    facts = forms.ChoiceField(
        choices=(
            (KEEP, "Keep what it brought, marked as no longer connected"),
            (DELETE, "Delete what it alone brought"),
        ),
        widget=forms.RadioSelect,
        label="What becomes of what it brought?",
        error_messages={"required": "Choose what becomes of the facts."},
    )


@admin.register(Connection)
class ConnectionAdmin(ConnectionModelAdmin):
    """Connected repositories.  One that is not wanted for a while is paused; removing one asks about its facts."""

    list_display = ("name", "path", "state", "last_reading", "progress", "problem")
    search_fields = ("name", "sources__external_id")
    list_filter = ("provider", ("paused_at", admin.EmptyFieldListFilter))
    readonly_fields = ("path", "state", "created_at", "last_runs")
    fields = ("name", *readonly_fields)
    actions = ("test_connection", "sync_now", "pause", "resume")

    def get_form(self, request: HttpRequest, obj: Connection | None = None, change: bool = False, **kwargs: Any) -> Any:
        return super().get_form(request, obj, change, **kwargs) if obj else AddConnectionForm

    def get_fields(self, request: HttpRequest, obj: Connection | None = None) -> Any:
        return self.fields if obj else ("path", "name")

    def get_readonly_fields(self, request: HttpRequest, obj: Connection | None = None) -> Any:
        return self.readonly_fields if obj else ()

    def get_actions(self, request: HttpRequest) -> Any:
        """Without the action that deletes several: what becomes of the facts is asked for each."""
        return {name: action for name, action in super().get_actions(request).items() if name != "delete_selected"}

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """Ask, with counts, whether the facts stay; and do so."""
        connection = self.get_object(request, object_id)
        if connection is None or not self.has_delete_permission(request, connection):
            return super().delete_view(request, object_id, extra_context)
        form = RemoveConnectionForm(request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid():
            return self._remove(request, connection, keeping_facts=form.cleaned_data["facts"] == KEEP)
        context = {
            **self.admin_site.each_context(request),
            "title": f"Remove {connection}",
            "opts": self.opts,
            "object": connection,
            "form": form,
            "brought": brought_by(connection),
        }
        return TemplateResponse(request, "admin/integrations/connection/remove.html", context)

    def _remove(self, request: HttpRequest, connection: Connection, *, keeping_facts: bool) -> HttpResponse:
        name = str(connection)
        try:
            with transaction.atomic():
                self.log_deletions(request, Connection.objects.filter(pk=connection.pk))
                (remove_keeping_facts if keeping_facts else remove_with_facts)(connection)
        except AlreadyReadingError:
            words = (
                f"{name} is being read at this moment, and was not removed. Pause it, and try again after the reading."
            )
            self.message_user(request, words, messages.ERROR)
        else:
            what = "What it brought stays." if keeping_facts else "What it alone brought is deleted, too."
            self.message_user(request, f"{name} is removed. {what}", messages.SUCCESS)
        return redirect("admin:integrations_connection_changelist")

    def save_model(self, request: HttpRequest, obj: Connection, form: Any, change: bool) -> None:
        if change:
            obj.save(update_fields=["name"])
            return
        obj.pk, obj.name = form.connected.pk, form.connected.name

    @admin.display(description="Path")
    def path(self, connection: Connection) -> str:
        return ", ".join(source.external_id for source in connection.sources.all())

    @admin.display(description="State")
    def state(self, connection: Connection) -> str:
        run = _last_run(connection)
        if connection.paused_at:
            return "Paused"
        return run.get_state_display() if run else "Waiting for its first reading"

    @admin.display(description="Last reading")
    def last_reading(self, connection: Connection) -> Any:
        run = _last_run(connection)
        return run.finished_at or run.heartbeat_at if run else None

    @admin.display(description="Commits read")
    def progress(self, connection: Connection) -> str:
        run = _last_run(connection)
        return f"{run.read:,} of {run.to_read:,}" if run else ""

    @admin.display(description="Problem")
    def problem(self, connection: Connection) -> str:
        run = _last_run(connection)
        return run.problem if run else ""

    @admin.display(description="Last readings")
    def last_runs(self, connection: Connection) -> str:
        runs = SyncRun.objects.filter(source__connection=connection).order_by("-pk")[:RUNS_SHOWN]
        rows = (
            (timezone.localtime(run.started_at).strftime("%Y-%m-%d %H:%M"), run.get_state_display(), _in_words(run))
            for run in runs
        )
        return format_html_join("", "<div>{} · {} · {}</div>", rows) or "none yet"

    @admin.action(description="Test connection", permissions=["change"])
    def test_connection(self, request: HttpRequest, connections: QuerySet[Connection]) -> None:
        for source in _sources(connections):
            try:
                branches = GitRepository.open(source.external_id).branches
            except GitError as problem:
                self.message_user(request, f"{source.connection}: {problem}", messages.ERROR)
            else:
                words = f"{source.connection}: can be read, with {len(branches)} branches."
                self.message_user(request, words, messages.SUCCESS)

    @admin.action(description="Sync now", permissions=["change"])
    def sync_now(self, request: HttpRequest, connections: QuerySet[Connection]) -> None:
        for source in _sources(connections):
            read_now(source)
            if source.connection.paused_at:
                words = f"{source.connection} is paused: it is read once it is resumed."
                self.message_user(request, words, messages.WARNING)
            else:
                self.message_user(request, f"{source.connection} is read now.", messages.SUCCESS)

    @admin.action(description="Pause", permissions=["change"])
    def pause(self, request: HttpRequest, connections: QuerySet[Connection]) -> None:
        number = connections.filter(paused_at=None).update(paused_at=timezone.now())
        self.message_user(request, f"Paused: {number}. What was read stays.", messages.SUCCESS)

    @admin.action(description="Resume", permissions=["change"])
    def resume(self, request: HttpRequest, connections: QuerySet[Connection]) -> None:
        number = connections.exclude(paused_at=None).update(paused_at=None)
        self.message_user(request, f"Resumed: {number}.", messages.SUCCESS)


@admin.register(Repository)
class RepositoryAdmin(RepositoryModelAdmin):
    """What the connections' repositories were recognised as."""

    list_display = ("name", "state", "remote", "default_branch", "shallow")
    search_fields = ("name", "remote")
    readonly_fields = ("state", "remote", "root_sha", "default_branch", "shallow")
    fields = ("name", *readonly_fields)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Repository]:
        sources = RepositorySource.objects.filter(repository=OuterRef("pk"))
        return super().get_queryset(request).annotate(is_connected=Exists(sources))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Repository | None = None) -> bool:
        return False

    @admin.display(description="State", ordering="is_connected")
    def state(self, repository: Repository) -> str:
        connected = repository.is_connected  # type: ignore[attr-defined]  # annotated by get_queryset
        return "Connected" if connected else "No longer connected: as it was last read"


@admin.register(SyncRun)
class SyncRunAdmin(SyncRunModelAdmin):
    """The history of readings."""

    list_display = ("source", "state", "started_at", "finished_at", "read", "to_read", "added", "removed", "problem")
    list_filter = ("state", "source__connection")
    list_select_related = ("source__connection",)
    ordering = ("-pk",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: SyncRun | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: SyncRun | None = None) -> bool:
        return False


def _sources(connections: QuerySet[Connection]) -> QuerySet[RepositorySource]:
    return RepositorySource.objects.filter(connection__in=connections).select_related("connection").order_by("pk")


def _last_run(connection: Connection) -> SyncRun | None:
    return SyncRun.objects.filter(source__connection=connection).order_by("-pk").first()


def _in_words(run: SyncRun) -> str:
    counts = f"{run.read:,} of {run.to_read:,} commits read, {run.added:,} new, {run.removed:,} gone"
    return f"{counts}: {run.problem}" if run.problem else counts
