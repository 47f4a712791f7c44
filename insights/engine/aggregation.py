"""Aggregation SQL: what a statement computes over `counted`, the rows of a fact query in its windows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from insights.engine import measures
from insights.engine.fact_query import FactQuery
from insights.query.measures import Measure, PeopleOnLine, StockAtEnd

BEHIND = "behind"  # the people of a row, where the relation says who they are (`Relation.people`)


def select(fact_query: FactQuery, measures_read: Sequence[Measure], keys: str, types: Mapping[str, str]) -> str:
    """One row per group of `keys`, with the columns that insights/engine/measures.py lists; `types` are the types of
    the relation's columns."""
    if any(isinstance(measure, StockAtEnd) for measure in measures_read):
        return _stock(measures_read, keys)
    return _added_up(fact_query, measures_read, keys, types)


def _added_up(fact_query: FactQuery, measures_read: Sequence[Measure], keys: str, types: Mapping[str, str]) -> str:
    """Aggregates rows to facts, facts to people and people to groups: count(DISTINCT …) takes several times as long to
    plan and to run."""
    numbered = list(enumerate(measures_read))
    sums = [amount for i, measure in numbered for amount in measures.amounts(measure, i, type_of(measure, types))]
    counted = [(i, entered) for i, measure in numbered if (entered := measures.entered(measure, i))]
    # Each name with its aggregate over rows, and over partial aggregates.
    columns = [(name, over_rows, f"sum({name})") for name, over_rows in sums]
    columns += [
        ("signs", f"bit_or(c_{i})", "bit_or(signs)") for i, measure in numbered if isinstance(measure, PeopleOnLine)
    ]
    of_rows = [f"{over_rows} AS {name}" for name, over_rows, _ in columns]
    of_parts = [f"{over_parts} AS {name}" for name, _, over_parts in columns]
    if fact_query.relation.fact_is_row:
        facts, rows_of_people = "", "counted"
        people = [*of_rows, *(f"count(*) FILTER (WHERE {entered}) AS n_{i}" for i, entered in counted)]
    else:
        key = f"{keys}, person_id, fact_id"
        entering = [f"bool_or({entered}) AS e_{i}" for i, entered in counted]
        facts = f", facts AS (SELECT {', '.join([key, *of_rows, *entering])} FROM counted GROUP BY {key})"
        rows_of_people = "facts"
        people = [*of_parts, *(f"count(*) FILTER (WHERE e_{i}) AS n_{i}" for i, _ in counted)]
    people_where = _people_of_rows
    if fact_query.relation.people:
        people.append(f"string_agg(nullif({BEHIND}, ''), ',') AS {BEHIND}")
        people_where = _people_behind
    groups = [
        "sum(facts) AS facts",
        f"coalesce(sum(facts) FILTER (WHERE {measures.matched(measures_read)}), 0) AS matched_facts",
        f"{people_where('true')} AS people",
        *of_parts,
        *(f"sum(n_{i}) AS n_{i}, {people_where(f'n_{i} > 0')} AS p_{i}" for i, _ in counted),
    ]
    lists = "".join(f", {text}" for i, measure in numbered for text in measures.lists(measure, i))
    return f"""{facts},
people AS (
    SELECT {", ".join([keys, "person_id", "count(*) AS facts", *people])} FROM {rows_of_people}
    GROUP BY {keys}, person_id
)
SELECT *{lists}
FROM (SELECT {keys}, {", ".join(groups)} FROM people GROUP BY {keys})
{_beside(measures_read, keys)}"""


def _people_of_rows(condition: str) -> str:
    return f"count(*) FILTER (WHERE person_id > 0 AND {condition})"


def _people_behind(condition: str) -> str:
    listed = f"string_split(string_agg({BEHIND}, ',') FILTER (WHERE {condition}), ',')"
    return f"coalesce(len(list_distinct({listed})), 0)"


def _beside(measures_read: Sequence[Measure], keys: str) -> str:
    """Joins the aggregates that are not sums: percentiles over a group's rows, and aggregates over its people."""
    numbered = list(enumerate(measures_read))
    joins = ""
    if quantiles := [text for i, measure in numbered for text in measures.percentiles(measure, i)]:
        joins += f"JOIN (SELECT {keys}, {', '.join(quantiles)} FROM counted GROUP BY {keys}) USING ({keys})\n"
    if of_people := [(i, measure) for i, measure in numbered if measures.is_of_people(measure)]:
        texts = [measures.aggregates_of_people(measure, i, keys) for i, measure in of_people]
        people = ", ".join(["*", *(of_person for _, of_person in texts if of_person)])
        aggregates = ", ".join(text for text, _ in texts)
        joins += f"JOIN (SELECT {keys}, {aggregates} FROM (SELECT {people} FROM people) GROUP BY {keys}) USING ({keys})"
    return joins


def _stock(measures_read: Sequence[Measure], keys: str) -> str:
    """A fact counts once in a group, however many people it belongs to."""
    return f"""
SELECT {keys}, count(DISTINCT fact_id) AS facts, count(DISTINCT fact_id) FILTER (WHERE person_id <> 0) AS matched_facts,
       count(DISTINCT person_id) FILTER (WHERE person_id > 0) AS people,
       {", ".join(measures.stock_count(measure, i) for i, measure in enumerate(measures_read))}
FROM counted
GROUP BY {keys}"""


def type_of(measure: Measure, types: Mapping[str, str]) -> str:
    """The type of the measure's column; columns computed for a stock are decimals or integers."""
    return types.get(getattr(measure, "column", ""), "BIGINT")
