"""The search: one view over the sources that the rooms declare, as a page and as the palette's list.  docs/search.md"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple
from urllib.parse import urlencode

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render

from config.context_processors import ENTRIES, MORE_PAGES, Entry, context_by_part
from core.page_links import address, url_with
from core.views import part_view
from insights.pages.found import MOST_VALUES, unit_hit
from insights.privacy.scope_access import access_in
from insights.query import windows
from insights.ui import wording
from insights.ui.scope_bar import recent_units
from orgtree.access.access import Access
from orgtree.access.search_sources import ELSEWHERE, Hit, rank, search_sources
from orgtree.trees.search import units_named

LONGEST_TEXT = 200
MOST_WORDS = 8  # each is a condition of every statement
HITS_IN_PALETTE = 5  # of a group
HITS_ON_PAGE = 20
PAGES_SUGGESTED = 8


class ShownHit(NamedTuple):
    hit: Hit
    icon: str
    url: str


class Group(NamedTuple):
    name: str
    hits: Sequence[ShownHit]

    @property
    def has_values(self) -> bool:
        return any(shown.hit.metric for shown in self.hits)


class Finding(NamedTuple):
    """A hit with the group and the icon of its source."""

    group: str
    icon: str
    hit: Hit


@part_view
def search(request: HttpRequest) -> HttpResponseBase:
    """Hits of `q` by group, the group with the closest hit first; without `q` recent units and pages."""
    is_palette = bool(request.headers.get("HX-Request"))
    text = " ".join(request.GET.get("q", "").split())[:LONGEST_TEXT].strip()
    words = text.split()[:MOST_WORDS]
    access, limit = access_in(request), HITS_IN_PALETTE if is_palette else HITS_ON_PAGE
    findings = _found(access, words, limit) if words else _suggestions(request, access)
    groups = _groups(request, findings, limit if words else PAGES_SUGGESTED)
    number = sum(len(group.hits) for group in groups)
    context = {
        "text": text,
        "words": words,
        "groups": groups,
        "result": wording.count(number, "result", "results") if number else f"Nothing matches “{text}”.",
        "context_fields": context_by_part(request)["context"],
        "values_url": _values_url(request, groups),
    }
    return render(request, "search/_hits.html" if is_palette else "search/page.html", context)


def _values_url(request: HttpRequest, groups: Iterable[Group]) -> str:
    """The URL of the first metrics' values, in the context of the reader's page; empty if there are none."""
    keys = [shown.hit.metric for group in groups for shown in group.hits if shown.hit.metric][:MOST_VALUES]
    pairs = [("of", key) for key in keys] + [*context_by_part(request)["context"]]
    return url_with(address("metric_values"), pairs) if keys else ""


def _found(access: Access, words: Sequence[str], limit: int) -> Iterable[Finding]:
    """Findings, closest first; sources keep their order if hits are equally close."""
    findings = [
        (rank(hit, words) + source.handicap, Finding(source.name, hit.icon or source.icon, hit))
        for source in sorted(search_sources, key=lambda source: source.order)
        for hit in source.find(access, words, limit)
    ]
    return [finding for _, finding in sorted(findings, key=lambda ranked: ranked[0])]


def _suggestions(request: HttpRequest, access: Access) -> Iterable[Finding]:
    for unit in units_named(recent_units(request), access.visibility, on=windows.local_today()):
        yield Finding("Recent units", "sitemap", unit_hit(unit))
    for entry in _pages(access, ENTRIES)[:PAGES_SUGGESTED]:
        yield Finding("Pages", entry.icon, _page_hit(entry))


def _groups(request: HttpRequest, findings: Iterable[Finding], limit: int) -> list[Group]:
    """The groups, in the order of their first hits."""
    pairs, by_name = context_by_part(request), dict[str, list[ShownHit]]()
    for name, icon, hit in findings:
        carried = urlencode(pairs[hit.takes])
        url = hit.address + (("&" if "?" in hit.address else "?") + carried if carried else "")
        by_name.setdefault(name, []).append(ShownHit(hit, icon, url))
    return [Group(name, hits[:limit]) for name, hits in by_name.items()]


def pages_found(access: Access, words: Sequence[str], limit: int) -> list[Hit]:
    """Pages found by words of their name, or by other words for their content."""
    hits = [_page_hit(entry) for entry in _pages(access, (*ENTRIES, *MORE_PAGES))]
    close = [hit for hit in hits if rank(hit, words) < ELSEWHERE]
    return sorted(close, key=lambda hit: rank(hit, words))[:limit]


def _pages(access: Access, entries: Iterable[Entry]) -> list[Entry]:
    return [entry for entry in entries if entry.is_for(access)]


def _page_hit(entry: Entry) -> Hit:
    return Hit(
        entry.label,
        address(entry.url_name),
        hint=entry.hint,
        icon=entry.icon,
        takes=entry.takes,
        matched=f"{entry.label} {entry.hint}",
    )
