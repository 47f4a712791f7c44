"""Exchanged tokens, cached in memory between the slices of a process: an exchange costs a request."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Mapping

from cachetools import TTLCache

from integrations.connectors.base import Connector

KEPT_SECONDS = 600.0  # such tokens last an hour; one that ran out is exchanged again when it is refused
MOST_KEPT = 200
_lock = threading.Lock()
_kept: TTLCache[str, Mapping[str, str]] = TTLCache(MOST_KEPT, ttl=KEPT_SECONDS)


class ExchangedSignature:
    """Of one connector's settings; other settings have another."""

    def __init__(self, connector: Connector) -> None:
        answers = [connector.slug, dict(connector.settings.values), dict(connector.settings.secrets)]
        self._key = hashlib.sha256(json.dumps(answers, sort_keys=True).encode()).hexdigest()

    def get(self) -> Mapping[str, str] | None:
        with _lock:
            return _kept.get(self._key)

    def keep(self, signature: Mapping[str, str]) -> None:
        with _lock:
            _kept[self._key] = signature

    def forget(self) -> None:
        with _lock:
            _kept.pop(self._key, None)
