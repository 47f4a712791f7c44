"""Connections in Django admin: what is connected, how its reading goes, and what to do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html_join

from integrations.connectors.git.commands import GitError
from integrations.connectors.git.repository import GitRepository
from integrations.git.connect import NameTakenError, connect_git
from integrations.models import Connection, Repository, RepositorySource, SyncRun
from integrations.services.connections import read_now

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


@admin.register(Connection)
class ConnectionAdmin(ConnectionModelAdmin):
    """Connected repositories.  One that is no longer wanted is paused: what it brought stays."""

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

    def has_delete_permission(self, request: HttpRequest, obj: Connection | None = None) -> bool:
        return False

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

    list_display = ("name", "remote", "default_branch", "shallow")
    search_fields = ("name", "remote")
    readonly_fields = ("remote", "root_sha", "default_branch", "shallow")
    fields = ("name", *readonly_fields)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Repository | None = None) -> bool:
        return False


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
