"""What Jenkins means by an error answer: it names the permission that is missing in a header."""

from __future__ import annotations

from integrations.connectors.base import Refused
from integrations.connectors.errors import ConnectorError, CredentialRefusedError, PermanentError
from integrations.connectors.jenkins.jobs import name_in

_REQUIRED = "x-required-permission"  # hudson.model.Item.Read
_KINDS = {"Hudson": "Overall", "Item": "Job", "Run": "Run", "View": "View"}


def meaning_of(answer: Refused) -> ConnectorError | None:
    """None if the status is specific enough."""
    if answer.status == 401:
        return CredentialRefusedError(
            "Jenkins refused the user or the API token.",
            what_to_do="Check the user's id, create another API token under its Security, enter it, and press Test "
            "connection.",
        )
    if answer.status == 403 and "retry-after" not in answer.headers:
        job = name_in(answer.path)
        permission = permission_of(answer.headers.get(_REQUIRED, "")) or ("Job/Read" if job else "Overall/Read")
        return PermanentError(
            f"Jenkins does not let this user read {job or 'the controller'}: {permission} is missing.",
            what_to_do=f"Grant the user {permission}{f' on {job}' if job else ''}, and press Sync now.",
        )
    return None


def permission_of(header: str) -> str:
    """hudson.model.Item.Read → Job/Read."""
    kind, _, name = header.rpartition(".")
    group = kind.rpartition(".")[2]
    return f"{_KINDS.get(group, group)}/{name}" if group and name else ""
