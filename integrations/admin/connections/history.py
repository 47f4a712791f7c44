"""A connection's sync history in words, latest first, and the runs of all connections."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from core.admin_permissions import ReadOnly
from integrations.admin.connections.sections import section_context
from integrations.models import Connection, Stream, SyncRun

RUNS_ON_A_PAGE = 50
WENT_WRONG = (SyncRun.State.FAILED, SyncRun.State.INTERRUPTED)
COUNTED = {name: name for name in ("added", "changed", "removed", "quarantined")} | {"unplaced": "not placed"}
FIELDS_SHOWN = 5
TONES = {
    SyncRun.State.DONE: "good",
    SyncRun.State.FAILED: "bad",
    SyncRun.State.INTERRUPTED: "watch",
}


@dataclass(frozen=True)
class RunLine:
    """A run in words; `seconds` is its duration, None while it is open."""

    run: SyncRun
    what: str
    tone: str
    seconds: float | None
    outcome: str


def history(request: HttpRequest, connection: Connection) -> HttpResponse:
    """The page of sync runs; `?failed` filters failures."""
    only_failed = "failed" in request.GET
    streams = Stream.objects.filter(resource__connection=connection)
    runs = SyncRun.objects.filter(Q(source__in=connection.sources.all()) | Q(stream__in=streams))
    if only_failed:
        runs = runs.filter(state__in=WENT_WRONG)
    page = Paginator(runs.select_related("source", "stream__resource").order_by("-pk"), RUNS_ON_A_PAGE).get_page(
        request.GET.get("page")
    )
    context = {
        **section_context(request, connection, title=f"Syncs of {connection}", current="history"),
        "lines": [_line(run) for run in page],
        "page": page,
        "only_failed": only_failed,
    }
    return render(request, "admin/integrations/connection/history.html", context)


def _line(run: SyncRun) -> RunLine:
    return RunLine(
        run,
        what=f"{run.source or run.stream}{' (everything)' if run.full else ''}",
        tone=TONES.get(SyncRun.State(run.state), ""),
        seconds=(run.finished_at - run.started_at).total_seconds() if run.finished_at else None,
        outcome=outcome_of(run),
    )


def outcome_of(run: SyncRun) -> str:
    """The outcome of a run: "1,204 records read in 13 requests: 12 added, 1 changed"."""
    read = f"{run.read:,} of {run.to_read:,}" if run.to_read > run.read else f"{run.read:,}"
    noun = ("commit" if run.source_id else "record") + ("" if read == "1" else "s")
    requests = f" in {run.requests:,} request{'' if run.requests == 1 else 's'}" if run.requests else ""
    changes = ", ".join(f"{getattr(run, name):,} {words}" for name, words in COUNTED.items() if getattr(run, name))
    if run.left_out:
        left_out = f"{run.left_out:,} part{'' if run.left_out == 1 else 's'} not understood and left out"
        if fields := list(run.fields_left_out)[:FIELDS_SHOWN]:
            more = " and others" if len(run.fields_left_out) > FIELDS_SHOWN else ""
            left_out = f"{left_out} ({', '.join(fields)}{more})"
        changes = f"{changes}, {left_out}" if changes else left_out
    return f"{read} {noun} read{requests}: {changes or 'nothing new'}"


@admin.register(SyncRun)
class SyncRunAdmin(ReadOnly, admin.ModelAdmin[SyncRun]):
    """Read-only list of runs; the history of one connection is a page of its own."""

    list_display = ("what", "state", "started_at", "finished_at", "outcome", "problem")
    list_display_links = None
    list_filter = ("state", "full", "stream__kind")
    list_select_related = ("source__connection", "stream__resource__connection")
    ordering = ("-pk",)
    show_full_result_count = False

    @admin.display(description="What")
    def what(self, run: SyncRun) -> str:
        return str(run.source or run.stream)

    @admin.display(description="Outcome")
    def outcome(self, run: SyncRun) -> str:
        return outcome_of(run)
