"""From rows to cells: what a statement computes over `counted`, the rows of a question in its windows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from insights.engine import measures
from insights.engine.fact_query import Reading
from insights.query.measures import Measure, PeopleOnLine, StandingAtEnd


def select(question: Reading, wanted: Sequence[Measure], keys: str, types: Mapping[str, str]) -> str:
    """One row per cell, by `keys`, with the columns that insights/engine/measures.py lists; `types` are those of the
    relation's columns."""
    if any(isinstance(measure, StandingAtEnd) for measure in wanted):
        return _standing(wanted, keys)
    return _added_up(question, wanted, keys, types)


def _added_up(question: Reading, wanted: Sequence[Measure], keys: str, types: Mapping[str, str]) -> str:
    """Rows are added up to facts, facts to people and people to cells: counting what is distinct takes several times
    as long, to plan and to do."""
    numbered = list(enumerate(wanted))
    sums = [amount for i, measure in numbered for amount in measures.amounts(measure, i, type_of(measure, types))]
    counted = [(i, entered) for i, measure in numbered if (entered := measures.entered(measure, i))]
    # Names, each with what it is over rows, and over what was found of them.
    columns = [(name, over_rows, f"sum({name})") for name, over_rows in sums]
    columns += [("signs", f"bit_or(c_{i})", "bit_or(signs)") for i, each in numbered if isinstance(each, PeopleOnLine)]
    of_rows = [f"{over_rows} AS {name}" for name, over_rows, _ in columns]
    of_parts = [f"{over_parts} AS {name}" for name, _, over_parts in columns]
    if question.relation.fact_is_row:
        facts, rows_of_people = "", "counted"
        people = [*of_rows, *(f"count(*) FILTER (WHERE {entered}) AS n_{i}" for i, entered in counted)]
    else:
        key = f"{keys}, person_id, fact_id"
        entering = [f"bool_or({entered}) AS e_{i}" for i, entered in counted]
        facts = f", facts AS (SELECT {', '.join([key, *of_rows, *entering])} FROM counted GROUP BY {key})"
        rows_of_people = "facts"
        people = [*of_parts, *(f"count(*) FILTER (WHERE e_{i}) AS n_{i}" for i, _ in counted)]
    cells = [
        "sum(facts) AS facts",
        f"coalesce(sum(facts) FILTER (WHERE {measures.matched(wanted)}), 0) AS matched_facts",
        "count(*) FILTER (WHERE person_id > 0) AS people",
        *of_parts,
        *(f"sum(n_{i}) AS n_{i}, count(*) FILTER (WHERE n_{i} > 0 AND person_id > 0) AS p_{i}" for i, _ in counted),
    ]
    lists = "".join(f", {text}" for i, measure in numbered for text in measures.lists(measure, i))
    return f"""{facts},
people AS (
    SELECT {", ".join([keys, "person_id", "count(*) AS facts", *people])} FROM {rows_of_people}
    GROUP BY {keys}, person_id
)
SELECT *{lists}
FROM (SELECT {keys}, {", ".join(cells)} FROM people GROUP BY {keys})
{_beside(wanted, keys)}"""


def _beside(wanted: Sequence[Measure], keys: str) -> str:
    """Joins of what is no sum: percentiles of the rows of a cell, and what is computed of its people."""
    numbered = list(enumerate(wanted))
    joins = ""
    if quantiles := [text for i, measure in numbered for text in measures.percentiles(measure, i)]:
        joins += f"JOIN (SELECT {keys}, {', '.join(quantiles)} FROM counted GROUP BY {keys}) USING ({keys})\n"
    if of_people := [(i, measure) for i, measure in numbered if measures.is_of_people(measure)]:
        texts = [measures.aggregates_of_people(measure, i, keys) for i, measure in of_people]
        people = ", ".join(["*", *(of_each for _, of_each in texts if of_each)])
        found = ", ".join(text for text, _ in texts)
        joins += f"JOIN (SELECT {keys}, {found} FROM (SELECT {people} FROM people) GROUP BY {keys}) USING ({keys})"
    return joins


def _standing(wanted: Sequence[Measure], keys: str) -> str:
    """A fact counts once in a cell, whatever the number of people that it is of."""
    return f"""
SELECT {keys}, count(DISTINCT fact_id) AS facts, count(DISTINCT fact_id) FILTER (WHERE person_id <> 0) AS matched_facts,
       count(DISTINCT person_id) FILTER (WHERE person_id > 0) AS people,
       {", ".join(measures.standing(measure, i) for i, measure in enumerate(wanted))}
FROM counted
GROUP BY {keys}"""


def type_of(measure: Measure, types: Mapping[str, str]) -> str:
    """The type of what the measure adds up; what a stock computes is a decimal or an integer."""
    return types.get(getattr(measure, "column", ""), "BIGINT")
