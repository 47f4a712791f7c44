"""Subscriptions to digests, past digests, and alert rules on metrics.  See docs/digests.md."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from orgtree.models import Unit
from orgtree.models.visibility import Visibility

SHORTEST_DAYS, LONGEST_DAYS = 7, 91


class Rhythm(models.TextChoices):
    WEEKLY = "weekly", "Every week"
    FORTNIGHTLY = "fortnightly", "Every two weeks"
    QUARTERLY = "quarterly", "Every quarter"


class DigestSubscription(models.Model):
    """An account's subscription to the digest of a unit (null: the whole organisation).

    The digest is created at `hour` on `weekday` (0 is Monday) in the account's time zone, once the period is over.
    """

    account = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="digest_subscriptions")
    rhythm = models.CharField(max_length=12, choices=Rhythm.choices)
    unit = models.ForeignKey(Unit, models.CASCADE, null=True, blank=True, related_name="+")
    weekday = models.PositiveSmallIntegerField(default=0, validators=[MaxValueValidator(6)])
    hour = models.PositiveSmallIntegerField(default=8, validators=[MaxValueValidator(23)])
    since = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ("account", "rhythm")
        constraints = [models.UniqueConstraint(fields=["account", "rhythm"], name="digest_wanted_once")]

    def __str__(self) -> str:
        return self.get_rhythm_display()


@dataclass(frozen=True)
class DigestFigure:
    """A value in words; `path` leads to its page."""

    label: str
    value: str
    change: str
    judged: str  # better, worse, or empty
    path: str


@dataclass(frozen=True)
class DigestLine:
    """A sentence with its page."""

    text: str
    path: str
    detail: str = ""


@dataclass(frozen=True)
class DigestContent:
    """`lead` says what changed most; empty parts are left out."""

    title: str
    whose: str
    period: str
    lead: str
    compared: str  # what the changes are compared with
    figures: Sequence[DigestFigure]
    missing: Sequence[str]  # figures without a value, with the reason
    findings: Sequence[DigestLine]
    program: Sequence[DigestLine]
    outcomes: Sequence[DigestLine]  # of a quarter: its objectives, and initiatives with their forecast

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> DigestContent:
        """The content from JSON written by `as_json`.  Raises TypeError for any other."""
        parts = {
            name: tuple(DigestLine(**line) for line in stored[name]) for name in ("findings", "program", "outcomes")
        }
        return cls(**{**stored, "figures": tuple(DigestFigure(**figure) for figure in stored["figures"]), **parts})


class DigestQuerySet(models.QuerySet["Digest"]):
    def within(self, visibility: Visibility) -> Self:
        """Digests of units whose figures the viewer may still see."""
        if visibility.whole:
            return self
        return self.filter(unit__in=visibility.unit_ids or ())


class Digest(models.Model):
    """A digest as it was sent to an account, with the figures of that moment.

    `end` is the day after the period's last.
    """

    account = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="digests")
    rhythm = models.CharField(max_length=12, choices=Rhythm.choices)
    unit = models.ForeignKey(Unit, models.CASCADE, null=True, related_name="+")
    first_day = models.DateField()
    end = models.DateField()
    content = models.JSONField()
    made_at = models.DateTimeField(db_default=Now())

    objects = DigestQuerySet.as_manager()

    class Meta:
        ordering = ("-first_day", "-pk")
        constraints = [
            models.UniqueConstraint(fields=["account", "rhythm", "first_day"], name="digest_made_once"),
            models.CheckConstraint(condition=Q(end__gt=F("first_day")), name="digest_has_days"),
        ]

    def __str__(self) -> str:
        return f"{self.get_rhythm_display()}, {self.first_day}"

    @property
    def document(self) -> DigestContent:
        return DigestContent.from_json(self.content)


class AlertRuleQuerySet(models.QuerySet["AlertRule"]):
    def within(self, visibility: Visibility) -> Self:
        """Rules on units whose figures the viewer may see."""
        if visibility.whole:
            return self
        return self.filter(unit__in=visibility.unit_ids or ())


class AlertRule(models.Model):
    """A limit that an account set for a metric of a unit (null: the whole organisation) over the last `days`.

    The rule fires when the value goes beyond `limit`, and again only after the value has come back by `margin`.  Values
    are in the metric's unit of measure.
    """

    account = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="alert_rules")
    metric = models.CharField(max_length=80)
    unit = models.ForeignKey(Unit, models.CASCADE, null=True, blank=True, related_name="+")
    days = models.PositiveSmallIntegerField(
        default=28, validators=[MinValueValidator(SHORTEST_DAYS), MaxValueValidator(LONGEST_DAYS)]
    )
    is_above = models.BooleanField("above", default=True, help_text="True: it fires above the limit; false: below it.")
    limit = models.FloatField()
    margin = models.FloatField(default=0, validators=[MinValueValidator(0)])
    firing_since = models.DateTimeField(null=True, editable=False)
    fired = models.PositiveIntegerField(default=0, editable=False, help_text="The number of times that it has fired.")
    value = models.FloatField(null=True, editable=False, help_text="The value at which it last fired.")
    checked_at = models.DateTimeField(null=True, editable=False)
    written_at = models.DateTimeField(db_default=Now(), editable=False)
    # Grows with every change, so that an edit of an older version is shown as a conflict and nothing is lost.
    version = models.PositiveIntegerField(default=1, editable=False)

    objects = AlertRuleQuerySet.as_manager()

    class Meta:
        ordering = ("metric", "pk")
        constraints = [
            models.UniqueConstraint(
                fields=["account", "metric", "unit", "days", "is_above"],
                nulls_distinct=False,
                name="alert_rule_is_set_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.metric} {'above' if self.is_above else 'below'} {self.limit:g}"

    def is_beyond(self, value: float) -> bool:
        return value > self.limit if self.is_above else value < self.limit

    def has_come_back(self, value: float) -> bool:
        """Whether the value is on the good side of the limit, by at least the margin."""
        return value <= self.limit - self.margin if self.is_above else value >= self.limit + self.margin
