"""Limits per connection that waitress does not have: timeouts, and sizes of requests and chunks.

waitress closes idle connections; a client that trickles bytes is never idle, and a body in one-byte chunks costs the
shared loop more than the client.
"""

from __future__ import annotations

import math
import time
from contextlib import suppress
from typing import Any

from waitress.buffers import OverflowableBuffer
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser, ParsingError
from waitress.utilities import BadRequest, Error, RequestEntityTooLarge

from core.disk_full import DISK_FULL, SECONDS_TO_RETRY, is_disk_full

HEAD_SECONDS = 10.0  # from a request's first byte to the end of its headers
BODY_SECONDS, BODY_BYTES = 20.0, 10_000  # in every such period, a body must grow by this many bytes
OUTPUT_SECONDS = 120.0  # without the client reading a byte; the kernel buffers some MB
IDLE_SECONDS = 75.0  # between two requests; exporters send every 5 to 60 seconds
MOST_QUEUED = 4  # requests sent without waiting for an answer; each may hold an open file
RECEIVERS = ("/v1/", "/ingest/", "/hooks/")
MOST_RECEIVED_BYTES = 20 * 1024 * 1024  # as in receive_body.py, which Django has to be set up for
CHUNK_OVERHEAD_BYTES, PAYLOAD_PER_OVERHEAD = 4096, 4  # chunks of 24 bytes on average are still fine


class NoRoomError(Error):  # type: ignore[misc]  # waitress has no types
    """Responds 503 with Retry-After."""

    code, reason = 503, "Service Unavailable"

    def to_response(self, ident: str | None = None) -> tuple[str, list[tuple[str, str]], bytes]:
        status, headers, body = super().to_response(ident)
        return status, [*headers, ("Retry-After", str(SECONDS_TO_RETRY))], body


class Body(OverflowableBuffer):  # type: ignore[misc]  # as above
    """A request body in memory or a temporary file; once `refused`, further bytes are dropped.

    So the client can finish sending and read the response instead of a connection error.
    """

    refused = ""
    buf: Any

    def append(self, part: bytes) -> None:
        if self.refused:
            return
        try:
            super().append(part)
        except OSError as problem:
            self._give_up(problem)

    def complete(self) -> None:
        """Flush the temporary file to disk."""
        try:
            if self.overflowed:
                self.buf.file.flush()
        except OSError as problem:
            self._give_up(problem)

    def refuse(self, reason: str) -> None:
        self.refused = reason
        self.close()
        self.buf, self.strbuf, self.overflowed = None, b"", False

    def close(self) -> None:
        with suppress(OSError):  # on a full disk there is no room for discarded bytes either
            super().close()

    def _give_up(self, problem: OSError) -> None:
        self.refuse(DISK_FULL if is_disk_full(problem) else f"The body cannot be buffered: {problem.strerror}.")


class Request(HTTPRequestParser):  # type: ignore[misc]  # as above
    """waitress's parser with a body that can be refused, and limits on its size and chunks."""

    error: Error | None
    completed: bool

    def parse_header(self, header_plus: bytes) -> None:
        super().parse_header(header_plus)
        # A proxy in front that believes the other of the two would see two requests where this server sees one.
        if "CONTENT_LENGTH" in self.headers and (self.chunked or "TRANSFER_ENCODING" in self.headers):
            raise ParsingError("A request has either Content-Length or Transfer-Encoding, not both.")
        if self.body_rcv is not None:
            self.body_rcv.buf = Body(self.adj.inbuf_overflow)

    def received(self, data: bytes) -> int:
        consumed: int = super().received(data)
        if self.body_rcv is not None and self.error is None:
            self.error = self._refusal(self.body_rcv.buf)
            self.completed = self.completed or self.error is not None
        return consumed

    def _refusal(self, body: Body) -> Error | None:
        if self.completed:
            body.complete()
        if body.refused:
            return NoRoomError(body.refused) if self.completed else None
        if self.path.startswith(RECEIVERS) and max(self.content_length, len(body)) > MOST_RECEIVED_BYTES:
            return RequestEntityTooLarge(f"A request may have {MOST_RECEIVED_BYTES:,} bytes. Send smaller batches.")
        if self.body_bytes_received - len(body) > CHUNK_OVERHEAD_BYTES + len(body) // PAYLOAD_PER_OVERHEAD:
            return BadRequest("The chunks of this body are too small. Send larger ones.")
        return None

    def refuse_for_room(self) -> None:
        self.body_rcv.buf.refuse("Too many large bodies arrive at once. Send this one again later.")

    @property
    def is_spooling(self) -> bool:
        """Whether its body is in a temporary file."""
        return self.body_rcv is not None and self.body_rcv.buf.overflowed


class Channel(HTTPChannel):  # type: ignore[misc]  # as above
    """A connection with timeouts against slow clients."""

    parser_class = Request
    request: Request | None

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self.sent_bytes = 0
        self.waiting_since = time.monotonic()
        self._awaited: object = None
        self._moved = 0
        self._spooled: Request | None = None
        super().__init__(*arguments, **options)

    @property
    def is_busy(self) -> bool:
        """Whether a request is being received, processed, or answered."""
        return bool(self.request or self.requests or self.total_outbufs_len)

    @property
    def is_spooling(self) -> bool:
        return self.request is not None and self.request.is_spooling

    def refuse_for_room(self) -> None:
        if self.request is not None:
            self.request.refuse_for_room()

    def is_overdue(self, now: float) -> bool:
        """Whether its client is too slow; `now` is monotonic; called about once a second."""
        awaited, moved, seconds, least = self._awaits()
        if awaited != self._awaited or (now - self.waiting_since >= seconds and moved - self._moved >= least):
            self._awaited, self._moved, self.waiting_since = awaited, moved, now
        return now - self.waiting_since >= seconds

    def received(self, data: bytes) -> bool:
        more: bool = super().received(data)
        if len(self.requests) > MOST_QUEUED:
            self.will_close = True
        if self.is_spooling and self._spooled is not self.request:
            self._spooled = self.request
            self.server.limit_spooled_bodies()
        return more

    def send(self, data: bytes, do_close: bool = True) -> int:
        sent: int = super().send(data, do_close=do_close)
        self.sent_bytes += sent
        return sent

    def _awaits(self) -> tuple[object, int, float, float]:
        """(phase, bytes moved, timeout in seconds, minimum bytes within the timeout)."""
        if self.total_outbufs_len:
            return "output", self.sent_bytes, OUTPUT_SECONDS, 1
        if self.requests:
            return "answer", 0, math.inf, math.inf
        if self.request is None:
            return self.last_activity, 0, IDLE_SECONDS, math.inf
        if self.request.body_rcv is None:
            return self.request, 0, HEAD_SECONDS, math.inf
        return self.request.body_rcv, self.request.body_bytes_received, BODY_SECONDS, BODY_BYTES
