"""The list of Org Trees, and the form that creates one."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from orgtree.access.permissions import admins_only
from orgtree.models import Attribute, Person, TreeKind
from orgtree.trees.derivation.by_manager import ManagersInACircleError
from orgtree.trees.previews import TreePreview, preview_tree
from orgtree.trees.trees import LEVELS_NEEDED, create_tree
from orgtree.trees.units import TreeRefusedError
from orgtree.trees.units_as_of import tree_summaries, visible_trees

MOST_LEVELS = 6
UNITS_PREVIEWED = 40


@dataclass(frozen=True)
class KindChoice:
    kind: TreeKind
    label: str
    text: str
    icon: str


KINDS = (
    KindChoice(TreeKind.MANAGERS, "By manager", "A unit for every manager. Follows imports automatically.", "users"),
    KindChoice(
        TreeKind.ATTRIBUTES,
        "By attributes",
        "Site, department, team, in the order you choose. Follows imports automatically.",
        "list-details",
    ),
    KindChoice(TreeKind.HAND_BUILT, "By hand", "You add units and move people, effective on any day.", "tool"),
)


@login_required
@never_cache
@require_safe
def trees(request: HttpRequest) -> HttpResponse:
    """Trees with at least one unit visible to the viewer; admins also see archived trees."""
    is_admin = request.user.is_superuser
    today = timezone.localdate()
    visible = visible_trees(request.user).order_by("created_at", "pk")
    in_use = [tree for tree in visible if tree.archived_at is None]
    context = {
        "summaries": tree_summaries(in_use, on=today),
        "archived": tree_summaries([tree for tree in visible if tree.archived_at], on=today) if is_admin else [],
        "is_admin": is_admin,
    }
    return render(request, "orgtree/trees.html", context)


@admins_only
@never_cache
@require_http_methods(["GET", "POST"])
def new_tree(request: HttpRequest) -> HttpResponse:
    """Choose the kind of a tree, preview it, create it."""
    params = request.POST if request.method == "POST" else request.GET
    kind = TreeKind(params["kind"]) if params.get("kind") in TreeKind.values else None
    name = params.get("name", "")
    slugs = [slug for slug in params.getlist("level") if slug]
    preview: TreePreview | None = None
    problem = ""
    if kind is not None and (request.method == "POST" or "preview" in params):
        try:
            attributes = attributes_of(slugs) if kind == TreeKind.ATTRIBUTES else []
            if request.method == "POST":
                tree = create_tree(name, kind, attributes=attributes)
                messages.success(request, f"{tree.name} created.")
                return redirect("tree", slug=tree.slug)
            preview = preview_tree(name, kind, attributes)
        except TreeRefusedError as refusal:
            problem = str(refusal)
        except ManagersInACircleError as circle:
            problem = circle_sentence(circle)
    context = {
        "kinds": KINDS,
        "kind": kind,
        "name": name,
        "levels": level_choices(slugs),
        "preview": preview,
        "shown_units": preview.units[:UNITS_PREVIEWED] if preview else (),
        "problem": problem,
    }
    return render(request, "orgtree/tree_new.html", context, status=400 if problem else 200)


@dataclass(frozen=True)
class LevelChoice:
    """The attribute choices of one level."""

    number: int
    chosen: str
    attributes: tuple[tuple[str, str], ...]


def level_choices(slugs: list[str]) -> list[LevelChoice]:
    """The chosen levels, padded with empty ones to MOST_LEVELS."""
    used = Attribute.objects.annotate(people=Count("values__person", distinct=True)).filter(people__gt=0)
    attributes = tuple(
        (attribute.slug, f"{attribute.name} ({attribute.people} people)") for attribute in used.order_by("name")
    )
    chosen = [*slugs, *[""] * MOST_LEVELS][:MOST_LEVELS]
    return [LevelChoice(number + 1, slug, attributes) for number, slug in enumerate(chosen)]


def attributes_of(slugs: list[str]) -> list[Attribute]:
    """The attributes in the given order.  Raises TreeRefusedError."""
    known = {attribute.slug: attribute for attribute in Attribute.objects.filter(slug__in=slugs)}
    if len(slugs) > MOST_LEVELS or any(slug not in known for slug in slugs):
        raise TreeRefusedError(LEVELS_NEEDED)
    return [known[slug] for slug in slugs]


def circle_sentence(circle: ManagersInACircleError) -> str:
    """The cycle of managers in a sentence, by name."""
    people = Person.objects.in_bulk(circle.person_ids)
    names = " → ".join(people[pk].full_name for pk in (*circle.person_ids, circle.person_ids[0]))
    return f"From {circle.on:%-d %B %Y} on these people report to each other in a circle: {names}. Correct one of them."
