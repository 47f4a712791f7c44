"""Lists of working agreements: their filters, columns and CSV file, their terms in words, and their history."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, time
from typing import Any

from django.apps import apps
from django.db.models import Q, QuerySet
from django.shortcuts import get_object_or_404

from core.authorship import account_of
from core.columns import columns_of
from core.csv_export import Cell
from core.list_filters import ViewerFilters
from insights.query.windows import local_today
from insights.ui import wording
from integrations.delivery.agreements.agree import OwnTerms, Term, own_terms, terms_in_force
from integrations.delivery.allocation.work_days import ENDS_AT, STARTS_AT
from integrations.models import WorkingAgreement
from integrations.models.working_agreements import TERMS
from orgtree.access.access import Access
from orgtree.models import Organisation, Unit, UnitPlacement
from programs.history.events import names_of_accounts
from programs.requests.visible import UnitFilter

EVENTS_LISTED = 30
LABELS = {
    "most_lines": "Largest pull request",
    "size_thresholds": "Sizes S, M and L end at",
    "review_hours": "First review within",
    "needs_work_item": "A pull request names its work item",
    "ignored_labels": "Labels that exclude a pull request",
    "hotfix_branches": "Branches of hotfixes",
    "hotfix_labels": "Labels of hotfixes",
    "link_window_hours": "An incident is a failure of the deployment before it for",
    "rollout_gap_minutes": "Rollout window",
    "trunk": "Works without pull requests",
    "sprint_grace_days": "Grace after the start of a sprint",
    "work_starts_at": "Working hours from",
    "work_ends_at": "Working hours until",
    "time_zone": "Time zone",
    "marks_pull_requests": "Labels on pull requests that break it",
    "reminds_team": "Reminds the team of pull requests that break it",
}
_UNITS = {
    "most_lines": "line",
    "review_hours": "hour",
    "link_window_hours": "hour",
    "rollout_gap_minutes": "minute",
    "sprint_grace_days": "working day",
}
COLUMNS = columns_of(WorkingAgreement, "unit", *TERMS, labels=LABELS)


class AgreementFilters(ViewerFilters):
    """Agreements by unit: those that apply to it, its own and those of the units above."""

    unit = UnitFilter(selects="of_unit", help_text="Slug: the agreements that apply to what the unit owns.")

    def visible(self, access: Access) -> QuerySet[WorkingAgreement]:
        seen = WorkingAgreement.objects.within(access.visibility).select_related("unit")
        return seen.order_by("unit__name", "unit", "-during")

    def of_unit(self, agreements: QuerySet[WorkingAgreement], slug: str) -> QuerySet[WorkingAgreement]:
        above = UnitPlacement.objects.filter(unit__slug=slug, during__contains=self.today)
        return agreements.filter(Q(unit__slug=slug) | Q(unit__in=above.values("ancestor")))


def visible_terms(slug: str, access: Access) -> OwnTerms:
    """The unit's own terms as of today, by slug.  Raises Http404 if the unit is unknown or hidden from the viewer."""
    seen = Unit.objects.within(access.visibility)
    return own_terms(get_object_or_404(seen, slug=slug.replace("\x00", "")), local_today())


def in_words(name: str, value: Any) -> str:
    """The value of a term in words; empty if nothing is agreed."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, time):
        return f"{value:%H:%M}"
    if isinstance(value, list):
        return ", ".join(f"{one:,}" if isinstance(one, int) else one for one in value)
    return wording.count(value, _UNITS[name]) if name in _UNITS else str(value)


def terms_of(agreement: Any) -> list[tuple[str, str]]:
    """Labels and values of the terms that an agreement, or an event in its history, sets."""
    values = [(LABELS[name], in_words(name, getattr(agreement, name))) for name in TERMS]
    return [(label, value) for label, value in values if value]


def from_day(day: date | None) -> str:
    return "the beginning" if day is None else wording.day(day)


def usual(name: str) -> str:
    """The default value of a term, for units without an agreement on it."""
    organisation = Organisation.current()
    usual_values: dict[str, Any] = {
        "size_thresholds": [100, 400, 800],
        "link_window_hours": organisation.link_window_hours,
        "rollout_gap_minutes": organisation.rollout_gap_minutes,
        "trunk": False,
        "marks_pull_requests": False,
        "reminds_team": False,
        "sprint_grace_days": 1,
        "work_starts_at": STARTS_AT,
        "work_ends_at": ENDS_AT,
    }
    return in_words(name, usual_values.get(name))


@dataclass(frozen=True)
class TermRow:
    """A term as the unit's page shows it; `source` is "own", the unit that it is inherited from, or empty."""

    label: str
    value: str
    source: str
    since: str
    is_own: bool


def term_rows(unit: Unit, day: date) -> Sequence[TermRow]:
    """The terms in force, each with its source."""
    return [_term_row(unit, term) for term in terms_in_force(unit, day)]


def _term_row(unit: Unit, term: Term) -> TermRow:
    label = LABELS[term.name]
    if term.agreed_by is None:
        return TermRow(label, usual(term.name), "", "", False)
    is_own = term.agreed_by.unit_id == unit.pk
    since = from_day(term.agreed_by.during.lower)
    return TermRow(label, in_words(term.name, term.value), "" if is_own else term.agreed_by.unit.name, since, is_own)


@dataclass(frozen=True)
class Change:
    at: str
    by: str
    start: str
    terms: Sequence[tuple[str, str]]


def history_of(unit: Unit) -> Sequence[Change]:
    """The changes of the unit's agreement, newest first."""
    events = apps.get_model("integrations", "WorkingAgreementEvent")._default_manager.filter(
        unit=unit.pk, pgh_label="added"
    )
    latest: list[Any] = list(events.select_related("pgh_context").order_by("-pgh_id")[:EVENTS_LISTED])
    names = names_of_accounts(account_of(event) for event in latest)
    return [
        Change(
            wording.moment(event.pgh_created_at),
            "Headway" if (account := account_of(event)) is None else names[account],
            from_day(event.during.lower),
            terms_of(event),
        )
        for event in latest
    ]


def agreement_rows(agreements: Iterable[WorkingAgreement], _access: Any = None) -> Iterator[list[Cell]]:
    """The rows of the CSV file, header first."""
    unit, *terms = COLUMNS
    yield [unit.label, "From", "Until", *(column.label for column in terms)]
    for agreement in agreements:
        days = (agreement.during.lower, agreement.during.upper)
        values = [_cell(getattr(agreement, column.name)) for column in terms]
        yield [agreement.unit.slug, *("" if day is None else day.isoformat() for day in days), *values]


def _cell(value: Any) -> Cell:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(value, time):
        return f"{value:%H:%M}"
    return "" if value is None else value
