"""Qwen Code, a fork of Gemini CLI: the same events under its own prefix.

https://github.com/QwenLM/qwen-code/blob/main/docs/developers/development/telemetry.md

Whether output includes the thoughts depends on the provider: the total shows it.  Metrics name a session only if a
setting enables that; their thoughts are left out so that they never outweigh the events.  Spans repeat the events.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from integrations.telemetry.agents.events import Measure
from integrations.telemetry.agents.gemini_cli import AT_WORK, GEMINI_CLI, REQUEST, REQUEST_ERROR
from integrations.telemetry.agents.parts import Parts
from integrations.telemetry.agents.values import Attributes, count_of
from integrations.telemetry.agents.vocabulary import NOT_KEPT, Count, Event, Metric, NotKept

PREFIX = "qwen-code."
_GEMINI_PREFIX = GEMINI_CLI.event_prefix

THOUGHTS_APART = replace(
    REQUEST,
    key="response_id",
    parts=Parts(sub_agent=("subagent_name", "agent_name"), query_source=("role",), provider=("auth_type",)),
)
THOUGHTS_WITHIN = replace(THOUGHTS_APART, output_tokens=Count(of=(("output_token_count",),)))


def _request(attributes: Attributes) -> Event:
    """The rule for a request, depending on whether the total counts the thoughts in addition to the output."""
    names = ("input_token_count", "output_token_count", "total_token_count")
    prompt, output, total = (count_of(attributes.get(name), name) for name in names)
    is_within = None not in (prompt, output, total) and total == (prompt or 0) + (output or 0)
    return THOUGHTS_WITHIN if is_within else THOUGHTS_APART


def _metrics() -> Mapping[str, Metric | NotKept]:
    """The metrics of Gemini CLI, under Qwen Code's own prefix."""
    renamed = {
        f"{PREFIX}{name.removeprefix(_GEMINI_PREFIX)}" if name.startswith(_GEMINI_PREFIX) else name: rule
        for name, rule in GEMINI_CLI.metrics.items()
    }
    usage = {
        "input": Measure.PROMPT_TOKENS,
        "cache": Measure.CACHE_READ_TOKENS,
        "output": Measure.OUTPUT_TOKENS,
        "thought": None,
    }
    own = (
        *("api.retry.count", "subagent.execution.count", "arena.session.count", "arena.session.duration"),
        *("arena.agent.count", "arena.agent.duration", "arena.agent.tokens", "arena.result.selected"),
        *("memory.extract.count", "memory.extract.duration", "memory.dream.count", "memory.dream.duration"),
        *("memory.recall.count", "memory.recall.duration", "channel.memory.recall.count"),
        *("channel.memory.recall.duration", "channel.memory.recall.selected_count"),
        *("memory.recall.delivery.count", "memory.recall.delivery.latency"),
    )
    return {
        **renamed,
        f"{PREFIX}token.usage": Metric(attribute="type", measures=usage, model="model"),
        **dict.fromkeys((f"{PREFIX}{name}" for name in own), NOT_KEPT),
    }


QWEN_CODE = replace(
    GEMINI_CLI,
    agent="qwen_code",
    service=re.compile(r"qwen[-_ ]?code", re.IGNORECASE),
    scope=re.compile(r"qwen[-_]code"),
    event_prefix=PREFIX,
    own_prefixes=(PREFIX,),
    version_key="service.version",
    points_need_session=True,
    read_by_code=GEMINI_CLI.read_by_code | {"total_token_count"},
    readings=(THOUGHTS_APART, THOUGHTS_WITHIN),
    not_needed=GEMINI_CLI.not_needed
    | {
        *("response_id", "ttft_ms", "execution_status", "model_name", "subagent_id", "subagent_type"),
        *("loop_wakeups_cancelled", "truncate_tool_output_threshold", "truncate_tool_output_lines", "hooks"),
        *("ide_enabled", "interactive_shell_enabled", "skills", "subagents", "attempt_number", "retry_delay_ms"),
        *("skill_name", "loop_type", "tag_name", "tool_call_count", "total_attempts", "extension"),
    },
    events={
        **GEMINI_CLI.events,
        "api_response": _request,
        "api_error": replace(REQUEST_ERROR, key="response_id"),
        **dict.fromkeys(("user_retry", "subagent_execution", "session.start", "session.end", "skill_launch"), AT_WORK),
        **dict.fromkeys(
            (
                *("api_cancel", "api_retry", "auth", "repeated_tool_failure_guard", "chat.protocol_tag_sanitized"),
                *("ripgrep_runtime_recovery", "user_feedback", "prompt_suggestion", "speculation"),
                *("workflow_keyword", "workflow_run", "workflow_size_warning", "arena_session_started"),
                *("arena_agent_completed", "arena_session_ended", "startup.performance", "memory.usage"),
                *("performance.baseline", "performance.regression", "memory.extract", "memory.dream"),
                *("memory.recall", "memory.recall.delivery", "memory.search", "memory.migration"),
                *("memory.recall_mode_transition", "kitty_sequence_overflow"),
            ),
            NOT_KEPT,
        ),
    },
    spans={},
    drops_unlisted=True,
    metrics=_metrics(),
)
