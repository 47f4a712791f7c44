"""The pages of allocation rules and target shares."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse

from core.csv_export import Cell
from core.form_page import FormTexts
from core.forms import posted, show_error
from core.page_links import Picker, url_with
from core.views import action_view, form_view
from core.write_errors import FieldError
from insights.privacy.scope_access import access_in
from insights.query.errors import QueryError, UnknownUnitError
from insights.query.windows import local_today, quarter_name, quarter_of
from insights.ui.scope_bar import EVERYBODY
from integrations.delivery.allocation.targets import own_targets, set_targets, targets_in_force
from integrations.models import AllocationRule, InvestmentCategory
from integrations.models.allocation import TERMS
from orgtree.access.access import Access
from orgtree.models import Unit
from orgtree.models.visibility import Visibility
from programs.allocation.effect import Effect, effect_of
from programs.allocation.queries import RuleFilters, rule_rows
from programs.allocation.writing import add_rule, change_rule, checked_rule, given_terms, remove_rule
from programs.requests.list_pages import ProgramForm, UnitList
from programs.teams.pages import UnitForm, offer, units_to_write_for, word_of

TERM_LABELS = {
    "types": "Types",
    "labels": "Labels",
    "epics": "Epics",
    "projects": "Projects",
    "components": "Components",
    "repositories": "Repositories",
    "paths": "Folders",
}


class AllocationRules(UnitList):
    """Allocation rules in the order in which they are tried, with the last quarter's allocation under them."""

    plural = "allocation_rules"
    noun = "rules"
    filters = RuleFilters
    template_name = "programs/allocation/list.html"
    card = "programs/allocation/_table.html"
    size = 100
    has_file = True

    def rows(self, records: Iterable[AllocationRule]) -> Sequence[dict[str, Any]]:
        return [
            {
                "rule": rule,
                "terms": rule_terms(rule),
                "may_change": self.access.visibility.leads(rule.unit_id),
            }
            for rule in records
        ]

    def context(self) -> dict[str, Any]:
        may_see_effect = self.access.visibility.leads_whole
        return {
            **super().context(),
            "may_write": self.access.visibility.leads_any,
            "new_url": url_with(reverse("allocation_rule_new"), {"unit": self.unit}),
            "effect": effect_of(None, self.access) if may_see_effect else None,
        }

    def file_rows(self, records: Any) -> Iterable[Sequence[Cell]]:
        return rule_rows(records)


def rule_terms(rule: AllocationRule) -> list[tuple[str, str]]:
    """The rule's conditions in words."""
    return [(TERM_LABELS[name], ", ".join(getattr(rule, name))) for name in TERMS if getattr(rule, name)]


class RuleForm(UnitForm):
    category = forms.ModelChoiceField(InvestmentCategory.objects.all(), label="Category", empty_label=None)
    rank = forms.IntegerField(
        label="Rank", min_value=1, max_value=999, initial=100, help_text="Rules with lower ranks are tried first."
    )
    types = forms.CharField(
        label="Types", required=False, help_text="Such as bug, story or Spike; separated by commas."
    )
    labels = forms.CharField(label="Labels", required=False)
    epics = forms.CharField(
        label="Epics", required=False, help_text="Keys of epics or other parents: with everything below them."
    )
    projects = forms.CharField(label="Projects", required=False, help_text="By key or name.")
    components = forms.CharField(label="Components", required=False, help_text="Parts of a project, as Jira has them.")
    repositories = forms.CharField(
        label="Repositories", required=False, help_text="Of commits and reviews; * stands for any text."
    )
    paths = forms.CharField(label="Folders", required=False, help_text="Of commits, such as services/billing/.")

    def __init__(
        self, data: Any = None, *, visibility: Visibility, stored: AllocationRule | None = None, **kwargs: Any
    ) -> None:
        super().__init__(data, **kwargs)
        offer(self, "unit", units_to_write_for(visibility, stored=stored))
        for name in TERMS:
            self.fields[name].widget.attrs["maxlength"] = "4000"

    def given(self) -> dict[str, Any]:
        data = super().given()
        return {
            **data,
            "category": data["category"].name,
            **{name: given_terms(data[name]) for name in TERMS},
        }


def rule_to_change(pk: int, access: Access) -> AllocationRule:
    """The rule, if the viewer may change it.  Raises Http404 otherwise, also for an unknown rule."""
    rule = get_object_or_404(AllocationRule.objects.within(access.visibility).select_related("category", "unit"), pk=pk)
    if not access.visibility.leads(rule.unit_id):
        raise PermissionDenied("Only managers of its unit, executives and admins can change this rule.")
    return rule


class RulePage(ProgramForm):
    """A rule's form; *Preview* shows how the rule would classify the last quarter's work, and saves nothing."""

    template_name = "programs/allocation/form.html"
    adding = FormTexts("New rule", "Add the rule", "Rule added. Figures follow within a minute.")
    changing = FormTexts("Rule", "Save", "Rule saved. Figures follow within a minute.")
    list_route = "allocation_rules"
    find, add, change = staticmethod(rule_to_change), staticmethod(add_rule), staticmethod(change_rule)
    effect: Effect | None = None

    def refusal(self) -> str:
        may_write = self.record is not None or self.access.visibility.leads_any
        return "" if may_write else "Only managers of a unit, executives and admins can write rules."

    def form_of(self, record: AllocationRule | None, data: Any = None) -> RuleForm:
        initial = _values(record) if record else {"unit": self.request.GET.get("unit", "").replace("\x00", "") or None}
        return RuleForm(data, visibility=self.access.visibility, stored=record, initial=initial)

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        if "preview" not in request.POST:
            return super().post(request, **kwargs)
        form = self.form_of(self.record, request.POST)
        if form.is_valid():
            try:
                self.effect = effect_of(checked_rule(self.access, form.given(), self.record), self.access)
            except FieldError as problem:
                show_error(form, problem)
        return self.page(form)

    def context(self, form: RuleForm) -> dict[str, Any]:
        remove_url = reverse("allocation_rule_remove", args=[self.record.pk]) if self.record else ""
        return {"remove_url": remove_url, "effect": self.effect}


@action_view
def allocation_rule_remove(request: HttpRequest, pk: int) -> HttpResponse:
    access = access_in(request)
    remove_rule(access, rule_to_change(pk, access))
    messages.success(request, "Rule removed. Figures follow within a minute.")
    return redirect("allocation_rules")


def _values(rule: AllocationRule) -> dict[str, Any]:
    """The rule as form values."""
    return {
        "category": rule.category_id,
        "unit": word_of(rule.unit),
        "rank": rule.rank,
        "version": rule.version,
        **{name: ", ".join(getattr(rule, name)) for name in TERMS},
    }


@form_view
def allocation_targets(request: HttpRequest) -> HttpResponse:
    """The target shares of a unit and quarter: a field for each category."""
    access = access_in(request)
    unit, quarter = (
        requested_unit(request.GET.get("unit", ""), access),
        requested_quarter(request.GET.get("quarter", "")),
    )
    if not access.visibility.leads(unit.pk if unit else None):
        raise PermissionDenied("Only managers of the unit, executives and admins can set its targets.")
    own = own_targets(unit, quarter)
    form = TargetsForm(posted(request), stored=own)
    back_url = url_with(reverse("allocation"), {"unit": unit.slug if unit else ""})
    if form.is_bound and form.is_valid():
        try:
            set_targets(unit, quarter, form.shares, by=cast(User, request.user))
        except FieldError as problem:
            form.add_error(None, problem.message)
        else:
            messages.success(request, "Targets saved.")
            return redirect(back_url)
    inherited = targets_in_force(unit, quarter)
    context = {
        "form": form,
        "whose": unit.name if unit else EVERYBODY,
        "quarter": quarter_name(quarter),
        "quarters": _quarters(unit, quarter),
        "back_url": back_url,
        "action": request.get_full_path(),
        "inherited": (inherited.unit.name if inherited.unit else EVERYBODY) if inherited.shares and not own else "",
    }
    return render(request, "programs/allocation/targets.html", context, status=400 if form.errors else 200)


class TargetsForm(forms.Form):
    """A share for each category, in percent; an empty one means no target."""

    def __init__(self, data: Any = None, *, stored: Any) -> None:
        super().__init__(data)
        for category in InvestmentCategory.objects.all():
            self.fields[f"category-{category.pk}"] = forms.DecimalField(
                label=category.name,
                min_value=Decimal(0),
                max_value=Decimal(100),
                decimal_places=1,
                required=False,
                initial=stored.get(category.pk),
            )

    @property
    def shares(self) -> dict[int, Decimal | None]:
        return {int(name.removeprefix("category-")): share for name, share in self.cleaned_data.items()}


def requested_unit(slug: str, access: Access) -> Unit | None:
    """The unit with this slug; None for the whole organisation.  Raises UnknownUnitError, also for a hidden unit."""
    if not slug:
        return None
    unit = Unit.objects.within(access.visibility).filter(slug=slug).first() if "\x00" not in slug else None
    if unit is None:
        raise UnknownUnitError(slug)
    return unit


def requested_quarter(word: str) -> date:
    """The first day of the quarter that contains the given day; by default the current quarter.  Raises QueryError."""
    try:
        day = date.fromisoformat(word) if word else local_today()
    except ValueError:
        raise QueryError("quarter", "It must be a day of the quarter, such as 2026-10-01.") from None
    return quarter_of(day).start


def _quarters(unit: Unit | None, chosen: date) -> list[Picker]:
    this = quarter_of(local_today())
    before, after = quarter_of(date.fromordinal(this.start.toordinal() - 1)).start, quarter_of(this.end).start
    return [
        Picker(
            quarter_name(start),
            url_with(reverse("allocation_targets"), {"unit": unit.slug if unit else "", "quarter": start.isoformat()}),
            start == chosen,
        )
        for start in sorted({before, this.start, after, chosen})
    ]
