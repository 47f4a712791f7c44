"""Allocation of people's time: investment categories, rules that assign work to them, and shares of weeks."""

from __future__ import annotations

from typing import ClassVar, Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower, Now

from integrations.models.connections import Repository
from integrations.models.work_items import WorkItem
from orgtree.models import Person, Unit
from orgtree.models.visibility import Visibility

UNLINKED, UNMATCHED = "Unlinked", "Unmatched"
RESERVED = ("unlinked", "unmatched", "unknown")  # what figures call time without a category
DEEPEST_FOLDER = 3  # folders: time is kept by the folder of the work, no deeper
LONGEST_TERM = 100


class InvestmentKind(models.TextChoices):
    """The four kinds of investment that metrics distinguish, whatever an organisation calls its categories."""

    NEW = "new", "New features"
    IMPROVEMENT = "improvement", "Improvements"
    MAINTENANCE = "maintenance", "Keeping the lights on"
    PRODUCTIVITY = "productivity", "Productivity"
    OTHER = "other", "Other"


class InvestmentCategory(models.Model):
    """A category of investment on which people's time is spent."""

    name = models.CharField(max_length=80)
    kind = models.CharField(
        max_length=12,
        choices=InvestmentKind.choices,
        help_text="The kind of investment that its time counts as in metrics.",
    )
    position = models.PositiveSmallIntegerField(default=0, help_text="Its position in lists and charts.")

    class Meta:
        ordering = ("position", "pk")
        verbose_name_plural = "investment categories"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                Lower("name"),
                name="investment_category_is_unique",
                violation_error_message="There is a category of this name.",
            )
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        if self.name.strip().lower() in RESERVED:
            raise ValidationError({"name": "Headway uses this name for time without a category."})


class AllocationRuleQuerySet(models.QuerySet["AllocationRule"]):
    def within(self, visibility: Visibility) -> Self:
        """Rules of the whole organisation, which everybody may read, and rules of visible units."""
        if visibility.whole:
            return self
        return self.filter(Q(unit=None) | Q(unit__in=visibility.unit_ids or ()))


def _terms(help_text: str) -> ArrayField[list[str], list[str]]:
    return ArrayField(
        models.CharField(max_length=LONGEST_TERM), default=list, db_default=[], blank=True, help_text=help_text
    )


TERMS = ("types", "labels", "epics", "projects", "components", "repositories", "paths")


class AllocationRule(models.Model):
    """Assigns work to a category.  All of its conditions must hold; a condition holds if any of its values matches.

    Rules of a unit apply to the time of its people, before those of the units above and of the organisation.  The first
    matching rule counts: by unit, then by rank.  A rule without conditions matches everything that no other rule does.
    """

    category = models.ForeignKey(InvestmentCategory, models.CASCADE, related_name="rules")
    unit = models.ForeignKey(
        Unit,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="allocation_rules",
        help_text="Empty: the whole organisation.",
    )
    rank = models.PositiveSmallIntegerField(
        default=100, validators=[MinValueValidator(1), MaxValueValidator(999)], help_text="Lower ranks come first."
    )
    types = _terms(
        "Types of work items: a work type (bug, feature, tech debt …), or the tracker's own type, such as Spike."
    )
    labels = _terms("Labels of work items.")
    epics = _terms("Keys of epics or other parents, such as SHOP-12: the item itself, and everything below it.")
    projects = _terms("Projects of the tracker, by key or name.")
    components = _terms("Components of work items, by name: parts of a project, as Jira has them.")
    repositories = _terms("Repositories of commits and reviews; * stands for any text: acme/infra-*.")
    paths = _terms("Folders of commits, at most three deep; * stands for any text: services/billing/.")
    version = models.PositiveIntegerField(default=1, db_default=1, editable=False)
    changed_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = AllocationRuleQuerySet.as_manager()

    class Meta:
        ordering = ("rank", "pk")

    def __str__(self) -> str:
        return f"{self.rank} · {self.category}"

    def clean(self) -> None:
        for name in TERMS:
            values = list(dict.fromkeys(filter(None, (value.strip() for value in getattr(self, name) or ()))))
            if "\x00" in "".join(values):
                raise ValidationError({name: "This text can’t be stored."})
            setattr(self, name, values)
        if any(path.strip("/").count("/") >= DEEPEST_FOLDER for path in self.paths):
            raise ValidationError({"paths": f"Name at most {DEEPEST_FOLDER} folders, such as services/billing/."})

    @property
    def matches_everything(self) -> bool:
        return not any(getattr(self, name) for name in TERMS)


class InvestmentTarget(models.Model):
    """The share of a category that a unit, or the whole organisation, aims at in a quarter, in percent."""

    unit = models.ForeignKey(Unit, models.CASCADE, null=True, related_name="investment_targets")
    quarter_start = models.DateField()
    category = models.ForeignKey(InvestmentCategory, models.CASCADE, related_name="targets")
    share = models.DecimalField(
        max_digits=4, decimal_places=1, validators=[MinValueValidator(0), MaxValueValidator(100)]
    )
    set_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    set_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["unit", "quarter_start", "category"],
                name="investment_target_is_unique",
                nulls_distinct=False,
            )
        ]

    def __str__(self) -> str:
        return f"{self.share} %"


class Effort(models.Model):
    """A part of a person's week: the share spent on one work item, repository and folder.

    Derived by integrations/delivery/allocation/measure.py.  A week that spans two months is split into two parts; `day`
    is the first day of the part on which the person was at work.
    """

    week = models.DateField(help_text="The Monday of the week.")
    person = models.ForeignKey(Person, models.CASCADE, related_name="+", db_constraint=False)
    day = models.DateField()
    # No constraints: rows of deleted records are derived anew with their week.
    work_item = models.ForeignKey(
        WorkItem, models.DO_NOTHING, null=True, related_name="+", db_index=False, db_constraint=False
    )
    repository = models.ForeignKey(
        Repository, models.DO_NOTHING, null=True, related_name="+", db_index=False, db_constraint=False
    )
    folder = models.TextField(blank=True, default="", db_default="")
    category = models.ForeignKey(
        InvestmentCategory, models.SET_NULL, null=True, related_name="+", db_index=False, db_constraint=False
    )
    rule = models.ForeignKey(
        AllocationRule, models.SET_NULL, null=True, related_name="+", db_index=False, db_constraint=False
    )
    epic = models.ForeignKey(
        WorkItem, models.DO_NOTHING, null=True, related_name="+", db_index=False, db_constraint=False
    )
    initiative = models.ForeignKey(
        WorkItem, models.DO_NOTHING, null=True, related_name="+", db_index=False, db_constraint=False
    )
    days = models.FloatField(help_text="Days of work spent on it.")
    items = models.IntegerField(default=0, db_default=0, help_text="1 if the person completed the work item.")
    points = models.FloatField(default=0, db_default=0, help_text="The estimate of the completed item.")

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["week", "person", "day", "work_item", "repository", "folder"],
                name="effort_is_unique",
                nulls_distinct=False,
            )
        ]
        indexes = [models.Index(fields=["day"], name="effort_by_day")]


class WorkDay(models.Model):
    """A person's work on a day of their own time zone: how much, when, and in how many contexts; for teams' capacity.

    Derived by integrations/delivery/allocation/work_days.py.  Holidays and leave have no row.
    """

    week = models.DateField(help_text="The Monday of the week.")
    person = models.ForeignKey(Person, models.CASCADE, related_name="+", db_constraint=False)
    day = models.DateField()
    is_weekend = models.BooleanField()
    acts = models.IntegerField(help_text="Commits, reviews, pull requests opened, and moves of work items.")
    late_acts = models.IntegerField(help_text="How many of them happened outside working hours on a working day.")
    switches = models.IntegerField(help_text="How often the person moved from one piece of work to another.")
    reviews = models.IntegerField()
    in_progress = models.IntegerField(help_text="Work items in progress at the end of the day.")
    idle = models.IntegerField(help_text="How many of those had no activity for a week.")
    starts = models.IntegerField(help_text="How often a work item entered progress.")
    restarts = models.IntegerField(help_text="How many of those had been in progress before.")

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["person", "day"], name="work_day_is_unique")
        ]
        indexes = [
            models.Index(fields=["week"], name="work_day_by_week"),
            models.Index(fields=["day"], name="work_day_by_day"),
        ]


class EffortWeek(models.Model):
    """A week whose effort has been derived, and whether it must be derived again."""

    week = models.DateField(primary_key=True)
    stale_since = models.DateTimeField(null=True)
    computed_at = models.DateTimeField(null=True)
    people_version = models.PositiveBigIntegerField(default=0, db_default=0)
