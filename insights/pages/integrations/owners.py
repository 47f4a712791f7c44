"""Ownership gaps: a line per Org Tree and kind with unowned items, which count for no unit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse

from insights.ui import wording
from insights.ui.tiles import Link
from integrations.delivery.ownership.listing import Counted, counted_things
from integrations.models import OwnedKind
from orgtree.models import OrgTree

NOUNS: Mapping[OwnedKind, tuple[str, str]] = {
    OwnedKind.REPOSITORY: ("repository", "repositories"),
    OwnedKind.SERVICE: ("service", "services"),
    OwnedKind.PROJECT: ("project", "projects"),
    OwnedKind.BOARD: ("board", "boards"),
}
WITHOUT: Mapping[OwnedKind, str] = {
    OwnedKind.REPOSITORY: "deployments from there count for no unit",
    OwnedKind.SERVICE: "their deployments and incidents count for no unit",
    OwnedKind.PROJECT: "work planned there counts for no unit",
    OwnedKind.BOARD: "their sprints count for no unit",
}


def owner_lines(on: date, *, for_admin: bool) -> Sequence[dict[str, Any]]:
    """For every active tree: kinds with unowned items, or one line that all are owned."""
    trees = OrgTree.objects.filter(archived_at=None).order_by("created_at", "pk")
    counts = counted_things(trees, on=on)
    lines = []
    for tree in trees:
        of_tree = {kind: counts[tree.pk, kind] for kind in NOUNS if (tree.pk, kind) in counts}
        if of_tree:
            lines += list(_missing(tree, of_tree, for_admin)) or [_complete(tree, of_tree)]
    return lines


def _missing(tree: OrgTree, counts: Mapping[OwnedKind, Counted], for_admin: bool) -> Iterator[dict[str, Any]]:
    for kind, counted in counts.items():
        if counted.without_owner:
            without = f"{counted.without_owner:,}"
            detail = f"{without} of {wording.count(counted.total, *NOUNS[kind])} without an owner: {WITHOUT[kind]}"
            link = Link("Set owners", f"{_page(tree, kind)}&without=1") if for_admin else None
            yield {
                "tree": tree.name,
                "tone": "watch",
                "icon": "alert-triangle",
                "state": f"{without} missing",
                "detail": detail,
                "link": link,
            }


def _complete(tree: OrgTree, counts: Mapping[OwnedKind, Counted]) -> dict[str, Any]:
    things = wording.listed([wording.count(counted.total, *NOUNS[kind]) for kind, counted in counts.items()])
    return {
        "tree": tree.name,
        "tone": "good",
        "icon": "check",
        "state": "Complete",
        "detail": f"{things}, each with an owner",
        "link": Link("Ownership", _page(tree)),
    }


def _page(tree: OrgTree, kind: OwnedKind | None = None) -> str:
    params = {"tree": tree.slug, **({"kind": kind.value} if kind else {})}
    return f"{reverse('ownership')}?{urlencode(params)}"
