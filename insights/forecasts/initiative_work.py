"""The agents' work for an initiative, as far as the viewer may see it, and the items of each team."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from core.csv_export import Cell
from insights.engine.contributors import People, people_of
from insights.privacy.suppression import Atom, Minimum, grid, suppressed
from insights.privacy.withhold import is_withheld, minimum_of, withholds
from insights.query.query import Query
from integrations.delivery.records.initiatives import Initiative, agents_people, agents_work, initiative, work_of_units
from orgtree.access.access import Access


@dataclass(frozen=True)
class AgentsFigure:
    """A figure of agents' work; `value` is None if too few people contribute to it.

    `of` are the lines of its pull requests, or the number of people behind the spend.
    """

    key: str
    value: float | None
    of: int


def agents_figures(one: Initiative, query_of: Callable[[str], Query], access: Access) -> list[AgentsFigure]:
    """The share of agents in the code (0–1) and their spend for all items of the initiative, without figures that are
    zero.

    There are none if too few people worked on it, so that nobody learns whether they used an agent.  A figure has no
    value if subtracting those of epics and versions within the initiative would leave a figure of few people.
    """
    # Of all items: figures of a unit's own items could be subtracted from these.
    whole = initiative(one.kind, one.key, access) or one
    work, people = agents_work(whole), agents_people(whole)
    if is_withheld(query_of("ai.spend"), max(1, work.authors), access):
        return []
    figures = [
        (
            *("ai.committed_code_share", work.ai_authors, people.ai_authors),
            *(work.ai_lines / work.lines if work.lines else None, work.lines),
        ),
        ("ai.spend", work.spenders, people.spenders, float(work.spend) or None, work.spenders),
    ]
    found = []
    for key, number, by_item, value, of in figures:
        query = query_of(key)
        if is_withheld(query, number, access) or (
            withholds(query, access) and reveals_few(by_item, people.parts, minimum_of(access))
        ):
            found.append(AgentsFigure(key, None, of))
        elif value is not None:
            found.append(AgentsFigure(key, value, of))
    return found


WHOLE = "whole"


def reveals_few(people_of_items: Mapping[int, Sequence[int]], parts: Sequence[Sequence[int]], minimum: Minimum) -> bool:
    """Whether the whole minus some of its parts would be a figure of few people."""
    rows_of: dict[int, set[str]] = {item: {WHOLE} for item in people_of_items}
    for number, items in enumerate(parts):
        for item in rows_of.keys() & {*items}:
            rows_of[item].add(str(number))
    people: dict[Atom, People] = defaultdict(int)
    rows: dict[str, set[frozenset[str]]] = defaultdict(set)
    for item, some in people_of_items.items():
        place = frozenset(rows_of[item])
        people[place, ()] |= people_of(some)
        for row in place:
            rows[row].add(place)
    # A grid without wholes, because hiding one of the parts is no remedy: a page of its own shows it.
    return (WHOLE, ()) in suppressed(grid(rows, [], people), minimum, rows={WHOLE})


UNIT_COLUMNS = ("unit", "name", "above", "items_done", "in_progress", "to_do", "finished_per_week")


def unit_rows(one: Initiative) -> Iterator[list[Cell]]:
    """Yield the initiative's items by team as rows of a file; items without a person have no unit."""
    yield list(UNIT_COLUMNS)
    for work in work_of_units(one):
        yield [work.unit, work.name, work.above, work.done, work.in_progress, work.to_do, round(work.weekly, 2)]
