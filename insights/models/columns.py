"""The columnar copy of the facts: which rows of a relation are in which Parquet file (insights/columns/)."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now


class ColumnPartition(models.Model):
    """A relation's rows of the days [first_day, end_day), and the file that holds them.

    The partitions of a relation are disjoint.  One that was never built is stale and has no file; one without rows has
    no file either.  A file is never changed: rebuilding a partition writes a new one.
    """

    relation = models.CharField(max_length=80)
    first_day = models.DateField()
    end_day = models.DateField(help_text="The day after the last.")
    shape = models.CharField(max_length=64, help_text="Hash of the relation's SQL and of the columns in the file.")
    file_name = models.CharField(max_length=160, help_text="In the folder of columns; empty where there are no rows.")
    rows = models.IntegerField(default=0)
    bytes = models.BigIntegerField(default=0)
    checksum = models.CharField(max_length=64, help_text="SHA-256 of the file.")
    built_at = models.DateTimeField(null=True)
    stale_since = models.DateTimeField(null=True, db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["relation", "first_day"], name="partition_of_relation_is_unique"),
            models.CheckConstraint(condition=models.Q(first_day__lt=models.F("end_day")), name="partition_has_days"),
            models.CheckConstraint(
                condition=models.Q(built_at__isnull=False) | models.Q(stale_since__isnull=False),
                name="partition_not_built_is_stale",
            ),
        ]
        indexes = [
            models.Index(fields=["end_day"], name="stale_partitions", condition=models.Q(stale_since__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.relation} from {self.first_day} to {self.end_day}"


class TableChange(models.Model):
    """A statement that changed rows of a small table that the engine joins (insights/columns/table_changes.py).

    Written by triggers, in the statement's transaction.
    """

    table = models.CharField(max_length=63)

    def __str__(self) -> str:
        return f"{self.table} {self.pk}"
