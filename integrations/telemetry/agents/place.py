"""The place where an agent works: the repository, branch and commit that its telemetry names.

Read from attributes of OpenTelemetry's version control conventions, which agents send themselves or an organisation
sets in OTEL_RESOURCE_ATTRIBUTES, from those of Copilot, and from `repo.owner` with `repo.name`.
https://opentelemetry.io/docs/specs/semconv/registry/attributes/vcs/

A place that cannot be parsed is ignored: it never invalidates its record.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress

from integrations.connectors.git.repository import one_spelling
from integrations.telemetry.agents.values import Attributes, Value

# Placeholder for the attributes that administrators have mapped to the repository.
OWN_REPOSITORY = "(repository)"
# Alternatives of one value each: the first that is present is read.
_REPOSITORIES = (
    *("vcs.repository.url.full", "github.copilot.git.repository", "vcs.repository.name", "repo.name"),
    OWN_REPOSITORY,
)
# The owner of a repository whose name is sent without it.
_OWNERS: Mapping[str, str] = {"vcs.repository.name": "vcs.owner.name", "repo.name": "repo.owner"}
_BRANCHES = ("vcs.ref.head.name", "vcs.repository.ref.name", "github.copilot.git.branch")
_REVISION = "vcs.ref.head.revision"
_REVISIONS = (_REVISION, "vcs.repository.ref.revision", "github.copilot.git.commit_sha")
REPOSITORY_ATTRIBUTES = frozenset(_REPOSITORIES)
PLACE_ATTRIBUTES = (*_REPOSITORIES, *_OWNERS.values(), *_BRANCHES, *_REVISIONS)

# Longer names are ignored: a truncated name is another name.
LONGEST_REPOSITORY, LONGEST_BRANCH, LONGEST_REVISION = 500, 250, 64
SHORTEST_REVISION = 7  # git's own abbreviations are no shorter
_HEADS = "refs/heads/"


def place_of(attributes: Attributes) -> str:
    """The place of a record as a JSON list of repository, branch and revision; empty if it names none.

    A repository is the host/path of an address, without user and password, or a name.
    """
    repository = next(filter(None, (_repository(_named(attributes, name)) for name in _REPOSITORIES)), "")
    branch = next(filter(None, (_branch(_text(attributes, name)) for name in _BRANCHES)), "")
    revision = next(filter(None, (_revision(_text(attributes, name)) for name in _REVISIONS)), "")
    place = [repository, branch, revision]
    return json.dumps(place, ensure_ascii=False) if any(place) else ""


def commit_in_parameters(attributes: Attributes) -> Mapping[str, Value]:
    """The commit that a tool's parameters name, as the attribute for it; the parameters themselves are content.

    A full revision is kept: the parameters may abbreviate it.
    """
    parameters = attributes.get("tool_parameters")
    if isinstance(parameters, str) and "git_commit_id" in parameters:
        with suppress(ValueError, RecursionError):
            parameters = json.loads(parameters)
    if not isinstance(parameters, Mapping):
        return {}
    named = parameters.get("git_commit_id")
    commit = _revision(named.strip()) if isinstance(named, str) else ""
    known = _revision(_text(attributes, _REVISION))
    return {} if not commit or known.startswith(commit) else {_REVISION: commit}


def _named(attributes: Attributes, name: str) -> str:
    """The repository's name as sent, with its owner if that is a separate attribute."""
    text = _text(attributes, name)
    owner = _text(attributes, _OWNERS[name]).strip("/") if name in _OWNERS else ""
    return f"{owner}/{text}" if owner and text and "/" not in text else text


def _text(attributes: Attributes, name: str) -> str:
    value = attributes.get(name)
    return value.strip() if isinstance(value, str) and value.isprintable() else ""


def _repository(text: str) -> str:
    if text.startswith(("/", ".", "~")) or "\\" in text:  # a path on somebody's machine
        return ""
    if "://" in text or "@" in text:
        text = one_spelling(text)
    text = text.split("?")[0].split("#")[0].strip("/").removesuffix(".git").strip("/")
    # The remains of a user or a password would be stored.
    return "" if "@" in text or len(text) > LONGEST_REPOSITORY else text


def _branch(text: str) -> str:
    text = text.removeprefix(_HEADS)
    return "" if text.startswith("refs/") or len(text) > LONGEST_BRANCH else text


def _revision(text: str) -> str:
    is_sha = SHORTEST_REVISION <= len(text) <= LONGEST_REVISION and not text.lower().strip("0123456789abcdef")
    return text.lower() if is_sha else ""
