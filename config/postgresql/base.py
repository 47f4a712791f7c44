"""The database backend of `ENGINE = "config.postgresql"`."""

from __future__ import annotations

from typing import Any

from django.db.backends.postgresql import base

from config import database_watch


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's backend; in a process with a database watch, with timeouts, and refusing connections while it hangs."""

    def get_connection_params(self) -> dict[str, Any]:
        parameters = super().get_connection_params()
        if database_watch.watch is not None:
            # The last one counts: what DATABASE_URL says stands behind ours.
            parameters["options"] = f"{database_watch.REQUEST_LIMITS} {parameters.get('options', '')}".rstrip()
        return parameters

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        watch = database_watch.watch
        if watch is None:
            return super().get_new_connection(conn_params)
        watch.begin(conn_params)
        connection = super().get_new_connection(conn_params)
        watch.note(connection)
        return connection
