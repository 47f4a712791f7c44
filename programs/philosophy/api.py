"""/api/v1/philosophy/: the current text, its versions, and acknowledgements."""

from __future__ import annotations

from datetime import UTC
from typing import Any

from django.contrib.auth.models import User
from rest_framework import serializers, status
from rest_framework.exceptions import NotFound, PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.bodies import body
from core.api.errors import ErrorsSerializer, error_document
from core.api.model_serializers import AnswerSerializer, BodySerializer, Text, WholeNumber
from core.api.operations import REFUSALS, operation
from core.write_errors import ConflictError
from insights.api.program_view import ProgramView
from insights.query.errors import QueryError
from orgtree.access.access import access_of
from orgtree.access.who_sees import name_of, names_of
from programs.models import PhilosophyVersion
from programs.models.philosophy import LONGEST_REASON
from programs.philosophy.publishing import (
    acknowledge,
    acknowledged_by,
    current_philosophy,
    has_acknowledged,
    lines_changed,
    may_publish,
    philosophy_versions,
    publish_philosophy,
    version_numbered,
)
from programs.requests.model_fields import AccountField


class PhilosophySerializer(serializers.Serializer[object]):
    """The current version; number 0 is the text that ships with Headway."""

    number = serializers.IntegerField()
    text = serializers.CharField(help_text="Markdown.")
    reason = serializers.CharField(allow_null=True, help_text="The change and its reason.")
    written_by = serializers.CharField(allow_null=True)
    written_at = serializers.DateTimeField(allow_null=True)
    acknowledged = serializers.BooleanField(
        allow_null=True, help_text="Whether you acknowledged it; null: a token without an account."
    )
    acknowledged_by = serializers.IntegerField(
        allow_null=True, help_text="Number of active accounts that acknowledged it, for accounts that can publish."
    )
    accounts = serializers.IntegerField(allow_null=True)


class PhilosophyHeadingSerializer(AnswerSerializer):
    number = serializers.IntegerField()
    reason = serializers.CharField(help_text="The change and its reason.")
    written_by = AccountField(source="written_by_id")
    written_at = serializers.DateTimeField(default_timezone=UTC)


class PhilosophyVersionsSerializer(serializers.Serializer[object]):
    versions = PhilosophyHeadingSerializer(many=True)


class ChangedLineSerializer(serializers.Serializer[object]):
    kind = serializers.ChoiceField(choices=["added", "removed", "same"])
    text = serializers.CharField()


class OnePhilosophyVersionSerializer(PhilosophyHeadingSerializer):
    text = serializers.CharField(help_text="Markdown.")
    lines = ChangedLineSerializer(
        many=True, help_text="Against the version before; what stayed is left out but nearby."
    )


class PhilosophyWriteSerializer(BodySerializer):
    text = Text(trim_whitespace=False)
    reason = Text(max_length=LONGEST_REASON)
    number = WholeNumber(help_text="Number of the version that the change is based on.")


class PhilosophyConflictSerializer(ErrorsSerializer):
    """Somebody published another version in the meantime; nothing was stored."""

    stored = PhilosophySerializer()


class AcknowledgeSerializer(BodySerializer):
    number = WholeNumber(help_text="Number of the version that was read.")


class PhilosophyView(ProgramView):
    @operation("v1_philosophy", PhilosophySerializer, errors={401: ErrorsSerializer})
    def get(self, request: Request) -> Response:
        """Get the current text."""
        return Response(_document(current_philosophy(), request))

    @operation(
        "v1_philosophy_publish",
        {201: PhilosophySerializer, 409: PhilosophyConflictSerializer},
        request=PhilosophyWriteSerializer,
        errors=REFUSALS,
    )
    def post(self, request: Request) -> Response:
        """Publish a new version; for executives and admins."""
        given = body(request, PhilosophyWriteSerializer)
        try:
            publish_philosophy(self.access, given["text"], given["reason"], of_number=given["number"])
        except ConflictError as conflict:
            answer = {**error_document("number", str(conflict)), "stored": _document(conflict.stored, request)}
            return Response(answer, status=status.HTTP_409_CONFLICT)
        return Response(_document(current_philosophy(), request), status=status.HTTP_201_CREATED)


class PhilosophyVersionsView(ProgramView):
    @operation("v1_philosophy_versions", PhilosophyVersionsSerializer, parameters=(), errors=REFUSALS)
    def get(self, request: Request) -> Response:
        """List the published versions, newest first."""
        versions = philosophy_versions()
        names = names_of([version.written_by for version in versions if version.written_by])
        headings = PhilosophyHeadingSerializer(versions, many=True, context={"names": names})
        return Response({"versions": headings.data})


class PhilosophyVersionView(ProgramView):
    @operation("v1_philosophy_version", OnePhilosophyVersionSerializer, parameters=())
    def get(self, request: Request, number: int) -> Response:
        """Get one version, with its changes from the one before."""
        version = version_numbered(number)
        if version is None:
            raise NotFound
        names = names_of([version.written_by] if version.written_by else [])
        changed = [{"kind": line.kind or "same", "text": line.text} for line in lines_changed(version)]
        heading = PhilosophyHeadingSerializer(version, context={"names": names})
        return Response({**heading.data, "text": version.text, "lines": changed})


class AcknowledgeView(ProgramView):
    @operation("v1_philosophy_acknowledge", PhilosophySerializer, request=AcknowledgeSerializer, errors=REFUSALS)
    def post(self, request: Request) -> Response:
        """Acknowledge having read the current version."""
        given = body(request, AcknowledgeSerializer)
        if not isinstance(request.user, User):
            raise PermissionDenied("A token without an account cannot acknowledge it.")
        holds = current_philosophy()
        if given["number"] != holds.number:
            raise QueryError("number", f"Version {holds.number} holds: read that one.")
        acknowledge(request.user, holds.number)
        return Response(_document(holds, request))


def _document(version: PhilosophyVersion, request: Request) -> dict[str, Any]:
    by, of = acknowledged_by(version.number) if may_publish(access_of(request.user)) else (None, None)
    viewer = request.user if isinstance(request.user, User) else None
    return {
        "number": version.number,
        "text": version.text,
        "reason": version.reason or None,
        "written_by": name_of(version.written_by) if version.written_by else None,
        "written_at": version.written_at,
        "acknowledged": has_acknowledged(viewer, version.number) if viewer else None,
        "acknowledged_by": by,
        "accounts": of,
    }
