"""Documents of a meeting: its review or QBR.  Features above register the address and whether it is signed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from core.hooks import Hook
from orgtree.models.visibility import Visibility
from programs.models import Meeting

EVERYTHING = Visibility(whole=True, unit_ids=None, leads_whole=True)  # for reminders, which check for whom they are


@dataclass(frozen=True)
class MeetingRecord:
    """The review or QBR of a meeting; `signers` are the people who are to sign it off (none: the participants)."""

    title: str
    url: str
    is_signed: bool
    signers: frozenset[int] = frozenset()


# By meeting id, of the meetings that have one which the viewer may see.
RecordsOf = Callable[[Sequence[Meeting], Visibility], Mapping[int, MeetingRecord]]
meeting_records: Hook[RecordsOf] = Hook()


def records_of(meetings: Sequence[Meeting], visibility: Visibility) -> Mapping[int, MeetingRecord]:
    """Map meeting ids to documents; meetings come with their series and unit."""
    found: dict[int, MeetingRecord] = {}
    for records in meeting_records if meetings else ():
        found |= records(meetings, visibility)
    return found
