"""The ways in which a provider call fails.  Errors carry facts and sentences; callers decide who sees them."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum


class Cause(StrEnum):
    """Reasons why nothing of a connection works; admins see the label."""

    UNREACHABLE = "unreachable"
    WRONG_ADDRESS = "wrong_address"  # something answers, which is not this provider's API
    REFUSED = "refused"  # the credential, or all that it may do

    @property
    def label(self) -> str:
        return "Cannot be reached" if self is Cause.UNREACHABLE else self.value.replace("_", " ").capitalize()


class ConnectorError(Exception):
    """A failed provider call, in words for an admin; `what_to_do` is the remedy, empty if waiting is enough.

    `cause` is set where every other request would fail alike.
    """

    cause: Cause | None = None

    def __init__(self, problem: str, *, what_to_do: str = "", cause: Cause | None = None) -> None:
        super().__init__(problem)
        self.problem = problem
        self.what_to_do = what_to_do
        self.cause = cause or self.cause

    @property
    def sentences(self) -> str:
        """The problem and the remedy."""
        return f"{self.problem} {self.what_to_do}".strip()


class TransientError(ConnectorError):
    """A failure that may pass: a time-out, a 5xx, a rate limit.  `retry_at` if the provider said when."""

    def __init__(
        self, problem: str, *, retry_at: datetime | None = None, what_to_do: str = "", cause: Cause | None = None
    ) -> None:
        super().__init__(problem, what_to_do=what_to_do, cause=cause)
        self.retry_at = retry_at


class PermanentError(ConnectorError):
    """A failure that lasts until somebody acts: a missing permission, a wrong address."""


class CredentialRefusedError(ConnectorError):
    """The token itself is refused: every request of the connection would fail.

    Not a PermanentError, so that code which tolerates single refused requests does not ignore it.
    """

    cause = Cause.REFUSED


class GoneError(PermanentError):
    """The resource no longer exists, or is hidden from this credential."""


class SchemaError(ValueError):
    """A payload that is not as documented: `path` names the field (pull_request.head.sha), `problem` what is wrong."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path}: {problem}")
        self.path = path
        self.problem = problem
