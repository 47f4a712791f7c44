"""The providers that can be connected: the first page of adding a connection."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from integrations.connectors.base import Connector
from integrations.connectors.registered import connectors
from integrations.models.connections import GIT


@dataclass(frozen=True)
class Choice:
    """A provider, with a description of its data."""

    slug: str
    name: str
    brings: str


def choices() -> Sequence[Choice]:
    """The providers by name; local git, which needs no account, comes last."""
    known = sorted(connectors().values(), key=lambda connector: connector.name.lower())
    on_disk = Choice(GIT, "Local git", "Commits, lines and files of a repository on this machine; no token needed")
    return [*(Choice(connector.slug, connector.name, _brings(connector)) for connector in known), on_disk]


def _brings(connector: type[Connector]) -> str:
    kinds = dict.fromkeys(kind for kinds in connector.kinds.values() for kind in kinds)
    words = [kind.words for kind in kinds]
    listed = f"{', '.join(words[:-1])} and {words[-1]}" if len(words) > 1 else "".join(words)
    return listed.capitalize()
