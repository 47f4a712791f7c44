"""The list of coding agents and their names in git (data/agents.toml), indexed."""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path

_FILE = Path(__file__).parent / "data" / "agents.toml"
_TEXT = _FILE.read_bytes()
_AGENTS: Mapping[str, Mapping[str, str | list[str]]] = tomllib.loads(_TEXT.decode())["agents"]
# Words that follow a family of models instead of a version, or before it: Gemini Pro, Claude Opus 4.8.
_TIERS = (
    "opus|sonnet|haiku|fable|instant|pro|flash|ultra|nano|turbo|mini|code|coder|codex|max|plus|fast|oss|large|medium"
    "|small|next"
)

LIST_DIGEST = hashlib.sha256(_TEXT).hexdigest()
AGENT_NAMES: Mapping[str, str] = {slug: str(agent["name"]) for slug, agent in _AGENTS.items()}


def _by(field: str) -> Mapping[str, str]:
    """Value of a field → slug."""
    return {value: slug for slug, agent in _AGENTS.items() for value in agent.get(field, ())}


ADDRESSES = _by("addresses")
DOMAINS = _by("domains")
APPS = _by("apps")
ACCOUNTS = _by("accounts")
NAMES = _by("names")
SHORT_NAMES = _by("short_names")
FAMILIES = _by("models")
TRAILERS = {value.partition(":")[0]: slug for value, slug in _by("trailers").items()}
TRAILER_VALUES: Mapping[str, frozenset[str]] = {
    key: frozenset(
        value.partition(":")[2].strip() for value in _by("trailers") if value.startswith(f"{key}:") and ":" in value
    )
    for key in TRAILERS
}

_FAMILY = "|".join(sorted(FAMILIES, key=len, reverse=True))
# A model as it names itself, which no person does; and one with a word that no list has (Claude Fable 5).
_MODEL = re.compile(rf"(?P<family>{_FAMILY})(?: ?(?:v|r|k)?\d| (?:{_TIERS})\b)[a-z0-9. ]*")
_LIKELY_MODEL = re.compile(rf"(?P<family>{_FAMILY})(?: [a-z]+){{0,2}} ?(?:v|r|k)?\d[a-z0-9. ]*")
_VERSION = re.compile(r"(?: v?\d[\d.]*)+$")


def plain(name: str) -> str:
    """A name as the list has it: lower case, words separated by single blanks, without marks before and behind it."""
    return " ".join(re.sub(r"[^a-z0-9.]+", " ", name.lower()).split()).strip(".")


def agent_by_name(plain_name: str) -> str:
    """The agent with this name, which belongs to no person: a tool's or a model's; empty for any other."""
    if agent := NAMES.get(plain_name) or NAMES.get(_VERSION.sub("", plain_name)):
        return agent
    model = _MODEL.fullmatch(plain_name)
    return FAMILIES[model["family"]] if model else ""


def agent_by_short_name(plain_name: str) -> str:
    """The agent that people call by this name, or by the name of its model, where they say what helped them."""
    if agent := agent_by_name(plain_name) or SHORT_NAMES.get(_VERSION.sub("", plain_name)):
        return agent
    model = _LIKELY_MODEL.fullmatch(plain_name)
    return FAMILIES[model["family"]] if model else FAMILIES.get(plain_name, "")
