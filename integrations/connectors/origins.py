"""Which addresses belong to a connection's own host, where its credentials may be sent, and how addresses are shown."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from integrations.connectors.errors import PermanentError

PORTS = {"http": 80, "https": 443}
LONGEST_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Origin:
    """Scheme, host and port of a base URL."""

    scheme: str
    host: str
    port: int

    @classmethod
    def of(cls, base_url: str) -> Origin:
        """Raises PermanentError if it is no address."""
        try:
            origin = _origin(urlsplit(base_url))
        except ValueError:
            origin = None
        if origin is None:
            raise PermanentError(
                "The base URL is not a URL.",
                what_to_do="Enter one that begins with https://, such as https://example.com.",
            )
        return origin

    def has(self, url: str) -> bool:
        """Whether the URL leads to the same host and port, or from http to https where both are the usual ones."""
        try:
            target = _origin(urlsplit(url))
        except ValueError:
            return False
        return target in (self, Origin("https", self.host, 443) if (self.scheme, self.port) == ("http", 80) else self)

    def __str__(self) -> str:
        """As people write it, without the port that goes without saying."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"


def _origin(address: SplitResult) -> Origin | None:
    if address.scheme not in PORTS or not address.hostname:
        return None
    return Origin(address.scheme, address.hostname, address.port or PORTS[address.scheme])


def shown_origin(url: str) -> str:
    """Of an address that a provider named; without the user and password that it may hold."""
    try:
        address = urlsplit(url)
    except ValueError:
        return "what is no address"
    return f"{address.scheme}://{address.netloc.rpartition('@')[2]}"[:LONGEST_SHOWN]


def shown_path(path: str) -> str:
    """A path for a message, without its query, which the provider controls."""
    return urlsplit(path).path[:LONGEST_SHOWN] or "/"
