"""Detects a full disk, whether a file write or PostgreSQL reported it."""

from __future__ import annotations

import errno

DISK_FULL = "The disk is full; nothing was stored. Free some space on the server, and send it again."
UNREACHABLE = "The database cannot be reached, or takes no changes; nothing was stored. Send it again."
SECONDS_TO_RETRY = 30
POSTGRES_DISK_FULL = "53100"  # https://www.postgresql.org/docs/current/errcodes-appendix.html


def is_disk_full(problem: BaseException | None) -> bool:
    """Whether this error, or one that caused it, reports a full disk."""
    while problem is not None:
        if isinstance(problem, OSError) and problem.errno in (errno.ENOSPC, errno.EDQUOT):
            return True
        if getattr(problem, "sqlstate", None) == POSTGRES_DISK_FULL:
            return True
        problem = problem.__cause__ or problem.__context__
    return False


def not_stored_message(problem: BaseException) -> str:
    """The message for the sender of data that could not be stored."""
    return DISK_FULL if is_disk_full(problem) else UNREACHABLE
