"""Forms that add and change budgets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import messages
from django.forms.models import model_to_dict
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse

from core.form_page import FormTexts
from core.views import action_view
from insights.catalogue.agents import AGENT_NAMES, agent_name
from insights.privacy.scope_access import access_in
from insights.ui.scope_bar import unit_name
from orgtree.access.access import Access
from orgtree.models.visibility import Visibility, person_of
from programs.budgets.pages.labels import history_of
from programs.budgets.queries.months import this_month, written
from programs.budgets.services.fields import WRITTEN
from programs.budgets.services.writing import add_budget, change_budget, remove_budget
from programs.models import Budget
from programs.requests.list_pages import ProgramForm
from programs.teams.pages import UnitForm, offer, units_to_write_for, word_of

MONTH = {"type": "month", "placeholder": "2026-11"}


class BudgetForm(UnitForm, forms.ModelForm[Budget]):
    # Entered in another form than stored: an e-mail address and months.
    agent = forms.ChoiceField(label="Agent", required=False)
    owner = forms.EmailField(label="Owner", required=False, help_text="Their e-mail address; the first contact.")
    first_month = forms.CharField(label="First month", widget=forms.TextInput(attrs=MONTH))
    last_month = forms.CharField(
        label="Last month", required=False, widget=forms.TextInput(attrs=MONTH), help_text="Empty: no end."
    )

    class Meta:
        model = Budget
        fields = WRITTEN

    def __init__(
        self, data: Any = None, *, visibility: Visibility, stored: Budget | None = None, **kwargs: Any
    ) -> None:
        super().__init__(data, instance=stored, **kwargs)
        offer(self, "unit", units_to_write_for(visibility, stored=stored))
        agents = {**AGENT_NAMES, **({stored.agent: agent_name(stored.agent)} if stored and stored.agent else {})}
        offer(self, "agent", [("", "All agents"), *agents.items()])

    def given(self) -> dict[str, Any]:
        data = super().given()
        return {**data, "amount": str(data["amount"]), "last_month": data["last_month"] or None}


def budget_to_change(pk: int, access: Access) -> Budget:
    """The budget, if the viewer may change it.  Raises Http404 otherwise, also for an unknown budget."""
    return get_object_or_404(Budget.objects.led_by(access.visibility).select_related("unit", "owner"), pk=pk)


class BudgetPage(ProgramForm):
    """The form of a new budget, filled in with the address's `unit`, or of a stored one with its history, for all who
    may change it.
    """

    template_name = "programs/budgets/form.html"
    adding = FormTexts("Set a budget", "Set the budget", "Budget set.")
    changing = FormTexts("Budget", "Save", "Budget saved.")
    list_route = "budgets"
    find, add, change = staticmethod(budget_to_change), staticmethod(add_budget), staticmethod(change_budget)

    def refusal(self) -> str:
        may_write = self.record is not None or self.access.visibility.leads_any
        return "" if may_write else "Only managers of a unit, executives and admins can write budgets."

    @property
    def title(self) -> str:
        return f"Budget of {unit_name(self.record.unit)}" if self.record else super().title

    def form_of(self, record: Budget | None, data: Any = None) -> BudgetForm:
        initial = _values(record) if record else _beginning(self.request)
        return BudgetForm(data, visibility=self.access.visibility, stored=record, initial=initial)

    def context(self, form: BudgetForm) -> dict[str, Any]:
        if self.record is None:
            return {}
        remove_url = reverse("budget_remove", args=[self.record.pk])
        return {"remove_url": remove_url, "history": history_of(self.record, self.access)}


@action_view
def budget_remove(request: HttpRequest, pk: int) -> HttpResponse:
    access = access_in(request)
    remove_budget(access, budget_to_change(pk, access))
    messages.success(request, "Budget removed.")
    return redirect("budgets")


def _beginning(request: HttpRequest) -> Mapping[str, Any]:
    person = person_of(request.user)
    return {
        "unit": request.GET.get("unit", "").replace("\x00", "") or None,
        "first_month": written(this_month()),
        "owner": person.email if person else "",
    }


def _values(budget: Budget) -> dict[str, Any]:
    """The budget as form values."""
    return {
        **model_to_dict(budget, WRITTEN),
        "unit": word_of(budget.unit),
        "owner": budget.owner.email if budget.owner else "",
        "first_month": written(budget.first_month),
        "last_month": written(budget.last_month) if budget.last_month else "",
        "version": budget.version,
    }
