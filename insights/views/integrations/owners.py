"""What nobody owns: a line for each Org Tree, in which deployments and incidents of some repositories count nowhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from urllib.parse import urlencode

from django.urls import reverse

from insights import wording
from insights.tiles import Link
from integrations.models import OwnedKind
from integrations.ownership.listing import Counted, counted_things
from orgtree.models import OrgTree


@dataclass(frozen=True)
class OwnerLine:
    """How far the repositories of a tree have owners; `link` leads to those without."""

    tree: str
    tone: str
    icon: str
    state: str
    detail: str
    link: Link


def owner_lines(on: date) -> Sequence[OwnerLine]:
    """Of every tree in use, as far as there are repositories."""
    trees = OrgTree.objects.filter(archived_at=None).order_by("created_at", "pk")
    counts = counted_things(trees, on=on)
    return [
        _line(tree, counts[tree.pk, OwnedKind.REPOSITORY])
        for tree in trees
        if (tree.pk, OwnedKind.REPOSITORY) in counts
    ]


def _line(tree: OrgTree, repositories: Counted) -> OwnerLine:
    page = f"{reverse('ownership')}?{urlencode({'tree': tree.slug, 'kind': OwnedKind.REPOSITORY.value})}"
    owned = wording.count(repositories.total, "repository", "repositories")
    if not repositories.without_owner:
        return OwnerLine(tree.name, "good", "check", "Complete", f"{owned}, each with an owner", Link("Owners", page))
    without = f"{repositories.without_owner:,}"
    detail = f"{without} of {owned} without an owner: what is deployed from there counts for no unit"
    return OwnerLine(
        tree.name, "watch", "alert-triangle", f"{without} missing", detail, Link("Say who", f"{page}&without=1")
    )
