"""Errors of the embedded server, as sentences for the operator."""

from __future__ import annotations

from pathlib import Path

SIGNS_OF_A_FULL_DISK = ("No space left on device", "Disk quota exceeded", "could not extend file")


class EmbeddedPostgresError(Exception):
    """The server could not be created, started or stopped; the message says what to do."""


class StillStartingError(EmbeddedPostgresError):
    """The server runs and does not answer yet: after a power cut it may recover for minutes."""


class DiskFullError(EmbeddedPostgresError):
    """The file system that holds the data directory has no room left."""

    def __init__(self, folder: Path) -> None:
        super().__init__(
            f"The disk is full: PostgreSQL cannot write to {folder}. Free some space there, or set "
            "HEADWAY_DATA_DIR to a folder on another disk, and start again. What was stored is kept."
        )


def explain(output: str, *, doing: str, folder: Path) -> EmbeddedPostgresError:
    """The error for a PostgreSQL program's output: a known error, else its last lines."""
    if any(sign in output for sign in SIGNS_OF_A_FULL_DISK):
        return DiskFullError(folder)
    last_lines = "\n".join(output.strip().splitlines()[-15:])
    return EmbeddedPostgresError(f"{doing} failed:\n{last_lines}")
