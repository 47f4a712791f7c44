"""Error answers in words for an admin."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from integrations.connectors.base import Refused
from integrations.connectors.errors import Cause, ConnectorError, CredentialRefusedError, GoneError, PermanentError

LONGEST_QUOTATION = 300


def error_of(refused: Refused, name: str) -> ConnectorError:
    """The error for any status that will not change by itself; `name` is the provider's."""
    path, quoted = urlsplit(refused.path).path or "/", _quoted(refused.document)
    match refused.status:
        case 401:
            return CredentialRefusedError(
                f"{name} refused the token{quoted}.",
                what_to_do="It may have expired or been revoked. Enter a new one, and press Test connection.",
            )
        case 403:
            return PermanentError(
                f"{name} does not let this token read {path}{quoted}.",
                what_to_do="Grant the missing permission, listed next to the connection's form, and press Sync now.",
                cause=Cause.REFUSED,
            )
        case 404 | 410:
            return GoneError(
                f"{name} does not show {path}{quoted}.",
                what_to_do="It was deleted or moved, or the token may no longer see it. "
                "Grant access to it, or take it off the connection's resources.",
            )
    return PermanentError(
        f"{name} did not accept the request for {path}: status {refused.status}{quoted}.",
        what_to_do="Check the base URL and the settings of the connection.",
    )


def is_rate_limited(refused: Refused) -> bool:
    """Whether the answer is a 429, or the 403 that GitHub uses for it."""
    if refused.status == 429:
        return True
    if refused.status != 403:
        return False
    exhausted = refused.headers.get("x-ratelimit-remaining") == "0"
    return exhausted or "retry-after" in refused.headers or "rate limit" in _message(refused.document).lower()


def _quoted(document: Any) -> str:
    message = " ".join(_message(document).split())[:LONGEST_QUOTATION].rstrip(".")
    return f" (“{message}”)" if message else ""


def _message(document: Any) -> str:
    """The provider's message, from the fields in which providers send it."""
    if not isinstance(document, dict):
        return ""
    for name in ("message", "error_description", "error", "detail"):
        value = document.get(name)
        if isinstance(value, dict):
            value = value.get("message")
        if isinstance(value, str):
            return value
    messages = document.get("errorMessages")
    return ", ".join(map(str, messages)) if isinstance(messages, list) else ""
