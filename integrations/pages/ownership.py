"""/integrations/ownership/: owned things, their owners today, and proposed owners.

Every signed-in user sees the things owned by visible units; admins see and change everything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from core.page_links import Picker, links_of_page, url_with
from integrations.delivery.ownership.listing import (
    Counted,
    Filters,
    Listed,
    ListedThing,
    counted_things,
    listed_things,
)
from integrations.delivery.ownership.proposals import Proposal, proposals
from integrations.models import OwnedKind
from integrations.pages.ownership_posts import carry_out_post
from orgtree.access.access import viewable
from orgtree.models import OrgTree
from orgtree.models.visibility import Visibility
from orgtree.trees.units_as_of import UnitAsOf, units_as_of, visible_trees

THINGS_A_PAGE = 50
LONGEST_SEARCH = 100
PLURALS: Mapping[OwnedKind, str] = {
    OwnedKind.REPOSITORY: "Repositories",
    OwnedKind.SERVICE: "Services",
    OwnedKind.PROJECT: "Projects",
    OwnedKind.BOARD: "Boards",
}


@dataclass(frozen=True)
class Line:
    """A row of the page."""

    thing: ListedThing
    kind: str
    proposal: Proposal | None

    @property
    def chosen(self) -> str:
        """The value of its checkbox: the thing and the proposed unit, 12:34; 12 if no unit is proposed."""
        return f"{self.thing.id}:{self.proposal.unit.pk}" if self.proposal else str(self.thing.id)


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def ownership(request: HttpRequest) -> HttpResponse:
    """The page on GET; POST confirms proposals or assigns selected things to a unit, and redirects back."""
    is_admin = request.user.is_superuser
    today = timezone.localdate()
    trees = list(visible_trees(request.user).filter(archived_at=None).order_by("created_at", "pk"))
    tree = _chosen_tree(request, trees)
    if request.method == "POST":
        if not is_admin or tree is None:
            raise Http404
        carry_out_post(request, tree)
        return HttpResponseRedirect(request.get_full_path())
    context: dict[str, Any] = {"trees": trees, "tree": tree, "is_admin": is_admin}
    if tree is not None:
        visibility = viewable(request.user)
        counts = counted_things([tree], on=today) if is_admin else {}
        # Viewers who cannot see unowned things do not need a filter for them.
        context |= _list_context(request, tree, _units(request, tree, today), visibility, today)
        context |= _narrowing(request, tree, counts)
    return render(request, "integrations/ownership.html", context)


def _list_context(
    request: HttpRequest, tree: OrgTree, units: Sequence[UnitAsOf], visibility: Visibility, today: date
) -> dict[str, Any]:
    owner = next((unit for unit in units if unit.slug == request.GET.get("unit")), None)
    filters = Filters(
        _kind(request),
        _text(request, "q"),
        None if owner is None else owner.id,
        without_owner=request.user.is_superuser and "without" in request.GET,
    )
    number, listing = _page(request, tree, filters, visibility, today)
    proposed = _proposed(tree, listing.things, today) if request.user.is_superuser else {}
    return {
        "units": units,
        "owner": owner,
        "search": filters.search,
        "kind": filters.kind or "",
        "without_owner": filters.without_owner,
        "is_narrowed": filters != Filters(),
        "lines": [Line(thing, thing.kind.label, proposed.get(thing.id)) for thing in listing.things],
        "has_proposals": bool(proposed),
        "shows_proposals": request.user.is_superuser and any(thing.unit_id is None for thing in listing.things),
        "has_pages": listing.total > THINGS_A_PAGE,
        **links_of_page(
            number, listing.things, listing.total, lambda page: _url(request, page=page), size=THINGS_A_PAGE
        ),
    }


def _page(
    request: HttpRequest, tree: OrgTree, filters: Filters, visibility: Visibility, today: date
) -> tuple[int, Listed]:
    """The requested page; the first if it does not exist."""
    written = request.GET.get("page", "")
    number = int(written) if written.isascii() and written.isdecimal() and 0 < len(written) < 7 else 1
    number = max(1, number)
    listing = listed_things(
        tree, filters, on=today, visibility=visibility, limit=THINGS_A_PAGE, offset=(number - 1) * THINGS_A_PAGE
    )
    if listing.things or number == 1:
        return number, listing
    return 1, listed_things(tree, filters, on=today, visibility=visibility, limit=THINGS_A_PAGE)


def _proposed(tree: OrgTree, things: Sequence[ListedThing], today: date) -> Mapping[int, Proposal]:
    nobodys = [thing.id for thing in things if thing.unit_id is None]
    proposed = proposals([tree], owned_ids=nobodys, today=today) if nobodys else ()
    return {proposal.owned_id: proposal for proposal in proposed}


def _narrowing(request: HttpRequest, tree: OrgTree, counts: Mapping[tuple[int, OwnedKind], Counted]) -> dict[str, Any]:
    """The list's filters, with the number of things without an owner."""
    kind = _kind(request)
    of_kind = [count for (_, own), count in counts.items() if kind in (None, own)]
    nobodys = sum(count.without_owner for count in of_kind)
    repositories = counts.get((tree.pk, OwnedKind.REPOSITORY), Counted(0, 0))
    narrowed = "without" in request.GET
    return {
        "repositories": repositories,
        "kinds": [
            Picker("All", _url(request, kind=""), kind is None),
            *(Picker(label, _url(request, kind=option.value), kind == option) for option, label in PLURALS.items()),
        ],
        "states": [
            Picker("With and without owner", _url(request, without=""), not narrowed),
            Picker(f"Without owner ({nobodys:,})", _url(request, without="1"), narrowed),
        ],
    }


def _units(request: HttpRequest, tree: OrgTree, today: date) -> Sequence[UnitAsOf]:
    """The units that the viewer may see."""
    visible_to = None if request.user.is_superuser else request.user
    return units_as_of([tree], on=today, visible_to=visible_to)


def _chosen_tree(request: HttpRequest, trees: Sequence[OrgTree]) -> OrgTree | None:
    slug = request.GET.get("tree")
    tree_named = next((tree for tree in trees if tree.slug == slug), None)
    if slug and tree_named is None:
        raise Http404
    return tree_named or (trees[0] if trees else None)


def _kind(request: HttpRequest) -> OwnedKind | None:
    written = request.GET.get("kind", "")
    return OwnedKind(written) if written in OwnedKind.values else None


def _text(request: HttpRequest, name: str) -> str:
    return request.GET.get(name, "").strip()[:LONGEST_SEARCH]


def _url(request: HttpRequest, **changed: str) -> str:
    """This page with other parameters, starting at its first page; empty ones are left out."""
    params = {name: value for name, value in request.GET.items() if name != "page"}
    return url_with("", {**params, **changed})
