"""Takes the figures of a pilot's teams before the start and at the end, and plans its next stage.

The baseline is taken as soon as a pilot is planned, retaken each night until it starts, and kept from then on; the
figures at the end are taken once, with the verdict.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from core.authorship import changes_by
from core.write_errors import FieldError
from insights.benchmarks.baselines import read_baseline
from insights.catalogue.registry import find
from insights.formulas.difference_in_differences import WEEKS_BEFORE
from insights.query import windows
from insights.query.errors import QueryError
from insights.query.query import Scope, Window
from orgtree.access.access import Access
from orgtree.models.visibility import person_of
from programs.experiments.queries import bucket_of
from programs.experiments.services.writing import add_experiment, check_may_write
from programs.models import Experiment, ExperimentState, PilotFigure
from programs.models.objectives import LONGEST_TITLE
from programs.requests.visible import account_of
from programs.tickets.services.writing import add_ticket

MOST_UNITS = 5  # per pilot: pilots are small
NOT_OVER = "It is not over: widen it once its verdict is there."
NOBODY_LEFT = "Leave units to compare with, or set an objective for all of them instead."


class Aspect(NamedTuple):
    """An aspect of how a team works, with the question that the pilot's baseline answers."""

    name: str
    question: str
    metrics: tuple[str, ...]


ASPECTS = (
    Aspect(
        "Execution",
        "Where does work wait?",
        (
            *("dora.deployment_frequency", "dora.change_failure_rate", "pr.cycle_time"),
            *("pr.pickup_time", "pr.review_time"),
        ),
    ),
    Aspect(
        "Alignment",
        "Does time go to what was agreed?",
        ("allocation.new_share", "allocation.unlinked_share", "work.features_per_week"),
    ),
    Aspect(
        "Planning",
        "Why are commitments missed?",
        ("sprint.delivered_vs_planned", "sprint.scope_creep", "sprint.carry_over"),
    ),
)


def measure_pilots(*, today: date | None = None) -> None:
    """Takes the baselines of pilots that have not started or have none, and the final figures of those that are
    over.
    """
    day = today or windows.local_today()
    taken = PilotFigure.objects.filter(experiment=OuterRef("pk"))
    pilots = Experiment.objects.filter(is_pilot=True).order_by("pk")
    for pilot in pilots.filter(Q(starts_on__gt=day) | ~Exists(taken.filter(is_at_end=False))):
        _take(pilot, at_end=False, today=day)
    for pilot in pilots.filter(~Exists(taken.filter(is_at_end=True)), ends_on__lte=day):
        _take(pilot, at_end=True, today=day)


def _take(pilot: Experiment, *, at_end: bool, today: date) -> None:
    figures = [
        figure
        for place, slug in enumerate(pilot.treated[:MOST_UNITS])
        for aspect in ASPECTS
        for key in aspect.metrics
        if (figure := _figure(pilot, slug, key, _window(pilot, place, at_end=at_end, today=today), at_end=at_end))
    ]
    with transaction.atomic():
        Experiment.objects.select_for_update(of=("self",)).get(pk=pilot.pk)
        PilotFigure.objects.filter(experiment=pilot, is_at_end=at_end).delete()
        PilotFigure.objects.bulk_create(figures)


def _window(pilot: Experiment, place: int, *, at_end: bool, today: date) -> Window:
    """The weeks that the verdict compares; for a baseline, those before the start or before now."""
    start = pilot.starts()[place]
    if at_end:
        return Window(start, start + timedelta(weeks=pilot.weeks))
    end = min(start, today + timedelta(days=1))
    return Window(end - timedelta(weeks=WEEKS_BEFORE), end)


def _figure(pilot: Experiment, slug: str, key: str, window: Window, *, at_end: bool) -> PilotFigure | None:
    """Reads a figure; None if the metric or the unit no longer exists."""
    metric = find(key)
    if metric is None:
        return None
    try:
        taken = read_baseline(key, Scope(slug), window, bucket_of(key))
    except QueryError:
        return None
    return PilotFigure(
        experiment=pilot,
        unit=slug,
        metric=key,
        is_at_end=at_end,
        first_day=window.start,
        end_day=window.end,
        value=taken.value,
        **({"low": taken.interval.low, "high": taken.interval.high} if taken.interval else {}),
        sample_size=taken.sample_size,
        people=taken.people,
        reason=taken.reason[:300],
        metric_version=metric.version,
    )


def widen(access: Access, pilot: Experiment, given: Mapping[str, Any]) -> Experiment:
    """Adds the next stage: a pilot of further units, and an action ticket for it; `given` has `units` to `weeks`.

    The change stays with the first teams, so they are not compared again.  Raises FieldError, MayNotWriteError.
    """
    check_may_write(access, pilot)
    today = windows.local_today()
    if pilot.state(today) is not ExperimentState.OVER:
        raise FieldError("", NOT_OVER)
    units = given.get("units")
    if not isinstance(units, list) or not units:
        raise FieldError("units", "Choose the units that take it up next.")
    if started := {*pilot.treated} & {str(unit) for unit in units}:
        raise FieldError("units", f"“{min(started)}” has started already.")
    compared = [slug for slug in pilot.compared if slug not in units]
    if not compared:
        raise FieldError("units", NOBODY_LEFT)
    unit = pilot.unit.slug if pilot.unit else ""
    with transaction.atomic(), changes_by(account_of(access)):
        stage = add_experiment(
            access,
            {
                **{name: getattr(pilot, name) for name in ("title", "change", "metric", "guard_rails", "weeks")},
                "unit": unit,
                "owner": _owner_of(pilot, access),
                "treated": units,
                "compared": compared,
                "starts_on": (today + timedelta(days=7 - today.weekday())).isoformat(),
                "finding": pilot.finding_id,
                "objective": pilot.objective_id,
                "is_pilot": True,
                "widens": pilot.pk,
                **{name: given[name] for name in ("starts_on", "weeks") if given.get(name)},
            },
        )
        stage.ticket = add_ticket(
            access,
            {
                "title": f"Widen: {pilot.title}"[:LONGEST_TITLE],
                "nature": "opportunity",
                "kind": "process",
                "resolution": pilot.change,
                "unit": unit,
                "owner": _owner_of(pilot, access),
                "due_on": stage.ends_on.isoformat(),
                "metric": pilot.metric,
                "objective": pilot.objective_id,
            },
        )
        stage.save(update_fields=["ticket"])
    return stage


def _owner_of(pilot: Experiment, access: Access) -> str:
    """The e-mail address of the pilot's owner, or else of the person who widens it.  Raises FieldError if there is
    neither.
    """
    person = pilot.owner or person_of(access.viewer)
    if person is None or not person.email:
        raise FieldError("", "Name an owner first: the next stage and its ticket need one.")
    return person.email
