"""/api/v1/tickets/import/: adds tickets from a CSV file, all of its new rows or none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import IO, Any

from django.core.files.uploadedfile import UploadedFile
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers, status
from rest_framework.parsers import BaseParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.errors import ErrorsSerializer, error_document
from core.api.operations import operation
from core.csv_import import MOST_BYTES, CsvFileError, text_of
from core.write_errors import FieldError
from insights.api.program_view import ProgramView
from programs.requests.fields import boolean_parameter
from programs.tickets.services.csv_files import (
    LABELS,
    ImportRow,
    TicketRowsError,
    check_imports,
    import_tickets,
    read_tickets,
)

ERRORS = dict.fromkeys((401, 403, 415), ErrorsSerializer)
BODY = "body"  # the key of a request body that is not a form
FILE = {"type": "object", "properties": {"file": {"type": "string", "format": "binary"}}, "required": ["file"]}


class CsvParser(BaseParser):
    """Reads the request body as bytes, up to one byte past the limit so that the caller can tell that it is too
    long.
    """

    media_type = "text/csv"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Mapping[str, bytes]:
        return {BODY: stream.read(MOST_BYTES + 1)}


class RowErrorSerializer(serializers.Serializer[object]):
    row = serializers.IntegerField(help_text="Row number as in a spreadsheet: the header is row 1.")
    column = serializers.ChoiceField(choices=list(LABELS), allow_null=True, help_text="Null: none is to blame.")
    message = serializers.CharField()


class ImportedSerializer(serializers.Serializer[object]):
    applied = serializers.BooleanField()
    added = serializers.IntegerField(help_text="Tickets that were filed, or would be.")
    known = serializers.IntegerField(help_text="Rows with the number of a ticket that is there: left as they are.")
    tickets = serializers.ListField(child=serializers.IntegerField(), help_text="Numbers of the filed tickets.")
    errors = RowErrorSerializer(many=True)  # type: ignore[assignment]  # DRF takes it from the class


class ImportRefusedSerializer(ErrorsSerializer):
    """The file cannot be read, or a row cannot be stored; nothing was stored."""

    errors = RowErrorSerializer(many=True)  # type: ignore[assignment]  # as above


class TicketImportView(ProgramView):
    parser_classes = (CsvParser, MultiPartParser)

    @operation(
        "v1_tickets_import",
        {200: ImportedSerializer, 201: ImportedSerializer, 400: ImportRefusedSerializer},
        errors=ERRORS,
        request={"text/csv": OpenApiTypes.STR, "multipart/form-data": FILE},
        parameters=[
            OpenApiParameter("dry_run", str, enum=["yes"], description="Check the file without storing anything.")
        ],
    )
    def post(self, request: Request) -> Response:
        """Add a ticket for every new row, or none if any row cannot be stored."""
        is_dry = boolean_parameter(request, "dry_run")
        try:
            check_imports(self.access.visibility)
            rows = read_tickets(self.access, text_of(_content(request)))
            known = sum(row.is_known for row in rows)
            if is_dry:
                wrong = [row for row in rows if row.problem]
                added = sum(row.given is not None for row in rows)
                return Response(_document(added, known, [], wrong, applied=False))
            stored = import_tickets(self.access, rows)
        except CsvFileError as problem:
            wrong = list(problem.wrong) if isinstance(problem, TicketRowsError) else []
            refused = {**error_document(None, str(problem)), "errors": [_error(row) for row in wrong]}
            return Response(refused, status=status.HTTP_400_BAD_REQUEST)
        numbers = [ticket.pk for ticket in stored]
        return Response(_document(len(stored), known, numbers, [], applied=True), status=status.HTTP_201_CREATED)


def _content(request: Request) -> bytes:
    """The CSV content: the body, or its part `file`.  Raises FieldError, CsvFileError."""
    given: Mapping[str, Any] = request.data if isinstance(request.data, Mapping) else {}
    body = given.get(BODY)
    if isinstance(body, bytes):
        return body
    for name in given:
        if name != "file":
            raise FieldError(str(name)[:40], "There is no such field. Use file.")
    file = given.get("file")
    if not isinstance(file, UploadedFile):
        raise FieldError("file", "It must be a CSV file.")
    content: bytes = file.read(MOST_BYTES + 1)
    return content


def _document(
    added: int, known: int, tickets: Sequence[int], wrong: Sequence[ImportRow], *, applied: bool
) -> dict[str, Any]:
    return {
        "applied": applied,
        "added": added,
        "known": known,
        "tickets": tickets,
        "errors": [_error(row) for row in wrong],
    }


def _error(row: ImportRow) -> dict[str, Any]:
    return {"row": row.row, "column": row.column or None, "message": row.message}
