"""The form of an experiment; a finding, ticket, objective or metric in the address fills in a new one.

With `pilot=1` it is a pilot with the most typical teams, and the form shows how far each team is from the typical one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import cached_property
from typing import Any

from django import forms
from django.forms.models import model_to_dict

from core.form_page import FormTexts
from core.list_filters import LARGEST_ID
from insights.catalogue.declarations import Metric
from insights.catalogue.registry import find, get, metrics
from insights.findings.detectors import BY_KEY
from insights.models import Finding
from insights.query.enums import Better
from insights.query.windows import local_today
from orgtree.access.access import Access
from orgtree.models import Unit
from orgtree.models.visibility import person_of
from programs.experiments.pages.labels import team_lines
from programs.experiments.queries import visible_experiment
from programs.experiments.services.choosing import CHOSEN, TeamDistance, teams_by_distance, typical
from programs.experiments.services.writing import WRITTEN, add_experiment, change_experiment
from programs.models import Experiment, Objective, Ticket
from programs.requests.list_pages import ProgramForm
from programs.teams.fields import suggested_owners
from programs.teams.pages import WHOLE, OwnedForm, UnitChoices, offer, units_seen, units_to_write_for, word_of

DAY = forms.DateInput(attrs={"type": "date", "step": "7"}, format="%Y-%m-%d")
SEVERAL = forms.SelectMultiple(attrs={"size": 8})
LINKS = ("finding", "ticket", "objective", "widens")
METRIC_OF_PILOTS = "pr.cycle_time"  # the default


class ExperimentForm(OwnedForm, forms.ModelForm[Experiment]):
    metric = forms.ChoiceField(label="Success metric")
    guard_rails = forms.MultipleChoiceField(
        label="Guard rails", required=False, widget=SEVERAL, help_text="What must not get worse; at most five."
    )
    treated = forms.MultipleChoiceField(label="Units that change", widget=SEVERAL, help_text="Two at least.")
    compared = forms.MultipleChoiceField(
        label="Units to compare with", widget=SEVERAL, help_text="Three at least, as like the others as there are."
    )
    field_order = WRITTEN

    class Meta:
        model = Experiment
        fields = ("title", "change", "starts_on", "weeks", "step_weeks", "learned")
        widgets = {  # Django's own structure
            "change": forms.Textarea(attrs={"rows": 4}),
            "learned": forms.Textarea(attrs={"rows": 4}),
            "starts_on": DAY,
        }
        help_texts = {  # as above
            "starts_on": "A Monday: whole weeks are compared.",
            "weeks": "The page of the planned experiment says which difference so many weeks can show.",
            "step_weeks": "0: all at once. Otherwise one unit after the other, in an order that is drawn.",
        }

    def __init__(self, data: Any = None, *, access: Access, stored: Experiment | None = None, **kwargs: Any) -> None:
        super().__init__(data, instance=stored, **kwargs)
        initial = kwargs.get("initial", {})
        self.links = {**{name: initial.get(name) for name in LINKS}, "is_pilot": bool(initial.get("is_pilot"))}
        named = [
            (metric.key, f"{metric.name} ({metric.key})") for metric in metrics() if metric.better != Better.NEITHER
        ]
        offer(self, "unit", units_to_write_for(access.visibility, stored=stored))
        offer(self, "metric", [("", "Choose one"), *named])
        offer(self, "guard_rails", named)
        units = _units(access, stored)
        for name in ("treated", "compared"):
            offer(self, name, units)

    def given(self) -> dict[str, Any]:
        return {**super().given(), **self.links}


def _units(access: Access, stored: Experiment | None) -> UnitChoices:
    units = UnitChoices(units_seen(access.visibility))
    gone = {*(stored.treated + stored.compared if stored else ())} - dict([*units, *units.others]).keys()
    units.extend(Unit.objects.filter(slug__in=gone).values_list("slug", "name"))
    return units


class ExperimentPage(ProgramForm):
    template_name = "programs/experiments/form.html"
    adding = FormTexts("New experiment", "Plan the experiment", "Experiment planned.")
    changing = FormTexts("Change experiment", "Save", "Experiment saved.")
    list_route, record_route = "experiments", "experiment"
    of_pilots = FormTexts("New pilot", "Plan the pilot", "Pilot planned.")
    find = staticmethod(visible_experiment)
    add, change = staticmethod(add_experiment), staticmethod(change_experiment)

    @property
    def texts(self) -> FormTexts:
        return self.of_pilots if self.record is None and self.is_pilot else super().texts

    @cached_property
    def is_pilot(self) -> bool:
        return self.record.is_pilot if self.record else self.request.GET.get("pilot") == "1"

    def refusal(self) -> str:
        visibility = self.access.visibility
        may_write = visibility.leads(self.record.unit_id) if self.record else visibility.leads_any
        return "" if may_write else "Only managers of a unit, executives and admins can write experiments."

    def form_of(self, record: Experiment | None, data: Any = None) -> ExperimentForm:
        initial = _values(record) if record else self._beginning()
        return ExperimentForm(data, access=self.access, stored=record, initial=initial)

    def context(self, form: ExperimentForm) -> Mapping[str, Any]:
        return {
            "owners": suggested_owners(self.access.visibility),
            "is_started": self.record is not None and self.record.starts_on <= local_today(),
            "is_pilot": self.is_pilot,
            **self._of_teams(form),
        }

    def _of_teams(self, form: ExperimentForm) -> Mapping[str, Any]:
        """The distance of each team from the typical one, by the form's metric."""
        if not self.is_pilot:
            return {}
        metric = find(form["metric"].value() or "") or get(METRIC_OF_PILOTS)
        chosen = {*(form["treated"].value() or ())}
        return {"teams": team_lines(self._distances(metric), metric, chosen), "metric": metric}

    def _distances(self, metric: Metric) -> Sequence[TeamDistance]:
        on = min(self.record.starts_on, local_today()) if self.record else local_today()
        return teams_by_distance(metric, self.access, on=on)

    def _beginning(self) -> dict[str, Any]:
        """Initial values of a new experiment, taken from the finding, ticket or objective that it starts from."""
        today, person = local_today(), person_of(self.request.user)
        initial: dict[str, Any] = {
            "unit": self.request.GET.get("unit", "").replace("\x00", "")
            or (WHOLE if self.access.visibility.leads_whole else ""),
            "metric": self.request.GET.get("metric", "").replace("\x00", ""),
            "starts_on": today + timedelta(days=7 - today.weekday()),
            "owner": person.email if person else "",
        }
        if finding := self._named("finding", Finding):
            initial |= _of_finding(finding, finding.compared_with or self._typical_beside(finding))
        if ticket := self._named("ticket", Ticket):
            initial |= {"title": ticket.title, "change": ticket.resolution, "unit": word_of(ticket.unit)}
            initial |= {"metric": ticket.metric, "ticket": ticket.pk, "objective": ticket.objective_id}
        if objective := self._named("objective", Objective):
            initial |= {"title": objective.title, "unit": word_of(objective.unit), "objective": objective.pk}
            measured = objective.key_results.exclude(metric="").order_by("pk").first()
            initial["metric"] = measured.metric if measured else initial["metric"]
        return self._of_pilot(initial) if self.is_pilot else initial

    def _typical_beside(self, finding: Finding) -> Sequence[str]:
        """Typical teams to compare with, for a finding that compares a unit with its own past."""
        metric, own = find(finding.metric), [finding.unit.slug] if finding.unit else []
        return typical(self._distances(metric), own) if metric else []

    def _of_pilot(self, initial: Mapping[str, Any]) -> dict[str, Any]:
        """Initial values of a pilot: the teams that the address names, or the two most typical, next to other typical
        ones.
        """
        metric = find(initial["metric"]) or get(METRIC_OF_PILOTS)
        distances = self._distances(metric)
        teams = [one.unit.slug for one in distances]
        named = [slug for slug in self.request.GET.getlist("treated") if slug in teams]
        treated = named or teams[:CHOSEN]
        return {
            **initial,
            "is_pilot": True,
            "metric": metric.key,
            "treated": treated,
            "compared": typical(distances, treated),
        }

    def _named(self, name: str, model: Any) -> Any:
        """The record that the address names, if the viewer may see it."""
        number = self.request.GET.get(name, "")
        if not (number.isascii() and number.isdecimal() and len(number) <= 10 and int(number) <= LARGEST_ID):
            return None
        return model.objects.within(self.access.visibility).select_related("unit").filter(pk=int(number)).first()


def _of_finding(finding: Finding, others: Sequence[str]) -> dict[str, Any]:
    """Initial values from a finding: its unit and every second one of the others change; the rest is compared with
    them.
    """
    detector, metric = BY_KEY.get(finding.detector), find(finding.metric)
    own = [finding.unit.slug] if finding.unit else []
    return {
        "finding": finding.pk,
        "unit": word_of(finding.unit),
        "metric": finding.metric,
        "guard_rails": [key for key in (metric.negative_indicators if metric else ()) if find(key)][:2],
        "change": detector.to_try if detector else "",
        "treated": [*own, *others[1::2]],
        "compared": others[::2],
    }


def _values(experiment: Experiment) -> dict[str, Any]:
    """The experiment as form values."""
    return {
        **model_to_dict(experiment, ("title", "change", "metric", "starts_on", "weeks", "step_weeks", "learned")),
        **{name: getattr(experiment, name) for name in ("guard_rails", "treated", "compared", "is_pilot")},
        **{name: getattr(experiment, f"{name}_id") for name in LINKS},
        "unit": word_of(experiment.unit),
        "owner": (experiment.owner.email or "") if experiment.owner else "",
        "version": experiment.version,
    }
