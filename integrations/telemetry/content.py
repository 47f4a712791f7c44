"""Attributes that carry what people wrote, ran or read.  They are dropped at the door and counted, never stored."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

CONTENT_ATTRIBUTES = frozenset(
    {
        # what was asked and answered
        *("prompt", "user_prompt", "response", "response_text", "request_text", "message", "messages", "reasoning"),
        *("body", "body_ref", "gen_ai.prompt", "gen_ai.completion", "gen_ai.input.messages", "gen_ai.output.messages"),
        *("gen_ai.system_instructions", "gen_ai.tool.definitions", "gen_ai.tool.description"),
        *("gen_ai.agent.description", "system_prompt"),
        # what tools were given and gave back
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
        # error texts quote what failed
        *("error", "error.message", "error_message", "exception.message", "exception.stacktrace"),
        # how the program was started: the prompt may stand on the command line
        *("process.command", "process.command_args", "process.command_line"),
    }
)
PLACEHOLDERS = frozenset({"", "<REDACTED>", "[REDACTED]"})
LONGEST_WORD = 200  # of an attribute nobody knows: what is longer, or has line breaks, is somebody's text


def content_names(attributes: Iterable[KeyValue]) -> Iterator[str]:
    """Names of the attributes known to carry content that do carry some."""
    for attribute in attributes:
        if attribute.key in CONTENT_ATTRIBUTES and not _is_empty(attribute.value):
            yield attribute.key


def looks_like_content(value: AnyValue) -> bool:
    """Whether a value of an attribute that nobody knows may be text that somebody wrote."""
    kind = value.WhichOneof("value")
    if kind == "string_value":
        return len(value.string_value) > LONGEST_WORD or "\n" in value.string_value or "\r" in value.string_value
    if kind == "array_value":
        return any(looks_like_content(element) for element in value.array_value.values)
    if kind == "kvlist_value":
        return any(
            entry.key in CONTENT_ATTRIBUTES or looks_like_content(entry.value) for entry in value.kvlist_value.values
        )
    return kind == "bytes_value"


def drop_content(attributes: list[KeyValue], *, known: frozenset[str] = frozenset()) -> Iterator[str]:
    """Remove every attribute with content from `attributes`, in place; yields the names of those that had some.

    `known` are attributes that a vocabulary reads: their values are words, however long.
    """
    kept = []
    for attribute in attributes:
        if attribute.key in CONTENT_ATTRIBUTES:
            if not _is_empty(attribute.value):
                yield attribute.key
        elif attribute.key not in known and looks_like_content(attribute.value):
            yield attribute.key
        else:
            kept.append(attribute)
    attributes[:] = kept


def _is_empty(value: AnyValue) -> bool:
    kind = value.WhichOneof("value")
    return kind is None or (kind == "string_value" and value.string_value in PLACEHOLDERS)
