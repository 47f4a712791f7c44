"""Records which account made a change in the history that the database triggers write.

django-pghistory's own middleware prepends its settings to every statement of a request, including the composed
statements of the metric engine and of intake, which it cannot parse.  Here one statement per transaction sets them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

from django.contrib.auth.models import User
from django.db import transaction

from core import sql


@contextmanager
def changes_by(account: User | None) -> Iterator[None]:
    """A transaction whose changes the history attributes to this account; None: to Headway itself.

    Nested calls keep the outer account.
    """
    with transaction.atomic():
        if _has_context():
            yield
            return
        _set_context(str(uuid4()), json.dumps({"user": account.pk if account else None}))
        yield
        _set_context("", "")  # later changes of the same transaction have no author


def account_of(event: Any) -> int | None:
    """The id of the account that made the change of a history event; None: Headway itself."""
    return event.pgh_context.metadata.get("user") if event.pgh_context else None


def _has_context() -> bool:
    return bool(sql.value("SELECT coalesce(current_setting('pghistory.context_id', true), '') <> ''"))


def _set_context(context_id: str, metadata: str) -> None:
    """Local to the transaction: the database resets it at commit and at rollback."""
    sql.execute(
        "SELECT set_config('pghistory.context_id', %s, true), set_config('pghistory.context_metadata', %s, true)",
        [context_id, metadata],
    )
