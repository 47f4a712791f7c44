"""Aggregation SQL: computes measures over `counted`, the rows of a fact query in its windows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from insights.engine import measures
from insights.engine.fact_query import FactQuery
from insights.query.measures import Measure, PeopleOnLine, StockAtEnd

FLAGS = 62  # per integer column
BEHIND = "behind"  # the people of a row, if the relation names them (`Relation.people`)


def select(
    fact_query: FactQuery,
    measures_read: Sequence[Measure],
    keys: str,
    types: Mapping[str, str],
    most: int | None = None,
) -> str:
    """SQL for one row per group of `keys`, with the columns that insights/engine/measures.py lists.  `types` are the
    types of the relation's columns; sets of people are included if `most`, the highest person id, is given.
    """
    sets = [] if most is None else sets_of(measures_read, most)
    if any(isinstance(measure, StockAtEnd) for measure in measures_read):
        return _stock(measures_read, keys, sets)
    return _added_up(fact_query, measures_read, keys, types, sets)


def sets_of(measures_read: Sequence[Measure], most: int) -> list[str]:
    return [text for i, measure in enumerate(measures_read) for text in measures.sets(measure, i, most)]


def _added_up(
    fact_query: FactQuery, measures_read: Sequence[Measure], keys: str, types: Mapping[str, str], sets: Sequence[str]
) -> str:
    """SQL for sums over the rows of a group.  A fact or a person may have several rows, so both are counted separately,
    over narrow rows that carry only the flags of the measures they enter: grouping wide rows by fact takes three times
    as long, and count(DISTINCT …) even longer.
    """
    numbered = list(enumerate(measures_read))
    sums = [amount for i, measure in numbered for amount in measures.amounts(measure, i, type_of(measure, types))]
    conditions = {i: condition for i, measure in numbered if (condition := measures.entered(measure, i))}
    flags = _flags(list(conditions))
    entered = {i: f"{name} & {1 << bit} <> 0" for name, bits in flags.items() for i, bit in bits.items()}
    carried = [
        (name, " | ".join(f"if({conditions[i]}, {1 << bit}, 0)" for i, bit in bits.items()), "bit_or({})")
        for name, bits in flags.items()
    ]
    carried += [("signs", f"c_{i}", "bit_or({})") for i, measure in numbered if isinstance(measure, PeopleOnLine)]
    people_where = _people_of_rows
    if fact_query.relation.people:
        carried.append((BEHIND, f"nullif({BEHIND}, '')", "string_agg({}, ',')"))
        people_where = _people_behind
    of_rows = "".join(f", {text} AS {name}" for name, text, _ in carried)
    of_facts = "".join(f", {aggregate.format(name)} AS {name}" for name, _, aggregate in carried)
    facts = "FROM entries"
    if not fact_query.relation.fact_is_row:
        facts = f"FROM (SELECT {keys}, person_id{of_facts} FROM entries GROUP BY {keys}, person_id, fact_id)"
    counts = "".join(f", count(*) FILTER (WHERE {condition}) AS n_{i}" for i, condition in entered.items())
    of_group = "".join(f", sum(n_{i}) AS n_{i}, {people_where(f'n_{i} > 0')} AS p_{i}" for i in entered)
    of_group += "".join(f", {text}" for text in sets)
    lists = "".join(f", {text}" for i, measure in numbered for text in measures.lists(measure, i))
    return f""",
entries AS (SELECT {keys}, person_id, fact_id{of_rows} FROM counted),
people AS (
    SELECT {keys}, person_id, count(*) AS facts{of_facts}{counts}
    {facts}
    GROUP BY {keys}, person_id
)
SELECT *{lists}
FROM (
    SELECT {keys}, sum(facts) AS facts,
           coalesce(sum(facts) FILTER (WHERE {measures.matched(measures_read)}), 0) AS matched_facts,
           {people_where("true")} AS people{of_group}
    FROM people
    GROUP BY {keys}
)
{_beside(sums, measures_read, keys)}"""


def who(fact_query: FactQuery, measures_read: Sequence[Measure], keys: str, most: int) -> str:
    """SQL for one row per group of `keys`, with only its sets of people."""
    numbered = list(enumerate(measures_read))
    person, where = "person_id", "WHERE person_id > 0"
    if fact_query.relation.people:
        person, where = f"unnest(string_split({BEHIND}, ','))::BIGINT", f"WHERE {BEHIND} <> ''"
    rows = [
        *(
            f"count(*) FILTER (WHERE {condition}) AS n_{i}"
            for i, measure in numbered
            if (condition := measures.entered(measure, i))
        ),
        *(f"bit_or(c_{i}) AS signs" for i, measure in numbered if isinstance(measure, PeopleOnLine)),
    ]
    return f""",
people AS (
    SELECT {", ".join([keys, "person_id", *rows])}
    FROM (SELECT * REPLACE ({person} AS person_id) FROM counted {where})
    GROUP BY {keys}, person_id
)
SELECT {", ".join([keys, *sets_of(measures_read, most)])} FROM people GROUP BY {keys}"""


def _flags(positions: Sequence[int]) -> Mapping[str, Mapping[int, int]]:
    """Assigns each measure a bit in a column of flags that says whether a row enters it: bits by position, by column
    name.
    """
    return {
        f"entered_{first // FLAGS}": {i: bit for bit, i in enumerate(positions[first : first + FLAGS])}
        for first in range(0, len(positions), FLAGS)
    }


def _people_of_rows(condition: str) -> str:
    return f"count(*) FILTER (WHERE person_id > 0 AND {condition})"


def _people_behind(condition: str) -> str:
    listed = f"string_split(string_agg({BEHIND}, ',') FILTER (WHERE {condition}), ',')"
    return f"coalesce(len(list_distinct({listed})), 0)"


def _beside(sums: Sequence[tuple[str, str]], measures_read: Sequence[Measure], keys: str) -> str:
    """The joins of sums and percentiles over a group's rows, and of aggregates over its people."""
    numbered = list(enumerate(measures_read))
    of_rows = [f"{over_rows} AS {name}" for name, over_rows in sums]
    of_rows += [text for i, measure in numbered for text in measures.over_all_rows(measure, i)]
    joins = ""
    if of_rows:
        joins += f"JOIN (SELECT {keys}, {', '.join(of_rows)} FROM counted GROUP BY {keys}) USING ({keys})\n"
    if of_people := [(i, measure) for i, measure in numbered if measures.is_of_people(measure)]:
        texts = [measures.aggregates_of_people(measure, i, keys) for i, measure in of_people]
        people = ", ".join(["*", *(of_person for _, of_person in texts if of_person)])
        aggregates = ", ".join(text for text, _ in texts)
        joins += f"JOIN (SELECT {keys}, {aggregates} FROM (SELECT {people} FROM people) GROUP BY {keys}) USING ({keys})"
    return joins


def _stock(measures_read: Sequence[Measure], keys: str, sets: Sequence[str]) -> str:
    """SQL for a stock, in which a fact counts once per group, regardless of how many people it belongs to."""
    counts = [measures.stock_count(measure, i) for i, measure in enumerate(measures_read)]
    return f"""
SELECT {keys}, count(DISTINCT fact_id) AS facts, count(DISTINCT fact_id) FILTER (WHERE person_id <> 0) AS matched_facts,
       count(DISTINCT person_id) FILTER (WHERE person_id > 0) AS people,
       {", ".join([*counts, *sets])}
FROM counted
GROUP BY {keys}"""


def type_of(measure: Measure, types: Mapping[str, str]) -> str:
    """The type of the measure's column; columns computed for a stock are decimals or integers."""
    return types.get(getattr(measure, "column", ""), "BIGINT")
