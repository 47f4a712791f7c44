"""What an objective can be begun from; edited in admin."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from programs.models.objectives import LONGEST_TITLE, KeyResult, TargetKind


class ObjectiveTemplate(models.Model):
    """An objective without unit and quarter.  Baselines are computed where it is used, targets follow from them."""

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
    """A key outcome.  Its target is a change from the baseline in percent, a value, or the baseline itself.

    Without a metric it is entered by hand.  A guardrail's `change_percent` is the room that it leaves.
    """

    template = models.ForeignKey(ObjectiveTemplate, models.CASCADE, related_name="key_results")
    position = models.PositiveSmallIntegerField(default=0)
    title = models.CharField(max_length=LONGEST_TITLE)
    metric = models.CharField(max_length=80, blank=True, help_text="A metric's key; empty: entered by hand.")
    statistic = models.CharField(max_length=10, blank=True)
    unit_of_measure = models.CharField(max_length=40, blank=True, help_text="Where it is entered by hand.")
    better = models.CharField(max_length=6, choices=KeyResult.Better.choices)
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
