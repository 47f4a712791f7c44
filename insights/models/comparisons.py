"""Comparisons that were computed: reading every developer's work of weeks takes longer than a page may."""

from __future__ import annotations

from django.db import models


class KeptComparison(models.Model):
    """The answer to one question, whoever asks; it tells of groups and numbers of facts, and of nobody by name."""

    question = models.CharField(max_length=64, unique=True, help_text="SHA-256 of all that the answer depends on.")
    answer = models.JSONField()
    computed_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return self.question
