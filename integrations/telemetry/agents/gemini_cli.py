"""Gemini CLI.  https://github.com/google-gemini/gemini-cli/blob/main/docs/cli/telemetry.md

Its input tokens include the cached ones, its output tokens exclude the thoughts; both are billed.  Metrics are
cumulative.  Its service.version is that of Node.  Spans and `gen_ai.*` records repeat its own events.
"""

from __future__ import annotations

import re

from integrations.models.sessions import ToolOutcome
from integrations.telemetry.agents.events import EventKind, Measure
from integrations.telemetry.agents.parts import Parts
from integrations.telemetry.agents.values import Attributes
from integrations.telemetry.agents.vocabulary import NOT_KEPT, Count, Event, Metric, Vocabulary

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
    # Tokens that tools added to the prompt are counted separately.
    input_tokens=Count(of=(("input_token_count",), ("tool_token_count",)), less=(CACHED,)),
    cache_read_tokens=Count(of=(CACHED,)),
    output_tokens=Count(of=(("output_token_count",), ("thoughts_token_count",))),
    duration_ms="duration_ms",
    parts=Parts(sub_agent=("agent_name",), query_source=("role",), provider=("gen_ai.provider.name", "auth_type")),
    expects=frozenset({"input_token_count", "output_token_count"}),
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

# Known attributes that are not used, as documented and as seen with 0.61.0.
NOT_NEEDED = frozenset(
    {
        # attributes of every record
        *("event.timestamp", "interactive", "prompt_id", "experiments.ids"),
        # attributes of requests
        *("total_token_count", "finish_reasons", "http.status_code", "error.type", "duration"),
        # attributes of tools
        *("tool_type", "content_length", "mcp_server_name", "extension_name", "extension_id", "start_time"),
        *("end_time", "tool_name"),
        # attributes of other events
        *("embedding_model", "sandbox_enabled", "core_tools_enabled", "approval_mode", "api_key_enabled"),
        *("vertex_ai_enabled", "log_user_prompts_enabled", "file_filtering_respect_git_ignore", "debug_mode"),
        *("mcp_servers", "mcp_servers_count", "mcp_tools", "mcp_tools_count", "output_format", "extensions"),
        *("extensions_count", "extension_ids", "worktree_active", "prompt_length", "command", "subcommand", "status"),
        *("tokens_before", "tokens_after", "turnCount", "agent_id", "turn_count", "terminate_reason"),
        *("mimetype", "operation", "programming_language", "lines"),
    }
)

GEMINI_CLI = Vocabulary(
    agent="gemini",
    service=re.compile(r"gemini[-_ ]?cli", re.IGNORECASE),
    scope=re.compile(r"gemini[-_]cli"),
    event_prefix="gemini_cli.",
    own_prefixes=("gemini_cli.",),
    version_key="",
    read_by_code=frozenset({"success", "decision"}),
    not_needed=NOT_NEEDED,
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
        # Metrics that repeat events (failed requests twice), or describe the machine.
        **dict.fromkeys(
            (
                *("gemini_cli.tool.call.count", "gemini_cli.api.request.count", "gemini_cli.file.operation.count"),
                *("gemini_cli.hook_call.count", "gemini_cli.chat_compression", "gemini_cli.agent.run.count"),
                *("gemini_cli.chat.invalid_chunk.count", "gemini_cli.chat.content_retry.count"),
                *("gemini_cli.chat.content_retry_failure.count", "gemini_cli.network_retry.count"),
                *("gemini_cli.slash_command.model.call_count", "gemini_cli.model_routing.failure.count"),
                *("gemini_cli.agent.recovery_attempt.count", "gemini_cli.plan.execution.count"),
                *("gemini_cli.performance.regression", "gemini_cli.exit.fail.count"),
                *("gemini_cli.ui.flicker.count", "gemini_cli.billing.overage_menu_shown"),
                *("gen_ai.client.token.usage", "gen_ai.client.operation.duration", "gemini_cli.token.efficiency"),
                *("gemini_cli.tool.call.latency", "gemini_cli.api.request.latency", "gemini_cli.hook_call.latency"),
                *("gemini_cli.model_routing.latency", "gemini_cli.startup.duration", "gemini_cli.memory.usage"),
                *("gemini_cli.cpu.usage", "gemini_cli.tool.queue.depth", "gemini_cli.tool.execution.breakdown"),
                *("gemini_cli.api.request.breakdown", "gemini_cli.performance.score", "gemini_cli.agent.duration"),
                *("gemini_cli.performance.baseline.comparison", "gemini_cli.agent.turns"),
                *("gemini_cli.performance.regression.percentage_change", "gemini_cli.ui.slow_render.latency"),
                *("gemini_cli.agent.recovery_attempt.duration", "gemini_cli.event_loop.delay"),
            ),
            NOT_KEPT,
        ),
    },
)
