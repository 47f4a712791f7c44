"""/api/v1/annotations/: notes on charts, with the same permissions as on the pages."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import NotFound
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api.parameters import only, page_parameters, requested_slice
from insights.annotations.writing import (
    AnnotationDraft,
    add_annotation,
    change_annotation,
    remove_annotation,
)
from insights.api.views import ERRORS
from insights.engine.plan import resolve_scope
from insights.models import Annotation
from insights.privacy.scope_access import check_scope
from insights.query.errors import QueryError
from insights.query.parameters import read_day
from insights.query.query import Scope, Window
from orgtree.access.access import Access, access_of
from orgtree.access.who_sees import names_of
from orgtree.models import TokenScope

FIELDS = ("text", "from", "to", "unit", "about", "repository", "excuses")


class AnnotationSerializer(serializers.Serializer[object]):
    """A note; `to` is the day after its last day."""

    id = serializers.IntegerField()
    text = serializers.CharField()
    unit = serializers.CharField(allow_null=True, help_text="Slug; null: the whole organisation.")
    about = serializers.CharField(allow_null=True, help_text="Metric or family of metrics; null: every chart.")
    repository = serializers.CharField(allow_null=True, help_text="Name; null: not about a repository.")
    excuses = serializers.BooleanField(help_text="An event that explains what changes: findings leave its weeks out.")
    written_by = serializers.CharField(allow_null=True)
    written_at = serializers.DateTimeField()
    changed_at = serializers.DateTimeField(allow_null=True)

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Add the field `from`, whose name is a keyword in Python."""
        return {**super().get_fields(), "from": serializers.DateField(), "to": serializers.DateField()}


class AnnotationWriteSerializer(serializers.Serializer[object]):
    """The fields to write.  Omitted fields keep their value; in a new note they are null."""

    text = serializers.CharField(max_length=200)
    unit = serializers.CharField(required=False, allow_null=True)
    about = serializers.CharField(required=False, allow_null=True)
    repository = serializers.CharField(
        required=False, allow_null=True, help_text="A repository's name, in place of a unit."
    )
    excuses = serializers.BooleanField(required=False)

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        days = {"from": serializers.DateField(), "to": serializers.DateField(required=False)}
        return {**super().get_fields(), **days}


class AnnotationsSerializer(serializers.Serializer[object]):
    total = serializers.IntegerField()
    annotations = AnnotationSerializer(many=True)


class AnnotationAPIView(APIView):
    """The notes.  Reading requires a token with the scope `read`, writing one with `annotations`; sessions may
    do both.
    """

    @property
    def token_scope(self) -> TokenScope:
        return TokenScope.READ if self.request.method in SAFE_METHODS else TokenScope.ANNOTATIONS


class AnnotationsView(AnnotationAPIView):
    @extend_schema(
        operation_id="v1_annotations_list",
        parameters=[
            OpenApiParameter(
                "unit", str, description="Slug: annotations on the unit's charts, its own and those of units above."
            ),
            OpenApiParameter("about", str, description="Key of a metric: annotations on its charts."),
            OpenApiParameter("from", str, description="First day, 2026-01-31."),
            OpenApiParameter("to", str, description="The day after the last."),
            *page_parameters("Notes"),
        ],
        responses={200: AnnotationsSerializer, **ERRORS},
    )
    def get(self, request: Request) -> Response:
        """The notes that the viewer may read, the latest first."""
        given = request.query_params
        only(request, "unit", "about", "from", "to", "page", "size")
        access = access_of(request.user)
        annotations = Annotation.objects.within(access.visibility)
        if given.get("unit"):
            scope = Scope.of_unit(given["unit"])
            check_scope(scope, access)
            resolve_scope(scope)
            annotations = annotations.on_charts_of(scope)
        if given.get("about"):
            annotations = annotations.about_metric(given["about"])
        start, end = (read_day(name, given[name]) if given.get(name) else None for name in ("from", "to"))
        annotations = annotations.in_window(Window(start or date.min, end or date.max))
        ordered = annotations.select_related("unit", "repository", "written_by").order_by("-start", "-pk")
        page = list(ordered[requested_slice(request)])
        return Response({"total": annotations.count(), "annotations": _documents(page)})

    @extend_schema(
        operation_id="v1_annotations_add",
        request=AnnotationWriteSerializer,
        responses={201: AnnotationSerializer, **ERRORS},
    )
    def post(self, request: Request) -> Response:
        """Write a note.  Without `to` it covers one day."""
        given = _sent_fields(request)
        for name in ("text", "from"):
            if given.get(name) is None:
                raise QueryError(name, "A note needs it.")
        start = read_day("from", _text("from", given["from"]))
        end = read_day("to", _text("to", given["to"])) if given.get("to") is not None else start + timedelta(days=1)
        draft = AnnotationDraft(
            text=_text("text", given["text"]),
            start=start,
            end=end,
            unit=_text("unit", given.get("unit")),
            about=_text("about", given.get("about")),
            repository=_text("repository", given.get("repository")),
            excuses=_flag("excuses", given.get("excuses", False)),
        )
        added = add_annotation(access_of(request.user), draft)
        return Response(_documents([added])[0], status=status.HTTP_201_CREATED)


class AnnotationView(AnnotationAPIView):
    @extend_schema(operation_id="v1_annotation", responses={200: AnnotationSerializer, **ERRORS})
    def get(self, request: Request, pk: int) -> Response:
        """One note."""
        return Response(_documents([_visible(access_of(request.user), pk)])[0])

    @extend_schema(
        operation_id="v1_annotation_change",
        request=AnnotationWriteSerializer,
        responses={200: AnnotationSerializer, **ERRORS},
    )
    def patch(self, request: Request, pk: int) -> Response:
        """Change a note; omitted fields keep their value."""
        access, given = access_of(request.user), _sent_fields(request)
        annotation = _visible(access, pk)
        draft = AnnotationDraft(
            text=_text("text", given.get("text", annotation.text)),
            start=read_day("from", _text("from", given.get("from", annotation.start.isoformat()))),
            end=read_day("to", _text("to", given.get("to", annotation.end.isoformat()))),
            unit=_text("unit", given.get("unit", annotation.unit.slug if annotation.unit else None)),
            about=_text("about", given.get("about", annotation.about)),
            repository=_text("repository", given.get("repository", str(annotation.repository or ""))),
            excuses=_flag("excuses", given.get("excuses", annotation.excuses)),
        )
        return Response(_documents([change_annotation(access, annotation, draft)])[0])

    @extend_schema(operation_id="v1_annotation_remove", responses={204: None, **ERRORS})
    def delete(self, request: Request, pk: int) -> Response:
        """Remove a note; the log keeps it."""
        access = access_of(request.user)
        remove_annotation(access, _visible(access, pk))
        return Response(status=status.HTTP_204_NO_CONTENT)


def _visible(access: Access, pk: int) -> Annotation:
    seen = Annotation.objects.within(access.visibility).select_related("unit", "repository", "written_by")
    annotation = seen.filter(pk=pk).first()
    if annotation is None:
        raise NotFound
    return annotation


def _documents(annotations: list[Annotation]) -> list[dict[str, Any]]:
    names = names_of([annotation.written_by for annotation in annotations if annotation.written_by])
    return [
        {
            "id": annotation.pk,
            "text": annotation.text,
            "unit": annotation.unit.slug if annotation.unit else None,
            "about": annotation.about or None,
            "repository": annotation.repository.name if annotation.repository else None,
            "excuses": annotation.excuses,
            "from": annotation.start.isoformat(),
            "to": annotation.end.isoformat(),
            "written_by": names.get(annotation.written_by_id or 0),
            "written_at": annotation.written_at,
            "changed_at": annotation.changed_at,
        }
        for annotation in annotations
    ]


def _sent_fields(request: Request) -> Mapping[str, Any]:
    """The fields of the request.  Raises QueryError for unknown ones."""
    if not isinstance(request.data, Mapping):
        raise QueryError("text", "Send one object with the fields of the note.")
    for name in request.data:
        if name not in FIELDS:
            raise QueryError(str(name)[:40], f"A note has no such field. Fields: {', '.join(FIELDS)}.")
    return request.data


def _flag(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise QueryError(name, "It must be true or false.")
    return value


def _text(name: str, value: object) -> str:
    """The text; empty for null."""
    if value is None:
        return ""
    if not isinstance(value, str) or "\x00" in value:
        raise QueryError(name, "It must be a text.")
    return value
