"""The SQL of each measure, and how its values are read from a row of the result.

Columns of the result: facts, matched_facts and people of the group, and for the measure at position i: v_i its value,
n_i the facts and p_i the people that contributed, and where applicable x_i what was missing or left out, b_i its base,
q_i percentiles or the trimmed mean, l_i the certain part, k_i the parts by method, set_i_j who contributed.  Input
columns: c_i the value, m_i what is missing, t_i the certain part, d_i the method, h_i the hand-kept metric.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from insights.query.measures import (
    AttributedLines,
    Distribution,
    EnteredValue,
    Facts,
    Gini,
    Measure,
    MeasureValue,
    People,
    PeopleOnLine,
    PersonShare,
    StockAtEnd,
    Total,
)
from insights.query.query import Statistic
from integrations.facts.developers import AT_WORK, IN_SESSION, ON_LINE
from integrations.models import Method

ATTRIBUTION_METHODS = tuple(Method.values)
SET = "set_"  # prefix of columns with sets of people
PERCENTILES: Mapping[Statistic, float] = {
    Statistic.MEDIAN: 0.5,
    Statistic.P75: 0.75,
    Statistic.P85: 0.85,
    Statistic.P90: 0.9,
    Statistic.P95: 0.95,
}
LEFT_OUT = 20  # a trimmed mean leaves out the greatest 1 in this many values; none of fewer
NO_INTERVAL_OF_TRIMMED_MEAN = "No interval is computed for a mean without the slowest 5%."

SHARE_PARTS = 10**18  # resolution of a share, so that the sum of decimals does not depend on their order
# Over all flags of a person (integrations/facts/developers.py).
IS_ON_LINE = f"((signs & {ON_LINE}) <> 0 OR (signs & {AT_WORK | IN_SESSION}) = {AT_WORK})"


def columns_of(measure: Measure) -> Iterator[tuple[str, str]]:
    """The prefix letter and the relation's column for each column that the measure reads."""
    if isinstance(measure, (Total, Distribution, StockAtEnd, PeopleOnLine, EnteredValue)):
        yield "c", measure.column
    if isinstance(measure, EnteredValue):
        yield "h", "metric_id"
    if isinstance(measure, Total) and measure.missing_column:
        yield "m", measure.missing_column
    if isinstance(measure, AttributedLines):
        yield "t", measure.certain_column
        yield "d", "method"


def amounts(measure: Measure, i: int, kind: str) -> Iterator[tuple[str, str]]:
    """The additive aggregates, summed from rows to facts, people and groups, as pairs of a name and its SQL over rows.

    `kind` is the type of the measure's column.  Sums are computed from decimals and integers, so they do not depend on
    the order of rows.
    """
    if isinstance(measure, (Total, Distribution)):
        yield f"v_{i}", f"sum(c_{i}::DECIMAL(38, 9))" if kind == "DOUBLE" else f"sum(c_{i})"
    if isinstance(measure, EnteredValue):
        yield f"v_{i}", f"sum(c_{i}) FILTER (WHERE {entered(measure, i)})"
    if isinstance(measure, Distribution):
        yield f"x_{i}", f"count(*) - count(c_{i})"
    if isinstance(measure, Total) and measure.missing_column:
        yield f"x_{i}", f"sum(m_{i})"
    if isinstance(measure, AttributedLines):
        yield f"l_{i}", f"sum(t_{i})"
        for number, method in enumerate(ATTRIBUTION_METHODS):
            yield f"k_{i}_{number}", f"sum(c_{i}) FILTER (WHERE d_{i} = '{method}')"


def entered(measure: Measure, i: int) -> str:
    """The SQL condition for rows that contribute to the measure; empty if every row does."""
    if isinstance(measure, Distribution):
        return f"c_{i} IS NOT NULL"
    if isinstance(measure, EnteredValue):
        return f"h_{i} = {measure.metric_id}"
    return f"c_{i} <> 0" if isinstance(measure, Total) else ""


def of_people(measure: Measure) -> Measure:
    """The measure reduced to what determines its contributors."""
    if isinstance(measure, Total):
        return Total(
            measure.relation,
            measure.not_by,
            measure.not_split_by,
            measure.not_filtered_by,
            column=measure.column,
            only=measure.only,
        )
    return measure


def contributing(measure: Measure, i: int) -> Sequence[str]:
    """The conditions on a person's row of `people`, each of which selects a set of people; `who_contributes` combines
    them.
    """
    if isinstance(measure, PeopleOnLine):
        return [f"(signs & {flag}) <> 0" for flag in (ON_LINE, AT_WORK, IN_SESSION)]
    return [f"n_{i} > 0" if entered(measure, i) else "true"]


def sets(measure: Measure, i: int, most: int) -> Iterator[str]:
    """The sets of people of a group as SQL over the rows of its people: one bit string set_i_j per condition in
    `contributing`, whose last bit is person 0.  `most` is the highest id.
    """
    for j, condition in enumerate(contributing(measure, i)):
        those = f"FILTER (WHERE person_id > 0 AND {condition})"
        yield f"bitstring_agg({most} - person_id, 0, {most}) {those}::BLOB AS {SET}{i}_{j}"


def who_contributes(measure: Measure, sets: Sequence[int]) -> int:
    """The set of people who contribute to the measure, computed from the union of each set over all rows."""
    if isinstance(measure, PeopleOnLine):
        on_line, at_work, in_session = sets
        return on_line | at_work & ~in_session
    [people] = sets
    return people


def matched(measures: Sequence[Measure]) -> str:
    """The SQL condition for matched facts; for a Gini coefficient, only facts of people."""
    return "person_id > 0" if any(isinstance(measure, Gini) for measure in measures) else "person_id <> 0"


def lists(measure: Measure, i: int) -> Iterator[str]:
    """Combines several columns of a group into one list."""
    if isinstance(measure, AttributedLines):
        yield f"[{', '.join(f'k_{i}_{number}' for number in range(len(ATTRIBUTION_METHODS)))}] AS k_{i}"


def statistics_read(measure: Distribution) -> Sequence[Statistic]:
    """The statistics in the column q_i, in order."""
    return [Statistic.TRIMMED_MEAN] if measure.trims else [*PERCENTILES]


def over_all_rows(measure: Measure, i: int) -> Iterator[str]:
    """Aggregates over all rows of a group."""
    if isinstance(measure, Distribution) and measure.trims:
        kept = f"(count(c_{i}) - count(c_{i}) // {LEFT_OUT})"
        in_order = f"list_sort(list(c_{i}::DOUBLE) FILTER (WHERE c_{i} IS NOT NULL))"
        yield f"[list_sum({in_order}[1:{kept}]) / nullif({kept}, 0)] AS q_{i}"
    elif isinstance(measure, Distribution):
        yield f"quantile_cont(c_{i}::DOUBLE, {[*PERCENTILES.values()]}) AS q_{i}"


def trimmed_mean(values: Sequence[float]) -> float | None:
    """The mean without the greatest 5 % of the values, their number rounded down; None without values."""
    kept = sorted(values)[: len(values) - len(values) // LEFT_OUT]
    return sum(kept) / len(kept) if kept else None


def stock_count(measure: Measure, i: int) -> str:
    """SQL over a group's rows for the number of its facts that are in stock on the last day of its window."""
    if not isinstance(measure, StockAtEnd):
        raise TypeError(f"{type(measure).__name__} is not a stock at the end of a window.")
    return f"count(DISTINCT fact_id) FILTER (WHERE multirange_contains_elem(c_{i}, last_day)) AS v_{i}"


def is_of_people(measure: Measure) -> bool:
    """Whether the measure is computed from per-person totals of a group."""
    return isinstance(measure, (PersonShare, Gini, PeopleOnLine))


def aggregates_of_people(measure: Measure, i: int, keys: str) -> tuple[str, str]:
    """SQL over `people`: the aggregate over a group's people, and the columns computed for each person beforehand.

    Rows of `people` have `facts`, the number of the person's facts in the group, and `signs`.  A person's share is
    relative to their facts in all segments of the unit and window.
    """
    if isinstance(measure, PersonShare):
        whole = "PARTITION BY unit_id, window_id"
        of_person = (
            f"(facts * {SHARE_PARTS}::HUGEINT // sum(facts) OVER ({whole}, person_id))::DECIMAL(19, 0)"
            f" * {1 / Decimal(SHARE_PARTS):f} AS share_{i}, "
            f"count(DISTINCT person_id) FILTER (WHERE person_id > 0) OVER ({whole}) AS base_{i}"
        )
        return f"sum(share_{i}) FILTER (WHERE person_id > 0) AS v_{i}, any_value(base_{i}) AS b_{i}", of_person
    if isinstance(measure, Gini):
        known = f"PARTITION BY {keys}, person_id > 0"
        of_person = f"row_number() OVER ({known} ORDER BY facts) AS rank_{i}, count(*) OVER ({known}) AS people_{i}"
        of_people = "FILTER (WHERE person_id > 0)"
        return (
            f"sum((2 * rank_{i} - people_{i} - 1) * facts) {of_people}"
            f" / nullif(max(people_{i}) {of_people} * sum(facts) {of_people}, 0) AS v_{i}",
            of_person,
        )
    return f"count(*) FILTER (WHERE person_id <> 0 AND {IS_ON_LINE}) AS v_{i}", ""


def sets_in(row: Mapping[str, Any], measure: Measure, position: int) -> Sequence[int]:
    """The sets of people of the measure at that position in a row of the result, as integers: bit n is the person with
    the id n.
    """
    return [set_in(row[f"{SET}{position}_{j}"]) for j in range(len(contributing(measure, position)))]


def set_in(bits: bytes | None) -> int:
    """The set of people in a bit string; nobody if it is None."""
    return int.from_bytes(bits or b"", "big")


def value_in(row: Mapping[str, Any], measure: Measure, position: int) -> MeasureValue:
    """The value of the measure at that position in a row of the result."""
    if isinstance(measure, Facts):
        return MeasureValue(float(row["facts"]), row["facts"], row["people"])
    if isinstance(measure, People):
        return MeasureValue(float(row["people"]), row["matched_facts"], row["people"])
    value = row[f"v_{position}"]
    if isinstance(measure, (PeopleOnLine, StockAtEnd)):
        people = int(value) if isinstance(measure, PeopleOnLine) else row["people"]
        facts = people if isinstance(measure, PeopleOnLine) else row["facts"]
        return MeasureValue(float(value), facts, people, base=float(facts))
    if isinstance(measure, Gini):
        coefficient = None if value is None else float(value)
        return MeasureValue(coefficient, row["matched_facts"], row["people"])
    if isinstance(measure, PersonShare):
        base = row[f"b_{position}"]
        counted = row["matched_facts"], row["people"]
        return MeasureValue() if value is None else MeasureValue(float(value), *counted, base=float(base))
    if isinstance(measure, (Total, Distribution, EnteredValue)):
        return _sum(measure, position, row)
    raise TypeError(f"{type(measure).__name__} is not computed of facts.")


def value_as_sql(measure: Measure, position: int, row: str) -> tuple[str, str]:
    """`value_in` as SQL over a result's row of that name: the value (the mean for a distribution), and whether it is
    missing.  Raises TypeError for measures other than facts and sums.
    """
    if isinstance(measure, Facts):
        return f"{row}.facts::DOUBLE", "false"
    if not isinstance(measure, (Total, Distribution)):
        raise TypeError(f"{type(measure).__name__} is not read for each person.")
    value = f"CASE WHEN {row}.n_{position} > 0 THEN {row}.v_{position}::DOUBLE END"
    if isinstance(measure, Distribution):
        return f"{value} / {row}.n_{position}", "false"
    missing = f"coalesce({row}.x_{position} <> 0 AND {row}.n_{position} = 0, false)"
    return value, missing if measure.missing_column else "false"


def _sum(measure: Total | Distribution | EnteredValue, position: int, row: Mapping[str, Any]) -> MeasureValue:
    facts, people = row[f"n_{position}"], row[f"p_{position}"]
    value = float(row[f"v_{position}"]) if facts else None
    if isinstance(measure, EnteredValue):
        return MeasureValue(value, facts)
    if isinstance(measure, Distribution):
        left_out = int(row[f"x_{position}"] or 0)
        return MeasureValue(value, facts, people, _statistics(row, measure, position, value, facts), left_out=left_out)
    if isinstance(measure, AttributedLines) and facts:
        amounts = zip(ATTRIBUTION_METHODS, row[f"k_{position}"], strict=True)
        by_method = {method: float(amount) for method, amount in amounts if amount}
        return MeasureValue(value, facts, people, low=float(row[f"l_{position}"]), by_method=by_method)
    missing = bool(measure.missing_column) and bool(row[f"x_{position}"]) and not facts
    return MeasureValue(value, facts, people, missing=missing)


def _statistics(
    row: Mapping[str, Any], measure: Distribution, position: int, total: Any, facts: int
) -> Mapping[Statistic, float]:
    read = row[f"q_{position}"]
    if not facts or read is None:
        return {}
    return {
        Statistic.MEAN: float(total) / facts,
        **{statistic: float(value) for statistic, value in zip(statistics_read(measure), read, strict=True)},
    }
