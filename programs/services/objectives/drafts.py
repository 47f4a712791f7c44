"""What somebody says of an objective, and what cannot be said so."""

from __future__ import annotations

from dataclasses import dataclass

from programs.models import Quarter


class ObjectiveError(Exception):
    """What an objective cannot say; `field` is that of the draft ("key_results.2.target" is one of its third row)."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field, self.message = field, message


class MayNotWriteObjectiveError(Exception):
    """Somebody else answers for the unit; the message says who may."""


@dataclass(frozen=True)
class KeyResultDraft:
    """`id` is that of a key result that is there already.  Without a `metric` values are entered by hand.

    A relative target has `change_percent` (−20: a fifth less than the baseline) instead of `target`.  Without a
    `baseline` it is computed from the metric.  Without `better` it is the metric's.
    """

    title: str
    metric: str = ""
    statistic: str = ""
    unit_of_measure: str = ""
    better: str = ""
    target_kind: str = "absolute"
    target: float | None = None
    change_percent: float | None = None
    baseline: float | None = None
    id: int | None = None


@dataclass(frozen=True)
class ObjectiveDraft:
    """An objective as a form or the API gives it.  `unit` is a slug (None: the whole organisation), `owner` a
    person's id, `parent` an objective's.
    """

    quarter: Quarter
    title: str
    unit: str | None = None
    description: str = ""
    owner: int | None = None
    is_mandatory: bool = False
    parent: int | None = None
    template: str = ""
    key_results: tuple[KeyResultDraft, ...] = ()
    publish: bool = False
