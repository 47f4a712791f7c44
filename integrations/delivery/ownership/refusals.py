"""Refused assignments: each refusal is a sentence for the requester."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from orgtree.models import OrgTree, Unit


class OwnershipRefusedError(Exception):
    """A refused assignment; the message says how to proceed."""


class NoDaysError(OwnershipRefusedError):
    def __init__(self, start: date, end: date) -> None:
        super().__init__(
            f"From {start} to {end} there is no day: the second is the first day that no longer belongs to it. "
            "Give a later one, or none."
        )


class ArchivedTreeError(OwnershipRefusedError):
    def __init__(self, tree: OrgTree) -> None:
        super().__init__(f"{tree} is archived: nothing is given to its units. Restore it first.")


class NotStandingError(OwnershipRefusedError):
    def __init__(self, unit: Unit, start: date | None, end: date | None) -> None:
        days = " ".join(f"{word} {day}" for word, day in (("from", start), ("until", end)) if day)
        super().__init__(
            f"{unit} ({unit.slug}) is not in {unit.tree}{f' {days}' if days else ''}. "
            "Choose another unit, or other days."
        )


class UnknownNameError(OwnershipRefusedError):
    def __init__(self, written: str, like: Sequence[str]) -> None:
        similar = f" Similar: {', '.join(like)}." if like else ""
        super().__init__(
            f"No repository, service, project or board is called “{written[:200]}”.{similar} "
            "It is known from the first record that names it."
        )


class AmbiguousNameError(OwnershipRefusedError):
    def __init__(self, written: str, candidates: Sequence[str]) -> None:
        super().__init__(f"“{written[:200]}” is the name of several. Write one of: {', '.join(candidates)}.")


class UnknownOwnerError(OwnershipRefusedError):
    def __init__(self, written: str, like: Sequence[str]) -> None:
        similar = f" Similar: {', '.join(like)}." if like else ""
        super().__init__(f"There is no unit “{written[:80]}”.{similar} `manage.py units` lists them.")
