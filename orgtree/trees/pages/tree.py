"""The page of one Org Tree: its units, the members of the chosen unit, and the forms that change them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Page, Paginator
from django.db.models import F
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from orgtree.access.permissions import admins_only
from orgtree.models import OrgTree, Person, Placement, TreeKind, TreeLevel, Unit
from orgtree.trees.derivation.by_manager import ManagersInACircleError
from orgtree.trees.pages.forms import MOVE_PEOPLE, MOVE_UNIT, NEEDED, MoveForm
from orgtree.trees.pages.trees import attributes_of, circle_sentence, level_choices
from orgtree.trees.previews import EditPreview, TreePreview, preview_edit, preview_levels
from orgtree.trees.trees import archive_tree, change_levels, rename_tree, restore_tree
from orgtree.trees.units import TreeRefusedError, add_unit, rename_unit, set_leader
from orgtree.trees.units_as_of import UnitAsOf, summary_of, unassigned_people, units_as_of, visible_trees

PEOPLE_A_PAGE = 50
LEVELS_OPEN = 2  # for a large tree
LARGE_TREE = 120  # units


@dataclass(frozen=True)
class TreeLine:
    """A unit in the outline; `closes` counts the lists that end after it."""

    unit: UnitAsOf
    url: str
    is_chosen: bool
    has_below: bool
    is_unfolded: bool
    closes: range


@login_required
@never_cache
@require_safe
def tree(request: HttpRequest, slug: str) -> HttpResponse:
    """The page; `?unit=` selects a unit, `?unassigned` the people in none."""
    return _page(request, slug)


def _page(request: HttpRequest, slug: str, *, problem: str = "", status: int = 200) -> HttpResponse:
    org_tree = get_object_or_404(visible_trees(request.user), slug=slug)
    today = timezone.localdate()
    is_admin = request.user.is_superuser
    units = units_as_of([org_tree], on=today, visible_to=None if is_admin else request.user)
    wants_unassigned = is_admin and "unassigned" in request.GET
    chosen = None if wants_unassigned else _chosen(units, request.GET.get("unit"))
    summary = summary_of(org_tree, units, on=today)
    context: dict[str, Any] = {
        "tree": org_tree,
        "kind": TreeKind(org_tree.kind).label,
        "summary": summary,
        "lines": _lines(units, chosen),
        "units": units,
        "chosen": chosen,
        "way": _way(units, chosen),
        "is_admin": is_admin,
        "wants_unassigned": wants_unassigned,
        "can_edit": is_admin and org_tree.kind == TreeKind.HAND_BUILT and org_tree.archived_at is None,
        "can_lead": is_admin and org_tree.kind != TreeKind.MANAGERS and org_tree.archived_at is None,
        "has_levels": is_admin and org_tree.kind == TreeKind.ATTRIBUTES and org_tree.archived_at is None,
        "today": today,
        "problem": problem,
    }
    if is_admin:
        search = request.GET.get("q", "").strip()[:200]
        context |= {"search": search, "people": _people(org_tree, chosen, search, request.GET.get("page"), today)}
    return render(request, "orgtree/tree.html", context, status=status)


@admins_only
@require_POST
def tree_units(request: HttpRequest, slug: str) -> HttpResponse:
    """Add a unit, rename it or set its leader: edits that move nobody."""
    org_tree = get_object_or_404(OrgTree, slug=slug)
    unit = get_object_or_404(Unit.objects.select_related("tree"), tree=org_tree, slug=request.POST.get("unit", ""))
    try:
        match request.POST.get("change"):
            case "add":
                added = add_unit(unit, request.POST.get("name", ""), on=_day(request.POST.get("on", "")))
                messages.success(request, f"{added.name} is now below {unit.name}.")
            case "rename":
                rename_unit(unit, request.POST.get("name", ""))
                messages.success(request, f"The unit is called {unit.name} now. Its address stays {unit.slug}.")
            case "leader":
                set_leader(unit, _leader(request.POST.get("leader", "").strip()))
                messages.success(request, f"{unit.name} is led by {unit.leader or 'nobody'} now.")
            case _:
                raise Http404
    except TreeRefusedError as refusal:
        return _page(request, slug, problem=str(refusal), status=400)
    return redirect(f"{reverse('tree', args=[slug])}?unit={unit.slug}")


@admins_only
@never_cache
@require_http_methods(["GET", "POST"])
def tree_move(request: HttpRequest, slug: str) -> HttpResponse:
    """Preview a move (GET), or apply it (POST)."""
    org_tree = get_object_or_404(OrgTree, slug=slug)
    form = MoveForm(org_tree, request.POST if request.method == "POST" else request.GET)
    preview: EditPreview | None = None
    problem = ""
    if form.is_valid():
        try:
            if request.method == "POST":
                form.edit()()
                messages.success(request, f"Done: {form.title()}.")
                return redirect(_back_to(org_tree, form))
            preview = preview_edit(form.edit())
        except TreeRefusedError as refusal:
            problem = str(refusal)
    elif not (request.method == "GET" and form.lacks_target):
        problem = form.sentence
    unit = form.cleaned_data.get("unit")
    context = {
        "tree": org_tree,
        "form": form,
        "title": form.title(),
        "targets": [] if unit is None and form.data.get("change") == MOVE_UNIT else _targets(org_tree, unit),
        "target": form.data.get("target", ""),
        "needs_target": "target" in NEEDED.get(form.data.get("change", ""), ()),
        "people": form.cleaned_data.get("people") or [],
        "unit": unit,
        "preview": preview,
        "problem": problem,
        "back": _back_to(org_tree, form),
    }
    return render(request, "orgtree/tree_move.html", context, status=400 if problem else 200)


def _targets(tree: OrgTree, unit: Unit | None) -> list[UnitAsOf]:
    """Possible targets today: all units except the moving unit and its descendants."""
    targets = []
    below: int | None = None  # depth of the moving unit while its descendants are skipped
    for one in units_as_of([tree], on=timezone.localdate()):
        if below is not None and one.depth > below:
            continue
        below = one.depth if unit is not None and one.id == unit.pk else None
        if below is None:
            targets.append(one)
    return targets


@admins_only
@never_cache
@require_http_methods(["GET", "POST"])
def tree_levels(request: HttpRequest, slug: str) -> HttpResponse:
    """Preview the levels of a tree by attributes (GET with `level`), or apply them (POST)."""
    org_tree = get_object_or_404(OrgTree, slug=slug, kind=TreeKind.ATTRIBUTES, archived_at=None)
    params = request.POST if request.method == "POST" else request.GET
    slugs = [level for level in params.getlist("level") if level]
    preview: TreePreview | None = None
    problem = ""
    if request.method == "POST" or "preview" in params:
        try:
            attributes = attributes_of(slugs)
            if request.method == "POST":
                change_levels(org_tree, attributes)
                messages.success(request, f"{org_tree.name} has new levels.")
                return redirect("tree", slug=slug)
            preview = preview_levels(org_tree, attributes)
        except TreeRefusedError as refusal:
            problem = str(refusal)
    else:
        slugs = list(TreeLevel.objects.filter(tree=org_tree).values_list("attribute__slug", flat=True))
    context = {"tree": org_tree, "levels": level_choices(slugs), "preview": preview, "problem": problem}
    return render(request, "orgtree/tree_levels.html", context, status=400 if problem else 200)


@admins_only
@require_POST
def tree_state(request: HttpRequest, slug: str) -> HttpResponse:
    """Rename, archive or restore the tree."""
    org_tree = get_object_or_404(OrgTree, slug=slug)
    try:
        match request.POST.get("change"):
            case "rename":
                rename_tree(org_tree, request.POST.get("name", ""))
                messages.success(request, f"The tree is called {org_tree.name} now.")
            case "archive":
                archive_tree(org_tree)
                messages.success(request, f"{org_tree.name} is archived. Its history is kept, and you can restore it.")
            case "restore":
                restore_tree(org_tree)
                messages.success(request, f"{org_tree.name} is in use again.")
            case _:
                raise Http404
    except TreeRefusedError as refusal:
        return _page(request, slug, problem=str(refusal), status=400)
    except ManagersInACircleError as circle:
        return _page(request, slug, problem=circle_sentence(circle), status=400)
    return redirect("tree", slug=slug)


def _day(written: str) -> date | None:
    if not written.strip():
        return None
    try:
        return date.fromisoformat(written.strip())
    except ValueError:
        raise TreeRefusedError(f"“{written[:40]}” is not a day. Write it as 2026-01-31, or leave it empty.") from None


def _leader(written: str) -> Person | None:
    if not written:
        return None
    leader = Person.objects.filter(email__iexact=written).first()
    if leader is None:
        raise TreeRefusedError(f"Nobody has the e-mail address “{written[:100]}”.")
    return leader


def _chosen(units: list[UnitAsOf], slug: str | None) -> UnitAsOf | None:
    if slug is None:
        return units[0] if units else None
    for unit in units:
        if unit.slug == slug:
            return unit
    raise Http404("No such unit in this tree today.")


def _way(units: list[UnitAsOf], chosen: UnitAsOf | None) -> list[UnitAsOf]:
    """The path from the root to the chosen unit."""
    by_id = {unit.id: unit for unit in units}
    way: list[UnitAsOf] = []
    while chosen is not None:
        way.append(chosen)
        chosen = by_id.get(chosen.parent_id) if chosen.parent_id is not None else None
    return way[::-1]


def _lines(units: list[UnitAsOf], chosen: UnitAsOf | None) -> list[TreeLine]:
    """The outline.  Large trees show the first levels and the branch of the chosen unit."""
    unfolded = {unit.id for unit in _way(units, chosen)}
    if len(units) > LARGE_TREE:
        units_shown = [unit for unit in units if unit.depth < LEVELS_OPEN or unit.parent_id in unfolded]
    else:
        units_shown = units
    with_below = {unit.parent_id for unit in units}
    lines = []
    for number, unit in enumerate(units_shown):
        depth_behind = units_shown[number + 1].depth if number + 1 < len(units_shown) else 0
        lines.append(
            TreeLine(
                unit,
                f"?unit={unit.slug}",
                unit == chosen,
                has_below=unit.id in with_below,
                is_unfolded=depth_behind > unit.depth,
                closes=range(max(0, unit.depth - depth_behind)),
            )
        )
    return lines


def _people(tree: OrgTree, chosen: UnitAsOf | None, search: str, page: str | None, today: date) -> Page[Person]:
    """The members of the chosen unit, or unassigned people; fifty per page."""
    if chosen is None:
        people = unassigned_people(tree, on=today)
    else:
        members = Placement.objects.filter(tree=tree, unit=chosen.id, ancestor=F("unit"), during__contains=today)
        people = Person.objects.filter(pk__in=members.values("person"))
    return Paginator(people.matching(search).order_by("full_name", "pk"), PEOPLE_A_PAGE).get_page(page)


def _back_to(tree: OrgTree, form: MoveForm) -> str:
    """The page to return to: the moved unit, or the people's new unit; else the tree."""
    data = form.cleaned_data
    unit = {MOVE_UNIT: data.get("unit"), MOVE_PEOPLE: data.get("target")}.get(data.get("change", ""))
    address = reverse("tree", args=[tree.slug])
    stands = unit is not None and unit.places.filter(during__contains=timezone.localdate()).exists()
    return f"{address}?unit={unit.slug}" if unit is not None and stands else address
