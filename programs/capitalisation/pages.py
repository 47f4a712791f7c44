"""The pages of capitalisation: initiatives with their evidence, periods, and one period with its actions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.db import transaction
from django.forms.models import model_to_dict
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse

from core.authorship import account_of
from core.columns import columns_of
from core.csv_export import Cell
from core.edit_conflicts import Difference
from core.form_page import ConfirmPage, Consequences, FormTexts
from core.json_documents import canonical
from core.views import action_view, record_view
from core.write_forms import WriteForm
from insights.privacy.scope_access import access_in
from insights.query.windows import local_today, quarter_of
from insights.ui import wording
from insights.ui.tiles import Tile
from orgtree.access.access import Access
from orgtree.access.who_sees import name_of
from orgtree.organisation.fiscal_calendar import first_month
from programs.budgets.queries.months import written
from programs.capitalisation.queries import (
    EVIDENCE,
    FINANCE_ONLY,
    EvidenceFilters,
    PeriodFilters,
    check_reader,
    visible_evidence,
    visible_period,
)
from programs.capitalisation.services.csv_files import evidence_rows, period_file
from programs.capitalisation.services.document import (
    ALL,
    ELIGIBLE,
    LISTED,
    WHOLE,
    Figure,
    FrozenEvidence,
    Row,
    Shown,
    restated,
    shown_to,
)
from programs.capitalisation.services.eligibility import (
    STATE_LABELS,
    Eligibility,
    WorkState,
    criteria,
    eligibility,
    is_adopted_early,
)
from programs.capitalisation.services.reporting import current_names, live_report, report_of
from programs.capitalisation.services.writing import (
    APPROVERS_ONLY,
    CHANGED_SINCE_APPROVAL,
    DATES,
    IS_FROZEN,
    TERMS,
    add_evidence,
    add_period,
    approve_period,
    change_evidence,
    change_period,
    freeze_period,
    reasons_to_wait,
    remove_evidence,
    remove_period,
)
from programs.history.events import Changed, CurrentNames, changes_from, events_of, field_steps, names_of_accounts
from programs.history.labels import HistoryLine, history_lines, value_words
from programs.models import CapitalisationPeriod, InitiativeEvidence, PeriodState, Standard
from programs.models.capitalisation import KINDS
from programs.requests.list_pages import ProgramForm, ProgramList

MONTH = {"type": "month", "placeholder": "2026-10"}
RESTATED_OF_FEW = "Restated: hidden, too few people"
TONES = {PeriodState.DRAFT: "", PeriodState.APPROVED: "watch", PeriodState.FROZEN: "acc"}
OF_EVIDENCE = columns_of(InitiativeEvidence, *EVIDENCE).of_events(InitiativeEvidence)
OF_PERIOD = columns_of(CapitalisationPeriod, "start", "end", *TERMS, "state").of_events(CapitalisationPeriod)


class FinanceList(ProgramList):
    """A list for finance, executives and admins."""

    def get(self, request: HttpRequest) -> HttpResponseBase:
        check_reader(self.access)
        return super().get(request)


@dataclass(frozen=True)
class EvidenceLine:
    evidence: InitiativeEvidence
    name: str
    reference: str
    is_gone: bool
    eligible: Eligibility
    missing: Sequence[str]

    @property
    def state(self) -> tuple[str, str]:
        """The state's label and tone."""
        today = local_today()
        if self.eligible.start is None:
            return "Not eligible", ""
        if self.eligible.end is not None and self.eligible.end <= today:
            return "Ready for use", ""
        return "Eligible", "good"


class Initiatives(FinanceList):
    """Initiatives with their evidence, and the day since which they are eligible."""

    plural = "capitalisation"
    noun = "initiatives"
    filters = EvidenceFilters
    template_name = "programs/capitalisation/list.html"
    card = "programs/capitalisation/_initiatives.html"
    size = 50
    has_file = True

    def rows(self, records: Iterable[InitiativeEvidence]) -> list[EvidenceLine]:
        listed = [*records]
        names = current_names(listed)
        return [
            EvidenceLine(
                one,
                names[one.pk].name if one.pk in names else one.name,
                names[one.pk].reference if one.pk in names else "",
                one.pk not in names,
                eligibility(one),
                [rule.missing for rule in criteria(one, Standard.ASU_2025_06) if rule.met_on is None],
            )
            for one in listed
        ]

    def file_rows(self, records: Any) -> Iterable[Sequence[Cell]]:
        return evidence_rows(records)


class EvidenceForm(WriteForm, forms.ModelForm[InitiativeEvidence]):
    class Meta:
        model = InitiativeEvidence
        fields = EVIDENCE
        widgets: ClassVar[Any] = {
            **{name: forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}) for name in DATES},
            "probable_because": forms.Textarea(attrs={"rows": "3"}),
        }

    def __init__(self, data: Any = None, *, stored: InitiativeEvidence | None = None, **kwargs: Any) -> None:
        super().__init__(data, instance=stored, **kwargs)

    def given(self) -> dict[str, Any]:
        return {name: value for name, value in super().given().items() if name in (*EVIDENCE, "kind", "initiative")}


class NewEvidenceForm(EvidenceForm):
    kind = forms.ChoiceField(label="Kind", choices=KINDS)
    initiative = forms.CharField(
        label="Initiative",
        max_length=400,
        help_text="An epic’s key, a label, a project’s key or name, or a version as SHOP: 2.0.",
    )


class EvidencePage(ProgramForm):
    template_name = "programs/capitalisation/form.html"
    adding = FormTexts("Add an initiative", "Add the initiative", "Initiative added.")
    changing = FormTexts("Initiative", "Save", "Saved.")
    list_route = "capitalisation"
    find, add, change = staticmethod(visible_evidence), staticmethod(add_evidence), staticmethod(change_evidence)

    def refusal(self) -> str:
        return "" if self.access.visibility.reads_capitalisation else FINANCE_ONLY

    @property
    def title(self) -> str:
        return str(self.record) if self.record else super().title

    def form_of(self, record: InitiativeEvidence | None, data: Any = None) -> EvidenceForm:
        if record is None:
            first = {name: self.request.GET.get(name, "").replace("\x00", "") for name in ("kind", "initiative")}
            return NewEvidenceForm(data, initial=first)
        initial = {**model_to_dict(record, EVIDENCE), "version": record.version}
        return EvidenceForm(data, stored=record, initial=initial)

    def context(self, form: EvidenceForm) -> dict[str, Any]:
        record = self.record
        if record is None:
            return {}
        return {
            "remove_url": reverse("capitalisation_remove", args=[record.pk]),
            "standards": [(standard.label, criteria(record, standard)) for standard in Standard],
            "window": window_words(eligibility(record)),
            "history": history_of("InitiativeEvidenceEvent", record.pk, OF_EVIDENCE, self.access),
        }


@action_view
def capitalisation_remove(request: HttpRequest, pk: int) -> HttpResponse:
    access = access_in(request)
    remove_evidence(access, visible_evidence(pk, access))
    messages.success(request, "Initiative removed. Frozen periods keep it.")
    return redirect("capitalisation")


class Periods(FinanceList):
    plural = "capitalisation_periods"
    noun = "periods"
    filters = PeriodFilters
    template_name = "programs/capitalisation/periods.html"
    card = "programs/capitalisation/_periods.html"

    def rows(self, records: Iterable[CapitalisationPeriod]) -> list[dict[str, Any]]:
        return [
            {
                "period": period,
                "standard": Standard(period.standard).label,
                "tone": TONES[PeriodState(period.state)],
                "sha256": period.document.sha256 if period.document else "",
            }
            for period in records
        ]


class PeriodForm(WriteForm, forms.ModelForm[CapitalisationPeriod]):
    first_month = forms.CharField(label="First month", widget=forms.TextInput(attrs=MONTH))
    last_month = forms.CharField(label="Last month", widget=forms.TextInput(attrs=MONTH))

    class Meta:
        model = CapitalisationPeriod
        fields = TERMS

    def given(self) -> dict[str, Any]:
        return {
            name: str(value) if name in ("hours_a_day", "hourly_rate", "dollar_rate") and value is not None else value
            for name, value in super().given().items()
        }


class PeriodPage(ProgramForm):
    template_name = "programs/capitalisation/period_form.html"
    adding = FormTexts("New period", "Add the period", "Period added.")
    changing = FormTexts("Period", "Save", "Saved.")
    list_route, record_route = "capitalisation_periods", "capitalisation_period"
    find, add, change = staticmethod(visible_period), staticmethod(add_period), staticmethod(change_period)

    def refusal(self) -> str:
        if not self.access.visibility.reads_capitalisation:
            return FINANCE_ONLY
        return IS_FROZEN if self.record is not None and self.record.is_frozen else ""

    def form_of(self, record: CapitalisationPeriod | None, data: Any = None) -> PeriodForm:
        if record is None:
            last = quarter_of(date.fromordinal(quarter_of(local_today()).start.toordinal() - 1))
            draft = CapitalisationPeriod(start=last.start, end=last.end)
            months = {"first_month": written(draft.start), "last_month": written(draft.last_month)}
            return PeriodForm(data, initial=months)
        values = {**model_to_dict(record, TERMS), "version": record.version}
        months = {"first_month": written(record.start), "last_month": written(record.last_month)}
        return PeriodForm(data, instance=record, initial={**values, **months})

    def context(self, form: PeriodForm) -> dict[str, Any]:
        return {"remove_url": reverse("capitalisation_period_remove", args=[self.record.pk]) if self.record else ""}


@action_view
def capitalisation_period_remove(request: HttpRequest, pk: int) -> HttpResponse:
    access = access_in(request)
    remove_period(access, visible_period(pk, access))
    messages.success(request, "Period removed.")
    return redirect("capitalisation_periods")


class PeriodAct(ConfirmPage, ProgramForm):
    """The page that confirms approving a period, or freezing it for good."""

    find = staticmethod(visible_period)
    list_route, record_route = "capitalisation_periods", "capitalisation_period"

    def refusal(self) -> str:
        if not self.access.visibility.reads_capitalisation:
            return FINANCE_ONLY
        return IS_FROZEN if self.request.method == "GET" and self.record.is_frozen else ""

    def form_of(self, record: CapitalisationPeriod, data: Any = None) -> WriteForm:
        return WriteForm(data)

    @property
    def title(self) -> str:
        return f"{self.texts.title} {self.record}"

    @property
    def missing(self) -> list[str]:
        """Sentences about what the report lacks."""
        with transaction.atomic():
            waiting = reasons_to_wait(self.record)
        report = live_report(self.record)
        incomplete = [one.name for one in report.initiatives if one.eligible_from is None]
        without = wording.listed(incomplete[:3])
        return [*waiting, *([f"{without}: criteria are not met, so nothing of it is eligible."] if incomplete else [])]


class ApprovePeriod(PeriodAct):
    changing = FormTexts("Approve", "Approve the figures", "Approved. Finance can freeze the period now.")
    icon = "check"

    def refusal(self) -> str:
        return super().refusal() or ("" if self.access.visibility.leads_whole else APPROVERS_ONLY)

    @property
    def consequences(self) -> Consequences:
        return Consequences(
            permanent="Nothing yet: the approval is of the figures as they are now, and lapses if they change before "
            "the period is frozen.",
            missing=self.missing,
            readers="Finance, executives and admins. Nobody sees the time of one person.",
        )

    def save(self, form: Any) -> CapitalisationPeriod:
        return approve_period(self.access, self.record)


class FreezePeriod(PeriodAct):
    """Freezes a period; for a frozen one it changes nothing."""

    changing = FormTexts("Freeze", "Freeze for good", "Frozen. Its figures can no longer change.")
    icon, keep = "snowflake", "Not yet"

    @property
    def consequences(self) -> Consequences:
        return Consequences(
            permanent="Every figure with the rows behind it, evidence, rates and rules of allocation, in one read-only "
            "document with its SHA-256. What changes later shows beside it as restated.",
            missing=[*([] if self.record.approved_at else [f"The approval. {APPROVERS_ONLY}"]), *self.missing],
            readers="Finance, executives and admins. Nobody sees the time of one person.",
        )

    def save(self, form: Any) -> CapitalisationPeriod:
        freeze_period(self.access, self.record)
        return self.record  # type: ignore[no-any-return]  # its `find`


@dataclass(frozen=True)
class ReportLine:
    """An initiative's figures in a period, in words; empty if there are none."""

    initiative: FrozenEvidence | None
    name: str
    window: str
    eligible: str
    other: str
    people: str
    spend: str
    cost: str
    restated: Sequence[str]


@record_view
def capitalisation_period(request: HttpRequest, pk: int) -> HttpResponse:
    access = access_in(request)
    check_reader(access)
    period = visible_period(pk, access)
    report = report_of(period)
    shown, changes = shown_to(access, report), dict[Row, list[str]]()
    if period.is_frozen:
        changes = _restated(shown, shown_to(access, live_report(period)))
    with transaction.atomic():
        waiting = [] if period.is_frozen else reasons_to_wait(period)
    is_stale = period.state == PeriodState.APPROVED and canonical(report)[1] != period.approved_sha256
    lines = [_line(shown, one.id, one, changes) for one in report.initiatives]
    context: dict[str, Any] = {
        "period": period,
        "title": f"Capitalisation, {period}",
        "standard": Standard(report.standard).label,
        "tone": TONES[PeriodState(period.state)],
        "tiles": _tiles(shown),
        "lines": [line for line in lines if line.window or line.people],
        "total": _line(shown, LISTED, None, changes),
        "states": _states(shown),
        "has_rate": shown.has_rate,
        "waiting": waiting,
        "stale": CHANGED_SINCE_APPROVAL if is_stale else "",
        "early": _early(report.standard, report.period.start),
        "is_restated": bool(changes),
        "may_approve": access.visibility.leads_whole,
        "approved_by": name_of(period.approved_by) if period.approved_by else "a deleted account",
        "hides": any("Hidden" in (line.eligible, line.other, line.spend) for line in lines),
        "minimum": access.minimum_group_size,
        "history": history_of("CapitalisationPeriodEvent", period.pk, OF_PERIOD, access),
    }
    return render(request, "programs/capitalisation/period.html", context)


@record_view
def capitalisation_period_csv(request: HttpRequest, pk: int) -> HttpResponseBase:
    access = access_in(request)
    check_reader(access)
    return period_file(visible_period(pk, access), access)


def _early(standard: str, start: date) -> str:
    """A notice that this fiscal year applies ASU 2025-06 early; empty if it is in effect, and for other standards."""
    year = date(start.year - (start.month < first_month()), first_month(), 1)
    if not is_adopted_early(standard, year):
        return ""
    return (
        f"The fiscal year of {wording.day(year)} applies it early: ASU 2025-06 is effective for fiscal years that "
        "begin after 15 December 2027."
    )


def window_words(eligible: Eligibility) -> str:
    if eligible.start is None:
        return ""
    until = f" to {wording.day(date.fromordinal(eligible.end.toordinal() - 1))}" if eligible.end else " on"
    return f"{wording.day(eligible.start)}{until}"


def _line(
    shown: Shown, row: Row, initiative: FrozenEvidence | None, changes: Mapping[Row, Sequence[str]]
) -> ReportLine:
    days, whole = shown.days.figure(row, ELIGIBLE), shown.days.figure(row, WHOLE)
    other = Figure(whole.value - days.value, 0, hidden=whole.hidden or days.hidden)
    spend, cost = shown.dollars.figure(row, ELIGIBLE), shown.cost(row, ELIGIBLE)
    eligible = Eligibility(initiative.eligible_from, initiative.eligible_to) if initiative else None
    return ReportLine(
        initiative,
        initiative.name if initiative else "All listed initiatives",
        window_words(eligible) if eligible else "",
        _hours(shown, days),
        _hours(shown, other),
        "" if whole.hidden else wording.count(whole.people, "person", "people") if whole.people else "",
        _dollars(spend),
        "" if cost is None else _money(cost, shown.report.currency),
        changes.get(row, ()),
    )


def _hours(shown: Shown, figure: Figure) -> str:
    return "Hidden" if figure.hidden else f"{shown.hours(figure.value):,.1f}"


def _dollars(figure: Figure) -> str:
    return "Hidden" if figure.hidden else wording.exact(figure.value, "currency")


def _money(amount: float, currency: str) -> str:
    return f"{amount:,.2f} {currency}"


def _tiles(shown: Shown) -> list[Tile]:
    days, whole = shown.days.figure(LISTED, ELIGIBLE), shown.days.figure(LISTED, WHOLE)
    everything, spend = shown.days.figure(ALL, WHOLE), shown.dollars.figure(LISTED, ELIGIBLE)
    cost = shown.cost(LISTED, ELIGIBLE)
    few = "Fewer people than the minimum group size stand behind it."

    def tile(known: Figure, shown_as: Tile) -> Tile:
        return replace(shown_as, value=None, state="hidden", reason=few) if known.hidden else shown_as

    of_listed = "" if whole.hidden else f"of {shown.hours(whole.value):,.0f} h on listed initiatives"
    of_all = f"of {shown.hours(everything.value):,.0f} h of all people-time"
    share = f"{days.value / everything.value * 100:.1f}" if everything.value else "0"
    people = wording.count(spend.people, "person", "people")
    tiles = [
        tile(days, Tile("eligible_hours", "Eligible time", f"{shown.hours(days.value):,.0f}", "h", sample=of_listed)),
        tile(
            everything if everything.hidden else days,
            Tile("eligible_share", "Eligible share", share, "%", sample=of_all),
        ),
        tile(spend, Tile("eligible_spend", "Eligible AI spend", wording.exact(spend.value, "currency"), sample=people)),
    ]
    if shown.has_rate and cost is not None:
        sample = f"{shown.report.hourly_rate:,.2f} {shown.report.currency} an hour, and AI spend"
        tiles.append(Tile("eligible_cost", "Eligible cost", f"{cost:,.0f}", shown.report.currency, sample=sample))
    return tiles


def _states(shown: Shown) -> list[tuple[str, str, str]]:
    """Hours and AI spend of the listed initiatives, by state of work."""
    found = []
    for state in WorkState:
        segment = (None, state.value)
        days, dollars = shown.days.figure(LISTED, segment), shown.dollars.figure(LISTED, segment)
        if days.hidden or dollars.hidden or days.value or dollars.value:
            found.append((STATE_LABELS[state], _hours(shown, days), _dollars(dollars)))
    return found


def _restated(frozen: Shown, live: Shown) -> dict[Row, list[str]]:
    """The figures of each row that differ today from the frozen report, in words."""
    rows: list[Row] = [*(one.id for one in frozen.report.initiatives), LISTED]
    found: dict[Row, list[str]] = defaultdict(list)
    for row, figure in restated(frozen.days, live.days, rows, ELIGIBLE).items():
        found[row].append(RESTATED_OF_FEW if figure.hidden else f"Restated: {_hours(live, figure)} h")
    for row, figure in restated(frozen.dollars, live.dollars, rows, ELIGIBLE).items():
        found[row].append(RESTATED_OF_FEW if figure.hidden else f"Restated: {_dollars(figure)} AI spend")
    return found


def history_of(model: str, pk: int, fields: Mapping[str, Any], access: Access) -> list[HistoryLine]:
    """The changes of a record with their authors, newest first."""
    events = events_of(model, pgh_obj=pk)
    names = names_of_accounts(map(account_of, events))
    steps = field_steps(events, fields, CurrentNames(events, access.visibility, objective=""))

    def difference(changed: Changed) -> Difference:
        column = fields[changed.field]
        words = (value_words(changed.field, value, column.choices or {}) for value in (changed.before, changed.after))
        return Difference(column.label, *words)

    return history_lines(changes_from(steps), names, lambda step: ["Created"] if step.is_first else [], difference)
