"""The push API: POST /ingest/v1/<kind>/ stores records or a report, DELETE /ingest/v1/<kind>/<id>/ deletes one.

For tools without a connector: a pipeline can push its own deployments with one line.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.db import InterfaceError, OperationalError, transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from rest_framework.exceptions import ValidationError

from core.disk_full import is_disk_full, not_stored_message
from integrations.connectors.drafts import AnyDraft, IncidentDraft
from integrations.connectors.quality_reports.xml_events import UnreadableReportError
from integrations.delivery.linking.named_causes import uncounted_causes
from integrations.models import Incident, IngestScope
from integrations.push.drafts import KINDS
from integrations.push.hand_kept import METRICS, forget_value, store_values
from integrations.push.reports import REPORTS, store_report
from integrations.push.serializers import NO_OBJECT, in_words
from integrations.push.store import forget_record, push_connection, store_claimed
from integrations.telemetry.otlp.ingest_tokens import RefusedTokenError, Sender, sender_of
from integrations.telemetry.otlp.replies import RefusedError
from integrations.telemetry.otlp.request_body import read_body

logger = logging.getLogger(__name__)

MOST_RECORDS = 1000
SECONDS_TO_RETRY = 5
PUSHED_KINDS = {name: pushed.kind for name, pushed in KINDS.items()} | REPORTS  # by their name in the URL


class RefusedPushError(Exception):
    """The request as a whole is refused; the message says how to fix it."""

    def __init__(self, status: int, problem: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(problem)
        self.status = status
        self.headers = headers or {}


@csrf_exempt
def push_records(request: HttpRequest, kind: str) -> HttpResponse:
    """Store a batch of records; the response lists the outcome of each, in order."""

    def stored(sender: Sender) -> dict[str, Any]:
        if kind in REPORTS:
            return {"results": store_report(kind, request.GET, read_body(request.META), sender)}
        records = _records(request)
        return {"results": store_values(records, sender) if kind == METRICS else _stored(kind, records, sender)}

    return _answered(request, kind, "POST", stored)


@csrf_exempt
def push_record(request: HttpRequest, kind: str, record_id: str) -> HttpResponse:
    """Delete a record: it leaves every figure, and a later push of its id restores it."""

    def gone(sender: Sender) -> dict[str, Any]:
        was_there = (
            forget_value(record_id, sender) if kind == METRICS else forget_record(PUSHED_KINDS[kind], record_id, sender)
        )
        if not was_there:
            raise RefusedPushError(404, f"There is no record {record_id[:100]!r} among {kind}.")
        return {"id": record_id, "status": "deleted"}

    return _answered(request, kind, "DELETE", gone)


def _answered(request: HttpRequest, kind: str, method: str, act: Callable[[Sender], dict[str, Any]]) -> HttpResponse:
    try:
        if kind not in (*PUSHED_KINDS, METRICS):
            raise RefusedPushError(
                404, f"There is no kind {kind[:40]!r}. There are: {', '.join((*PUSHED_KINDS, METRICS))}."
            )
        if request.method != method:
            raise RefusedPushError(405, f"Use {method} here.", {"Allow": method})
        return JsonResponse(act(_sender(request)))
    except RefusedPushError as refusal:
        return _refused(refusal.status, str(refusal), refusal.headers)
    except UnreadableReportError as refusal:
        return _refused(400, str(refusal), {})
    except PermissionError as refusal:
        return _refused(403, str(refusal), {})
    except RefusedError as refusal:
        return _refused(refusal.status, refusal.message, refusal.headers)
    except (OperationalError, InterfaceError, OSError) as problem:
        if isinstance(problem, OSError) and not is_disk_full(problem):
            raise
        logger.warning("Pushed records cannot be stored at the moment: %s", problem)
        retry = {"Retry-After": str(SECONDS_TO_RETRY)}
        return _refused(503, not_stored_message(problem), retry)


def _refused(status: int, problem: str, headers: Mapping[str, str]) -> HttpResponse:
    return JsonResponse({"error": problem}, status=status, headers=dict(headers))


def _sender(request: HttpRequest) -> Sender:
    scheme, _, secret = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    try:
        return sender_of(secret.strip() if scheme.lower() == "bearer" else "", IngestScope.PUSH)
    except RefusedTokenError as problem:
        if problem.is_known:
            raise RefusedPushError(403, str(problem)) from None
        challenge = {"WWW-Authenticate": 'Bearer realm="Headway push API"'}
        raise RefusedPushError(401, str(problem), challenge) from None


def _records(request: HttpRequest) -> list[Any]:
    if (request.content_type or "").lower() != "application/json":
        raise RefusedPushError(415, "Content-Type must be application/json.")
    try:
        body = json.loads(read_body(request.META))
    except (ValueError, RecursionError):
        raise RefusedPushError(400, 'The body is not JSON. Send {"records": [ … ]} in UTF-8.') from None
    if not isinstance(body, dict) or set(body) != {"records"} or not isinstance(body["records"], list):
        raise RefusedPushError(400, 'Send one object with the single field "records", a list.')
    records: list[Any] = body["records"]
    if len(records) > MOST_RECORDS:
        raise RefusedPushError(413, f"A request may have {MOST_RECORDS:,} records, and this one has {len(records):,}.")
    return records


def _stored(kind: str, records: Sequence[Any], sender: Sender) -> list[dict[str, Any]]:
    """Store the valid records, in one transaction; if several have the same id, the last one."""
    pushed = KINDS[kind]
    results: list[dict[str, Any]] = []
    drafts: list[AnyDraft] = []
    stored: list[dict[str, Any]] = []
    left_out: dict[str, str] = {}  # field → reason
    serializer = pushed.record(context={"left_out": left_out})  # created once: it copies all of its fields
    for record in records:
        left_out.clear()
        named = record.get("id", record.get("sha")) if isinstance(record, Mapping) else None
        result: dict[str, Any] = {
            "id": named if isinstance(named, str | int) else None,
            "status": "rejected",
            "error": None,
        }
        results.append(result)
        try:
            values = serializer.run_validation(record)
        except ValidationError as refusal:
            problem = in_words(refusal.detail if isinstance(record, Mapping) else {"record": NO_OBJECT})
            result["error"] = " ".join((*left_out.values(), problem))
            continue
        if left_out:
            result["left_out"] = list(left_out)
            result["error"] = " ".join(left_out.values())
        drafts.append(pushed.draft_of(values))
        stored.append(result)
    with transaction.atomic():
        outcomes = store_claimed(sender, pushed.kind, drafts)
        uncounted = _uncounted_causes([draft for draft, (status, _) in zip(drafts, outcomes, strict=True) if status])
    for result, draft, (status, problem) in zip(stored, drafts, outcomes, strict=True):
        result["status"] = status or result["status"]
        result["error"] = problem or result["error"]
        if isinstance(draft, IncidentDraft) and status and draft.external_id in uncounted:
            result["not_counted"] = [f"caused_by: {uncounted[draft.external_id]}"]
    return results


def _uncounted_causes(drafts: Sequence[AnyDraft]) -> Mapping[str, str]:
    """Id of an incident → reason why the deployment that it names as its cause does not count."""
    naming = [draft.external_id for draft in drafts if isinstance(draft, IncidentDraft) and draft.caused_by]
    if not naming:
        return {}
    stored = Incident.objects.filter(connection=push_connection(), external_id__in=naming)
    ids = dict(stored.values_list("pk", "external_id"))
    return {ids[incident]: reason for incident, reason in uncounted_causes(ids).items()}
