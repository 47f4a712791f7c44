"""/api/v1/tickets/{id}/history/ and /api/v1/objectives/{id}/history/: who changed what, as the pages tell it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.contrib.auth.models import User
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from insights.api import schema
from integrations.services.records.visible import visible_pull_requests
from orgtree.api.parameters import only
from orgtree.services.access import access_of
from orgtree.services.who_sees import names_of
from programs.api.tokens import ProgramView
from programs.api.visible import check_is_of_account, visible_objective, visible_ticket
from programs.services.history import Changed, Untold, Value
from programs.services.objectives.history import ObjectiveChange, ToldKeyResult, objective_changes
from programs.services.tickets.history import PULL_REQUESTS, WATCHERS, history_of, ticket_changes
from programs.services.tickets.pull_request_names import name_of

ERRORS = dict.fromkeys((400, 401, 403, 404), schema.ErrorsSerializer)
NAMES = "Units, people, objectives and pull requests by the names that they have today."


class DifferenceSerializer(serializers.Serializer[object]):
    """One field of a change."""

    field = serializers.CharField(help_text="Its name in the document; or pull_requests, watchers: one came or went.")
    hidden = serializers.BooleanField(help_text="from or to is not yours to see, or what it names is gone: null then.")

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """`from` is a word of Python."""
        told = {name: serializers.JSONField(allow_null=True, help_text=NAMES) for name in ("from", "to")}
        return {**super().get_fields(), **told}


class ResultDifferenceSerializer(DifferenceSerializer):
    key_result = serializers.IntegerField(allow_null=True, help_text="Null: of the objective itself.")


class ChangeSerializer(serializers.Serializer[object]):
    """What one account changed at once."""

    at = serializers.DateTimeField()
    by = serializers.CharField(allow_null=True, help_text="Null: an account that is gone, or Headway (`automatic`).")
    automatic = serializers.BooleanField()
    first = serializers.BooleanField(help_text="It was written then.")


class TicketChangeSerializer(ChangeSerializer):
    differences = DifferenceSerializer(many=True)


class ToldKeyResultSerializer(serializers.Serializer[object]):
    key_result = serializers.IntegerField()
    title = serializers.CharField()
    target = serializers.FloatField(allow_null=True, help_text="Null: not yours to see (`hidden`).")
    hidden = serializers.BooleanField()


class ObjectiveChangeSerializer(ChangeSerializer):
    added = ToldKeyResultSerializer(many=True)
    removed = ToldKeyResultSerializer(many=True)
    differences = ResultDifferenceSerializer(many=True)


class TicketHistorySerializer(serializers.Serializer[object]):
    history = TicketChangeSerializer(many=True, help_text="The latest first.")


class ObjectiveHistorySerializer(serializers.Serializer[object]):
    history = ObjectiveChangeSerializer(many=True, help_text="The latest first.")


class TicketHistoryView(ProgramView):
    @extend_schema(operation_id="v1_ticket_history", responses={200: TicketHistorySerializer, **ERRORS})
    def get(self, request: Request, pk: int) -> Response:
        """Who changed what in a ticket, and which pull requests and watchers came and went."""
        only(request)
        access = access_of(request.user)
        check_is_of_account(access)
        history = history_of(visible_ticket(pk, access))
        seen = visible_pull_requests(access).filter(pk__in=history.pull_requests).select_related("repository")
        pulls = {each.pk: name_of(each) for each in seen} if history.pull_requests else {}
        names = _names(history.accounts)
        changes = ticket_changes(history, pulls.keys(), access.sight)
        return Response(
            {
                "history": [
                    {
                        **_head(each.by, names),
                        "at": each.at,
                        "first": each.is_first,
                        "differences": [_difference(change, names, pulls) for change in each.changes],
                    }
                    for each in changes
                ]
            }
        )


class ObjectiveHistoryView(ProgramView):
    @extend_schema(operation_id="v1_objective_history", responses={200: ObjectiveHistorySerializer, **ERRORS})
    def get(self, request: Request, pk: int) -> Response:
        """Who changed what in an objective and its key results; amounts as far as one may see them."""
        only(request)
        access = access_of(request.user)
        check_is_of_account(access)
        changes = objective_changes(visible_objective(pk, access), access)
        names = _names(each.by for each in changes)
        return Response({"history": [_objective_change(each, names) for each in changes]})


def _objective_change(found: ObjectiveChange, names: Mapping[int, str]) -> dict[str, Any]:
    return {
        **_head(found.by, names),
        "at": found.at,
        "first": any(step.is_first for step in found.steps),
        "added": [_told(step.added) for step in found.steps if step.added],
        "removed": [_told(step.removed) for step in found.steps if step.removed],
        "differences": [
            {"key_result": change.key_result, **_difference(change, names, {})}
            for step in found.steps
            for change in step.changes
        ],
    }


def _told(found: ToldKeyResult) -> dict[str, Any]:
    hidden = isinstance(found.target, Untold)
    target = None if hidden else found.target
    return {"key_result": found.key_result, "title": found.title, "target": target, "hidden": hidden}


def _head(by: int | None, names: Mapping[int, str]) -> dict[str, Any]:
    return {"by": names.get(by or 0), "automatic": by is None}


def _difference(change: Changed, names: Mapping[int, str], pulls: Mapping[int, str]) -> dict[str, Any]:
    def told(value: Value) -> Value:
        if isinstance(value, Untold) or value == "":
            return None
        if change.field == WATCHERS and isinstance(value, int):
            return names.get(value)
        if change.field == PULL_REQUESTS and isinstance(value, int):
            return pulls.get(value)
        return value

    pair = (change.before, change.after)
    return {
        "field": change.field.removesuffix("_id"),
        "from": told(change.before),
        "to": told(change.after),
        "hidden": any(value is not None and value != "" and told(value) is None for value in pair),
    }


def _names(accounts: Iterable[int | None]) -> Mapping[int, str]:
    """Of accounts, by id, as everybody may see them."""
    return names_of(list(User.objects.filter(pk__in={pk for pk in accounts if pk is not None})))
