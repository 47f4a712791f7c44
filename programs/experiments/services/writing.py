"""Adds, changes and removes experiments: managers for their units, executives and admins for all.

The design is fixed once the experiment has started: the comparison must not depend on the outcome.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from datetime import timedelta
from random import SystemRandom
from typing import Any

from celery import signature
from rest_framework import serializers

from core.api.model_serializers import WriteSerializer, validated
from core.authorship import changes_by
from core.edit_conflicts import take_fields
from core.nudges import nudge_on_commit
from core.write_errors import FieldError, MayNotWriteError
from insights.catalogue.registry import metrics
from insights.models import Finding
from insights.query import windows
from insights.query.enums import Better
from orgtree.access.access import Access
from orgtree.models import Unit
from programs.models import Experiment, Objective, Ticket
from programs.requests.model_fields import MetricField, VisibleField
from programs.requests.visible import account_of
from programs.teams.fields import LedUnitField, OwnerField

WRITTEN = (
    *("title", "change", "unit", "owner", "metric", "guard_rails", "treated", "compared", "starts_on", "weeks"),
    *("step_weeks", "finding", "ticket", "objective", "is_pilot", "widens", "learned"),
)
ALWAYS = frozenset(("owner", "learned", "ticket", "objective", "finding"))  # also after the start
MEASURE = signature("programs.tasks.measure_tickets")  # by name, to avoid an import cycle
LONGEST_TEXT = 20_000
MOST_UNITS, MOST_GUARD_RAILS = 50, 5
STARTED = "The design is fixed since the experiment has started."


class UnitsField(serializers.ListField):
    """Units given by slug, in order."""

    child = serializers.CharField(max_length=200)

    def to_internal_value(self, data: Any) -> list[str]:
        slugs = [*dict.fromkeys(super().to_internal_value(data))]
        stored = getattr(self.parent.instance, str(self.source), None) if self.parent.instance else None
        if stored is not None and sorted(slugs) == sorted(stored):
            return list(stored)
        if len(slugs) > MOST_UNITS:
            raise serializers.ValidationError(f"At most {MOST_UNITS} units.")
        seen = Unit.objects.within(self.context["access"].visibility).filter(slug__in=slugs)
        unknown = {*slugs} - {*seen.values_list("slug", flat=True)}
        if unknown:
            raise serializers.ValidationError(f"There is no unit “{min(unknown)[:80]}”, or you may not see it.")
        return slugs


class MetricsField(serializers.ListField):
    """Metrics given by key."""

    child = serializers.CharField(max_length=80)

    def to_internal_value(self, data: Any) -> list[str]:
        keys = [*dict.fromkeys(super().to_internal_value(data))]
        unknown = {*keys} - {metric.key for metric in metrics() if metric.better is not Better.NEITHER}
        if unknown:
            raise serializers.ValidationError(f"There is no metric {min(unknown)[:80]} with a better direction.")
        if len(keys) > MOST_GUARD_RAILS:
            raise serializers.ValidationError(f"At most {MOST_GUARD_RAILS} guard rails.")
        return keys


class ExperimentWriteSerializer(WriteSerializer[Experiment]):
    """Create: title, change, metric, treated, compared and starts_on are required."""

    unit = LedUnitField("Experiments", help_text="Slug of the unit that it is run for; null: the whole organisation.")
    owner = OwnerField(help_text="E-mail address; null: nobody.")
    metric = MetricField(allow_null=False, required=True)
    guard_rails = MetricsField(required=False, help_text="Keys of metrics that must not get worse.")
    treated = UnitsField(help_text="Slugs of the units that change. With step_weeks their order is drawn.")
    compared = UnitsField(help_text="Slugs of the units that do not.")
    finding = VisibleField("finding", queryset=Finding.objects)
    ticket = VisibleField("ticket", queryset=Ticket.objects)
    objective = VisibleField("objective", queryset=Objective.objects)
    widens = VisibleField("pilot", queryset=Experiment.objects, help_text="Number of the pilot whose next stage it is.")

    class Meta:
        model = Experiment
        fields: tuple[str, ...] = WRITTEN
        extra_kwargs = {
            "title": {"error_messages": dict.fromkeys(("blank", "required"), "Enter the hypothesis.")},
            "change": {"max_length": LONGEST_TEXT, "help_text": "Markdown."},
            "learned": {"max_length": LONGEST_TEXT, "help_text": "Markdown."},
            "starts_on": {"help_text": "A Monday: whole weeks are compared."},
            "weeks": {"help_text": "After each unit's start; 4 to 26."},
            "step_weeks": {"help_text": "Between the starts of two units; 0: all at once."},
            "is_pilot": {"help_text": "Its units' figures are taken before the start and at the end."},
        }

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        experiment = copy(self.instance) if isinstance(self.instance, Experiment) else Experiment()
        for name, value in attrs.items():
            setattr(experiment, name, value)
        if not experiment.metric:
            raise FieldError("metric", "Choose the success metric.")
        if experiment.metric in experiment.guard_rails:
            raise FieldError("guard_rails", "The success metric is no guard rail.")
        for name in ("treated", "compared"):
            if not getattr(experiment, name):
                raise FieldError(name, "Choose the units: a verdict needs two that change and three to compare with.")
        if both := {*experiment.treated} & {*experiment.compared}:
            raise FieldError("compared", f"“{min(both)}” cannot be in both groups.")
        if experiment.starts_on.weekday():
            monday = experiment.starts_on + timedelta(days=7 - experiment.starts_on.weekday())
            raise FieldError("starts_on", f"Choose a Monday, such as {monday}: whole weeks are compared.")
        return attrs


def experiment_fields(access: Access, given: Mapping[str, Any], stored: Experiment | None = None) -> dict[str, Any]:
    """The checked fields in the model's terms.  Raises FieldError, MayNotWriteError."""
    context = {"access": access}
    return validated(ExperimentWriteSerializer(stored, data=given, partial=stored is not None, context=context))


def add_experiment(access: Access, given: Mapping[str, Any]) -> Experiment:
    """Adds an experiment; `given` has the fields of the API.  Raises FieldError, MayNotWriteError."""
    account = account_of(access)
    with changes_by(account):
        experiment = Experiment(**experiment_fields(access, given), written_by=account)
        _finish(experiment, drawn=())
        experiment.save()
        if experiment.is_pilot:
            nudge_on_commit(MEASURE)
    return experiment


def change_experiment(
    access: Access, experiment: Experiment, given: Mapping[str, Any], *, of_version: int
) -> Experiment:
    """Changes the experiment.  Raises FieldError, MayNotWriteError, and ConflictError if it changed since
    `of_version`.
    """
    check_may_write(access, experiment)
    with changes_by(account_of(access)):
        stored = Experiment.objects.select_for_update(of=("self",)).get(pk=experiment.pk)
        fields = experiment_fields(access, given, stored)
        if stored.starts_on <= windows.local_today():
            for name in fields.keys() - ALWAYS:
                if fields[name] != getattr(stored, name):
                    raise FieldError(name, STARTED)
        drawn = stored.treated if stored.step_weeks else ()
        if take_fields(stored, fields, of_version, "Somebody changed this experiment in the meantime."):
            _finish(stored, drawn=drawn)
            stored.save()
    return stored


def remove_experiment(access: Access, experiment: Experiment) -> None:
    """Deletes an experiment that has not started; started ones stay in the log.  Raises FieldError,
    MayNotWriteError.
    """
    check_may_write(access, experiment)
    if experiment.starts_on <= windows.local_today():
        raise FieldError("", "It has started, and stays in the log. Say what was learned instead.")
    with changes_by(account_of(access)):
        Experiment.objects.filter(pk=experiment.pk).delete()


def _finish(experiment: Experiment, *, drawn: Sequence[str]) -> None:
    """Draws the order of a staggered roll-out, unless these units were drawn already, and computes its last day."""
    if experiment.step_weeks and sorted(drawn) != sorted(experiment.treated):
        SystemRandom().shuffle(experiment.treated)
    experiment.ends_on = experiment.starts()[-1] + timedelta(weeks=experiment.weeks)


def check_may_write(access: Access, experiment: Experiment) -> None:
    """Checks that the viewer leads the experiment's unit.  Raises MayNotWriteError."""
    if not access.visibility.leads(experiment.unit_id):
        raise MayNotWriteError("Those who lead its unit, executives and admins change an experiment.")
