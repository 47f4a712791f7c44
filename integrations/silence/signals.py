"""The signals that a session's telemetry may have.  Adding one is a declaration; no agent has code of its own.

A signal is looked for in merged data, so that the names by which an agent sends it do not matter.  Kinds of events that
are not merged (a session's start, a hook) are covered by the log events as a whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import LiteralString


@dataclass(frozen=True)
class Signal:
    """A signal; `has` is SQL that is true for a session that has it, over `session`, `name` (its identity), `day` (sums
    of its days) and `place`.

    `metrics` are the keys of metrics that lack data without it.  It is not reported if the signal that it is `part_of`
    is silent.
    """

    name: str  # completes "sends no …"
    has: LiteralString
    metrics: tuple[str, ...]
    remedy: str
    part_of: tuple[str, ...] = ()


_TOKENS = ("ai.tokens", "ai.spend", "ai.spend_per_developer", "ai.spend_per_commit", "ai.cache_hit_rate")
_EXPORTERS = (
    "Look whether the new version needs other settings to export it (docs of the agent), and whether a collector or "
    "relay drops it."
)
_ATTRIBUTES = (
    "Look whether the agent's settings still carry it in OTEL_RESOURCE_ATTRIBUTES, and whether a collector drops it."
)
_RENAMED = (
    "If the agent sends it under another name now, it is listed under what is not understood on the page Connect an "
    "agent: say there what it means."
)

SIGNALS: Mapping[str, Signal] = {
    "events": Signal(
        "log events",
        "NOT isempty(session.event_stretches)",
        (*_TOKENS, "ai.error_rate", "ai.tool_calls", "ai.spend_by_part", "ai.session_duration"),
        _EXPORTERS,
    ),
    "metrics": Signal(
        "metrics",
        "NOT isempty(session.metric_stretches)",
        ("ai.lines_generated", "ai.ship_rate"),
        _EXPORTERS,
    ),
    "session_id": Signal(
        "session ids",
        "NOT session.is_unnamed",
        ("ai.sessions", "ai.sessions_per_developer", "ai.session_duration", "ai.session_span"),
        _ATTRIBUTES,
    ),
    "author": Signal(
        "e-mail address, login or account",
        "name.kind <> 'installation'",
        ("ai.active_developers", "ai.adoption_rate", "ai.spend_per_developer"),
        _ATTRIBUTES,
    ),
    "version": Signal("version", "session.agent_version <> ''", (), _ATTRIBUTES),
    "tokens": Signal(
        "token counts", "session.event_tokens + session.metric_tokens > 0", _TOKENS, _RENAMED, ("events", "metrics")
    ),
    "event_tokens": Signal(
        "token counts of requests (logs)",
        "session.event_tokens > 0",
        ("ai.spend_by_part",),
        _RENAMED,
        ("tokens", "events"),
    ),
    "metric_tokens": Signal(
        "token counts in metrics", "session.metric_tokens > 0", ("ai.tokens",), _RENAMED, ("tokens", "metrics")
    ),
    "input_tokens": Signal("uncached input tokens", "day.input_tokens > 0", _TOKENS, _RENAMED, ("tokens",)),
    "cache_read_tokens": Signal("cache reads", "day.cache_read_tokens > 0", _TOKENS, _RENAMED, ("tokens",)),
    "cache_write_tokens": Signal("cache writes", "day.cache_write_tokens > 0", _TOKENS, _RENAMED, ("tokens",)),
    "output_tokens": Signal("output tokens", "day.output_tokens > 0", _TOKENS, _RENAMED, ("tokens",)),
    "model": Signal(
        "names of models", "day.names_model", ("ai.spend", "ai.spend_per_developer"), _RENAMED, ("tokens",)
    ),
    "reported_cost": Signal(
        "cost", "day.reports_cost", ("ai.reported_cost", "ai.cost_difference"), _RENAMED, ("events", "metrics")
    ),
    "lines": Signal(
        "generated lines",
        "session.lines_added > 0",
        ("ai.lines_generated", "ai.ship_rate"),
        _RENAMED,
        ("metrics",),
    ),
    "tool_calls": Signal(
        "outcomes of tool calls",
        "day.tool_calls > 0",
        ("ai.tool_calls", "ai.tool_failures", "ai.error_rate"),
        _RENAMED,
        ("events",),
    ),
    "commits": Signal("counts of commits", "session.commits > 0", (), _RENAMED, ("metrics",)),
    "repository": Signal(
        "repository",
        "place.names_repository",
        ("ai.spend", "ai.spend_per_merged_pr", "ai.spend_per_item"),
        _ATTRIBUTES,
    ),
    "branch": Signal("branch", "place.names_branch", ("ai.spend_per_merged_pr", "ai.spend_per_item"), _ATTRIBUTES),
}
"""In the order in which they are reported; a whole stands before its parts."""
