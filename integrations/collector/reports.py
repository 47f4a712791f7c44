"""POST /collector/v1/reports: developers' machines report agents' lines as counts, session activity, and their own
state.

docs/collector.md describes every field.  A report of a commit replaces the same machine's earlier report of it.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Mapping, Sequence
from typing import Any, LiteralString

from django.db import InterfaceError, OperationalError, transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from core.disk_full import is_disk_full, not_stored_message
from integrations.code.attribution.git_ai_notes import agent_of_tool
from integrations.collector.fields import RefusedReportError, count_in, list_in, object_in, text_in, time_in
from integrations.collector.sessions import sessions_in, store_sessions
from integrations.models import CollectedLines, CollectorMachine, Commit, IngestScope
from integrations.outbox.attribution_queue import enqueue_commits
from integrations.outbox.fact_changes import announce_changes
from integrations.telemetry.enrolment import enrol
from integrations.telemetry.otlp.ingest_tokens import RefusedTokenError, Sender, sender_of
from integrations.telemetry.otlp.replies import RefusedError
from integrations.telemetry.otlp.request_body import read_body
from orgtree.organisation.people_version import raise_people_version

logger = logging.getLogger(__name__)

MOST_COMMITS = 500
MOST_ENTRIES = 200  # file types of a commit, sessions of a file type, agents of a machine
MOST_LINES = 10_000_000
SECONDS_TO_RETRY = 5
HOOK_STATES = ("installed", "incomplete", "not installed", "unreadable", "off")
_SHA = re.compile(r"^(?:[0-9a-f]{40}|[0-9a-f]{64})$")
_PATCH_ID = re.compile(r"^[0-9a-f]{40}$")
_TYPE = re.compile(r"^(?:\.[a-z0-9]{1,12}|lock file|)$")
SEEN: LiteralString = """
    SELECT token.identity_id, machine.reported_at AS first_at
    FROM integrations_collectormachine machine JOIN integrations_ingesttoken token ON token.id = machine.token_id
    JOIN orgtree_identity identity ON identity.id = token.identity_id
    WHERE NOT EXISTS (SELECT FROM integrations_enrolment known WHERE known.identity_id = token.identity_id)
"""


@csrf_exempt
def receive_reports(request: HttpRequest) -> HttpResponse:
    try:
        if request.method != "POST":
            return JsonResponse({"error": "Reports are sent with POST."}, status=405, headers={"Allow": "POST"})
        sender = _sender(request)
        report = _parsed(read_body(request.META))
        machine, commits, sessions = _machine(report), _commits(report), sessions_in(report, sender)
        store_sessions(sessions, sender)
        with transaction.atomic():
            store_report(sender, machine, commits)
    except RefusedReportError as refusal:
        return JsonResponse({"error": refusal.message}, status=refusal.status)
    except RefusedError as refusal:
        return JsonResponse({"error": refusal.message}, status=refusal.status, headers=refusal.headers)
    except (OperationalError, InterfaceError, OSError) as problem:
        if isinstance(problem, OSError) and not is_disk_full(problem):
            raise
        logger.warning("A report of the collector cannot be stored at the moment: %s", problem)
        return JsonResponse(
            {"error": not_stored_message(problem)}, status=503, headers={"Retry-After": str(SECONDS_TO_RETRY)}
        )
    return JsonResponse({"accepted": len(commits)})


def store_report(sender: Sender, machine: Mapping[str, Any], commits: Mapping[str, Sequence[CollectedLines]]) -> None:
    """Store a machine's state and its commits, in the caller's transaction.  Idempotent."""
    CollectorMachine.objects.update_or_create(
        token_id=sender.token_id, defaults={**machine, "reported_at": timezone.now()}
    )
    is_anybody_new = enrol(SEEN)
    CollectedLines.objects.filter(token_id=sender.token_id, sha__in=list(commits)).delete()
    for rows in commits.values():
        for row in rows:
            row.token_id = sender.token_id
    CollectedLines.objects.bulk_create(row for rows in commits.values() for row in rows)
    enqueue_commits(Commit.objects.filter(sha__in=list(commits)).values_list("pk", flat=True))
    if is_anybody_new:
        announce_changes()
        raise_people_version()


def _sender(request: HttpRequest) -> Sender:
    scheme, _, secret = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    try:
        sender = sender_of(secret.strip() if scheme.lower() == "bearer" else "", IngestScope.COLLECTOR)
    except RefusedTokenError as problem:
        raise RefusedReportError(str(problem), 403 if problem.is_known else 401) from None
    if sender.identity_id is None:  # a token from before scopes existed
        raise RefusedReportError("The collector needs a token of its own: create one on the page /agent/.", 403)
    return sender


def _parsed(body: bytes) -> dict[str, Any]:
    try:
        report = json.loads(body)
    except (ValueError, RecursionError):
        raise RefusedReportError("The report is not JSON.") from None
    return object_in(report, "the report")


def _machine(report: Mapping[str, Any]) -> dict[str, Any]:
    machine = object_in(report.get("machine"), "machine")
    agents = object_in(machine.get("agents"), "machine.agents")
    if len(agents) > MOST_ENTRIES:
        raise RefusedReportError(f"machine.agents has more than {MOST_ENTRIES} entries.")
    return {
        **{name: text_in(machine.get(name), f"machine.{name}", 20) for name in ("version", "system", "python")},
        "agents": {agent_of_tool(name): _agent(state, f"machine.agents.{name[:40]}") for name, state in agents.items()},
    }


def _agent(value: Any, where: str) -> dict[str, Any]:
    state = object_in(value, where)
    if state.get("hooks") not in HOOK_STATES:
        raise RefusedReportError(f"{where}.hooks is not one of {', '.join(HOOK_STATES)}.")
    at = state.get("last_event")
    if at is not None:
        time_in(at, f"{where}.last_event")
    return {"hooks": state["hooks"], "last_event": at}


def _commits(report: Mapping[str, Any]) -> dict[str, list[CollectedLines]]:
    commits = list_in(report.get("commits"), "commits", MOST_COMMITS)
    return dict(_commit(object_in(commit, f"commits[{number}]"), number) for number, commit in enumerate(commits))


def _commit(commit: Mapping[str, Any], number: int) -> tuple[str, list[CollectedLines]]:
    where = f"commits[{number}]"
    sha, patch_id = commit.get("commit"), commit.get("patch_id")
    if not isinstance(sha, str) or not _SHA.match(sha):
        raise RefusedReportError(f"{where}.commit is not the id of a commit.")
    if not isinstance(patch_id, str) or not _PATCH_ID.match(patch_id):
        raise RefusedReportError(f"{where}.patch_id is not a patch id.")
    rows: dict[tuple[str, str], CollectedLines] = {}
    for kind in list_in(commit.get("file_types"), f"{where}.file_types", MOST_ENTRIES):
        entry = object_in(kind, f"{where}.file_types")
        name, added = entry.get("type"), count_in(entry.get("added"), f"{where}.file_types.added", MOST_LINES)
        if not isinstance(name, str) or not _TYPE.match(name):
            raise RefusedReportError(f"{where}.file_types.type is neither a suffix, nor a lock file, nor empty.")
        total = 0
        for counted in list_in(entry.get("sessions"), f"{where}.file_types.sessions", MOST_ENTRIES):
            of_session = object_in(counted, f"{where}.file_types.sessions")
            lines = count_in(of_session.get("lines"), f"{where}.file_types.sessions.lines", MOST_LINES)
            total += lines
            agent = agent_of_tool(text_in(of_session.get("agent"), f"{where}.file_types.sessions.agent", 40))
            session = text_in(of_session.get("session"), f"{where}.file_types.sessions.session", 200)
            row = rows.setdefault(
                (agent, session),
                CollectedLines(
                    sha=sha,
                    patch_id=patch_id,
                    agent=agent,
                    model=text_in(of_session.get("model"), f"{where}.file_types.sessions.model", 120, empty=True),
                    external_session=session,
                    lines_by_type={},
                ),
            )
            row.lines_by_type[name] = row.lines_by_type.get(name, 0) + lines
        if total > added:
            raise RefusedReportError(f"{where}.file_types: sessions have {total} lines, the commit adds {added}.")
    return sha, list(rows.values())
