"""What keeps an installation from starting."""

from __future__ import annotations

import errno

NO_ROOM = (errno.ENOSPC, errno.EDQUOT)


class LaunchError(Exception):
    """The installation cannot be started; the message says why and what to do."""


def no_room(problem: OSError) -> LaunchError:
    """The sentence for a full disk; raises `problem` itself where it is something else."""
    if problem.errno not in NO_ROOM:
        raise problem
    return LaunchError(f"The disk is full: {problem.filename} could not be written. Free some space and start again.")
