"""The JSON of errors, and errors that concern a request as a whole, whose argument is the message."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers, status
from rest_framework.exceptions import APIException
from rest_framework.response import Response
from rest_framework.views import exception_handler

from core.write_errors import FieldError


class BadRequest(APIException):  # named as HTTP names it
    """400; the message says what to write instead."""

    status_code = status.HTTP_400_BAD_REQUEST


class Busy(APIException):
    """503: try again."""

    status_code = status.HTTP_503_SERVICE_UNAVAILABLE


class ErrorSerializer(serializers.Serializer[object]):
    parameter = serializers.CharField(allow_null=True)
    message = serializers.CharField()


class ErrorsSerializer(serializers.Serializer[object]):
    error = ErrorSerializer()


def error_document(parameter: str | None, message: str) -> dict[str, Any]:
    return {"error": {"parameter": parameter, "message": message}}


def explain(problem: Exception, context: dict[str, Any]) -> Response | None:
    """{"error": {"parameter": …, "message": …}}; parameter is null if none is at fault."""
    if isinstance(problem, FieldError):
        return Response(error_document(problem.field or None, problem.message), status=problem.status)
    response = exception_handler(problem, context)
    if response is not None:
        message = str(problem.detail) if isinstance(problem, APIException) else "There is nothing at this URL."
        response.data = error_document(None, message)
    return response
