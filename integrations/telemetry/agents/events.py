"""Kinds of events and measures to which all agents' telemetry is mapped."""

from __future__ import annotations

import enum


class EventKind(enum.IntEnum):
    """The kind of a stored event; stored in `integrations_agent_event.kind`."""

    REQUEST = 1  # an answered request to a model, with tokens
    REQUEST_ERROR = 2  # a request that failed, retries included
    TOOL_CALL = 3  # a tool ran, or was refused: `outcome`
    SESSION = 4  # any other sign of activity: session start, compaction, hook
    PROMPT = 5  # a prompt by the person
    UNREAD = 9  # not read by any vocabulary; stored with its attributes
    UNREAD_POINT = 10  # a metric point not read by any vocabulary


class Measure(enum.StrEnum):
    """The measure of a stored metric point; stored in `integrations_agent_point.measure`."""

    INPUT_TOKENS = "input_tokens"  # uncached
    # The whole prompt: minus the two cache measures, it gives the uncached tokens.
    PROMPT_TOKENS = "prompt_tokens"
    CACHE_READ_TOKENS = "cache_read_tokens"
    CACHE_WRITE_TOKENS = "cache_write_tokens"
    OUTPUT_TOKENS = "output_tokens"
    REPORTED_COST = "reported_cost"
    LINES_ADDED = "lines_added"
    LINES_REMOVED = "lines_removed"
    COMMITS = "commits"
    SESSIONS = "sessions"
    ACTIVE_SECONDS = "active_seconds"
