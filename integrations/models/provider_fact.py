"""Base of all facts from connections."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from django.db import models

from integrations.models.connections import Connection


def choices_of(words: type[StrEnum]) -> list[tuple[str, str]]:
    """An enumeration's values as the choices of a column: pull_request → Pull request."""
    return [(word.value, word.value.replace("_", " ").capitalize()) for word in words]


def enum_field(words: type[StrEnum], **options: Any) -> models.CharField[str, str]:
    """A column for one of Headway's enumerations; the provider's own value is in `native_…`."""
    return models.CharField(max_length=24, choices=choices_of(words), **options)


def native_field() -> models.CharField[str, str]:
    return models.CharField(max_length=200, blank=True, default="", db_default="")


def text_field(length: int = 200) -> models.CharField[str, str]:
    return models.CharField(max_length=length, blank=True, default="", db_default="")


class ProviderFact(models.Model):
    """One record of one connection.  Soft-deleted records are excluded from metrics, and restored if they reappear."""

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="+", db_index=False)
    external_id = models.CharField(max_length=200)
    url = models.TextField(blank=True, default="", db_default="")
    updated_at = models.DateTimeField(null=True, help_text="The provider's time; an older update changes nothing.")
    first_seen_at = models.DateTimeField(auto_now_add=True, db_default=models.functions.Now())
    deleted_at = models.DateTimeField(null=True, help_text="When it was found to be deleted.")
    field_versions = models.JSONField(
        default=dict,
        db_default={},
        editable=False,
        db_column="tellings",
        help_text="When which field or part was provided, where that is not updated_at: "
        "integrations/intake/record_updates.py.",
    )

    class Meta:
        abstract = True
        constraints = [models.UniqueConstraint(fields=["connection", "external_id"], name="%(class)s_is_unique")]

    def __str__(self) -> str:
        return self.external_id
