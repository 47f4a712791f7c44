"""The list of commits with their attribution, and the mix of evidence behind the figures."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import cached_property
from typing import Any

import django_filters
from django.db.models import QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse

from core.csv_export import Cell
from core.list_filters import ViewerFilters
from core.list_page import ListPage
from core.page_links import PAGE_SIZE
from core.write_errors import FieldError
from insights.catalogue.agents import agent_name, in_agent_order
from insights.pages.attribution import labels
from insights.pages.filter_bar import range_pickers
from insights.privacy.scope_access import access_in, has_scope
from insights.privacy.visible import Freshness, visible_totals
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

AI_LINES = "ai.lines_committed"
CSV_PAGE_SIZE = 500
SHORTEST_PREFIX, LONGEST_SHA = 4, 64
SHORT_SHA = 10
METHODS = {method.value: labels.METHODS[method] for method in Method}
COUNTS = {"counted": "Counted", **{reason.value: labels.EXCLUSION_REASONS[reason] for reason in CommitExclusion}}
FILE_HEADS = (
    *("Commit", "Subject", "Author", "Committed", "Repositories", "Counts", "Lines added", "AI lines", "Agents"),
    "Evidence",
)


class CommitFilters(ViewerFilters):
    """Commits that the viewer may see, by the beginning of their id and by their attribution."""

    q = django_filters.CharFilter()
    agent = django_filters.CharFilter()
    method = django_filters.ChoiceFilter(choices=[*METHODS.items(), (NO_EVIDENCE, "No evidence")])
    repository = django_filters.CharFilter()
    set_apart = django_filters.ChoiceFilter(choices=[*COUNTS.items()])

    def visible(self, access: Access) -> QuerySet[Commit]:
        newest = visible_commits(access).order_by("-committed_at", "-pk")
        return newest.select_related("author__person", "credited__person")

    @property
    def prefix(self) -> str:
        """The given beginning of a commit id.  Raises FieldError."""
        written: str = (self.chosen["q"] or "").lower()
        hexadecimal = all(character in "0123456789abcdef" for character in written)
        if written and not (hexadecimal and SHORTEST_PREFIX <= len(written) <= LONGEST_SHA):
            digits = f"{SHORTEST_PREFIX} to {LONGEST_SHA} digits of 0–9 and a–f"
            raise FieldError("q", f"It must be the beginning of a commit id: {digits}.")
        return written

    @property
    def with_prefix(self) -> QuerySet[Commit]:
        commits: QuerySet[Commit] = self.queryset
        return commits.filter(sha__startswith=self.prefix) if self.prefix else commits

    @property
    def qs(self) -> QuerySet[Commit]:
        """The selected commits.  Raises FieldError."""
        chosen = {name: self.chosen[name] or "" for name in asdict(CommitFilter())}
        return filter_commits(self.with_prefix, CommitFilter(**chosen))


class Commits(ListPage):
    plural = "attribution"
    noun = "commits"
    filters = CommitFilters
    template_name = "insights/attribution/commits.html"
    card = "insights/attribution/_commit_table.html"
    size = PAGE_SIZE
    has_file = True

    @cached_property
    def access(self) -> Access:
        return access_in(self.request)

    @cached_property
    def scope(self) -> Filters:
        """The page's filters.  Raises QueryError."""
        return filters_of(self.request)

    @property
    def context_params(self) -> Sequence[tuple[str, str]]:
        return [pair for pair in self.scope.context_parameters() if pair[0] not in self.filters.base_filters]

    def get(self, request: HttpRequest) -> HttpResponseBase:
        """Redirects to the commit if `q` is the beginning of a single commit's id."""
        if self.narrowed.prefix and not self.is_file:
            beginning = commits_of(self.narrowed.with_prefix, self.scope.people_filter).values_list("sha", flat=True)
            if len(found := beginning[:2]) == 1:
                return redirect("attributed_commit", sha=found[0])
        return super().get(request)

    def records(self) -> QuerySet[Commit]:
        return commits_of(self.narrowed.qs, self.scope.people_filter)

    def rows(self, records: Iterable[Commit]) -> list[dict[str, Any]]:
        return _lines(self.access, [*records])

    def file_rows(self, records: QuerySet[Commit]) -> Iterator[Sequence[Cell]]:
        yield FILE_HEADS
        number = 0
        while page := list(records[number : number + CSV_PAGE_SIZE]):
            yield from _cells(self.access, page)
            number += CSV_PAGE_SIZE

    def context(self) -> dict[str, Any]:
        filters, access = self.scope, self.access
        around, choices = scope_navigation(self.request, filters), filter_choices()
        # `agent` is a facet that every page has
        own = {name: value for name, value in self.params.items() if name != "agent"}
        return {
            **super().context(),
            "scope": scope_bar_alone(filters, around, self.request.path, extra_params=own),
            "context_fields": self.context_params,
            "whose": scope_words(filters, around),
            "selects": self._selects(choices),
            "mix": _mix(filters),
            "mix_how_url": filters.url(reverse("metric_how", args=[AI_LINES])),
            "mix_rows_url": filters.url(reverse("metric_rows", args=[AI_LINES])),
            "unused_notes": wording.count(unused, "note")
            if access.visibility.whole and (unused := unused_notes())
            else "",
            "mix_days": wording.days(filters.window),
            "ranges": range_pickers(filters, lambda other: other.url(reverse(self.plural), **own)),
            "own_only": access.policy != IndividualPolicy.NAMED or not access.visibility.individuals,
            "has_repositories": bool(choices.repositories),
            "connect_link": tiles.Link("Connect a repository", reverse("connect_repository")),
        }

    def _selects(self, offered: Choices) -> list[dict[str, Any]]:
        agents = {slug: agent_name(slug) for slug in in_agent_order(offered.agents)}
        repositories = {name: name for name in offered.repositories}
        return [
            self._select("agent", "Any agent", {**agents, NO_EVIDENCE: "No evidence of an agent"}),
            self._select("method", "Any evidence", METHODS),
            self._select("repository", "Any repository", repositories),
            self._select("set_apart", "Status: all", COUNTS),
        ]

    def _select(self, name: str, label: str, options: Mapping[str, str]) -> dict[str, Any]:
        chosen = self.params.get(name, "")
        choices = {"": label, **options, **({chosen: chosen} if chosen and chosen not in options else {})}
        return {"name": name, "label": label, "choices": [(*choice, choice[0] == chosen) for choice in choices.items()]}


def _cells(access: Access, page: Sequence[Commit]) -> Iterator[list[Cell]]:
    """The lines of the CSV file."""
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
    """AI lines by method, the strongest first; empty if the viewer has no scope for them."""
    if not has_scope(filters.scope, filters.access):
        return []
    query = filters.without_facets().query(AI_LINES, Dimension.METHOD)
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
