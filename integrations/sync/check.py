"""Tests a connection: what works, which permission is missing, and what to do about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace

from django.db import transaction
from django.utils import timezone

from core.nudges import nudge_on_commit
from integrations.connectors.base import CheckedPermission, Connector
from integrations.connectors.errors import Cause, ConnectorError, GoneError
from integrations.connectors.http import PATIENCE
from integrations.models import Connection, Stream
from integrations.sync.budgets import BudgetBook
from integrations.sync.clients import client_of, connector_of
from integrations.sync.tasks import discover, sync_streams

PATIENCE_OF_A_TEST = replace(PATIENCE, connect=5.0, read=15.0, tries=2)  # somebody is waiting
ANOTHER_ADDRESS = "Check the base URL: the field’s help shows what it looks like."


def check_connection(connection: Connection) -> Sequence[CheckedPermission]:
    """Ask the provider what the credential permits; the result is stored for the connection's page.

    Failed streams are retried at once if everything works, or if a credential that failed entirely now works in part.
    """
    budgets = BudgetBook(connection, reserve=0.0)
    try:
        checked = check_connector(connector_of(connection), budgets)
    except ConnectorError as problem:
        checked = [_nothing_works(problem)]
    budgets.save()
    connection.checks = [asdict(permission) for permission in checked]
    connection.checked_at = timezone.now()
    cause = next((permission.cause for permission in checked if permission.cause), "")
    with transaction.atomic():
        connection.save(update_fields=["checks", "checked_at"])
        if cause:
            connection.problem, connection.remedy, connection.cause = checked[0].what, checked[0].remedy, cause
            connection.save(update_fields=["problem", "remedy", "cause"])
        elif connection.cause or all(permission.works for permission in checked):
            _try_again(connection)  # other missing permissions are listed in the checks
            connection.refresh_from_db(fields=["failures", "problem", "remedy", "cause", "discover_at"])
    return checked


def check_connector(connector: Connector, budgets: BudgetBook | None = None) -> list[CheckedPermission]:
    """Test settings that are not stored yet, in the same way as `check_connection`."""
    try:
        with client_of(connector, budgets, patience=PATIENCE_OF_A_TEST) as http:
            return list(connector.check(http))
    except GoneError as problem:  # connectors raise it for their first request alone
        wrong = f"This is not {connector.name}’s API: {problem.problem}"
        return [CheckedPermission(wrong, works=False, remedy=ANOTHER_ADDRESS, cause=Cause.WRONG_ADDRESS)]
    except ConnectorError as problem:
        return [_nothing_works(problem)]


def _nothing_works(problem: ConnectorError) -> CheckedPermission:
    return CheckedPermission(problem.problem, works=False, remedy=problem.what_to_do, cause=problem.cause or "")


def _try_again(connection: Connection) -> None:
    now = timezone.now()
    held_back = Connection.objects.filter(pk=connection.pk).exclude(problem="")
    if held_back.update(failures=0, problem="", remedy="", cause="", discover_at=now):
        nudge_on_commit(discover)
    failing = Stream.objects.filter(resource__connection=connection, resource__picked=True).exclude(problem="")
    if failing.filter(due_at__gt=now).update(due_at=now):
        nudge_on_commit(sync_streams)
