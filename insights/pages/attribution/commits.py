"""The list of commits with their attribution, and the mix of evidence behind the figures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse

from core.csv_export import Cell, csv_response
from core.page_links import PAGE_SIZE, links_of_page, read_page, url_with
from core.views import page_view
from insights.catalogue.agents import agent_name, in_agent_order
from insights.pages.attribution import labels
from insights.pages.filter_bar import range_pickers
from insights.privacy.scope_access import has_scope
from insights.privacy.visible import Freshness, visible_totals
from insights.query.errors import QueryError
from insights.query.query import Dimension
from insights.ui import tiles, wording
from insights.ui.filters import Filters, filters_of
from insights.ui.scope_bar import scope_bar_alone, scope_navigation, scope_words
from integrations.code.commits.listing import (
    NO_EVIDENCE,
    Choices,
    CommitFilter,
    attributions_of,
    commits_of,
    filter_choices,
    filter_commits,
    repositories_of,
    visible_commits,
)
from integrations.facts.left_out import unused_notes
from integrations.models import Commit, CommitExclusion, Method
from orgtree.access.access import Access
from orgtree.models import IndividualPolicy

CSV_PAGE_SIZE = 500
SHORTEST_PREFIX, LONGEST_SHA = 4, 64
SHORT_SHA = 10
LONGEST_VALUE = 200


@page_view
def commits(request: HttpRequest) -> HttpResponseBase:
    filters = filters_of(request)
    access, around = filters.access, scope_navigation(request, filters)
    visible = commits_of(visible_commits(access), filters.people_filter)
    written = request.GET.get("q", "").strip().lower()
    chosen = _read_filter(request)
    if written:
        visible = _with_prefix(visible, written)
        if (only := _only(visible)) is not None:
            return redirect("attributed_commit", sha=only.sha)
    number = read_page(request)
    matching = filter_commits(visible, chosen)
    total = matching.count()
    shown = _page(matching, number, PAGE_SIZE)
    choices = filter_choices()
    context = {
        "scope": scope_bar_alone(filters, around, request.path, extra_params=_extra_params(request)),
        "scope_fields": _context(filters),
        "clear_url": _url(request, filters, **dict.fromkeys(OWN_PARAMETERS, "")),
        "whose": scope_words(filters, around),
        "search": written,
        "selects": _selects(chosen, choices),
        "narrowed": chosen != CommitFilter() or bool(written),
        "lines": _lines(access, shown),
        **links_of_page(number, shown, total, lambda page: _url(request, filters, page=page), size=PAGE_SIZE),
        "csv_url": _url(request, filters, name="attribution_csv"),
        "mix": _mix(filters),
        "mix_how_url": _lines_url("metric_how", filters),
        "mix_rows_url": _lines_url("metric_rows", filters),
        "unused_notes": wording.count(unused, "note") if access.visibility.whole and (unused := unused_notes()) else "",
        "mix_days": wording.days(filters.window),
        "ranges": range_pickers(filters, lambda other: _url(request, other)),
        "own_only": access.policy != IndividualPolicy.NAMED or not access.visibility.individuals,
        "has_repositories": bool(choices.repositories),
        "connect_link": tiles.Link("Connect a repository", reverse("connect_repository")),
    }
    return render(request, "insights/attribution/commits.html", context)


@page_view
def commits_csv(request: HttpRequest) -> HttpResponseBase:
    filters = filters_of(request)
    scope_navigation(request, filters, is_part=True)
    access = filters.access
    visible = commits_of(visible_commits(access), filters.people_filter)
    if written := request.GET.get("q", "").strip().lower():
        visible = _with_prefix(visible, written)
    rows = _csv_rows(access, filter_commits(visible, _read_filter(request)))
    return csv_response("headway-attributed-commits", rows)


def _csv_rows(access: Access, matching: QuerySet[Commit]) -> Iterator[list[Cell]]:
    yield [
        "Commit",
        "Subject",
        "Author",
        "Committed",
        "Repositories",
        "Counts",
        "Lines added",
        "AI lines",
        "Agents",
        "Evidence",
    ]
    number = 1
    while page := _page(matching, number, CSV_PAGE_SIZE):
        authors, held, attributed = labels.labels_of(access, page), repositories_of(page), attributions_of(page)
        for commit in page:
            of_agents = attributed.get(commit.pk, ())
            yield [
                commit.sha,
                commit.subject,
                authors[commit.pk],
                commit.committed_at,
                ", ".join(link.repository.name for link in held.get(commit.pk, ())),
                labels.EXCLUSION_REASONS.get(commit.exclusion_reason, "counted"),
                commit.lines_added if commit.lines_known else None,
                sum(agent.lines for agent in of_agents),
                ", ".join(in_agent_order({agent.agent for agent in of_agents})),
                ", ".join(dict.fromkeys(agent.method for agent in of_agents)),
            ]
        number += 1


def _page(matching: QuerySet[Commit], number: int, size: int) -> list[Commit]:
    newest = matching.select_related("author__person", "credited__person").order_by("-committed_at", "-pk")
    return list(newest[(number - 1) * size : number * size])


def _with_prefix(commits: QuerySet[Commit], written: str) -> QuerySet[Commit]:
    hexadecimal = all(character in "0123456789abcdef" for character in written)
    if not hexadecimal or not SHORTEST_PREFIX <= len(written) <= LONGEST_SHA:
        raise QueryError(
            "q", f"It must be the beginning of a commit id: {SHORTEST_PREFIX} to {LONGEST_SHA} digits of 0–9 and a–f."
        )
    return commits.filter(sha__startswith=written)


def _only(commits: QuerySet[Commit]) -> Commit | None:
    first_two = list(commits.order_by("pk")[:2])
    return first_two[0] if len(first_two) == 1 else None


def _lines(access: Access, shown: Sequence[Commit]) -> list[dict[str, Any]]:
    authors, held = labels.labels_of(access, shown), repositories_of(shown)
    attributed = attributions_of(shown)
    return [
        {
            "url": reverse("attributed_commit", args=[commit.sha]),
            "short_sha": commit.sha[:SHORT_SHA],
            "subject": commit.subject or "No subject",
            "author": authors[commit.pk],
            "committed_at": wording.moment(commit.committed_at),
            "repository": ", ".join(link.repository.name for link in held.get(commit.pk, ())) or "none",
            "exclusion_reason": labels.EXCLUSION_REASONS.get(commit.exclusion_reason, ""),
            "lines": f"{commit.lines_added:,}" if commit.lines_known else "unknown",
            "ai_lines": f"{sum(agent.lines for agent in attributed[commit.pk]):,}" if commit.pk in attributed else "",
            "agents": in_agent_order({agent.agent for agent in attributed.get(commit.pk, ())}),
            "methods": ", ".join(
                dict.fromkeys(labels.METHODS[agent.method] for agent in attributed.get(commit.pk, ()))
            ),
        }
        for commit in shown
    ]


def _mix(filters: Filters) -> list[dict[str, Any]]:
    """AI lines by method, the strongest first; empty where the viewer has no scope to read them of."""
    if not has_scope(filters.scope, filters.access):
        return []
    query = filters.without_facets().query("ai.lines_committed", Dimension.METHOD)
    [answer] = visible_totals([query], filters.access, freshness=Freshness.OF_PAGES)
    figures = tiles.by_segment(answer, Dimension.METHOD)
    shares = {method: figures[method] for method in Method if method in figures and figures[method].value}
    total = sum(figure.value or 0 for figure in shares.values())
    return [
        {
            "method": labels.METHODS[method],
            "lines": wording.compact(figure.value or 0),
            "percent": wording.percent_of(figure.value or 0, total),
            "commits": wording.count(figure.sample_size, "commit"),
            "fraction": (figure.value or 0) / total,
        }
        for method, figure in shares.items()
    ]


def _lines_url(name: str, filters: Filters) -> str:
    """The explanation of AI lines in this window, or their rows, which name their method."""
    return filters.url(reverse(name, args=["ai.lines_committed"]))


def _selects(chosen: CommitFilter, offered: Choices) -> list[dict[str, Any]]:
    agents = {slug: agent_name(slug) for slug in in_agent_order(offered.agents)}
    methods = {method.value: labels.METHODS[method] for method in Method}
    counts = {"counted": "Counted", **{reason.value: labels.EXCLUSION_REASONS[reason] for reason in CommitExclusion}}
    return [
        _select("agent", "Any agent", {**agents, NO_EVIDENCE: "No evidence of an agent"}, chosen.agent),
        _select("method", "Any evidence", methods, chosen.method),
        _select("repository", "Any repository", {name: name for name in offered.repositories}, chosen.repository),
        _select("set_apart", "Status: all", counts, chosen.set_apart),
    ]


def _select(name: str, label: str, options: dict[str, str], chosen: str) -> dict[str, Any]:
    known = {"": label, **options}
    if chosen not in known:
        known[chosen] = chosen
    choices = [{"value": value, "label": text, "chosen": value == chosen} for value, text in known.items()]
    return {"name": name, "label": label, "choices": choices}


def _read_filter(request: HttpRequest) -> CommitFilter:
    written = {name: request.GET.get(name, "") for name in asdict(CommitFilter())}
    for name, value in written.items():
        if len(value) > LONGEST_VALUE:
            raise QueryError(name, f"A value has at most {LONGEST_VALUE} printable characters.")
    chosen = CommitFilter(**written)
    if chosen.method and chosen.method not in (*Method.values, NO_EVIDENCE):
        raise QueryError("method", f"It can be {wording.listed([*Method.values, NO_EVIDENCE])}.")
    if chosen.set_apart and chosen.set_apart not in ("counted", *CommitExclusion.values):
        raise QueryError("set_apart", f"It can be {wording.listed(['counted', *CommitExclusion.values])}.")
    return replace(chosen, repository=chosen.repository.strip())


OWN_PARAMETERS = ("q", *asdict(CommitFilter()))


def _extra_params(request: HttpRequest) -> dict[str, str]:
    """The list's own parameters, which the scope bar's links keep; `agent` is a facet that every page has."""
    return {name: value for name in OWN_PARAMETERS if name != "agent" and (value := request.GET.get(name))}


def _context(filters: Filters) -> list[tuple[str, str]]:
    return [pair for pair in filters.context_parameters() if pair[0] not in OWN_PARAMETERS]


def _url(request: HttpRequest, filters: Filters, *, name: str = "attribution", **changed: str) -> str:
    """The list's URL with changed parameters."""
    current = {key: request.GET.get(key) for key in OWN_PARAMETERS}
    return url_with(reverse(name), [*_context(filters), *{**current, **changed}.items()])
