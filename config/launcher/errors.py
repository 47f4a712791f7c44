"""Errors that prevent an installation from starting."""

from __future__ import annotations

import errno

from config import environment

NO_ROOM = (errno.ENOSPC, errno.EDQUOT)


class LaunchError(Exception):
    """The installation cannot be started; the message says why and what to do."""


def no_room(problem: OSError) -> LaunchError:
    """The error for a full disk; re-raises `problem` if it is anything else."""
    if problem.errno not in NO_ROOM:
        raise problem
    where = problem.filename or environment.data_dir()
    return LaunchError(f"The disk is full: {where} could not be written to. Free some space and start again.")
