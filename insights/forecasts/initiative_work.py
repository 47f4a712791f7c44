"""The agents' work for an initiative, as far as the viewer may know it, and the items of each team."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from core.csv_export import Cell
from insights.privacy.withhold import is_withheld
from insights.query.query import Query
from integrations.delivery.records.initiatives import Initiative, agents_work, work_of_units
from orgtree.access.access import Access


@dataclass(frozen=True)
class AgentsFigure:
    """A figure of agents' work; `value` is None where too few people contribute to it.

    `of` are the lines of its pull requests, or the people behind the spend.
    """

    key: str
    value: float | None
    of: int


def agents_figures(one: Initiative, query_of: Callable[[str], Query], access: Access) -> list[AgentsFigure]:
    """The share of agents in its code (0–1) and their spend, without those that are zero.

    Where too few people worked on it at all, there are none, so that nobody learns whether they used an agent.
    """
    work = agents_work(one)
    if is_withheld(query_of("ai.spend"), max(1, work.authors), access):
        return []
    figures = [
        ("ai.committed_code_share", work.ai_authors, work.ai_lines / work.lines if work.lines else None, work.lines),
        ("ai.spend", work.spenders, float(work.spend) or None, work.spenders),
    ]
    found = []
    for key, people, value, of in figures:
        if is_withheld(query_of(key), people, access):
            found.append(AgentsFigure(key, None, of))
        elif value is not None:
            found.append(AgentsFigure(key, value, of))
    return found


UNIT_COLUMNS = ("unit", "name", "above", "items_done", "in_progress", "to_do", "finished_per_week")


def unit_rows(one: Initiative) -> Iterator[list[Cell]]:
    """Yield the initiative's items by team as rows of a file; items of nobody have no unit."""
    yield list(UNIT_COLUMNS)
    for work in work_of_units(one):
        yield [work.unit, work.name, work.above, work.done, work.in_progress, work.to_do, round(work.weekly, 2)]
