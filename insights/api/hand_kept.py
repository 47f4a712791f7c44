"""/api/v1/hand-kept/: definitions of hand-kept metrics, their values and history, with the permissions of the pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from django.contrib.auth.models import User
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import APIException, NotFound, PermissionDenied
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api.errors import ErrorsSerializer
from core.api.model_serializers import Amount, Day, WriteSerializer, validated
from core.api.parameters import only, page_parameters, requested_slice
from core.write_errors import ConflictError, FieldError
from insights.api import schema
from insights.api.views import ERRORS
from insights.hand_kept.history import ENTERED, REMOVED, REPLACED, ValueChange, history_of
from insights.query.enums import UnitOfMeasure
from integrations.hand_kept.definitions import change_metric, define_metric, keeper_addresses
from integrations.hand_kept.templates import TEMPLATES
from integrations.hand_kept.values import (
    VIA_API,
    Entry,
    Outcome,
    checked_entry,
    enter_values,
    enterable_unit,
    may_enter,
    remove_values,
    visible_entries,
)
from integrations.models import HandKeptMetric, HandKeptValue
from integrations.push.serializers import StrictSerializer, Text, Title
from orgtree.access.access import Access, access_of
from orgtree.access.who_sees import names_of
from orgtree.models import TokenScope

if TYPE_CHECKING:
    ValueModelSerializer = serializers.ModelSerializer[HandKeptValue]
else:  # generic for the type checker only
    ValueModelSerializer = serializers.ModelSerializer

MOST_VALUES = 1000
WRITTEN = ("slug", "name", "meaning", "unit_of_measure", "better", "valid_days")


class Conflict(APIException):
    status_code = status.HTTP_409_CONFLICT


class HandKeptMetricSerializer(WriteSerializer[HandKeptMetric]):
    """A definition.  `key` and `version` are read-only."""

    key = serializers.CharField(read_only=True)
    unit_of_measure = serializers.ChoiceField(choices=list(UnitOfMeasure))
    better = serializers.ChoiceField(choices=schema.BETTER)
    keepers = serializers.ListField(
        child=serializers.CharField(max_length=254), required=False, help_text="E-mail addresses of accounts."
    )

    class Meta:
        model = HandKeptMetric
        fields = ("key", *WRITTEN, "keepers", "version")
        extra_kwargs: Mapping[str, Mapping[str, Any]] = {
            "slug": {"validators": []},  # the service says what is wrong
            "version": {"read_only": True, "help_text": "Give it when you change the metric."},
        }


class HandKeptMetricsSerializer(serializers.Serializer[object]):
    metrics = HandKeptMetricSerializer(many=True)
    templates = HandKeptMetricSerializer(many=True, help_text="Templates not used yet.")


class HandKeptValueSerializer(ValueModelSerializer):
    """A value, as listed and as entered."""

    unit = serializers.SlugRelatedField[Any](
        slug_field="slug", read_only=True, allow_null=True, help_text="Slug; null: the whole organisation."
    )
    date = serializers.DateField(source="day", read_only=True)
    value = serializers.FloatField(read_only=True)
    entered_by = serializers.CharField(read_only=True, allow_null=True, help_text="Null: a program.")

    class Meta:
        model = HandKeptValue
        fields = ("id", "unit", "date", "value", "note", "entered_by", "entered_via", "entered_at")


class HandKeptValuesSerializer(serializers.Serializer[object]):
    total = serializers.IntegerField()
    values = HandKeptValueSerializer(many=True)


class EntrySerializer(StrictSerializer):
    unit = Text(required=False, help_text="Slug; null: the whole organisation.")
    date = Day()
    value = Amount(help_text="In the metric's unit of measure.")
    note = Title(required=False)


class EntriesSerializer(StrictSerializer):
    """Values to enter.  Either all of them are stored, or none."""

    values = serializers.ListField(child=EntrySerializer(), allow_empty=False, max_length=MOST_VALUES)


class EnteredSerializer(serializers.Serializer[object]):
    results = serializers.ListField(child=serializers.ChoiceField(choices=[outcome.value for outcome in Outcome]))


class ValueChangeSerializer(serializers.Serializer[object]):
    at = serializers.DateTimeField()
    what = serializers.ChoiceField(choices=[what.lower() for what in (ENTERED, REPLACED, REMOVED)])
    by = serializers.CharField(allow_null=True, help_text="Null: a program.")
    via = serializers.CharField()
    unit = serializers.CharField(allow_null=True)
    date = serializers.DateField()
    value = serializers.FloatField()
    note = serializers.CharField()


class HistorySerializer(serializers.Serializer[object]):
    total = serializers.IntegerField()
    changes = ValueChangeSerializer(many=True)


class HandKeptView(APIView):
    """The hand-kept metrics.  Reading requires a token with the scope `read` or `program`, writing one with `program`;
    sessions may do both.
    """

    @property
    def token_scopes(self) -> tuple[TokenScope, ...]:
        reads = self.request.method in SAFE_METHODS
        return (TokenScope.READ, TokenScope.PROGRAM) if reads else (TokenScope.PROGRAM,)


class MetricsView(HandKeptView):
    @extend_schema(operation_id="v1_hand_kept_list", responses={200: HandKeptMetricsSerializer, **ERRORS})
    def get(self, request: Request) -> Response:
        """List the hand-kept metrics, and the templates that are not yet used."""
        only(request)
        access = access_of(request.user)
        metrics = HandKeptMetric.objects.prefetch_related("keepers")
        documents = [_metric_document(metric, access) for metric in metrics]
        used = {document["slug"] for document in documents}
        templates = [_document(template, [], None) for slug, template in TEMPLATES.items() if slug not in used]
        return Response({"metrics": documents, "templates": templates})

    @extend_schema(
        operation_id="v1_hand_kept_define",
        request=HandKeptMetricSerializer,
        responses={201: HandKeptMetricSerializer, **ERRORS},
    )
    def post(self, request: Request) -> Response:
        """Define a metric."""
        access = access_of(request.user)
        metric = define_metric(access, validated(HandKeptMetricSerializer(data=request.data)))
        return Response(_metric_document(metric, access), status=status.HTTP_201_CREATED)


class MetricView(HandKeptView):
    @extend_schema(operation_id="v1_hand_kept", responses={200: HandKeptMetricSerializer, **ERRORS})
    def get(self, request: Request, slug: str) -> Response:
        """Return one definition."""
        return Response(_metric_document(_metric(slug), access_of(request.user)))

    @extend_schema(
        operation_id="v1_hand_kept_change",
        request=HandKeptMetricSerializer,
        responses={200: HandKeptMetricSerializer, 409: ErrorsSerializer, **ERRORS},
    )
    def patch(self, request: Request, slug: str) -> Response:
        """Change a definition.  Omitted fields keep their value; `version` is required."""
        access, metric = access_of(request.user), _metric(slug)
        sent = dict(request.data) if isinstance(request.data, Mapping) else {}
        version = sent.pop("version", None)
        if not isinstance(version, int):
            raise FieldError("version", "Give the version that you change.")
        fields = validated(HandKeptMetricSerializer(metric, data=sent, partial=True))
        try:
            changed = change_metric(access, metric, fields, of_version=version)
        except ConflictError as conflict:
            raise Conflict(f"{conflict} It is of version {conflict.stored.version} now.") from None
        return Response(_metric_document(changed, access))


class ValuesView(HandKeptView):
    @extend_schema(
        operation_id="v1_hand_kept_values",
        parameters=[*page_parameters("Values")],
        responses={200: HandKeptValuesSerializer, **ERRORS},
    )
    def get(self, request: Request, slug: str) -> Response:
        """List the values that the viewer may see, the latest day first."""
        only(request, "page", "size")
        access, metric = access_of(request.user), _metric(slug)
        values = HandKeptValue.objects.filter(visible_entries(access, metric)).order_by("-day", "-pk")
        page = list(values.select_related("unit", "entered_by")[requested_slice(request)])
        return Response({"total": values.count(), "values": _value_documents(page, access)})

    @extend_schema(
        operation_id="v1_hand_kept_enter", request=EntriesSerializer, responses={200: EnteredSerializer, **ERRORS}
    )
    def post(self, request: Request, slug: str) -> Response:
        """Enter values.  A second value for a day replaces the first."""
        access, metric = access_of(request.user), _metric(slug)
        sent = validated(EntriesSerializer(data=request.data))["values"]
        entries = [_entry(access, metric, values, f"values.{position}") for position, values in enumerate(sent)]
        outcomes = enter_values(access, entries, via=VIA_API)
        return Response({"results": [outcome.value for outcome in outcomes]})


class ValueView(HandKeptView):
    @extend_schema(operation_id="v1_hand_kept_remove", responses={204: None, **ERRORS})
    def delete(self, request: Request, slug: str, pk: int) -> Response:
        """Remove a value; the history keeps it."""
        access, metric = access_of(request.user), _metric(slug)
        visible = HandKeptValue.objects.filter(visible_entries(access, metric)).select_related("metric")
        value = visible.filter(pk=pk).first()
        if value is None:
            raise NotFound
        if not may_enter(access, metric, value.unit_id):
            raise PermissionDenied("Only people who may enter the value can remove it.")
        remove_values([value], by=cast(User, request.user))
        return Response(status=status.HTTP_204_NO_CONTENT)


class HistoryView(HandKeptView):
    @extend_schema(
        operation_id="v1_hand_kept_history",
        parameters=[*page_parameters("Changes")],
        responses={200: HistorySerializer, **ERRORS},
    )
    def get(self, request: Request, slug: str) -> Response:
        """List every entry with its author, including replaced and removed ones, the latest first."""
        only(request, "page", "size")
        access = access_of(request.user)
        changes, total = history_of(access, _metric(slug), requested_slice(request))
        return Response({"total": total, "changes": [_change_document(change, access) for change in changes]})


def _metric(slug: str) -> HandKeptMetric:
    metric = HandKeptMetric.objects.filter(slug=slug).prefetch_related("keepers").first()
    if metric is None:
        raise NotFound
    return metric


def _entry(access: Access, metric: HandKeptMetric, values: Mapping[str, Any], path: str) -> Entry:
    """A validated entry.  Raises FieldError with the field's path, MayNotWriteError."""
    try:
        unit = enterable_unit(access, metric, values["unit"])
        return checked_entry(metric, unit, values["date"], values["value"], values["note"])
    except FieldError as problem:
        raise FieldError(f"{path}.{problem.field}", problem.message) from None


def _metric_document(metric: HandKeptMetric, access: Access) -> dict[str, Any]:
    return _document(metric, keeper_addresses(metric) if access.is_of_account else [], metric.version)


def _document(metric: HandKeptMetric, keepers: Sequence[str], version: int | None) -> dict[str, Any]:
    written = {name: getattr(metric, name) for name in WRITTEN}
    return {"key": metric.key, **written, "keepers": keepers, "version": version}


def _value_documents(values: Sequence[HandKeptValue], access: Access) -> list[dict[str, Any]]:
    names = names_of({value.entered_by for value in values if value.entered_by}) if access.is_of_account else {}
    documents = HandKeptValueSerializer(values, many=True).data
    return [
        {**document, "entered_by": names.get(value.entered_by_id or 0)}
        for value, document in zip(values, documents, strict=True)
    ]


def _change_document(change: ValueChange, access: Access) -> dict[str, Any]:
    return {
        "at": change.at,
        "what": change.what.lower(),
        "by": (change.by or None) if access.is_of_account else None,
        "via": change.via,
        "unit": change.unit.slug if change.unit else None,
        "date": change.day,
        "value": float(change.value),
        "note": change.note,
    }
