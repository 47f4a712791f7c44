"""What each developer did in a window, of which before and after adoption and the cohorts of use are made.

A developer is a person; what nobody could be matched to, and what agents did for nobody known, is nobody's here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from insights.engine.comparison import LINE_DIMENSIONS
from insights.engine.fact_query import Reading
from insights.engine.line_counts import per_developer
from insights.engine.live_rows import rows_of_answer
from insights.engine.plan import Clock, Need, Plan, plan
from insights.engine.scan import select
from insights.query import windows
from insights.query.query import MetricQuery
from integrations.facts.ai import AGENT_SESSIONS
from integrations.facts.developers import IN_SESSION

if TYPE_CHECKING:
    from insights.formulas.arrays import Flags, Floats, Integers

CYCLE_TIME, MERGED = "pr.cycle_time", "pr.merged_per_developer"
FIRST_DAY = date(1990, 1, 1)  # before the first session of any agent


@dataclass(frozen=True, eq=False)
class DeveloperFacts:
    """A place for each person, in order of ids; `pull_days` and `cycles` have one for each merged pull request instead,
    by person in the same order.

    Days of pull requests are counted from the window's first, which is 0.  `first_sessions` are the days of the first
    session ever, before or in the window, as of `date.toordinal`; 0 where there was none.  `cycles` are seconds from
    open to merge, NaN where that is not known.
    """

    start: date
    end: date  # of the days that have come
    people: Integers
    first_sessions: Integers
    days: Integers  # on which anything was done
    weeks: Integers  # the same, from Monday to Sunday
    session_days: Integers  # on which a session began
    session_count: Integers
    pulls: Integers
    pull_days: Integers
    cycles: Floats

    @cached_property
    def authors(self) -> Integers:
        """The place of the person of each pull request."""
        import numpy as np

        return np.repeat(np.arange(len(self.people)), self.pulls)

    def of(self, wanted: Flags) -> DeveloperFacts:
        """Of some of the people."""
        theirs = wanted[self.authors]
        return replace(
            self,
            people=self.people[wanted],
            first_sessions=self.first_sessions[wanted],
            days=self.days[wanted],
            weeks=self.weeks[wanted],
            session_days=self.session_days[wanted],
            session_count=self.session_count[wanted],
            pulls=self.pulls[wanted],
            pull_days=self.pull_days[theirs],
            cycles=self.cycles[theirs],
        )


@rows_of_answer()
def read_developer_facts(query: MetricQuery) -> DeveloperFacts:
    """Of everybody in the query's scope; agents among the facets are not heeded."""
    import numpy as np

    end = min(query.window.end, windows.local_today() + timedelta(days=1))
    people_need, pulls_need = people_of(query), pulls_of(query)
    active = select(people_need.of_facts.of_whole(), [people_need.measure], _ACTIVITY)
    merged = select(pulls_need.of_facts.of_whole(), [pulls_need.measure], _PULLS)
    people = np.unique(_integers([row["person_id"] for row in (*active, *merged)]))
    return DeveloperFacts(
        start=query.window.start,
        end=end,
        people=people,
        first_sessions=_spread(people, _first_sessions(end), "first_session"),
        days=_spread(people, active, "days"),
        weeks=_spread(people, active, "weeks"),
        session_days=_spread(people, active, "session_days"),
        session_count=_spread(people, active, "sessions"),
        pulls=_spread(people, merged, "pulls"),
        pull_days=_integers([day for row in merged for day in row["days"]]) - query.window.start.toordinal(),
        cycles=np.array([cycle for row in merged for cycle in row["cycles"]], dtype=np.float64),
    )


def pulls_of(query: MetricQuery) -> Need:
    """How the merged pull requests of which both parts tell are read."""
    each = _planned(query, CYCLE_TIME)
    return each.needs[each.metric.sampled]


def people_of(query: MetricQuery) -> Need:
    """How it is read who was at work, and who in a session, on which day."""
    each = _planned(query, MERGED)
    return each.needs[per_developer(each).denominator]


def _planned(query: MetricQuery, key: str) -> Plan:
    """The query for another metric, whole, whatever agents it names."""
    facets = {name: values for name, values in query.facets.items() if name not in LINE_DIMENSIONS}
    return plan(replace(query, key=key, segments=(), facets=facets, statistic=None), Clock.read())


def _first_sessions(end: date) -> Sequence[Mapping[str, Any]]:
    """Everybody's, in any unit, before the day `end`."""
    return select(Reading(AGENT_SESSIONS, ((FIRST_DAY, end),)), [], _FIRST_SESSIONS)


def _spread(people: Integers, rows: Sequence[Mapping[str, Any]], name: str) -> Integers:
    """That column of the rows, at the places of their people; 0 for whoever has none."""
    import numpy as np

    whose = _integers([row["person_id"] for row in rows])
    is_wanted = np.isin(whose, people)
    spread = np.zeros(len(people), dtype=np.int64)
    spread[np.searchsorted(people, whose[is_wanted])] = _integers([row[name] for row in rows])[is_wanted]
    return spread


def _integers(values: Sequence[int]) -> Integers:
    import numpy as np

    return np.array(values, dtype=np.int64)


# Days first, then people: to count different days of everything that was done takes several times as long.
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

# A day's number is that of date.toordinal.  Both lists of a person are in the same order, whatever that of the rows is.
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
