"""Capitalisation as CSV files: initiatives with their evidence, and the figures of a period."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.http.response import HttpResponseBase
from django.utils.text import slugify

from core.csv_export import Cell, csv_response
from orgtree.access.access import Access
from programs.capitalisation.queries import COLUMNS
from programs.capitalisation.services.document import ALL, LISTED, FrozenEvidence, Row, Segment, Shown, shown_to
from programs.capitalisation.services.eligibility import STATE_LABELS, WorkState, eligibility
from programs.capitalisation.services.reporting import current_names, report_of
from programs.models import CapitalisationPeriod, InitiativeEvidence

EVIDENCE_OF_ROWS = (
    *("authorised_on", "authorised_by", "funded_on", "probable_since", "probable_by", "probable_because"),
    *("uncertainty", "uncertainty_resolved_on", "ready_on", "eligible_from", "eligible_to"),
)
HIDDEN = "hidden"


def period_file(period: CapitalisationPeriod, access: Access) -> HttpResponseBase:
    """The figures of a period, as frozen or as they are now.  Raises FrozenDocumentError."""
    shown = shown_to(access, report_of(period))
    sha256 = period.document.sha256 if period.document else ""
    return csv_response(slugify(f"capitalisation {period} {period.state}"), report_rows(shown, sha256))


def evidence_rows(records: Iterable[InitiativeEvidence], _access: Any = None) -> Iterator[list[Cell]]:
    """The rows of the initiatives' CSV file, header first."""
    listed = list(records)
    names = current_names(listed)
    yield [*(column.label for column in COLUMNS), "Eligible from", "Eligible to"]
    for one in listed:
        eligible = eligibility(one)
        if one.pk in names:
            one.name = names[one.pk].name
        yield [*COLUMNS.row(one, {}), eligible.start, eligible.end]


def report_rows(shown: Shown, sha256: str = "") -> Iterator[Sequence[Cell]]:
    """The rows of a period's CSV file: a line for each initiative, month and state of work, then totals.

    `hidden` stands for figures of few people.  AI spend is in US dollars, cost in the period's currency.
    """
    report = shown.report
    yield (
        *("period", "standard", "initiative", "reference", "kind", "month", "state", "days", "hours", "people"),
        *("ai_spend_usd", "ai_people", "cost", "currency", *EVIDENCE_OF_ROWS, "sha256"),
    )
    for initiative in report.initiatives:
        found = {*shown.days.segments_of(initiative.id), *shown.dollars.segments_of(initiative.id)}
        for segment in sorted(found, key=lambda one: (one[0], list(WorkState).index(WorkState(one[1])))):
            yield _line(shown, initiative.id, segment, initiative, sha256)
    states = (None, *(state for state in WorkState if state is not WorkState.OTHER))
    for state in states:
        yield _line(shown, LISTED, (None, state.value if state else None), None, sha256)
    yield _line(shown, ALL, (None, None), None, sha256)


NAMES_OF_TOTALS = {LISTED: "All listed initiatives", ALL: "All people-time"}


def _line(shown: Shown, row: Row, segment: Segment, initiative: FrozenEvidence | None, sha256: str) -> Sequence[Cell]:
    report, (month, state) = shown.report, segment
    days, dollars = shown.days.figure(row, segment), shown.dollars.figure(row, segment)
    cost = shown.cost(row, segment)
    of_ai: tuple[Cell, Cell] = (HIDDEN, HIDDEN) if dollars.hidden else (round(dollars.value, 2), dollars.people)
    return (
        *(report.period.name, report.standard, initiative.name if initiative else NAMES_OF_TOTALS[str(row)]),
        *(initiative.reference if initiative else "", initiative.kind if initiative else "", (month or "")[:7]),
        STATE_LABELS[WorkState(state)] if state else "",
        *((HIDDEN,) * 3 if days.hidden else (round(days.value, 4), round(shown.hours(days.value), 2), days.people)),
        *of_ai,
        *("" if cost is None else round(cost, 2), report.currency),
        *(getattr(initiative, name) if initiative else "" for name in EVIDENCE_OF_ROWS),
        sha256,
    )
