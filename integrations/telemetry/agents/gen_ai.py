"""OpenTelemetry's conventions for generative AI, for programs without a vocabulary of their own.

https://opentelemetry.io/docs/specs/semconv/gen-ai/  Spans are distinguished by `gen_ai.operation.name`, because span
names contain the model or tool.  Input tokens include those read from and written to the cache, except from programs
that count them separately (sessions/cache_exclusive.py).  The tokens of an `invoke_agent` span are the sums of its
children and are not added again.

Two other sets of names are read as well:
- OpenInference's: https://arize-ai.github.io/openinference/spec/semantic_conventions.html
- those of the Vercel AI SDK, which opencode and many TypeScript programs use:
https://ai-sdk.dev/docs/ai-sdk-core/telemetry
  Its spans are distinguished by `ai.operationId`.  A call's span has the sums of its requests, which are the spans
  `….doGenerate` and `….doStream` below it.  Whether input includes cached tokens depends on its version and on the
  provider.  Before version 6, cached tokens, or only those written to the cache, appear only in metadata in the
  provider's own terms.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from integrations.models.sessions import ToolOutcome
from integrations.telemetry.agents.events import EventKind, Measure
from integrations.telemetry.agents.parts import Parts
from integrations.telemetry.agents.values import LARGEST_COUNT, Attributes, Value
from integrations.telemetry.agents.vocabulary import (
    INCOMPLETE,
    NOT_KEPT,
    SPAN_DURATION_MS,
    SPAN_FAILED,
    SPAN_ID,
    Count,
    Event,
    EventReading,
    Metric,
    Vocabulary,
)

# The first of each is the current name; the others are deprecated or predate the conventions.
INPUT = (
    *("gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens", "llm.token_count.prompt"),
    *("ai.usage.inputTokens", "ai.usage.promptTokens", "ai.usage.tokens"),  # the last one for embeddings
)
OUTPUT = (
    *("gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens", "llm.token_count.completion"),
    *("ai.usage.outputTokens", "ai.usage.completionTokens"),
)
CACHE_READ = (
    "gen_ai.usage.cache_read.input_tokens",
    "gen_ai.usage.input_tokens.cached",
    "gen_ai.usage.cache_read_input_tokens",
    "gen_ai.usage.cache_read_tokens",
    "gen_ai.usage.cached_tokens",
    "gen_ai.usage.details.cache_read_tokens",  # pydantic-ai, by its own or the provider's names
    "gen_ai.usage.details.cache_read_input_tokens",
    "gen_ai.usage.details.cached_tokens",
    "llm.token_count.prompt_details.cache_read",
    "ai.usage.inputTokenDetails.cacheReadTokens",
    "ai.usage.cachedInputTokens",
    "ai.response.providerMetadata.cacheReadTokens",  # derived from it, as the next ones
)
CACHE_WRITE = (
    "gen_ai.usage.cache_creation.input_tokens",
    "gen_ai.usage.cache_write.input_tokens",
    "gen_ai.usage.input_tokens.cache_write",
    "gen_ai.usage.cache_creation_input_tokens",
    "gen_ai.usage.cache_write_tokens",
    "gen_ai.usage.cache_creation_tokens",
    "gen_ai.usage.details.cache_write_tokens",
    "gen_ai.usage.details.cache_creation_input_tokens",
    "llm.token_count.prompt_details.cache_write",
    "ai.usage.inputTokenDetails.cacheWriteTokens",
    "ai.response.providerMetadata.cacheWriteTokens",
)
CACHE_WRITE_5M = (
    "gen_ai.usage.cache_creation.ephemeral_5m_input_tokens",
    "gen_ai.usage.cache_creation_5m_tokens",
    "gen_ai.usage.details.ephemeral_5m_input_tokens",
    "gen_ai.usage.ephemeral_5m_input_tokens",
    "ai.response.providerMetadata.cacheWriteTokens5m",
)
CACHE_WRITE_1H = (
    "gen_ai.usage.cache_creation.ephemeral_1h_input_tokens",
    "gen_ai.usage.cache_creation_1h_tokens",
    "gen_ai.usage.details.ephemeral_1h_input_tokens",
    "gen_ai.usage.ephemeral_1h_input_tokens",
    "ai.response.providerMetadata.cacheWriteTokens1h",
)
UNCACHED = "ai.usage.inputTokenDetails.noCacheTokens"  # shows which tokens input includes
MODEL = (
    *("gen_ai.response.model", "gen_ai.request.model"),
    *("llm.response.model_name", "llm.model_name", "llm.request.model_name"),
    *("ai.response.model", "ai.model.id"),
)
# The tier that served a request, else the requested one (they differ when a busy tier falls back).  The current names
# are in OpenAI's registry; they were in the general conventions before, and other providers' instrumentation uses both.
# https://opentelemetry.io/docs/specs/semconv/registry/attributes/openai/
SERVICE_TIER = (
    *("openai.response.service_tier", "gen_ai.openai.response.service_tier", "gen_ai.response.service_tier"),
    *("openai.request.service_tier", "gen_ai.openai.request.service_tier", "gen_ai.request.service_tier"),
)
# A conversation is a session, while session.id can be the window of an editor.
# Metadata of the AI SDK are defined by each program; these names are common.
SESSION_KEYS = (
    *("gen_ai.conversation.id", "conversation.id", "session.id", "session_id"),
    *(
        f"ai.telemetry.metadata.{name}"
        for name in (
            *("sessionId", "sessionID", "session_id", "session.id", "conversationId", "conversation_id"),
            *("threadId", "thread_id", "chatId", "chat_id"),
        )
    ),
)
# Only addresses count: opencode sends the login of the machine, or "unknown".
ADDRESS_KEYS = tuple(f"ai.telemetry.metadata.{name}" for name in ("userId", "userID", "user_id", "userEmail", "email"))
EXIT_CODE = "process.exit.code"
SUCCESS = "success"
OPERATION_ID = "ai.operationId"
PROVIDER_METADATA = "ai.response.providerMetadata"
# The words of Anthropic, Amazon Bedrock, OpenAI, DeepSeek, Google and OpenRouter, and the names above for them.
_IN_METADATA = {
    **dict.fromkeys(
        (
            *("cacheReadInputTokens", "cache_read_input_tokens", "cachedPromptTokens", "promptCacheHitTokens"),
            *("cachedContentTokenCount", "cachedTokens"),
        ),
        CACHE_READ[-1],
    ),
    **dict.fromkeys(
        ("cacheCreationInputTokens", "cacheWriteInputTokens", "cache_creation_input_tokens"), CACHE_WRITE[-1]
    ),
    "ephemeral_5m_input_tokens": CACHE_WRITE_5M[-1],
    "ephemeral_1h_input_tokens": CACHE_WRITE_1H[-1],
}
_METADATA_LEVELS = 4  # anthropic, usage, cache_creation, ephemeral_5m_input_tokens
AI_PROVIDER = "ai.model.provider"
PROVIDER = ("gen_ai.provider.name", "gen_ai.system", AI_PROVIDER, "llm.provider", "llm.system")

UNCACHED_INPUT = Count(of=(INPUT,), less=(CACHE_READ, CACHE_WRITE), may_be_apart=True)


def tool_outcome(attributes: Attributes) -> str:
    """The outcome of a tool call: a non-zero exit code is a failure, even if the call itself succeeded.

    The status of a span decides if nothing else says how the call ended.
    """
    signs: list[bool] = []
    if attributes.get("error.type"):
        signs.append(True)
    if (exit_code := attributes.get(EXIT_CODE)) is not None:
        signs.append(exit_code not in (0, "0"))
    if (success := attributes.get(SUCCESS)) is not None:
        signs.append(success in (False, "false"))
    failed = any(signs) if signs else bool(attributes.get(SPAN_FAILED))
    return (ToolOutcome.FAILED if failed else ToolOutcome.SUCCEEDED).value


def tokens_in_metadata(attributes: Attributes) -> dict[str, Value]:
    """Cached tokens that a provider's metadata report, as attributes for them; the metadata themselves are content."""
    metadata = attributes.get(PROVIDER_METADATA)
    if isinstance(metadata, str):
        try:
            metadata = json.loads(metadata)
        except (ValueError, RecursionError):
            return {}
    if not isinstance(metadata, Mapping):
        return {}
    found: dict[str, Value] = {}
    for word, count in _counts(metadata, _METADATA_LEVELS):
        if word in _IN_METADATA:
            found.setdefault(_IN_METADATA[word], count)
    return found


def _counts(told: Mapping[str, Value], levels: int) -> Iterator[tuple[str, int]]:
    for word, value in told.items():
        if isinstance(value, Mapping) and levels > 1:
            yield from _counts(value, levels - 1)
        elif isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LARGEST_COUNT:
            yield word, value


REQUEST = Event(
    kind=EventKind.REQUEST,
    key=("gen_ai.response.id", "ai.response.id", SPAN_ID),
    model=MODEL,
    input_tokens=UNCACHED_INPUT,
    cache_read_tokens=Count(of=(CACHE_READ,)),
    cache_write_tokens=Count(of=(CACHE_WRITE,)),
    cache_write_5m_tokens=Count(of=(CACHE_WRITE_5M,)),
    cache_write_1h_tokens=Count(of=(CACHE_WRITE_1H,)),
    output_tokens=Count(of=(OUTPUT,)),
    service_tier=SERVICE_TIER,
    duration_ms=SPAN_DURATION_MS,
    parts=Parts(
        sub_agent=("gen_ai.agent.name",),
        effort=("gen_ai.request.reasoning.level",),
        provider=PROVIDER,
        models=MODEL,
    ),
)
REQUEST_IN_DETAIL = replace(REQUEST, input_tokens=UNCACHED)
REQUEST_ERROR = Event(
    kind=EventKind.REQUEST_ERROR,
    key=("gen_ai.response.id", "ai.response.id", SPAN_ID),
    model=MODEL,
    error_type="error.type",
    duration_ms=SPAN_DURATION_MS,
)
TOOL_CALL = Event(
    kind=EventKind.TOOL_CALL,
    key=("gen_ai.tool.call.id", "gen_ai.tool.call_id", "ai.toolCall.id", SPAN_ID),
    tool=("gen_ai.tool.name", "tool.name", "ai.toolCall.name"),
    error_type="error.type",
    duration_ms=SPAN_DURATION_MS,
    outcome=tool_outcome,
)
AT_WORK = Event(kind=EventKind.SESSION)
_TOKENS = (*INPUT, *OUTPUT, *CACHE_READ, *CACHE_WRITE, *CACHE_WRITE_5M, *CACHE_WRITE_1H)
SPAN_KIND = "openinference.span.kind"
READ_BY_CODE = frozenset(
    {"gen_ai.operation.name", SPAN_KIND, OPERATION_ID, "error.type", EXIT_CODE, SUCCESS, UNCACHED, *_TOKENS}
)
# Attributes of the conventions that are not used.
NOT_NEEDED = frozenset(
    {
        *(
            "gen_ai.output.type",
            "gen_ai.data_source.id",
            "gen_ai.agent.id",
            "gen_ai.agent.version",
            "gen_ai.workflow.name",
        ),
        *("gen_ai.prompt.name", "gen_ai.prompt.version", "gen_ai.tool.type", "gen_ai.embeddings.dimension.count"),
        *("gen_ai.request.temperature", "gen_ai.request.top_p", "gen_ai.request.top_k", "gen_ai.request.seed"),
        *("gen_ai.request.max_tokens", "gen_ai.request.choice.count", "gen_ai.request.stop_sequences"),
        *("gen_ai.request.frequency_penalty", "gen_ai.request.presence_penalty", "gen_ai.request.stream"),
        *("gen_ai.request.encoding_formats", "gen_ai.request.type"),
        *("gen_ai.response.finish_reasons", "gen_ai.response.time_to_first_chunk", "gen_ai.token.modality"),
        *("gen_ai.usage.reasoning.output_tokens", "gen_ai.usage.reasoning_tokens", "gen_ai.usage.total_tokens"),
        *("gen_ai.openai.request.seed", "gen_ai.openai.request.response_format"),
        *("gen_ai.openai.response.system_fingerprint", "openai.response.system_fingerprint", "openai.api.type"),
        *("gen_ai.usage.details.input_tokens", "gen_ai.usage.details.output_tokens"),
        "gen_ai.usage.details.reasoning_tokens",
        *("llm.token_count.total", "llm.token_count.completion_details.reasoning"),
        *("gen_ai.evaluation.name", "gen_ai.evaluation.score.value", "gen_ai.evaluation.score.label"),
        *("ai.usage.totalTokens", "ai.usage.reasoningTokens", "ai.usage.outputTokenDetails.textTokens"),
        *("ai.usage.outputTokenDetails.reasoningTokens", "operation.name", "resource.name"),
    }
)
# Other conventions of OpenTelemetry: the program's environment and its peers.
NOT_NEEDED_PREFIXES = (
    *("aws.", "azure.", "browser.", "client.", "cloud.", "code.", "container.", "db.", "deployment.", "device."),
    *("error.", "event.", "exception.", "faas.", "feature_flag.", "gcp.", "host.", "http.", "jsonrpc.", "k8s."),
    *("log.", "mcp.", "messaging.", "net.", "network.", "os.", "otel.", "peer.", "process.", "rpc.", "server."),
    *("service.", "telemetry.", "thread.", "url.", "user_agent."),
)
# Names of the AI SDK besides its token counts; its content is dropped and counted (content.py).
AI_SDK_NOT_NEEDED_PREFIXES = (
    *("ai.telemetry.", "ai.settings.", "ai.request.", "ai.response.", "ai.model.", "ai.stream.", "ai.schema"),
    *("ai.finishReason", "ai.operation", "ai.toolCall.", "ai.embedding"),
)

_REQUESTS = frozenset({"chat", "generate_content", "text_completion", "embeddings", "completion"})
_TOTALS = frozenset({"invoke_agent", "create_agent", "invoke_workflow"})
_OPENINFERENCE = {"llm": "chat", "embedding": "embeddings", "tool": "execute_tool", "agent": "invoke_agent"}


def request(attributes: Attributes) -> EventReading:
    """The reading of a request; a failed one with a partial response, for example because it was interrupted, still
    used tokens.
    """
    if attributes.get(UNCACHED) is not None:
        return REQUEST_IN_DETAIL
    if any(attributes.get(name) is not None for name in _TOKENS):
        return REQUEST
    return REQUEST_ERROR if attributes.get("error.type") or attributes.get(SPAN_FAILED) else INCOMPLETE


def operation(attributes: Attributes) -> EventReading | None:
    """The reading of a span or log record, by its operation; None if it follows no known convention."""
    if isinstance(of_ai_sdk := attributes.get(OPERATION_ID), str):
        return _ai_sdk_operation(of_ai_sdk, attributes)
    name = named if isinstance(named := attributes.get("gen_ai.operation.name"), str) else None
    if name is None and isinstance(kind := attributes.get(SPAN_KIND), str):
        name = _OPENINFERENCE.get(kind.lower(), "invoke_workflow")  # chains repeat the tokens of their parts
    if name in _REQUESTS:
        return request(attributes)
    if name == "execute_tool":
        return TOOL_CALL
    if name in _TOTALS:
        return AT_WORK
    if name is None and any(attributes.get(name) is not None for name in INPUT):
        return REQUEST  # predates operation names
    return None


def _ai_sdk_operation(name: str, attributes: Attributes) -> EventReading:
    """The reading of a span of the AI SDK: `ai.streamText` repeats the sums of its `ai.streamText.doStream`."""
    if name == "ai.toolCall":
        return TOOL_CALL
    return request(attributes) if ".do" in name else AT_WORK


# Log records with content, from before the conventions moved messages into attributes.
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
    seller=PROVIDER,
    is_histogram=True,
)


def gen_ai_vocabulary(agent: str, service: re.Pattern[str]) -> Vocabulary:
    """The conventions as the vocabulary of this program."""
    return Vocabulary(
        agent=agent,
        service=service,
        session_keys=SESSION_KEYS,
        reads_span_context=True,
        trace_is_session=True,
        unlisted=operation,
        is_generic=True,
        counts_differ=True,
        sender_keys=(AI_PROVIDER,),
        address_keys=ADDRESS_KEYS,
        read_by_code=READ_BY_CODE,
        readings=(REQUEST, REQUEST_ERROR, TOOL_CALL, AT_WORK),
        not_needed=NOT_NEEDED,
        not_needed_prefixes=(*NOT_NEEDED_PREFIXES, *AI_SDK_NOT_NEEDED_PREFIXES),
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


KNOWN_SERVICES = (
    (re.compile(r"codex", re.I), "codex"),
    (re.compile(r"gemini", re.I), "gemini"),
    (re.compile(r"copilot", re.I), "copilot"),
    (re.compile(r"cursor", re.I), "cursor"),
)
LONGEST_AGENT = 40


@functools.lru_cache(maxsize=256)
def generic_vocabulary(service_name: str) -> Vocabulary:
    """The vocabulary of the program that calls itself `service_name`."""
    for service, agent in KNOWN_SERVICES:
        if service.search(service_name):
            return gen_ai_vocabulary(agent, service)
    slug = re.sub(r"[^a-z0-9]+", "_", service_name.lower()).strip("_")[:LONGEST_AGENT].rstrip("_") or "unknown"
    return gen_ai_vocabulary(slug, re.compile(re.escape(service_name)))
