"""Gemini CLI.  https://github.com/google-gemini/gemini-cli/blob/main/docs/cli/telemetry.md

Its input tokens include the cached ones, its output tokens exclude the thoughts; both are billed.  Metrics are
cumulative.  The service's version that it sends is that of Node.  Spans and `gen_ai.*` records repeat what its own
events say.
"""

from __future__ import annotations

import re

from integrations.models.sessions import ToolOutcome
from integrations.telemetry.decode_values import Attributes
from integrations.telemetry.events import EventKind, Measure
from integrations.telemetry.vocabularies.vocabulary import NOT_KEPT, Count, Event, Metric, Vocabulary

CACHED = ("cached_content_token_count",)


def _outcome(attributes: Attributes) -> str:
    if str(attributes.get("decision") or "").lower() == "reject":
        return ToolOutcome.REFUSED.value
    match attributes.get("success"):
        case True | "true":
            return ToolOutcome.SUCCEEDED.value
        case False | "false":
            return ToolOutcome.FAILED.value
    return ""


REQUEST = Event(
    kind=EventKind.REQUEST,
    model="model",
    # What tools added to the prompt is counted apart.
    input_tokens=Count(of=(("input_token_count",), ("tool_token_count",)), less=(CACHED,)),
    cache_read_tokens=Count(of=(CACHED,)),
    output_tokens=Count(of=(("output_token_count",), ("thoughts_token_count",))),
    duration_ms="duration_ms",
    tells=frozenset({"input_token_count", "output_token_count"}),
)
REQUEST_ERROR = Event(
    kind=EventKind.REQUEST_ERROR, model=("model", "model_name"), error_type="status_code", duration_ms="duration_ms"
)
TOOL_CALL = Event(
    kind=EventKind.TOOL_CALL,
    tool="function_name",
    error_type="error_type",
    duration_ms="duration_ms",
    outcome=_outcome,
)
AT_WORK = Event(kind=EventKind.SESSION)
PROMPT = Event(kind=EventKind.PROMPT)

GEMINI_CLI = Vocabulary(
    agent="gemini",
    service=re.compile(r"gemini[-_ ]?cli", re.IGNORECASE),
    event_prefix="gemini_cli.",
    version_key="",
    read_by_code=frozenset({"success", "decision"}),
    events={
        "api_response": REQUEST,
        "api_error": REQUEST_ERROR,
        "tool_call": TOOL_CALL,
        "user_prompt": PROMPT,
        "agent.finish": AT_WORK,
        "agent.start": AT_WORK,
        "chat_compression": AT_WORK,
        "config": AT_WORK,
        "conversation_finished": AT_WORK,
        "slash_command": AT_WORK,
        **dict.fromkeys(
            (
                *("api_request", "file_operation", "gen_ai.client.inference.operation.details", "hook_call"),
                *("approval_mode_switch", "approval_mode_duration", "plan.approval_mode_duration"),
                *("plan.approval_mode_switch", "plan_execution", "plan.execution", "keychain.availability"),
                *("chat.invalid_chunk", "chat.content_retry", "chat.content_retry_failure"),
                *("conseca.policy_generation", "conseca.verdict", "edit_correction", "edit_strategy"),
                *("extension_disable", "extension_enable", "extension_install", "extension_uninstall"),
                *("extension_update", "flash_fallback", "ide_connection", "llm_loop_check", "loop_detected"),
                *("loop_detection_disabled", "malformed_json_response", "model_routing", "network_retry_attempt"),
                *("next_speaker_check", "onboarding.start", "onboarding.success", "recovery_attempt"),
                *("rewind", "ripgrep_fallback", "slash_command.model", "startup_stats", "token_storage.initialization"),
                *("tool_output_masking", "tool_output_truncated", "web_fetch_fallback_attempt"),
            ),
            NOT_KEPT,
        ),
    },
    spans=dict.fromkeys(
        ("agent_call", "llm_call", "schedule_tool_calls", "system_prompt", "tool_call", "user_prompt"), NOT_KEPT
    ),
    metrics={
        "gemini_cli.token.usage": Metric(
            attribute="type",
            measures={
                "input": Measure.PROMPT_TOKENS,
                "tool": Measure.PROMPT_TOKENS,
                "cache": Measure.CACHE_READ_TOKENS,
                "output": Measure.OUTPUT_TOKENS,
                "thought": Measure.OUTPUT_TOKENS,
            },
            model="model",
        ),
        "gemini_cli.lines.changed": Metric(
            attribute="type", measures={"added": Measure.LINES_ADDED, "removed": Measure.LINES_REMOVED}
        ),
        "gemini_cli.session.count": Metric(Measure.SESSIONS),
    },
    # What else it measures repeats events (failed requests twice) or tells of the machine.
    unlisted_metrics_not_kept=True,
)
