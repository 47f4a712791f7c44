"""The leaderboard as a viewer may see it: which rows, under which names.  docs/leaderboard.md, docs/access.md.

It returns no ids of other people, and no names that the policy hides.  The search covers only labels that the viewer
sees, so it cannot reveal who is behind a pseudonym.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from insights.engine.by_person import PersonValue
from insights.leaderboard.ranking import (
    AGENT,
    AI_LINES,
    BY_KEY,
    FIGURES,
    NAME,
    RANK,
    SPEND,
    UNPRICED,
    FactFigures,
    PseudonymousFigures,
    Ranking,
)
from insights.privacy.rows import is_named_elsewhere, pseudonyms_of
from insights.privacy.scope_access import check_scope
from insights.privacy.visible import shown_of
from insights.privacy.withhold import is_withheld
from insights.query.query import Dimension, Query, Scope, Window
from orgtree.access.access import Access
from orgtree.access.trust import Disclosure
from orgtree.models import Person

PERSONAL = SPEND  # as personal as any of its figures
SHOWN = tuple(column.metric for column in FIGURES)
FACETS = (Dimension.AGENT, Dimension.MODEL)  # others would reveal where a pseudonym works


@dataclass(frozen=True)
class LeaderboardRow:
    """One person's row; `values` by metric.  `rank` is None for an unranked person."""

    label: str
    is_own: bool
    rank: int | None
    agents: Sequence[str]
    values: Mapping[str, PersonValue]
    has_unpriced: bool  # tokens without a price: the spend lacks their cost


@dataclass(frozen=True)
class Concentration:
    """The shares (0–1) of all spend and AI lines of the `first` of `people` who spend most."""

    first: int
    people: int
    of_spend: float
    of_lines: float


class VisibleLeaderboard:
    """A ranking as one viewer may see it.

    `people` counts everybody with agent activity (None: too few to show).  `note` says why others' rows are missing;
    `is_pseudonymous`: others have pseudonyms and rounded totals.
    """

    def __init__(
        self,
        window: Window,
        scope: Scope,
        facets: Mapping[Dimension, tuple[str, ...]],
        access: Access,
        *,
        ranked_by: str,
    ) -> None:
        """`ranked_by` is the key of a column; facets that the leaderboard does not support are ignored.

        Raises QueryError and what `check_scope` raises.
        """
        check_scope(scope, access)
        supported = {name: values for name, values in facets.items() if name in FACETS}
        query = Query(PERSONAL, window, scope=scope, facets=supported)
        self._access = access
        figures = FactFigures(query)
        self.read_at = figures.read_at
        self._whole = Ranking(figures)
        self._ranked_by = ranked_by
        self._is_of_one = scope.person_id is not None
        count = len(self._whole.people)
        hides_group = is_withheld(query, count, access)
        self.people = None if hides_group else count
        visibility = shown_of(query, access, people=count)
        self.note = visibility.note if visibility.shown is Disclosure.OWN else ""
        self.is_pseudonymous = visibility.shown is Disclosure.TOTALS
        own = access.visibility.person_id
        is_hidden = self.is_pseudonymous and is_named_elsewhere(BY_KEY[ranked_by].metric)
        self._has_ranks = not hides_group and not is_hidden and not self._is_of_one
        # Orders are computed from visible values, too: exact ones would reveal what was rounded.
        self._question = pseudonyms_of(query)
        self._ranking = self._whole
        if self.is_pseudonymous:
            viewer = access.viewer.pk if access.viewer else ""
            self._ranking = Ranking(PseudonymousFigures(figures, own, f"{viewer} {self._question}"))
        self._seen = frozenset([person for person in self._whole.people if not self.note or person == own])

    def page(self, *, sort: str, search: str, page: int, size: int) -> tuple[Sequence[LeaderboardRow], int]:
        """Page `page` (from 1) of the rows, sorted by a column's key, and the number of rows of all pages.

        A leading minus sorts descending.
        """
        ids, labels = self._ordered_ids(sort, search)
        shown = ids[(page - 1) * size : page * size]
        return self._rows(shown, labels or self._labels(shown)), len(ids)

    def concentration(self) -> Concentration | None:
        """Of the top tenth by spend, or a minimum group; None without figures, or where a group is too small."""
        first = max(len(self._whole.people) // 10, self._access.minimum_group_size)
        if self.people is None or self._is_of_one or self.people - first < first:
            return None
        of_spend, of_lines = (self._whole.share_of_spenders(metric, first) for metric in (SPEND, AI_LINES))
        return None if of_spend is None or of_lines is None else Concentration(first, self.people, of_spend, of_lines)

    def _ordered_ids(self, sort: str, search: str) -> tuple[list[int], Mapping[int, str]]:
        """The ordered ids, and the labels where sorting or searching needed them."""
        key, descending = sort.removeprefix("-"), sort.startswith("-")
        by_label = key == NAME or bool(search)
        labels = self._labels(self._seen) if by_label else {}
        ids = [person for person in self._order(key, descending, labels) if person in self._seen]
        if search:
            needle = search.casefold()
            ids = [person for person in ids if needle in labels.get(person, "").casefold()]
        return ids, labels

    def _order(self, key: str, descending: bool, labels: Mapping[int, str]) -> Sequence[int]:
        if key == RANK:
            order = self._ranking.ranks(self._ranked_by).order
            return [*reversed(order)] if descending else order
        if key == NAME:
            return sorted(labels, key=lambda person: labels[person].casefold(), reverse=descending)
        if key == AGENT:
            return self._ranking.sorted_by_agent(descending=descending)
        return self._ranking.sorted_by(key, descending=descending)

    def _labels(self, people: Collection[int]) -> Mapping[int, str]:
        """The labels that this viewer may see."""
        persons = Person.objects.filter(pk__in=list(people)).only("pk", "public_id", "full_name")
        return self._access.labels(persons, question=self._question)

    def _rows(self, people: Sequence[int], labels: Mapping[int, str]) -> Sequence[LeaderboardRow]:
        ranks = self._ranking.ranks(self._ranked_by).by_person if self._has_ranks else {}
        figures = self._ranking.figures
        return [
            LeaderboardRow(
                label=labels[person],
                is_own=person == self._access.visibility.person_id,
                rank=ranks.get(person),
                agents=figures.agents(person),
                values={key: figures.value(key, person) for key in SHOWN},
                has_unpriced=bool(figures.value(UNPRICED, person).value),
            )
            for person in people
            if person in labels  # people merged since the figures were read have none
        ]
