"""The SQL of people of many units: from the stints in which they were found to the units' counts.

People cannot be added up for units as sums are: whoever had two paths of a tree in a window may be in a unit by both of
them, with one fact in both.  Those few, the `movers`, are put together again in each of their units; all others are
added up for paths, which many people have in common, and then for the units of each path (insights/metrics/stints.py).
What is owned may stand among them with a negative number: its facts count, and it is no person.
"""

from __future__ import annotations

from collections.abc import Sequence

from psycopg import sql

from insights.engine.statement import segment_names
from insights.metrics.measures import Measure, PeopleOnLine, PersonShare
from insights.metrics.reading import Reading
from insights.metrics.source import listed, named
from insights.metrics.statement import ON_LINE, added_up, countable

Names = Sequence[sql.Composable]

NOTHING_MORE = sql.SQL("")
MOVED = sql.SQL(
    """
    moved AS MATERIALIZED (
        SELECT person_id, span FROM people GROUP BY person_id, span HAVING min(stint_id) <> max(stint_id)
    )
    """
)
"""moved AS (…): who was found in several stints of a window, from people: one row per stint and whatever keys are."""

_PEOPLE = sql.SQL("count(*) FILTER (WHERE person_id > 0)")
_WHOLE = sql.SQL(
    "SELECT * FROM people"
    " WHERE NOT EXISTS (SELECT FROM moved WHERE moved.person_id = people.person_id AND moved.span = people.span)"
)
_STAYED = sql.SQL(
    """
    SELECT * FROM moved_paths
    WHERE NOT EXISTS (
        SELECT FROM moved_trees AS moved
        WHERE moved.person_id = moved_paths.person_id AND moved.span = moved_paths.span
          AND moved.tree_id = moved_paths.tree_id
    )
    """
)


def keys_of(reading: Reading) -> sql.Composed:
    """What tells cells of one unit apart."""
    return sql.SQL(", ").join(sql.Identifier(name) for name in ("span", *segment_names(reading)))


def movers(
    keys: sql.Composable,
    added: Names = (),
    split: sql.Composable = NOTHING_MORE,
    more: sql.Composable = NOTHING_MORE,
) -> sql.Composed:
    """From people and moved: moved_paths, moved_trees and movers AS (…).

    moved_paths has one row per path, person who moved, window and segment; moved_trees says in which tree a person
    moved, of which all were in the windows of `split`; movers has one row per unit of such a tree, person, window and
    segment, with `more` rows.  Beside `entered` they have the columns `added`.
    """
    return sql.SQL(
        """
        moved_paths AS MATERIALIZED (
            SELECT tree_id, path_id, person_id, {keys}, bit_or(entered) AS entered {sums}
            FROM people JOIN moved USING (person_id, span) JOIN metric_stint_path USING (stint_id)
            GROUP BY tree_id, path_id, person_id, {keys}
        ),
        moved_trees AS MATERIALIZED (
            SELECT person_id, span, tree_id
            FROM moved_paths
            GROUP BY person_id, span, tree_id
            HAVING min(path_id) <> max(path_id)
            {split}
        ),
        movers AS (
            SELECT unit_id, person_id, {keys}, bit_or(entered) AS entered {sums}
            FROM (
                SELECT unit_id, person_id, {keys}, entered {added}
                FROM moved_paths
                JOIN moved_trees USING (person_id, span, tree_id)
                JOIN metric_path_unit USING (path_id)
                WHERE unit_id = ANY(%(ids)s)
                {more}
            ) AS paths
            GROUP BY unit_id, person_id, {keys}
        )
        """
    ).format(keys=keys, sums=added_up(added), added=listed(added), split=split, more=more)


def counted_people(keys: sql.Composable, measures: Sequence[Measure]) -> sql.Composed:
    """One row per unit and keys, from what `movers` says: people, and p_i, those that entered the measure i.

    Who entered the same measures is one number from the paths on: a column for each measure, carried through all rows
    of people, took most of the time.
    """
    entered = [
        sql.SQL("coalesce(sum(people) FILTER (WHERE entered & {} <> 0), 0)::bigint AS {}").format(
            sql.Literal(1 << position), named("p", position)
        )
        for position, _ in countable(measures)
    ]
    on_line = sql.SQL("coalesce(sum(people) FILTER (WHERE {}), 0)::bigint AS {}")
    entered += [
        on_line.format(ON_LINE, named("v", position))
        for position, measure in enumerate(measures)
        if isinstance(measure, PeopleOnLine)
    ]
    return sql.SQL(
        """
        SELECT unit_id, {keys}, sum(people)::bigint AS people {entered}
        FROM (
            SELECT unit_id, {keys}, entered, sum(people) AS people
            FROM (
                SELECT path_id, {keys}, entered, {people} AS people
                FROM (
                    SELECT path_id, {keys}, entered, person_id
                    FROM ({whole}) AS whole JOIN metric_stint_path USING (stint_id)
                    UNION ALL
                    SELECT path_id, {keys}, entered, person_id FROM ({stayed}) AS stayed
                ) AS of_paths
                GROUP BY path_id, {keys}, entered
            ) AS of_paths
            JOIN metric_path_unit USING (path_id)
            WHERE unit_id = ANY(%(ids)s)
            GROUP BY unit_id, {keys}, entered
            UNION ALL
            SELECT unit_id, {keys}, entered, {people} FROM movers GROUP BY unit_id, {keys}, entered
        ) AS people_of_units
        GROUP BY unit_id, {keys}
        """
    ).format(keys=keys, entered=listed(entered), people=_PEOPLE, whole=_WHOLE, stayed=_STAYED)


def counted_with_facts(keys: sql.Composable, measures: Sequence[Measure]) -> sql.Composed:
    """As `counted_people`, with the facts of people, from columns facts and n_i of what `movers` says.

    n_i are the facts that entered the measure of position i; of shares of people v_i is the sum, b_i the base.
    """
    shares = [position for position, measure in enumerate(measures) if isinstance(measure, PersonShare)]
    counts = [named(letter, position) for position, _ in countable(measures) for letter in "np"]
    columns = [sql.SQL("facts"), sql.SQL("people"), *counts, *(named(c, i) for i in shares for c in "vb")]
    told: list[sql.Composable] = [
        sql.SQL("sum({0})::bigint AS {0}").format(name) for name in columns[: 2 + len(counts)]
    ]
    for position in shares:
        told.append(sql.SQL("sum({0}) AS {0}").format(named("v", position)))
        told.append(sql.SQL("sum(sum({0})) OVER one_cell AS {0}").format(named("b", position)))
    return sql.SQL(
        """
        SELECT unit_id, {keys} {told}
        FROM ({whole} UNION ALL {movers}) AS people_of_units
        GROUP BY unit_id, {keys}
        WINDOW one_cell AS (PARTITION BY unit_id, span)
        """
    ).format(
        keys=keys,
        told=listed(told),
        whole=_rolled_up(
            _contributions(sql.SQL("stint_id"), keys, _WHOLE, measures),
            _contributions(sql.SQL("path_id"), keys, _STAYED, measures),
            keys,
            columns,
        ),
        movers=_contributions(sql.SQL("unit_id"), keys, sql.SQL("SELECT * FROM movers"), measures),
    )


def _contributions(
    place: sql.Composable, keys: sql.Composable, people: sql.Composable, measures: Sequence[Measure]
) -> sql.Composed:
    """What each row of people adds to its cell; the order of the columns is that of `counted_with_facts`."""
    columns: list[sql.Composable] = []
    for position, _ in countable(measures):
        columns.append(named("n", position))
        columns.append(
            sql.SQL("(entered & {} <> 0 AND person_id > 0)::int AS {}").format(
                sql.Literal(1 << position), named("p", position)
            )
        )
    for position, measure in enumerate(measures):
        if isinstance(measure, PersonShare):
            share = sql.SQL("CASE WHEN person_id > 0 THEN facts / sum(facts) OVER mine END AS {}")
            columns.append(share.format(named("v", position)))
            is_first = sql.SQL("(person_id > 0 AND row_number() OVER mine_in_order = 1)::int AS {}")
            columns.append(is_first.format(named("b", position)))
    return sql.SQL(
        """
        SELECT {place}, {keys}, facts, (person_id > 0)::int AS people {columns}
        FROM ({people}) AS people
        WINDOW mine AS (PARTITION BY {place}, span, person_id),
               mine_in_order AS (PARTITION BY {place}, span, person_id ORDER BY {keys})
        """
    ).format(place=place, keys=keys, columns=listed(columns), people=people)


def _rolled_up(
    of_stints: sql.Composable, of_paths: sql.Composable, keys: sql.Composable, columns: Names
) -> sql.Composed:
    """The columns of stints and of paths added up for each unit that is asked for."""
    return sql.SQL(
        """
        SELECT unit_id, {keys} {sums}
        FROM (
            SELECT path_id, {keys} {sums}
            FROM ({of_stints}) AS of_stints JOIN metric_stint_path USING (stint_id)
            GROUP BY path_id, {keys}
            UNION ALL
            SELECT path_id, {keys} {columns} FROM ({of_paths}) AS of_paths
        ) AS paths
        JOIN metric_path_unit USING (path_id)
        WHERE unit_id = ANY(%(ids)s)
        GROUP BY unit_id, {keys}
        """
    ).format(keys=keys, sums=added_up(columns), columns=listed(columns), of_stints=of_stints, of_paths=of_paths)
