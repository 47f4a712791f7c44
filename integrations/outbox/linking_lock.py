"""Who waits for whom while links are made: neither of two transactions sees what the other has not stored yet.

A pull request finds its deployment, and a deployment the pull requests that it contains.  So deployments, incidents
and commits are stored while nobody else stores any of these, or pull requests.
"""

from __future__ import annotations

from collections.abc import Collection

from django.db import connection as database

from integrations.enums import Kind

_LINKING_LOCK = 0x4465_706C  # "Depl"
_DECIDING = frozenset({Kind.DEPLOYMENT, Kind.PIPELINE_RUN, Kind.INCIDENT, Kind.COMMIT})


def link_alone(kinds: Collection[Kind]) -> None:
    """Until the caller's transaction ends, nobody else stores what decides about the links of these kinds.

    To be called before anything is locked or written.
    """
    with database.cursor() as cursor:
        if _DECIDING.intersection(kinds):
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LINKING_LOCK])
        elif Kind.PULL_REQUEST in kinds or Kind.WORK_ITEM in kinds:
            cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", [_LINKING_LOCK])
