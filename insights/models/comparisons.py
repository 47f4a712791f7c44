"""Comparisons that were computed: reading every developer's work of weeks takes longer than a page may."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, models

FORGOTTEN_AFTER = timedelta(days=1)


class KeptComparison(models.Model):
    """The answer to one question, whoever asks; it tells of groups and numbers of facts, and of nobody by name."""

    question = models.CharField(max_length=64, unique=True, help_text="SHA-256 of all that the answer depends on.")
    answer = models.JSONField()
    computed_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return self.question

    @classmethod
    def keep(cls, question: str, answer: Any, computed_at: datetime) -> None:
        """Instead of the answer before, if there is one; those of long ago go.  One statement: a page waits for it."""
        with connection.cursor() as cursor:
            cursor.execute(
                """
                WITH forgotten AS (
                    DELETE FROM insights_keptcomparison WHERE computed_at < %(forgotten)s AND question <> %(question)s
                )
                INSERT INTO insights_keptcomparison (question, answer, computed_at)
                VALUES (%(question)s, %(answer)s, %(computed_at)s)
                ON CONFLICT (question) DO UPDATE SET answer = EXCLUDED.answer, computed_at = EXCLUDED.computed_at
                """,
                {
                    "question": question,
                    "answer": json.dumps(answer),
                    "computed_at": computed_at,
                    "forgotten": computed_at - FORGOTTEN_AFTER,
                },
            )
