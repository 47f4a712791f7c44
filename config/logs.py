"""Logging: lines to stderr, as text or JSON, without secrets.

The supervisor puts the process's name in front of text lines and keeps a copy under the data directory.
"""

from __future__ import annotations

import json
import logging
import re
from datetime import UTC, datetime
from typing import Any

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
USER_OF_URL = re.compile(r"(://)[^\s/<>]+@")


class WithoutSecrets(logging.Formatter):
    """Text lines with secrets redacted, tracebacks included."""

    def format(self, record: logging.LogRecord) -> str:
        return without_secrets(super().format(record))


class JsonLines(logging.Formatter):
    """One JSON document a line: at, level, logger, process, message, and exception where there is one."""

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
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": environment.log_format()}},
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
