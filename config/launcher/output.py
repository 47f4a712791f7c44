"""Output of the children: on the terminal with a name prefix, and in rotated files."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path

from config import environment, logs

LARGEST_FILE_BYTES = 5_000_000
BACKUP_FILES = 3
LONGEST_NAME = 8


class Output:
    """Lines of several processes, written by the supervisor alone, so that files can be rotated."""

    def __init__(self, logs_dir: Path) -> None:
        logs_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._logs_dir = logs_dir
        self._files: dict[str, logging.Logger] = {}
        self._unfinished: dict[str, bytes] = {}
        self._json = environment.log_format() == "json"

    def say(self, message: str) -> None:
        """Write a line of the supervisor."""
        self.write("up", message)

    def feed(self, name: str, chunk: bytes) -> None:
        """Take a chunk of a child's output: write complete lines, buffer the rest."""
        *lines, rest = (self._unfinished.pop(name, b"") + chunk).split(b"\n")
        for line in lines:
            self.write(name, line.decode(errors="replace"))
        if rest:
            self._unfinished[name] = rest

    def end(self, name: str) -> None:
        """Write a child's last, unterminated line."""
        if rest := self._unfinished.pop(name, b""):
            self.write(name, rest.decode(errors="replace"))

    def write(self, name: str, line: str) -> None:
        if not (self._json and line.startswith("{")):  # a library's own words, past config/logs.py
            line = logs.without_secrets(line)
        if self._json and not line.startswith("{"):
            at = datetime.now(UTC).isoformat(timespec="milliseconds")
            line = json.dumps({"at": at, "level": "info", "process": name, "message": line}, ensure_ascii=False)
        prefix = "" if self._json else f"{name:<{LONGEST_NAME}}| "
        try:
            sys.stdout.write(f"{prefix}{line}\n")
            sys.stdout.flush()
        except OSError:  # the terminal is gone, or the disk behind it is full; the installation keeps running
            pass
        self._file(name).info(line)

    def _file(self, name: str) -> logging.Logger:
        if name not in self._files:
            handler = RotatingFileHandler(
                self._logs_dir / f"{name}.log", maxBytes=LARGEST_FILE_BYTES, backupCount=BACKUP_FILES, delay=True
            )
            handler.setFormatter(logging.Formatter("%(message)s" if self._json else "%(asctime)s %(message)s"))
            handler.handleError = _ignore  # type: ignore[method-assign]
            logger = logging.Logger(f"output.{name}")
            logger.addHandler(handler)
            self._files[name] = logger
        return self._files[name]


def _ignore(record: logging.LogRecord) -> None:
    """A full disk must not stop the supervisor, which restarts the embedded database."""
