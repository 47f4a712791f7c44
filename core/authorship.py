"""Whose a change is, in the history that the database's triggers write.

django-pghistory's own middleware puts its settings in front of every statement of a request, the composed ones of the
metric engine and those of the intake included, which it cannot read.  Here one statement of the transaction says it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

from django.contrib.auth.models import User
from django.db import connection, transaction


@contextmanager
def changes_by(account: User | None) -> Iterator[None]:
    """A transaction whose changes the history tells as that account's; None: Headway's own.

    Inside another one, the changes stay the outer account's.
    """
    with transaction.atomic():
        if _is_told():
            yield
            return
        _tell(str(uuid4()), json.dumps({"user": account.pk if account else None}))
        yield
        _tell("", "")  # what the same transaction does later is nobody's


def account_of(event: Any) -> int | None:
    """The id of the account whose change an event of the history is; None: Headway's own."""
    return event.pgh_context.metadata.get("user") if event.pgh_context else None


def _is_told() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(current_setting('pghistory.context_id', true), '') <> ''")
        return bool(cursor.fetchone()[0])


def _tell(context_id: str, metadata: str) -> None:
    """For this transaction alone: the database forgets it with a commit, and with a rollback."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('pghistory.context_id', %s, true), set_config('pghistory.context_metadata', %s, true)",
            [context_id, metadata],
        )
