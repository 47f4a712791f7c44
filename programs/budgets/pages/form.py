"""Writes and changes budgets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.forms.models import model_to_dict
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse

from core.edit_conflicts import field_differences
from insights.catalogue.agents import AGENT_NAMES, agent_name
from insights.privacy.scope_access import access_in
from insights.ui.scope_bar import unit_name
from insights.ui.views import action_view, form_view
from orgtree.models.visibility import Visibility, person_of
from programs.budgets.pages.labels import history_of
from programs.budgets.queries.months import this_month, written
from programs.budgets.services.fields import WRITTEN
from programs.budgets.services.writing import add_budget, change_budget, remove_budget
from programs.models import Budget
from programs.teams.pages import UnitForm, offer, units_to_write_for, word_of

MONTH = {"type": "month", "placeholder": "2026-11"}


class BudgetForm(UnitForm, forms.ModelForm[Budget]):
    # Written otherwise than they are stored: by address and month.
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


@form_view
def budget_new(request: HttpRequest) -> HttpResponse:
    """`unit` in the address fills the form in."""
    access = access_in(request)
    if not access.visibility.leads_any:
        raise PermissionDenied("Only managers of a unit, executives and admins can write budgets.")
    posted = request.POST if request.method == "POST" else None
    form = BudgetForm(posted, visibility=access.visibility, initial=_beginning(request))
    if form.save_by(lambda: add_budget(access, form.given())):
        messages.success(request, "Budget set.")
        return redirect("budgets")
    return _form_page(request, form, {"title": "Set a budget", "submit": "Set the budget"})


@form_view
def budget_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """With its history, which everybody reads who may change it."""
    access, budget = access_in(request), _to_change(request, pk)
    posted = request.POST if request.method == "POST" else None
    form = BudgetForm(posted, visibility=access.visibility, stored=budget, initial=_values(budget))
    page: dict[str, Any] = {
        "title": f"Budget of {unit_name(budget.unit)}",
        "submit": "Save",
        "remove_url": reverse("budget_remove", args=[pk]),
        "history": history_of(budget, access),
    }
    if form.save_by(
        lambda: change_budget(access, budget, form.given(), of_version=form.of_version),
        lambda stored: field_differences(form, _values(stored)),
    ):
        messages.success(request, "Budget saved.")
        return redirect("budgets")
    return _form_page(request, form, page)


@action_view
def budget_remove(request: HttpRequest, pk: int) -> HttpResponse:
    remove_budget(access_in(request), _to_change(request, pk))
    messages.success(request, "Budget removed.")
    return redirect("budgets")


def _to_change(request: HttpRequest, pk: int) -> Budget:
    """Raises Http404 for one that the viewer may not change, as for one that is not there."""
    changeable = Budget.objects.led_by(access_in(request).visibility).select_related("unit", "owner")
    return get_object_or_404(changeable, pk=pk)


def _beginning(request: HttpRequest) -> Mapping[str, Any]:
    person = person_of(request.user)
    return {
        "unit": request.GET.get("unit", "").replace("\x00", "") or None,
        "first_month": written(this_month()),
        "owner": person.email if person else "",
    }


def _values(budget: Budget) -> dict[str, Any]:
    """As the form writes them."""
    return {
        **model_to_dict(budget, WRITTEN),
        "unit": word_of(budget.unit),
        "owner": budget.owner.email if budget.owner else "",
        "first_month": written(budget.first_month),
        "last_month": written(budget.last_month) if budget.last_month else "",
        "version": budget.version,
    }


def _form_page(request: HttpRequest, form: BudgetForm, page: Mapping[str, Any]) -> HttpResponse:
    context = {**page, "form": form, "action": request.get_full_path()}
    return render(request, "programs/budgets/form.html", context, status=form.status)
