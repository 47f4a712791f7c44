"""Hand-kept metrics: figures that no tool measures, defined and entered by people.  docs/hand-kept.md."""

from __future__ import annotations

from typing import ClassVar, Self

import pghistory
from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from integrations.enums import Better, UnitOfMeasure
from orgtree.models import Unit
from orgtree.models.visibility import Visibility

KEY_PREFIX = "hand."
LONGEST_SLUG, LONGEST_NAME, LONGEST_TEXT = 40, 80, 300
SLUG = r"^(?!(?:new|import)\Z)[a-z][a-z0-9_]*\Z"  # those two are pages
DIGITS, DECIMAL_PLACES = 19, 6  # of values: up to 10^12, with room for the sign
LONGEST_VALIDITY_DAYS = 400  # a value entered once a year, and a month late

UNITS_OF_MEASURE = {
    UnitOfMeasure.PERCENT: "Percent",
    UnitOfMeasure.COUNT: "Number",
    UnitOfMeasure.CURRENCY: "US dollars",
    UnitOfMeasure.SECONDS: "Duration",
    UnitOfMeasure.PER_DAY: "Number a day",
    UnitOfMeasure.LINES: "Lines",
    UnitOfMeasure.TOKENS: "Tokens",
}
DIRECTIONS = {
    Better.HIGHER: "Higher is better",
    Better.LOWER: "Lower is better",
    Better.NEITHER: "Neither direction is better",
}


@pghistory.track(
    pghistory.InsertEvent("added"),
    pghistory.UpdateEvent("changed"),
    pghistory.DeleteEvent("removed"),
    append_only=True,
)
class HandKeptMetric(models.Model):
    """The definition of a hand-kept metric.  Its key in the catalogue is `hand.` and the slug."""

    slug = models.CharField(
        max_length=LONGEST_SLUG,
        unique=True,
        validators=[RegexValidator(SLUG, "Small letters, digits and underscores, such as customer_satisfaction.")],
        help_text="The last part of its key, such as customer_satisfaction. It cannot be changed later.",
    )
    name = models.CharField(max_length=LONGEST_NAME)
    meaning = models.CharField(
        max_length=LONGEST_TEXT, help_text="One sentence that explains the metric and its source."
    )
    unit_of_measure = models.CharField(
        max_length=10,
        choices=[(unit.value, label) for unit, label in UNITS_OF_MEASURE.items()],
        help_text="It cannot be changed once a value has been entered.",
    )
    better = models.CharField(
        "direction", max_length=7, choices=[(better.value, label) for better, label in DIRECTIONS.items()]
    )
    valid_days = models.PositiveSmallIntegerField(
        "valid for (days)",
        default=100,
        validators=[MinValueValidator(1), MaxValueValidator(LONGEST_VALIDITY_DAYS)],
        help_text="A value holds until the next one, but at most for this number of days; then there is no data.",
    )
    keepers: models.ManyToManyField[models.Model, models.Model] = models.ManyToManyField(
        settings.AUTH_USER_MODEL,
        related_name="+",
        blank=True,
        verbose_name="kept by",
        help_text="This person enters values for every unit and the whole organisation. Managers enter "
        "values for their own units; executives and admins for all.",
    )
    # Raised if values mean something else from now on.
    formula_version = models.PositiveSmallIntegerField(default=1, editable=False)
    # Incremented by every change, so that an edit of an older version is refused and nothing is lost.
    version = models.PositiveIntegerField(default=1, editable=False)

    class Meta:
        ordering: ClassVar[list[str]] = ["name", "slug"]
        verbose_name = "hand-kept metric"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=~Q(name="") & ~Q(meaning=""), name="hand_kept_metric_says_something"),
            models.CheckConstraint(
                condition=Q(valid_days__gte=1, valid_days__lte=LONGEST_VALIDITY_DAYS), name="hand_kept_value_ends"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def key(self) -> str:
        return f"{KEY_PREFIX}{self.slug}"


# Django creates the class of the link at runtime, so no type checker knows it.
@pghistory.track(pghistory.InsertEvent("added"), pghistory.DeleteEvent("removed"), obj_field=None, append_only=True)
class HandKeptMetricKeeper(HandKeptMetric.keepers.through):  # type: ignore[name-defined,misc]
    class Meta:
        proxy = True


def visible_scopes(visibility: Visibility) -> Q:
    """The condition on rows whose `unit` has figures that the viewer may see; null stands for the whole
    organisation.
    """
    units = ~Q(unit=None) if visibility.unit_ids is None else Q(unit__in=visibility.unit_ids)
    return units | Q(unit=None) if visibility.whole else units


class HandKeptValueQuerySet(models.QuerySet["HandKeptValue"]):
    def within(self, visibility: Visibility) -> Self:
        return self.filter(visible_scopes(visibility))


@pghistory.track(
    pghistory.InsertEvent("added"),
    pghistory.UpdateEvent("changed"),
    pghistory.DeleteEvent("removed"),
    append_only=True,
)
class HandKeptValue(models.Model):
    """The value of a metric for a unit (null: the whole organisation) from a day on, in the metric's unit of measure.

    A later entry for the same day replaces it; the history keeps both entries, each with its author.
    """

    metric = models.ForeignKey(HandKeptMetric, models.CASCADE, related_name="values")
    unit = models.ForeignKey(Unit, models.PROTECT, null=True, blank=True, related_name="+")
    day = models.DateField()
    value = models.DecimalField(max_digits=DIGITS, decimal_places=DECIMAL_PLACES)
    note = models.CharField(max_length=LONGEST_TEXT, blank=True)
    entered_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    entered_via = models.CharField(
        max_length=120, help_text="The source of the value: the page, a file or a program's token."
    )
    entered_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = HandKeptValueQuerySet.as_manager()

    class Meta:
        ordering: ClassVar[list[str]] = ["-day", "-pk"]
        verbose_name = "hand-kept value"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["metric", "unit", "day"], name="hand_kept_value_once_a_day", nulls_distinct=False
            ),
        ]
