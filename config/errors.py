"""Error responses: not found, disk or database unavailable, query too large, and internal errors."""

from __future__ import annotations

import sys
from http import HTTPStatus

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.views.defaults import page_not_found
from django.views.defaults import server_error as broken
from psycopg import errors

from config.database_watch import LOCK_SECONDS, STATEMENT_SECONDS
from core import disk_full
from core.api.errors import error_document
from insights.engine.database import Limit, QuestionStoppedError

ABSENT = "There is nothing at this address."
SECONDS_TO_RETRY = 5
NO_ANSWER = (
    "The database does not answer at the moment. Try again; if you were saving something, first check whether "
    "it was saved."
)
TOO_LONG = (
    f"This took longer than {STATEMENT_SECONDS} seconds and was stopped; nothing was stored. Choose a shorter range or "
    "a smaller unit, or try again when less is going on."
)
TOO_MUCH = (
    "This needs more memory than the server allows for one query. Choose a shorter range, fewer segments or a smaller "
    "unit."
)
READ_ONLY = (
    "The database takes no changes at the moment, so nothing of yours was stored. Pages can be read. Whoever runs the "
    "server can see why."
)
LOCKED = (
    f"Somebody else has been writing the same for more than {LOCK_SECONDS} seconds; nothing of yours was stored. Try "
    "again in a moment."
)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """JSON for programs, a page for people.  Django's handler404."""
    if request.path_info.startswith("/api/"):
        return JsonResponse(error_document(None, ABSENT), status=HTTPStatus.NOT_FOUND)
    if request.path_info.startswith(("/ingest/", "/hooks/", "/v1/")):
        return JsonResponse({"error": ABSENT}, status=HTTPStatus.NOT_FOUND)
    return page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """503 with a sentence and Retry-After if disk or database is unavailable, else 500.  Uses neither.

    Django's handler500, called while the exception is handled.
    """
    problem = sys.exc_info()[1]
    if disk_full.is_disk_full(problem):
        sentence, seconds = disk_full.DISK_FULL, disk_full.SECONDS_TO_RETRY
    elif isinstance(problem, OperationalError | InterfaceError):
        sentence, seconds = _sentence(problem), SECONDS_TO_RETRY
    elif isinstance(problem, QuestionStoppedError):
        sentence, seconds = TOO_LONG if problem.limit is Limit.TIME else TOO_MUCH, SECONDS_TO_RETRY
    else:
        return broken(request)
    response = _in_format(request.path, sentence)
    response.status_code = 503
    response["Retry-After"] = str(seconds)
    response["Cache-Control"] = "no-store"
    return response


def _sentence(problem: Exception) -> str:
    match problem.__cause__:
        case errors.QueryCanceled():
            return TOO_LONG
        case errors.LockNotAvailable():
            return LOCKED
        case errors.ReadOnlySqlTransaction():
            return READ_ONLY
    return NO_ANSWER


def _in_format(path: str, sentence: str) -> HttpResponse:
    if path.startswith("/api/"):
        return JsonResponse(error_document(None, sentence))
    if path.startswith("/prometheus"):
        return HttpResponse(f"{sentence}\n", content_type="text/plain; charset=utf-8")
    return HttpResponse(render_to_string("503.html", {"sentence": sentence}))
