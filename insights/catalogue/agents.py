"""Agents' names, and the order in which agents are listed."""

from __future__ import annotations

from collections.abc import Iterable

from integrations.connectors.git.agent_signatures import AGENT_NAMES as NAMES_IN_GIT

AGENT_NAMES = {
    "claude_code": "Claude Code",
    "cursor": "Cursor",
    "copilot": "Copilot",
    "codex": "Codex",
    "gemini": "Gemini",
}


def agent_name(slug: str) -> str:
    """The agent's name; an agent without a known name is shown by its slug."""
    return AGENT_NAMES.get(slug) or NAMES_IN_GIT.get(slug, slug or "Unknown agent")


def in_agent_order(slugs: Iterable[str]) -> list[str]:
    known = list(AGENT_NAMES)
    return sorted(slugs, key=lambda slug: (known.index(slug) if slug in known else len(known), slug))
