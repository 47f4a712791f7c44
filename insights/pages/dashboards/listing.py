"""The list of dashboards that the viewer may see, and the ways to create one: from a template, from a file, or
empty.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, ClassVar

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse

from core.forms import posted
from core.list_filters import ViewerFilters
from core.list_page import ListPage
from core.page_links import PAGE_SIZE
from core.views import form_view
from insights.dashboards.sharing import SharedThing, may_change, shared_words
from insights.dashboards.templates import TEMPLATES
from insights.dashboards.writing import home_dashboard, import_dashboard, make_dashboard
from insights.models import Dashboard
from insights.pages.dashboards.forms import ImportForm, NewForm
from insights.privacy.scope_access import access_in
from insights.ui import wording
from orgtree.access.access import Access
from orgtree.access.who_sees import names_of


class SharedList(ListPage):
    """Dashboards or saved views that the viewer may see: their own first, then those of others, by title."""

    size = PAGE_SIZE
    edit_route: ClassVar[str]

    @cached_property
    def access(self) -> Access:
        return access_in(self.request)

    def shared(self, things: Sequence[SharedThing]) -> list[dict[str, Any]]:
        """The owner, readers and day of change of each thing, and the page on which its owner changes it."""
        owners = names_of([thing.owner for thing in things if thing.owner])
        return [
            {
                "is_own": thing.owner_id == self.request.user.pk,
                "owner": owners.get(thing.owner_id or 0, ""),
                "changed": wording.moment(thing.changed_at),
                "shared": shared_words(thing),
                "edit_url": reverse(self.edit_route, args=[thing.pk]) if may_change(self.access, thing) else "",
            }
            for thing in things
        ]


class DashboardFilters(ViewerFilters):
    def visible(self, access: Access) -> QuerySet[Dashboard]:
        visible = Dashboard.objects.visible_to(access).select_related("owner").prefetch_related("shares__unit")
        return visible.own_first(access)


class Dashboards(SharedList):
    plural = "dashboards"
    filters = DashboardFilters
    template_name = "insights/dashboards/list.html"
    card = "insights/dashboards/_table.html"
    edit_route = "dashboard_edit"

    def rows(self, records: Iterable[Dashboard]) -> Sequence[Mapping[str, Any]]:
        listed, home = [*records], home_dashboard(self.access)
        return [
            {"dashboard": dashboard, "is_home": home is not None and home.pk == dashboard.pk, **words}
            for dashboard, words in zip(listed, self.shared(listed), strict=True)
        ]

    def context(self) -> dict[str, Any]:
        return {**super().context(), "templates": TEMPLATES}


@form_view
def dashboard_new(request: HttpRequest) -> HttpResponseBase:
    """Creates a dashboard: from the template that `template` names, from an imported `file`, or without cards."""
    access = access_in(request)
    given = posted(request)
    is_file = given is not None and "import" in given
    new = NewForm(None if is_file else given)
    imported = ImportForm(given, request.FILES) if is_file else ImportForm()
    if is_file:
        made = imported.save_by(lambda: import_dashboard(access, imported.content))
    elif (template := request.POST.get("template", "")) in TEMPLATES:
        made = from_template(access, template)
        messages.success(request, f"“{made.title}” is a draft of your own.")
    else:
        made = new.save_by(lambda: make_dashboard(access, title=new.cleaned_data["title"], cards=[]))
    if made is not None:
        return redirect("dashboard_edit", pk=made.pk)
    form = imported if is_file else new
    context = {"templates": TEMPLATES, "new": new, "imported": imported, "form": form}
    return render(request, "insights/dashboards/new.html", context, status=form.status)


def from_template(access: Access, name: str) -> Dashboard:
    """A draft of the viewer's own with the cards of a template."""
    template = TEMPLATES[name]
    return make_dashboard(access, title=template.title, purpose=template.purpose, cards=list(template.cards))
