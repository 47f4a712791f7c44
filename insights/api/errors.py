"""Errors as JSON: the parameter that is wrong, and what to do instead."""

from __future__ import annotations

from typing import Any

from rest_framework.exceptions import APIException
from rest_framework.response import Response
from rest_framework.views import exception_handler

from core.api.errors import error_document
from core.write_errors import FieldError


def explain(problem: Exception, context: dict[str, Any]) -> Response | None:
    """{"error": {"parameter": …, "message": …}}; parameter is null where none is at fault."""
    if isinstance(problem, FieldError):
        return Response(error_document(problem.field or None, problem.message), status=problem.status)
    response = exception_handler(problem, context)
    if response is not None:
        message = str(problem.detail) if isinstance(problem, APIException) else "There is nothing at this URL."
        response.data = error_document(None, message)
    return response
