"""The search sources of insights: units, metrics, dashboards, views, pull requests by number and tabs of pages; and the
values of the metrics found.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import Q
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from core.list_filters import LARGEST_ID
from core.page_links import address, url_with
from insights.catalogue.declarations import Metric
from insights.catalogue.registry import find, matches, metrics
from insights.models import Dashboard, SavedView
from insights.pages.ai.tabs import AI_PAGE
from insights.pages.answers import figures_view
from insights.pages.dashboards.saved_views import lines
from insights.pages.delivery.tabs import DELIVERY_PAGE
from insights.pages.planning.tabs import PLANNING_PAGE
from insights.privacy.scope_access import has_scope
from insights.privacy.visible import Freshness, visible_totals
from insights.query import windows
from insights.query.query import MetricValue
from insights.ui import wording
from insights.ui.filters import filters_of
from insights.ui.scope_bar import scope_navigation, scope_words
from integrations.delivery.records.visible import visible_pull_requests
from integrations.models import Repository
from orgtree.access.access import Access
from orgtree.access.search_sources import ELSEWHERE, Hit, closeness, rank, with_all
from orgtree.trees.search import UnitChoice, units_matching

MOST_VALUES = 5  # in one plan
PAGES_OF_FIGURES = (("AI", AI_PAGE), ("Delivery", DELIVERY_PAGE), ("Planning", PLANNING_PAGE))


def units(access: Access, words: Sequence[str], limit: int) -> list[Hit]:
    return [
        unit_hit(unit) for unit in units_matching(" ".join(words), access.visibility, on=windows.local_today())[:limit]
    ]


def unit_hit(unit: UnitChoice) -> Hit:
    """A link to the unit's figures; another page's scope is dropped, because two scopes would contradict each other."""
    return Hit(unit.name, url_with(address("ai"), {"unit": unit.slug}), hint=unit.location, takes="window")


def catalogue(_access: Access, words: Sequence[str], limit: int) -> list[Hit]:
    """Definitions that contain all words; everybody may read them."""
    hits = [
        Hit(
            metric.marked_name,
            address("metric_page", metric.key),
            hint=metric.meaning,
            takes="context",
            metric="" if metric.always_by else metric.key,
        )
        for metric in metrics()
        if matches(metric, " ".join(words))
    ]
    return sorted(hits, key=lambda hit: rank(hit, words))[:limit]


@figures_view
def metric_values(request: HttpRequest) -> HttpResponseBase:
    """The values of the metrics `of` in the reader's scope and window, which replace the placeholders in the search."""
    filters = filters_of(request)
    known = [found for key in request.GET.getlist("of")[:MOST_VALUES] if (found := find(key)) and not found.always_by]
    has_figures = bool(known) and has_scope(filters.scope, filters.access)
    queries = [filters.query(metric.key) for metric in known] if has_figures else []
    answers = visible_totals(queries, filters.access, freshness=Freshness.OF_PAGES)
    around = scope_navigation(request, filters, is_part=True)
    context = {
        "values": [
            (metric, value_words(metric, answer.total[0]), (answer.total[0].reason or "").removeprefix("Hidden: "))
            for metric, answer in zip(known, answers, strict=False)
        ],
        "whose": f"{scope_words(filters, around)}, {wording.days(filters.window)}" if answers else "",
    }
    return render(request, "search/_values.html", context)


def value_words(metric: Metric, figure: MetricValue) -> str:
    if figure.value is not None:
        return str(wording.reading(figure.value, metric.unit))
    return "Hidden" if figure.withheld else "No value"


def dashboards(access: Access, words: Sequence[str], limit: int) -> list[Hit]:
    """Dashboards that the reader may see, found by words of title and purpose."""
    matching = Dashboard.objects.visible_to(access).filter(with_all(words, "title", "purpose"))
    return [
        Hit(
            dashboard.title,
            reverse("dashboard", args=[dashboard.pk]),
            hint=dashboard.purpose,
            note="" if dashboard.is_published else "Draft",
            takes="context",
        )
        for dashboard in matching.order_by(closeness(words, "title"), "title", "pk")[:limit]
    ]


def saved_views(access: Access, words: Sequence[str], limit: int) -> list[Hit]:
    """Saved views that the reader may see, found by words of their title; each has its own context."""
    matching = SavedView.objects.visible_to(access).filter(with_all(words, "title"))
    views = matching.order_by(closeness(words, "title"), "title", "pk")[:limit]
    return [Hit(line.view.title, line.url, hint=line.detail, note=line.page) for line in lines(access, views)]


def pull_requests(access: Access, words: Sequence[str], limit: int) -> list[Hit]:
    """Pull requests by number, optionally with words of the repository's name: 1188, #1188, checkout-web#1188."""
    parts = [part for word in words for part in word.replace("#", " ").split()]
    numbers = [int(part) for part in parts if part.isdecimal() and len(part) <= len(str(LARGEST_ID))]
    if len(numbers) != 1 or numbers[0] > LARGEST_ID:
        return []
    number, names = numbers[0], [part for part in parts if not part.isdecimal()]
    # Uses the index on repository and number: a subquery of repositories lets the planner choose it.
    of_repositories = Repository.objects.filter(with_all(names, "name") if names else Q())
    seen = visible_pull_requests(access).filter(number=number, repository__in=of_repositories)
    return [
        Hit(
            pull_request.title or f"Pull request {number}",
            reverse("pull_request", args=[pull_request.pk]),
            hint=f"{pull_request.repository.name} #{number}",
            note=f"Merged {wording.day(timezone.localdate(pull_request.merged_at))}"
            if pull_request.merged_at
            else pull_request.state.capitalize(),
            takes="context",
            matched=" ".join(words),
        )
        for pull_request in seen.select_related("repository").order_by("-created_at", "pk")[:limit]
    ]


def tabs(_access: Access, words: Sequence[str], limit: int) -> list[Hit]:
    hits = [
        Hit(f"{name}: {tab.label}", page.at(word).path, takes="context", matched=f"{name} {tab.label}")
        for name, page in PAGES_OF_FIGURES
        for word, tab in page.tabs.items()
        if word
    ]
    return [hit for hit in hits if rank(hit, words) < ELSEWHERE][:limit]
