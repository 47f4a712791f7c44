"""Operations of the API: how the OpenAPI document describes a method, and the response to a change of a record."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import wraps
from typing import Any, TypeVar, cast

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api.errors import ErrorsSerializer, error_document
from core.api.parameters import only
from core.write_errors import ConflictError

Changed = TypeVar("Changed")
Method = TypeVar("Method", bound=Callable[..., Any])
REFUSALS = dict.fromkeys((400, 401, 403), ErrorsSerializer)
ERRORS = {**REFUSALS, 404: ErrorsSerializer}
CSV_ANSWERS: dict[Any, Any] = {
    (200, "text/csv"): OpenApiResponse(OpenApiTypes.STR, description="UTF-8; the first row names the columns."),
    **{(code, "application/json"): serializer for code, serializer in ERRORS.items()},
}


class CsvNegotiation(BaseContentNegotiation):
    """Responds with a CSV file, or with an error as JSON, whatever the client accepts."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser:
        return next(iter(parsers))

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        return JSONRenderer(), JSONRenderer.media_type


def operation(
    name: str,
    answer: Any,
    *,
    request: Any = None,
    parameters: Sequence[OpenApiParameter] | None = None,
    errors: Mapping[int, Any] = ERRORS,
) -> Callable[[Method], Method]:
    """Describes a view's method for the OpenAPI document; `answer` is a serializer, or several by status.

    With `parameters`, a request with any other parameter is refused.
    """

    def decorate(method: Method) -> Method:
        @wraps(method)
        def checked(view: APIView, request: Request, *args: Any, **kwargs: Any) -> Any:
            if parameters is not None:
                only(request, *(parameter.name for parameter in parameters))
            return method(view, request, *args, **kwargs)

        responses = {**(answer if isinstance(answer, dict) else {200: answer}), **errors}
        document = extend_schema(
            operation_id=name, request=request, parameters=list(parameters or ()), responses=responses
        )
        return cast(Method, document(checked))

    return decorate


def answer_change(
    change: Callable[[], Changed], document: Callable[[Changed], Any], *, version: str = "version"
) -> Response:
    """The record's document after the change.

    If somebody else saved first, responds 409 with the current record as `stored`, and names the field of the
    `version`.
    """
    try:
        return Response(document(change()))
    except ConflictError as conflict:
        problem = error_document(version, f"{conflict} `stored` is the current version.")
        return Response({**problem, "stored": document(conflict.stored)}, status=status.HTTP_409_CONFLICT)
