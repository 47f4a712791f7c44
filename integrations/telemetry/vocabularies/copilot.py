"""GitHub Copilot: the CLI, and Copilot Chat in VS Code.

https://docs.github.com/en/copilot/reference/enterprise-administrators/opentelemetry-reference
https://code.visualstudio.com/docs/agents/guides/monitoring-agents

Both follow OpenTelemetry's conventions for generative AI, with words of their own.  Tokens and tools are on spans;
`invoke_agent` repeats the sum of its `chat` spans.  A session is a conversation, which metrics do not name: the lines
that they count belong to the process (the CLI's run, the window of VS Code), and with it to the conversation that went
on in it at that time.  A shell's exit code stands beside a success.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from integrations.telemetry.decode_values import Attributes
from integrations.telemetry.events import EventKind, Measure
from integrations.telemetry.vocabularies.gen_ai import (
    CONTENT_EVENTS,
    MODEL,
    READ_BY_CODE,
    REQUEST,
    REQUEST_ERROR,
    TOOL_CALL,
    operation,
)
from integrations.telemetry.vocabularies.vocabulary import (
    NOT_KEPT,
    PARENT_SPAN_ID,
    Count,
    Event,
    EventReading,
    Metric,
    Vocabulary,
)

_TOTALS = (
    (Measure.INPUT_TOKENS, REQUEST.input_tokens),
    (Measure.CACHE_READ_TOKENS, REQUEST.cache_read_tokens),
    (Measure.CACHE_WRITE_TOKENS, REQUEST.cache_write_tokens),
    (Measure.OUTPUT_TOKENS, REQUEST.output_tokens),
)


def _totals(attributes: Attributes) -> Iterator[tuple[Measure, int]]:
    """The sums of an outermost agent, beside the spans below it: of both the session counts the one that says more.

    A sub-agent's are left out, because its parent's may hold them too.
    """
    if attributes.get(PARENT_SPAN_ID):
        return
    for measure, count in _TOTALS:
        if isinstance(count, Count) and (tokens := count.counted(attributes)):
            yield measure, tokens


INVOKE_AGENT = Event(kind=EventKind.PROMPT, model=MODEL, increments=_totals, at_start=True)
SUBAGENT = Event(kind=EventKind.SESSION)


def _operation(attributes: Attributes) -> EventReading | None:
    match attributes.get("gen_ai.operation.name"):
        case "invoke_agent":
            return SUBAGENT if attributes.get(PARENT_SPAN_ID) else INVOKE_AGENT
        case "execute_hook":
            return NOT_KEPT
    return operation(attributes)


COPILOT = Vocabulary(
    agent="copilot",
    service=re.compile(r"(?:github[-_ ]?)?copilot", re.IGNORECASE),  # github-copilot, copilot-chat
    session_keys=("gen_ai.conversation.id", "copilot_chat.chat_session_id", "copilot_chat.session_id"),
    process_keys=("service.instance.id", "session.id"),
    reads_span_context=True,
    unlisted=_operation,
    read_by_code=READ_BY_CODE | REQUEST.attributes,
    readings=(REQUEST, REQUEST_ERROR, TOOL_CALL, INVOKE_AGENT),
    # Log records are VS Code's: each repeats a span, without naming its conversation.
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
    },
    # The others repeat spans, and name no conversation.
    unlisted_metrics_not_kept=True,
)
