"""The night's findings: selects the checks that are more than chance, merges those that belong together, and stores
them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from celery import shared_task
from django.db import transaction
from django.utils import timezone

from insights.annotations.events import events_of, in_words, is_explained
from insights.findings.checks import SAME_CHANGE, WEEK, WEEKS, Check, Weeks, teams_of
from insights.findings.data_quality import data_checks
from insights.findings.debt import with_debt
from insights.findings.detectors import CHANGE, MOVE, TREND
from insights.findings.leavers import leaver_checks
from insights.findings.waits import store_waits
from insights.formulas.findings import LEAST_WEEKS, WEEKS_AFTER, discoveries
from insights.models import Annotation, Finding
from insights.models.findings import FindingState
from insights.query.query import Window
from orgtree.access.access import aggregates_access
from orgtree.models import Unit

RATE = 0.01  # the accepted share of findings by chance
UNADJUSTED = 0.05  # the p-value up to which a team counts as changing with the others
GONE = timedelta(weeks=4)  # a dismissed gap that is back within this time is the same one
LARGER = 1.5  # times as large as a dismissed gap: a different one
# Stages by the time that they are part of: if both change, the stage is reported with that time.
STAGES: Mapping[str, Sequence[str]] = {
    "dora.lead_time": ("pr.pickup_time", "pr.review_time", "pr.merge_time"),
    "pr.cycle_time": ("pr.pickup_time", "pr.review_time"),
}


@dataclass(frozen=True)
class Night:
    """The number of checks, and the findings."""

    checks: int
    findings: Sequence[Check]


@shared_task(name="insights.findings.night.look_for_findings", ignore_result=True)  # type: ignore[untyped-decorator]
def look_for_findings() -> None:
    """Every night: look for findings and for why reviews wait; store new findings, and end those that are gone."""
    today = timezone.localdate()
    store(look(today), today=today)
    store_waits([*teams_of(today)], today - timedelta(days=today.weekday()))


def look(today: date) -> Night:
    """The findings of the last 52 whole weeks that were already there a week earlier: a single week decides nothing."""
    monday = today - timedelta(days=today.weekday())
    teams = teams_of(today)
    if not teams:
        return Night(0, [])
    weeks = Weeks.read(teams, Window(monday - WEEKS * WEEK, monday))
    night = found_in(weeks, [*leaver_checks(teams, monday)])
    return Night(night.checks, [*with_debt(night.findings, weeks.window), *data_checks(monday)])


def found_in(weeks: Weeks, of_quarters: Sequence[Check] = ()) -> Night:
    """Return the findings of these weeks that were also found without the last week, and the findings among
    `of_quarters`, which hardly change within a week.
    """
    checks = [*weeks.checks(), *of_quarters]
    earlier = {check.key for check in _discovered([*weeks.first(WEEKS - 1).checks(), *of_quarters])}
    there_before = [check for check in _discovered(checks) if check.key in earlier]
    return Night(len(checks), _distinct(there_before, checks))


def _discovered(checks: Sequence[Check]) -> Sequence[Check]:
    """The checks whose result is large and not chance."""
    reported = discoveries([check.chance for check in checks], RATE)
    return [check for check, is_reported in zip(checks, reported, strict=True) if is_reported and check.is_large]


def _distinct(found: Sequence[Check], checks: Sequence[Check]) -> Sequence[Check]:
    """Merges results that are one finding.  A change of the organisation counts only if half of the teams changed at
    about the same time, and then replaces theirs.  One change is one finding, whichever detectors see it.
    """
    common = [check for check in found if check.unit is None and (check.repository or _is_common(check, checks))]
    alone = [
        *common,
        *(check for check in found if check.unit is not None and not any(check.is_same(other) for other in common)),
    ]
    return _with_stages([check for check in alone if not any(_is_explained_by(check, other) for other in alone)])


def _is_common(check: Check, checks: Sequence[Check]) -> bool:
    of_teams = [other for other in checks if other.detector is check.detector and other.unit is not None]
    alike = sum(other.is_same(check) and other.chance <= UNADJUSTED for other in of_teams)
    return alike > 1 and alike >= len(of_teams) / 2


def _is_explained_by(check: Check, other: Check) -> bool:
    """Whether `other` explains the check: a move explains the change on its day, a change explains the trend that it
    makes, and a missing context file explains waste.
    """
    if other.detector.without_context and check.detector.of_repositories and not check.detector.without_context:
        return (check.detector.metric, check.repository) == (other.detector.metric, other.repository)
    explained_by = {CHANGE: (MOVE,), TREND: (CHANGE, MOVE)}.get(check.detector.kind, ())
    is_of_same = (check.detector.metric, check.unit, check.rises) == (other.detector.metric, other.unit, other.rises)
    if not is_of_same or other.detector.kind not in explained_by:
        return False
    return check.detector.kind == TREND or abs(check.since - other.since) <= SAME_CHANGE


def _with_stages(found: Sequence[Check]) -> Sequence[Check]:
    """The findings, in which a change includes the stages that changed with it; these are not findings of their own."""
    whole: list[Check] = []
    joined: set[int] = set()
    for check in found:
        parts = [
            part
            for part in found
            if part.detector.metric in STAGES.get(check.detector.metric, ()) and part.is_same(check, of_metric=False)
        ]
        joined |= {id(part) for part in parts}
        stages = [
            {"metric": part.detector.metric, "before": part.before, "after": part.after, "sample": part.sample}
            for part in parts
        ]
        whole.append(replace(check, details={**check.details, "stages": stages}) if stages else check)
    return [check for check, original in zip(whole, found, strict=True) if id(original) not in joined]


@transaction.atomic
def store(night: Night, *, today: date) -> None:
    """Stores the night's findings.  One that is found again keeps its state and gets the new figures.  One that was
    dismissed stays away until its change is a different one; one that is no longer found is resolved, with the event
    that explains it.
    """
    standing = {(one.detector, one.unit_id, one.repository): one for one in Finding.objects.open().select_for_update()}
    monday, minimum = today - timedelta(days=today.weekday()), aggregates_access().fewest_shown
    others = {other for check in night.findings for other in check.compared_with}
    slugs = dict(Unit.objects.filter(pk__in=others).values_list("pk", "slug"))
    for check in night.findings:
        known = standing.pop(check.key, None)
        if known is None and _was_dismissed(check, today):
            continue
        one = known or Finding(
            detector=check.detector.key, unit_id=check.unit, repository=check.repository, found_on=today
        )
        one.metric, one.since, one.until = check.detector.metric, check.since, monday
        one.before, one.after, one.low, one.high = check.before, check.after, check.low, check.high
        one.chance, one.sample, one.details = check.chance, check.sample, dict(check.details)
        one.minimum_people = minimum
        one.compared_with, one.compared_by = [slugs[other] for other in check.compared_with], check.compared_by
        one.save()
    events = events_of({one.unit_id for one in standing.values() if one.unit_id}, Window(monday - WEEKS * WEEK, monday))
    for gone in standing.values():
        gone.state, gone.ended_on = FindingState.RESOLVED, today
        if event := _explaining(gone, events[gone.unit_id], monday):
            gone.reason = f"Explained by {in_words(event)}."
        gone.save(update_fields=["state", "ended_on", "reason"])
    _note_dismissed(night, today)


def _explaining(finding: Finding, events: Sequence[Annotation], monday: date) -> Annotation | None:
    """The event that leaves too few weeks for the finding to be found, if there is one."""
    weeks = [Window(day, day + WEEK) for n in range(WEEKS) if (day := finding.since + n * WEEK) < monday]
    explained = [week for week in weeks if is_explained(week, finding.metric, events)]
    needed = WEEKS_AFTER if finding.detector.endswith((CHANGE, MOVE)) else LEAST_WEEKS
    if not explained or len(weeks) - len(explained) >= needed:
        return None
    return next(event for event in events if is_explained(explained[0], finding.metric, [event]))


def _note_dismissed(night: Night, today: date) -> None:
    """Store the day since which each dismissed finding is no longer found."""
    there = {check.key for check in night.findings}
    for one in Finding.objects.filter(state=FindingState.DISMISSED):
        is_there = (one.detector, one.unit_id, one.repository) in there
        if is_there != (one.gone_on is None):
            one.gone_on = None if is_there else today
            one.save(update_fields=["gone_on"])


def _was_dismissed(check: Check, today: date) -> bool:
    """Whether the same finding was dismissed last.  A change is a different one if its date differs; a finding without
    a date, if it was gone for four weeks or is half as large again.
    """
    same = Finding.objects.filter(detector=check.detector.key, unit=check.unit, repository=check.repository)
    last = same.order_by("-found_on", "-pk").first()
    if last is None or last.state != FindingState.DISMISSED:
        return False
    if check.detector.kind in {CHANGE, MOVE}:
        return abs(last.since - check.since) <= SAME_CHANGE
    is_larger = abs(check.after - check.before) > LARGER * abs(last.after - last.before)
    return not is_larger and (last.gone_on is None or today - last.gone_on < GONE)
