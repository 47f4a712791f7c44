"""Computes the days between which an initiative's work is eligible, by fixed rules over dated evidence.

ASU 2025-06 requires an authorised and funded project that is likely to be completed and used as intended, without
significant development uncertainty.  IAS 38 has six criteria; the same dates answer them.  Nothing here judges: the
dates are the ones that people entered, and the report says *eligible*.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Protocol

from programs.models import Standard, Uncertainty

EFFECTIVE_AFTER = date(2027, 12, 15)  # fiscal years that begin later must apply ASU 2025-06
UPKEEP = "maintenance"  # the kind of investment that is not eligible


class Evidence(Protocol):
    """The dates of an initiative."""

    @property
    def authorised_on(self) -> date | None: ...
    @property
    def funded_on(self) -> date | None: ...
    @property
    def probable_since(self) -> date | None: ...
    @property
    def uncertainty(self) -> str: ...
    @property
    def uncertainty_resolved_on(self) -> date | None: ...
    @property
    def ready_on(self) -> date | None: ...


class WorkState(StrEnum):
    """Whether a part of the work is eligible, and if not, why."""

    ELIGIBLE = "eligible"
    INCOMPLETE = "incomplete"
    BEFORE = "before"
    AFTER = "after"
    UPKEEP = "upkeep"
    OTHER = "other"  # in no initiative with evidence


STATE_LABELS = {
    WorkState.ELIGIBLE: "Eligible",
    WorkState.INCOMPLETE: "Criteria not met",
    WorkState.BEFORE: "Before criteria were met",
    WorkState.AFTER: "After ready for use",
    WorkState.UPKEEP: "Keeping the lights on",
    WorkState.OTHER: "Other work",
}


@dataclass(frozen=True)
class Criterion:
    """A criterion, and the day since which the evidence meets it; None if it does not."""

    label: str
    met_on: date | None
    missing: str  # how to provide it


@dataclass(frozen=True)
class Eligibility:
    """Work on the days [start, end) is eligible: none without a start, and open-ended without an end."""

    start: date | None
    end: date | None

    def state_of(self, first_day: date, end: date, investment: str) -> WorkState:
        """The state of work in [first_day, end): eligible if all of its days are."""
        if self.start is None:
            return WorkState.INCOMPLETE
        if first_day < self.start:
            return WorkState.BEFORE
        if self.end is not None and end > self.end:
            return WorkState.AFTER
        return WorkState.UPKEEP if investment == UPKEEP else WorkState.ELIGIBLE


def criteria(evidence: Evidence, standard: str) -> Sequence[Criterion]:
    """The standard's criteria, in its order."""
    certain_on = _certain_on(evidence)
    uncertainty = (
        "Resolve the significant uncertainty."
        if evidence.uncertainty == Uncertainty.OPEN
        else "Say whether there is significant uncertainty."
        if evidence.uncertainty == Uncertainty.NOT_ASSESSED
        else "Enter when the uncertainty was resolved."
        if evidence.uncertainty == Uncertainty.RESOLVED
        else "Enter since when completion is probable."
    )
    authorised, funded = "Enter when it was authorised.", "Enter when it was funded."
    probable = "Enter since when completion and intended use are probable."
    if standard == Standard.IAS_38:
        return (
            Criterion("Technical feasibility", certain_on, uncertainty),
            Criterion("Intention to complete it", evidence.authorised_on, authorised),
            Criterion("Ability to use or sell it", evidence.probable_since, probable),
            Criterion("Probable future benefits", evidence.probable_since, probable),
            Criterion("Resources to complete it", evidence.funded_on, funded),
        )
    return (
        Criterion("Authorised", evidence.authorised_on, authorised),
        Criterion("Funded", evidence.funded_on, funded),
        Criterion("Probable to be completed and used as intended", evidence.probable_since, probable),
        Criterion("No significant development uncertainty", certain_on, uncertainty),
    )


def eligibility(evidence: Evidence, standard: str = Standard.ASU_2025_06) -> Eligibility:
    """The range from the day on which the last criterion is met to the day on which the work is ready for use."""
    met = [criterion.met_on for criterion in criteria(evidence, standard)]
    known = [day for day in met if day is not None]
    start = max(known) if len(known) == len(met) else None
    return Eligibility(start, evidence.ready_on)


def _certain_on(evidence: Evidence) -> date | None:
    """The day from which no significant uncertainty remains; if there was none, the day when completion became
    probable.
    """
    if evidence.uncertainty == Uncertainty.NONE:
        return evidence.probable_since
    return evidence.uncertainty_resolved_on if evidence.uncertainty == Uncertainty.RESOLVED else None


def is_adopted_early(standard: str, fiscal_year_start: date) -> bool:
    """Whether a fiscal year applies ASU 2025-06 before it is mandatory."""
    return standard == Standard.ASU_2025_06 and fiscal_year_start <= EFFECTIVE_AFTER
