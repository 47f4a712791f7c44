"""The models that a scope used, for what the same tokens would cost on others: at once, however long the window."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from insights.filters import Filters
from insights.metrics.kept_answers import kept, question_of
from insights.metrics.query import Dimension
from integrations.services.model_use import ModelUse, UsedRow, rows_in_use, uses_of
from integrations.services.usage_days import usage_of_everybody
from orgtree.queries.whose import EVERYBODY

SLOW_SECONDS = 0.05  # a form is sent again and again: what takes most of a page's time is not read for each change


def used_by(filters: Filters, models: Sequence[str]) -> tuple[list[ModelUse], datetime | None]:
    """These models of the filters' scope, window and agents, the dearest first.

    Of everybody they are put together from days that are kept; of others they are read from facts, and where that
    takes long given again for a while: as of when they are then.
    """
    first, after = filters.window.start, filters.window.end
    agents = filters.facets.get(Dimension.AGENT, ())
    if filters.whose == EVERYBODY:
        return uses_of(usage_of_everybody(first, after, agents=agents, models=models)), None
    question = question_of(filters.query("ai.tokens"), "models in use", *sorted(models))
    answer, computed_at = kept(
        question,
        lambda: [_as_json(row) for row in rows_in_use(first, after, filters.whose, agents=agents, models=models)],
        slow_seconds=SLOW_SECONDS,
    )
    return uses_of([_from_json(row) for row in answer]), computed_at


def _as_json(row: UsedRow) -> list[Any]:
    return [str(each) if isinstance(each, (date, Decimal)) else each for each in row]


def _from_json(row: list[Any]) -> UsedRow:
    told = dict(zip(UsedRow._fields, row, strict=True))
    spend = None if told["spend"] is None else Decimal(told["spend"])
    return UsedRow(**{**told, "day": date.fromisoformat(told["day"]), "spend": spend})
