"""Cline.  https://docs.cline.bot/enterprise-solutions/monitoring/opentelemetry

The body of a log record is the event's name, and `ulid` is the task, which is the session.  Two generations report the
tokens of a response in different events: the extension in `task.conversation_turn`, repeating some of them in
`task.tokens`; programs of its SDK only in `task.tokens`, which then has cached tokens or cost.  Counters repeat both.
Whether input includes cached tokens depends on the version and the provider.
"""

from __future__ import annotations

import re

from integrations.models.sessions import ToolOutcome
from integrations.telemetry.agents.events import EventKind, Measure
from integrations.telemetry.agents.parts import Parts
from integrations.telemetry.agents.values import ABSENT, Attributes
from integrations.telemetry.agents.vocabulary import NOT_KEPT, Count, Event, EventReading, Metric, Vocabulary

_CACHE_READ, _CACHE_WRITE = ("cacheReadTokens",), ("cacheWriteTokens",)

REQUEST = Event(
    kind=EventKind.REQUEST,
    model="model",
    input_tokens=Count(of=(("tokensIn",),), less=(_CACHE_READ, _CACHE_WRITE), may_be_apart=True),
    cache_read_tokens=Count(of=(_CACHE_READ,)),
    cache_write_tokens=Count(of=(_CACHE_WRITE,)),
    output_tokens="tokensOut",
    reported_cost="totalCost",
    parts=Parts(provider=("provider",), query_source=("mode",), models=("model",)),
)
REQUEST_ERROR = Event(kind=EventKind.REQUEST_ERROR, key="requestId", model="model", error_type="errorStatus")
PROMPT = Event(kind=EventKind.PROMPT)
AT_WORK = Event(kind=EventKind.SESSION)


def _is_said(attributes: Attributes, *names: str) -> bool:
    return any((value := attributes.get(name)) is not None and value not in ABSENT for name in names)


def _turn(attributes: Attributes) -> EventReading:
    if attributes.get("source") == "user":
        return PROMPT
    return REQUEST if _is_said(attributes, "tokensIn", "tokensOut") else AT_WORK


def _tokens(attributes: Attributes) -> EventReading:
    return REQUEST if _is_said(attributes, "cacheReadTokens", "cacheWriteTokens", "totalCost") else NOT_KEPT


def _outcome(attributes: Attributes) -> str:
    """The outcome of a tool call; a call without approval was refused by the person, the only refusal that is
    reported.
    """
    if attributes.get("success") in (True, "true"):
        return ToolOutcome.SUCCEEDED.value
    if attributes.get("success") not in (False, "false"):
        return ""
    is_refused = attributes.get("autoApproved") in (False, "false")
    return (ToolOutcome.REFUSED if is_refused else ToolOutcome.FAILED).value


TOOL_CALL = Event(kind=EventKind.TOOL_CALL, tool="tool", outcome=_outcome)

_LINES = {
    f"cline.ai_output.{verdict}.lines_{what}.total": Metric(measure, model=("model", "modelId"))
    for verdict in ("accepted", "rejected")
    for what, measure in (("added", Measure.LINES_ADDED), ("deleted", Measure.LINES_REMOVED))
}

CLINE = Vocabulary(
    agent="cline",
    service=re.compile(r"cline\b", re.IGNORECASE),
    scope=re.compile(r"cline"),
    own_prefixes=("cline.",),
    session_keys=("ulid", "session.id"),
    version_key="extension_version",
    counts_differ=True,
    sender_keys=("extension_version", "provider"),
    attribute_means={
        "device_id": "installation.id",
        "user_id": "user.account_id",
        "userId": "user.account_id",
        "account_id": "user.account_id",
        "account_email": "user.email",
    },
    read_by_code=frozenset({"source", "success", "autoApproved"}),
    readings=(REQUEST, TOOL_CALL),
    points_need_session=True,
    not_needed=frozenset(
        {
            *("platform", "platform_version", "cline_type", "os_type", "os_version", "is_remote_workspace", "is_dev"),
            *("host_plugin_version", "distinct_id", "alias", "user_name", "organization_id", "organization_name"),
            *("member_id", "member_roles", "_required", "timestamp", "apiProvider", "openAiCompatibleDomain"),
            *("modelId", "isNativeToolCall", "durationMs", "errorType", "failurePhase", "extension_variant"),
            *("agentId", "agentKind", "conversationId", "parentAgentId", "createdByAgentId", "teamId", "teamName"),
            *("teamRole", "teamAgentId", "error_status", "error_type", "failure_phase", "is_multi_root_enabled"),
        }
    ),
    not_needed_prefixes=("workspace", "rollout"),
    events={
        "task.conversation_turn": _turn,
        "task.tokens": _tokens,
        "task.tool_used": TOOL_CALL,
        "task.provider_api_error": REQUEST_ERROR,
        **dict.fromkeys(
            (
                *("task.created", "task.restarted", "task.completed", "task.summarize_task", "task.subagent_started"),
                *("task.subagent_completed", "task.skill_used", "task.initialization", "task.mode"),
            ),
            AT_WORK,
        ),
        **dict.fromkeys(
            (
                *("user.opt_in", "user.opt_out", "user.telemetry_enabled", "user.extension_activated"),
                *("user.extension_storage_error", "user.auth_started", "user.auth_succeeded", "user.auth_failed"),
                *("user.auth_logged_out", "user.onboarding_progress", "user_identified", "host.detected"),
                *("workspace.initialized", "workspace.init_error", "workspace.vcs_detected"),
                *("workspace.multi_root_checkpoint", "workspace.path_resolved", "remote_config.refresh"),
                *("remote_config.session_gate", "task.feedback", "task.option_selected", "task.options_ignored"),
                *("task.checkpoint_used", "task.mcp_tool_called", "task.historical_loaded", "task.retry_clicked"),
                *("task.diff_edit_failed", "task.browser_tool_start", "task.browser_tool_end", "task.browser_error"),
                *("task.gemini_api_performance", "task.focus_chain_enabled", "task.focus_chain_disabled"),
                *("task.focus_chain_progress_first", "task.focus_chain_progress_update"),
                *("task.focus_chain_incomplete_on_completion", "task.focus_chain_list_opened"),
                *("task.focus_chain_list_written", "task.slash_command_used", "task.feature_toggled"),
                *("task.rule_toggled", "task.auto_condense_toggled", "task.yolo_mode_toggled"),
                *("task.cline_web_tools_toggled", "task.terminal_execution", "task.terminal_output_failure"),
                *("task.terminal_user_intervention", "task.terminal_hang", "task.mention_used", "task.mention_failed"),
                *("task.mention_search_results", "task.workspace_search_pattern", "task.subagent_enabled"),
                *("task.subagent_disabled", "task.legacy_task_migration", "task.ai_output.accepted"),
                *("task.ai_output.rejected", "ui.model_selected", "ui.model_favorite_toggled", "ui.button_clicked"),
                *("ui.rules_menu_opened", "ui.panel_opened", "ui.new_task_clicked", "ui.prompt_submitted"),
                *("hooks.enabled", "hooks.disabled", "hooks.cancel_requested", "hooks.context_modified"),
                *("hooks.discovery_completed", "hooks.execution", "worktree.view_opened", "worktree.created"),
                "worktree.merge_attempted",
            ),
            NOT_KEPT,
        ),
    },
    metrics={
        "cline.tokens.input.total": Metric(Measure.PROMPT_TOKENS, model="model"),
        "cline.tokens.output.total": Metric(Measure.OUTPUT_TOKENS, model="model"),
        "cline.cache.read.tokens.total": Metric(Measure.CACHE_READ_TOKENS, model="model"),
        "cline.cache.write.tokens.total": Metric(Measure.CACHE_WRITE_TOKENS, model="model"),
        "cline.cost.total": Metric(Measure.REPORTED_COST, model="model"),
        **_LINES,
        **dict.fromkeys(
            (
                *("cline.turns.total", "cline.turns.per_task", "cline.tokens.input.per_response"),
                *("cline.tokens.output.per_response", "cline.cost.per_event", "cline.cache.write.tokens.per_event"),
                *("cline.cache.read.tokens.per_event", "cline.cache.hits.total", "cline.tool.calls.total"),
                *("cline.tool.calls.per_task", "cline.errors.total", "cline.errors.per_task", "cline.api.ttft.seconds"),
                *("cline.api.duration.seconds", "cline.api.throughput.tokens_per_second"),
                *("cline.hooks.executions.total", "cline.hooks.duration.seconds", "cline.hooks.failures.total"),
                *("cline.hooks.cancellations.total", "cline.hooks.context_modifications.total"),
                *("cline.hooks.cache.accesses.total", "cline.grpc.response.size_bytes", "cline.workspace.active_roots"),
                *("cline.ai_output.accepted.lines_changed.total", "cline.ai_output.rejected.lines_changed.total"),
                *("cline.ai_output.accepted.files_created.total", "cline.ai_output.accepted.files_deleted.total"),
                *("cline.ai_output.accepted.files_moved.total", "cline.ai_output.rejected.files_created.total"),
                *("cline.ai_output.rejected.files_deleted.total", "cline.ai_output.rejected.files_moved.total"),
            ),
            NOT_KEPT,
        ),
    },
)
