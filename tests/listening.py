"""HTTP servers that tests start on this machine."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import HTTPServer

SECONDS_TO_NOTICE = 0.02  # that it is to stop; by default half a second


@contextmanager
def listening(server: HTTPServer) -> Iterator[str]:
    """The address of the server, which answers in a thread of its own until the block ends."""
    thread = threading.Thread(target=server.serve_forever, args=(SECONDS_TO_NOTICE,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
