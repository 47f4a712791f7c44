"""The OTLP/HTTP receiver: POST /v1/logs, /v1/metrics, /v1/traces.

https://opentelemetry.io/docs/specs/otlp/#otlphttp
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from core.disk_full import is_disk_full, not_stored_message
from integrations.models import IngestScope
from integrations.telemetry.otlp.decode import read_request
from integrations.telemetry.otlp.decoded import DecodedRequest, Encoding, Signal, UnreadableRequestError
from integrations.telemetry.otlp.ingest_tokens import RefusedTokenError, sender_of
from integrations.telemetry.otlp.replies import CONTENT_TYPES, Answer, Code, RefusedError, accepted, refused
from integrations.telemetry.otlp.request_body import read_body
from integrations.telemetry.otlp.store import store

logger = logging.getLogger(__name__)

SECONDS_TO_RETRY = 5
MOST_REASONS = 5


@csrf_exempt
def receive(request: HttpRequest, signal: str) -> HttpResponse:
    answer = answer_export(request.META, Signal(signal))
    return HttpResponse(answer.body, status=answer.status, headers=dict(answer.headers))


def answer_export(environ: Mapping[str, Any], signal: Signal) -> Answer:
    """Store the export request of a WSGI environment, or return an error that says what is wrong."""
    encoding = CONTENT_TYPES.get(_content_type(environ))
    try:
        decoded = _receive(environ, signal, encoding)
    except RefusedError as refusal:
        return refused(refusal, encoding or Encoding.JSON)
    except Exception as failure:
        if is_disk_full(failure):
            return refused(_unavailable(failure), encoding or Encoding.JSON)
        logger.exception("Telemetry could not be stored.")
        problem = "Headway failed; nothing was stored. Its log has details."
        return refused(RefusedError(500, Code.INTERNAL, problem), encoding or Encoding.JSON)
    return accepted(signal, encoding or Encoding.JSON, rejected=len(decoded.rejected), message=_reasons(decoded))


def _receive(environ: Mapping[str, Any], signal: Signal, encoding: Encoding | None) -> DecodedRequest:
    if environ["REQUEST_METHOD"] != "POST":
        raise RefusedError(405, Code.UNIMPLEMENTED, "Telemetry is sent with POST.", {"Allow": "POST"})
    try:
        sender = sender_of(_bearer(environ), IngestScope.TELEMETRY)
        if encoding is None:
            raise RefusedError(
                415,
                Code.INVALID_ARGUMENT,
                f"Content-Type must be {' or '.join(CONTENT_TYPES)}.",
                {"Accept": ", ".join(CONTENT_TYPES)},
            )
        decoded = read_request(signal, encoding, read_body(environ))
        store(decoded, sender=sender)
    except RefusedTokenError as problem:
        if problem.is_known:
            raise RefusedError(403, Code.PERMISSION_DENIED, str(problem)) from None
        challenge = {"WWW-Authenticate": 'Bearer realm="Headway telemetry"'}
        raise RefusedError(401, Code.UNAUTHENTICATED, str(problem), challenge) from None
    except UnreadableRequestError as problem:
        raise RefusedError(400, Code.INVALID_ARGUMENT, str(problem)) from None
    except (OperationalError, InterfaceError) as problem:
        raise _unavailable(problem) from None
    return decoded


def _unavailable(problem: Exception) -> RefusedError:
    logger.warning("Telemetry cannot be stored at the moment: %s", problem)
    return RefusedError(503, Code.UNAVAILABLE, not_stored_message(problem), {"Retry-After": str(SECONDS_TO_RETRY)})


def _content_type(environ: Mapping[str, Any]) -> str:
    """The media type without parameters, in lower case."""
    media_type: str = environ.get("CONTENT_TYPE", "")
    return media_type.partition(";")[0].strip().lower()


def _bearer(environ: Mapping[str, Any]) -> str:
    scheme, _, secret = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
    return secret.strip() if scheme.lower() == "bearer" else ""


def _reasons(decoded: DecodedRequest) -> str:
    """Distinct reasons for rejected records."""
    reasons = list(dict.fromkeys(record.reason for record in decoded.rejected))[:MOST_REASONS]
    if not reasons:
        return ""
    return f"Stored in quarantine, where an admin can see and replay them: {' '.join(reasons)}"
