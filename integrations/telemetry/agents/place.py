"""Where an agent works: the repository and branch that its telemetry names.

Attributes of OpenTelemetry's version control conventions, which an organisation sets in OTEL_RESOURCE_ATTRIBUTES, and
those that Copilot sends by itself.  https://opentelemetry.io/docs/specs/semconv/registry/attributes/vcs/

A place that cannot be understood is no place: it never invalidates its record.
"""

from __future__ import annotations

import json

from integrations.connectors.git.repository import one_spelling
from integrations.telemetry.agents.values import Attributes

# Alternatives of one value each: the first that is present is read.
_REPOSITORIES = ("vcs.repository.url.full", "github.copilot.git.repository", "vcs.repository.name")
_BRANCHES = ("vcs.ref.head.name", "vcs.repository.ref.name", "github.copilot.git.branch")
_REVISIONS = ("vcs.ref.head.revision", "vcs.repository.ref.revision", "github.copilot.git.commit_sha")
REPOSITORY_ATTRIBUTES = frozenset(_REPOSITORIES)
PLACE_ATTRIBUTES = (*_REPOSITORIES, *_BRANCHES, *_REVISIONS)

# Longer ones are no place: a truncated name is another name.
LONGEST_REPOSITORY, LONGEST_BRANCH, LONGEST_REVISION = 500, 250, 64
_HEADS = "refs/heads/"


def place_of(attributes: Attributes) -> str:
    """The place of a record as a JSON list of repository, branch and revision; empty where it names none.

    A repository is host/path of an address, without user and password, or a name.  The revision only counts where no
    repository is named.
    """
    repository = next(filter(None, (_repository(_text(attributes, name)) for name in _REPOSITORIES)), "")
    branch = next(filter(None, (_branch(_text(attributes, name)) for name in _BRANCHES)), "")
    revision = next(filter(None, (_revision(_text(attributes, name)) for name in _REVISIONS)), "")
    place = [repository, branch, "" if repository else revision]
    return json.dumps(place, ensure_ascii=False) if any(place) else ""


def _text(attributes: Attributes, name: str) -> str:
    value = attributes.get(name)
    return value.strip() if isinstance(value, str) and value.isprintable() else ""


def _repository(text: str) -> str:
    if text.startswith(("/", ".", "~")) or "\\" in text:  # a path on somebody's machine
        return ""
    if "://" in text or "@" in text:
        text = one_spelling(text)
    text = text.split("?")[0].split("#")[0].strip("/").removesuffix(".git").strip("/")
    # What is left of a user or a password would be stored.
    return "" if "@" in text or len(text) > LONGEST_REPOSITORY else text


def _branch(text: str) -> str:
    text = text.removeprefix(_HEADS)
    return "" if text.startswith("refs/") or len(text) > LONGEST_BRANCH else text


def _revision(text: str) -> str:
    is_sha = len(text) <= LONGEST_REVISION and all(digit in "0123456789abcdef" for digit in text.lower())
    return text.lower() if is_sha else ""
