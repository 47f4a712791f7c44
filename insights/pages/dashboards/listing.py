"""The list of dashboards that one may see, and the ways to begin one: a template, a file, an empty page."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse

from core.page_links import PAGE_SIZE, page_links, read_page, url_with
from core.views import form_view, record_view
from insights.dashboards.sharing import may_change, shared_words
from insights.dashboards.templates import TEMPLATES
from insights.dashboards.writing import home_dashboard, import_dashboard, make_dashboard
from insights.models import Dashboard
from insights.pages.dashboards.forms import ImportForm, NewForm
from insights.privacy.scope_access import access_in
from insights.ui import wording
from orgtree.access.access import Access
from orgtree.access.who_sees import names_of


@record_view
def dashboards(request: HttpRequest) -> HttpResponseBase:
    """One's own first, then those of others, by title."""
    access = access_in(request)
    visible = Dashboard.objects.visible_to(access).select_related("owner").prefetch_related("shares__unit")
    page = Paginator(visible.own_first(access), PAGE_SIZE).get_page(read_page(request))
    home = home_dashboard(access)
    owners = names_of([dashboard.owner for dashboard in page if dashboard.owner])
    context = {
        "lines": [
            {
                "dashboard": dashboard,
                "url": reverse("dashboard", args=[dashboard.pk]),
                "is_own": dashboard.owner_id == request.user.pk,
                "is_home": home is not None and home.pk == dashboard.pk,
                "owner": owners.get(dashboard.owner_id or 0, ""),
                "changed": wording.moment(dashboard.changed_at),
                "shared": shared_words(dashboard),
                "edit_url": reverse("dashboard_edit", args=[dashboard.pk]) if may_change(access, dashboard) else "",
            }
            for dashboard in page
        ],
        "templates": TEMPLATES,
        **page_links(page, lambda number: url_with("", [("page", number)])),
    }
    return render(request, "insights/dashboards/list.html", context)


@form_view
def dashboard_new(request: HttpRequest) -> HttpResponseBase:
    """`template` names one, `file` is one to import; otherwise a dashboard without cards is made."""
    access = access_in(request)
    posted: Any = request.POST if request.method == "POST" else None
    is_file = posted is not None and "import" in posted
    new = NewForm(None if is_file else posted)
    imported = ImportForm(posted, request.FILES) if is_file else ImportForm()
    if is_file:
        made = imported.save_by(lambda: import_dashboard(access, imported.content))
    elif posted is not None and posted.get("template") in TEMPLATES:
        made = from_template(access, posted["template"])
        messages.success(request, f"“{made.title}” is a draft of your own.")
    else:
        made = new.save_by(lambda: make_dashboard(access, title=new.cleaned_data["title"], cards=[]))
    if made is not None:
        return redirect("dashboard_edit", pk=made.pk)
    form = imported if is_file else new
    context = {"templates": TEMPLATES, "new": new, "imported": imported, "form": form}
    return render(request, "insights/dashboards/new.html", context, status=form.status)


def from_template(access: Access, name: str) -> Dashboard:
    """A draft of one's own with the cards of a template."""
    template = TEMPLATES[name]
    return make_dashboard(access, title=template.title, purpose=template.purpose, cards=list(template.cards))
