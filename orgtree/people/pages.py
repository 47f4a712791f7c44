"""The list of people, and the page of one person with their history."""

from __future__ import annotations

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from core.page_links import page_links, url_with
from orgtree.access.access import viewable
from orgtree.models import Person
from orgtree.people.filters import COLUMNS, STATES, PeopleFilters
from orgtree.people.people_as_of import attribute_choices, history_of, people_as_of

PEOPLE_A_PAGE = 50
LONGEST_SEARCH = 100
DEFAULT_STATE = "there"


@login_required
@never_cache
@require_GET
def people(request: HttpRequest) -> HttpResponse:
    """People visible to the viewer: admins all, others themselves and people in their units."""
    today = timezone.localdate()
    attributes = attribute_choices()
    search, value = (request.GET.get(name, "").strip()[:LONGEST_SEARCH] for name in ("q", "value"))
    attribute = next((slug for slug, _ in attributes if slug == request.GET.get("attribute")), "")
    state = request.GET.get("state") if request.GET.get("state") in STATES else DEFAULT_STATE
    where = [f"{attribute}={value}"] if attribute and value else []
    narrowed = PeopleFilters(
        {"q": search, "where": where, "state": state}, Person.objects.visible_to(request.user), on=today
    )
    page = Paginator(narrowed.qs, PEOPLE_A_PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "people": people_as_of(list(page.object_list), on=today),
        "columns": COLUMNS,
        "search": search,
        "attribute": attribute,
        "value": value,
        "state": state,
        "default_state": DEFAULT_STATE,
        "states": [
            (key, label, _address(request, state="" if key == DEFAULT_STATE else key, page=""))
            for key, label in STATES.items()
        ],
        "attributes": attributes,
        "is_narrowed": bool(search or where or state != DEFAULT_STATE),
        "is_admin": request.user.is_superuser,
        **page_links(page, lambda number: _address(request, page=number)),
    }
    return render(request, "orgtree/people.html", context)


@login_required
@never_cache
@require_GET
def person(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """A person's dated attributes; 404 if not visible to the viewer."""
    chosen = get_object_or_404(Person.objects.visible_to(request.user), public_id=public_id)
    visibility = viewable(request.user)
    may_see_all = request.user.is_superuser or chosen.pk == visibility.person_id
    today = timezone.localdate()
    context = {
        "person": chosen,
        "history": history_of(chosen, on=today, unit_ids=None if may_see_all else visibility.unit_ids),
        "identities": chosen.identities.order_by("kind", "provider", "value"),
        "is_there": Person.objects.filter(pk=chosen.pk).there_on(today).exists(),
        "is_admin": request.user.is_superuser,
    }
    return render(request, "orgtree/person.html", context)


def _address(request: HttpRequest, **changed: str) -> str:
    """This URL with changed parameters; empty ones are removed."""
    return url_with(reverse("people"), {**request.GET.dict(), **changed})
