"""Connect a repository by its path; list the connected ones with their sync status and problems."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone

from core.forms import posted_number
from core.page_links import url_with
from core.views import form_view, record_view
from insights.ui import wording
from integrations.connectors.git.commands import GitError
from integrations.connectors.github.connector import GitHub
from integrations.models import RepositorySource, SyncRun
from integrations.sync.git.connect import NameTakenError, connect_git, enqueue_sources
from integrations.sync.git.sources import ConnectedSource, connected_sources

LONGEST_PATH, LONGEST_NAME = 500, 200


@form_view
def connect_repository(request: HttpRequest) -> HttpResponse:
    """The page; a POST by an admin connects a path, or syncs a source now."""
    if request.method != "POST":
        return _render(request)
    if not request.user.is_staff:
        raise PermissionDenied("Only an admin can connect a repository.")
    if "read" in request.POST:
        sources = RepositorySource.objects.select_related("connection")
        source = get_object_or_404(sources, pk=posted_number(request, "read"))
        enqueue_sources([source])
        messages.success(request, f"{source.connection.name} is being read.")
        return redirect("connect_repository")
    path, name = request.POST.get("path", "").strip(), request.POST.get("name", "").strip()
    if form := _form_of_host(path):
        messages.info(request, "Repositories of GitHub are connected here, with their pull requests, by a token.")
        return redirect(form)
    problem = _problem_with(path, name)
    if not problem:
        try:
            source = connect_git(path, name=name)
        except NameTakenError:
            problem = f"A connection “{name}” already exists. Choose another name."
        except (GitError, OSError) as error:
            problem = str(error)
        else:
            messages.success(request, f"{source.connection.name} is connected; Headway is reading it.")
            return redirect("connect_repository")
    return _render(request, problem=problem, path=path, name=name)


@record_view
def connections(request: HttpRequest) -> HttpResponse:
    """The list alone, which the page polls during a sync."""
    return render(request, "insights/repositories/_connections.html", _list_context())


def _render(request: HttpRequest, *, problem: str = "", path: str = "", name: str = "") -> HttpResponse:
    context = {**_list_context(), "problem": problem, "path": path, "name": name}
    return render(request, "insights/repositories/connect.html", context, status=400 if problem else 200)


def _list_context() -> dict[str, object]:
    lines = [_line(source, timezone.now()) for source in connected_sources()]
    return {"lines": lines, "is_busy": any(line["state"] in ("waiting", SyncRun.State.RUNNING) for line in lines)}


def _line(connected: ConnectedSource, now: datetime) -> dict[str, Any]:
    source, run = connected.source, connected.last_run
    state = _state(source, run)
    return {
        "source_id": source.pk,
        "name": source.connection.name,
        "path": source.external_id,
        "repository": source.repository.name if source.repository else "",
        "state": state,
        "summary": _summary(state, connected, now),
        "problem": run.problem if run and state == SyncRun.State.FAILED else "",
        "fraction": min(1.0, run.read / run.to_read)
        if run and state == SyncRun.State.RUNNING and run.to_read
        else None,
        "lines_unknown": wording.count(connected.lines_unknown, "commit") if connected.lines_unknown else "",
        "is_shallow": bool(source.repository and source.repository.shallow),
    }


def _state(source: RepositorySource, run: SyncRun | None) -> str:
    if source.connection.paused_at:
        return "paused"
    if run is not None and run.state == SyncRun.State.RUNNING:
        return SyncRun.State.RUNNING
    if run is None or (source.requested_at is not None and source.requested_at > run.started_at):
        return "waiting"
    return run.state


def _summary(state: str, connected: ConnectedSource, now: datetime) -> str:
    run = connected.last_run
    held = f"{wording.count(connected.commits, 'commit')} known"
    if state == "paused":
        return f"Paused · {held}"
    if state == "waiting" or run is None:
        return "Waits for the worker to read it"
    if state == SyncRun.State.RUNNING:
        return f"Reading: {run.read:,} of {run.to_read:,} commits"
    ago = wording.ago(run.finished_at or run.heartbeat_at, now)
    if state == SyncRun.State.INTERRUPTED:
        return f"Interrupted {ago}; it resumes where it stopped · {held}"
    if state == SyncRun.State.FAILED:
        return f"Failed {ago} · {held}"
    new = f"{run.added:,} new" if run.added else "nothing new"
    return f"Read {ago}, {new} · {held}"


def _form_of_host(path: str) -> str:
    """The form that connects GitHub, filled in from a repository's address; empty for any other path."""
    address = path.replace(":", "/", 1).replace("git@", "https://", 1) if path.startswith("git@") else path
    known = GitHub.understood({"base_url": address})
    if "owners" not in known:
        return ""
    answers = [("provider", GitHub.slug), ("name", f"{GitHub.name} {known['owners']}".strip()), *known.items()]
    return url_with(reverse("admin:integrations_connection_add"), answers)


def _problem_with(path: str, name: str) -> str:
    if not path:
        return "Give the path of a git repository on the machine that Headway runs on."
    if "://" in path or path.startswith("git@"):
        return "This is an address, not a path on this machine. Connect its code host in admin, or clone it here first."
    if not path.startswith(("/", "~")):
        return "The path must be absolute, such as /srv/git/shop.git."
    for words, text, most in (("The path", path, LONGEST_PATH), ("The name", name, LONGEST_NAME)):
        if len(text) > most or not text.isprintable():
            return f"{words} has at most {most} printable characters."
    return ""
