"""Normal forms of models' names: agents, gateways and clouds spell one model in many ways.

Figures are shown by the normal form.  Prices are looked up by the name as it was sent, because a cloud's region or a
variant can have a price of its own.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

LONGEST_MODEL = 120  # as in the columns

# Clouds and agents add what the model's maker does not: a window or an effort in brackets, a variant after a colon.
_BRACKETS = re.compile(r"\s*[\[(][^\[\]()]*[\])]$")
_VARIANT = re.compile(r":(?:thinking|beta|free|online|nitro|floor|exacto|extended|batch|latest)$")
# claude-…-20250929, gpt-5-2025-08-07, claude-…@20250929, gemini-…-preview-09-2025, …-latest, …@default
_DATE = re.compile(r"[-@]20\d\d-?[01]\d-?[0-3]\d$|-[01]\d-20\d\d$|[-@](?:latest|default)$")
# Amazon Bedrock: [region.]vendor.model[-v1[:0]]
_VENDORS = (
    *("ai21", "amazon", "anthropic", "cohere", "deepseek", "google", "meta", "minimax", "mistral", "moonshot"),
    *("moonshotai", "nvidia", "openai", "qwen", "stability", "twelvelabs", "writer", "zai"),
)
_BEDROCK = re.compile(
    rf"(?:(?P<region>[a-z]{{2,6}}(?:-gov)?)\.)?(?P<vendor>{'|'.join(_VENDORS)})\.(?P<model>[a-z0-9].*)"
)
_REVISION = re.compile(r"-v?\d+:\d+$|-v\d+$")
_HOSTED = re.compile(r"^databricks-(?=claude-|gpt-|gemini-)")
_CLAUDE = re.compile(
    r"claude-(?:(?P<family>[a-z]+)-(?P<major>\d+)(?:[.-](?P<minor>\d{1,2})(?!\d))?"
    r"|(?P<major_first>\d+)(?:[.-](?P<minor_first>\d{1,2})(?!\d))?-(?P<family_last>[a-z]+))(?P<rest>.*)"
)
_EFFORT = re.compile(r"-(?:none|minimal|low|medium|high|xhigh)$")
_HAS_EFFORT = re.compile(r"claude-|gpt-|o\d|grok-")
_THINKING = re.compile(r"-(?:thinking|thought|reasoning)$")
_WINDOW = re.compile(r"-(?:1m|200k)$")  # claude-4-sonnet-1m
_PROFILE = "application-inference-profile/"  # an id assigned by the customer, which names no model


class BedrockName(NamedTuple):
    """A model's id at Amazon Bedrock, without region, vendor and path."""

    region: str  # us, eu, global …; empty without an inference profile
    vendor: str
    model: str  # with its revision, such as -v1:0


def bedrock_name(sent: str) -> BedrockName | None:
    """The parts of a Bedrock id, which may be at the end of a path or an ARN; None for another name."""
    found = _BEDROCK.fullmatch(without_additions(sent).rpartition("/")[2])
    return found and BedrockName(found["region"] or "", found["vendor"], found["model"])


def without_additions(sent: str) -> str:
    """The name in lower case, without suffixes added by agents: [1m], (high), :thinking."""
    return _stripped(_stripped(sent.strip().lower(), _BRACKETS), _VARIANT)


def without_date(name: str) -> str:
    return _stripped(name, _DATE)


def without_revision(name: str) -> str:
    return _REVISION.sub("", name)


@lru_cache(maxsize=10_000)  # names are external input
def model_name(sent: str) -> str:
    """The normal form of a model's name: lower case, without provider, region, date, window and effort.

    `claude-opus-4-7[1m]` → `claude-opus-4-7`, `anthropic/claude-sonnet-4.5` and `claude-sonnet-4-5-20250929` →
    `claude-sonnet-4-5`.  A name in no known form stays as it was sent.
    """
    name = without_additions(sent)
    if _PROFILE in name:
        return name[:LONGEST_MODEL]
    path, _, name = name.rpartition("/")
    if "fireworks" in path:
        name = re.sub(r"(?<=\d)p(?=\d)", ".", name)  # glm-4p6
    name = re.sub(r"\s+", "-", name.removeprefix("~"))
    if bedrock := _BEDROCK.fullmatch(name):
        name = without_revision(bedrock["model"])
        if bedrock["vendor"] == "deepseek" and not name.startswith("deepseek"):
            name = f"deepseek-{name}"
    name = without_date(_HOSTED.sub("", name))
    if name.startswith("claude-"):
        name = _claude(without_date(without_revision(name)))
    elif _HAS_EFFORT.match(name):
        name = _stripped(name, _EFFORT).replace("gpt-35-", "gpt-3.5-")
    elif name.startswith("gemini-"):
        name = re.sub(r"-00\d$", "", name)
    return (name or sent.strip() or sent)[:LONGEST_MODEL]


def _claude(name: str) -> str:
    """The normal form of a Claude name: generations up to 3 precede the family, later ones follow it; 4.0 is 4."""
    name = without_date(_stripped(_stripped(_stripped(_stripped(name, _THINKING), _EFFORT), _THINKING), _WINDOW))
    parts = _CLAUDE.fullmatch(name)
    if parts is None:
        return name
    family = parts["family"] or parts["family_last"]
    major, minor = parts["major"] or parts["major_first"], parts["minor"] or parts["minor_first"]
    version = major if minor in (None, "0") else f"{major}-{minor}"
    return (f"claude-{version}-{family}" if int(major) < 4 else f"claude-{family}-{version}") + parts["rest"]


def _stripped(name: str, ending: re.Pattern[str]) -> str:
    """The name without such endings; a name that consists only of one stays unchanged."""
    while (shorter := ending.sub("", name)) not in ("", name):
        name = shorter
    return name
