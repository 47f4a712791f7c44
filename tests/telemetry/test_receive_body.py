"""Bodies that are compressed to cost much: members by the ten thousand, and what breaks off."""

from __future__ import annotations

import gzip
import io
import time
import zlib
from typing import Any

import pytest

from integrations.telemetry.otlp.replies import RefusedError
from integrations.telemetry.otlp.request_body import MOST_BYTES, MOST_MEMBERS, read_body

EMPTY_MEMBER = gzip.compress(b"", mtime=0)
MOST_SECONDS = 0.3  # of processor time; 80,000 members took 3 to 7


def request_with(body: bytes, encoding: str = "gzip") -> dict[str, Any]:
    return {
        "CONTENT_LENGTH": str(len(body)),
        "HTTP_CONTENT_ENCODING": encoding,
        "wsgi.input": io.BytesIO(body),
    }


@pytest.mark.parametrize("members", [80_000, MOST_BYTES // len(EMPTY_MEMBER)])
def test_many_empty_members_cost_little(members: int) -> None:
    request = request_with(EMPTY_MEMBER * members)
    started = time.thread_time()
    with pytest.raises(RefusedError) as refused:
        read_body(request)
    assert time.thread_time() - started < MOST_SECONDS
    assert (refused.value.status, "members" in refused.value.message) == (400, True)


def test_the_most_members_that_are_read_cost_little() -> None:
    members = gzip.compress(b"a" * 15_000, mtime=0) * MOST_MEMBERS
    started = time.thread_time()
    assert len(read_body(request_with(members))) == 15_000 * MOST_MEMBERS
    assert time.thread_time() - started < MOST_SECONDS


@pytest.mark.parametrize("size", [1, 65_535, 65_536, 200_000, MOST_BYTES - 20_000])
def test_a_body_is_the_same_whatever_its_pieces(size: int) -> None:
    body = bytes(range(256)) * (size // 256 + 1)
    body = body[:size]
    assert read_body(request_with(gzip.compress(body, 1))) == body
    assert read_body(request_with(gzip.compress(body[:100], 0) + gzip.compress(body[100:], 0))) == body
    assert read_body(request_with(zlib.compress(body), "deflate")) == body
    assert read_body(request_with(body, "identity")) == body


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
@pytest.mark.parametrize("length", [1, 5, 50, -9, -1])
def test_a_body_that_stops_in_the_middle_is_named(encoding: str, length: int) -> None:
    whole = gzip.compress(bytes(range(256)), mtime=0) if encoding == "gzip" else zlib.compress(bytes(range(256)))
    with pytest.raises(RefusedError) as refused:
        read_body(request_with(whole[:length], encoding))
    assert (refused.value.status, refused.value.message) == (
        400,
        f"The {encoding} body ends too early: it was cut off in transit. Send it again.",
    )
