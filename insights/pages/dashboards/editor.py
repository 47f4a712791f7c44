"""Editing a dashboard: its draft as it will look, the forms of its cards, and the actions of its buttons.

Each button is a form, so that everything works without a script; static/js/dashboard.js posts the same forms when cards
are dragged or moved with keys, and takes the new grid from the response.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.db import transaction
from django.http import HttpRequest, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.text import slugify
from django.views.decorators.vary import vary_on_headers

from core.forms import posted, posted_number
from core.page_links import Picker, url_with
from core.views import action_view, form_view, page_view
from core.write_errors import FieldError
from insights.dashboards import writing
from insights.dashboards.document import KINDS, MOST_CARDS, WIDTHS, Placed, exported, placed
from insights.dashboards.preview import AS, offered_roles, read_reader
from insights.dashboards.sharing import may_change, share_with, shared_words
from insights.models import Dashboard
from insights.pages.answers import figures_view
from insights.pages.dashboards.forms import (
    CardForm,
    DescriptionForm,
    filled_in,
    saved_in_panel,
    unit_choices,
)
from insights.pages.dashboards.page import cards_of, filters_for, page_of, slots
from insights.privacy.scope_access import access_in
from insights.ui import wording
from insights.ui.filters import DEFAULT_RANGE
from insights.ui.scope_bar import scope_navigation, scope_words
from insights.ui.views import form_panel
from orgtree.access.access import Access

FORM = "insights/dashboards/form.html"
Act = Callable[[Access, Dashboard, HttpRequest], None]


def _card(request: HttpRequest) -> str:
    return request.POST.get("card", "")


# The actions of the editor's buttons, by their value.
ACTS: Mapping[str, Act] = {
    "earlier": lambda access, dashboard, request: writing.move_card(access, dashboard, _card(request), by=-1),
    "later": lambda access, dashboard, request: writing.move_card(access, dashboard, _card(request), by=1),
    "place": lambda access, dashboard, request: writing.move_card(
        access, dashboard, _card(request), to=posted_number(request, "position")
    ),
    "narrower": lambda access, dashboard, request: writing.resize_card(access, dashboard, _card(request), by=-1),
    "wider": lambda access, dashboard, request: writing.resize_card(access, dashboard, _card(request), by=1),
    "resize": lambda access, dashboard, request: writing.resize_card(
        access, dashboard, _card(request), width=posted_number(request, "width") or WIDTHS[0]
    ),
    "remove": lambda access, dashboard, request: writing.remove_card(access, dashboard, _card(request)),
    "undo": lambda access, dashboard, _request: writing.step_back(access, dashboard),
    "redo": lambda access, dashboard, _request: writing.step_forward(access, dashboard),
    "discard": lambda access, dashboard, _request: writing.discard_changes(access, dashboard),
}


@figures_view
def dashboard_edit(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The draft, with the figures and the buttons of each card."""
    dashboard = _own(request, pk)
    cards = cards_of(dashboard, is_draft=True)
    page, filters = page_of(dashboard, is_draft=True), filters_for(request, cards)
    around = scope_navigation(request, filters)
    grid, _ = slots(page, filters, cards)
    context = {
        "dashboard": dashboard,
        "slots": grid,
        "saved": _saved(dashboard),
        "shared": shared_words(dashboard),
        "whose": scope_words(filters, around),
        "days": wording.days(filters.window),
        "form": CardForm(visibility=filters.access.visibility, initial={"kind": "tile"}),
        "kinds": KINDS,
        "has_room": len(cards) < MOST_CARDS,
        "most_cards": MOST_CARDS,
    }
    return render(request, "insights/dashboards/edit.html", context)


DRAFT, PUBLISHED, VERSION = "draft", "published", "version"


@figures_view
def dashboard_preview(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The draft, or with `version=published` the published version, as a reader sees it."""
    dashboard, access = _own(request, pk), access_in(request)
    version = PUBLISHED if request.GET.get(VERSION) == PUBLISHED and dashboard.is_published else DRAFT
    is_draft = version == DRAFT
    cards = cards_of(dashboard, is_draft=is_draft)
    page, filters = page_of(dashboard, is_draft=is_draft), filters_for(request, cards)
    around = scope_navigation(request, filters, is_part=True)
    grid, _ = slots(page, filters, cards)
    reader, path = read_reader(request.GET, access), reverse("dashboard_preview", args=[pk])

    def link(role: str, version: str) -> str:
        # The link names the window, so that the session's context, which the reader may not see, is ignored.
        return url_with(path, [(AS, role), (VERSION, version), ("range", DEFAULT_RANGE)])

    role = reader.role.value if reader else ""
    context = {
        "dashboard": dashboard,
        "slots": grid,
        "whose": scope_words(filters, around),
        "days": wording.days(filters.window),
        "readers": [
            Picker(label, link(word, version), word == role)
            for word, label in (("", "You"), *((one.value, one.label) for one in offered_roles(access)))
        ],
        "versions": [
            Picker(label, link(role, word), word == version)
            for word, label in ((DRAFT, "Draft"), (PUBLISHED, "Published"))
        ]
        if dashboard.is_published
        else [],
        "reader": reader,
        "version": version,
        "range": DEFAULT_RANGE,
        "units": unit_choices(access.visibility) if reader and reader.unit else [],
    }
    return render(request, "insights/dashboards/preview.html", context)


def _saved(dashboard: Dashboard) -> str:
    """The state of the draft, such as: Saved 1 Oct 14:02 · version 3 is published."""
    saved = f"Saved {wording.moment(dashboard.changed_at)}"
    return f"{saved} · version {dashboard.version} is published" if dashboard.is_published else saved


@action_view
def dashboard_act(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Performs the action of a button; a script gets the state as JSON, or the reason why nothing was changed."""
    dashboard, act = _own(request, pk), ACTS.get(request.POST.get("act", ""))
    if act is None:
        raise BadRequest("No such button.")
    wants_json = request.headers.get("Accept", "").startswith("application/json")
    try:
        act(access_in(request), dashboard, request)
    except FieldError as problem:
        if wants_json:
            return JsonResponse({"message": problem.message}, status=problem.status)
        messages.error(request, problem.message)
    if wants_json:
        state = "Draft" if dashboard.has_changes else "Published"
        steps = {"can_undo": bool(dashboard.past), "can_redo": bool(dashboard.future)}
        return JsonResponse({"saved": _saved(dashboard), "state": state, **steps})
    anchor = f"#slot-{_card(request)}" if _card(request).isalnum() else ""
    return redirect(f"{reverse('dashboard_edit', args=[pk])}{anchor}")


@vary_on_headers("HX-Request")
@form_view
def card_new(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The form next to the grid, or a page of its own if its input is invalid."""
    access, dashboard = access_in(request), _own(request, pk)
    form = CardForm(posted(request), visibility=access.visibility, initial={"kind": "tile"})
    added = form.save_by(lambda: writing.add_card(access, dashboard, form.card(form.cleaned_data["kind"])))
    if added is not None:
        return redirect(f"{reverse('dashboard_edit', args=[pk])}#slot-{added}")
    return form_panel(
        request, FORM, form, dashboard=dashboard, title="Add a card", submit="Add to dashboard", kinds=KINDS
    )


@vary_on_headers("HX-Request")
@form_view
def card_edit(request: HttpRequest, pk: int, card: str) -> HttpResponseBase:
    access, dashboard = access_in(request), _own(request, pk)
    item = _placed(dashboard, card)
    # The panel shows it above the form of a new card, so the ids of its fields differ.
    form = CardForm(
        posted(request), visibility=access.visibility, stored=item, initial=filled_in(item), auto_id=f"{item.id}_%s"
    )

    def save() -> bool:
        writing.change_card(access, dashboard, card, form.card(item.kind))
        return True

    if form.save_by(save):
        return saved_in_panel(request, f"{reverse('dashboard_edit', args=[pk])}#slot-{card}")
    more = {"item": item, "kind": KINDS[item.kind]}
    return form_panel(request, FORM, form, dashboard=dashboard, title=f"Settings of {item.name}", submit="Save", **more)


@vary_on_headers("HX-Request")
@form_view
def dashboard_share(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The form for title, purpose, and the roles and units that the dashboard is shared with."""
    access, dashboard = access_in(request), _own(request, pk)
    words = {"title": dashboard.title, "purpose": dashboard.purpose}
    shares = dashboard.shares.select_related("unit")
    form = DescriptionForm(posted(request), shares=shares, visibility=access.visibility, initial=words)

    def save() -> bool:
        data = form.cleaned_data
        with transaction.atomic():
            writing.describe(access, dashboard, title=data["title"], purpose=data["purpose"])
            share_with(access, dashboard, roles=data["roles"], units=data["units"])
        return True

    if form.save_by(save):
        messages.success(request, f"{shared_words(dashboard)}.")
        return saved_in_panel(request, reverse("dashboard_edit", args=[pk]))
    return form_panel(request, FORM, form, dashboard=dashboard, title="Title and sharing", submit="Save")


@action_view
def dashboard_publish(request: HttpRequest, pk: int) -> HttpResponseBase:
    dashboard = _own(request, pk)
    try:
        writing.publish_dashboard(access_in(request), dashboard)
    except FieldError as problem:
        messages.error(request, problem.message)
        return redirect("dashboard_edit", pk=pk)
    messages.success(request, f"Version {dashboard.version} is published. {shared_words(dashboard)}.")
    return redirect("dashboard", pk=pk)


@action_view
def dashboard_copy(request: HttpRequest, pk: int) -> HttpResponseBase:
    access = access_in(request)
    copy = writing.copy_dashboard(access, get_object_or_404(Dashboard.objects.visible_to(access), pk=pk))
    messages.success(request, f"“{copy.title}” is a draft of your own.")
    return redirect("dashboard_edit", pk=copy.pk)


@action_view
def dashboard_home(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Sets the dashboard as the home page; `undo` restores the default."""
    access = access_in(request)
    dashboard = get_object_or_404(Dashboard.objects.visible_to(access), pk=pk)
    if "undo" in request.POST:
        writing.set_as_home(access, None)
        messages.success(request, "Home shows the home page again.")
    else:
        writing.set_as_home(access, dashboard)
        messages.success(request, f"Home shows “{dashboard.title}”.")
    return redirect("dashboard", pk=pk)


@action_view
def dashboard_remove(request: HttpRequest, pk: int) -> HttpResponseBase:
    dashboard = _own(request, pk)
    writing.remove_dashboard(access_in(request), dashboard)
    messages.success(request, f"“{dashboard.title}” is deleted.")
    return redirect("dashboards")


@page_view
def dashboard_export(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The exported file: the draft for the owner, otherwise the published version."""
    access = access_in(request)
    dashboard = get_object_or_404(Dashboard.objects.visible_to(access), pk=pk)
    cards = dashboard.draft if may_change(access, dashboard) else dashboard.published
    name = slugify(dashboard.title)[:60] or "dashboard"
    return JsonResponse(
        exported(dashboard.title, dashboard.purpose, cards),
        headers={"Content-Disposition": f'attachment; filename="headway-{name}.json"'},
        json_dumps_params={"indent": 2, "ensure_ascii": False},
    )


def _own(request: HttpRequest, pk: int) -> Dashboard:
    return get_object_or_404(Dashboard.objects.writable_by(access_in(request)), pk=pk)


def _placed(dashboard: Dashboard, card: str) -> Placed:
    """The dashboard's card.  Raises FieldError if it was removed."""
    for item in placed(dashboard.draft):
        if item.id == card:
            return item
    raise FieldError("", "The card is gone: somebody removed it.")
