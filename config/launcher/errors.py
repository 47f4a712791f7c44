"""Errors that prevent an installation from starting."""

from __future__ import annotations

from config import environment
from core.disk_full import is_disk_full


class LaunchError(Exception):
    """The installation cannot be started; the message gives the reason and the remedy."""


def no_room(problem: OSError) -> LaunchError:
    """The error for a full disk; re-raises `problem` if it is anything else."""
    if not is_disk_full(problem):
        raise problem
    where = problem.filename or environment.data_dir()
    return LaunchError(f"The disk is full: {where} could not be written to. Free some space and start again.")
