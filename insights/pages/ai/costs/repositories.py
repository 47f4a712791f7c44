"""Repositories by spend, for the page of costs and for the AI page, and the cost of delivered work items by epic and by
initiative.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.urls import reverse

from core.csv_export import Cell
from insights.catalogue.agents import agent_name, in_agent_order
from insights.pages.answers import Answers, PageQuery
from insights.pages.drawing import NAMELESS, rows_of_part
from insights.privacy.visible import visible_totals
from insights.query.query import Dimension, Freshness
from insights.ui import wording
from insights.ui.filters import Filters
from integrations.delivery.records.visible import visible_work_items

SPEND, ABANDONED = "ai.spend", "ai.spend_abandoned"
BY_REPOSITORY = tuple(PageQuery(key, Dimension.REPOSITORY, whole=True) for key in (SPEND, ABANDONED))
UNKNOWN_REPOSITORY = "Unknown repository"


@dataclass(frozen=True)
class RepositoryLine:
    """A repository's costs; `fraction`, for its bar, is the share of all that are shown; `abandoned` is None if it is
    withheld.
    """

    name: str  # empty if it is unknown
    url: str
    spend: float
    share: str
    fraction: float
    abandoned: float | None
    sessions: int
    agents: Mapping[str, float | None]  # spend by agent, in the agents' order; None if it is withheld

    @property
    def label(self) -> str:
        return self.name or UNKNOWN_REPOSITORY

    @property
    def spend_in_words(self) -> str:
        return wording.money(self.spend)

    @property
    def abandoned_in_words(self) -> str:
        return _money(self.abandoned)

    @property
    def agents_in_words(self) -> str:
        return ", ".join(f"{agent_name(name)} {_money(spend)}" for name, spend in self.agents.items())


def _money(amount: float | None) -> str:
    return "hidden" if amount is None else wording.money(amount)


def repository_lines(answers: Answers, filters: Filters) -> list[RepositoryLine]:
    """The repositories, the greatest spend first; `filters` are those of their links."""
    known = answers.split(SPEND, Dimension.REPOSITORY)
    abandoned = answers.by_segment(ABANDONED, Dimension.REPOSITORY)
    agents = _agents(filters)
    whole = sum(figure.value or 0.0 for figure in known.values())
    lines = []
    for name, figure in known.items():
        spend, given_up = figure.value or 0.0, abandoned.get(name)
        is_known = name not in ("", NAMELESS)
        lines.append(
            RepositoryLine(
                name=name if is_known else "",
                url=filters.url(reverse("ai_costs"), repository=name) if is_known else "",
                spend=spend,
                share=wording.percent_of(spend, whole),
                fraction=spend / whole if whole else 0.0,
                abandoned=None if given_up and given_up.withheld else (given_up and given_up.value) or 0.0,
                sessions=figure.sample_size,
                agents=agents.get(name, {}),
            )
        )
    return lines


def _agents(filters: Filters) -> Mapping[str, Mapping[str, float | None]]:
    """Spend by repository and agent."""
    query = filters.query(SPEND, Dimension.REPOSITORY, Dimension.AGENT)
    [answer] = visible_totals([query], filters.access, freshness=Freshness.OF_PAGES)
    found: dict[str, dict[str, float | None]] = defaultdict(dict)
    for figure in answer.total:
        if figure.withheld or figure.value:
            repository, agent = figure.segment[Dimension.REPOSITORY], figure.segment[Dimension.AGENT]
            found[repository][agent] = None if figure.withheld else figure.value
    return {name: {agent: of[agent] for agent in in_agent_order(of)} for name, of in found.items()}


def hidden_repositories(answers: Answers) -> str:
    """The number of hidden repositories as a sentence; empty if there are none."""
    hidden = answers.left_out(SPEND, Dimension.REPOSITORY)
    if not hidden:
        return ""
    return f"{wording.count(hidden, 'repository', 'repositories')} hidden: too few people."


def csv_lines(lines: list[RepositoryLine]) -> Iterator[list[Cell]]:
    """CSV lines with a column for each agent; empty if it spent nothing, or its spend is withheld."""
    agents = in_agent_order({agent for line in lines for agent in line.agents})
    by_agent = [f"{agent_name(agent)} (USD)" for agent in agents]
    yield ["Repository", "Spend (USD)", "Abandoned (USD)", "Sessions", *by_agent]
    for line in lines:
        of_agents = [line.agents.get(agent) for agent in agents]
        yield [line.label, line.spend, line.abandoned, line.sessions, *of_agents]


PER_ITEM = "ai.spend_per_item"
DIMENSIONS = {Dimension.EPIC: "epic", Dimension.INITIATIVE: "initiative"}
BY_ANCESTOR = tuple(PageQuery(PER_ITEM, dimension, whole=True) for dimension in DIMENSIONS)
MOST_LISTED = 20


def ancestor_tables(answers: Answers) -> list[dict[str, Any]]:
    """Tables of spend by ancestor of delivered items; None for items without an ancestor."""
    tables = [_table(answers, dimension) for dimension in DIMENSIONS]
    return [table for table in tables if any(line["title"] or line["name"] for line in table["lines"])]


def _table(answers: Answers, dimension: Dimension) -> dict[str, Any]:
    known = answers.split(PER_ITEM, dimension)
    spend = {name: (figure.value or 0.0) * figure.sample_size for name, figure in known.items()}
    greatest = sorted(spend, key=lambda name: (name in ("", NAMELESS), -spend[name], name))
    named = [name for name in greatest if name not in ("", NAMELESS)]
    items = visible_work_items(answers.filters.access).filter(key__in=named[:MOST_LISTED])
    titles = dict(items.values_list("key", "title"))
    lines = [
        {
            "name": name if name in named else "",
            "title": titles.get(name, ""),
            "url": rows_of_part(answers.filters, PER_ITEM, dimension, name),
            "items": known[name].sample_size,
            "spend": wording.money(spend[name]),
            "per_item": wording.money(known[name].value or 0.0),
        }
        for name in (*named[:MOST_LISTED], *(name for name in greatest if name not in named))
    ]
    hidden, noun = answers.left_out(PER_ITEM, dimension), DIMENSIONS[dimension]
    unlisted = len(named) - MOST_LISTED
    notes = [
        f"{wording.count(unlisted, f'further {noun}')} not listed." if unlisted > 0 else "",
        f"{wording.count(hidden, noun)} hidden: too few people." if hidden else "",
    ]
    return {"noun": noun, "lines": lines, "note": " ".join(filter(None, notes))}
