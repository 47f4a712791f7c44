"""gunicorn: one process with threads.

One process shares its caches, its pooled database connections and its nudges; more throughput comes from more
machines.  Values here bound what a slow or hostile client can hold.
"""

import gc
import os
import sys
from typing import Any

from gunicorn.glogging import Logger

from config import environment, logs

bind = f"{environment.host()}:{environment.port()}"  # the supervisor passes its own socket instead
worker_class = "gthread"
workers = 1
threads = 16
preload_app = True  # a worker that died is back after one fork, and shares the arbiter's memory
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: S108  # gunicorn's own heartbeat file
control_socket_disable = True

timeout = 120  # seconds without a sign of life from the process, not from a request
graceful_timeout = 10
keepalive = 75  # seconds; exporters send every 5 to 60
worker_connections = 1000

limit_request_line = 8190
limit_request_fields = 100
limit_request_field_size = 8190
forwarded_allow_ips = "127.0.0.1,::1"

accesslog = None
logconfig_dict = logs.configuration()


def pre_fork(_server: Any, _worker: Any) -> None:
    """What is loaded stays: looking through it for garbage again and again holds up one response in twenty.

    Done before the fork, so that the worker goes on sharing the arbiter's memory.
    """
    gc.collect()
    gc.freeze()


def post_fork(_server: Any, _worker: Any) -> None:
    """A thread that waits for the database has work to do once it answers, and should not wait for others for long.

    By default Python lets a thread that computes run for 5 ms before another gets its turn: the thread that writes
    telemetry, with half a dozen short waits in a transaction, would stand still while another reads a large request.
    """
    sys.setswitchinterval(0.001)


class ErrorLogger(Logger):  # type: ignore[misc]  # gunicorn has no types
    """gunicorn's own, given a logging configuration, makes up a line for each request, which nobody reads here."""

    access_log_enabled = False


logger_class = ErrorLogger
