"""Exchanged tokens, cached in memory between the slices of a process: an exchange costs a request."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Mapping

from integrations.connectors.base import Connector

KEPT_SECONDS = 600.0  # such tokens last an hour; one that ran out is exchanged again when it is refused
MOST_KEPT = 200
_lock = threading.Lock()
_kept: dict[str, tuple[float, Mapping[str, str]]] = {}


class ExchangedSignature:
    """Of one connector's settings; other settings have another."""

    def __init__(self, connector: Connector) -> None:
        answers = [connector.slug, dict(connector.settings.values), dict(connector.settings.secrets)]
        self._key = hashlib.sha256(json.dumps(answers, sort_keys=True).encode()).hexdigest()

    def get(self) -> Mapping[str, str] | None:
        with _lock:
            at, signature = _kept.get(self._key, (float("-inf"), None))
        return signature if at + KEPT_SECONDS > time.monotonic() else None

    def keep(self, signature: Mapping[str, str]) -> None:
        with _lock:
            while len(_kept) >= MOST_KEPT:
                del _kept[next(iter(_kept))]
            _kept[self._key] = (time.monotonic(), signature)

    def forget(self) -> None:
        with _lock:
            _kept.pop(self._key, None)
