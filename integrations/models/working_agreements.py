"""Working agreements of units: sizes of changes, hotfixes, work without pull requests, and the grace of sprints."""

from __future__ import annotations

from collections.abc import Collection
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField, DateRangeField
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from integrations.models.ownership import Owned
from orgtree.models import Unit
from orgtree.models.exclusion import OneAtATime, not_empty

CLASSES_THAT_END = 3  # S, M and L; XL has no upper bound
LONGEST_GRACE = 10  # working days: most sprints are over after two weeks


class WorkingAgreement(models.Model):
    """Rules on these days for objects owned by the unit and its descendants.

    Null: not set, so that the rule of the nearest ancestor applies (docs/decisions/0022).
    """

    unit = models.ForeignKey(Unit, models.CASCADE, related_name="working_agreements")
    during = DateRangeField(help_text="Without a start: since the beginning.  Without an end: until further notice.")
    size_thresholds = ArrayField(
        models.PositiveIntegerField(),
        size=3,
        null=True,
        blank=True,
        help_text="Most lines of a pull request of size S, M and L, such as 50, 200, 400; larger ones are XL.",
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
        help_text="What is in a sprint so many working days after its start is its commitment; 1 by default.",
    )
    work_starts_at = models.TimeField(
        "working hours from",
        null=True,
        blank=True,
        help_text="In each person’s own time zone; 8:00 by default. What happens earlier or later is after hours.",
    )
    work_ends_at = models.TimeField("working hours until", null=True, blank=True, help_text="19:00 by default.")
    noted_at = models.DateTimeField(db_default=Now(), editable=False)

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

    def clean(self) -> None:
        """Treat an empty list as null."""
        ends = self.size_thresholds = self.size_thresholds or None
        if ends and not (len(ends) == CLASSES_THAT_END and ends == sorted(set(ends))):
            raise ValidationError({"size_thresholds": "Give three numbers of lines that grow: where S, M and L end."})
        if (self.work_starts_at is None) != (self.work_ends_at is None):
            raise ValidationError({"work_ends_at": "Give both ends of the working hours, or none."})
        if self.work_starts_at and self.work_ends_at and self.work_starts_at >= self.work_ends_at:
            raise ValidationError({"work_ends_at": "Working hours end after they start."})
        for name in ("hotfix_branches", "hotfix_labels"):
            words = getattr(self, name) or None
            if words and not all(word.strip() for word in words):
                raise ValidationError({name: "A word must not be empty: it would be true of everything."})
            setattr(self, name, words)

    def validate_constraints(self, exclude: Collection[str] | None = None) -> None:
        """Skip the constraint on sizes, which `clean` validates: Django's cast has another meaning in PostgreSQL."""
        super().validate_constraints(exclude={*(exclude or ()), "size_thresholds"})


class AppliedAgreement(models.Model):
    """The agreement last applied to the records of an owned object; no row: none."""

    owned = models.OneToOneField(Owned, models.CASCADE, primary_key=True, related_name="+")
    words = models.TextField()

    class Meta:
        db_table = "integrations_followedagreement"
