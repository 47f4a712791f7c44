"""The home page: headline figures for everybody, and the setup status for admins."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone

from core.page_links import url_with
from core.views import page_view, part_view
from insights.dashboards.writing import home_dashboard
from insights.pages.ai.tabs import AI_PAGE
from insights.pages.answers import Answers, compared
from insights.pages.dashboards.saved_views import lines_on_home
from insights.pages.delivery.lead_time import STAGE_QUERIES, callout
from insights.pages.findings import lines_of
from insights.pages.guided_start import is_left_unfinished, is_shown_at_home, start_page
from insights.pages.integrations.needs import NeedLine, need_lines
from insights.pages.planning.forecasts import FORECAST
from insights.privacy.scope_access import access_in, has_scope
from insights.ui import wording
from insights.ui.filters import filters_of
from insights.ui.offers import home_sections, planners, sections_of
from insights.ui.scope_bar import scope_bar, scope_navigation
from insights.ui.tiles import Link, Tile
from insights.ui.views import render_part
from integrations.delivery.completeness import completeness
from integrations.facts.counts import available_sources
from integrations.models import Silence
from integrations.sync.quarantine import count_quarantined
from integrations.telemetry.otlp.aging_tokens import AgingToken, aging_tokens
from integrations.telemetry.otlp.reception import Reception, reception

HOME, PAGE = "home", "page"
FINDINGS_SHOWN = 3
TOKENS_NAMED = 5  # of those that should be replaced
HEADLINES = compared("ai.active_developers", "ai.sessions", "ai.spend", "ai.error_rate")


DELIVERY_HEADLINES = compared(
    "dora.deployment_frequency", "dora.lead_time", "dora.change_failure_rate", "dora.recovery_time"
)


@page_view
def home(request: HttpRequest) -> HttpResponse:
    """The guided start for admins until it is done or left; after that the account's home dashboard, or this page.

    `home=page` always shows this page.
    """
    if request.GET.get(HOME) != PAGE and is_shown_at_home(request):
        return start_page(request)
    access = access_in(request)
    if request.GET.get(HOME) != PAGE and (chosen := home_dashboard(access)):
        return redirect(url_with(reverse("dashboard", args=[chosen.pk]), request.GET))
    available = available_sources()
    filters = filters_of(request, facets=())
    around = scope_navigation(request, filters)
    answers = (
        AI_PAGE.read(filters, (*HEADLINES, *DELIVERY_HEADLINES, *STAGE_QUERIES))
        if has_scope(filters.scope, filters.access)
        else None
    )
    context = {
        "heading": "Home",
        "scope": scope_bar(filters, around, {}, request.path),
        "ai_url": filters.url(reverse("ai")),
        "delivery_url": filters.url(reverse("delivery")),
        "planning_url": filters.url(reverse("planning")) if available.work_items else "",
        "forecasts_url": filters.url(reverse("planning_tab", args=[FORECAST.key])),
        "shipping_url": filters.url(reverse("planning_part", args=["shipping"])),
        "is_planner": any(plans(access) for plans in planners),
        "health_url": reverse("home_health") if request.user.is_staff else "",
        "headlines": _headlines(answers) if available.sessions and answers else [],
        "delivery": _delivery(answers) if answers else [],
        "callout": callout(answers) if answers else None,
        "has_no_scope": answers is None,
        "days": wording.days(filters.window),
        "span": filters.span,
        "connect_link": Link("Connect an agent", reverse("connect_agent")),
        "sections": sections_of(home_sections, filters),
        "views": lines_on_home(access),
        "findings": lines_of(access, most=FINDINGS_SHOWN),
        "is_start_left": is_left_unfinished(request),
    }
    return render(request, "home.html", context)


@part_view
def home_health(request: HttpRequest) -> HttpResponse:
    """The setup status for admins: a part of the home page, or a separate page."""
    if not request.user.is_staff:
        raise Http404
    steps = _steps(reception(), timezone.now())
    context = {
        **{"title": "Health", "part": "_health.html"},
        "open": [step for step in steps if not step.done],
        "done": [step for step in steps if step.done],
    }
    return render_part(request, context)


def _headlines(answers: Answers) -> list[Tile]:
    return [answers.tile(item.key) for item in HEADLINES]


def _delivery(answers: Answers) -> list[Tile]:
    """The delivery part; empty without data, because the setup steps list the missing connections."""
    tiles = [answers.tile(item.key) for item in DELIVERY_HEADLINES]
    return tiles if any(shown.state != "no_data" for shown in tiles) else []


class Step(NamedTuple):
    """A line of the setup status; the link `label` is shown until it is done, and after that the line is folded."""

    done: bool
    title: str
    detail: str
    url: str
    label: str = "View details"


def _step(line: NeedLine) -> Step:
    """The step for an input of DORA; inputs without a fix of their own link to the integrations page."""
    page, link = reverse("integrations"), line.link
    if link is None:
        return Step(line.is_met, line.title, line.detail, page)
    url = f"{page}{link.url}" if link.url.startswith("#") else link.url
    return Step(line.is_met, line.title, line.detail, url, link.label)


def _tokens_step(aging: Sequence[AgingToken]) -> Step:
    """The step that lists tokens to replace, with reasons."""
    named = wording.listed([*map(str, aging[:TOKENS_NAMED]), *(["others"] if len(aging) > TOKENS_NAMED else [])])
    detail = f"To replace: {named}" if aging else "All have a scope and an expiry, and none is left unused"
    url = reverse("admin:integrations_ingesttoken_changelist")
    return Step(not aging, "Ingest token hygiene", detail, url, "Replace tokens")


def _steps(received: Reception, now: datetime) -> Sequence[Step]:
    connect = reverse("connect_agent")
    last = received.last_used_at
    put_aside = received.quarantined + count_quarantined()
    silent = Silence.objects.open().count()
    tokens = f"{wording.count(len(received.tokens), 'token')} may send data" if received.tokens else "None yet"
    arrived = f"Last request {wording.ago(last, now)}" if last else "No request yet"
    has_events = bool(received.sessions or any(source.count for source in received.unread))
    if last and not has_events:
        arrived += ", without an event of an agent"
    silence, stored = "No source has stopped sending", "No records in quarantine"
    if silent:
        silence = f"{wording.count(silent, 'signal or source', 'signals or sources')} stopped sending"
    if put_aside:
        stored = f"{wording.count(put_aside, 'record')} could not be stored"
    needs = need_lines(completeness(), now, for_admin=True)
    checks = [
        Step(bool(received.tokens), "Ingest token", tokens, connect, "Create a token"),
        Step(has_events, "Telemetry", arrived, connect, "Connect an agent"),
        *(_step(line) for line in needs),
        _tokens_step(aging_tokens(now)),
    ]
    if last or silent or put_aside or any(line.tone for line in needs):  # unconnected sources have no problems
        checks += [
            Step(not silent, "Data flow", silence, f"{reverse('integrations')}#silences"),
            Step(not put_aside, "Quarantine", stored, reverse("admin:index"), "Open in admin"),
        ]
    return checks
