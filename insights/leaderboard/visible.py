"""The leaderboard as a viewer may see it: which rows, under which names.  docs/leaderboard.md, docs/access.md.

It returns no ids of other people, and no names that the policy hides.  The search covers only labels that the viewer
sees, so it cannot reveal who is behind a pseudonym.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from insights.engine.by_person import PersonValue
from insights.leaderboard.ranking import (
    BY_KEY,
    FIGURES,
    NAME,
    SPEND,
    UNPRICED,
    Concentration,
    RankedPerson,
    Ranking,
    View,
)
from insights.privacy.rows import is_named_elsewhere, pseudonyms_of
from insights.privacy.scope_access import check_scope
from insights.privacy.visible import NOBODY, shown_of
from insights.privacy.withhold import is_withheld
from insights.query.query import Dimension, Query, Scope, Window
from orgtree.access.access import Access
from orgtree.access.trust import Disclosure
from orgtree.models import Person

PERSONAL = SPEND  # as personal as any of its figures
SHOWN = tuple(column.metric for column in FIGURES)
FACETS = (Dimension.AGENT, Dimension.MODEL)  # others would reveal where a pseudonym's person works


@dataclass(frozen=True)
class LeaderboardRow:
    """One person's row; `values` by metric.  `rank` is None for an unranked person."""

    label: str
    is_own: bool
    rank: int | None
    agents: Sequence[str]
    values: Mapping[str, PersonValue]
    has_unpriced: bool  # for tokens without a price, whose cost the spend lacks


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
        self._ranking = Ranking(query)
        self.read_at = self._ranking.read_at
        self._ranked_by = ranked_by
        self._is_of_one = scope.person_id is not None
        count = self._ranking.people
        hides_group = is_withheld(query, count, access)
        self.people = None if hides_group else count
        visibility = shown_of(query, access, people=count)
        self.note = visibility.note if visibility.shown is Disclosure.OWN else ""
        self.is_pseudonymous = visibility.shown is Disclosure.TOTALS
        is_hidden = self.is_pseudonymous and is_named_elsewhere(BY_KEY[ranked_by].metric)
        self._has_ranks = not hides_group and not is_hidden and not self._is_of_one
        self._question = pseudonyms_of(query)
        own_id = access.visibility.person_id
        viewer = access.viewer.pk if access.viewer else ""
        self._view = View(own_id, True, f"{viewer} {self._question}") if self.is_pseudonymous else View(own_id)

    def page(self, *, sort: str, search: str, page: int, size: int) -> tuple[Sequence[LeaderboardRow], int]:
        """Page `page` (from 1) of the rows, sorted by a column's key, and the number of rows of all pages.

        A leading minus sorts descending.
        """
        ids = self._searched(sort, search)
        if ids is not None:
            total = len(ids)
            if sort.removeprefix("-") == NAME:
                ids, page = ids[(page - 1) * size : page * size], 1
        else:
            total = self._ranking.people
        people = self._ranking.page(self._view, sort, ranked_by=self._ranked_by, among=ids, page=page, size=size)
        return self._rows(people), total

    def concentration(self) -> Concentration | None:
        """The concentration in the top tenth by spend, or at least a minimum group; None without figures, or if a group
        is too small.
        """
        first = max(self._ranking.people // 10, self._access.minimum_group_size)
        if self.people is None or self._is_of_one or self.people - first < first:
            return None
        return self._ranking.concentration(first)

    def _searched(self, sort: str, search: str) -> Sequence[int] | None:
        """The people whose rows are listed, sorted by label if the table is sorted by name; None for everybody.

        Labels depend on the viewer, so the search happens here and not where the figures are.
        """
        own_id = self._access.visibility.person_id
        by_name = sort.removeprefix("-") == NAME
        if not (self.note or search or by_name):
            return None
        seen: Sequence[int] = (
            self._ranking.ids(NOBODY if own_id is None else own_id) if self.note else self._ranking.ids()
        )
        if not (search or by_name):
            return seen
        labels = {person: label.casefold() for person, label in self._labels(seen).items()}
        found = [person for person, label in labels.items() if search.casefold() in label]
        return sorted(found, key=labels.__getitem__, reverse=sort.startswith("-")) if by_name else found

    def _labels(self, people: Collection[int]) -> Mapping[int, str]:
        """The labels that this viewer may see."""
        persons = Person.objects.filter(pk__in=list(people)).only("pk", "public_id", "full_name")
        return self._access.labels(persons, question=self._question)

    def _rows(self, people: Sequence[RankedPerson]) -> Sequence[LeaderboardRow]:
        labels = self._labels([person.person_id for person in people])
        return [
            LeaderboardRow(
                label=labels[person.person_id],
                is_own=person.person_id == self._access.visibility.person_id,
                rank=person.rank if self._has_ranks else None,
                agents=person.agents,
                values={key: person.values[key] for key in SHOWN},
                has_unpriced=bool(person.values[UNPRICED].value),
            )
            for person in people
            if person.person_id in labels  # people merged since the figures were read have none
        ]
