"""Saved views: the menu of the filter bar, the list, and the forms to save, rename, share and delete one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.vary import vary_on_headers

from core.page_links import PAGE_SIZE, page_links, read_page, url_with
from core.views import action_view, form_view, page_view, part_view, record_view
from insights.dashboards.saved_views import (
    checked_address,
    filters_of_view,
    page_name,
    remove_view,
    save_view,
    update_view,
)
from insights.dashboards.sharing import may_change, share_with, shared_words
from insights.models import SavedView
from insights.pages.dashboards.forms import NewViewForm, SharingForm
from insights.pages.filter_bar import chosen_words
from insights.privacy.scope_access import access_in
from insights.ui import wording
from insights.ui.filters import WEEK_RANGES, Filters
from insights.ui.metric_panel import base_template, is_panel
from insights.ui.scope_bar import EVERYBODY, YOURSELF
from insights.ui.views import render_part
from orgtree.access.access import Access
from orgtree.access.who_sees import names_of
from orgtree.models import Unit

UNIT_GONE = "A unit that no longer exists"
TO = "to"  # the parameter with the path of the page; the others are those of the page
VIEWS_IN_MENU = 12
VIEWS_ON_HOME = 8
# In place of a page.
WITHHELD = (
    "This view shows a unit whose figures are visible to its members and managers alone, or has a filter that no "
    "longer exists."
)


class Line(NamedTuple):
    """A saved view with what it shows in words."""

    view: SavedView
    page: str
    whose: str  # its unit, or whom else it shows; empty where the reader may not see it
    detail: str  # unit, window and filters; empty as well
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
    """The menu of a page's filter bar: one's own views and those of others, and how to save this one."""
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


@record_view
def saved_views(request: HttpRequest) -> HttpResponseBase:
    """One's own first, then those of others, by title."""
    access = access_in(request)
    visible = SavedView.objects.visible_to(access).select_related("owner").prefetch_related("shares__unit")
    page = Paginator(visible.own_first(access), PAGE_SIZE).get_page(read_page(request))
    owners = names_of([view.owner for view in page if view.owner])
    context = {
        "lines": [
            {
                "shown": line,
                "owner": owners.get(line.view.owner_id or 0, ""),
                "changed": wording.moment(line.view.changed_at),
                "shared": shared_words(line.view),
                "edit_url": reverse("saved_view_edit", args=[line.view.pk]) if may_change(access, line.view) else "",
            }
            for line in lines(access, page)
        ],
        **page_links(page, lambda number: url_with("", [("page", number)])),
    }
    return render(request, "insights/views/list.html", context)


@page_view
def saved_view(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Leads to the page; where its reader may not see the unit, says so without naming it."""
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
    posted: Any = request.POST if request.method == "POST" else None
    form = NewViewForm(posted, shares=(), visibility=access.visibility, initial={}, unit=unit)

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
        return _done(request, made.address)
    return _form_page(request, form, "Save this view", line)


@vary_on_headers("HX-Request")
@form_view
def saved_view_edit(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Rename and share."""
    access, view = access_in(request), _own(request, pk)
    posted: Any = request.POST if request.method == "POST" else None
    shares = view.shares.select_related("unit")
    form = SharingForm(posted, shares=shares, visibility=access.visibility, initial={"title": view.title})

    def save() -> bool:
        data = form.cleaned_data
        with transaction.atomic():
            update_view(access, view, title=data["title"])
            share_with(access, view, roles=data["roles"], units=data["units"])
        return True

    if form.save_by(save):
        messages.success(request, f"The view “{view.title}” is saved. {shared_words(view)}.")
        return _done(request, reverse("saved_views"))
    [line] = lines(access, [view])
    return _form_page(request, form, "Title and sharing", line, remove_url=reverse("saved_view_remove", args=[pk]))


@action_view
def saved_view_remove(request: HttpRequest, pk: int) -> HttpResponseBase:
    view = _own(request, pk)
    remove_view(access_in(request), view)
    messages.success(request, f"The view “{view.title}” is deleted.")
    return redirect("saved_views")


def _whose(filters: Filters, names: Mapping[str, str]) -> str:
    """Payments."""
    scope = filters.scope
    unit = names.get(scope.unit, UNIT_GONE) if scope.unit else EVERYBODY
    if scope.unassigned is not None:
        unit = "Not in any unit"
    if scope.person_id is not None:
        return f"{YOURSELF} in {unit}" if scope.unit else YOURSELF
    return unit


def _detail(whose: str, filters: Filters) -> str:
    """Payments · last 12 weeks · Agent: Claude Code."""
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


def _form_page(request: HttpRequest, form: SharingForm, title: str, line: Line, **more: Any) -> HttpResponse:
    context = {
        **{"form": form, "title": title, "line": line, "action": request.get_full_path()},
        **{"base_template": base_template(request), **more},
    }
    # The side panel only shows responses with status 200.
    return render(request, "insights/views/form.html", context, status=200 if is_panel(request) else form.status)


def _done(request: HttpRequest, address: str) -> HttpResponse:
    if is_panel(request):
        return HttpResponse(status=204, headers={"HX-Refresh": "true"})
    return redirect(address)
