"""Raw requests as agents' exporters send them: chunked (JavaScript) or with Content-Length."""

from __future__ import annotations

import http.client
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from tests.patience import PATIENCE_SECONDS

CHUNK_BYTES = 4096


def post_chunked(url: str, body: bytes, headers: Mapping[str, str]) -> int:
    """Status of a POST whose body goes in chunks and without Content-Length."""
    return _post(url, _chunks(body), {**headers, "Transfer-Encoding": "chunked"}, encode_chunked=True)


def post_with_length(url: str, body: bytes, headers: Mapping[str, str]) -> int:
    """Status of a POST whose Content-Length is known."""
    return _post(url, body, headers, encode_chunked=False)


def _post(url: str, body: bytes | Iterator[bytes], headers: Mapping[str, str], *, encode_chunked: bool) -> int:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=PATIENCE_SECONDS)
    try:
        connection.request("POST", parts.path, body=body, headers=dict(headers), encode_chunked=encode_chunked)
        answer = connection.getresponse()
        answer.read()
        return answer.status
    finally:
        connection.close()


def _chunks(body: bytes) -> Iterator[bytes]:
    for start in range(0, len(body), CHUNK_BYTES):
        yield body[start : start + CHUNK_BYTES]
