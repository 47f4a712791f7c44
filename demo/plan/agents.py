"""Agents that people of the demo use besides Claude Code, since when, and with which models.

A team adopts another agent in some week, for a share of its sessions.  Models that no price list knows are tried with
Claude Code.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from demo.plan.model_prices import newest
from demo.plan.people import CHECKOUT, DATA, LOGISTICS, MOBILE, PLATFORM, SEARCH, TOOLING, DemoPerson

CLAUDE_CODE, CODEX, GEMINI, COPILOT = "claude_code", "codex", "gemini", "copilot"


@dataclass(frozen=True, slots=True)
class OtherAgent:
    agent: str
    since: int  # weeks before the demo's end
    share: float  # of the team's sessions


_OF_TEAM = {
    CHECKOUT: (OtherAgent(CODEX, 22, 0.2), OtherAgent(COPILOT, 30, 0.12)),
    SEARCH: (OtherAgent(GEMINI, 26, 0.2),),
    PLATFORM: (OtherAgent(CODEX, 40, 0.45),),
    MOBILE: (OtherAgent(COPILOT, 30, 0.4),),
    DATA: (OtherAgent(GEMINI, 34, 0.5),),
    TOOLING: (OtherAgent(COPILOT, 44, 0.4),),
    LOGISTICS: (),
}
_MODELS = {
    CODEX: ((54, "gpt-5-codex"), (36, "gpt-5.1-codex"), (12, "gpt-5.4")),
    GEMINI: ((54, "gemini-2.5-pro"), (15, "gemini-3-pro-preview")),
    COPILOT: ((54, "gpt-5-mini"), (25, "gpt-5.4")),
}
VERSIONS = {CODEX: "0.169.0", GEMINI: "v20.20.2", COPILOT: "1.0.102"}  # Gemini CLI sends that of Node
# How each calls the tools that Claude Code has.
TOOL_NAMES = {
    CODEX: {"Edit": "apply_patch", "Write": "apply_patch", "WebFetch": "web_search", "Task": "spawn_agent"},
    GEMINI: {
        **{"Read": "read_file", "Edit": "replace", "Write": "write_file", "Bash": "run_shell_command"},
        **{"Grep": "search_file_content", "Glob": "glob", "WebFetch": "web_fetch", "Task": "codebase_investigator"},
    },
    COPILOT: {
        **{"Read": "view", "Edit": "edit", "Write": "create", "Bash": "bash"},
        **{"Grep": "grep", "Glob": "glob", "WebFetch": "web_fetch", "Task": "task"},
    },
}
_SHELL_OF_CODEX = "exec_command"


def agent_of_session(person: DemoPerson, weeks_before_end: int, rng: Random) -> str:
    drawn = rng.random()
    for other in _OF_TEAM[person.team]:
        if weeks_before_end < other.since:
            if drawn < other.share:
                return other.agent
            drawn -= other.share
    return CLAUDE_CODE


def model_of(agent: str, weeks_before_end: int) -> str:
    return newest(_MODELS[agent], weeks_before_end)


def tool_name(agent: str, tool: str) -> str:
    """The agent's name for a tool of Claude Code; Codex reads and searches with its shell."""
    return TOOL_NAMES[agent].get(tool, _SHELL_OF_CODEX if agent == CODEX else tool)
