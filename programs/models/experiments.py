"""Experiments: a change that some units make and others do not, and its effect on a metric; including pilots.

See docs/experiments.md.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Self

import pghistory
from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from insights.models import Finding
from insights.query.query import Window
from orgtree.models import Person, Unit
from orgtree.models.visibility import Visibility
from programs.models.objectives import LONGEST_TITLE, Objective
from programs.models.tickets import Ticket
from programs.models.visibility import concerns, led_by

FEWEST_WEEKS, MOST_WEEKS = 4, 26
MOST_STEP_WEEKS = 8


class ExperimentState(models.TextChoices):
    PLANNED = "planned", "Planned"
    RUNNING = "running", "Running"
    OVER = "over", "Over"


class ExperimentVerdict(models.TextChoices):
    BETTER = "better", "Better"
    WORSE = "worse", "Worse"
    NO_DIFFERENCE = "no_difference", "No difference shown"


class ExperimentQuerySet(models.QuerySet["Experiment"]):
    def within(self, visibility: Visibility) -> Self:
        """Experiments of units that the viewer may see, of units above those, and of units that they lead."""
        return self.filter(concerns(visibility) | led_by(visibility))

    def in_state(self, state: str, today: date) -> Self:
        match state:
            case ExperimentState.PLANNED:
                return self.filter(starts_on__gt=today)
            case ExperimentState.RUNNING:
                return self.filter(starts_on__lte=today, ends_on__gt=today)
        return self.filter(ends_on__lte=today)

    def judged_before(self, visibility: Visibility, minimum: int | None) -> Self:
        """Experiments whose verdict the viewer may see: all units are visible, and each has enough people.

        Without a minimum, group sizes do not matter.
        """
        judged = self.exclude(result=None)
        if visibility.unit_ids is not None:
            seen = [*visibility.slugs]
            judged = judged.filter(treated__contained_by=seen, compared__contained_by=seen)
        if minimum is not None:
            judged = judged.filter(Q(result__people=None) | Q(result__people__gte=minimum))
        return judged


@pghistory.track(append_only=True)
class Experiment(models.Model):
    """`treated` and `compared` are slugs of units; treated ones start in this order, `step_weeks` apart.

    Days are Mondays: whole weeks are compared.  A pilot is an experiment with a few representative units whose figures
    are taken before the start and at the end; an experiment that `widens` it is its next stage.
    """

    title = models.CharField("hypothesis", max_length=LONGEST_TITLE)
    change = models.TextField("what is changed", help_text="Markdown.")
    unit = models.ForeignKey(Unit, models.PROTECT, null=True, blank=True, related_name="experiments")
    owner = models.ForeignKey(Person, models.SET_NULL, null=True, blank=True, related_name="+")
    metric = models.CharField("success metric", max_length=80)
    guard_rails = models.JSONField("guard rails", default=list, blank=True)
    treated = models.JSONField("units that change", default=list)
    compared = models.JSONField("units to compare with", default=list)
    starts_on = models.DateField("starts on")
    weeks = models.PositiveSmallIntegerField(
        "weeks after the start",
        default=8,
        validators=[MinValueValidator(FEWEST_WEEKS), MaxValueValidator(MOST_WEEKS)],
    )
    step_weeks = models.PositiveSmallIntegerField(
        "weeks between starts", default=0, validators=[MaxValueValidator(MOST_STEP_WEEKS)]
    )
    ends_on = models.DateField("ends on", editable=False)
    finding = models.ForeignKey(Finding, models.SET_NULL, null=True, blank=True, related_name="experiments")
    ticket = models.ForeignKey(Ticket, models.SET_NULL, null=True, blank=True, related_name="experiments")
    objective = models.ForeignKey(Objective, models.SET_NULL, null=True, blank=True, related_name="experiments")
    is_pilot = models.BooleanField("pilot", default=False)
    widens = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="stages")
    learned = models.TextField("what was learned", blank=True, help_text="Markdown.")
    written_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", editable=False
    )
    written_at = models.DateTimeField(db_default=Now(), editable=False)
    # Grows with every change, so that an edit of an older version is shown as a conflict and nothing is lost.
    version = models.PositiveIntegerField(default=1, editable=False)

    objects = ExperimentQuerySet.as_manager()

    class Meta:
        ordering = ("-starts_on", "-pk")
        constraints = [
            models.CheckConstraint(condition=~Q(title=""), name="experiment_says_something"),
            models.CheckConstraint(condition=Q(ends_on__gt=F("starts_on")), name="experiment_ends_after_its_start"),
        ]
        indexes = [models.Index(fields=["metric", "starts_on"], name="experiment_by_metric")]

    def __str__(self) -> str:
        return self.title

    def starts(self) -> list[date]:
        """The first day of each treated unit."""
        return [self.starts_on + timedelta(weeks=self.step_weeks * place) for place in range(len(self.treated))]

    def state(self, today: date) -> ExperimentState:
        if today < self.starts_on:
            return ExperimentState.PLANNED
        return ExperimentState.RUNNING if today < self.ends_on else ExperimentState.OVER


class ExperimentResult(models.Model):
    """The outcome of an experiment, computed once after its end, in the unit of its metric.

    `people` is the lowest number of contributors of any unit; null if the figures belong to nobody.
    """

    experiment = models.OneToOneField(Experiment, models.CASCADE, related_name="result")
    verdict = models.CharField(max_length=20, choices=ExperimentVerdict.choices)
    reason = models.CharField(max_length=300, blank=True, help_text="Why no difference is shown.")
    effect = models.FloatField(null=True)
    low = models.FloatField(null=True)
    high = models.FloatField(null=True)
    trend_low = models.FloatField(null=True)
    trend_high = models.FloatField(null=True)
    by_week = models.JSONField(default=list, help_text="Week, difference and the ends of its interval.")
    guard_rails = models.JSONField(default=list, help_text="Metric, effect, low, high and verdict of each.")
    people = models.PositiveIntegerField(null=True)
    metric_version = models.PositiveIntegerField()
    measured_at = models.DateTimeField(db_default=Now(), editable=False)

    def __str__(self) -> str:
        return self.get_verdict_display()


class PilotFigure(models.Model):
    """A metric of a pilot's unit, over the weeks before the start or over those after it.

    `people` is the number of people behind it, which decides who may see it.
    """

    experiment = models.ForeignKey(Experiment, models.CASCADE, related_name="figures")
    unit = models.SlugField(max_length=200)
    metric = models.CharField(max_length=80)
    is_at_end = models.BooleanField("at the end")
    first_day = models.DateField("from")
    end_day = models.DateField("to")
    value = models.FloatField(null=True)
    low = models.FloatField(null=True)
    high = models.FloatField(null=True)
    sample_size = models.PositiveIntegerField("sample", default=0)
    people = models.PositiveIntegerField(default=0)
    reason = models.CharField(max_length=300, blank=True, help_text="Why value or interval is missing.")
    metric_version = models.PositiveIntegerField()
    measured_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ("pk",)
        constraints = [
            models.UniqueConstraint(
                fields=["experiment", "unit", "metric", "is_at_end"], name="pilot_figure_once_before_and_at_the_end"
            ),
            models.CheckConstraint(condition=Q(end_day__gt=F("first_day")), name="pilot_figure_has_days"),
        ]

    def __str__(self) -> str:
        return f"{self.metric} of {self.unit}"

    @property
    def window(self) -> Window:
        return Window(self.first_day, self.end_day)
