"""Quiet hours delay messages; they drop none."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings

from programs.models import QuietHours

# Of an account that chose none: reminders are planned after midnight, and nobody wants them then.
USUAL_BEGIN, USUAL_END = time(20), time(8)


@dataclass(frozen=True)
class Quiet:
    """From `begins` until `ends` by the clock of `zone`; past midnight where `begins` is later.  Equal: never."""

    begins: time
    ends: time
    zone: ZoneInfo

    def until(self, at: datetime) -> datetime | None:
        """The first moment after `at` at which the clock is out of the quiet hours; None where it is already.

        An end that the clock skips in spring is as much later as the clock is put forward; of one that comes twice in
        autumn the first that is still to come counts.
        """
        local = at.astimezone(self.zone)
        if not self._covers(local.time()):
            return None
        day = local.date() if local.time() < self.ends else local.date() + timedelta(days=1)
        for fold in (0, 1):
            end = datetime.combine(day, self.ends, self.zone).replace(fold=fold).astimezone(UTC)
            if end > at:
                return end
        return None

    def _covers(self, clock: time) -> bool:
        if self.begins <= self.ends:
            return self.begins <= clock < self.ends
        return clock >= self.begins or clock < self.ends


def quiet_of(chosen: QuietHours | None) -> Quiet:
    """What an account chose, else the usual hours of the organisation."""
    if chosen is None:
        return Quiet(USUAL_BEGIN, USUAL_END, settings.ORGANISATION_TIME_ZONE)
    return Quiet(chosen.begins, chosen.ends, _zone(chosen.time_zone))


def _zone(name: str) -> ZoneInfo:
    """A zone that the machine no longer knows must not hold up everybody's e-mails: the organisation's, then."""
    organisation: ZoneInfo = settings.ORGANISATION_TIME_ZONE
    try:
        return ZoneInfo(name) if name else organisation
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return organisation
