"""GitHub Copilot: the CLI, and Copilot Chat in VS Code.

https://docs.github.com/en/copilot/reference/enterprise-administrators/opentelemetry-reference
https://code.visualstudio.com/docs/agents/guides/monitoring-agents

Both follow OpenTelemetry's conventions for generative AI, with extensions.  Tokens and tools are on spans;
`invoke_agent` repeats the sum of its `chat` spans.  A session is a conversation, which metrics do not name: their lines
belong to the process (a CLI run, a VS Code window), and thus to the conversation active in it at that time.  A shell
call with a non-zero exit code is still reported as successful.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

from integrations.telemetry.agents.events import EventKind, Measure
from integrations.telemetry.agents.gen_ai import (
    CONTENT_EVENTS,
    MODEL,
    NOT_NEEDED,
    NOT_NEEDED_PREFIXES,
    READ_BY_CODE,
    REQUEST,
    REQUEST_ERROR,
    TOOL_CALL,
    operation,
)
from integrations.telemetry.agents.values import Attributes
from integrations.telemetry.agents.vocabulary import (
    NOT_KEPT,
    PARENT_SPAN_ID,
    Cost,
    Count,
    Event,
    EventReading,
    Metric,
    Vocabulary,
)

# GitHub bills credits of one cent; these are billionths of a credit.
CREDITS = Cost({"github.copilot.nano_aiu": Decimal("1e-11")})
COPILOT_REQUEST = replace(REQUEST, reported_cost=CREDITS)
_TOTALS = (
    (Measure.INPUT_TOKENS, REQUEST.input_tokens),
    (Measure.CACHE_READ_TOKENS, REQUEST.cache_read_tokens),
    (Measure.CACHE_WRITE_TOKENS, REQUEST.cache_write_tokens),
    (Measure.OUTPUT_TOKENS, REQUEST.output_tokens),
)


def _totals(attributes: Attributes) -> Iterator[tuple[Measure, int | Decimal]]:
    """Sums of tokens and credits of a top-level agent, in addition to its spans: the larger source counts for the
    session.

    Sub-agents are left out because their parent's sums may include them.
    """
    if attributes.get(PARENT_SPAN_ID):
        return
    for measure, count in _TOTALS:
        if isinstance(count, Count) and (tokens := count.counted(attributes)):
            yield measure, tokens
    if cost := CREDITS.amount(attributes):
        yield Measure.REPORTED_COST, cost


INVOKE_AGENT = Event(kind=EventKind.PROMPT, model=MODEL, increments=_totals, at_start=True)
SUBAGENT = Event(kind=EventKind.SESSION)


def _operation(attributes: Attributes) -> EventReading | None:
    match attributes.get("gen_ai.operation.name"):
        case "invoke_agent":
            return SUBAGENT if attributes.get(PARENT_SPAN_ID) else INVOKE_AGENT
        case "execute_hook":
            return NOT_KEPT
    found = operation(attributes)
    return COPILOT_REQUEST if found is REQUEST else found


# Known attributes of both programs that are not used, as documented and as seen with the CLI 1.0.102.
OWN_NOT_NEEDED = frozenset(
    {
        *("github.copilot.cost", "github.copilot.aiu", "github.copilot.initiator"),
        *("github.copilot.interaction_id", "github.copilot.turn_id", "github.copilot.turn_count"),
        *("github.copilot.server_duration", "github.copilot.time_to_first_chunk", "github.copilot.agent.type"),
        *("copilot_chat.turn_count", "copilot_chat.time_to_first_token", "copilot_chat.language_id"),
        *("copilot_chat.canceled", "user.name", "success", "outcome", "action", "rating", "partner_agent"),
    }
)
OWN_NOT_NEEDED_PREFIXES = (
    *("github.copilot.context.", "github.copilot.git.", "github.copilot.github.", "github.copilot.sandbox."),
    *("github.copilot.tool.parameters.", "copilot_chat.edit.", "copilot_chat.repo."),
)
# Metrics that repeat spans, or describe the machine, and name no conversation.
METRICS_NOT_NEEDED = (
    *("gen_ai.client.inference.usage.input_tokens", "gen_ai.client.inference.usage.output_tokens"),
    *(
        "gen_ai.client.inference.usage.cache_read.input_tokens",
        "gen_ai.client.inference.usage.cache_write.input_tokens",
    ),
    "gen_ai.client.inference.usage.cache_creation.input_tokens",
    "gen_ai.client.inference.usage.reasoning.output_tokens",
    *("gen_ai.client.inference.operation.input_tokens", "gen_ai.client.inference.operation.output_tokens"),
    *("gen_ai.client.token.usage", "gen_ai.client.operation.duration", "gen_ai.client.inference.duration"),
    *("gen_ai.client.operation.time_to_first_chunk", "gen_ai.client.inference.time_to_first_chunk"),
    *("gen_ai.client.operation.time_per_output_chunk", "gen_ai.client.inference.time_per_output_chunk"),
    *("gen_ai.invoke_agent.duration", "gen_ai.invoke_agent.inference_calls", "gen_ai.invoke_agent.tool_calls"),
    *("gen_ai.execute_tool.duration", "github.copilot.agent.turn.count", "github.copilot.sandbox.operation.count"),
    *("github.copilot.tool.call.count", "github.copilot.tool.call.duration", "copilot_chat.tool.call.count"),
    *("copilot_chat.tool.call.duration", "copilot_chat.agent.invocation.duration", "copilot_chat.agent.turn.count"),
    *("copilot_chat.session.count", "copilot_chat.time_to_first_token", "copilot_chat.edit.acceptance.count"),
    *("copilot_chat.chat_edit.outcome.count", "copilot_chat.edit.survival.four_gram"),
    *("copilot_chat.edit.survival.no_revert", "copilot_chat.user.action.count", "copilot_chat.user.feedback.count"),
    *("copilot_chat.agent.edit_response.count", "copilot_chat.agent.summarization.count"),
    *("copilot_chat.pull_request.count", "copilot_chat.cloud.session.count"),
)

COPILOT = Vocabulary(
    agent="copilot",
    service=re.compile(r"(?:github[-_ ]?)?copilot", re.IGNORECASE),  # github-copilot, copilot-chat
    scope=re.compile(r"github[-_.]copilot|copilot[-_]chat"),
    own_prefixes=("github.copilot.", "copilot_chat."),
    session_keys=("gen_ai.conversation.id", "copilot_chat.chat_session_id", "copilot_chat.session_id"),
    process_keys=("service.instance.id", "session.id"),
    reads_span_context=True,
    unlisted=_operation,
    read_by_code=READ_BY_CODE | COPILOT_REQUEST.attributes,
    readings=(COPILOT_REQUEST, REQUEST_ERROR, TOOL_CALL, INVOKE_AGENT),
    not_needed=NOT_NEEDED | OWN_NOT_NEEDED,
    not_needed_prefixes=(*NOT_NEEDED_PREFIXES, *OWN_NOT_NEEDED_PREFIXES),
    # Log records come from VS Code: each repeats a span, without its conversation.
    events=dict.fromkeys(
        (
            "gen_ai.client.inference.operation.details",
            *CONTENT_EVENTS,
            *("copilot_chat.agent.turn", "copilot_chat.session.start", "copilot_chat.tool.call"),
            *("copilot_chat.cloud.session.invoke", "copilot_chat.edit.feedback", "copilot_chat.edit.hunk.action"),
            *("copilot_chat.edit.survival", "copilot_chat.inline.done", "copilot_chat.user.feedback"),
        ),
        NOT_KEPT,
    ),
    metrics={
        "github.copilot.code.lines_added": Metric(Measure.LINES_ADDED, model=MODEL),
        "github.copilot.code.lines_removed": Metric(Measure.LINES_REMOVED, model=MODEL),
        "copilot_chat.lines_of_code.count": Metric(
            attribute="type", measures={"added": Measure.LINES_ADDED, "removed": Measure.LINES_REMOVED}
        ),
        **dict.fromkeys(METRICS_NOT_NEEDED, NOT_KEPT),
    },
)
