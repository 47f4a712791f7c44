"""Readers' decisions on findings: acknowledged, in work, dismissed with a reason or reopened, and the verdict on its
use.  The history (django-pghistory) records each with its account.
"""

from __future__ import annotations

from contextlib import AbstractContextManager

from django.contrib.auth.models import User
from django.http import Http404
from django.utils import timezone

from core.authorship import changes_by
from core.write_errors import FieldError, MayNotWriteError, checked_text
from insights.models import Finding
from insights.models.findings import OPEN_STATES, FindingState, Verdict
from orgtree.access.access import Access

LONGEST_REASON = 400
ONLY_LEADERS = "Those who lead the unit decide on its findings."
ACKNOWLEDGE, DISMISS, REOPEN = "acknowledge", "dismiss", "reopen"
ACTS = (ACKNOWLEDGE, DISMISS, REOPEN, *Verdict.values)
REASONED = {DISMISS, REOPEN, Verdict.WRONG}


def find_finding(pk: int, access: Access) -> Finding:
    """A finding.  Raises Http404 if the viewer may not see it."""
    finding = Finding.objects.within(access.visibility).select_related("unit").filter(pk=pk).first()
    if finding is None:
        raise Http404("No such finding.")
    return finding


def may_decide(finding: Finding, access: Access) -> bool:
    """Return whether the viewer leads the unit, and so decides on its findings."""
    return isinstance(access.viewer, User) and access.visibility.leads(finding.unit_id)


def decide(access: Access, finding: Finding, *, act: str, reason: str = "") -> Finding:
    """Acknowledge, dismiss or reopen the finding, or give a verdict on it.

    A dismissed finding stays away until its change is a different one.  *Wrong*, dismissing and reopening need a
    reason; *wrong* and *known* also dismiss the finding.  Verdicts move thresholds (thresholds.py); reopening a finding
    removes its verdict.  Raises MayNotWriteError and FieldError.
    """
    if not may_decide(finding, access):
        raise MayNotWriteError(ONLY_LEADERS)
    if act not in ACTS:
        raise FieldError("act", f"Choose one of {', '.join(ACTS)}.")
    missing = "Say why, so that the next reader knows." if act in REASONED else ""
    reason = checked_text("reason", reason, LONGEST_REASON, missing=missing)
    with _decisions_by(access):
        stored = _dismissed(finding) if act == REOPEN else _open(finding, "act")
        if act == ACKNOWLEDGE or stored.state == FindingState.NEW:
            stored.state = FindingState.ACKNOWLEDGED
        if act in {DISMISS, Verdict.WRONG, Verdict.KNOWN}:
            stored.state, stored.ended_on = FindingState.DISMISSED, timezone.localdate()
        if act == REOPEN:
            stored.state, stored.ended_on, stored.gone_on = FindingState.ACKNOWLEDGED, None, None
            stored.verdict = ""
        if act in Verdict.values:
            stored.verdict = act
            stored.undone_on = stored.undone_by = None  # a new verdict counts, even if an earlier one was undone
        stored.reason = reason or stored.reason
        _save_decided(stored, access)
    return stored


def begin_work(access: Access, finding: Finding) -> None:
    """Note that somebody works on the finding, in the caller's transaction.  Raises FieldError if it is closed."""
    with _decisions_by(access):
        stored = _open(finding, "finding")
        stored.state = FindingState.IN_WORK
        _save_decided(stored, access)


def return_from_work(finding: Finding) -> None:
    """Note that nobody works on the finding any more: it is acknowledged again, since those who lead the unit know it.
    Runs in the caller's transaction; does nothing if the finding is not in work.
    """
    Finding.objects.filter(pk=finding.pk, state=FindingState.IN_WORK).update(state=FindingState.ACKNOWLEDGED)


def resume_work(finding: Finding) -> None:
    """Note that dropped work was taken up again, in the caller's transaction.  Does nothing if the finding is
    closed.
    """
    Finding.objects.filter(pk=finding.pk, state__in=OPEN_STATES).update(state=FindingState.IN_WORK)


def _decisions_by(access: Access) -> AbstractContextManager[None]:
    """A transaction whose changes the history attributes to the viewer."""
    return changes_by(access.viewer if isinstance(access.viewer, User) else None)


def _dismissed(finding: Finding) -> Finding:
    """The stored finding, locked.  Raises FieldError if it is not dismissed, or was found again since."""
    stored = Finding.objects.select_for_update(of=("self",)).select_related("unit").get(pk=finding.pk)
    if stored.state != FindingState.DISMISSED:
        raise FieldError("act", f"It is {stored.get_state_display().lower()}: only a dismissed one is opened again.")
    place = {"detector": stored.detector, "unit": stored.unit, "repository": stored.repository}
    if Finding.objects.open().filter(**place).exists():
        raise FieldError("act", "The same was found anew: that finding is open.")
    return stored


def _open(finding: Finding, field: str) -> Finding:
    """The stored finding, locked.  Raises FieldError for `field` if it is closed."""
    stored = Finding.objects.select_for_update(of=("self",)).select_related("unit").get(pk=finding.pk)
    if stored.state not in OPEN_STATES:
        raise FieldError(field, f"It is {stored.get_state_display().lower()} already.")
    return stored


def _save_decided(finding: Finding, access: Access) -> None:
    finding.decided_on = timezone.localdate()
    finding.decided_by = access.viewer if isinstance(access.viewer, User) else None
    finding.save()
