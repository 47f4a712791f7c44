"""Comparisons that were computed: reading every developer's work of weeks takes longer than a page may."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Self

from django.db import connection, models
from django.db.models import Exists, OuterRef

from insights.models.snapshots import SnapshotState

FORGOTTEN_AFTER = timedelta(days=1)


class KeptComparison(models.Model):
    """The answer to one question, whoever asks; it tells of groups and numbers of facts, and of nobody by name."""

    question = models.CharField(max_length=64, unique=True, help_text="SHA-256 of all that the answer depends on.")
    answer = models.JSONField()
    computed_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return self.question

    @classmethod
    def answers_to(cls, questions: Iterable[str], *, since: datetime) -> Mapping[str, Self]:
        """Those computed since then, by question; none from before a fill ended, as after years were imported."""
        is_of_before = Exists(SnapshotState.objects.filter(filled_at__gte=OuterRef("computed_at")))
        rows = cls.objects.filter(~is_of_before, question__in=[*questions], computed_at__gt=since)
        return {row.question: row for row in rows}

    @classmethod
    def keep(cls, answers: Mapping[str, Any], computed_at: datetime) -> None:
        """By question, instead of the answers before, if there are any; those of long ago go.

        One statement: a page waits for it.
        """
        if not answers:
            return
        with connection.cursor() as cursor:
            cursor.execute(
                """
                WITH forgotten AS (
                    DELETE FROM insights_keptcomparison
                    WHERE computed_at < %(forgotten)s AND question <> ALL(%(questions)s)
                )
                INSERT INTO insights_keptcomparison (question, answer, computed_at)
                SELECT question, answer::jsonb, %(computed_at)s
                FROM unnest(%(questions)s::text[], %(answers)s::text[]) AS told (question, answer)
                ORDER BY question
                ON CONFLICT (question) DO UPDATE SET answer = EXCLUDED.answer, computed_at = EXCLUDED.computed_at
                """,
                {
                    "questions": [*answers],
                    "answers": [json.dumps(answer) for answer in answers.values()],
                    "computed_at": computed_at,
                    "forgotten": computed_at - FORGOTTEN_AFTER,
                },
            )
