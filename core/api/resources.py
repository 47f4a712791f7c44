"""Generic views of the records of one kind: listed and created, read and changed, and as a CSV file.

A subclass declares its serializers, filters and services, and in `operations` the id and the description of each
operation in the OpenAPI document; URLs say which there are: `endpoint("list", "create")`.  Other actions are methods
with `@operation` that end with `self.answer(pk)`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import Any, ClassVar

from django.http.response import HttpResponseBase
from django.utils import timezone
from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers, status
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from core.api.bodies import changed_version, sent_object
from core.api.errors import ErrorsSerializer
from core.api.model_serializers import WriteSerializer
from core.api.operations import CSV_ANSWERS, CsvNegotiation, answer_change, operation
from core.api.parameters import page_parameters, requested_slice
from core.csv_export import Cell, csv_response
from core.list_filters import ViewerFilters, filter_parameters
from core.write_errors import ConflictError

SerializerClass = type[serializers.BaseSerializer[Any]]
Documents = list[dict[str, Any]]
METHODS = {
    **{"list": "get", "csv": "get", "create": "post"},
    **{"retrieve": "get", "partial_update": "patch", "destroy": "delete"},
}


class Resource(ViewSet):
    """`find` returns the record with a key, as far as the viewer may see it, or raises Http404."""

    operations: ClassVar[Mapping[str, tuple[str, str]]] = {}
    serializer: ClassVar[SerializerClass]  # of a record as it is read
    find: ClassVar[staticmethod[[Any, Any], Any]]  # of the key and the access

    @property
    def access(self) -> Any:
        """The viewer's access."""
        raise NotImplementedError

    @property
    def today(self) -> date:
        return timezone.localdate()

    def documents(self, records: Sequence[Any]) -> Documents:
        serialized = self.serializer(records, many=True, context={"access": self.access})
        return [dict(document) for document in serialized.data]

    def answer(self, pk: Any, code: int = status.HTTP_200_OK) -> Response:
        """The document of a record as it is stored now."""
        return Response(self.documents([self.find(pk, self.access)])[0], status=code)

    @classmethod
    def endpoint(cls, *actions: str) -> Any:
        """The view of a URL with these actions; other actions of the class accept POST."""
        negotiation = {"content_negotiation_class": CsvNegotiation} if "csv" in actions else {}
        return cls.as_view({METHODS.get(action, "post"): action for action in actions}, **negotiation)

    @classmethod
    def described(cls, action: str) -> Mapping[str, Any]:
        """Arguments of `operation` for an action of this class."""
        raise NotImplementedError(action)

    def __init_subclass__(cls) -> None:
        """Give the class its own, described copy of each generic action."""
        super().__init_subclass__()
        for action, (name, text) in cls.__dict__.get("operations", {}).items():
            generic = getattr(cls, action)

            def of_class(self: Resource, *args: Any, _generic: Any = generic, **kwargs: Any) -> Any:
                return _generic(self, *args, **kwargs)

            of_class.__name__, of_class.__doc__ = action, text
            setattr(cls, action, operation(name, **cls.described(action))(of_class))


class ListCreate(Resource):
    """Lists the records that the viewer may see, filtered, by page or all of them as a CSV file; creates new ones."""

    plural: ClassVar[str]  # of the records, as the response names them
    filters: ClassVar[type[ViewerFilters]]
    write_serializer: ClassVar[SerializerClass]
    add: ClassVar[staticmethod[[Any, Mapping[str, Any]], Any]]  # of the access and the fields
    file_rows: ClassVar[staticmethod[[Any, Any], Iterable[Sequence[Cell]]]]  # of filtered records and the access

    def narrowed(self) -> ViewerFilters:
        return self.filters.of_request(self.request.query_params, self.access, today=self.today)

    def list(self, request: Request) -> Response:
        page = requested_slice(request)
        records = self.narrowed().qs
        rows = [*records[page]]
        return Response({"total": records.count(), self.plural: self.documents(rows)})

    def create(self, request: Request) -> Response:
        added = self.add(self.access, sent_object(request))
        return self.answer(added.pk, status.HTTP_201_CREATED)

    def csv(self, request: Request) -> HttpResponseBase:
        return csv_response(self.plural, self.file_rows(self.narrowed().qs, self.access))

    @classmethod
    def described(cls, action: str) -> Mapping[str, Any]:
        match action:
            case "list":
                parameters = [*filter_parameters(cls.filters), *page_parameters(cls.plural.capitalize())]
                return {"answer": page_of(cls.serializer, cls.plural), "parameters": parameters}
            case "create":
                return {"answer": {status.HTTP_201_CREATED: cls.serializer}, "request": cls.write_serializer}
            case "csv":
                return {"answer": CSV_ANSWERS, "parameters": filter_parameters(cls.filters), "errors": {}}
        return super().described(action)


class ReadChange(Resource):
    """Reads one record, changes it from the version that the client has read, and removes it.

    If records have no versions, the last change wins.
    """

    changes: ClassVar[SerializerClass]  # see `changes_of`
    change: ClassVar[staticmethod[..., Any]]  # of the access, the record and the fields, with `of_version`
    has_versions: ClassVar[bool] = True
    remove: ClassVar[staticmethod[[Any, Any], None]]  # of the access and the record

    def retrieve(self, request: Request, pk: Any) -> Response:
        return self.answer(pk)

    def partial_update(self, request: Request, pk: Any) -> Response:
        record = self.find(pk, self.access)
        if not self.has_versions:
            self.change(self.access, record, sent_object(request))
            return self.answer(pk)
        given, version = changed_version(request)
        return self.changed(pk, lambda: self.change(self.access, record, given, of_version=version))

    def destroy(self, request: Request, pk: Any) -> Response:
        record = self.find(pk, self.access)
        try:
            self.remove(self.access, record)
        except ConflictError:
            raise NotFound from None  # somebody else removed it first
        return Response(status=status.HTTP_204_NO_CONTENT)

    def changed(self, pk: Any, change: Callable[[], Any], *, version: str = "version") -> Response:
        """The record after the change; 409 with it as `stored` if somebody else saved first."""
        return answer_change(change, lambda _: self.answer(pk).data, version=version)

    @classmethod
    def described(cls, action: str) -> Mapping[str, Any]:
        match action:
            case "retrieve":
                return {"answer": cls.serializer}
            case "partial_update":
                conflict = {status.HTTP_409_CONFLICT: conflict_of(cls.serializer)} if cls.has_versions else {}
                return {"answer": {status.HTTP_200_OK: cls.serializer, **conflict}, "request": cls.changes}
            case "destroy":
                return {"answer": {status.HTTP_204_NO_CONTENT: None}}
        return super().described(action)


def page_of(serializer: SerializerClass, plural: str) -> SerializerClass:
    """The response of a list."""
    fields = {"total": serializers.IntegerField(), plural: serializer(many=True)}
    kind = serializer.__name__.removesuffix("Serializer")
    page = type(f"{kind}{'List' if kind.endswith('s') else 's'}Serializer", (serializers.Serializer,), fields)
    return extend_schema_serializer(many=False)(page)


def changes_of(serializer: type[WriteSerializer[Any]], *names: str) -> SerializerClass:
    """The fields to change, by default all writable ones, with the version that the change is based on."""
    meta = type("Meta", (serializer.Meta,), {"fields": (*(names or serializer.Meta.fields), "version")})
    fields = {
        "version": serializers.IntegerField(help_text="The version that the change is based on."),
        "Meta": meta,
        "__doc__": "Fields to change; omitted fields keep their value.",
    }
    return type(serializer.__name__.replace("Write", "Change"), (serializer,), fields)


def conflict_of(serializer: SerializerClass) -> SerializerClass:
    """The response to a change of a version that somebody else changed first."""
    fields = {"stored": serializer(), "__doc__": "Somebody changed it in the meantime; nothing was stored."}
    return type(serializer.__name__.replace("Serializer", "ConflictSerializer"), (ErrorsSerializer,), fields)
