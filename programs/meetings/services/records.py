"""The record of a meeting: its review or QBR.  Packages above this one register how to find it and who signs it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from core.hooks import Hook
from orgtree.models.visibility import Visibility
from programs.models import Meeting

EVERYTHING = Visibility(whole=True, unit_ids=None, leads_whole=True)  # for reminders, which check permissions


@dataclass(frozen=True)
class MeetingRecord:
    """The review or QBR of a meeting; `signers` are the people who should sign it (none: the participants)."""

    title: str
    url: str
    is_signed: bool
    signers: frozenset[int] = frozenset()


# By meeting id, the records that the viewer may see.
RecordsOf = Callable[[Sequence[Meeting], Visibility], Mapping[int, MeetingRecord]]
meeting_records: Hook[RecordsOf] = Hook()


def records_of(meetings: Sequence[Meeting], visibility: Visibility) -> Mapping[int, MeetingRecord]:
    """Maps meeting ids to their records; meetings come with their series and unit."""
    found: dict[int, MeetingRecord] = {}
    for records in meeting_records if meetings else ():
        found |= records(meetings, visibility)
    return found
