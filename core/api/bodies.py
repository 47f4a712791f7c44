"""Request bodies, answers with messages by field, and pages of lists."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.errors import BadRequest
from core.api.model_serializers import NEEDED, BodySerializer, validated
from core.write_errors import FieldError

Problems = dict[str, list[str]]  # messages by field


# Without a docstring, which the API's document would show for each subclass.
class ProblemsSerializer(serializers.Serializer[object]):
    errors = serializers.DictField(  # type: ignore[assignment]  # a field of the response
        child=serializers.ListField(child=serializers.CharField()), help_text="Messages by field."
    )


def read_body(serializer_class: type[serializers.Serializer[object]], data: Any) -> tuple[dict[str, Any], Problems]:
    """The fields of a body, or its errors."""
    if not isinstance(data, Mapping):
        raise BadRequest("Send one object.")
    serializer = serializer_class(data=data)
    known = ", ".join(serializer.fields)
    problems = {str(name): [f"There is no such field. Use {known}."] for name in data if name not in serializer.fields}
    if not serializer.is_valid():
        problems |= {name: [str(text) for text in texts] for name, texts in serializer.errors.items()}
    return ({} if problems else serializer.validated_data), problems


def refused(problems: Mapping[str, list[str]]) -> Response:
    return Response({"errors": problems}, status=400)


def paging_fields(request: Request, page: int, size: int, total: int) -> dict[str, Any]:
    """The fields total, next and previous of a list."""

    def address(number: int) -> str:
        parameters: Any = request.query_params.copy()
        parameters["page"] = str(number)
        return request.build_absolute_uri(f"{request.path}?{parameters.urlencode()}")

    return {
        "total": total,
        "next": address(page + 1) if page * size < total else None,
        "previous": address(page - 1) if page > 1 else None,
    }


def body(request: Request, serializer: type[BodySerializer] = BodySerializer) -> dict[str, Any]:
    """The validated body of the request; by default an empty one."""
    return validated(serializer(data=request.data))


def changed_version(request: Request, name: str = "version") -> tuple[Mapping[str, Any], int]:
    """The changed fields, and the version that the change is based on."""
    sent = sent_object(request)
    version = sent.get(name)
    if version is None:
        raise FieldError(name, NEEDED)
    if isinstance(version, bool) or not isinstance(version, int):
        raise FieldError(name, "It must be a whole number.")
    return {field: value for field, value in sent.items() if field != name}, version


def sent_object(request: Request) -> Mapping[str, Any]:
    if not isinstance(request.data, Mapping):
        raise FieldError("", "Send one object.")
    return request.data
