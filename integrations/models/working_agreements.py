"""Working agreements of units by date range: limits of pull requests, the definition of a failure, working hours, and
more.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, ClassVar, Self
from zoneinfo import available_timezones

import pghistory
from django.contrib.postgres.fields import ArrayField, DateRangeField
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone

from integrations.models.ownership import Owned
from integrations.models.pull_requests import PullRequest
from orgtree.models import Unit, UnitPlacement
from orgtree.models.exclusion import OneAtATime, not_empty
from orgtree.models.visibility import Visibility

CLASSES_THAT_END = 3  # S, M and L; XL has no upper bound
LONGEST_GRACE = 10  # working days: most sprints are over after two weeks
LONGEST_REVIEW = 24 * 30  # hours
LONGEST_LABEL = 100

TERMS = (
    *("most_lines", "size_thresholds", "review_hours", "needs_work_item", "ignored_labels"),
    *("hotfix_branches", "hotfix_labels", "link_window_hours", "rollout_gap_minutes", "trunk"),
    *("sprint_grace_days", "work_starts_at", "work_ends_at", "time_zone", "marks_pull_requests"),
    "reminds_team",
)
"""The terms that a unit can agree on, in the order of forms and lists."""


class WorkingAgreementQuerySet(models.QuerySet["WorkingAgreement"]):
    def within(self, visibility: Visibility) -> Self:
        """Agreements of visible units, and of the units above them, whose terms apply to them."""
        if visibility.unit_ids is None:
            return self
        above = UnitPlacement.objects.filter(unit__in=visibility.unit_ids, during__contains=timezone.localdate())
        return self.filter(Q(unit__in=visibility.unit_ids) | Q(unit__in=above.values("ancestor")))


@pghistory.track(
    pghistory.InsertEvent("added"),
    pghistory.UpdateEvent("changed"),
    pghistory.DeleteEvent("removed"),
    append_only=True,
)
class WorkingAgreement(models.Model):
    """Rules that apply on these days to objects owned by the unit and its descendants.

    Null means not set: the rule of the nearest ancestor applies (docs/decisions/0022).
    """

    unit = models.ForeignKey(Unit, models.CASCADE, related_name="working_agreements")
    during = DateRangeField(help_text="Without a start: since the beginning.  Without an end: until further notice.")
    most_lines = models.PositiveIntegerField(
        "largest pull request (lines)",
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text="A pull request that changes more lines is larger than agreed.",
    )
    size_thresholds = ArrayField(
        models.PositiveIntegerField(),
        size=3,
        null=True,
        blank=True,
        help_text="Most lines of a pull request of size S, M and L, such as 50, 200, 400; larger ones are XL.",
    )
    review_hours = models.PositiveSmallIntegerField(
        "first review within (hours)",
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(LONGEST_REVIEW)],
        help_text="Counted from when a pull request is ready for review, nights and weekends included.",
    )
    needs_work_item = models.BooleanField(
        "a pull request names its work item",
        null=True,
        blank=True,
        help_text="A pull request without a linked work item breaks the agreement.",
    )
    ignored_labels = ArrayField(
        models.CharField(max_length=LONGEST_LABEL),
        null=True,
        blank=True,
        help_text="A pull request with this label counts in no figure.",
    )
    hotfix_branches = ArrayField(
        models.CharField(max_length=100),
        null=True,
        blank=True,
        help_text="A deployment from a branch with this prefix, such as hotfix/, fixes the one before it.",
    )
    hotfix_labels = ArrayField(
        models.CharField(max_length=100),
        null=True,
        blank=True,
        help_text="A deployment of a pull request with this label fixes the one before it.",
    )
    link_window_hours = models.PositiveSmallIntegerField(
        "an incident is a failure of the deployment before it for (hours)",
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text="Incidents that name a cause have that one; by default as in the settings of the organisation.",
    )
    rollout_gap_minutes = models.PositiveSmallIntegerField(
        "rollout window (minutes)",
        null=True,
        blank=True,
        help_text="Deployments of one commit and service within this time are one rollout; by default as in the "
        "settings of the organisation.",
    )
    trunk = models.BooleanField(
        "works without pull requests",
        null=True,
        blank=True,
        help_text="Every commit that reaches the default branch without a pull request is a change with a lead time.",
    )
    sprint_grace_days = models.PositiveSmallIntegerField(
        "working days until a sprint is committed",
        null=True,
        blank=True,
        validators=[MaxValueValidator(LONGEST_GRACE)],
        help_text="Items in a sprint so many working days after its start are its commitment; 1 by default.",
    )
    work_starts_at = models.TimeField(
        "working hours from",
        null=True,
        blank=True,
        help_text="In each person’s own time zone; 8:00 by default. What happens earlier or later is after hours.",
    )
    work_ends_at = models.TimeField("working hours until", null=True, blank=True, help_text="19:00 by default.")
    time_zone = models.CharField(
        max_length=64,
        null=True,
        blank=True,
        help_text="Such as Europe/Berlin: of people who have none of their own.",
    )
    marks_pull_requests = models.BooleanField(
        "label pull requests that break it",
        null=True,
        blank=True,
        help_text="An open pull request has a label for as long as it breaks the agreement, where the connection may "
        "write labels.",
    )
    reminds_team = models.BooleanField(
        "remind the team of pull requests that break it",
        null=True,
        blank=True,
        help_text="The people of the unit that owns the repository are notified once of each breach, in working hours.",
    )
    noted_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = WorkingAgreementQuerySet.as_manager()

    class Meta:
        ordering: ClassVar[list[str]] = ["unit", "during"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            OneAtATime(of=("unit_id",), name="one_agreement_of_a_unit_at_a_time"),
            models.CheckConstraint(condition=not_empty("during"), name="agreement_has_days"),
            models.CheckConstraint(
                condition=Q(size_thresholds=None)
                | Q(
                    size_thresholds__len=3,
                    size_thresholds__0__lt=F("size_thresholds__1"),
                    size_thresholds__1__lt=F("size_thresholds__2"),
                ),
                name="agreed_sizes_grow",
                violation_error_message="Give three numbers of lines that grow: where S, M and L end.",
            ),
        ]

    def __str__(self) -> str:
        return f"Working agreement of {self.unit}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Store a new version, because two managers may edit the agreement of one unit."""
        self.noted_at = timezone.now()
        super().save(*args, **kwargs)

    def clean(self) -> None:
        """Treat an empty list as null."""
        ends = self.size_thresholds = self.size_thresholds or None
        if ends and not (len(ends) == CLASSES_THAT_END and ends == sorted(set(ends))):
            raise ValidationError({"size_thresholds": "Give three numbers of lines that grow: where S, M and L end."})
        if (self.work_starts_at is None) != (self.work_ends_at is None):
            raise ValidationError({"work_ends_at": "Give both ends of the working hours, or none."})
        if self.work_starts_at and self.work_ends_at and self.work_starts_at >= self.work_ends_at:
            raise ValidationError({"work_ends_at": "Working hours end after they start."})
        self.time_zone = self.time_zone or None
        if self.time_zone and self.time_zone not in available_timezones():
            raise ValidationError({"time_zone": "Give the name of a time zone, such as Europe/Berlin."})
        for name in ("hotfix_branches", "hotfix_labels", "ignored_labels"):
            words = getattr(self, name) or None
            if words and not all(word.strip() for word in words):
                raise ValidationError({name: "A word must not be empty: it would be true of everything."})
            setattr(self, name, words)

    def validate_constraints(self, exclude: Collection[str] | None = None) -> None:
        """Skip the constraint on sizes, which `clean` validates: Django's cast has a different meaning in
        PostgreSQL.
        """
        super().validate_constraints(exclude={*(exclude or ()), "size_thresholds"})


MARK_PREFIX = "headway: "  # of the labels that Headway sets, and nobody else


@pghistory.track(
    pghistory.InsertEvent("added"),
    pghistory.UpdateEvent("changed", condition=pghistory.AnyChange("labels")),
    pghistory.DeleteEvent("removed"),
    append_only=True,
)
class PullRequestMark(models.Model):
    """Labels that Headway has set on a pull request that breaks its working agreement, and the last failure to set one.

    Compared with the labels that it should have now; the history has every change.
    """

    pull_request = models.OneToOneField(PullRequest, models.CASCADE, primary_key=True, related_name="mark")
    labels = ArrayField(models.CharField(max_length=40), default=list, help_text="As the provider has them.")
    problem = models.TextField(blank=True, default="")
    remedy = models.TextField(blank=True, default="")
    failures = models.PositiveIntegerField(default=0)
    next_try_at = models.DateTimeField(db_default=Now())
    changed_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"Labels of {self.pull_request}"


class AppliedAgreement(models.Model):
    """The agreement last applied to the records of an owned object; no row if there was none."""

    owned = models.OneToOneField(Owned, models.CASCADE, primary_key=True, related_name="+")
    words = models.TextField()

    class Meta:
        db_table = "integrations_followedagreement"
