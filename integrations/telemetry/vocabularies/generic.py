"""Agents that no vocabulary reads yet: their events are kept with their attributes, and listed."""

from __future__ import annotations

import functools
import re

from integrations.telemetry.vocabularies.vocabulary import Vocabulary

# In this order: a conversation is a session, while session.id can be the window of an editor.
SESSION_KEYS = ("gen_ai.conversation.id", "conversation.id", "session.id", "session_id")

KNOWN_SERVICES = (
    (re.compile(r"codex", re.I), "codex"),
    (re.compile(r"gemini", re.I), "gemini"),
    (re.compile(r"copilot", re.I), "copilot"),
    (re.compile(r"cursor", re.I), "cursor"),
)
LONGEST_AGENT = 40


@functools.lru_cache(maxsize=256)
def generic_vocabulary(service_name: str) -> Vocabulary:
    """A vocabulary without words for the agent that calls itself `service_name`."""
    for service, agent in KNOWN_SERVICES:
        if service.search(service_name):
            return Vocabulary(agent=agent, service=service, session_keys=SESSION_KEYS)
    slug = re.sub(r"[^a-z0-9]+", "_", service_name.lower()).strip("_")[:LONGEST_AGENT].rstrip("_") or "unknown"
    return Vocabulary(agent=slug, service=re.compile(re.escape(service_name)), session_keys=SESSION_KEYS)
