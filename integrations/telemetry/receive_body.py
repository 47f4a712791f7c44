"""The body of an export request, read raw: with a limit that is counted while reading and while inflating.

The web server undoes the chunks that the JavaScript exporters send, and sets Content-Length.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Any, BinaryIO

from integrations.telemetry.receive_reply import Code, RefusedError

MOST_BYTES = 20 * 1024 * 1024  # as sent and inflated alike; agents send some kB, SDK exporters at most 512 records
_WINDOW_BITS = {"gzip": 16 + zlib.MAX_WBITS, "x-gzip": 16 + zlib.MAX_WBITS, "deflate": zlib.MAX_WBITS}


def read_body(environ: Mapping[str, Any]) -> bytes:
    """The body of a WSGI request, inflated.  Raises RefusedError."""
    encoding = environ.get("HTTP_CONTENT_ENCODING", "").strip().lower()
    if encoding in ("", "identity"):
        return _read(environ)
    if encoding not in _WINDOW_BITS:
        raise RefusedError(
            415,
            Code.INVALID_ARGUMENT,
            "Content-Encoding must be gzip, deflate or identity.",
            {"Accept-Encoding": "gzip, deflate"},
        )
    return _inflate(_read(environ), _WINDOW_BITS[encoding])


def _read(environ: Mapping[str, Any]) -> bytes:
    stream: BinaryIO = environ["wsgi.input"]
    announced = environ.get("CONTENT_LENGTH") or ""
    if not announced:
        return b""
    if not (announced.isascii() and announced.isdigit()):
        raise _unreadable("Content-Length is not a number.")
    length = int(announced)
    if length > MOST_BYTES:
        raise _too_large()
    body = stream.read(length)
    if len(body) < length:
        raise _unreadable(f"Of {length} bytes that Content-Length announces {len(body)} arrived.")
    return body


def _inflate(sent: bytes, window_bits: int) -> bytes:
    """All members (a gzip file may have several), stopped at the limit."""
    inflated = bytearray()
    while sent:
        inflater = zlib.decompressobj(window_bits)
        try:
            inflated += inflater.decompress(sent, MOST_BYTES + 1 - len(inflated))
        except zlib.error:
            raise _unreadable("The body is not compressed as Content-Encoding says.") from None
        if len(inflated) > MOST_BYTES:
            raise _too_large()
        if not inflater.eof:
            raise _unreadable("The compressed body ends too early.")
        sent = inflater.unused_data
    if not inflated:
        raise _unreadable("The compressed body is empty.")
    return bytes(inflated)


def _unreadable(message: str) -> RefusedError:
    return RefusedError(400, Code.INVALID_ARGUMENT, message)


def _too_large() -> RefusedError:
    return RefusedError(
        413,
        Code.INVALID_ARGUMENT,
        f"A request may have {MOST_BYTES:,} bytes, as sent and inflated. Send smaller batches.",
    )
