"""The addresses, names and trailers by which coding agents sign commits, and those of other bots.

The address decides: a trailer may name one tool's model and another tool's address.  Sources are listed in
docs/agents/signatures.md.
"""

from __future__ import annotations

import re

from integrations.connectors.git.messages import trailers_of
from orgtree.identities.addresses import host_login

# GitHub logins, less "[bot]"; matched without case and without the numeric prefix of their no-reply addresses.
_LOGINS = {
    "claude": "claude_code",
    "copilot": "copilot",
    "copilot-swe-agent": "copilot",
    "cursor": "cursor",
    "cursoragent": "cursor",
    "chatgpt-codex-connector": "codex",
    "gemini-cli": "gemini",
    "gemini-code-assist": "gemini",
    "google-labs-jules": "jules",
    "devin-ai-integration": "devin",
}
_ADDRESSES = {
    "noreply@anthropic.com": "claude_code",
    "cursoragent@cursor.com": "cursor",
    "copilot@github.com": "copilot",
    "noreply@openai.com": "codex",
    "codex@openai.com": "codex",
    "gemini-cli-agent@google.com": "gemini",
    "gemini-cli-robot@google.com": "gemini",
    "aider@aider.chat": "aider",
    "noreply@aider.chat": "aider",
    "amp@ampcode.com": "amp",
    "noreply@opencode.ai": "opencode",
    "openhands@all-hands.dev": "openhands",
    "roomote@roocode.com": "roo_code",
    "noreply@cline.bot": "cline",
}
CO_AUTHORED_BY = "co-authored-by"
# Trailers that only one tool writes, whatever their value.
_TRAILERS = {
    "claude-session": "claude_code",
    "agent-logs-url": "copilot",
    "amp-thread-id": "amp",
}
# Trailers in which people name what helped them; they name people, too, so that only an agent's own name counts.
_NAMING_TRAILERS = frozenset({"assisted-by", "generated-by", "ai-assistant"})
_NAMES = {
    "claude": "claude_code",
    "claude code": "claude_code",
    "copilot": "copilot",
    "github copilot": "copilot",
    "cursor": "cursor",
    "codex": "codex",
    "codex cli": "codex",
    "openai codex": "codex",
    "gemini": "gemini",
    "gemini cli": "gemini",
    "aider": "aider",
    "amp": "amp",
    "devin": "devin",
    "jules": "jules",
    "opencode": "opencode",
    "openhands": "openhands",
    "roo code": "roo_code",
    "cline": "cline",
}
_AGENT_AND_MODEL = re.compile(r"^(?P<agent>[a-z ]+?)(?:\s+v?[0-9][0-9.]*)?\s*(?:[:(].*)?$")
_AIDER_NAME = re.compile(r" \(aider\)$")
_MADE_WITH = {"cursor": "cursor"}
_BOT_LOGIN = re.compile(r"\[bot\]$", re.IGNORECASE)
# GitLab's access tokens of projects and groups sign so: https://docs.gitlab.com/user/project/settings/project_access_tokens/
_GITLAB_TOKEN = re.compile(r"(?:project|group)_\d+_bot(?:_[0-9a-f]+)?")
_BOTS = frozenset(
    {"dependabot", "renovate", "github-actions", "web-flow", "greenkeeper", "snyk-bot", "semantic-release"}
)

# Hosts that commit in the name of whoever pressed a button.
_HOSTS = frozenset({"noreply@github.com", "noreply@gitlab.com"})


def agent_of_signature(name: str, email: str) -> str:
    """The agent of a signature, by its slug; empty for anybody else."""
    email = email.strip().lower()
    if agent := _ADDRESSES.get(email):
        return agent
    if login := login_of_no_reply(email):
        return _LOGINS.get(_BOT_LOGIN.sub("", login), "")
    if _BOT_LOGIN.search(name):
        return _LOGINS.get(_BOT_LOGIN.sub("", name).lower(), "")
    return "aider" if _AIDER_NAME.search(name) else ""


def agent_of_bot(value: str) -> str:
    """The agent of a bot with this login or address, by its slug; empty for any other bot.

    Code hosts name bots by their logins, with or without "[bot]".
    """
    return agent_of_signature(value, value) or _LOGINS.get(_BOT_LOGIN.sub("", value).lower(), "")


def agent_of_trailer(key: str, value: str) -> str:
    """The agent that a trailer other than Co-authored-by identifies; empty for any other trailer."""
    key = key.strip().lower()
    if key == "made-with":
        return _MADE_WITH.get(value.strip().lower(), "")
    if key in _NAMING_TRAILERS:
        return _agent_named(value)
    return _TRAILERS.get(key, "")


def agents_of_message(message: str) -> tuple[str, ...]:
    """The agents that a commit message's trailers identify, in order of their slugs."""
    agents = set()
    for trailer in trailers_of(message):
        if trailer.key.lower() == CO_AUTHORED_BY:
            name, _, rest = trailer.value.partition("<")
            agents.add(agent_of_signature(name.strip(), rest.partition(">")[0]))
        else:
            agents.add(agent_of_trailer(trailer.key, trailer.value))
    return tuple(sorted(agents - {""}))


def _agent_named(value: str) -> str:
    """The agent in "Claude Code", "Claude:claude-opus-4.5" (agent and model) or, by its address, "Name <address>"."""
    name, bracket, rest = value.partition("<")
    if bracket:
        return agent_of_signature(name.strip(), rest.partition(">")[0])
    match = _AGENT_AND_MODEL.match(value.strip().lower())
    return _NAMES.get(match["agent"], "") if match else ""


def login_of_no_reply(email: str) -> str:
    """The GitHub login in a no-reply address, in lower case; empty for any other address."""
    account = host_login(email)
    return account.login if account and account.provider == "github" else ""


def is_bot(name: str, email: str) -> bool:
    """Whether a signature is a bot's, coding agents included."""
    account = host_login(email)
    login = account.login if account else ""
    return bool(
        agent_of_signature(name, email)
        or _BOT_LOGIN.search(name)
        or _BOT_LOGIN.search(login)
        or _GITLAB_TOKEN.fullmatch(login)
        or login in _BOTS
        or email.strip().lower() in _HOSTS
        or name.lower() in _BOTS
    )
