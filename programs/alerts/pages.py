"""The alert rules of the signed-in account: their list, and a form that the address can fill in with a metric."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone

from core.csv_export import Cell
from core.form_page import FormTexts
from core.views import action_view
from insights.catalogue.registry import find, get
from insights.privacy.scope_access import access_in
from insights.query.enums import Better
from insights.ui import wording
from insights.ui.amounts import AmountError, example, read_amount, written
from insights.ui.scope_bar import unit_name
from orgtree.access.access import Access
from programs.alerts.queries import AlertRuleFilters, rule_rows, visible_rule
from programs.alerts.watching import values_of
from programs.alerts.writing import DAYS, add_rule, change_rule, remove_rule
from programs.benchmarks.services.fields import offered_metric, offered_metrics
from programs.models import AlertRule
from programs.reminders.services.labels import condition_of
from programs.requests.list_pages import ProgramForm, ProgramList
from programs.teams.pages import WHOLE, UnitForm, offer, units_to_see, word_of

WINDOWS = [(str(days), f"The last {wording.count(days // 7, 'week')}") for days in DAYS]
SIDES = [("yes", "Goes above"), ("no", "Goes below")]


@dataclass(frozen=True)
class RuleLine:
    """A rule in words, with the current value as its account sees it."""

    rule: AlertRule
    metric: str
    unit: str
    condition: str
    now: str
    since: str

    @property
    def state(self) -> str:
        return "Firing" if self.rule.firing_since else "Quiet"


class AlertRules(ProgramList):
    plural = "alerts"
    noun = "alert rules"
    filters = AlertRuleFilters
    template_name = "programs/alerts/list.html"
    card = "programs/alerts/_table.html"
    size = 50
    has_file = True

    def rows(self, records: Iterable[AlertRule]) -> Sequence[RuleLine]:
        rules = [*records]
        return [
            RuleLine(
                rule,
                metric.name if (metric := find(rule.metric)) else rule.metric,
                unit_name(rule.unit),
                condition_of(rule),
                "–" if value is None or metric is None else str(wording.reading(value, metric.unit)),
                wording.day(timezone.localdate(rule.firing_since)) if rule.firing_since else "",
            )
            for rule, value in zip(rules, values_of(rules, self.access), strict=True)
        ]

    def file_rows(self, records: QuerySet[AlertRule]) -> Iterable[Sequence[Cell]]:
        return rule_rows(records, self.access)


class RuleForm(UnitForm):
    metric = forms.ChoiceField(label="Metric")
    days = forms.TypedChoiceField(label="Over", choices=WINDOWS, coerce=int)
    is_above = forms.ChoiceField(label="Alert me when it", choices=SIDES)
    limit = forms.CharField(label="Limit", max_length=40)
    margin = forms.CharField(
        label="Come back by",
        max_length=40,
        required=False,
        help_text="How far it must come back before the rule fires again. Empty: a tenth of the limit.",
    )
    field_order = ("metric", "unit", "is_above", "limit", "days", "margin")

    def __init__(self, data: Any = None, *, access: Access, stored: AlertRule | None = None, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        named = [(metric.key, f"{metric.name} ({metric.key})") for metric in offered_metrics()]
        offer(self, "metric", [("", "Choose one"), *named])
        offer(self, "unit", units_to_see(access.visibility, stored=stored))
        metric = find(str(self["metric"].value() or ""))
        self.fields["limit"].help_text = f"Write {example(metric.unit)}." if metric else "In the metric's unit."

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if metric := find(data.get("metric", "")):
            for name in ("limit", "margin"):
                try:
                    data[name] = read_amount(data[name], metric.unit) if data.get(name) else None
                except AmountError as problem:
                    self.add_error(name, str(problem))
        return data

    def given(self) -> dict[str, Any]:
        data = super().given()
        margin = data["limit"] / 10 if data["margin"] is None else data["margin"]
        return {**data, "is_above": data["is_above"] == "yes", "margin": margin}


class AlertPage(ProgramForm):
    template_name = "programs/alerts/form.html"
    adding = FormTexts("New alert", "Save", "Alert rule saved. It is checked every hour.")
    changing = FormTexts("Change alert", "Save", "Alert rule saved. It is checked every hour.")
    list_route = "alerts"
    find, add, change = staticmethod(visible_rule), staticmethod(add_rule), staticmethod(change_rule)

    def refusal(self) -> str:
        return ""

    def form_of(self, record: AlertRule | None, data: Any = None) -> RuleForm:
        return RuleForm(
            data, access=self.access, stored=record, initial=_values(record) if record else self._beginning()
        )

    def context(self, form: RuleForm) -> Mapping[str, Any]:
        return {"remove_url": reverse("alert_remove", args=[self.record.pk]) if self.record else ""}

    def _beginning(self) -> dict[str, Any]:
        """The metric and unit that the address names, and the direction that is worse."""
        metric = offered_metric(self.request.GET.get("metric", ""))
        visibility = self.access.visibility
        unit = self.request.GET.get("unit", "").replace("\x00", "")
        return {
            "metric": metric.key if metric else "",
            "unit": unit or (WHOLE if visibility.whole else visibility.home_unit),
            "is_above": "no" if metric and metric.better is Better.HIGHER else "yes",
            "days": "28",
        }


@action_view
def alert_remove(request: HttpRequest, pk: int) -> HttpResponse:
    access = access_in(request)
    remove_rule(access, visible_rule(pk, access))
    messages.success(request, "Alert rule removed.")
    return redirect("alerts")


def _values(rule: AlertRule) -> dict[str, Any]:
    """The rule as form values."""
    unit = get(rule.metric).unit if find(rule.metric) else ""
    return {
        "metric": rule.metric,
        "unit": word_of(rule.unit),
        "days": str(rule.days),
        "is_above": "yes" if rule.is_above else "no",
        "limit": written(rule.limit, unit),
        "margin": written(rule.margin, unit),
        "version": rule.version,
    }
