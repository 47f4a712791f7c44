"""Vocabularies for other programs: records that follow OpenTelemetry's conventions for generative AI are read.

All other records are stored with their attributes, and listed as unread.
"""

from __future__ import annotations

import functools
import re

from integrations.telemetry.agents.gen_ai import gen_ai_vocabulary
from integrations.telemetry.agents.vocabulary import Vocabulary

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
