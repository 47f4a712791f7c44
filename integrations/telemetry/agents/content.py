"""Attributes with content that people wrote, ran or read: dropped and counted on receipt, never stored."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterator, Mapping

from integrations.telemetry.agents.place import REPOSITORY_ATTRIBUTES
from integrations.telemetry.agents.values import Value

CONTENT_ATTRIBUTES = frozenset(
    {
        # prompts and responses
        *(
            "prompt",
            "user_prompt",
            "prompt_text",
            "response",
            "response_text",
            "request_text",
            "message",
            "messages",
            "reasoning",
        ),
        *("body", "body_ref", "gen_ai.prompt", "gen_ai.completion", "gen_ai.input.messages", "gen_ai.output.messages"),
        *("gen_ai.system_instructions", "gen_ai.tool.definitions", "gen_ai.tool.description"),
        *("gen_ai.agent.description", "system_prompt"),
        # tool inputs and outputs
        *("tool_input", "tool_output", "tool_parameters", "tool_response", "tool_result", "function_args"),
        *(
            "arguments",
            "args",
            "input",
            "output",
            "content",
            "metadata",
            "hook_input",
            "hook_output",
            "stdout",
            "stderr",
        ),
        *("gen_ai.tool.call.arguments", "gen_ai.tool.call.result", "full_command", "command", "bash_command"),
        *("file_path", "path", "workspace.host_paths", "github.copilot.tool.parameters.file_path"),
        # attributes of the Vercel AI SDK
        *("ai.prompt", "ai.prompt.messages", "ai.prompt.tools", "ai.prompt.toolChoice", "ai.prompt.format"),
        *("ai.response.text", "ai.response.reasoning", "ai.response.toolCalls", "ai.response.object"),
        *("ai.response.files", "ai.response.providerMetadata", "ai.schema", "ai.schema.description"),
        *("ai.toolCall.args", "ai.toolCall.result", "ai.value", "ai.values", "ai.embedding", "ai.embeddings"),
        *("ai.documents", "ai.result.text", "ai.result.toolCalls", "ai.result.object"),
        # error texts quote the failing input
        *("error", "error.message", "error_message", "exception.message", "exception.stacktrace"),
        # the command line may contain the prompt
        *("process.command", "process.command_args", "process.command_line"),
    }
)
PLACEHOLDERS = (None, "", "<REDACTED>", "[REDACTED]")
LONGEST_WORD = 200  # for unknown attributes: longer values, or values with line breaks, are treated as content

_NUMBER = re.compile(r"-?[0-9]{1,20}(?:\.[0-9]{1,20})?")
_WORD = re.compile(r"[A-Za-z0-9_.:+=-]{1,100}")
_MODEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:+=/-]{0,99}(?:@[A-Za-z0-9_-]{1,40})?")  # vendor/model@version
_SOUNDS_LIKE_CONTENT = re.compile(
    r"prompt|text|content|message|body|command|cmd|path|file|dir|arg|input|output|code$|diff|patch|quer|error"
    r"|reason|title|desc|summary|url|uri|std|stack|snippet|instruct|param|value|payload"
    r"|secret|token$|password|key|auth|cred|cookie"
)


def content_among(attributes: Mapping[str, Value]) -> Iterator[str]:
    """Names of the content attributes that are not empty."""
    for name in CONTENT_ATTRIBUTES & attributes.keys():
        if attributes[name] not in PLACEHOLDERS:
            yield name


def is_content(name: str, value: Value) -> bool:
    """Whether an attribute has, or may have, content: a content attribute, an unknown one with free text, or an address
    with a password."""
    return name in CONTENT_ATTRIBUTES or looks_like_content(value) or _may_have_a_password(name, value)


def _may_have_a_password(name: str, value: Value) -> bool:
    """Whether the value is a repository's address that may contain a password; the user in git@ is not one."""
    return name in REPOSITORY_ATTRIBUTES and isinstance(value, str) and "@" in value.removeprefix("git@")


def looks_like_content(value: Value) -> bool:
    if isinstance(value, str):
        return len(value) > LONGEST_WORD or "\n" in value or "\r" in value
    if isinstance(value, Mapping):
        return any(is_content(name, element) for name, element in value.items())
    if isinstance(value, Collection):
        return any(looks_like_content(element) for element in value)
    return False


def is_plain(name: str, value: Value) -> bool:
    """Whether the value of an unknown attribute may be stored: a number, or an identifier.

    An identifier has no spaces, is not an address, and has slashes only in model names, and the attribute's name does
    not suggest content.  Lists are rejected: no figure is read from one, and a list of words is a sentence.
    """
    if name in CONTENT_ATTRIBUTES:
        return False
    if isinstance(value, str):
        word = _MODEL if "model" in name.lower() else _WORD
        is_word = word.fullmatch(value) is not None and not _SOUNDS_LIKE_CONTENT.search(name.lower())
        return is_word or _NUMBER.fullmatch(value) is not None
    return value is None or (isinstance(value, int | float) and math.isfinite(value))


def name_in(body: str) -> str:
    """A log record's body if it is an event name, i.e. a single short word; else empty."""
    return "" if " " in body or looks_like_content(body) else body
