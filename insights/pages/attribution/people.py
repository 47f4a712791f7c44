"""Labels of the people that commits count for, as the viewer may see them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from integrations.models import Commit
from orgtree.access.access import Access
from orgtree.models import Identity, Person


def labels_of(access: Access, commits: Iterable[Commit]) -> Mapping[int, str]:
    """Commit id → label of the person that it counts for."""
    listed = list(commits)
    people = {person.pk: person for commit in listed if (person := _person(commit.credited)) is not None}
    labels = access.labels(people.values())
    return {commit.pk: _label(commit, labels) for commit in listed}


def _label(commit: Commit, labels: Mapping[int, str]) -> str:
    if commit.credited is None:
        return "Autonomous agent" if commit.by_agent else f"{commit.author.value} (bot)"
    person = _person(commit.credited)
    if commit.by_bot:
        return f"{commit.credited.value} (bot)"
    return labels[person.pk] if person else f"{commit.credited.value} (unmatched)"


def _person(identity: Identity | None) -> Person | None:
    return identity.person if identity else None
