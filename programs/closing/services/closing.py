"""Closes a quarter: scores and freezes every objective, and carries over the chosen ones.

A closed quarter is immutable: its document holds the state at that moment, and the database rejects changes to the
document and to the records in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TypeVar

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import (
    Avg,
    BooleanField,
    Case,
    Count,
    Exists,
    ExpressionWrapper,
    F,
    FloatField,
    IntegerField,
    Model,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    TextField,
    Value,
    When,
)
from django.db.models.functions import Cast, Greatest, Least
from django.utils import timezone

from core.authorship import changes_by
from core.write_errors import FieldError, MayNotWriteError, checked_text
from insights.query import windows
from insights.ui import wording
from orgtree.access.access import Access
from orgtree.models import Unit, UnitPlace
from programs.closing.services.freezing import content_of
from programs.closing.services.frozen import freeze
from programs.finding_work.work import follow_drop
from programs.key_results.services.baselines import baseline_by_hand, baselines
from programs.key_results.services.fields import FIELDS as KEY_RESULT_FIELDS
from programs.key_results.services.measuring import measure_batch, measure_objectives
from programs.models import Direction, FrozenDocument, KeyResult, KeyResultMeasure, Objective, Quarter, TargetKind
from programs.objectives.queries.objectives import ObjectiveProgress, progress_of
from programs.objectives.services.fields import FIELDS
from programs.quarters.fiscal_quarters import following
from programs.requests.visible import account_of
from programs.teams.queries import teams_without_objective

CarryOver = Objective.CarryOver
PUBLISHED = Q(published_at__isnull=False)
DRAFTS_LAST = ExpressionWrapper(~PUBLISHED, BooleanField())

ONLY_LEADERS = "Only executives and admins can close a quarter."
NOT_STARTED = "{quarter} has not started, so it cannot be closed."
ALREADY_CLOSED = "{quarter} is already closed: its document is final."
NEVER_PUBLISHED = "The quarter was closed before it was published."
LONGEST_TEXT = 20_000  # characters
MOST_NAMED = 3  # per sentence
LISTED = 50  # of missing items; the document has all of them
Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True)
class ClosingPreview:
    """A preview of the freeze: published objectives, then drafts (dropped unless carried over).

    `lines` and `drafts` are those of the requested page; the totals are of the whole quarter, and so is `undecided`:
    published objectives without a carry-over decision, which end.  `without_value` (key results whose value is entered
    by hand, and was not) and the teams list the first few, next to their totals.

    `blocks` are sentences that say why this viewer can't close the quarter at all; `needs_reason` those that say why it
    can only be closed with a reason (`forced_because`).
    """

    quarter: Quarter
    lines: tuple[ObjectiveProgress, ...]
    drafts: tuple[Objective, ...]
    total: int
    drafts_total: int
    undecided: int
    without_value: tuple[KeyResult, ...]
    without_value_total: int
    teams_without_objective: tuple[Unit, ...]
    teams_total: int
    blocks: tuple[str, ...]
    needs_reason: tuple[str, ...]

    @property
    def objectives(self) -> list[ObjectiveProgress | dict[str, Objective | None]]:
        """Published objectives and drafts, as the API lists them: drafts have no status and no score."""
        return [*self.lines, *({"objective": draft, "shown": None, "progress": None} for draft in self.drafts)]


def preview_closing(
    access: Access, quarter: Quarter, *, today: date | None = None, page: slice = slice(None)
) -> ClosingPreview:
    """Previews the freeze as of the last measurement.

    Ten queries, twelve if much is missing; the cost grows with the `page`.
    """
    today = today or windows.local_today()
    still_open = Objective.objects.filter(quarter=quarter, dropped_at=None)
    counted = still_open.aggregate(
        published=Count("pk", filter=PUBLISHED),
        drafts=Count("pk", filter=~PUBLISHED),
        undecided=Count("pk", filter=PUBLISHED & Q(carry_over=CarryOver.UNDECIDED)),
    )
    listed = still_open.select_related("quarter", "unit", "owner", "measure").order_by(DRAFTS_LAST.asc(), "pk")[page]
    objectives = list(listed)
    progress = progress_of([objective for objective in objectives if objective.published_at], access, today=today)
    without_value, without_value_total = _first(_without_value(quarter))
    teams, teams_total = _first(teams_without_objective(quarter, access.visibility, today=today))
    return ClosingPreview(
        quarter=quarter,
        lines=tuple(progress),
        drafts=tuple(objective for objective in objectives if not objective.published_at),
        total=counted["published"],
        drafts_total=counted["drafts"],
        undecided=counted["undecided"],
        without_value=without_value,
        without_value_total=without_value_total,
        teams_without_objective=teams,
        teams_total=teams_total,
        blocks=_blocks(access, quarter),
        needs_reason=_needs_reason(quarter, without_value, without_value_total, today),
    )


def _first(queryset: QuerySet[Row]) -> tuple[tuple[Row, ...], int]:
    """The first few, and the total, which is only counted if there are more."""
    rows = tuple(queryset[: LISTED + 1])
    return rows[:LISTED], len(rows) if len(rows) <= LISTED else queryset.count()


def close_quarter(
    access: Access,
    quarter: Quarter,
    *,
    decisions: Mapping[int, CarryOver] | None = None,
    retrospectives: Mapping[int, str] | None = None,
    retrospective: str | None = None,
    forced_because: str = "",
    at: datetime | None = None,
) -> FrozenDocument:
    """Closes the quarter and returns its frozen document.

    `decisions` and `retrospectives` are by objective; objectives without an entry keep what is stored, and so does the
    quarter's own `retrospective` if it is None.  `at` backdates the closing.

    Everything is measured once more first.  Drafts are dropped unless they are carried over.  Raises FieldError,
    MayNotWriteError.
    """
    now = at or timezone.now()
    today = timezone.localdate(now, settings.ORGANISATION_TIME_ZONE)
    if not access.visibility.leads_whole:
        raise MayNotWriteError(ONLY_LEADERS)
    account = account_of(access)
    _check_words(retrospective or "", forced_because, retrospectives or {})
    measure_objectives(
        only=list(Objective.objects.open().filter(quarter=quarter).values_list("pk", flat=True)), today=today
    )
    with changes_by(account):
        held = Quarter.objects.select_for_update().get(pk=quarter.pk)  # waits for whoever is writing in it
        if held.is_closed:
            raise FieldError("quarter", ALREADY_CLOSED.format(quarter=held))
        if held.start > today:
            raise FieldError("quarter", NOT_STARTED.format(quarter=held))
        if (reasons := _needs_reason(held, *_first(_without_value(held)), today)) and not forced_because.strip():
            raise FieldError("forced_because", " ".join(reasons))
        _check_known([*(decisions or {}), *(retrospectives or {})], held)
        if retrospective is not None:
            held.retrospective = retrospective.strip()
        carried = set(_decide(held, decisions or {}, retrospectives or {}, now))
        _score(held)
        objectives = _objectives(held)
        content = content_of(
            held,
            [objective for objective in objectives if objective.published_at],  # drafts were never agreed on
            list(teams_without_objective(held, access.visibility, today=today)),
            closed_at=now,
            closed_by=account.pk,
            forced_because=forced_because.strip(),
        )
        document = freeze(content, by=account, at=now)
        held.closed_at, held.closed_by, held.document = now, account, document
        held.save()
        chosen = [objective for objective in objectives if objective.pk in carried]
        drafts = carry_over(chosen, following(held), by=account, today=max(today, held.end))
        measure_batch(Objective.objects.filter(pk__in=[draft.pk for draft in drafts]), today=today)
    quarter.refresh_from_db()
    return document


def _objectives(quarter: Quarter) -> list[Objective]:
    objectives = Objective.objects.filter(quarter=quarter)
    return list(objectives.select_related("quarter", "unit", "parent", "owner", "measure").order_by("pk"))


def _without_value(quarter: Quarter) -> QuerySet[KeyResult]:
    aims = KeyResult.objects.filter(objective__quarter=quarter, objective__dropped_at=None, hand_value=None)
    aims = aims.filter(metric="", initiative="")
    return aims.filter(objective__published_at__isnull=False).select_related("objective__unit").order_by("pk")


def _blocks(access: Access, quarter: Quarter) -> tuple[str, ...]:
    problems = [ALREADY_CLOSED.format(quarter=quarter)] if quarter.is_closed else []
    return (*problems, *([] if access.visibility.leads_whole else [ONLY_LEADERS]))


def _needs_reason(
    quarter: Quarter, without_value: Sequence[KeyResult], without_total: int, today: date
) -> tuple[str, ...]:
    reasons = []
    if today < quarter.end:
        reasons.append(f"{quarter} ends on {wording.day(quarter.window.last_day)}: give a reason for closing it early.")
    if without_value:
        named = wording.listed([f"“{key_result.title}”" for key_result in without_value[:MOST_NAMED]])
        more = f" and {without_total - MOST_NAMED:,} more" if without_total > MOST_NAMED else ""
        reasons.append(
            f"No value was entered for {named}{more}: check in with the final value, or give a reason for closing "
            "without it."
        )
    return tuple(reasons)


def _check_words(retrospective: str, forced_because: str, retrospectives: Mapping[int, str]) -> None:
    named = {"retrospective": retrospective, "forced_because": forced_because}
    for field, text in (*named.items(), *((f"retrospectives.{pk}", words) for pk, words in retrospectives.items())):
        checked_text(field, text, LONGEST_TEXT)


def _check_known(named: Sequence[int], quarter: Quarter) -> None:
    if Objective.objects.filter(quarter=quarter, pk__in=named).count() < len({*named}):
        raise FieldError("decisions", f"One of the objectives that were decided about is not of {quarter}.")


def _decide(quarter: Quarter, decisions: Mapping[int, CarryOver], texts: Mapping[int, str], now: datetime) -> list[int]:
    """Applies the carry-over decisions; undecided objectives end, and drafts end as dropped.  Returns the ids to carry
    over.
    """
    objectives = Objective.objects.filter(quarter=quarter)
    given_up = set(objectives.filter(dropped_at__isnull=False).values_list("pk", flat=True))
    to_carry = set(objectives.filter(carry_over=CarryOver.CARRY).values_list("pk", flat=True))
    to_carry = {pk for pk in to_carry if decisions.get(pk, CarryOver.CARRY) == CarryOver.CARRY}
    to_carry |= {pk for pk, decided in decisions.items() if decided == CarryOver.CARRY}
    carried = sorted(to_carry - given_up)
    objectives.filter(published_at=None, dropped_at=None).update(dropped_at=now, dropped_why=NEVER_PUBLISHED)
    for draft in objectives.filter(dropped_at=now, finding_work__isnull=False).order_by("pk"):
        follow_drop(draft)
    lessons = [When(pk=pk, then=Value(text.strip(), TextField())) for pk, text in texts.items()]
    objectives.update(
        carry_over=Case(When(pk__in=carried, then=Value(CarryOver.CARRY)), default=Value(CarryOver.END)),
        retrospective=Case(*lessons, default=F("retrospective")),
        version=F("version") + 1,
    )
    return carried


def _score(quarter: Quarter) -> None:
    """Scores key results and objectives from 0 to 1.

    A key result scores its progress, clipped (a guardrail: whether it held); an objective scores the mean of its key
    results without guardrails.  Without a baseline there is no progress: reached is 1, missed 0.  Without a value there
    is no score.
    """
    measure = KeyResultMeasure.objects.filter(key_result=OuterRef("pk"))
    higher, guardrail = Q(better=Direction.HIGHER), Q(target_kind=TargetKind.GUARDRAIL)
    is_met = (higher & Exists(measure.filter(value__gte=OuterRef("target")))) | (
        ~higher & Exists(measure.filter(value__lte=OuterRef("target")))
    )
    progress, holds = Subquery(measure.values("progress")), Subquery(measure.values("holds"))
    KeyResult.objects.filter(objective__quarter=quarter).update(  # one statement: each row's change is kept as history
        final_value=Subquery(measure.values("value")),
        final_score=Case(
            When(~Exists(measure.filter(value__isnull=False)), then=None),
            When(guardrail, then=Cast(Cast(holds, IntegerField()), FloatField())),
            When(Exists(measure.filter(progress__isnull=False)), then=Least(Greatest(progress, 0.0), 1.0)),
            When(is_met, then=1.0),
            default=0.0,
            output_field=FloatField(),
        ),
    )
    aims = KeyResult.objects.filter(objective=OuterRef("pk")).exclude(guardrail).order_by()
    Objective.objects.filter(quarter=quarter, published_at__isnull=False, dropped_at=None).update(
        score=Subquery(aims.values("objective").annotate(mean=Avg("final_score")).values("mean"))
    )


def carry_over(objectives: Sequence[Objective], into: Quarter, *, by: User | None, today: date) -> list[Objective]:
    """Creates a draft for each objective with the same text and target values; its baseline is the closed quarter.

    A relative target becomes its absolute value, so that the goal stays the same.  A key result already beyond its
    target becomes a guardrail, to be held.  The objective stays the team's mandatory one if the team has none yet in
    the quarter.  If its parent is carried over, too, it is linked to the new one.
    """
    mandatory = Objective.objects.filter(quarter=into, is_mandatory=True, dropped_at=None)
    with_mandatory = {unit for unit in mandatory.values_list("unit", flat=True) if unit is not None}
    existing_units = set(
        UnitPlace.objects.filter(
            unit__in=[source.unit_id for source in objectives if source.unit_id], during__contains=today
        ).values_list("unit", flat=True)
    )
    carried: dict[int, Objective] = {}
    for objective in objectives:
        stays_mandatory = (
            objective.is_mandatory and objective.unit_id in existing_units and objective.unit_id not in with_mandatory
        )
        carried[objective.pk] = Objective.objects.create(
            **{
                **{name: getattr(objective, name) for name in FIELDS},
                "quarter": into,
                "is_mandatory": stays_mandatory,
                "parent": None,
            },
            carried_from=objective,
            written_by=by,
        )
        if stays_mandatory and objective.unit_id is not None:
            with_mandatory.add(objective.unit_id)
        _carry_key_results(objective, carried[objective.pk], into, today)
    _follow_parents(objectives, carried)
    return list(carried.values())


def _carry_key_results(objective: Objective, draft: Objective, into: Quarter, today: date) -> None:
    known = list(objective.key_results.order_by("position"))
    queries = {row: (result.metric, result.statistic) for row, result in enumerate(known) if result.metric}
    stood = baselines(queries, objective.unit, into, today=today)
    for row, key_result in enumerate(known):
        baseline = stood.get(row) or baseline_by_hand(key_result, into, today=today)
        is_guardrail = key_result.is_guardrail or _is_reached(key_result, baseline.value)
        KeyResult.objects.create(
            objective=draft,
            position=key_result.position,
            **{
                **{name: getattr(key_result, name) for name in KEY_RESULT_FIELDS},
                "target_kind": TargetKind.GUARDRAIL if is_guardrail else TargetKind.ABSOLUTE,
                "change_percent": None,
                **baseline.fields,
            },
        )


def _is_reached(key_result: KeyResult, value: float | None) -> bool:
    if value is None:
        return False
    is_higher = key_result.better == Direction.HIGHER
    return value >= key_result.target if is_higher else value <= key_result.target


def _follow_parents(objectives: Sequence[Objective], carried: Mapping[int, Objective]) -> None:
    for objective in objectives:
        parent = carried.get(objective.parent_id or 0)
        if parent is not None:
            carried[objective.pk].parent = parent
            carried[objective.pk].save(update_fields=["parent"])
