"""The lock for linking deployments: concurrent transactions do not see each other's uncommitted rows.

A new pull request looks up its deployment, and a new deployment its pull requests.  So deployments, incidents and
commits are stored under an exclusive lock, pull requests under a shared one.
"""

from __future__ import annotations

from collections.abc import Collection

from core.locks import Lock
from integrations.enums import Kind

LINKING = Lock("linking")
_DECIDING = frozenset({Kind.DEPLOYMENT, Kind.PIPELINE_RUN, Kind.INCIDENT, Kind.COMMIT})


def lock_for_linking(kinds: Collection[Kind]) -> None:
    """Hold the linking lock that these kinds need until the caller's transaction ends.

    Call it before locking or writing anything else.
    """
    if _DECIDING.intersection(kinds):
        LINKING.hold()
    elif Kind.PULL_REQUEST in kinds or Kind.WORK_ITEM in kinds:
        LINKING.hold_shared()
