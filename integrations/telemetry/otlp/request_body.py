"""Read and inflate the body of a request to a receiver, both with size limits."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Any, BinaryIO

from integrations.telemetry.otlp.replies import Code, RefusedError

MOST_BYTES = 20 * 1024 * 1024  # both as sent and inflated; agents send some kB, SDK exporters at most 512 records
MOST_MEMBERS = 1000  # per gzip body; programs write one
_PIECE = 64 * 1024  # bounds the copy that zlib makes at the end of a member
_WINDOW_BITS = {"gzip": 16 + zlib.MAX_WBITS, "x-gzip": 16 + zlib.MAX_WBITS, "deflate": zlib.MAX_WBITS}


def read_body(environ: Mapping[str, Any]) -> bytes:
    """Read and inflate the body of a WSGI request.  Raises RefusedError."""
    return inflate(read_sent(environ), environ)


def read_sent(environ: Mapping[str, Any]) -> bytes:
    """Read the body of a WSGI request as sent, for verifying signatures.  Raises RefusedError.

    The web server decodes chunked bodies and sets Content-Length.
    """
    announced = environ.get("CONTENT_LENGTH") or "0"
    if not (announced.isascii() and announced.isdigit()):
        raise _unreadable("Content-Length is not a number.")
    length = int(announced)
    if length > MOST_BYTES:
        raise _too_large()
    stream: BinaryIO = environ["wsgi.input"]
    body = stream.read(length)
    if len(body) < length:
        raise _unreadable(f"Only {len(body)} of the {length} bytes announced by Content-Length arrived.")
    return body


def inflate(sent: bytes, environ: Mapping[str, Any]) -> bytes:
    """Decompress a body by the Content-Encoding of its request.  Raises RefusedError.

    Runs in time linear in the compressed and inflated sizes for any input.
    """
    encoding = environ.get("HTTP_CONTENT_ENCODING", "").strip().lower()
    if encoding in ("", "identity"):
        return sent
    if encoding not in _WINDOW_BITS:
        raise RefusedError(
            415,
            Code.INVALID_ARGUMENT,
            "Content-Encoding must be gzip, deflate or identity.",
            {"Accept-Encoding": "gzip, deflate"},
        )
    if not sent:
        raise _unreadable("The compressed body is empty.")
    return _inflate(sent, encoding)


def _inflate(sent: bytes, encoding: str) -> bytes:
    """Inflate all members (a gzip file may have several) up to the limits."""
    parts: list[bytes] = []
    room = MOST_BYTES + 1
    members = 0
    inflater: Any = None
    for start in range(0, len(sent), _PIECE):
        piece = sent[start : start + _PIECE]
        while piece:
            if inflater is None:
                members += 1
                if members > MOST_MEMBERS:
                    raise _unreadable(f"The {encoding} body has more than {MOST_MEMBERS:,} members. Send it as one.")
                inflater = zlib.decompressobj(_WINDOW_BITS[encoding])
            try:
                part = inflater.decompress(piece, room)
            except zlib.error:
                raise _unreadable("The body is not compressed as Content-Encoding says.") from None
            parts.append(part)
            room -= len(part)
            if not room:
                raise _too_large()
            piece, inflater = (inflater.unused_data, None) if inflater.eof else (b"", inflater)
    if inflater is not None:
        raise _unreadable(f"The {encoding} body ends too early: it was cut off in transit. Send it again.")
    return b"".join(parts)


def _unreadable(message: str) -> RefusedError:
    return RefusedError(400, Code.INVALID_ARGUMENT, message)


def _too_large() -> RefusedError:
    return RefusedError(
        413,
        Code.INVALID_ARGUMENT,
        f"A request may have {MOST_BYTES:,} bytes, as sent and inflated. Send smaller batches.",
    )
