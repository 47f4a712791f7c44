"""Lists of objectives and their progress."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from django.db.models import Case, CharField, Count, F, Q, QuerySet, Value, When
from django.db.models.functions import Coalesce
from django.utils import timezone

from insights.catalogue.registry import metrics
from insights.privacy.withhold import is_of_delivery
from insights.query.enums import BelongsTo
from orgtree.access.access import Access
from orgtree.models.visibility import Visibility
from programs.key_results.queries import KeyResultProgress, key_result_progress
from programs.models import (
    CheckIn,
    KeyResult,
    Objective,
    ObjectiveMeasure,
    ObjectiveStatus,
    Ticket,
)
from programs.models.objectives import CHECK_IN_EVERY
from programs.models.tickets import OPEN_STATES

HIDDEN = "Some values are hidden from you, and so is the status."
STATUS_ONLY = "You can see the status; details are visible to {whom}."


@dataclass(frozen=True)
class ObjectiveProgress:
    """`progress` is the mean of the key results that are not guardrails, each clipped to 0..1.

    `shown` is the override if there is one; `is_status_hidden` if the computed status is withheld. `confidence` is that
    of the last check-in.  `check_in_due` is the day by which the next one is due; None for drafts, dropped objectives,
    and outside of the quarter.
    """

    objective: Objective
    key_results: tuple[KeyResultProgress, ...]
    progress: float | None
    computed: ObjectiveStatus
    shown: ObjectiveStatus
    why: str
    confidence: str
    last_check_in: CheckIn | None
    check_in_due: date | None
    tickets_open: int
    tickets_overdue: int

    @property
    def is_status_hidden(self) -> bool:
        return any(result.of_few for result in self.key_results)


def progress_of(objectives: Sequence[Objective], access: Access, *, today: date) -> list[ObjectiveProgress]:
    """The measured progress of objectives, without figures that this viewer may not see.

    Three queries if the objectives come with quarter, unit and measure; a fourth if they lack their measure.
    """
    ids = [objective.pk for objective in objectives]
    key_results: dict[int, list[KeyResult]] = defaultdict(list)
    for result in KeyResult.objects.filter(objective__in=ids).select_related("measure").order_by("position"):
        key_results[result.objective_id].append(result)
    measures = _measures(objectives)
    last = _last_check_ins(ids)
    tickets = _tickets(ids, access.visibility, today)
    progresses = []
    for objective in objectives:
        measured = tuple(
            key_result_progress(key_result, objective, getattr(key_result, "measure", None), access, today=today)
            for key_result in key_results[objective.pk]
        )
        measure = measures.get(objective.pk)
        computed, why, progress = _computed(objective, measured, measure)
        check_in = last.get(objective.pk)
        is_open, overdue = tickets.get(objective.pk, (0, 0))
        progresses.append(
            ObjectiveProgress(
                objective=objective,
                key_results=measured,
                progress=progress,
                computed=computed,
                shown=ObjectiveStatus(objective.override) if objective.override else computed,
                why=why,
                confidence=check_in.confidence if check_in else "",
                last_check_in=check_in,
                check_in_due=check_in_due(objective, check_in, today),
                tickets_open=is_open,
                tickets_overdue=overdue,
            )
        )
    return progresses


def _measures(objectives: Sequence[Objective]) -> Mapping[int, ObjectiveMeasure]:
    """Maps objectives to their measures, reading those not loaded yet."""
    read = {
        objective.pk: getattr(objective, "measure", None)
        for objective in objectives
        if "measure" in objective._state.fields_cache
    }
    missing = [objective.pk for objective in objectives if objective.pk not in read]
    measures = ObjectiveMeasure.objects.in_bulk(missing) if missing else {}
    return {**measures, **{pk: measure for pk, measure in read.items() if measure is not None}}


def _computed(
    objective: Objective, measured: Sequence[KeyResultProgress], measure: ObjectiveMeasure | None
) -> tuple[ObjectiveStatus, str, float | None]:
    """The computed status, its reason, and progress.

    Unknown if few people are behind a key result, because it would reveal them.  Viewers who may not see the unit's
    figures get only the status of a published goal: one of three words, about a group that is large enough.
    """
    if any(key_result.of_few for key_result in measured):
        return ObjectiveStatus.UNKNOWN, measured[0].reason if len(measured) == 1 else HIDDEN, None
    if measure is None:
        return ObjectiveStatus.UNKNOWN, "Not measured yet. Measurements run hourly.", None
    if any(key_result.withheld for key_result in measured):
        whom = f"{objective.unit.name}'s managers" if objective.unit else "executives"
        return ObjectiveStatus(measure.standing), STATUS_ONLY.format(whom=whom), None
    is_progress_hidden = any(
        key_result.baseline is None and key_result.key_result.baseline is not None for key_result in measured
    )
    return ObjectiveStatus(measure.standing), measure.why, None if is_progress_hidden else measure.progress


def check_in_due(objective: Objective, last: CheckIn | None, today: date) -> date | None:
    """Two weeks after the last check-in, or after the publication or the start of the quarter, whichever is later;
    never after the quarter's last day.
    """
    quarter = objective.quarter
    if objective.published_at is None or objective.dropped_at or quarter.is_closed or today >= quarter.end:
        return None
    since = max(quarter.start, timezone.localdate(last.at if last else objective.published_at))
    return min(since + CHECK_IN_EVERY, quarter.window.last_day)


def _last_check_ins(ids: Sequence[int]) -> Mapping[int, CheckIn]:
    latest = CheckIn.objects.filter(objective__in=ids).order_by("objective_id", "-at", "-pk").distinct("objective_id")
    return {check_in.objective_id: check_in for check_in in latest.select_related("by")}


def _tickets(ids: Sequence[int], visibility: Visibility, today: date) -> Mapping[int, tuple[int, int]]:
    """Maps objectives to the numbers of open and overdue tickets visible to the viewer."""
    visible = Ticket.objects.within(visibility).filter(objective__in=ids, state__in=OPEN_STATES)
    counted = visible.values("objective").annotate(
        standing=Count("pk"), overdue=Count("pk", filter=Q(due_on__lt=today))
    )
    return {row["objective"]: (row["standing"], row["overdue"]) for row in counted.order_by()}


def in_order_of_units(objectives: QuerySet[Objective]) -> QuerySet[Objective]:
    """Orders by unit: the whole organisation first, then units by name, each with its mandatory objective first."""
    return objectives.order_by(F("unit__name").asc(nulls_first=True), "-is_mandatory", "pk")


def shown_status(access: Access) -> Case:
    """The status shown to this viewer (`ObjectiveProgress.shown`) as SQL, so that lists filter only by visible
    values.
    """
    measured = Coalesce(F("measure__standing"), Value(ObjectiveStatus.UNKNOWN.value))
    hidden = Q(pk__in=_hidden_key_results(access).values("objective"))
    return Case(
        When(~Q(override=""), then=F("override")),
        When(hidden, then=Value(ObjectiveStatus.UNKNOWN.value)),
        default=measured,
        output_field=CharField(),
    )


def _hidden_key_results(access: Access) -> QuerySet[KeyResult]:
    """Key results with few contributors, whose status is withheld as well: see `is_of_few`."""
    of_metrics = KeyResult.objects.exclude(metric="").order_by()
    if access.shows_small_groups:
        return of_metrics.none()
    of_people = {metric.key: metric for metric in metrics() if metric.belongs_to is BelongsTo.PERSON}
    open_to_own = [key for key, metric in of_people.items() if is_of_delivery(metric)]
    few = Q(measure__people__gt=0, measure__people__lt=access.minimum_group_size, metric__in=list(of_people))
    own = Q(objective__unit__in=list(access.visibility.slugs.values()), metric__in=open_to_own)
    return of_metrics.filter(few & ~own)
