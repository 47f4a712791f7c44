"""What the row *Unassigned* below the units of a page shows, kept of the pages' windows for each tree.

Cells are of units, and whoever is in none is found by passing over everybody who is in one: seconds in an organisation
of ten thousand.  What is kept is what was found of each measure, so that a metric comes to the same as from facts.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from insights import unit_columns
from insights.engine.scan import Cell
from insights.metrics.figures import fingerprint
from insights.metrics.measures import NOTHING, MeasureValue
from insights.metrics.outcomes import Begun, Facts
from insights.metrics.plan import Clock, Need, Places, Plan, plan_total
from insights.metrics.query import MetricQuery, Scope, Statistic, Window
from insights.metrics.reading import CellKey, Placed, Placement, Reading, StockReading
from insights.people_figures.store import Kind, kept_of
from orgtree.models import OrgTree

KEYS = (*unit_columns.AI, *unit_columns.DELIVERY)

Found = Mapping[str, Sequence[Sequence[Any]]]  # by need: rows of a window's days and what was found in it


@dataclass(frozen=True)
class KeptUnassigned:
    """By tree (id) what was found, as of a moment."""

    of_tree: Mapping[int, Found]
    read_at: datetime

    def begun(self, plan: Plan) -> Begun | None:
        """The plan with what of its needs is there; None where nothing is, as of a tree that is new.

        What heeds none of the query's filters, such as the whole that a part is held against, is there where the rest
        is not.
        """
        found = self.of_tree.get(plan.placement.ids[0], {})
        needs = tuple(plan.needs.values())
        lacking = {need.reading for need in needs if _is_filtered(need) or _name(need) not in found}
        kept = [need for need in needs if need.reading not in lacking]
        scanned: dict[Reading, dict[CellKey, Cell]] = defaultdict(dict)
        stocked: dict[StockReading, Mapping[tuple[int | None, Window], int]] = {}
        for need in kept:
            rows = found[_name(need)]
            if isinstance(need.reading, StockReading):
                stocked[need.reading] = {(None, _window(row)): row[2] for row in rows}
                continue
            cells = scanned[need.reading]
            for row in rows:
                key, facts, matched = CellKey(None, _window(row), ()), row[2], row[3]
                others = cells[key].values if key in cells else {}
                cells[key] = Cell({**others, need.measure: _value(row[4])}, facts, matched)
        rest = tuple(need for need in needs if need.reading in lacking)
        return Begun(plan, Facts(scanned, stocked), rest, self.read_at) if kept else None


def begun_with_kept(plans: Sequence[Plan]) -> Mapping[int, Begun]:
    """By position those of the plans for which any of what they need is kept."""
    asked = {position: each for position, each in enumerate(plans) if _may_be_kept(each)}
    kept = {window: _kept(window) for window in {each.query.window for each in asked.values()}}
    found = {position: kept[each.query.window] for position, each in asked.items()}
    begun = {position: of_window.begun(asked[position]) for position, of_window in found.items() if of_window}
    return {position: each for position, each in begun.items() if each}


def _may_be_kept(each: Plan) -> bool:
    """Whether it is of whoever is in no unit, in the window as a whole."""
    everybody = each.placement == Placement(Placed.UNASSIGNED, each.placement.ids)
    return everybody and not (each.buckets or each.segments)


def _is_filtered(need: Need) -> bool:
    return isinstance(need.reading, Reading) and bool(need.reading.facets)


def _kept(window: Window) -> KeptUnassigned | None:
    kept = kept_of(UNASSIGNED, window)
    if kept is None:
        return None
    return KeptUnassigned({int(tree): found for tree, found in json.loads(kept.content).items()}, kept.read_at)


def _read(window: Window) -> bytes:
    clock, places = Clock.read(), Places()
    needs: dict[int, dict[str, Need]] = {}
    for tree, slug in OrgTree.objects.values_list("pk", "slug"):
        queries = (MetricQuery(key, window, scope=Scope(unassigned=slug)) for key in KEYS)
        plans = [plan_total(query, clock, places) for query in queries]
        needs[tree] = {_name(need): need for each in plans for need in each.needs.values()}
    facts = Facts.read((need for of_tree in needs.values() for need in of_tree.values()), clock)
    found = {
        tree: {name: list(_rows(need, facts)) for name, need in of_tree.items()} for tree, of_tree in needs.items()
    }
    return json.dumps(found).encode()


def _name(need: Need) -> str:
    """By which it is found again, of one window and tree."""
    relation = need.reading.relation.name
    if isinstance(need.reading, StockReading):
        return relation
    return f"{relation} {fingerprint(need.measure)}"


def _rows(need: Need, facts: Facts) -> Iterable[Sequence[Any]]:
    """Of each window in which anything was found: its days, and what it was."""
    if isinstance(need.reading, StockReading):
        for span in need.reading.spans:
            yield [*_days(span), facts.stocked[need.reading].get((None, span), 0)]
        return
    scanned = facts.scanned[need.reading]
    for window in need.reading.windows:
        cell = scanned.get(CellKey(None, window, ()))
        if cell is not None:
            yield [*_days(window), cell.facts, cell.matched_facts, _told(cell.values[need.measure])]


def _days(window: Window) -> Sequence[str]:
    return [window.start.isoformat(), window.end.isoformat()]


def _window(row: Sequence[Any]) -> Window:
    return Window(date.fromisoformat(row[0]), date.fromisoformat(row[1]))


def _told(value: MeasureValue) -> Mapping[str, Any]:
    """What differs from nothing, as JSON: the mappings of a value are by text."""
    return {name: part for name, part in value._asdict().items() if part != getattr(NOTHING, name)}


def _value(told: Mapping[str, Any]) -> MeasureValue:
    statistics = {Statistic(name): amount for name, amount in told.get("statistics", {}).items()}
    return MeasureValue(**{**told, "statistics": statistics})


UNASSIGNED = Kind("unassigned", 1, KEYS, _read)
