"""The receiver in the test's own process: what is sent to it, and what it made of it."""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection
from django.http import HttpResponse
from django.test import Client
from google.protobuf.message import Message

from integrations.models import DroppedAttribute, QuarantinedRecord, UnreadEvent
from integrations.telemetry.otlp.ingest_tokens import create_ingest_token
from integrations.telemetry.otlp.store_tallies import add_up_tallies

PROTOBUF = "application/x-protobuf"
JSON = "application/json"
SECOND = 1_000_000_000
NOW = time.time_ns()
CLAUDE = {"service.name": "claude-code", "service.version": "2.1.197"}
ADA = {"enduser.id": "ada@example.com", "user.id": "installation-of-ada", "session.id": "session-of-ada"}
REQUEST = {
    **ADA,
    "event.name": "api_request",
    "model": "claude-sonnet-4-5",
    "request_id": "req_1",
    "input_tokens": 100,
    "output_tokens": 10,
    "cache_read_tokens": 1000,
    "cache_creation_tokens": 50,
    "cost_usd": 0.0095889,
    "duration_ms": 98,
}

Json = dict[str, Any]


class Intake:
    """Sends to the receiver with a valid token, and reads its tables."""

    def __init__(self) -> None:
        self.token, self.secret = create_ingest_token("tests")
        self._client = Client()

    def post(self, path: str, body: bytes, content_type: str = JSON, **headers: str) -> HttpResponse:
        sent = {"Authorization": f"Bearer {self.secret}", **headers}
        answer: HttpResponse = self._client.post(path, data=body, content_type=content_type, headers=sent)  # type: ignore[assignment]
        return answer

    def send(self, request: Message | Json) -> Json:
        """The answer, as JSON, to a request that must be accepted; its signal is told by what it holds."""
        if isinstance(request, Message):
            path = _path_of(request.DESCRIPTOR.fields[0].name)
            answer = self.post(path, request.SerializeToString(), PROTOBUF)
            assert answer.status_code == 200, answer.content
            return {"body": answer.content}
        answer = self.post(_path_of(next(iter(request))), json.dumps(request).encode())
        assert answer.status_code == 200, answer.content
        parsed: Json = json.loads(answer.content)
        return parsed

    def send_compressed(self, path: str, body: bytes, content_type: str) -> HttpResponse:
        return self.post(path, gzip.compress(body), content_type, **{"Content-Encoding": "gzip"})

    @property
    def events(self) -> list[Json]:
        return rows("SELECT * FROM integrations_agent_event ORDER BY at, digest")

    @property
    def points(self) -> list[Json]:
        return rows("SELECT * FROM integrations_agent_point ORDER BY at, series, start")

    @property
    def sessions(self) -> list[Json]:
        return rows(
            """
            SELECT session.agent, session.external_id, identity.kind, identity.value
            FROM integrations_agentsession session JOIN orgtree_identity identity ON identity.id = session.identity_id
            ORDER BY session.id
            """
        )

    @property
    def reasons(self) -> list[str]:
        """Why records are in quarantine."""
        return list(QuarantinedRecord.objects.order_by("pk").values_list("reason", flat=True))

    @property
    def dropped(self) -> dict[str, int]:
        add_up_tallies()
        return dict(DroppedAttribute.objects.values_list("name", "count"))

    def counted(self, *, known: bool) -> dict[tuple[str, str], int]:
        """(agent, name) → how often something came that no row was made of, or that no vocabulary reads."""
        add_up_tallies()
        counts = UnreadEvent.objects.filter(known=known, attribute="").values_list("agent", "name", "count")
        return {(agent, name): count for agent, name, count in counts}


def rows(query: str) -> list[Json]:
    with connection.cursor() as cursor:
        cursor.execute(query)
        names = [column.name for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def stored_text() -> str:
    """Everything that stands in the tables of the app, as one text."""
    tables = rows(
        """
        SELECT c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND NOT c.relispartition
          AND (c.relname LIKE 'integrations_%' OR c.relname LIKE 'orgtree_%')
        """
    )
    return "\n".join(
        row["line"] for table in tables for row in rows(f"SELECT coalesce(t::text, '') AS line FROM {table['name']} t")
    ) + "\n".join(
        bytes(payload).decode("latin-1") for payload in QuarantinedRecord.objects.values_list("payload", flat=True)
    )


def log_record(attributes: Mapping[str, Any], **fields: Any) -> Json:
    """A log record in OTLP/JSON; `fields` are set as they are, an unset time is now."""
    record = {"timeUnixNano": str(NOW), "attributes": json_attributes(attributes), **fields}
    return {name: value for name, value in record.items() if value is not None}


def logs(*records: Any, resource: Mapping[str, Any] = CLAUDE) -> Json:
    return _request("resourceLogs", "scopeLogs", "logRecords", records, resource)


def metrics(*records: Any, resource: Mapping[str, Any] = CLAUDE) -> Json:
    return _request("resourceMetrics", "scopeMetrics", "metrics", records, resource)


def spans(*records: Any, resource: Mapping[str, Any] = CLAUDE) -> Json:
    return _request("resourceSpans", "scopeSpans", "spans", records, resource)


def counter(name: str, *points: Json, temporality: Any = 1) -> Json:
    return {"name": name, "sum": {"aggregationTemporality": temporality, "isMonotonic": True, "dataPoints": [*points]}}


def point(value: Any, attributes: Mapping[str, Any], **fields: Any) -> Json:
    times = {"startTimeUnixNano": str(NOW - 60 * SECOND), "timeUnixNano": str(NOW)}
    return {**times, "asDouble": value, "attributes": json_attributes({**ADA, **attributes}), **fields}


def json_attributes(attributes: Mapping[str, Any]) -> list[Json]:
    return [{"key": key, "value": json_value(value)} for key, value in attributes.items()]


def json_value(value: Any) -> Json:
    match value:
        case dict():
            return value
        case bool():
            return {"boolValue": value}
        case int():
            return {"intValue": str(value)}
        case float():
            return {"doubleValue": value}
        case _:
            return {"stringValue": value}


def _request(
    in_request: str, in_resource: str, in_scope: str, records: Sequence[Any], resource: Mapping[str, Any]
) -> Json:
    scope = {"scope": {"name": "tests"}, in_scope: list(records)}
    return {in_request: [{"resource": {"attributes": json_attributes(resource)}, in_resource: [scope]}]}


def _path_of(field: str) -> str:
    name = field.lower().replace("_", "")
    return {"resourcelogs": "/v1/logs", "resourcemetrics": "/v1/metrics", "resourcespans": "/v1/traces"}[name]
