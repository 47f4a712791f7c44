"""The OTLP/HTTP receiver: POST /v1/logs, /v1/metrics, /v1/traces.

https://opentelemetry.io/docs/specs/otlp/#otlphttp
"""

from __future__ import annotations

import logging

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from integrations.services.ingest_tokens import find_ingest_token
from integrations.telemetry.decode import read_json, read_protobuf
from integrations.telemetry.decode_reading import Reading, Signal, UnreadableRequestError
from integrations.telemetry.receive_body import (
    MOST_BYTES,
    BodyTooLargeError,
    UnknownEncodingError,
    UnreadableBodyError,
    read_body,
)
from integrations.telemetry.receive_reply import Code, Encoding, accepted, refused
from integrations.telemetry.store import store

logger = logging.getLogger(__name__)

SECONDS_TO_RETRY = 5


@csrf_exempt
def receive(request: HttpRequest, signal: str) -> HttpResponse:
    """Store an export request, or say exactly what is wrong with it."""
    encoding = _encoding(request)
    answer_in = encoding or Encoding.JSON
    if request.method != "POST":
        return refused(405, Code.UNIMPLEMENTED, "Telemetry is sent with POST.", answer_in, headers={"Allow": "POST"})
    try:
        token_id = find_ingest_token(_bearer(request))
        if token_id is None:
            return refused(
                401,
                Code.UNAUTHENTICATED,
                "The ingest token is missing, wrong or revoked. Send the header Authorization: Bearer <ingest token>.",
                answer_in,
                headers={"WWW-Authenticate": 'Bearer realm="Headway telemetry"'},
            )
        if encoding is None:
            return refused(
                415,
                Code.INVALID_ARGUMENT,
                "Content-Type must be application/x-protobuf or application/json.",
                answer_in,
                headers={"Accept": "application/x-protobuf, application/json"},
            )
        reading = _read(request, Signal(signal), encoding)
        store(reading, token_id=token_id)
    except UnknownEncodingError:
        return refused(
            415,
            Code.INVALID_ARGUMENT,
            "Content-Encoding must be gzip, deflate or identity.",
            answer_in,
            headers={"Accept-Encoding": "gzip, deflate"},
        )
    except BodyTooLargeError:
        return refused(
            413,
            Code.INVALID_ARGUMENT,
            f"A request may have {MOST_BYTES:,} bytes, inflated too. Send smaller batches.",
            answer_in,
        )
    except (UnreadableBodyError, UnreadableRequestError) as problem:
        return refused(400, Code.INVALID_ARGUMENT, str(problem), answer_in)
    except (OperationalError, InterfaceError) as problem:
        logger.warning("Telemetry cannot be stored at the moment: %s", problem)
        return refused(
            503,
            Code.UNAVAILABLE,
            "The database cannot be reached; nothing was stored. Send the request again.",
            answer_in,
            headers={"Retry-After": str(SECONDS_TO_RETRY)},
        )
    return accepted(
        Signal(signal),
        answer_in,
        rejected=len(reading.rejected),
        message=_why(reading),
    )


def _read(request: HttpRequest, signal: Signal, encoding: Encoding) -> Reading:
    body = read_body(request.META)
    return read_protobuf(signal, body) if encoding is Encoding.PROTOBUF else read_json(signal, body)


def _encoding(request: HttpRequest) -> Encoding | None:
    try:
        return Encoding((request.content_type or "").lower())
    except ValueError:
        return None


def _bearer(request: HttpRequest) -> str:
    scheme, _, secret = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    return secret.strip() if scheme.lower() == "bearer" else ""


def _why(reading: Reading) -> str:
    """The reasons of the rejected records, each once."""
    reasons = dict.fromkeys(record.reason for record in reading.rejected)
    if not reasons:
        return ""
    return "Kept in quarantine, where an administrator can see and replay them: " + " ".join(reasons)
