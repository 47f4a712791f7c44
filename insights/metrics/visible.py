"""Answers as a viewer may see them: allowed scopes only, and nothing of groups that are too small.

Views and the API read figures here and nowhere else (a test holds it); commands and snapshots use
`insights.metrics.read`, which knows nothing of viewers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from insights.metrics.distribution import Spread
from insights.metrics.query import MetricQuery, Scope, SeriesAnswer
from insights.metrics.read import (
    Freshness,
    SideBySide,
    Together,
    read_distribution,
    read_rows,
    read_series,
    read_together,
    read_totals,
)
from insights.metrics.row_privacy import masked_rows, open_as_in_tools
from insights.metrics.rows import RowsPage
from insights.metrics.withhold import withheld, withheld_spread, withholds
from insights.scope_access import check_scopes
from orgtree.models import IndividualPolicy, Unit
from orgtree.services.access import Access

__all__ = [
    "Freshness",
    "SideBySide",
    "Together",
    "visible_distribution",
    "visible_rows",
    "visible_series",
    "visible_together",
    "visible_totals",
]

NOBODY = 0  # as a person's id: the rows of an account that is no person
SELF_ONLY_NOTE = "Individual data are shown to nobody but the person: only your own rows are listed."
AGGREGATES_NOTE = "You may see aggregates here: only your own rows are listed."


def visible_series(
    queries: Sequence[MetricQuery], access: Access, *, freshness: Freshness = Freshness.AT_ONCE
) -> list[SeriesAnswer]:
    """As `read_series`, for this viewer.  Raises UnknownUnitError and ScopeNeededError: see insights.scope_access."""
    check_scopes((query.scope for query in queries), access)
    return [withheld(answer, access) for answer in read_series(queries, freshness=freshness)]


def visible_totals(
    queries: Sequence[MetricQuery], access: Access, *, freshness: Freshness = Freshness.AT_ONCE
) -> list[SeriesAnswer]:
    """As `visible_series`, for the whole window alone: `series` is empty."""
    check_scopes((query.scope for query in queries), access)
    return [withheld(answer, access) for answer in read_totals(queries, freshness=freshness)]


def visible_together(
    access: Access,
    *,
    series: Sequence[MetricQuery] = (),
    totals: Sequence[MetricQuery] = (),
    units: Sequence[SideBySide] = (),
    freshness: Freshness = Freshness.AT_ONCE,
) -> Together:
    """As `read_together`, for this viewer; of the units, those that they may see."""
    check_scopes((query.scope for query in (*series, *totals)), access)
    seen = [replace(asked, units=[unit for unit in asked.units if access.sight.covers(unit)]) for asked in units]
    found = read_together(series=series, totals=totals, units=seen, freshness=freshness)
    return Together(
        series=[withheld(answer, access) for answer in found.series],
        totals=[withheld(answer, access) for answer in found.totals],
        units=[
            {unit: [withheld(answer, access) for answer in answers] for unit, answers in each.items()}
            for each in found.units
        ],
    )


def visible_distribution(query: MetricQuery, access: Access) -> Spread:
    """As `read_distribution`, for this viewer."""
    check_scopes([query.scope], access)
    spread = read_distribution(query)
    if not spread.sample_size or not withholds(query, access):
        return spread
    [answer] = read_totals([query])
    return withheld_spread(spread, answer.total[0].people, access)


def visible_rows(query: MetricQuery, access: Access, *, page: int = 1, size: int = 100) -> RowsPage:
    """As `read_rows`, for this viewer: others' rows under the label that the policy gives them, or not at all.

    Where others' rows are left out, `note` says why and `total` counts one's own.
    """
    check_scopes([query.scope], access)
    note = _why_own_only(query, access)
    if not note:
        return masked_rows(read_rows(query, page=page, size=size), access)
    own = replace(query, scope=replace(query.scope, person_id=access.sight.person_id or NOBODY))
    found = read_rows(own, page=page, size=size)
    return masked_rows(replace(found, query=query, note=note), access)


def _why_own_only(query: MetricQuery, access: Access) -> str:
    """Why only the viewer's own rows are listed, in a sentence; empty where others' are listed, too."""
    own_id = access.sight.person_id
    if own_id is not None and query.scope.person_id == own_id:
        return ""
    if not open_as_in_tools(query):
        if access.policy == IndividualPolicy.SELF_ONLY:
            return SELF_ONLY_NOTE
        if not access.sight.covers_individuals(_unit_id(query.scope)):
            return AGGREGATES_NOTE
    if withholds(query, access):
        [answer] = read_totals([query])
        if any(figure.withheld for figure in withheld(answer, access).total):
            return (
                f"Fewer than {access.minimum_group_size} people contribute, and rows would tell of each of them: "
                "only your own are listed."
            )
    return ""


def _unit_id(scope: Scope) -> int | None:
    if scope.unit is None:
        return None
    return Unit.objects.filter(slug=scope.unit).values_list("pk", flat=True).first()
