"""/api/v1/objectives/: objectives, their check-ins, tree, history and CSV file, with the permissions of their pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.bodies import body
from core.api.operations import operation
from core.api.parameters import page_parameters, requested_slice
from core.api.resources import Documents, ListCreate, ReadChange, changes_of
from core.list_filters import filter_parameters
from insights.api.program_view import ProgramView
from insights.query import windows
from programs.alignment.offers import branches
from programs.history.api import ChangeSerializer, DifferenceSerializer, change_document, difference_document
from programs.history.events import Change, Undisclosed, names_of_accounts
from programs.models import Objective, ObjectiveStatus, Quarter
from programs.objectives.api.documents import (
    CheckInSerializer,
    CheckInsSerializer,
    CheckInWriteSerializer,
    DropSerializer,
    EndingSerializer,
    ObjectiveSerializer,
    ObjectivesSerializer,
    OverrideSerializer,
    QuarterSerializer,
    QuartersSerializer,
    check_in_documents,
    objective_documents,
)
from programs.objectives.queries.filters import ObjectiveFilters, quarter_of_day
from programs.objectives.queries.objectives import in_order_of_units
from programs.objectives.services.check_ins import check_in, check_in_values
from programs.objectives.services.csv_export import objective_rows
from programs.objectives.services.fields import ObjectiveWriteSerializer
from programs.objectives.services.history import KeyResultSnapshot, KeyResultStep, objective_changes
from programs.objectives.services.writing import (
    add_objective,
    change_objective,
    decide,
    drop_objective,
    override_status,
    publish_objective,
)
from programs.requests.fields import day
from programs.requests.visible import check_is_of_account, visible_objective

LIST_PARAMETERS = [*filter_parameters(ObjectiveFilters), *page_parameters("Objectives")]


class Objectives(ProgramView, ListCreate, ReadChange):
    operations = {
        "csv": ("v1_objectives_csv", "Objectives of a quarter, a row for each key result."),
        "create": ("v1_objectives_add", "Write an objective; a draft unless it is to be published."),
        "retrieve": ("v1_objective", "One objective."),
        "partial_update": (
            "v1_objective_change",
            "Change what is named; `version` is that of the objective which the change was made from.",
        ),
    }
    plural = "objectives"
    filters = ObjectiveFilters
    serializer = ObjectiveSerializer
    write_serializer = ObjectiveWriteSerializer
    changes = changes_of(ObjectiveWriteSerializer)
    find = staticmethod(visible_objective)
    add = staticmethod(add_objective)
    change = staticmethod(change_objective)
    file_rows = staticmethod(objective_rows)

    def documents(self, records: Sequence[Objective]) -> Documents:
        return objective_documents(records, self.access)

    @operation("v1_objectives_list", ObjectivesSerializer, parameters=LIST_PARAMETERS)
    def list(self, request: Request) -> Response:
        """List the objectives of a quarter that the viewer may see."""
        page = requested_slice(request)
        filters = ObjectiveFilters.of_request(request.query_params, self.access, today=self.today)
        counts = filters.count_by_status("owner", "mine", "parent")
        standings = {value: counts.get(value, 0) for value in ObjectiveStatus.values}
        documents = self.documents([*filters.qs[page]])
        return Response({"total": filters.qs.count(), "standings": standings, "objectives": documents})

    @operation("v1_objective_publish", ObjectiveSerializer)
    def publish(self, request: Request, pk: int) -> Response:
        """Publish a draft to everybody whom it concerns."""
        objective = self.find(pk, self.access)
        body(request)
        publish_objective(self.access, objective)
        return self.answer(pk)

    @operation("v1_objective_drop", ObjectiveSerializer, request=DropSerializer)
    def drop(self, request: Request, pk: int) -> Response:
        """Drop an objective during its quarter, with a reason."""
        objective = self.find(pk, self.access)
        drop_objective(self.access, objective, body(request, DropSerializer)["why"])
        return self.answer(pk)

    @operation("v1_objective_standing", ObjectiveSerializer, request=OverrideSerializer)
    def standing(self, request: Request, pk: int) -> Response:
        """Override the computed status, with a reason; an empty `standing` removes the override."""
        objective, given = self.find(pk, self.access), body(request, OverrideSerializer)
        override_status(self.access, objective, given["standing"], given.get("reason", ""))
        return self.answer(pk)

    @operation("v1_objective_ending", ObjectiveSerializer, request=EndingSerializer)
    def ending(self, request: Request, pk: int) -> Response:
        """Decide whether an objective is carried over when its quarter closes, and record lessons learned."""
        objective, given = self.find(pk, self.access), body(request, EndingSerializer)
        decide(self.access, objective, given["carry_over"], given.get("retrospective", objective.retrospective))
        return self.answer(pk)


class CheckInsView(ProgramView):
    @operation("v1_objective_check_ins", CheckInsSerializer)
    def get(self, request: Request, pk: int) -> Response:
        """List the check-ins of an objective, newest first."""
        check_is_of_account(self.access)
        objective = visible_objective(pk, self.access)
        return Response({"check_ins": check_in_documents(list(objective.check_ins.select_related("by")))})

    @operation("v1_objective_check_in", {201: CheckInSerializer}, request=CheckInWriteSerializer)
    def post(self, request: Request, pk: int) -> Response:
        """Add a check-in: confidence, and values of key results that are entered by hand."""
        objective = visible_objective(pk, self.access)
        given = body(request, CheckInWriteSerializer)
        if "values" in given:
            [first, *_] = check_in_values(self.access, objective, **given)
        else:
            first = check_in(self.access, objective, **given)
        return Response(check_in_documents([first])[0], status=status.HTTP_201_CREATED)


class QuartersView(ProgramView):
    @operation("v1_quarters_list", QuartersSerializer, parameters=())
    def get(self, request: Request) -> Response:
        """List the quarters that have objectives or are closed, latest first."""
        known = Quarter.objects.filter(objectives__isnull=False) | Quarter.objects.filter(closed_at__isnull=False)
        quarters = known.distinct().select_related("document").order_by("-start")
        return Response({"quarters": QuarterSerializer(quarters, many=True).data})


def quarter_shown(word: str) -> Quarter | None:
    """The quarter that contains a day; None if it does not exist yet."""
    return quarter_of_day(day("quarter", word) or windows.local_today())


class AlignedObjectiveSerializer(ObjectiveSerializer):
    depth = serializers.IntegerField(help_text="0: it serves none of those that are listed.")

    class Meta(ObjectiveSerializer.Meta):
        fields = (*ObjectiveSerializer.Meta.fields, "depth")


class AlignmentSerializer(serializers.Serializer[object]):
    total = serializers.IntegerField()
    objectives = AlignedObjectiveSerializer(many=True, help_text="Each below the one that it serves.")


class AlignmentView(ProgramView):
    @operation("v1_objectives_alignment", AlignmentSerializer, parameters=LIST_PARAMETERS)
    def get(self, request: Request) -> Response:
        """Get the objectives of a quarter that the viewer may see, as a tree."""
        page = requested_slice(request)
        filters = ObjectiveFilters.of_request(request.query_params, self.access, today=windows.local_today())
        objectives = in_order_of_units(filters.qs)
        tree = branches(objectives.values_list("pk", "parent"))
        rows = objectives.in_bulk([branch.pk for branch in tree[page]])
        listed = [branch for branch in tree[page] if branch.pk in rows]
        documents = objective_documents([rows[branch.pk] for branch in listed], self.access)
        aligned = [{**document, "depth": branch.depth} for document, branch in zip(documents, listed, strict=True)]
        return Response({"total": len(tree), "objectives": aligned})


class ResultDifferenceSerializer(DifferenceSerializer):
    key_result = serializers.IntegerField(allow_null=True, help_text="Null: of the objective itself.")


class ShownKeyResultSerializer(serializers.Serializer[object]):
    key_result = serializers.IntegerField()
    title = serializers.CharField()
    target = serializers.FloatField(allow_null=True, help_text="Null: not yours to see (`hidden`).")
    hidden = serializers.BooleanField()


@extend_schema_serializer(component_name="ObjectiveChange")
class ObjectiveHistoryEntrySerializer(ChangeSerializer):
    added = ShownKeyResultSerializer(many=True)
    removed = ShownKeyResultSerializer(many=True)
    differences = ResultDifferenceSerializer(many=True)


class ObjectiveHistorySerializer(serializers.Serializer[object]):
    history = ObjectiveHistoryEntrySerializer(many=True, help_text="The latest first.")


class ObjectiveHistoryView(ProgramView):
    @operation("v1_objective_history", ObjectiveHistorySerializer, parameters=())
    def get(self, request: Request, pk: int) -> Response:
        """List the changes of an objective and its key results; amounts are limited to what the viewer can see."""
        check_is_of_account(self.access)
        changes = objective_changes(visible_objective(pk, self.access), self.access)
        names = names_of_accounts(change.by for change in changes)
        return Response({"history": [_objective_change(change, names) for change in changes]})


def _objective_change(change: Change, names: Mapping[int, str]) -> dict[str, Any]:
    results = [step for step in change.steps if isinstance(step, KeyResultStep)]
    return {
        **change_document(change, names),
        "added": [_shown(step.added) for step in results if step.added],
        "removed": [_shown(step.removed) for step in results if step.removed],
        "differences": [
            {"key_result": changed.key_result, **difference_document(changed, names, {})} for changed in change.changes
        ],
    }


def _shown(key_result: KeyResultSnapshot) -> dict[str, Any]:
    hidden = isinstance(key_result.target, Undisclosed)
    target = None if hidden else key_result.target
    return {"key_result": key_result.key_result, "title": key_result.title, "target": target, "hidden": hidden}
