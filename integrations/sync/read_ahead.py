"""Fetches the next page while the last one is being stored; at most two pages wait in memory."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator

from integrations.connectors.base import Page
from integrations.connectors.http import GivenUpError

SECONDS_BETWEEN_CHECKS = 0.5


class ReadAhead:
    """Pages of one slice, fetched in a separate thread.

    `after_page` is called in that thread after each page.  It ends the slice by making the client give up: no page is
    fetched that will not be stored, but pages that need no further request, or the end, are still reached.
    """

    def __init__(self, pages: Iterator[Page], after_page: Callable[[], None]) -> None:
        self._pages = pages
        self._after_page = after_page
        self._found: queue.Queue[Page | BaseException | None] = queue.Queue(maxsize=1)
        self._unwanted = threading.Event()
        self._at_end = False
        self._thread = threading.Thread(target=self._fetch, name="read-ahead", daemon=True)
        self._thread.start()

    @property
    def at_end(self) -> bool:
        """Whether all existing pages were read, after `next_page` has returned None."""
        return self._at_end

    def next_page(self, meanwhile: Callable[[], None], *, every_seconds: float) -> Page | None:
        """The next page; None after the last one of the slice.  Raises any exception that occurred while fetching it.

        While waiting, `meanwhile` is called regularly, and may raise.
        """
        while True:
            try:
                page_read = self._found.get(timeout=every_seconds)
            except queue.Empty:
                meanwhile()
                continue
            if isinstance(page_read, BaseException):
                raise page_read
            return page_read

    def stop(self) -> None:
        """Stop fetching pages; the thread ends after its request."""
        self._unwanted.set()

    def _fetch(self) -> None:
        try:
            for page in self._pages:
                self._hand_over(page)
                if self._unwanted.is_set():
                    return
                self._after_page()
            self._at_end = True
            self._hand_over(None)
        except GivenUpError:
            self._hand_over(None)
        except BaseException as problem:  # any exception is passed to the thread that waits for the page
            self._hand_over(problem)

    def _hand_over(self, page_read: Page | BaseException | None) -> None:
        while not self._unwanted.is_set():
            try:
                self._found.put(page_read, timeout=SECONDS_BETWEEN_CHECKS)
            except queue.Full:
                continue
            return
