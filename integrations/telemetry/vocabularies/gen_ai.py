"""OpenTelemetry's conventions for generative AI: any program that follows them, and has no vocabulary of its own.

https://opentelemetry.io/docs/specs/semconv/gen-ai/  Spans are told apart by `gen_ai.operation.name`, since their names
hold the model's or the tool's.  Input tokens include what was read from and written to the cache.  The tokens of an
`invoke_agent` span are the sums of its children: they are not added again.
"""

from __future__ import annotations

import re

from integrations.models.sessions import ToolOutcome
from integrations.telemetry.decode_values import Attributes
from integrations.telemetry.events import EventKind, Measure
from integrations.telemetry.vocabularies.vocabulary import (
    NOT_KEPT,
    SPAN_DURATION_MS,
    SPAN_ID,
    Count,
    Event,
    EventReading,
    Metric,
    Vocabulary,
)

# The first of each is today's name; the others are deprecated, or those that instrumentation used before there was one.
INPUT = ("gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens")
OUTPUT = ("gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens")
CACHE_READ = (
    "gen_ai.usage.cache_read.input_tokens",
    "gen_ai.usage.input_tokens.cached",
    "gen_ai.usage.cache_read_input_tokens",
)
CACHE_WRITE = (
    "gen_ai.usage.cache_creation.input_tokens",
    "gen_ai.usage.cache_write.input_tokens",
    "gen_ai.usage.input_tokens.cache_write",
    "gen_ai.usage.cache_creation_input_tokens",
)
MODEL = ("gen_ai.response.model", "gen_ai.request.model")
# A conversation is a session, while session.id can be the window of an editor.
SESSION_KEYS = ("gen_ai.conversation.id", "conversation.id", "session.id", "session_id")
EXIT_CODE = "process.exit.code"

UNCACHED_INPUT = Count(of=(INPUT,), less=(CACHE_READ, CACHE_WRITE))


def tool_outcome(attributes: Attributes) -> str:
    """A command that ended non-zero failed, whether or not the tool did."""
    failed = attributes.get("error.type") or attributes.get(EXIT_CODE) not in (None, 0, "0")
    return (ToolOutcome.FAILED if failed else ToolOutcome.SUCCEEDED).value


REQUEST = Event(
    kind=EventKind.REQUEST,
    key=("gen_ai.response.id", SPAN_ID),
    model=MODEL,
    input_tokens=UNCACHED_INPUT,
    cache_read_tokens=Count(of=(CACHE_READ,)),
    cache_write_tokens=Count(of=(CACHE_WRITE,)),
    output_tokens=Count(of=(OUTPUT,)),
    duration_ms=SPAN_DURATION_MS,
)
REQUEST_ERROR = Event(
    kind=EventKind.REQUEST_ERROR,
    key=("gen_ai.response.id", SPAN_ID),
    model=MODEL,
    error_type="error.type",
    duration_ms=SPAN_DURATION_MS,
)
TOOL_CALL = Event(
    kind=EventKind.TOOL_CALL,
    key=("gen_ai.tool.call.id", "gen_ai.tool.call_id", SPAN_ID),
    tool="gen_ai.tool.name",
    error_type="error.type",
    duration_ms=SPAN_DURATION_MS,
    outcome=tool_outcome,
)
AT_WORK = Event(kind=EventKind.SESSION)
READ_BY_CODE = frozenset({"gen_ai.operation.name", "error.type", EXIT_CODE, *INPUT, *OUTPUT})

_REQUESTS = frozenset({"chat", "generate_content", "text_completion", "embeddings", "completion"})
_TOTALS = frozenset({"invoke_agent", "create_agent", "invoke_workflow"})


def request(attributes: Attributes) -> EventReading:
    """A request that failed with an answer, such as one that was cut off, still used tokens."""
    if any(attributes.get(name) is not None for name in (*INPUT, *OUTPUT)):
        return REQUEST
    return REQUEST_ERROR if attributes.get("error.type") else NOT_KEPT


def operation(attributes: Attributes) -> EventReading | None:
    """How a span or log record is read, by its operation; None where it follows no convention that is known."""
    name = attributes.get("gen_ai.operation.name")
    if name in _REQUESTS:
        return request(attributes)
    if name == "execute_tool":
        return TOOL_CALL
    if name in _TOTALS:
        return AT_WORK
    if name is None and any(attributes.get(name) is not None for name in INPUT):
        return REQUEST  # before operations had names
    return None


# What stood in log records before the conventions put messages into attributes.
CONTENT_EVENTS = (
    *("gen_ai.system.message", "gen_ai.user.message", "gen_ai.assistant.message", "gen_ai.tool.message"),
    *("gen_ai.choice", "gen_ai.content.prompt", "gen_ai.content.completion", "gen_ai.evaluation.result"),
)
TOKEN_USAGE = Metric(
    attribute="gen_ai.token.type",
    measures={
        "input": Measure.PROMPT_TOKENS,
        "output": Measure.OUTPUT_TOKENS,
        "completion": Measure.OUTPUT_TOKENS,  # deprecated
    },
    model=MODEL,
    is_histogram=True,
)


def gen_ai_vocabulary(agent: str, service: re.Pattern[str]) -> Vocabulary:
    """The conventions as the words of the program that calls itself so."""
    return Vocabulary(
        agent=agent,
        service=service,
        session_keys=SESSION_KEYS,
        reads_span_context=True,
        trace_is_session=True,
        unlisted=operation,
        read_by_code=READ_BY_CODE,
        readings=(REQUEST, REQUEST_ERROR, TOOL_CALL, AT_WORK),
        events={"gen_ai.client.inference.operation.details": request, **dict.fromkeys(CONTENT_EVENTS, NOT_KEPT)},
        metrics={
            "gen_ai.client.token.usage": TOKEN_USAGE,
            **dict.fromkeys(
                (
                    *("gen_ai.client.operation.duration", "gen_ai.client.operation.time_to_first_chunk"),
                    *("gen_ai.client.operation.time_per_output_chunk", "gen_ai.server.request.duration"),
                    *("gen_ai.server.time_per_output_token", "gen_ai.server.time_to_first_token"),
                ),
                NOT_KEPT,
            ),
        },
    )
