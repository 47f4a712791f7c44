"""Rows of relations, kept by week and column: reading them again takes longer than a page with a filter may."""

from __future__ import annotations

from django.db import models


class KeptColumn(models.Model):
    """One column of a relation's rows in one week, as facts say: in every column of a week they stand in one order.

    It goes as soon as facts of the week change (docs/decisions/0039).
    """

    relation = models.CharField(max_length=80)
    start = models.DateField(help_text="The Monday of the week.")
    name = models.CharField(max_length=120, help_text="What it tells, with a hash of what it is computed from.")
    rows = models.IntegerField()
    kind = models.CharField(max_length=4, help_text="Of its numbers, as numpy names it.")
    content = models.BinaryField(help_text="A number for each row, or one where all are the same.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["relation", "start", "name"], name="kept_column_of_week_is_unique")
        ]

    def __str__(self) -> str:
        return f"{self.relation} of {self.start}: {self.name}"
