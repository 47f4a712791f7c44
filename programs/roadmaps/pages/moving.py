"""Moves objectives and intents on the team roadmap."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from core.edit_conflicts import renumber
from core.views import form_view
from core.write_errors import ConflictError, FieldError, MayNotWriteError
from insights.privacy.scope_access import access_in
from insights.query import windows
from insights.ui.scope_bar import unit_name
from orgtree.access.access import Access
from orgtree.models.visibility import Visibility
from programs.models import Objective, RoadmapIntent
from programs.objectives.services.writing import may_change, move_objective
from programs.quarters.pages import quarters
from programs.requests.fields import LONGEST_ID
from programs.requests.visible import visible_intent, visible_objective
from programs.roadmaps.pages.places import (
    PlaceForm,
    back_to_roadmap,
    place_of,
    safe_back,
)
from programs.roadmaps.services.intents import ONLY_LEADERS, change_intent

MOVED_MEANWHILE = (
    "Somebody changed “{title}” meanwhile: it is now in {quarter} of {unit}. You wanted {wanted}. Nothing was moved; "
    "move it again if you still want to."
)
NO_CARD = "A card is called objective-12 or intent-3."


class RefusedMoveError(Exception):
    """The reason why nothing was moved."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.message, self.status = message, status


@form_view
def roadmap_move(request: HttpRequest) -> HttpResponse:
    """Moves the `card` (objective-12, intent-3) to a `quarter`, by its first day, and a `unit`.

    A GET shows a form for it, for use without JavaScript; scripts that accept JSON get `message`, and 409 if somebody
    else moved it first.
    """
    access, known = access_in(request), quarters(windows.local_today())
    sent = request.POST if request.method == "POST" else request.GET
    card = _card(request, access, sent.get("card", ""))
    if not _may_move(access.visibility, card):
        raise PermissionDenied(ONLY_LEADERS)
    place = place_of(card)
    if request.method == "GET":
        form = PlaceForm(visibility=access.visibility, known=known, stored=card, initial=place)
        return _move_page(request, form, card)
    stays = {**place, "version": "", **{name: str(value) for name, value in sent.items()}}
    form = PlaceForm(stays, visibility=access.visibility, known=known, stored=card)
    try:
        message = _move(access, card, form)
    except RefusedMoveError as refused:
        if _wants_json(request):
            return JsonResponse({"message": refused.message}, status=refused.status)
        return _move_page(request, form, card, refused)
    if _wants_json(request):
        return JsonResponse({"message": message})
    messages.success(request, message)
    return back_to_roadmap(request, sent["card"])


def _card(request: HttpRequest, access: Access, key: str) -> Objective | RoadmapIntent:
    """The objective or intent with this key.  Raises Http404 if it is unknown or hidden."""
    kind, _, number = key.partition("-")
    if kind not in ("objective", "intent") or not (number.isascii() and number.isdecimal()) or len(number) > LONGEST_ID:
        raise Http404(NO_CARD)
    return visible_objective(int(number), access) if kind == "objective" else visible_intent(int(number), access)


def _may_move(visibility: Visibility, card: Objective | RoadmapIntent) -> bool:
    if isinstance(card, Objective):
        return may_change(visibility, card)
    return visibility.leads(card.unit_id) and not card.quarter.is_closed


def _move(access: Access, card: Objective | RoadmapIntent, form: PlaceForm) -> str:
    """Moves a card and describes the move in a sentence.  Raises RefusedMoveError."""
    if not form.is_valid():
        problems = [f"{form.fields[name].label}: {error}" for name, errors in form.errors.items() for error in errors]
        raise RefusedMoveError(" ".join(problems), 400)
    unit, version = form.chosen_unit, form.cleaned_data["version"] or 0
    try:
        if isinstance(card, Objective):
            move_objective(access, card, unit=unit, quarter=form.chosen_quarter, of_version=version)
        else:
            place = {"unit": unit, "quarter": form.cleaned_data["quarter"]}
            change_intent(access, card, place, of_version=version)
    except ConflictError as conflict:
        raise _moved_meanwhile(form, conflict) from None
    except MayNotWriteError as refusal:
        raise RefusedMoveError(str(refusal), 403) from None
    except FieldError as problem:
        raise RefusedMoveError(f"“{card.title}” stays where it is. {problem.message}", 400) from None
    return f"“{card.title}” moved to {form.place}."


def _moved_meanwhile(form: PlaceForm, conflict: ConflictError) -> RefusedMoveError:
    """An error that says where the card is now and where it was to go; the form gets the newest version number."""
    stored = conflict.stored
    if stored is None:
        return RefusedMoveError(str(conflict), 409)
    renumber(form, "version", stored.version)
    place = {"title": stored.title, "quarter": stored.quarter, "unit": unit_name(stored.unit)}
    return RefusedMoveError(MOVED_MEANWHILE.format(**place, wanted=form.place), 409)


def _move_page(
    request: HttpRequest, form: PlaceForm, card: Objective | RoadmapIntent, refused: RefusedMoveError | None = None
) -> HttpResponse:
    context = {
        "form": form,
        "card": card.card_key,
        "title": f"Move {card.title}",
        "place": f"{unit_name(card.unit)}, {card.quarter}",
        "is_objective": isinstance(card, Objective),
        "problem": refused.message if refused else "",
        "back": safe_back(request),
    }
    return render(request, "programs/roadmaps/move.html", context, status=refused.status if refused else 200)


def _wants_json(request: HttpRequest) -> bool:
    return request.headers.get("Accept", "").startswith("application/json")
