"""Quarterly objectives, their key results, check-ins and templates, and their last measured progress."""

from __future__ import annotations

from datetime import timedelta
from typing import Self

import pghistory
import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from orgtree.models import Person, Unit
from orgtree.models.visibility import Visibility
from programs.models.benchmarks import Direction
from programs.models.quarters import Quarter, objectives_stay, parts_stay
from programs.models.visibility import concerns, led_by

LONGEST_TITLE = 200
CHECK_IN_EVERY = timedelta(days=14)  # the published programmes let team leads check every two weeks
ITEMS, PERCENT = "items", "%"  # units of measure of an initiative, counting done items
MOST_KEY_RESULTS = 5  # per objective: with more, its goal is unclear


class ObjectiveStatus(models.TextChoices):
    """The status of an objective or key result: computed from its data, and overridable with a reason."""

    ON_TRACK = "on_track", "On track"
    AT_RISK = "at_risk", "At risk"
    OFF_TRACK = "off_track", "Off track"
    UNKNOWN = "unknown", "No data yet"


class ObjectiveQuerySet(models.QuerySet["Objective"]):
    def within(self, visibility: Visibility) -> Self:
        """Published objectives that concern the viewer, drafts of units that they lead, and their own."""
        own = Q(owner=visibility.person_id) if visibility.person_id is not None else Q(pk__in=[])
        return self.filter((Q(published_at__isnull=False) & concerns(visibility)) | led_by(visibility) | own)

    def open(self) -> Self:
        return self.filter(quarter__closed_at=None, dropped_at=None)


@pghistory.track(append_only=True)
class Objective(models.Model):
    """A goal of a unit (null: the whole organisation) for a quarter."""

    class CarryOver(models.TextChoices):
        UNDECIDED = "undecided", "Not decided"
        CARRY = "carry", "Carry over into the next quarter"
        END = "end", "End with the quarter"

    quarter = models.ForeignKey(Quarter, models.PROTECT, related_name="objectives")
    unit = models.ForeignKey(Unit, models.PROTECT, null=True, blank=True, related_name="objectives")
    title = models.CharField(max_length=LONGEST_TITLE)
    description = models.TextField(blank=True, help_text="Markdown.")
    template = models.SlugField(max_length=60, blank=True, help_text="The template that it was made from.")
    owner = models.ForeignKey(Person, models.SET_NULL, null=True, blank=True, related_name="objectives")
    is_mandatory = models.BooleanField(
        "the team's objective of the quarter",
        default=False,
        help_text="Each team has one per quarter, on which it will not give up.",
    )
    parent = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="aligned")
    published_at = models.DateTimeField(null=True, blank=True)
    dropped_at = models.DateTimeField(null=True, blank=True, help_text="Given up during the quarter.")
    dropped_why = models.TextField(blank=True)
    override = models.CharField(max_length=10, choices=ObjectiveStatus.choices, blank=True)
    override_reason = models.TextField(blank=True)
    override_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    carry_over = models.CharField(max_length=10, choices=CarryOver.choices, default=CarryOver.UNDECIDED)
    carried_from = models.OneToOneField("self", models.SET_NULL, null=True, related_name="carried_to", editable=False)
    score = models.FloatField(null=True, editable=False, help_text="0–1, when the quarter was closed.")
    retrospective = models.TextField(blank=True, help_text="Markdown: what was learned.")
    written_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    written_at = models.DateTimeField(db_default=Now(), editable=False)
    # Grows with every change, so that an edit of an older version is shown as a conflict and nothing is lost.
    version = models.PositiveIntegerField(default=1, editable=False)

    objects = ObjectiveQuerySet.as_manager()

    class Meta:
        ordering = ("quarter", "pk")
        constraints = [
            models.UniqueConstraint(
                fields=["quarter", "unit"],
                condition=Q(is_mandatory=True, dropped_at=None),
                name="one_mandatory_objective_per_unit_and_quarter",
            ),
            models.CheckConstraint(condition=~Q(is_mandatory=True, unit=None), name="mandatory_objective_is_of_a_unit"),
            models.CheckConstraint(condition=~Q(title=""), name="objective_says_something"),
            models.CheckConstraint(condition=Q(override="") | ~Q(override_reason=""), name="override_has_a_reason"),
        ]
        indexes = [models.Index(fields=["quarter", "unit"], name="objective_by_quarter")]
        triggers = objectives_stay(
            *(
                "quarter_id",
                "unit_id",
                "title",
                "description",
                "is_mandatory",
                "published_at",
                "dropped_at",
                "dropped_why",
            ),
            *("override", "override_reason", "carry_over", "score", "retrospective", "version"),
        )

    def __str__(self) -> str:
        return self.title

    @property
    def is_draft(self) -> bool:
        return self.published_at is None

    @property
    def card_key(self) -> str:
        """The identifier of its card on the roadmap, also used in addresses."""
        return f"objective-{self.pk}"


class TargetKind(models.TextChoices):
    """The kind of target of a key result."""

    ABSOLUTE = "absolute", "A value to reach"
    RELATIVE = "relative", "A change from the baseline, in percent"
    GUARDRAIL = "guardrail", "Not worse than"


@pghistory.track(append_only=True)
class KeyResult(models.Model):
    """A measurable outcome of an objective: read from a metric or an initiative, or entered by hand.

    `baseline`, `target` and values are in the metric's unit of measure.  `target` is absolute for every kind: a
    relative one is computed once from the baseline and `change_percent`, so that it does not move with the baseline.
    """

    objective = models.ForeignKey(Objective, models.CASCADE, related_name="key_results")
    position = models.PositiveSmallIntegerField()
    title = models.CharField(max_length=LONGEST_TITLE)
    metric = models.CharField(max_length=80, blank=True, help_text="A metric's key; empty: entered by hand.")
    initiative = models.CharField(
        max_length=300, blank=True, default="", db_default="", help_text="Kind and key, instead of a metric: epic:12."
    )
    statistic = models.CharField(max_length=10, blank=True, help_text="Empty: the metric's own.")
    unit_of_measure = models.CharField(max_length=40, blank=True)
    better = models.CharField(max_length=6, choices=Direction.choices)
    target_kind = models.CharField(max_length=10, choices=TargetKind.choices)
    change_percent = models.FloatField(null=True, blank=True)
    baseline = models.FloatField(null=True, blank=True)
    baseline_from = models.DateField(null=True, blank=True)
    baseline_to = models.DateField(null=True, blank=True)
    baseline_people = models.PositiveIntegerField(
        null=True, editable=False, help_text="The fewest behind it; empty: it was entered by hand."
    )
    target = models.FloatField()
    hand_value = models.FloatField(null=True, blank=True, help_text="The latest that was entered by hand.")
    final_value = models.FloatField(null=True, editable=False, help_text="When the quarter was closed.")
    final_score = models.FloatField(null=True, editable=False)

    class Meta:
        ordering = ("objective", "position")
        constraints = [
            models.UniqueConstraint(
                fields=["objective", "position"], name="key_result_position_once", deferrable=models.Deferrable.DEFERRED
            ),
            models.CheckConstraint(condition=~Q(title=""), name="key_result_says_something"),
            models.CheckConstraint(
                condition=~Q(target_kind=TargetKind.RELATIVE) | Q(change_percent__isnull=False),
                name="relative_target_has_its_change",
            ),
        ]
        triggers = parts_stay(
            *("objective_id", "position", "title", "metric", "initiative", "statistic", "unit_of_measure", "better"),
            *("target_kind", "change_percent", "baseline", "target", "hand_value", "final_value", "final_score"),
        )

    def __str__(self) -> str:
        return self.title

    @property
    def is_guardrail(self) -> bool:
        return self.target_kind == TargetKind.GUARDRAIL

    @property
    def is_by_hand(self) -> bool:
        return not self.metric and not self.initiative


class CheckIn(models.Model):
    """A note on an objective, or on one of its key results, at a time; immutable."""

    class Confidence(models.TextChoices):
        HIGH = "high", "On track"
        MEDIUM = "medium", "At risk"
        LOW = "low", "Off track"

    objective = models.ForeignKey(Objective, models.CASCADE, related_name="check_ins")
    key_result = models.ForeignKey(KeyResult, models.CASCADE, null=True, blank=True, related_name="check_ins")
    at = models.DateTimeField(db_default=Now())
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    confidence = models.CharField(max_length=6, choices=Confidence.choices)
    note = models.TextField(blank=True, help_text="Markdown.")
    value = models.FloatField(null=True, blank=True, help_text="For a key result entered by hand.")

    class Meta:
        ordering = ("-at", "-pk")
        indexes = [
            models.Index(fields=["objective", "-at"], name="check_in_by_objective"),
            models.Index(fields=["key_result", "at"], name="check_in_by_key_result"),
        ]
        triggers = [
            *parts_stay("objective_id", "key_result_id", "at", "confidence", "note", "value"),
            pgtrigger.Protect(
                name="check_in_stays",
                operation=pgtrigger.UpdateOf("objective_id", "key_result_id", "at", "confidence", "note", "value"),  # type: ignore[no-untyped-call]
            ),
        ]


class ObjectiveTemplate(models.Model):
    """An objective without unit and quarter.  Baselines, and the targets derived from them, are computed when it is
    used.
    """

    slug = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=LONGEST_TITLE, help_text="As it stands in the list of templates.")
    meaning = models.CharField(max_length=400, help_text="For whom it is, in one or two sentences.")
    title = models.CharField(max_length=LONGEST_TITLE, help_text="The objective's.")
    description = models.TextField(blank=True, help_text="The objective's; Markdown.")
    position = models.PositiveSmallIntegerField(default=100, help_text="Small numbers stand first.")
    is_offered = models.BooleanField("offered", default=True)

    class Meta:
        ordering = ("position", "pk")

    def __str__(self) -> str:
        return self.name


class TemplateKeyResult(models.Model):
    """A key result of a template.  Its target is a change from the baseline in percent, a value, or the baseline
    itself.

    Without a metric it is entered by hand.  A guardrail's `change_percent` is the allowed deviation.
    """

    template = models.ForeignKey(ObjectiveTemplate, models.CASCADE, related_name="key_results")
    position = models.PositiveSmallIntegerField(default=0)
    title = models.CharField(max_length=LONGEST_TITLE)
    metric = models.CharField(max_length=80, blank=True, help_text="A metric's key; empty: entered by hand.")
    statistic = models.CharField(max_length=10, blank=True)
    unit_of_measure = models.CharField(max_length=40, blank=True, help_text="Where it is entered by hand.")
    better = models.CharField(max_length=6, choices=Direction.choices)
    target_kind = models.CharField(max_length=10, choices=TargetKind.choices)
    change_percent = models.FloatField(null=True, blank=True, help_text="From the baseline; −20: a fifth less.")
    target = models.FloatField(null=True, blank=True, help_text="A value, where it is no change from the baseline.")

    class Meta:
        ordering = ("template", "position", "pk")
        constraints = [
            models.CheckConstraint(
                condition=Q(target__isnull=False) | Q(change_percent__isnull=False), name="template_key_result_aims"
            ),
        ]

    def __str__(self) -> str:
        return self.title


class KeyResultMeasure(models.Model):
    """A key result's value over its quarter so far, and the results derived from it.  Measured hourly.

    It is the same for everybody: which parts a viewer may see is decided on reading
    (programs/objectives/queries/objectives.py).

    `points` are whole weeks, [Monday as ISO 8601, value or null, people]: those of the quarter and the 13 before it;
    for values entered by hand, the days of check-ins.  `people` is the lowest number behind the value: that of its
    numerator, if it is lower.
    """

    key_result = models.OneToOneField(KeyResult, models.CASCADE, primary_key=True, related_name="measure")
    measured_at = models.DateTimeField(db_default=Now())
    metric_version = models.PositiveIntegerField(null=True)
    value = models.FloatField(null=True)
    reason = models.TextField(blank=True, help_text="Why there is no value.")
    sample_size = models.PositiveBigIntegerField(default=0)
    people = models.PositiveIntegerField(default=0)
    points = models.JSONField(default=list)
    pace = models.FloatField(null=True, help_text="What a count comes to by the quarter's end at its rate so far.")
    progress = models.FloatField(null=True, help_text="Progress from baseline to target, 0 to 1.")
    holds = models.BooleanField(null=True, help_text="Of a guardrail: whether it is not worse than its target.")
    forecast = models.FloatField(null=True)
    forecast_low = models.FloatField(null=True)
    forecast_high = models.FloatField(null=True)
    reached_on = models.DateField(null=True)
    even_on = models.DateField(null=True, help_text="Of a count of items: reached by then with odds of 50%.")
    likely_on = models.DateField(null=True, help_text="The same with odds of 85%.")
    safe_on = models.DateField(null=True, help_text="The same with odds of 95%.")
    odds = models.FloatField(null=True, help_text="Of a count of items: of reaching the target by the quarter's end.")
    no_forecast = models.TextField(blank=True)
    standing = models.CharField(max_length=10, choices=ObjectiveStatus.choices, default=ObjectiveStatus.UNKNOWN)
    why = models.TextField(blank=True)


class ObjectiveMeasure(models.Model):
    """The combined measure of an objective's key results."""

    objective = models.OneToOneField(Objective, models.CASCADE, primary_key=True, related_name="measure")
    measured_at = models.DateTimeField(db_default=Now())
    progress = models.FloatField(null=True)
    standing = models.CharField(max_length=10, choices=ObjectiveStatus.choices, default=ObjectiveStatus.UNKNOWN)
    why = models.TextField(blank=True)
