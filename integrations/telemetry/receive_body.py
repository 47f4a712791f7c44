"""The body of an export request, read raw: with a limit that is counted while reading and while inflating.

Django's own `request.body` is empty where a body has no Content-Length, and the JavaScript exporters send theirs in
chunks; gunicorn's `wsgi.input` undoes the chunks.
"""

from __future__ import annotations

import zlib
from typing import BinaryIO

MOST_BYTES = 20 * 1024 * 1024  # as sent and inflated alike; agents send some kB, SDK exporters at most 512 records
_CHUNK = 64 * 1024
_WINDOW_BITS = {"gzip": 16 + zlib.MAX_WBITS, "x-gzip": 16 + zlib.MAX_WBITS, "deflate": zlib.MAX_WBITS}


class UnreadableBodyError(ValueError):
    """A body that cannot be read as its headers say; the message names the remedy."""


class BodyTooLargeError(ValueError):
    """A body beyond MOST_BYTES, as sent or inflated."""


class UnknownEncodingError(ValueError):
    """A Content-Encoding that is not understood."""


def read_body(environ: dict[str, object]) -> bytes:
    """The body, inflated.

    Raises UnknownEncodingError, BodyTooLargeError and UnreadableBodyError.
    """
    encoding = str(environ.get("HTTP_CONTENT_ENCODING", "")).strip().lower()
    if encoding not in ("", "identity") and encoding not in _WINDOW_BITS:
        raise UnknownEncodingError
    sent = _read(environ)
    return sent if encoding in ("", "identity") else _inflate(sent, _WINDOW_BITS[encoding])


def _read(environ: dict[str, object]) -> bytes:
    stream: BinaryIO = environ["wsgi.input"]  # type: ignore[assignment]
    chunked = "chunked" in str(environ.get("HTTP_TRANSFER_ENCODING", "")).lower()
    announced = str(environ.get("CONTENT_LENGTH") or "")
    if chunked:
        body = _read_at_most(stream, MOST_BYTES + 1)
        if not body:
            raise UnreadableBodyError("The request was sent in chunks, and no byte of its body arrived.")
    elif announced.isascii() and announced.isdigit():
        length = int(announced)
        if length > MOST_BYTES:
            raise BodyTooLargeError
        body = _read_at_most(stream, length)
        if len(body) < length:
            raise UnreadableBodyError(f"Of {length} bytes announced by Content-Length {len(body)} arrived.")
    elif announced:
        raise UnreadableBodyError("Content-Length is not a number.")
    else:
        body = b""
    if len(body) > MOST_BYTES:
        raise BodyTooLargeError
    return body


def _read_at_most(stream: BinaryIO, length: int) -> bytes:
    chunks = []
    while length > 0 and (chunk := stream.read(min(length, _CHUNK))):
        chunks.append(chunk)
        length -= len(chunk)
    return b"".join(chunks)


def _inflate(sent: bytes, window_bits: int) -> bytes:
    """Inflated member by member (gzip files may have several), never more than a chunk beyond the limit."""
    inflated = bytearray()
    while sent:
        inflater = zlib.decompressobj(window_bits)
        try:
            while not inflater.eof:
                part = inflater.decompress(sent, MOST_BYTES + 1 - len(inflated))
                inflated += part
                if len(inflated) > MOST_BYTES:
                    raise BodyTooLargeError
                sent = inflater.unconsumed_tail
                if not part and not sent and not inflater.eof:
                    raise UnreadableBodyError("The compressed body ends too early.")
        except zlib.error:
            raise UnreadableBodyError("The body is not compressed as Content-Encoding says.") from None
        sent = inflater.unused_data
    if not inflated:
        raise UnreadableBodyError("The compressed body is empty.")
    return bytes(inflated)
