"""The database backend of `ENGINE = "config.postgresql"`."""

from __future__ import annotations

import select
from types import TracebackType
from typing import Any

from django.db.backends.postgresql import base
from django.db.utils import DatabaseErrorWrapper, OperationalError
from django.utils.functional import cached_property
from psycopg import errors

from config import database_watch


class _Errors(DatabaseErrorWrapper):
    """Django's exceptions, except that a read-only database (a standby, a failover) counts as unavailable.

    PostgreSQL reports it as an internal error, which would result in 500, after which exporters do not retry.
    """

    def __exit__(
        self, exc_type: type[BaseException] | None, exc_value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if isinstance(exc_value, errors.ReadOnlySqlTransaction):
            raise OperationalError(*exc_value.args) from exc_value
        super().__exit__(exc_type, exc_value, traceback)


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's backend; in a process with a database watch it sets timeouts, and refuses connections while the database
    hangs.
    """

    @cached_property
    def wrap_database_errors(self) -> DatabaseErrorWrapper:
        return _Errors(self)

    def is_usable(self) -> bool:
        """Whether the connection is still open, without a query: an unsolicited message of the server, such as its end,
        would be waiting to be read.

        Django sends a query before each request, a quarter of the work of a small one.
        """
        if self.connection is None or self.connection.closed:
            return False
        waiting = select.poll()
        waiting.register(self.connection.fileno(), select.POLLIN)
        return super().is_usable() if waiting.poll(0) else True

    def get_connection_params(self) -> dict[str, Any]:
        parameters = super().get_connection_params()
        if database_watch.watch is not None:
            # The last one counts, so options of DATABASE_URL come after ours.
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
