"""What is refused of objectives, in words for whoever wrote them."""

from __future__ import annotations


class ObjectiveError(Exception):
    """What an objective cannot say; `field` is that of the draft ("key_results.2.target" is one of its third row)."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field, self.message = field, message


class MayNotWriteObjectiveError(Exception):
    """Somebody else answers for the unit; the message says who may."""
