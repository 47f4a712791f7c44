"""Saved views: the menu of the filter bar, the list, and the forms to save, rename, share and delete one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from django.contrib import messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.vary import vary_on_headers

from core.forms import posted
from core.list_filters import ViewerFilters
from core.page_links import url_with
from core.views import action_view, form_view, page_view, part_view
from insights.dashboards.saved_views import (
    checked_address,
    filters_of_view,
    page_name,
    remove_view,
    save_view,
    update_view,
)
from insights.dashboards.sharing import share_with, shared_words
from insights.models import SavedView
from insights.pages.dashboards.forms import NewViewForm, SharingForm, saved_in_panel
from insights.pages.dashboards.listing import SharedList
from insights.pages.filter_bar import chosen_words
from insights.privacy.scope_access import access_in
from insights.ui import wording
from insights.ui.filters import WEEK_RANGES, Filters
from insights.ui.scope_bar import EVERYBODY, YOURSELF
from insights.ui.views import form_panel, render_part
from orgtree.access.access import Access
from orgtree.models import Unit

UNIT_GONE = "A unit that no longer exists"
FORM = "insights/views/form.html"
TO = "to"  # the parameter with the path of the page; all other parameters belong to that page
VIEWS_IN_MENU = 12
VIEWS_ON_HOME = 8
# Shown instead of a page.
WITHHELD = (
    "This view shows a unit whose figures are visible to its members and managers alone, or has a filter that no "
    "longer exists."
)


class Line(NamedTuple):
    """A saved view and a description of what it shows."""

    view: SavedView
    page: str
    whose: str  # its unit, or whose figures it shows; empty if the reader may not see them
    detail: str  # unit, window and filters; also empty in that case
    is_own: bool

    @property
    def url(self) -> str:
        return reverse("saved_view", args=[self.view.pk])


def lines(access: Access, views: Iterable[SavedView]) -> list[Line]:
    """The views as their reader sees them."""
    listed = list(views)
    seen = {view.pk: filters_of_view(access, view) for view in listed}
    slugs = {filters.scope.unit for filters in seen.values() if filters and filters.scope.unit}
    names = dict(Unit.objects.filter(slug__in=slugs).values_list("slug", "name")) if slugs else {}
    return [
        Line(
            view,
            page_name(view),
            whose := _whose(filters, names) if (filters := seen[view.pk]) else "",
            _detail(whose, filters) if filters else "",
            view.owner_id == getattr(access.viewer, "pk", None),
        )
        for view in listed
    ]


def lines_on_home(access: Access) -> list[Line]:
    return lines(access, SavedView.objects.visible_to(access).own_first(access)[:VIEWS_ON_HOME])


@part_view
def saved_views_menu(request: HttpRequest) -> HttpResponse:
    """The menu of a page's filter bar: the viewer's own views and those of others, and a link to save this one."""
    access = access_in(request)
    views = list(SavedView.objects.visible_to(access).own_first(access)[: VIEWS_IN_MENU + 1])
    context = {
        "title": "Saved views",
        "part": "insights/views/_menu.html",
        "lines": lines(access, views[:VIEWS_IN_MENU]),
        "has_more": len(views) > VIEWS_IN_MENU,
        "new_url": url_with(reverse("saved_view_new"), request.GET),
    }
    return render_part(request, context)


class ViewFilters(ViewerFilters):
    def visible(self, access: Access) -> QuerySet[SavedView]:
        visible = SavedView.objects.visible_to(access).select_related("owner").prefetch_related("shares__unit")
        return visible.own_first(access)


class SavedViews(SharedList):
    plural = "saved_views"
    noun = "saved views"
    filters = ViewFilters
    template_name = "insights/views/list.html"
    card = "insights/views/_table.html"
    edit_route = "saved_view_edit"

    def rows(self, records: Iterable[SavedView]) -> Sequence[Mapping[str, Any]]:
        shown = lines(self.access, [*records])
        about = self.shared([line.view for line in shown])
        return [{"shown": line, **words} for line, words in zip(shown, about, strict=True)]


@page_view
def saved_view(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Redirects to the page; if the reader may not see the unit, says so without naming it."""
    access = access_in(request)
    view = get_object_or_404(SavedView.objects.visible_to(access), pk=pk)
    if filters_of_view(access, view) is None:
        context = {"view": view, "reason": WITHHELD}
        return render(request, "insights/views/withheld.html", context, status=403)
    return redirect(view.address)


@vary_on_headers("HX-Request")
@form_view
def saved_view_new(request: HttpRequest) -> HttpResponseBase:
    """Save the page `to` with the other parameters of the address."""
    access = access_in(request)
    parameters = request.GET.copy()
    [path] = parameters.pop(TO, [""])[-1:]
    address = checked_address(access, url_with(path, parameters))
    shown = SavedView(address=address)
    [line] = lines(access, [shown])
    unit = line.whose if parameters.get("unit") else ""
    form = NewViewForm(posted(request), shares=(), visibility=access.visibility, initial={}, unit=unit)

    def save() -> SavedView:
        data = form.cleaned_data
        if data.get("whose"):
            parameters.pop("unit", None)
        with transaction.atomic():
            made = save_view(access, title=data["title"], address=url_with(path, parameters))
            share_with(access, made, roles=data["roles"], units=data["units"])
        return made

    if made := form.save_by(save):
        messages.success(request, f"The view “{made.title}” is saved.")
        return saved_in_panel(request, made.address)
    return form_panel(request, FORM, form, title="Save this view", line=line)


@vary_on_headers("HX-Request")
@form_view
def saved_view_edit(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The form that renames and shares a view."""
    access, view = access_in(request), _own(request, pk)
    shares = view.shares.select_related("unit")
    form = SharingForm(posted(request), shares=shares, visibility=access.visibility, initial={"title": view.title})

    def save() -> bool:
        data = form.cleaned_data
        with transaction.atomic():
            update_view(access, view, title=data["title"])
            share_with(access, view, roles=data["roles"], units=data["units"])
        return True

    if form.save_by(save):
        messages.success(request, f"The view “{view.title}” is saved. {shared_words(view)}.")
        return saved_in_panel(request, reverse("saved_views"))
    [line] = lines(access, [view])
    remove_url = reverse("saved_view_remove", args=[pk])
    return form_panel(request, FORM, form, title="Title and sharing", line=line, remove_url=remove_url)


@action_view
def saved_view_remove(request: HttpRequest, pk: int) -> HttpResponseBase:
    view = _own(request, pk)
    remove_view(access_in(request), view)
    messages.success(request, f"The view “{view.title}” is deleted.")
    return redirect("saved_views")


def _whose(filters: Filters, names: Mapping[str, str]) -> str:
    """The name of the unit or person that the view shows, such as: Payments."""
    scope = filters.scope
    unit = names.get(scope.unit, UNIT_GONE) if scope.unit else EVERYBODY
    if scope.unassigned is not None:
        unit = "Not in any unit"
    if scope.person_id is not None:
        return f"{YOURSELF} in {unit}" if scope.unit else YOURSELF
    return unit


def _detail(whose: str, filters: Filters) -> str:
    """The details of the view, such as: Payments · last 12 weeks · Agent: Claude Code."""
    days = wording.days(filters.window)
    window = (
        f"last {filters.span}"
        if filters.range in WEEK_RANGES
        else "this quarter"
        if filters.range == "quarter"
        else days
    )
    return " · ".join([part for part in (whose, window, chosen_words(filters)) if part])


def _own(request: HttpRequest, pk: int) -> SavedView:
    return get_object_or_404(SavedView.objects.writable_by(access_in(request)), pk=pk)
