"""Badges: the page that publishes and revokes them, and their SVGs."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from core.forms import posted_number
from core.views import form_view
from core.write_errors import MayNotWriteError
from insights.badges.face import face_of
from insights.badges.publish import may_publish, publish_badge, revoke_badge
from insights.catalogue.registry import metrics
from insights.models import Badge
from insights.pages.catalogue import grouped
from insights.privacy.scope_access import access_in
from insights.query import windows
from insights.query.errors import QueryError
from insights.query.query import Statistic
from orgtree.access.access import Access
from orgtree.models import Unit

CACHE_SECONDS = 300  # in clients; figures of trailing windows follow new facts within a minute
MOST_LISTED, MOST_UNITS_OFFERED = 200, 300


@require_safe
@cache_control(public=True, max_age=CACHE_SECONDS)
def badge_picture(request: HttpRequest, key: str) -> HttpResponse:
    """A public SVG for anybody who has its URL; 404 once it is revoked."""
    badge = get_object_or_404(Badge.objects.standing().select_related("unit"), key=key)
    picture = render_to_string("insights/badges/badge.svg", {"face": face_of(badge)})
    return HttpResponse(picture, content_type="image/svg+xml; charset=utf-8")


@form_view
def badges(request: HttpRequest) -> HttpResponse:
    """The badges of units that the viewer may see; a POST publishes or revokes one."""
    access = access_in(request)
    if request.method != "POST":
        return _render(request, access)
    if "revoke" in request.POST:
        return _revoke(request, access)
    try:
        publish_badge(
            access,
            metric=request.POST.get("metric", ""),
            unit=request.POST.get("unit", "").strip(),
            weeks=posted_number(request, "weeks"),
            statistic=request.POST.get("statistic", ""),
            label=request.POST.get("label", "").strip(),
        )
    except QueryError as problem:
        return _render(request, access, problem=problem.message)
    except MayNotWriteError as refusal:
        return _render(request, access, problem=str(refusal), status=403)
    messages.success(request, "Published. Anybody who has its address can see the figure.")
    return redirect("badges")


def _revoke(request: HttpRequest, access: Access) -> HttpResponse:
    published = Badge.objects.standing().within(access.visibility).select_related("unit")
    badge = get_object_or_404(published, key=request.POST["revoke"])
    revoke_badge(access, badge)
    messages.success(request, "Revoked: its address now returns 404.")
    return redirect("badges")


def _render(request: HttpRequest, access: Access, *, problem: str = "", status: int = 400) -> HttpResponse:
    written = request.POST if request.method == "POST" else request.GET
    published = Badge.objects.standing().within(access.visibility).select_related("unit")[:MOST_LISTED]
    units = _publishable_units(access)
    context = {
        "lines": [_line(badge, access) for badge in published],
        "problem": problem,
        "may_publish_whole": may_publish(access, None),
        "may_publish": may_publish(access, None) or bool(units),
        "units": units,
        "metrics": grouped([metric for metric in metrics() if not metric.always_by]),
        "weeks": windows.TRAILING_WEEKS,
        "statistics": list(Statistic),
        "written": {"weeks": str(windows.DEFAULT_WEEKS), **written.dict()},
    }
    return render(request, "insights/badges/badges.html", context, status=status if problem else 200)


def _publishable_units(access: Access) -> list[Unit]:
    units = Unit.objects.within(access.visibility).filter(tree__archived_at=None).order_by("name", "slug")
    if not may_publish(access, None):
        units = units.filter(pk__in=access.visibility.managed_ids)
    return list(units[:MOST_UNITS_OFFERED])


def _line(badge: Badge, access: Access) -> dict[str, object]:
    """A published badge with its Markdown."""
    address = f"{settings.BASE_URL.rstrip('/')}{reverse('badge_picture', args=[badge.key])}"
    return {
        "badge": badge,
        "unit_name": badge.unit.name if badge.unit else "Whole organisation",
        "address": address,
        "markdown": f"![{badge.label or badge.metric}]({address})",
        "may_revoke": may_publish(access, badge.unit),
    }
