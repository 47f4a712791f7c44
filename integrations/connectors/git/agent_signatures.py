"""Signatures of coding agents and other bots: identifies them in authors, trailers and messages.

The address decides: a trailer may name one tool's model and another tool's address, and an agent that uses a person's
name is still that agent.  Known agents are listed in data/agents.toml; docs/agents/signatures.md explains the rules.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from integrations.connectors.git.messages import MOST_TRAILERS, Trailer, own_lines, parts_of, trailer_in, trailers_of
from orgtree.identities.names import host_login, without_tag

_FILE = Path(__file__).parent / "data" / "agents.toml"
_TEXT = _FILE.read_bytes()
_AGENTS: Mapping[str, Mapping[str, str | list[str]]] = tomllib.loads(_TEXT.decode())["agents"]
# Words that follow a model family, in place of a version or before it: Gemini Pro, Claude Opus 4.8.
_TIERS = (
    "opus|sonnet|haiku|fable|instant|pro|flash|ultra|nano|turbo|mini|code|coder|codex|max|plus|fast|oss|large|medium"
    "|small|next"
)

LIST_DIGEST = hashlib.sha256(_TEXT).hexdigest()
AGENT_NAMES: Mapping[str, str] = {slug: str(agent["name"]) for slug, agent in _AGENTS.items()}


def _by(field: str) -> Mapping[str, str]:
    """Value of a field → slug."""
    return {value: slug for slug, agent in _AGENTS.items() for value in agent.get(field, ())}


_ADDRESSES = _by("addresses")
_DOMAINS = _by("domains")
_APPS = _by("apps")
_ACCOUNTS = _by("accounts")
_NAMES = _by("names")
_SHORT_NAMES = _by("short_names")
_FAMILIES = _by("models")
_TRAILERS = {value.partition(":")[0]: slug for value, slug in _by("trailers").items()}
_TRAILER_VALUES: Mapping[str, frozenset[str]] = {
    key: frozenset(
        value.partition(":")[2].strip() for value in _by("trailers") if value.startswith(f"{key}:") and ":" in value
    )
    for key in _TRAILERS
}

_FAMILY = "|".join(sorted(_FAMILIES, key=len, reverse=True))
# A model's own name, which no person has; and one with an unlisted word (Claude Fable 5).
_MODEL = re.compile(rf"(?P<family>{_FAMILY})(?: ?(?:v|r|k)?\d| (?:{_TIERS})\b)[a-z0-9. ]*")
_LIKELY_MODEL = re.compile(rf"(?P<family>{_FAMILY})(?: [a-z]+){{0,2}} ?(?:v|r|k)?\d[a-z0-9. ]*")
_VERSION = re.compile(r"(?: v?\d[\d.]*)+$")


def _plain(name: str) -> str:
    """A name in the form of the list: lower case, words separated by single blanks, without surrounding punctuation."""
    return " ".join(re.sub(r"[^a-z0-9.]+", " ", name.lower()).split()).strip(".")


def _agent_by_name(plain_name: str) -> str:
    """The agent with this name, which belongs to no person: a tool's or a model's; empty for any other."""
    if agent := _NAMES.get(plain_name) or _NAMES.get(_VERSION.sub("", plain_name)):
        return agent
    model = _MODEL.fullmatch(plain_name)
    return _FAMILIES[model["family"]] if model else ""


def _agent_by_short_name(plain_name: str) -> str:
    """The agent that people call by this name, or by the name of its model, when they credit its help."""
    if agent := _agent_by_name(plain_name) or _SHORT_NAMES.get(_VERSION.sub("", plain_name)):
        return agent
    model = _LIKELY_MODEL.fullmatch(plain_name)
    return _FAMILIES[model["family"]] if model else _FAMILIES.get(plain_name, "")


def agent_of_name(name: str) -> str:
    """The agent with this name in a tool that records agents; empty for one that is not listed."""
    return _agent_by_short_name(_plain(name))


CO_AUTHORED_BY = "co-authored-by"
# A tool that records the sessions of several agents, and names none of them in the commit.
ENTIRE = "entire"
# Trailers that credit help.  They also name people, so only an agent's own name counts.
_NAMING_TRAILERS = frozenset(
    {
        *("assisted-by", "generated-by", "generated-with", "ai-assistant", "ai-assisted-by", "ai-generated-by"),
        *("made-with", "co-developed-by", "x-ai-model"),
    }
)
# Names that are also given names: without an address they prove nothing.
_GIVEN_NAMES = frozenset({"jules", "devin", "cody", "junie", "charlie", "amp", "oz", "pi"})
_HINTS = (CO_AUTHORED_BY, "generated", *_NAMING_TRAILERS, *_TRAILERS)
_FOOTER = re.compile(
    r"\W{0,8}generated (?:with|by) (?:\[(?P<linked>[^\]]{1,60})\].*|(?P<plain>[^\[\]<(]{1,40}?))\W*", re.I
)
_ADDRESS = re.compile(r"[^\s<>@]+@[^\s<>@]+")
_SEPARATED = re.compile(r"[:/(),;|\[\]]| - ")
_AIDER_NAME = re.compile(r" \(aider\)$")
_BOT_LOGIN = re.compile(r"\[bot\]$", re.IGNORECASE)
# GitLab's project and group access tokens: https://docs.gitlab.com/user/project/settings/project_access_tokens/
_GITLAB_TOKEN = re.compile(r"(?:project|group)_\d+_bot(?:_[0-9a-f]+)?")
# Bots whose messages name the people who contributed to what they update or release.
_UPDATERS = frozenset({"dependabot", "renovate", "greenkeeper", "snyk-bot", "semantic-release"})
_BOTS = _UPDATERS | {"github-actions", "web-flow"}

# Hosts that commit on behalf of the person who pressed a button.
_HOSTS = frozenset({"noreply@github.com", "noreply@gitlab.com"})


@dataclass(frozen=True, slots=True)
class SquashParts:
    """The number of commits in a squash's message, and how many of them each agent signed."""

    count: int
    signed: Mapping[str, int]


@lru_cache(maxsize=10_000)  # the same people commit after commit
def agent_of_signature(name: str, email: str) -> str:
    """The agent of a signature, by its slug; empty for anybody else."""
    email = email.strip().lower()
    if agent := _ADDRESSES.get(email) or _ADDRESSES.get(without_tag(email)):
        return agent
    if login := login_of_no_reply(email):
        if agent := _APPS.get(_BOT_LOGIN.sub("", login), "") if _BOT_LOGIN.search(login) else _ACCOUNTS.get(login, ""):
            return agent
    elif _BOT_LOGIN.search(name) and (agent := _APPS.get(_BOT_LOGIN.sub("", name).lower(), "")):
        return agent
    if _AIDER_NAME.search(name):
        return "aider"
    own_name = _plain(name)
    return _agent_by_name(own_name) or _agent_of_maker(own_name, email)


def _agent_of_maker(own_name: str, email: str) -> str:
    """The agent that signs with its short name at an address of its maker, or at a person's address tagged with it."""
    agent = _agent_by_short_name(own_name)
    if not agent or host_login(email):  # the number in a host's no-reply address is not a mailbox
        return ""
    local, _, domain = email.rpartition("@")
    tag = _agent_by_short_name(_plain(local.partition("+")[2]))
    maker = _DOMAINS.get(domain) or next((_DOMAINS[known] for known in _DOMAINS if domain.endswith(f".{known}")), "")
    return agent if agent in (maker, tag) else ""


def agent_of_bot(value: str) -> str:
    """The agent of a bot with this login or address, by its slug; empty for any other bot.

    Code hosts name bots by their logins, with or without "[bot]".
    """
    return agent_of_signature(value, value) or _APPS.get(_BOT_LOGIN.sub("", value).lower(), "")


def agent_of_trailer(key: str, value: str) -> str:
    """The agent that a trailer identifies; empty for any other trailer."""
    key = key.strip().lower()
    if key in _TRAILERS:
        values = _TRAILER_VALUES[key]
        return _TRAILERS[key] if not values or value.strip().lower() in values else ""
    if key == CO_AUTHORED_BY:
        return _agent_credited(value)
    return _agent_named(value) if key in _NAMING_TRAILERS else ""


def agents_of_message(message: str) -> tuple[str, ...]:
    """The agents that a commit message identifies, in order of their slugs."""
    trailers = (*trailers_of(message), *agent_lines(message))
    return tuple(sorted({agent_of_trailer(trailer.key, trailer.value) for trailer in trailers} - {""}))


def agent_lines(message: str) -> tuple[Trailer, ...]:
    """Trailers of agents anywhere in a message, each once: hosts and hooks put text below them.

    Among other text only unambiguous lines count: an agent's address, a trailer that only one tool writes, and its line
    "Generated with".
    """
    words = message.lower()
    if not any(hint in words for hint in _HINTS):  # most messages
        return ()
    return tuple(dict.fromkeys(_agent_lines(own_lines(message))))[:MOST_TRAILERS]


def squash_parts(message: str) -> SquashParts | None:
    """The number of parts of a squash's message that each agent signed; None if the message does not say.

    Trailers below only the last part may apply to all of them.
    """
    if not agent_lines(message):
        return None
    parts = parts_of(message)
    agents = [{agent_of_trailer(line.key, line.value) for line in _agent_lines(part)} for part in parts.lines]
    if len(agents) < 2 or not any(agents if parts.closed else agents[:-1]):
        return None
    return SquashParts(
        len(agents), {agent: sum(agent in signed for signed in agents) for agent in sorted(set().union(*agents))}
    )


def _agent_lines(lines: Iterable[str]) -> Iterator[Trailer]:
    for line in lines:
        if footer := _FOOTER.fullmatch(line):
            name = footer["linked"] or footer["plain"]
            if _agent_by_short_name(_plain(name)):
                yield Trailer("Generated-with", name.strip())
        elif (trailer := trailer_in(line)) and _is_unmistakable(trailer):
            yield trailer


def _is_unmistakable(trailer: Trailer) -> bool:
    key = trailer.key.lower()
    if key in _TRAILERS:
        return bool(agent_of_trailer(key, trailer.value))
    return (
        (key == CO_AUTHORED_BY or key in _NAMING_TRAILERS)
        and ("@" in trailer.value or "://" in trailer.value)
        and bool(agent_of_trailer(key, trailer.value))
    )


def _agent_credited(value: str) -> str:
    """The agent in a trailer for people: by its address or, without one, by a name that is no given name."""
    if "@" in value:
        return _agent_at_address(value)
    name = _plain(_BOT_LOGIN.sub("", value.partition("<")[0].strip()))
    if "://" in value:  # a URL in place of an address belongs to a program; one that runs an agent is named after it
        return _agent_by_short_name(name) or _agent_by_short_name(name.partition(" ")[0])
    return _agent_by_name(name) or ("" if name in _GIVEN_NAMES else _SHORT_NAMES.get(name, ""))


def _agent_named(value: str) -> str:
    """The agent in "Claude Code", "Claude:claude-opus-4.5" (agent and model) or, by its address, "Name <address>"."""
    if "@" in value:
        return _agent_at_address(value)
    names = (_agent_by_short_name(_plain(name)) for name in _SEPARATED.split(value.partition("<")[0]))
    return next(filter(None, names), "")


def _agent_at_address(value: str) -> str:
    """The agent in "Name <address>", with or without the brackets."""
    address = _ADDRESS.search(value)
    if address is None:
        return ""
    return agent_of_signature(value[: address.start()].rstrip("< ").strip(), address[0])


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


def has_work_of_its_own(name: str, email: str) -> bool:
    """Whether a bot updates or releases the work of others, so that an agent named in its message is not at work
    here.
    """
    account = host_login(email)
    return bool({_BOT_LOGIN.sub("", word.lower()) for word in (name, account.login if account else "")} & _UPDATERS)
