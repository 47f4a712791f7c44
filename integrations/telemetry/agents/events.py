"""The words in which every agent's telemetry is kept, whatever the agent calls them."""

from __future__ import annotations

import enum


class EventKind(enum.IntEnum):
    """What a kept event is; stored in `integrations_agent_event.kind`."""

    REQUEST = 1  # an answered request to a model, with tokens
    REQUEST_ERROR = 2  # a request that failed for good
    TOOL_CALL = 3  # a tool ran, or was refused: `outcome`
    SESSION = 4  # anything else that shows the session at work: its start, a compaction, a hook
    PROMPT = 5  # the person asked for something
    UNREAD = 9  # no vocabulary reads it; kept with its attributes
    UNREAD_POINT = 10  # of a metric: the same, and no event


class Measure(enum.StrEnum):
    """What a kept metric point measures; stored in `integrations_agent_point.measure`."""

    INPUT_TOKENS = "input_tokens"  # uncached
    # All of a prompt: what stands in the two measures of the cache is taken off, the rest is uncached.
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
