"""Findings and causes of waits as lists: filters, and the rows of their CSV files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import django_filters
from django.db.models import QuerySet

from core.csv_export import Cell
from core.list_filters import ViewerFilters
from insights.findings.waits import LABELS
from insights.findings.words import names_behind, worded
from insights.formulas.review_waits import Cause
from insights.models import Finding, ReviewWaits
from insights.models.findings import FindingState
from orgtree.access.access import Access

FILE = (
    *("Finding", "Unit", "Repository", "State", "Metric", "Since", "Before", "After", "Low", "High", "Sample"),
    *("Hours of waiting a month", "Complexity or debt", "Another reading", "What to try", "Found on", "Ended on"),
    *("Verdict", "Reason"),
)
WAITS_FILE = (
    *("Unit", "From", "Until", "Pull requests", "Long waits", "Cause", "Share (percent)", "Low (percent)"),
    "High (percent)",
)


class FindingFilters(ViewerFilters):
    state = django_filters.ChoiceFilter(choices=FindingState.choices)
    unit = django_filters.CharFilter(field_name="unit__slug", help_text="Slug.")

    def visible(self, access: Access) -> QuerySet[Finding]:
        return Finding.objects.within(access.visibility).newest_first()


class WaitsFilters(ViewerFilters):
    unit = django_filters.CharFilter(field_name="unit__slug", help_text="Slug.")

    def visible(self, access: Access) -> QuerySet[ReviewWaits]:
        return shown_waits(access)


def shown_waits(access: Access) -> QuerySet[ReviewWaits]:
    """Causes of waits of teams that the viewer may see, without those of few people."""
    return ReviewWaits.objects.shown_to(access.visibility, fewest=access.minimum_group_size)


def finding_rows(findings: QuerySet[Finding], _access: Access | None = None) -> Iterator[list[Cell]]:
    """The rows of the CSV file, the header first; findings whose detector is no longer declared are left out."""
    listed = [*findings]
    names = names_behind(listed)
    yield [*FILE]
    for one in listed:
        if words := worded(one, names):
            yield [
                *(words.title, one.unit.slug if one.unit else "", one.repository, one.get_state_display()),
                *(one.metric, one.since, one.before, one.after, one.low, one.high, one.sample),
                *(round(words.hours) if words.hours else None, words.debt, words.reading, words.to_try),
                *(one.found_on, one.ended_on, one.get_verdict_display(), one.reason),
            ]


def wait_rows(waits: QuerySet[ReviewWaits], _access: Access | None = None) -> Iterator[list[Cell]]:
    """The rows of the CSV file, the header first: one for each cause of a team's long waits."""
    yield [*WAITS_FILE]
    for one in waits:
        for line in one.lines:
            shares = (round(100 * line[name], 1) for name in ("share", "low", "high"))
            label = LABELS[Cause(line["cause"])]
            yield [one.unit.slug, one.since, one.until, one.pull_requests, one.waiting, label, *shares]


def debt_of(finding: Finding) -> Mapping[str, Any] | None:
    """Whether it looks like refactoring or growing debt, and the signs; None for findings that do not ask this."""
    return finding.details.get("debt") or None
