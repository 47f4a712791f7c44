"""Thresholds that readers' verdicts move: how much a value has to differ to be a detector's finding in a unit.

*Wrong* raises the threshold of its detector in its unit by a quarter, *known* by a tenth, *useful* lowers it by a
tenth; the verdicts of a year count together, within bounds.  Only the verdicts are stored, so that a move can be
explained and undone.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import prod

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from core.write_errors import FieldError, MayNotWriteError
from insights.findings.detectors import BY_KEY, DATA, Detector
from insights.models import Finding
from insights.models.findings import Verdict
from orgtree.access.access import Access
from orgtree.models import Unit

FACTORS: Mapping[str, float] = {Verdict.WRONG: 1.25, Verdict.KNOWN: 1.1, Verdict.USEFUL: 0.9}
LOWEST, HIGHEST = 0.8, 2.5
COUNTED = timedelta(weeks=52)

Factors = Mapping[tuple[str, int | None, str], float]


@dataclass(frozen=True)
class Moved:
    """A detector's threshold in a unit, moved by these verdicts; if `is_undone`, they no longer count."""

    detector: Detector
    unit: Unit | None
    repository: str
    factor: float
    verdicts: Mapping[str, int]
    last: date
    is_undone: bool

    @property
    def least(self) -> float:
        """The share by which values have to differ to be a finding."""
        return self.detector.least * self.factor


def factor_of(verdicts: Iterable[str]) -> float:
    """Return the factor by which the verdicts together move a threshold, within bounds."""
    return min(HIGHEST, max(LOWEST, prod(FACTORS[verdict] for verdict in verdicts)))


def factors(today: date) -> Factors:
    """The factor of each threshold that verdicts of the last year moved, by detector, unit and repository."""
    counted: dict[tuple[str, int | None, str], list[str]] = defaultdict(list)
    judged = Finding.objects.filter(decided_on__gt=today - COUNTED, undone_on=None).exclude(verdict="")
    for detector, unit, repository, verdict in judged.values_list("detector", "unit", "repository", "verdict"):
        counted[detector, unit, repository].append(verdict)
    return {place: factor_of(verdicts) for place, verdicts in counted.items()}


def moved_thresholds(access: Access, today: date) -> Sequence[Moved]:
    """Return moved thresholds of units that the viewer may see, the latest first; verdicts are counted without their
    authors.
    """
    judged = Finding.objects.within(access.visibility).filter(decided_on__gt=today - COUNTED).exclude(verdict="")
    by_place: dict[tuple[str, Unit | None, str, bool], list[Finding]] = defaultdict(list)
    for finding in judged.select_related("unit"):
        is_undone = finding.undone_on is not None
        by_place[finding.detector, finding.unit, finding.repository, is_undone].append(finding)
    moved = [
        Moved(
            BY_KEY[detector],
            unit,
            repository,
            factor=1.0 if is_undone else factor_of(one.verdict for one in findings),
            verdicts=Counter(one.verdict for one in findings),
            last=max(one.decided_on for one in findings if one.decided_on),
            is_undone=is_undone,
        )
        for (detector, unit, repository, is_undone), findings in by_place.items()
        if detector in BY_KEY and BY_KEY[detector].kind != DATA
    ]
    return sorted(moved, key=lambda one: (one.is_undone, -one.last.toordinal(), one.detector.key))


def set_undone(access: Access, detector: str, unit: Unit | None, repository: str = "", *, is_undone: bool) -> None:
    """Stop counting the verdicts on a detector's findings in a unit or repository, or count them again.

    Raises FieldError, MayNotWriteError.
    """
    if not isinstance(access.viewer, User) or not access.visibility.leads(unit.pk if unit else None):
        raise MayNotWriteError("Those who lead the unit decide on its thresholds.")
    today = timezone.localdate()
    with transaction.atomic():
        judged = Finding.objects.select_for_update(of=("self",)).filter(
            decided_on__gt=today - COUNTED, undone_on__isnull=is_undone
        )
        place = {"detector": detector.replace("\x00", ""), "unit": unit, "repository": repository.replace("\x00", "")}
        changed = [*judged.filter(**place).exclude(verdict="")]
        if not changed:
            raise FieldError("detector", "No verdict moved this threshold.")
        for finding in changed:
            finding.undone_on, finding.undone_by = (today, access.viewer) if is_undone else (None, None)
            finding.save(update_fields=["undone_on", "undone_by"])
