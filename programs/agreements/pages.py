"""The pages of working agreements: the list, with a unit's terms in force, and the form with its preview."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from core.csv_export import Cell
from core.form_page import FormTexts
from core.forms import show_error
from core.page_links import url_with
from core.write_errors import FieldError
from core.write_forms import WriteForm
from insights.query.windows import local_today
from insights.ui import wording
from integrations.delivery.agreements.agree import OwnTerms
from integrations.models import WorkingAgreement
from integrations.models.working_agreements import TERMS
from orgtree.models import Unit
from programs.agreements.queries import (
    LABELS,
    AgreementFilters,
    agreement_rows,
    from_day,
    history_of,
    term_rows,
    terms_of,
    visible_terms,
)
from programs.agreements.writing import Effect, effect_of, set_agreement
from programs.requests.list_pages import ProgramForm, UnitList
from programs.teams.fields import units_led

LISTS = ("ignored_labels", "hotfix_branches", "hotfix_labels")
CHOICES = ("needs_work_item", "trunk", "marks_pull_requests", "reminds_team")
INHERITED = (("", "As the unit above"), ("yes", "Yes"), ("no", "No"))


class Agreements(UnitList):
    """Agreements by unit and day; for a chosen unit also the terms in force today, and who changed them."""

    plural = "agreements"
    noun = "working agreements"
    filters = AgreementFilters
    template_name = "programs/agreements/list.html"
    card = "programs/agreements/_table.html"
    size = 50
    has_file = True

    def rows(self, records: Iterable[WorkingAgreement]) -> Sequence[dict[str, Any]]:
        return [
            {
                "agreement": record,
                "terms": terms_of(record),
                "first": from_day(record.during.lower),
                "end": wording.day(record.during.upper) if record.during.upper else "",
            }
            for record in records
        ]

    def context(self) -> dict[str, Any]:
        unit = Unit.objects.within(self.access.visibility).filter(slug=self.unit).first() if self.unit else None
        leads = unit is not None and self.access.visibility.leads(unit.pk)
        return {
            **super().context(),
            "unit": unit,
            "terms": term_rows(unit, self.today) if unit else (),
            "history": history_of(unit) if unit and self.access.is_of_account else (),
            "change_url": reverse("agreement_change", args=[unit.slug]) if unit and leads else "",
            "led": () if unit else units_led(self.access.visibility)[:12],
        }

    def file_rows(self, records: Any) -> Iterable[Sequence[Cell]]:
        return agreement_rows(records)


def _number(name: str, unit: str, most: int, *, least: int = 1) -> forms.IntegerField:
    return forms.IntegerField(label=f"{LABELS[name]} ({unit})", required=False, min_value=least, max_value=most)


def _choice(name: str) -> forms.ChoiceField:
    return forms.ChoiceField(label=LABELS[name], required=False, choices=INHERITED)


def _words(name: str, help_text: str) -> forms.CharField:
    return forms.CharField(label=LABELS[name], required=False, max_length=4000, help_text=help_text)


class AgreementForm(WriteForm):
    """A unit's own terms; an empty term is inherited."""

    first_day = forms.DateField(
        label="Applies from", widget=forms.DateInput(attrs={"type": "date"}), help_text="Earlier days keep their terms."
    )
    most_lines = _number("most_lines", "lines", 1_000_000)
    size_thresholds = forms.CharField(
        label=LABELS["size_thresholds"],
        required=False,
        max_length=40,
        help_text="Three numbers of lines: 100, 400, 800.",
    )
    review_hours = _number("review_hours", "hours", 720)
    needs_work_item = _choice("needs_work_item")
    ignored_labels = _words("ignored_labels", "Separated by commas: these pull requests count in no figure.")
    hotfix_branches = _words("hotfix_branches", "Their beginnings, such as hotfix/; separated by commas.")
    hotfix_labels = _words("hotfix_labels", "Of the pull request that is deployed.")
    link_window_hours = _number("link_window_hours", "hours", 32_767)
    rollout_gap_minutes = _number("rollout_gap_minutes", "minutes", 32_767, least=0)
    trunk = _choice("trunk")
    sprint_grace_days = _number("sprint_grace_days", "working days", 10, least=0)
    work_starts_at = forms.TimeField(
        label=LABELS["work_starts_at"], required=False, widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
    )
    work_ends_at = forms.TimeField(
        label=LABELS["work_ends_at"], required=False, widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
    )
    time_zone = forms.CharField(
        label=LABELS["time_zone"],
        required=False,
        max_length=64,
        help_text="Such as Europe/Berlin: of people who have none of their own.",
    )

    marks_pull_requests = forms.ChoiceField(
        label=LABELS["marks_pull_requests"],
        required=False,
        choices=INHERITED,
        help_text="On GitHub, where an admin let the connection write labels.",
    )
    reminds_team = forms.ChoiceField(
        label=LABELS["reminds_team"],
        required=False,
        choices=INHERITED,
        help_text="Once per breach, in working hours: in the inbox and, unless they switch that off, by e-mail.",
    )

    def given(self) -> dict[str, Any]:
        data = {name: self.cleaned_data[name] for name in TERMS}
        sizes = _separated(data["size_thresholds"])
        if not all(size.isdecimal() and len(size) <= 7 for size in sizes):
            raise FieldError("size_thresholds", "Give three numbers of lines that grow, such as 100, 400, 800.")
        return {
            **data,
            "first_day": self.cleaned_data["first_day"],
            "size_thresholds": [int(size) for size in sizes] or None,
            **{name: _separated(data[name]) or None for name in LISTS},
            **{name: _YES_OR_NO[data[name]] for name in CHOICES},
            "time_zone": data["time_zone"].strip() or None,
        }


_YES_OR_NO = {"": None, "yes": True, "no": False}


def _separated(text: str) -> list[str]:
    return [word for part in text.split(",") if (word := part.strip())]


class AgreementPage(ProgramForm):
    """The form of a unit's own terms; *Preview* shows how they would change the last quarter's figures, and saves
    nothing.
    """

    template_name = "programs/agreements/form.html"
    changing = FormTexts("Working agreement", "Save", "Agreement saved. Figures follow within a minute.")
    adding = changing
    list_route = "agreements"
    change = staticmethod(set_agreement)
    effect: Effect | None = None

    @cached_property
    def record(self) -> OwnTerms:
        return visible_terms(self.kwargs["pk"], self.access)

    @property
    def title(self) -> str:
        return f"Working agreement: {self.record.unit.name}"

    def refusal(self) -> str:
        leads = self.access.visibility.leads(self.record.unit.pk)
        return "" if leads else "Only managers of the unit, executives and admins can change its agreement."

    def form_of(self, record: OwnTerms, data: Any = None) -> AgreementForm:
        return AgreementForm(data, initial=_values(record))

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        if "preview" not in request.POST:
            return super().post(request, **kwargs)
        form = self.form_of(self.record, request.POST)
        if form.is_valid():
            try:
                self.effect = effect_of(self.access, self.record, form.given())
            except FieldError as problem:
                show_error(form, problem)
        return self.page(form)

    def address_of(self, record: Any) -> str:
        return url_with(reverse("agreements"), {"unit": self.record.unit.slug})

    def context(self, form: AgreementForm) -> dict[str, Any]:
        inherited = [row for row in term_rows(self.record.unit, local_today()) if not row.is_own and row.value]
        return {"effect": self.effect, "inherited": inherited, "unit": self.record.unit}


def _values(terms: OwnTerms) -> dict[str, Any]:
    """The terms as form values."""
    agreement = terms.agreement
    lists = {name: ", ".join(map(str, getattr(agreement, name) or ())) for name in (*LISTS, "size_thresholds")}
    choices = {name: {None: "", True: "yes", False: "no"}[getattr(agreement, name)] for name in CHOICES}
    own = {name: getattr(agreement, name) for name in TERMS}
    return {**own, **lists, **choices, "first_day": local_today(), "version": terms.version}
