"""/api/v1/objectives/{id}/history/: who changed what, as the page tells it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.parameters import only
from orgtree.access.access import access_of
from programs.history.api import ChangeSerializer, DifferenceSerializer, author_document, difference_document
from programs.history.events import Undisclosed, names_of_accounts
from programs.objectives.services.history import KeyResultSnapshot, ObjectiveChange, objective_changes
from programs.requests.program_view import ERRORS, ProgramView
from programs.requests.visible import check_is_of_account, visible_objective


class ResultDifferenceSerializer(DifferenceSerializer):
    key_result = serializers.IntegerField(allow_null=True, help_text="Null: of the objective itself.")


class ShownKeyResultSerializer(serializers.Serializer[object]):
    key_result = serializers.IntegerField()
    title = serializers.CharField()
    target = serializers.FloatField(allow_null=True, help_text="Null: not yours to see (`hidden`).")
    hidden = serializers.BooleanField()


class ObjectiveChangeSerializer(ChangeSerializer):
    added = ShownKeyResultSerializer(many=True)
    removed = ShownKeyResultSerializer(many=True)
    differences = ResultDifferenceSerializer(many=True)


class ObjectiveHistorySerializer(serializers.Serializer[object]):
    history = ObjectiveChangeSerializer(many=True, help_text="The latest first.")


class ObjectiveHistoryView(ProgramView):
    @extend_schema(operation_id="v1_objective_history", responses={200: ObjectiveHistorySerializer, **ERRORS})
    def get(self, request: Request, pk: int) -> Response:
        """Who changed what in an objective and its key results; amounts as far as one may see them."""
        only(request)
        access = access_of(request.user)
        check_is_of_account(access)
        changes = objective_changes(visible_objective(pk, access), access)
        names = names_of_accounts(change.by for change in changes)
        return Response({"history": [_objective_change(change, names) for change in changes]})


def _objective_change(change: ObjectiveChange, names: Mapping[int, str]) -> dict[str, Any]:
    return {
        **author_document(change.by, names),
        "at": change.at,
        "first": any(step.is_first for step in change.steps),
        "added": [_shown(step.added) for step in change.steps if step.added],
        "removed": [_shown(step.removed) for step in change.steps if step.removed],
        "differences": [
            {"key_result": change.key_result, **difference_document(change, names, {})}
            for step in change.steps
            for change in step.changes
        ],
    }


def _shown(key_result: KeyResultSnapshot) -> dict[str, Any]:
    hidden = isinstance(key_result.target, Undisclosed)
    target = None if hidden else key_result.target
    return {"key_result": key_result.key_result, "title": key_result.title, "target": target, "hidden": hidden}
