"""What does not exist, in the form of whoever asks: JSON for programs, a page for people."""

from __future__ import annotations

from http import HTTPStatus

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.defaults import page_not_found

from insights.api.errors import document

ABSENT = "There is nothing at this address."


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler404."""
    if request.path_info.startswith("/api/"):
        return JsonResponse(document(None, ABSENT), status=HTTPStatus.NOT_FOUND)
    if request.path_info.startswith(("/ingest/", "/hooks/", "/v1/")):
        return JsonResponse({"error": ABSENT}, status=HTTPStatus.NOT_FOUND)
    return page_not_found(request, exception)
