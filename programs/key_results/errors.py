"""Errors of objectives, with messages for their authors."""

from __future__ import annotations


class ObjectiveError(Exception):
    """An invalid draft; `field` is the draft's field ("key_results.2.target" is one of its third row)."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field, self.message = field, message


class MayNotWriteObjectiveError(Exception):
    """The viewer may not write for the unit; the message says who may."""
