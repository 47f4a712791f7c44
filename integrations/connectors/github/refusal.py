"""GitHub's error answers, if the status alone is not specific enough."""

from __future__ import annotations

from integrations.connectors.base import Refused
from integrations.connectors.errors import Cause, ConnectorError, PermanentError
from integrations.connectors.unchecked import text_of

_ACCEPTED = "x-accepted-github-permissions"  # pull_requests=read; contents=read,…
_SAML = "x-github-sso"
_NAMES = {
    "metadata": "Metadata",
    "pull_requests": "Pull requests",
    "contents": "Contents",
    "issues": "Issues",
    "actions": "Actions",
    "deployments": "Deployments",
    "repository_hooks": "Webhooks",
    "members": "Members",
    "security_events": "Code scanning alerts",
}


class EmptyRepositoryError(PermanentError):
    """The repository has no commit yet."""


class NoCodeScanningError(PermanentError):
    """Code scanning is not set up for the repository, or nothing was analysed yet."""


def meaning_of(answer: Refused) -> ConnectorError | None:
    """The error that the answer means; None if the status is specific enough."""
    message = text_of(answer.document, "message")
    if answer.status == 409 and "empty" in message.lower():
        return EmptyRepositoryError("The repository has no commit yet.")
    if "/code-scanning/" in answer.path and (answer.status == 404 or "enabled" in message.lower()):
        return NoCodeScanningError("Code scanning is not set up for the repository.")
    if answer.status != 403 or _is_rate_limited(answer, message):
        return None
    if "required" in answer.headers.get(_SAML, ""):
        return PermanentError(
            "GitHub's organisation asks for single sign-on, for which this token is not authorised.",
            what_to_do="Open the token's settings at GitHub, press Configure SSO, and authorise the organisation.",
            cause=Cause.REFUSED,
        )
    if permissions := permissions_of(answer.headers.get(_ACCEPTED, "")):
        path = answer.path.partition("?")[0]
        return PermanentError(
            f"GitHub refused {path}: the token lacks {permissions}.",
            what_to_do=f"Grant it {permissions} (a classic token: the scope repo), and press Test connection.",
            cause=Cause.REFUSED,
        )
    return None


def _is_rate_limited(answer: Refused, message: str) -> bool:
    exhausted = answer.headers.get("x-ratelimit-remaining") == "0"
    return exhausted or "rate limit" in message.lower() or "retry-after" in answer.headers


def permissions_of(header: str) -> str:
    """The permission that a header names: pull_requests=read → “Pull requests: read”; the first of several
    alternatives.
    """
    first = header.partition(";")[0]
    parts = (part.strip().partition("=") for part in first.split(",") if "=" in part)
    return " and ".join(
        f"{_NAMES.get(name, name.replace('_', ' ').capitalize())}: {access}" for name, _, access in parts
    )
