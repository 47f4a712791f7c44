"""Logging: lines to stderr, as text or JSON, without secrets.

The supervisor puts the process's name in front of text lines and keeps a copy under the data directory.
"""

from __future__ import annotations

import json
import logging
import math
import re
import threading
import time
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

import django.db
import psycopg

from config import environment

# Links with these path segments are bearer secrets: the rest of the path is redacted.
SECRET_LINKS = ("invitation", "unsubscribe", "badges", "calendar")
_SLASH = r"(?:/|%(?:25)*2f)"  # a link may be in the query of another one
SECRET_PATH = re.compile(rf"(?i)({_SLASH}(?:{'|'.join(SECRET_LINKS)}){_SLASH}+)[^\s\"'<>]+")
# What a message may contain by accident: a header, a token in an address or a setting, a cookie, a user of a URL.
_NAMES = r"(?<![\w-])[\w-]{0,40}(?:token|secret|passw(?:or)?d|passphrase|api[_-]?key|sessionid)"
_IS = r"['\"]?\s*(?:[:=]|%(?:25)*3[ad])\s*['\"]?"
_OURS_AND_THEIRS = r"\b(?:hw[ai]_|gh[opsu]_|github_pat_|glpat-)"  # how tokens begin
SECRET = re.compile(
    rf"(?i)(authorization{_IS}(?:bearer|basic|token)(?:\s|%20|\+)+|bearer(?:\s|%20|\+)+|{_NAMES}{_IS}|{_OURS_AND_THEIRS})[^\s'\",;&@]+"
)
_AWAY = ("08", "57P")  # classes of errors: no connection; the server ends or starts
_SAYS_AWAY = re.compile(
    r"connection (?:failed|refused|is closed|is lost|already closed|timeout)|server closed the connection|"
    r"(?:starting|shutting) up|shutting down|administrator command|does not answer"
)
USER_OF_URL = re.compile(r"(://)[^\s/<>]+@")


class WithoutSecrets(logging.Formatter):
    """Text lines with secrets redacted, tracebacks included."""

    def format(self, record: logging.LogRecord) -> str:
        return without_secrets(super().format(record))


class OneLinePerOutage(logging.Filter):
    """A filter that keeps one line per cause, without its traceback, of all failures while the database is unavailable.

    Requests that get a 503 are left out: their cause has its own line.  A cause is logged again after QUIET_SECONDS
    without a failure, and every REMINDER_SECONDS of a long outage, with the number of lines that were left out.
    """

    QUIET_SECONDS = 60.0
    REMINDER_SECONDS = 600.0

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()
        self._causes: dict[str, list[float]] = {}  # the time of the line, of the last one like it, how many since

    def filter(self, record: logging.LogRecord) -> bool:
        refusal = getattr(record, "status_code", None) == HTTPStatus.SERVICE_UNAVAILABLE
        cause = "503" if refusal else _outage(record)
        if cause is None:
            return True
        now = time.monotonic()
        with self._lock:
            written_at, last, left_out = self._causes.get(cause, [-math.inf, -math.inf, 0])
            is_repeated = now - last < self.QUIET_SECONDS and now - written_at < self.REMINDER_SECONDS
            self._causes[cause] = [written_at, now, left_out + 1] if is_repeated else [now, now, 0]
        if is_repeated:
            return False
        more = f" ({left_out:.0f} further lines were left out.)" if left_out else ""
        reason = "" if refusal else f" The database is away: {cause}"
        record.msg, record.args = "%s%s%s", (record.getMessage().split("\n")[0], reason, more)
        record.exc_info = record.exc_text = None
        return True


def _outage(record: logging.LogRecord) -> str | None:
    """The message of the error that makes the database unavailable; None if the record is about something else."""
    given = record.args if isinstance(record.args, tuple) else ()
    problem = record.exc_info[1] if record.exc_info else next((a for a in given if isinstance(a, Exception)), None)
    seen: set[int] = set()
    while problem is not None and id(problem) not in seen:
        seen.add(id(problem))
        if isinstance(problem, psycopg.OperationalError | psycopg.InterfaceError):
            code = problem.sqlstate
            if code is None or code.startswith(_AWAY):
                return _without_numbers(problem)
            return None
        if isinstance(problem, django.db.OperationalError | django.db.InterfaceError) and problem.__cause__ is None:
            return _without_numbers(problem) if _SAYS_AWAY.search(str(problem)) else None  # Celery lost its cause
        problem = problem.__cause__ or problem.__context__
    return None


def _without_numbers(problem: BaseException) -> str:
    """The end of the error's first line, where the reason is, without what differs from one connection to the next."""
    line = str(problem).strip().split("\n")[0]
    return re.sub(r"\d+", "…", line)


class JsonLines(logging.Formatter):
    """One JSON document per line: at, level, logger, process, message, and exception if there is one."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "process": record.processName or "",
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps({key: without_secrets(value) for key, value in line.items()}, ensure_ascii=False)


def without_secrets(text: str) -> str:
    """The text with secrets redacted."""
    return SECRET.sub(r"\1…", USER_OF_URL.sub(r"\1…@", SECRET_PATH.sub(r"\1…", text)))


def configuration() -> dict[str, Any]:
    """Python's logging configuration for every process of an installation."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "text": {
                "()": "config.logs.WithoutSecrets",
                "format": "%(asctime)s %(levelname)s %(name)s: %(message)s",
                "datefmt": "%H:%M:%S",
            },
            "json": {"()": "config.logs.JsonLines"},
        },
        "filters": {"outages": {"()": "config.logs.OneLinePerOutage"}},
        "handlers": {
            "stderr": {
                "class": "logging.StreamHandler",
                "formatter": environment.log_format(),
                "filters": ["outages"],
            }
        },
        "root": {"handlers": ["stderr"], "level": "INFO"},
        "loggers": {
            "waitress": {"level": "WARNING"},
            "waitress.queue": {"level": "ERROR"},  # warns of each request that waits for a thread
            "celery": {"level": "WARNING"},
            "django_celery_beat": {"level": "WARNING"},
            "httpx": {"level": "WARNING"},
            "axes": {"level": "WARNING"},
            "kombu": {"level": "ERROR"},  # warns that the file broker has no host
        },
    }
