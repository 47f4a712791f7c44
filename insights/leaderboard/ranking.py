"""The columns of the leaderboard, and everybody with agent activity in a scope: their figures, orders and ranks.

DuckDB orders and counts all people; only the rows of a page are read.  `visible` decides what a viewer may see of them.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from django.conf import settings

from insights.catalogue.agents import AGENT_NAMES
from insights.catalogue.registry import get
from insights.engine.by_person import PersonValue, read_people
from insights.privacy.rows import is_named_elsewhere
from insights.privacy.withhold import rounded, rounded_as_sql
from insights.query.query import Dimension, Query

RANK, NAME, AGENT = "rank", "developer", "agent"
AI_SHARE, AI_LINES = "ai.committed_code_share", "ai.lines_committed"
ALL_LINES = "commit.lines"
SPEND, WASTED = "ai.spend", "ai.spend_wasted"
SESSIONS, TOKENS = "ai.sessions", "ai.tokens"
UNPRICED = "ai.unpriced_tokens"


@dataclass(frozen=True)
class Column:
    """A column; `key` names it in the URL, and one without a metric shows no figure."""

    key: str
    label: str
    metric: str = ""


COLUMNS = (
    Column(RANK, "Rank"),
    Column(NAME, "Developer"),
    Column(AGENT, "Agent"),
    Column("ai_share", "AI Committed Code %", AI_SHARE),
    Column("ai_lines", "AI Lines of Code", AI_LINES),
    Column("sessions", "Sessions", SESSIONS),
    Column("session_duration", "Avg Session Duration", "ai.session_duration"),
    Column("tokens", "Tokens Used", TOKENS),
    Column("spend", "Total Spend", SPEND),
    Column("spend_per_commit", "Spend/Commit", "ai.spend_per_commit"),
    Column("wasted", "Spend Wastage", WASTED),
    Column("cache_hit_rate", "Cache Hit Rate", "ai.cache_hit_rate"),
    Column("error_rate", "Error Rate", "ai.error_rate"),
    Column("ship_rate", "Ship Rate", "ai.ship_rate"),
)
BY_KEY = {column.key: column for column in COLUMNS}
FIGURES = tuple(column for column in COLUMNS if column.metric)

# The figures, read for each person, and all committed lines, of which an AI share needs enough.
METRICS = (*(column.metric for column in FIGURES), ALL_LINES, UNPRICED)

RANKINGS = {"ai_share": "AI Committed Code %", "spend": "Total Spend", "wasted": "Spend Wastage"}
"""The columns to rank by, highest first: column key → label."""

ENOUGH_LINES = 100
"""Developers with fewer committed lines are not ranked by their share, and listed last."""

NAMED_ELSEWHERE = "Not shown under a pseudonym: commits show the same with names."
KNOWN_AGENTS = [*AGENT_NAMES]  # in order; others follow


@dataclass(frozen=True)
class View:
    """The form in which a viewer sees figures: exact, or under pseudonyms.

    Under pseudonyms, the viewer's own figures are exact.  Others' totals are rounded, and facts that other tools show
    with names are left out: lines of commits and the agents that commits name.  Orders are computed from the figures as
    shown, because exact values would reveal what was rounded.  Ties are broken by a key of this `question` alone: with
    one order everywhere, pseudonyms of two units or quarters could be matched.
    """

    own_id: int | None = None
    under_pseudonyms: bool = False
    question: str = ""

    def number(self, key: str) -> str:
        """SQL for the figure as shown, over a row with the exact figures by metric, and is_own."""
        if not self.under_pseudonyms:
            return f'"{key}"'
        if is_named_elsewhere(key):
            return self.only_own(f'"{key}"')
        column = f'"{key}"'
        return f"CASE WHEN is_own THEN {column} ELSE {rounded_as_sql(column)} END"

    def only_own(self, column: str) -> str:
        """SQL for the column, which under pseudonyms is null in other people's rows."""
        return f"CASE WHEN is_own THEN {column} END" if self.under_pseudonyms else column

    def shown(self, person_id: int, exact: Mapping[str, PersonValue]) -> Mapping[str, PersonValue]:
        """The figures as shown in the person's row, by metric."""
        if not self.under_pseudonyms or person_id == self.own_id:
            return exact
        return {key: _pseudonymous(key, figure) for key, figure in exact.items()}

    @property
    def tie(self) -> str:
        """The salt of the sort key of ties, which reveals nothing about people."""
        return hmac.digest(settings.SECRET_KEY.encode(), f"leaderboard {self.question}".encode(), "sha256").hex()


EXACT = View()


def _pseudonymous(key: str, exact: PersonValue) -> PersonValue:
    if is_named_elsewhere(key):
        return PersonValue(None, NAMED_ELSEWHERE)
    return exact if exact.value is None else replace(exact, value=rounded(exact.value))


@dataclass(frozen=True)
class Concentration:
    """The shares (0–1) of all spend and AI lines of the `first` of `people` people, in the order of their spend."""

    first: int
    people: int
    of_spend: float
    of_lines: float


@dataclass(frozen=True)
class RankedPerson:
    """A row of the leaderboard; `rank` is None for an unranked person."""

    person_id: int
    rank: int | None
    agents: Sequence[str]  # the one with the most sessions first; without sessions, the one with the most AI lines
    values: Mapping[str, PersonValue]  # of METRICS


class Ranking:
    """Everybody with agent activity in a scope and window, as of `read_at`."""

    def __init__(self, query: Query) -> None:
        """Ranks by scope, window and facets of `query`; its key is ignored.  Raises QueryError if they can't be
        read.
        """
        by_agent = {name: _query(query, key, Dimension.AGENT) for name, key in _BY_AGENT.items()}
        self._people = read_people([_query(query, key) for key in METRICS], by_agent)
        self.read_at = self._people.read_at
        active = " OR ".join(f"{self._people.number(key)} <> 0" for key in (SESSIONS, TOKENS, AI_LINES))
        self._active = f"(FROM {{result}} WHERE {active})"

    def ids(self, only: int | None = None) -> Sequence[int]:
        """The ids of everybody, in no particular order; with `only`, of that person alone if they are among them."""
        text = f"SELECT person_id FROM {self._active} WHERE $only::BIGINT IS NULL OR person_id = $only::BIGINT"
        return [row["person_id"] for row in self._people.select(text, only=only)]

    @cached_property
    def people(self) -> int:
        [row] = self._people.select(f"SELECT count(*) AS people FROM {self._active}")
        return int(row["people"])

    def concentration(self, first: int) -> Concentration | None:
        """The shares of the `first` people by spend; None if a total is 0."""
        text = f"""
SELECT fsum(spend) AS spend, fsum(lines) AS lines,
       fsum(spend) FILTER (WHERE place <= $first) / nullif(fsum(spend), 0) AS of_spend,
       fsum(lines) FILTER (WHERE place <= $first) / nullif(fsum(lines), 0) AS of_lines
FROM (
    SELECT *, row_number() OVER (ORDER BY spend DESC NULLS LAST, lines DESC, tie) AS place
    FROM (
        SELECT {self._people.number(SPEND)} AS spend, coalesce({self._people.number(AI_LINES)}, 0) AS lines, {_TIE}
        FROM {self._active}
    )
)"""
        [row] = self._people.select(text, first=first, tie=EXACT.tie)
        if row["of_spend"] is None or row["of_lines"] is None:
            return None
        return Concentration(first, self.people, row["of_spend"], row["of_lines"])

    def page(
        self,
        view: View,
        sort: str,
        *,
        ranked_by: str,
        among: Sequence[int] | None = None,
        page: int = 1,
        size: int,
    ) -> Sequence[RankedPerson]:
        """Page `page` (from 1) of these people, or of those in `among`, as the view shows them.

        Sorted by a column's key, descending with a leading minus: by a figure, with ties by AI lines, and people
        without a value last in both directions; by name in the order of `among`.  Ranked by a column, highest first;
        equal figures with equal AI lines share a rank.  By AI share, only people with enough committed lines are
        ranked; the others follow.
        """
        ranking, sorting = BY_KEY[ranked_by].metric, BY_KEY[sort.removeprefix("-")].metric or AI_LINES
        keys = dict.fromkeys((ranking, sorting, AI_LINES, ALL_LINES))
        exact = ", ".join(f'{self._people.number(key)} AS "{key}"' for key in keys)
        enough = f'AND coalesce("{ALL_LINES}", 0) >= {ENOUGH_LINES}' if ranking == AI_SHARE else ""
        chosen = "" if among is None else "WHERE person_id IN (SELECT unnest($among::BIGINT[]))"
        text = f"""
WITH exact AS (
    SELECT person_id, coalesce(person_id = $own::BIGINT, false) AS is_own, {_AGENTS} AS agents, {exact}, {_TIE}
    FROM {self._active}
),
shown AS (
    SELECT person_id, tie, {", ".join(f'{view.number(key)} AS "{key}"' for key in keys)},
           {view.only_own("agents")} AS agents
    FROM exact
),
judged AS (
    SELECT *, coalesce("{AI_LINES}", 0) AS lines, "{ranking}" IS NOT NULL {enough} AS is_ranked FROM shown
),
ranked AS (
    SELECT *, rank() OVER (PARTITION BY is_ranked ORDER BY "{ranking}" DESC, lines DESC) AS rank,
           row_number() OVER (ORDER BY is_ranked DESC, "{ranking}" DESC NULLS LAST, lines DESC, tie) AS place
    FROM judged
),
ordered AS (
    SELECT person_id, agents, CASE WHEN is_ranked THEN rank END AS rank,
           row_number() OVER (ORDER BY {_order(sort)}) AS position
    FROM ranked {chosen}
    ORDER BY position LIMIT $size OFFSET $offset
)
SELECT * FROM ordered JOIN {{result}} USING (person_id) ORDER BY position"""
        values: dict[str, Any] = {"own": view.own_id, "tie": view.tie, "size": size, "offset": (page - 1) * size}
        if among is not None:
            values["among"] = [*among]
        return [
            RankedPerson(
                row["person_id"],
                row["rank"],
                row["agents"] or (),
                view.shown(row["person_id"], self._people.values(row)),
            )
            for row in self._people.select(text, **values)
        ]


_BY_AGENT = {"by_sessions": SESSIONS, "by_lines": AI_LINES}
_AGENTS = f"coalesce({', '.join(_BY_AGENT)})"
_TIE = "sha256($tie || ' ' || person_id) AS tie"


def _order(sort: str) -> str:
    """The order of rows by the columns of a page's statement."""
    key, direction = sort.removeprefix("-"), "DESC" if sort.startswith("-") else ""
    if key == RANK:
        return f"place {direction}"
    if key == NAME:
        return "list_position($among::BIGINT[], person_id)"
    if key == AGENT:
        first = "coalesce(agents[1], '')"
        place = f"coalesce(list_position({KNOWN_AGENTS}, {first}), {len(KNOWN_AGENTS) + 1})"
        return f"{place} {direction}, {first} {direction}, tie"
    return f'"{BY_KEY[key].metric}" {direction} NULLS LAST, lines DESC, tie'


def _query(query: Query, key: str, *segments: Dimension) -> Query:
    facets = {name: values for name, values in query.facets.items() if name in get(key).facets}
    return replace(query, key=key, facets=facets, segments=segments)
