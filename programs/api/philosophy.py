"""/api/v1/philosophy/: the text that holds, its versions, and who read it."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from insights.api import schema
from insights.api.errors import document as error_document
from insights.metrics.errors import QueryError
from orgtree.services.access import access_of
from orgtree.services.who_sees import name_of
from programs.api.given import given_fields, number, text
from programs.api.tokens import ProgramView
from programs.services.philosophy import (
    Philosophy,
    PhilosophyConflictError,
    PhilosophyError,
    acknowledge,
    acknowledged_by,
    current_philosophy,
    has_acknowledged,
    publish_philosophy,
)

ERRORS = dict.fromkeys((400, 401, 403), schema.ErrorsSerializer)


class PhilosophySerializer(serializers.Serializer[object]):
    """The version that holds; number 0 is the text that Headway brings along."""

    number = serializers.IntegerField()
    text = serializers.CharField(help_text="Markdown.")
    reason = serializers.CharField(allow_null=True, help_text="What changed in it, and why.")
    written_by = serializers.CharField(allow_null=True)
    written_at = serializers.DateTimeField(allow_null=True)
    acknowledged = serializers.BooleanField(allow_null=True, help_text="By you; null: a token of nobody.")
    acknowledged_by = serializers.IntegerField(help_text="How many of the active accounts.")
    accounts = serializers.IntegerField()


class PhilosophyWriteSerializer(serializers.Serializer[object]):
    text = serializers.CharField()
    reason = serializers.CharField(max_length=200)
    number = serializers.IntegerField(help_text="Of the version from which it was made.")


class PhilosophyConflictSerializer(schema.ErrorsSerializer):
    """Somebody published another version in the meantime; nothing was stored."""

    stored = PhilosophySerializer()


class AcknowledgeSerializer(serializers.Serializer[object]):
    number = serializers.IntegerField(help_text="Of the version that was read.")


class PhilosophyView(ProgramView):
    @extend_schema(operation_id="v1_philosophy", responses={200: PhilosophySerializer, 401: schema.ErrorsSerializer})
    def get(self, request: Request) -> Response:
        """The text that holds."""
        return Response(_document(current_philosophy(), request))

    @extend_schema(
        operation_id="v1_philosophy_publish",
        request=PhilosophyWriteSerializer,
        responses={201: PhilosophySerializer, 409: PhilosophyConflictSerializer, **ERRORS},
    )
    def post(self, request: Request) -> Response:
        """Publish a new version, as executives and admins may."""
        given = given_fields(request, ("text", "reason", "number"), needed=("text", "reason", "number"))
        said = (text("text", given["text"]), text("reason", given["reason"]))
        try:
            publish_philosophy(access_of(request.user), *said, of_number=number("number", given["number"]) or 0)
        except PermissionError as refusal:
            raise PermissionDenied(str(refusal)) from None
        except PhilosophyError as problem:
            raise QueryError(problem.field, problem.message) from None
        except PhilosophyConflictError as conflict:
            answer = {**error_document("number", str(conflict)), "stored": _document(conflict.published, request)}
            return Response(answer, status=status.HTTP_409_CONFLICT)
        return Response(_document(current_philosophy(), request), status=status.HTTP_201_CREATED)


class AcknowledgeView(ProgramView):
    @extend_schema(
        operation_id="v1_philosophy_acknowledge",
        request=AcknowledgeSerializer,
        responses={200: PhilosophySerializer, **ERRORS},
    )
    def post(self, request: Request) -> Response:
        """Say that you read the version that holds."""
        given = given_fields(request, ("number",), needed=("number",))
        if not isinstance(request.user, User):
            raise PermissionDenied("A token of nobody has read nothing.")
        holds = current_philosophy()
        if number("number", given["number"]) != holds.number:
            raise QueryError("number", f"Version {holds.number} holds: read that one.")
        acknowledge(request.user, holds.number)
        return Response(_document(holds, request))


def _document(found: Philosophy, request: Request) -> dict[str, Any]:
    by, of = acknowledged_by(found.number)
    viewer = request.user if isinstance(request.user, User) else None
    return {
        "number": found.number,
        "text": found.text,
        "reason": found.reason or None,
        "written_by": name_of(found.written_by) if found.written_by else None,
        "written_at": found.written_at,
        "acknowledged": has_acknowledged(viewer, found.number) if viewer else None,
        "acknowledged_by": by,
        "accounts": of,
    }
