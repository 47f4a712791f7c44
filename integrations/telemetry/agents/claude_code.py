"""Claude Code.  https://code.claude.com/docs/en/monitoring-usage

Its input tokens exclude cache reads and writes, and log events and spans of one request carry the same request id.
Numbers are integers or strings, depending on the version.
"""

from __future__ import annotations

import re
from dataclasses import replace

from integrations.models.sessions import ToolOutcome
from integrations.telemetry.agents.events import EventKind, Measure
from integrations.telemetry.agents.parts import Parts
from integrations.telemetry.agents.values import Attributes
from integrations.telemetry.agents.vocabulary import INCOMPLETE, NOT_KEPT, Event, EventReading, Metric, Vocabulary


def _outcome(attributes: Attributes) -> str:
    match attributes.get("success"):
        case True | "true":
            return ToolOutcome.SUCCEEDED.value
        case False | "false":
            return ToolOutcome.FAILED.value
    return ""


def _refused(attributes: Attributes) -> str:
    return ToolOutcome.REFUSED.value


PROVIDER = ("anthropic.provider", "gen_ai.provider.name", "gen_ai.system")
PARTS = Parts(
    skill=("skill.name",),
    sub_agent=("agent.name",),
    plugin=("plugin.name",),
    mcp_server=("mcp_server.name",),
    effort=("effort",),
    query_source=("query_source",),
    provider=PROVIDER,
    models=("model",),
    identity_source=("identity.source",),
)
PARTS_BEFORE_2_1_222 = replace(PARTS, mcp_server=())  # which attributed too many requests to MCP servers
REQUEST = Event(
    kind=EventKind.REQUEST,
    key="request_id",
    model="model",
    input_tokens="input_tokens",
    cache_read_tokens="cache_read_tokens",
    cache_write_tokens="cache_creation_tokens",
    cache_write_5m_tokens="cache_creation_5m_tokens",
    cache_write_1h_tokens="cache_creation_1h_tokens",
    output_tokens="output_tokens",
    service_tier="speed",
    duration_ms="duration_ms",
    reported_cost="cost_usd",
    parts=PARTS,
    expects=frozenset({"input_tokens", "output_tokens"}),
)
OLD_REQUEST = replace(REQUEST, parts=PARTS_BEFORE_2_1_222)
REQUEST_SPAN = replace(REQUEST, expects=frozenset())  # an interrupted request has no tokens
OLD_REQUEST_SPAN = replace(OLD_REQUEST, expects=frozenset())
REQUEST_ERROR = Event(
    kind=EventKind.REQUEST_ERROR,
    key="request_id",
    model="model",
    error_type="status_code",
    duration_ms="duration_ms",
)
TOOL_RESULT = Event(
    kind=EventKind.TOOL_CALL,
    key="tool_use_id",
    tool="tool_name",
    error_type="error_type",
    duration_ms="duration_ms",
    outcome=_outcome,
)
TOOL_REFUSED = Event(kind=EventKind.TOOL_CALL, key="tool_use_id", tool="tool_name", outcome=_refused)
TOOL_SPAN = Event(kind=EventKind.TOOL_CALL, key="tool_use_id", tool="tool_name", duration_ms="duration_ms")
TOOL_EXECUTION_SPAN = Event(kind=EventKind.TOOL_CALL, key="tool_use_id", duration_ms="duration_ms", outcome=_outcome)
AT_WORK = Event(kind=EventKind.SESSION)
PROMPT = Event(kind=EventKind.PROMPT)


def _tool_decision(attributes: Attributes) -> EventReading:
    """Read a refused tool call; an accepted one also has a tool_result, which is read instead."""
    match attributes.get("decision"):
        case "reject":
            return TOOL_REFUSED
        case "accept":
            return NOT_KEPT
    return INCOMPLETE


def _request(attributes: Attributes) -> EventReading:
    return OLD_REQUEST if _is_old(attributes) else REQUEST


def _request_span(attributes: Attributes) -> EventReading:
    if attributes.get("success") in (False, "false"):
        return REQUEST_ERROR
    return OLD_REQUEST_SPAN if _is_old(attributes) else REQUEST_SPAN


def _is_old(attributes: Attributes) -> bool:
    """Whether the version is known to be older than 2.1.222."""
    version = _VERSION.match(str(attributes.get("service.version") or ""))
    return version is not None and tuple(map(int, version.groups())) < (2, 1, 222)


_VERSION = re.compile(r"(\d{1,6})\.(\d{1,6})\.(\d{1,6})")


# Known attributes that are not used, as documented and as seen with 2.1.332.
NOT_NEEDED = frozenset(
    {
        # attributes of every record
        *("event.timestamp", "event.sequence", "prompt.id", "message.uuid", "terminal.type"),
        *("app.version", "app.entrypoint", "organization.id", "user.groups"),
        *("workflow.run_id", "workflow.name", "span.type", "client_request_id"),
        *("anthropic.custom_base_url", "anthropic.plan", "anthropic.seat_type", "permission_mode"),
        # attributes of requests
        *("cost_usd_micros", "attempt", "stop_reason", "ttft_ms", "llm_request.context"),
        *("gen_ai.request.model", "gen_ai.response.id", "gen_ai.response.finish_reasons"),
        *("server_fallback_hop", "has_category", "has_explanation", "category"),
        *("total_attempts", "total_retry_duration_ms", "response_length", "body_length", "body_truncated"),
        # attributes of tools
        *("source", "tool_source", "decision_type", "decision_source", "tool_input_size_bytes"),
        *("tool_result_size_bytes", "mcp_server_scope", "gen_ai.tool.call.id", "language", "tool_result_bytes"),
        *("skill.source", "marketplace.name"),
        *("mcp_tool.name", "agent_type", "total_tokens", "total_tool_uses", "invocation_trigger"),
        # attributes of other events
        *("prompt_length", "user_prompt_length", "command_name", "command_source", "interaction.sequence"),
        *("interaction.duration_ms", "trigger", "pre_tokens", "post_tokens", "from_mode", "to_mode", "mention_type"),
        *("query_depth", "is_subagent", "parent_agent_id", "agent_id"),
    }
)

CLAUDE_CODE = Vocabulary(
    agent="claude_code",
    service=re.compile(r"claude-code\b"),  # claude-code-desktop is the same agent
    scope=re.compile(r"com\.anthropic\.claude_code\b.*"),
    event_prefix="claude_code.",
    own_prefixes=("claude_code.",),
    read_by_code=frozenset({"success", "decision"}),
    readings=(TOOL_REFUSED, REQUEST, REQUEST_SPAN, REQUEST_ERROR),
    not_needed=NOT_NEEDED,
    events={
        "api_request": _request,
        "api_error": REQUEST_ERROR,
        "tool_result": TOOL_RESULT,
        "tool_decision": _tool_decision,
        "user_prompt": PROMPT,
        "api_refusal": AT_WORK,
        "api_retries_exhausted": AT_WORK,
        "at_mention": AT_WORK,
        "compaction": AT_WORK,
        "permission_mode_changed": AT_WORK,
        "skill_activated": AT_WORK,
        "subagent_completed": AT_WORK,
        # `--continue` registers hooks under a session id that never appears again.
        "hook_registered": NOT_KEPT,
        "hook_execution_start": NOT_KEPT,
        "hook_execution_complete": NOT_KEPT,
        "hook_plugin_metrics": NOT_KEPT,
        "api_request_body": NOT_KEPT,
        "api_response_body": NOT_KEPT,
        "assistant_response": NOT_KEPT,
        "auth": NOT_KEPT,
        "feedback_survey": NOT_KEPT,
        "internal_error": NOT_KEPT,
        "managed_settings_resolved": NOT_KEPT,
        "mcp_server_connection": NOT_KEPT,
        "plugin_installed": NOT_KEPT,
        "plugin_loaded": NOT_KEPT,
        "retention_sweep": NOT_KEPT,
    },
    spans={
        "claude_code.llm_request": _request_span,
        "claude_code.tool": TOOL_SPAN,
        "claude_code.tool.execution": TOOL_EXECUTION_SPAN,
        "claude_code.tool.blocked_on_user": NOT_KEPT,
        "claude_code.interaction": PROMPT,
        "claude_code.hook": NOT_KEPT,
    },
    metrics={
        "claude_code.token.usage": Metric(
            attribute="type",
            measures={
                "input": Measure.INPUT_TOKENS,
                "cacheRead": Measure.CACHE_READ_TOKENS,
                "cacheCreation": Measure.CACHE_WRITE_TOKENS,
                "output": Measure.OUTPUT_TOKENS,
            },
            model="model",
            seller=PROVIDER,
        ),
        "claude_code.cost.usage": Metric(Measure.REPORTED_COST, model="model", seller=PROVIDER),
        "claude_code.lines_of_code.count": Metric(
            attribute="type", measures={"added": Measure.LINES_ADDED, "removed": Measure.LINES_REMOVED}, model="model"
        ),
        "claude_code.commit.count": Metric(Measure.COMMITS),
        "claude_code.active_time.total": Metric(Measure.ACTIVE_SECONDS),
        # Resuming does not start a session, `--continue` counts under an id that never appears again, and
        # agents_view only lists sessions.
        "claude_code.session.count": Metric(
            Measure.SESSIONS,
            attribute="start_type",
            measures={"fresh": Measure.SESSIONS, "resume": None, "continue": None, "agents_view": None},
        ),
        "claude_code.pull_request.count": NOT_KEPT,
        "claude_code.code_edit_tool.decision": NOT_KEPT,
    },
)
