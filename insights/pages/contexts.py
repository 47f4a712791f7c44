"""The context of a unit or repository: what is in force and where it comes from, the form that sets it, its history,
and the rule by which teams are comparable.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse

from core.forms import posted
from core.page_links import url_with
from core.views import form_view
from core.write_errors import FieldError
from core.write_forms import WriteForm
from insights.findings.checks import teams_of
from insights.findings.comparable import FIELDS as RULE_FIELDS
from insights.findings.comparable import change_rule, comparable_teams, in_words
from insights.findings.contexts import (
    FIELDS,
    InForce,
    Place,
    context_of,
    history_of,
    may_say,
    owner_of,
    say,
    visible_repository,
)
from insights.models import ComparableRule, Context
from insights.models.contexts import MOST_WEIGHT, Stage
from insights.privacy.scope_access import access_in
from insights.query.windows import local_today
from insights.ui import wording
from insights.ui.filters import filters_of
from insights.ui.labels import WORK_TYPES
from insights.ui.scope_bar import EVERYBODY, scope_bar_alone, scope_navigation
from integrations.enums import WorkType
from integrations.models import Repository, SizeClass, WorkingAgreement
from orgtree.access.access import Access
from orgtree.access.who_sees import names_of
from orgtree.models import Unit, UnitPlacement

DEFAULT_SIZES = (100, 400, 800)
MOST_LISTED = 100
YES, NO = "yes", "no"
LONG_REVIEWS = {"": None, YES: True, NO: False}
WEIGHT = "weight_"
MEANINGS = {
    "stage": ("Greenfield or legacy", "Work in old code takes longer than in new."),
    "language": ("Main language", "Empty: what most of its committed lines are in."),
    "long_reviews": ("Long reviews expected", "Such as of safety-critical code."),
    "weights": ("Weights of work types", "How much one change counts in the mix of work."),
    "conventions": ("Coding conventions", "Path or address of the file that reviews go by."),
}


class ContextForm(WriteForm):
    stage = forms.ChoiceField(label=MEANINGS["stage"][0], required=False, choices=[("", "Not set"), *Stage.choices])
    language = forms.CharField(label=MEANINGS["language"][0], required=False, max_length=60)
    long_reviews = forms.ChoiceField(
        label=MEANINGS["long_reviews"][0], required=False, choices=[("", "Not set"), (YES, "Yes"), (NO, "No")]
    )
    conventions = forms.CharField(label=MEANINGS["conventions"][0], required=False, max_length=300)
    since = forms.DateField(
        label="From",
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text="The days before keep what was said then.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for work_type in WorkType:
            self.fields[WEIGHT + work_type] = forms.FloatField(
                label=work_label(work_type), required=False, min_value=0.1, max_value=MOST_WEIGHT
            )

    @property
    def weight_fields(self) -> list[forms.BoundField]:
        return [self[WEIGHT + work_type] for work_type in WorkType]

    @property
    def values(self) -> dict[str, Any]:
        """The fields of a context from a valid form."""
        data = self.cleaned_data
        return {
            **{name: data[name] for name in ("stage", "language", "conventions")},
            "long_reviews": LONG_REVIEWS[data["long_reviews"]],
            "weights": {str(one): weight for one in WorkType if (weight := data[WEIGHT + one]) is not None},
        }

    def show(self, problem: FieldError) -> None:
        super().show(FieldError("" if problem.field == "weights" else problem.field, problem.message))


class RuleForm(WriteForm, forms.ModelForm[ComparableRule]):
    class Meta:
        model = ComparableRule
        fields = RULE_FIELDS


def work_label(work_type: str) -> str:
    return WORK_TYPES[work_type]


@form_view
def context_page(request: HttpRequest) -> HttpResponseBase:
    """The context of the unit of the page's scope, or of the repository that `repository` names."""
    filters = filters_of(request, facets=())
    access, today = filters.access, local_today()
    around = scope_navigation(request, filters)
    name = request.GET.get("repository", "")
    unit = around.path[-1] if around.path and filters.scope.unit else None
    place: Place = visible_repository(name, access) if name else _unit(unit.pk if unit else None)
    own = history_of(place)[:1]
    initial = filled_in(own[0] if own else None) | {"since": today}
    form = ContextForm(posted(request), initial=initial)
    if request.method == "POST" and not may_say(access, place):
        raise PermissionDenied("Managers of the unit, executives and admins set its context.")
    if form.save_by(lambda: say(access, place, form.values, since=form.cleaned_data["since"])):
        messages.success(request, "Context saved.")
        return redirect(request.get_full_path())
    in_force, rule = context_of(place, today), ComparableRule.current()
    context = {
        "scope": scope_bar_alone(filters, around, request.path),
        "name": str(place or EVERYBODY),
        "is_repository": bool(name),
        "lines": context_lines(in_force, place),
        "sizes": _sizes(place if isinstance(place, Unit) else owner_of(place, today) if place else None),
        "form": form if may_say(access, place) else None,
        "action": request.get_full_path(),
        "repositories": [] if isinstance(place, Repository) else _repositories(place, access),
        "history": _history(place),
        "rule": in_words(rule),
        "rule_url": reverse("comparable_rule"),
        "comparable": _comparable(place, rule, access) if isinstance(place, Unit) else None,
    }
    return render(request, "insights/context/context.html", context, status=form.status)


@form_view
def comparable_rule(request: HttpRequest) -> HttpResponseBase:
    """The rule of comparable teams, which admins can change."""
    access, rule = access_in(request), ComparableRule.current()
    form = RuleForm(posted(request), instance=rule)
    if form.save_by(lambda: change_rule(access, {name: form.cleaned_data[name] for name in RULE_FIELDS})):
        messages.success(request, "Rule saved: the next night compares by it.")
        return redirect("comparable_rule")
    may_change = getattr(access.viewer, "is_superuser", False)
    context = {"form": form, "rule": in_words(ComparableRule.current()), "may_change": may_change}
    return render(request, "insights/context/comparable.html", context, status=form.status)


def context_lines(in_force: InForce, place: Place) -> list[dict[str, str]]:
    """Each field with its value and its origin."""
    return [
        {
            "label": MEANINGS[name][0],
            "help": MEANINGS[name][1],
            "value": value_words(name, value),
            "source": _source(in_force.rows[name], place) if name in in_force.rows else "",
        }
        for name, value in in_force.values().items()
    ]


def value_words(name: str, value: Any) -> str:
    """The value in words; empty if nothing is stated."""
    if name == "stage":
        return Stage(value).label if value else ""
    if name == "long_reviews":
        return {True: "Yes", False: "No"}.get(value, "")
    if name == "weights":
        return ", ".join(f"{work_label(one)} {weight:g}" for one, weight in value.items())
    return str(value)


def filled_in(row: Context | None) -> dict[str, Any]:
    """Initial values of the form: what the place itself stated last."""
    if row is None:
        return {}
    return {
        **{name: getattr(row, name) for name in ("stage", "language", "conventions")},
        "long_reviews": {True: YES, False: NO}.get(cast(bool, row.long_reviews), ""),
        **{WEIGHT + one: weight for one, weight in row.weights.items()},
    }


def _unit(pk: int | None) -> Unit | None:
    return Unit.objects.filter(pk=pk).first() if pk else None


def _source(row: Context, place: Place) -> str:
    said_of = row.repository or row.unit
    whose = "" if said_of == place else f"from {said_of or EVERYBODY.lower()}, "
    return f"{whose}since {wording.day(row.since)}"


def _sizes(unit: Unit | None) -> str:
    """The limits of pull request sizes, from the working agreement in force."""
    agreed = None
    if unit is not None:
        today = local_today()
        above = UnitPlacement.objects.filter(unit=unit, during__contains=today).values("ancestor")
        stored = WorkingAgreement.objects.filter(unit__in=above, during__contains=today).exclude(size_thresholds=None)
        depths = {one.pk: UnitPlacement.objects.filter(unit=one.unit, during__contains=today).count() for one in stored}
        agreed = max(stored, key=lambda one: depths[one.pk], default=None)
    ends = agreed.size_thresholds if agreed and agreed.size_thresholds else DEFAULT_SIZES
    words = ", ".join(
        f"{size.label.lower()} up to {end} lines"
        for size, end in zip((SizeClass.SMALL, SizeClass.MEDIUM, SizeClass.LARGE), ends, strict=True)
    )
    return f"{words.capitalize()}{f' (working agreement of {agreed.unit})' if agreed else ''}"


def _repositories(unit: Unit | None, access: Access) -> list[dict[str, str]]:
    """Repositories of the unit and its descendants; for the organisation, those with a context."""
    today = local_today()
    of_unit = Repository.objects.filter(joined_into=None)
    if unit is not None:
        below = UnitPlacement.objects.filter(ancestor=unit, during__contains=today).values("unit")
        of_unit = of_unit.filter(owned__ownerships__unit__in=below, owned__ownerships__during__contains=today)
    elif access.visibility.whole:
        of_unit = of_unit.filter(pk__in=Context.objects.exclude(repository=None).values("repository"))
    else:
        return []
    return [
        {"name": one.name, "url": url_with(reverse("context"), {"repository": one.name})}
        for one in of_unit.distinct().order_by("name")[:MOST_LISTED]
    ]


def _history(place: Place) -> list[dict[str, str]]:
    rows = history_of(place)
    names = names_of([row.written_by for row in rows if row.written_by])
    return [
        {
            "since": wording.day(row.since),
            "who": names.get(row.written_by_id or 0, ""),
            "at": wording.moment(row.written_at),
            "text": "; ".join(
                f"{MEANINGS[name][0]}: {words}" for name in FIELDS if (words := value_words(name, getattr(row, name)))
            )
            or "Nothing set",
        }
        for row in rows
    ]


def _comparable(unit: Unit, rule: ComparableRule, access: Access) -> Sequence[str] | None:
    """The names of the teams that the unit is compared with, as far as the viewer may see them; None if it is not a
    team.
    """
    today = local_today()
    others = comparable_teams(teams_of(today), rule, today - timedelta(days=today.weekday())).get(unit.pk)
    if others is None:
        return None
    return [one.name for one in Unit.objects.within(access.visibility).filter(pk__in=others).order_by("name")]
