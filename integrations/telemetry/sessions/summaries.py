"""Sums of `AGENT_SESSION_DAYS` per session."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields

from core import sql
from integrations.facts.ai import AGENT_SESSION_DAYS


@dataclass(frozen=True)
class SessionFigures:
    """Sums of a session, or of one model in it; money in US dollars, null if unknown."""

    requests: int = 0
    input_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    output_tokens: int = 0
    tokens: int = 0
    unpriced_tokens: int = 0
    spend: float | None = None
    reported_cost: float | None = None
    lines_added: int = 0
    lines_removed: int = 0
    commits: int = 0
    tool_calls: int = 0
    tool_failures: int = 0
    tool_refusals: int = 0


@dataclass(frozen=True)
class SessionSummary:
    """A session's figures, in total and by model, most tokens first; '' stands for an unnamed model."""

    whole: SessionFigures
    by_model: Mapping[str, SessionFigures]

    @property
    def models(self) -> Sequence[str]:
        return [model for model, figures in self.by_model.items() if model and figures.tokens]


NOTHING = SessionSummary(SessionFigures(), {})
_SUMS = ", ".join(
    f"sum({field.name})::float8" if field.default is None else f"coalesce(sum({field.name}), 0)::bigint"
    for field in fields(SessionFigures)
)
_SUMMARIES = f"""
    SELECT session_id, model, GROUPING(model) AS is_whole, {_SUMS}
    FROM ({AGENT_SESSION_DAYS.sql}) AS days
    WHERE session_id = ANY(%s)
    GROUP BY GROUPING SETS ((session_id), (session_id, model))
    ORDER BY session_id, sum(tokens) DESC, model
"""  # noqa: S608 — put together from constants


def summaries_of(sessions: Collection[int]) -> Mapping[int, SessionSummary]:
    """Summaries by session id; sessions without figures are left out.  One query."""
    rows = sql.rows(_SUMMARIES, [list(sessions)])
    whole: dict[int, SessionFigures] = {}
    by_model: dict[int, dict[str, SessionFigures]] = {}
    for session_id, model, is_whole, *sums in rows:
        figures = SessionFigures(*sums)
        if is_whole:
            whole[session_id] = figures
        else:
            by_model.setdefault(session_id, {})[model] = figures
    return {pk: SessionSummary(figures, by_model.get(pk, {})) for pk, figures in whole.items()}
