"""Each developer's activity in a window, from which adoption effects and cohorts are computed.

A developer is a person; unmatched facts and those of autonomous agents are left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from insights.engine.compared_lines import LINE_DIMENSIONS, per_developer
from insights.engine.fact_query import FactQuery
from insights.engine.live_rows import rows_of_answer
from insights.engine.plan import Clock, MeasureQuery, Plan, plan_query
from insights.engine.scan import derive, select
from insights.query import windows
from insights.query.query import Query
from integrations.facts.ai import AGENT_SESSIONS
from integrations.facts.developers import IN_SESSION

if TYPE_CHECKING:
    from insights.formulas.arrays import Flags, Floats, Integers

CYCLE_TIME, MERGED = "pr.cycle_time", "pr.merged_per_developer"
FIRST_DAY = date(1990, 1, 1)  # before the first session of any agent


@dataclass(frozen=True, eq=False)
class DeveloperFacts:
    """Arrays with one element per person, ordered by id; `pull_days` and `cycles` have one per merged pull request,
    grouped by person in the same order.

    `pull_days` count from the window's first day, which is 0.  `first_sessions` are the days of each person's first
    session ever, before or in the window, as numbered by `date.toordinal`; 0 for none.  `cycles` are seconds from open
    to merge, NaN where unknown.
    """

    start: date
    end: date  # of the elapsed days
    people: Integers
    first_sessions: Integers
    days: Integers  # with any activity
    weeks: Integers  # with any activity, Monday to Sunday
    session_days: Integers  # on which a session started
    session_count: Integers
    pulls: Integers
    pull_days: Integers
    cycles: Floats

    @cached_property
    def authors(self) -> Integers:
        """The position of the author of each pull request."""
        import numpy as np

        return np.repeat(np.arange(len(self.people)), self.pulls)

    @property
    def bytes(self) -> int:
        return 8 * (7 * len(self.people) + 3 * len(self.pull_days))  # including the authors

    def of(self, is_selected: Flags) -> DeveloperFacts:
        """The facts of the selected people."""
        theirs = is_selected[self.authors]
        of_people = ("people", "first_sessions", "days", "weeks", "session_days", "session_count", "pulls")
        return replace(
            self,
            **{name: getattr(self, name)[is_selected] for name in of_people},
            pull_days=self.pull_days[theirs],
            cycles=self.cycles[theirs],
        )


@rows_of_answer()
def read_developer_facts(query: Query) -> DeveloperFacts:
    """The facts of everybody in the query's scope; facets by agent are ignored."""
    end = min(query.window.end, windows.local_today() + timedelta(days=1))
    people_query, pulls_query = people_of(query), pulls_of(query)
    return derive(
        ("developer facts", query.window, end, people_query, pulls_query),
        lambda: _developer_facts(query, end, people_query, pulls_query),
        lambda facts: facts.bytes,
    )


def _developer_facts(query: Query, end: date, people_query: MeasureQuery, pulls_query: MeasureQuery) -> DeveloperFacts:
    import numpy as np

    active = select(people_query.fact_query.over_whole_window(), [people_query.measure], _ACTIVITY)
    merged = select(pulls_query.fact_query.over_whole_window(), [pulls_query.measure], _PULLS)
    first_sessions = select(FactQuery(AGENT_SESSIONS, ((FIRST_DAY, end),)), [], _FIRST_SESSIONS)  # of any unit
    people = np.unique(_integers([row["person_id"] for row in (*active, *merged)]))
    return DeveloperFacts(
        start=query.window.start,
        end=end,
        people=people,
        first_sessions=_spread(people, first_sessions, "first_session"),
        days=_spread(people, active, "days"),
        weeks=_spread(people, active, "weeks"),
        session_days=_spread(people, active, "session_days"),
        session_count=_spread(people, active, "sessions"),
        pulls=_spread(people, merged, "pulls"),
        pull_days=_integers([day for row in merged for day in row["days"]]) - query.window.start.toordinal(),
        cycles=np.array([cycle for row in merged for cycle in row["cycles"]], dtype=np.float64),
    )


def pulls_of(query: Query) -> MeasureQuery:
    """Reads the merged pull requests behind both the effect and the cohorts."""
    plan = _planned(query, CYCLE_TIME)
    return plan.measure_queries[plan.metric.sampled]


def people_of(query: Query) -> MeasureQuery:
    """Reads who worked, and who had a session, on which day."""
    plan = _planned(query, MERGED)
    return plan.measure_queries[per_developer(plan).denominator]


def _planned(query: Query, key: str) -> Plan:
    """The plan of the same query for another metric, without splits or facets by agent."""
    facets = {name: values for name, values in query.facets.items() if name not in LINE_DIMENSIONS}
    return plan_query(replace(query, key=key, segments=(), facets=facets, statistic=None), Clock.read())


def _spread(people: Integers, rows: Sequence[Mapping[str, Any]], name: str) -> Integers:
    """A column of the rows as an array aligned with `people`; 0 for people without a row."""
    import numpy as np

    person_ids = _integers([row["person_id"] for row in rows])
    is_known = np.isin(person_ids, people)
    spread = np.zeros(len(people), dtype=np.int64)
    spread[np.searchsorted(people, person_ids[is_known])] = _integers([row[name] for row in rows])[is_known]
    return spread


def _integers(values: Sequence[int]) -> Integers:
    import numpy as np

    return np.array(values, dtype=np.int64)


# Grouped by day first, then by person: counting distinct days of all rows takes several times as long.
_ACTIVITY = f"""
    SELECT person_id, count(*) AS days, count(DISTINCT date_trunc('week', day)) AS weeks,
           count(*) FILTER (WHERE sessions > 0) AS session_days, sum(sessions)::BIGINT AS sessions
    FROM (
        SELECT person_id, day, count(*) FILTER (WHERE c_0 & {IN_SESSION} <> 0) AS sessions
        FROM counted
        WHERE person_id > 0 AND day <= last_day
        GROUP BY person_id, day
    )
    GROUP BY person_id
    ORDER BY person_id
"""  # a constant

# Days are numbered as by date.toordinal.  Both lists of a person are in the same order, regardless of the order of the
# rows.
_ORDINAL = "(day - DATE '0001-01-01' + 1)"
_PULLS = f"""
    SELECT person_id, count(*) AS pulls, list({_ORDINAL} ORDER BY fact_id) AS days,
           list(coalesce(c_0::DOUBLE, 'NaN'::DOUBLE) ORDER BY fact_id) AS cycles
    FROM counted
    WHERE person_id > 0
    GROUP BY person_id
    ORDER BY person_id
"""  # a constant
_FIRST_SESSIONS = f"""
    SELECT person_id, min({_ORDINAL}) AS first_session
    FROM counted
    WHERE person_id > 0
    GROUP BY person_id
"""  # a constant
