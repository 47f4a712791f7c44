"""Applies changed thresholds for bulk commits.

The thresholds last applied are stored and compared with the current ones, so a lost nudge costs a minute.  Each
transaction covers a limited number of commits, so that syncs continue meanwhile; an interrupted run starts over.
"""

from __future__ import annotations

from typing import LiteralString, NamedTuple

from django.db import transaction

from core import sql
from core.batches import batched
from integrations.code.commits.changed_days import append_changes_of_commits
from integrations.code.commits.duplicates import recompute_changes
from integrations.enums import Kind
from integrations.models import AppliedThresholds
from integrations.outbox.pull_request_queue import enqueue_pull_requests_with
from integrations.outbox.write_lock import lock_for_linking
from orgtree.models import Organisation

COMMITS_PER_TRANSACTION = 5_000

_CHANGED_SIDE: LiteralString = """
    SELECT id FROM integrations_commit
    WHERE set_apart IN ('', 'bulk') AND (set_apart = 'bulk') <> (lines_added > %(lines)s OR file_count > %(files)s)
    ORDER BY id
"""
# Merges are excluded for another reason; the lines they bring to the default branch count up to the same thresholds
# (integrations/facts/line_history.py).
_MERGES: LiteralString = """
    SELECT commit.id
    FROM integrations_changedlines lines
    JOIN integrations_commit commit ON commit.id = lines.commit_id AND commit.set_apart = 'merge'
    WHERE (lines.files <= %(files)s AND lines.added + lines.reworked + lines.refactored <= %(lines)s)
       <> (lines.files <= %(files_before)s
           AND lines.added + lines.reworked + lines.refactored <= %(lines_before)s)
    ORDER BY commit.id
"""


class Thresholds(NamedTuple):
    """A commit with more added lines, or more files, is bulk."""

    lines: int
    files: int


def apply_bulk_thresholds() -> None:
    """Exclude exactly the commits over the organisation's thresholds as bulk, and count merges up to them."""
    while (now := _thresholds()) != _applied():
        for ids in batched(sql.column(_CHANGED_SIDE, now._asdict()), COMMITS_PER_TRANSACTION):
            with transaction.atomic():
                lock_for_linking({Kind.COMMIT})
                recompute_changes(ids)
        with transaction.atomic():
            lock_for_linking({Kind.COMMIT})
            before = _applied() or _initial()
            both = {**now._asdict(), "lines_before": before.lines, "files_before": before.files}
            merges = sql.column(_MERGES, both)
            append_changes_of_commits(merges)
            enqueue_pull_requests_with(merges)
            AppliedThresholds.objects.update_or_create(pk=1, defaults=now._asdict())


def _initial() -> Thresholds:
    organisation = Organisation()
    return Thresholds(organisation.bulk_commit_lines, organisation.bulk_commit_files)


def _thresholds() -> Thresholds:
    organisation = Organisation.current()
    return Thresholds(organisation.bulk_commit_lines, organisation.bulk_commit_files)


def _applied() -> Thresholds | None:
    row = AppliedThresholds.objects.values_list("lines", "files").first()
    return Thresholds(*row) if row else None
