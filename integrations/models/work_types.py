"""Predicted work types of items without a label, and the accuracy of each version of the model."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from integrations.enums import WorkType
from integrations.models.provider_fact import enum_field
from integrations.models.work_items import WorkItem


class WorkTypeModel(models.Model):
    """A version of the model of titles: the number of labels that it learned from, and its accuracy on held-out labels.

    The model itself is not stored: it is trained anew every night.
    """

    trained_at = models.DateTimeField(auto_now_add=True)
    fingerprint = models.CharField(
        max_length=64, help_text="Hash of the labels that it learned from. The same labels make no new version."
    )
    labels = models.PositiveIntegerField()
    right = models.FloatField(help_text="The share of held-out labels that it predicted correctly.")
    classes = models.JSONField(default=list, help_text="The accuracy for each work type (ClassAccuracy).")

    class Meta:
        verbose_name = "version of the model of work types"
        verbose_name_plural = "versions of the model of work types"

    def __str__(self) -> str:
        return f"Version {self.pk}, {self.labels} labels"


class PredictedWorkType(models.Model):
    """The predicted work type of an item, and the one that somebody set instead."""

    work_item = models.OneToOneField(WorkItem, models.CASCADE, primary_key=True, related_name="predicted_type")
    work_type = enum_field(WorkType, null=True)
    probability = models.FloatField(null=True)
    model = models.ForeignKey(WorkTypeModel, models.CASCADE, null=True, related_name="+")
    corrected_to = enum_field(WorkType, null=True)
    corrected_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    corrected_on = models.DateField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(work_type__isnull=False, probability__isnull=False, model__isnull=False)
                | models.Q(corrected_to__isnull=False),
                name="predicted_or_corrected",
            )
        ]

    def __str__(self) -> str:
        return f"{self.corrected_to or self.work_type} of {self.work_item_id}"
