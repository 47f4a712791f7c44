"""The receiver's manners, over real HTTP: tokens, methods, encodings, limits, and answers in the words of OTLP."""

from __future__ import annotations

import gzip
import http.client
import io
import json
import socket
import zlib
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta

import httpx
import pytest
from django.db import connection
from django.utils import timezone
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest, ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from integrations.models import IngestToken
from integrations.telemetry.otlp.ingest_tokens import create_ingest_token, revoke_ingest_token
from integrations.telemetry.otlp.request_body import MOST_BYTES
from tests.conftest import StartServer
from tests.databases import out_of_reach
from tests.patience import PATIENCE_SECONDS, wait_until
from tests.servers import Server
from tests.telemetry.intake import JSON, PROTOBUF, REQUEST, log_record, logs, rows

BODY = json.dumps(logs(log_record(REQUEST))).encode()
CUT_OFF = json.dumps(logs(log_record({**REQUEST, "request_id": "req_cut_off"}))).encode()


@pytest.fixture(scope="module")
def web(start_server: StartServer) -> Iterator[Server]:
    with start_server("web", named="receiver") as server:
        yield server


@pytest.fixture(scope="module")
def agent(web: Server) -> httpx.Client:
    return web.agent()


def post(agent: httpx.Client, body: bytes, **headers: str) -> httpx.Response:
    return agent.post("/v1/logs", content=body, headers={"Content-Type": JSON} | _dashed(headers))


def _dashed(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


def message_of(answer: httpx.Response) -> str:
    return str(answer.json()["message"])


@pytest.mark.parametrize("content_type", [JSON, "application/json; charset=utf-8", "Application/JSON"])
def test_a_request_in_json_is_answered_in_json(agent: httpx.Client, content_type: str) -> None:
    answer = post(agent, BODY, Content_Type=content_type)
    assert (answer.status_code, answer.headers["Content-Type"], answer.json()) == (200, JSON, {})


@pytest.mark.parametrize(
    ("signal", "response"),
    [
        ("logs", ExportLogsServiceResponse),
        ("metrics", ExportMetricsServiceResponse),
        ("traces", ExportTraceServiceResponse),
    ],
)
def test_a_request_in_protobuf_is_answered_in_protobuf(
    agent: httpx.Client,
    signal: str,
    response: type[ExportLogsServiceResponse | ExportMetricsServiceResponse | ExportTraceServiceResponse],
) -> None:
    answer = agent.post(f"/v1/{signal}", content=b"", headers={"Content-Type": PROTOBUF, "Content-Length": "0"})
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, PROTOBUF)
    assert response.FromString(answer.content) == response()


def test_rejected_records_are_a_partial_success(agent: httpx.Client) -> None:
    bad = {**logs(log_record({**REQUEST, "input_tokens": -1}))}
    in_json = post(agent, json.dumps(bad).encode()).json()
    assert in_json["partialSuccess"]["rejectedLogRecords"] == "1"

    sent = ExportLogsServiceRequest()
    sent.resource_logs.add().scope_logs.add().log_records.add()
    answer = post(agent, sent.SerializeToString(), Content_Type=PROTOBUF)
    partial = ExportLogsServiceResponse.FromString(answer.content).partial_success
    assert partial.rejected_log_records == 1
    assert "It has no time." in partial.error_message


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer hwi_wrong", "Basic aHdpOg==", "Bearer \u00ff\u00fe"])
def test_without_a_valid_token_nothing_is_accepted(web: Server, authorization: str) -> None:
    headers = [(b"Content-Type", JSON.encode()), (b"Authorization", authorization.encode("latin-1"))]
    answer = httpx.post(f"{web.url}/v1/logs", content=BODY, headers=headers, trust_env=False)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert answer.json()["code"] == 16
    assert "Authorization: Bearer" in message_of(answer)


def test_a_revoked_token_is_refused_soon(web: Server) -> None:
    with web.database():
        token, secret = create_ingest_token("lost laptop")
    headers = {"Content-Type": JSON, "Authorization": f"Bearer {secret}"}
    with httpx.Client(base_url=web.url, headers=headers, trust_env=False) as lost:
        assert lost.post("/v1/logs", content=BODY).status_code == 200
        with web.database():
            revoke_ingest_token(token)
        wait_until(
            lambda: lost.post("/v1/logs", content=BODY).status_code == 401,
            what="the revoked token is refused",
        )


def test_the_use_of_a_token_is_noted_once_a_minute(web: Server, agent: httpx.Client) -> None:
    post(agent, BODY)
    with web.database():
        token = IngestToken.objects.get(name="tests")
        assert token.last_used_at is not None
        assert timezone.now() - token.last_used_at < timedelta(minutes=2)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_other_methods_are_refused(agent: httpx.Client, method: str) -> None:
    answer = agent.request(method, "/v1/metrics")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_other_content_types_are_refused(agent: httpx.Client, content_type: str) -> None:
    answer = post(agent, BODY, Content_Type=content_type)
    assert answer.status_code == 415
    assert "application/x-protobuf" in message_of(answer)


def test_an_unknown_content_encoding_is_refused(agent: httpx.Client) -> None:
    answer = post(agent, BODY, Content_Encoding="br")
    assert (answer.status_code, answer.headers["Accept-Encoding"]) == (415, "gzip, deflate")


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", gzip.compress(BODY, mtime=0)),
        ("gzip", gzip.compress(BODY[:40], mtime=0) + gzip.compress(BODY[40:], mtime=0)),
        ("deflate", zlib.compress(BODY)),
        ("identity", BODY),
    ],
)
def test_compressed_bodies_are_inflated(agent: httpx.Client, encoding: str, body: bytes) -> None:
    assert post(agent, body, Content_Encoding=encoding).status_code == 200


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (gzip.compress(BODY, mtime=0)[:-20], "The gzip body ends too early: it was cut off in transit. Send it again."),
        (b"no gzip at all", "The body is not compressed as Content-Encoding says."),
        (gzip.compress(b"", mtime=0), "The body is not JSON, or it was cut off (line 1, column 1)."),
        (b"", "The compressed body is empty."),
    ],
)
def test_damaged_gzip_is_refused(agent: httpx.Client, body: bytes, message: str) -> None:
    answer = post(agent, body, Content_Encoding="gzip")
    assert (answer.status_code, message_of(answer)) == (400, message)


@pytest.mark.parametrize(("encoding", "body"), [("identity", b""), ("gzip", gzip.compress(b"", mtime=0))])
def test_a_request_without_records_is_accepted(agent: httpx.Client, encoding: str, body: bytes) -> None:
    """As OTLP asks for: an exporter whose records were all filtered sends one."""
    assert post(agent, body, Content_Type=PROTOBUF, Content_Encoding=encoding).status_code == 200


def test_an_empty_body_is_no_json(agent: httpx.Client) -> None:
    answer = post(agent, b"")
    assert (answer.status_code, message_of(answer)) == (
        400,
        "The body is not JSON, or it was cut off (line 1, column 1).",
    )


def test_broken_protobuf_is_refused_and_answered_in_protobuf(agent: httpx.Client) -> None:
    request = ExportLogsServiceRequest()
    request.resource_logs.add().scope_logs.add().log_records.add(time_unix_nano=1, severity_text="x" * 100)
    for body in (request.SerializeToString()[:-10], b"\xff\xff\xff\xff", BODY):
        answer = post(agent, body, Content_Type=PROTOBUF)
        assert (answer.status_code, answer.headers["Content-Type"]) == (400, PROTOBUF)
        assert answer.content.startswith(b"\x08\x03\x12")  # google.rpc.Status: code 3, then the message
        assert b"not an OTLP logs export request" in answer.content


def bomb() -> bytes:
    """100 times as many zeros as a request may have, in some hundred kB."""
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb") as file:
        for _ in range(100):
            file.write(bytes(MOST_BYTES))
    return packed.getvalue()


def test_a_gzip_bomb_is_refused_before_it_is_inflated(agent: httpx.Client) -> None:
    answer = post(agent, bomb(), Content_Encoding="gzip")
    assert answer.status_code == 413
    assert "Send smaller batches" in message_of(answer)


def test_a_body_of_50_mb_is_refused(web: Server, agent: httpx.Client) -> None:
    """Announced by its length, where reading it is not worth the while, and in chunks, where it is cut short."""
    size = 50_000_000
    announced = http.client.HTTPConnection("127.0.0.1", web.port, timeout=PATIENCE_SECONDS)
    headers = {"Authorization": agent.headers["Authorization"], "Content-Type": JSON}
    announced.request("POST", "/v1/logs", headers={**headers, "Content-Length": str(size)})
    assert announced.getresponse().status == 413
    announced.close()

    def chunks() -> Iterator[bytes]:
        for _ in range(size // 100_000):
            yield b" " * 100_000

    with suppress(httpx.WriteError):  # the server had answered and closed before all was sent
        with httpx.Client(headers=headers, timeout=PATIENCE_SECONDS, trust_env=False) as client:
            answer = client.post(f"{web.url}/v1/logs", content=chunks())
        assert answer.status_code == 413
    assert post(agent, BODY).status_code == 200


@pytest.mark.parametrize(
    ("length", "body"),
    [
        ({"Content-Length": str(len(CUT_OFF) + 10)}, CUT_OFF),
        ({"Transfer-Encoding": "chunked"}, b"%x\r\n%b\r\n" % (len(CUT_OFF), CUT_OFF)),  # without the last, empty chunk
    ],
)
def test_a_body_that_breaks_off_is_not_stored(
    web: Server, agent: httpx.Client, length: dict[str, str], body: bytes
) -> None:
    broken = http.client.HTTPConnection("127.0.0.1", web.port, timeout=PATIENCE_SECONDS)
    headers = {"Authorization": agent.headers["Authorization"], "Content-Type": JSON}
    broken.request("POST", "/v1/logs", body=body, headers={**headers, **length})
    broken.sock.shutdown(socket.SHUT_WR)  # nothing more comes
    with pytest.raises(http.client.RemoteDisconnected):
        broken.getresponse()
    broken.close()
    with web.database():
        assert not rows("SELECT 1 FROM integrations_agent_event WHERE key = 'req_cut_off'")


def test_while_the_database_is_away_senders_get_an_answer_that_makes_them_retry(
    web: Server, agent: httpx.Client
) -> None:
    body = json.dumps(logs(log_record({**REQUEST, "request_id": "req_while_away"}))).encode()
    with web.database():
        database = str(connection.settings_dict["NAME"])
    with out_of_reach(database):
        answer = post(agent, body)
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
        assert answer.json()["code"] == 14
    wait_until(lambda: post(agent, body).status_code == 200, what="telemetry is accepted once it is back")
    with web.database():
        assert len(rows("SELECT 1 FROM integrations_agent_event WHERE key = 'req_while_away'")) == 1


def test_a_host_name_that_is_not_ours_is_refused(agent: httpx.Client) -> None:
    assert post(agent, BODY, Host="elsewhere.example.com").status_code == 400


@pytest.mark.parametrize("path", ["/v1/logs", "/v1/logs/"])
def test_an_answer_says_what_it_is_and_how_long(agent: httpx.Client, path: str) -> None:
    answer = agent.post(path, content=BODY, headers={"Content-Type": JSON})
    assert answer.status_code == 200
    assert answer.headers["Content-Length"] == "2"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "Set-Cookie" not in answer.headers


def test_a_connection_survives_requests_that_fail(agent: httpx.Client) -> None:
    """An answer that is given before the body was read must not spoil what comes after it."""
    bodies = [BODY, b"{", b"", BODY * 2, BODY]
    answers = [post(agent, body).status_code for body in bodies * 5]
    assert answers == [200, 400, 400, 400, 200] * 5
