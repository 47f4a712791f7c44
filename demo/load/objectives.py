"""The demo's objectives: a year of closed quarters, and the current one."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from django.conf import settings
from django.contrib.auth.models import User
from django.utils import timezone

from core.authorship import changes_by
from core.write_errors import FieldError
from demo.load.objective_texts import OBJECTIVES, PLANS, DemoObjective
from demo.load.personas import PERSONAS
from demo.plan.year import DemoYear
from insights.query.windows import local_today
from orgtree.access.access import Access, access_of
from orgtree.models import Person
from programs.closing.services.closing import CarryOver, close_quarter
from programs.key_results.services.measuring import measure_objectives
from programs.models import CheckIn, Objective, ObjectiveMeasure, ObjectiveStatus, Quarter, Ticket
from programs.objectives.services.writing import add_objective, override_status, publish_objective
from programs.quarters.fiscal_quarters import current_quarter, preceding

QUARTERS_BEFORE = 3  # fully covered by the year of facts, as is the quarter before them for baselines
CLOSED_DAYS_AFTER = 9  # the end of a quarter
PUBLISHED_DAYS_INTO = 4
DAYS_BETWEEN_CHECK_INS = 13
DAYS_SINCE_THE_LAST = 3
REACHED = 0.7  # of the way: from there on a demo team is content


def write_demo_objectives(year: DemoYear, *, today: date) -> None:
    """Write the demo's objectives as the executive; a second call changes nothing.  Mobile has none this quarter, so
    that leadership sees a gap.
    """
    if year.flavour.is_quiet:
        return
    (executive,) = (persona for persona in PERSONAS if persona.role == "executive")
    access = access_of(User.objects.get(username=executive.email))
    quarters = [current_quarter()]
    for _ in range(QUARTERS_BEFORE):
        quarters.append(preceding(quarters[-1]))
    for ago in range(QUARTERS_BEFORE, -1, -1):
        quarter = quarters[ago]
        if quarter.is_closed:
            continue
        objectives = [objective for objective in OBJECTIVES if objective.ago == ago]
        _publish_carried(access, quarter)
        _write(access, quarter, objectives, today)
        if ago:
            _close(access, quarter, objectives)
    measure_objectives(today=today)


def plan_demo_objectives() -> None:
    """Link the demo's tickets to this quarter's objectives, once both are written; a second call changes nothing."""
    quarter = current_quarter()
    with changes_by(None):
        for title, tickets in PLANS.items():
            objective = Objective.objects.filter(quarter=quarter, title=title).first()
            if objective is not None:
                Ticket.objects.filter(title__in=tickets, objective=None).update(objective=objective)


def _publish_carried(access: Access, quarter: Quarter) -> None:
    for draft in Objective.objects.filter(quarter=quarter, carried_from__isnull=False, published_at=None):
        if all(result.is_guardrail for result in draft.key_results.all()):
            continue  # all of it was reached: what is left is no goal
        publish_objective(access, draft)
        day = quarter.start + timedelta(days=CLOSED_DAYS_AFTER)
        Objective.objects.filter(pk=draft.pk).update(published_at=min(timezone.now(), _noon(day)))


def _write(access: Access, quarter: Quarter, objectives: list[DemoObjective], today: date) -> None:
    """Write the whole organisation's objectives first, because those of teams serve them."""
    known = dict(Objective.objects.filter(quarter=quarter).values_list("title", "pk"))
    whole = None
    for text in objectives:
        if text.title in known:
            whole = known[text.title] if not text.team else whole
            continue
        written = _add(access, quarter, text, whole)
        whole = written.pk if not text.team else whole
        _speak(access, written, text, today)


def _add(access: Access, quarter: Quarter, text: DemoObjective, parent: int | None) -> Objective:
    """Add an objective, without key results whose baseline cannot be computed from the year's facts."""
    owner = Person.objects.filter(email=f"{text.owner}@example.com").first()
    key_results = text.key_results
    while True:
        given = {
            "quarter": quarter.start.isoformat(),
            "title": text.title,
            "unit": text.team.lower(),
            "description": text.why,
            "owner": owner.email if owner else "",
            "is_mandatory": text.is_mandatory,
            "parent": parent if text.team else None,
            "template": text.template,
            "key_results": list(key_results),
        }
        try:
            written = add_objective(access, given)
            break
        except FieldError as problem:
            row = _row_of(problem)
            if row is None:
                raise
            key_results = (*key_results[:row], *key_results[row + 1 :])
    if any(result.get("target_kind") != "guardrail" for result in key_results):
        publish_objective(access, written)
        day = min(quarter.start + timedelta(days=PUBLISHED_DAYS_INTO), written.written_at.date())
        Objective.objects.filter(pk=written.pk).update(published_at=_noon(day))
    return Objective.objects.select_related("quarter", "unit").get(pk=written.pk)


def _row_of(problem: FieldError) -> int | None:
    """The row of the refused key result."""
    parts = problem.field.split(".")
    return int(parts[1]) if parts[0] == "key_results" and len(parts) > 1 else None


def _speak(access: Access, written: Objective, text: DemoObjective, today: date) -> None:
    """Write the check-ins that are due by now, every other week; the last one describes how it is going."""
    if written.published_at is None:
        return
    account = access.viewer if isinstance(access.viewer, User) else None
    entered = written.key_results.filter(metric="").first()
    first, last = written.quarter.start, min(today, written.quarter.end - timedelta(days=1))
    latest = last - timedelta(days=DAYS_SINCE_THE_LAST)
    days = [latest - timedelta(days=number * DAYS_BETWEEN_CHECK_INS) for number in range(len(text.said), -1, -1)]
    days = [day for day in days if day > first]
    goes_well = _goes_well(written, min(today, written.quarter.end))
    for number, day in enumerate(days):
        is_last = number == len(days) - 1
        confidence, note = (
            (CheckIn.Confidence.MEDIUM, text.said[number])
            if not is_last
            else (CheckIn.Confidence.HIGH, text.well)
            if goes_well
            else (CheckIn.Confidence.LOW, text.badly)
        )
        value = text.values[number] if entered and number < len(text.values) else None
        CheckIn.objects.create(
            objective=written,
            key_result=entered if value is not None else None,
            at=_noon(day),
            by=account,
            confidence=confidence,
            note=note,
            value=value,
        )
        if entered is not None and value is not None:
            entered.hand_value = value
            entered.save(update_fields=["hand_value"])
    if text.override[0]:
        override_status(access, written, *text.override)


def _goes_well(written: Objective, day: date) -> bool:
    measure_objectives(only=[written.pk], today=day)
    measure = ObjectiveMeasure.objects.get(objective=written)
    return measure.standing == ObjectiveStatus.ON_TRACK or (measure.progress or 0.0) >= REACHED


def _close(access: Access, quarter: Quarter, texts: list[DemoObjective]) -> None:
    by_title = {text.title: text for text in texts}
    written = {objective.pk: objective for objective in Objective.objects.filter(quarter=quarter, carried_from=None)}
    known = {pk: by_title[objective.title] for pk, objective in written.items() if objective.title in by_title}
    on = min(local_today(), quarter.end)
    close_quarter(
        access,
        quarter,
        decisions={
            pk: CarryOver.CARRY if objective.carried and written[pk].published_at else CarryOver.END
            for pk, objective in known.items()
        },
        retrospectives={
            pk: objective.learned[0 if _goes_well(written[pk], on) else 1] for pk, objective in known.items()
        },
        retrospective="What we agreed on as a team was reached more often than what one of us wished for.",
        at=min(timezone.now(), _noon(quarter.end + timedelta(days=CLOSED_DAYS_AFTER))),
    )


def _noon(day: date) -> datetime:
    return datetime.combine(day, time(12), settings.ORGANISATION_TIME_ZONE)
