"""Answers to changes over the API."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from rest_framework import status
from rest_framework.response import Response

from core.write_errors import ConflictError
from insights.api.errors import document as error_document

Changed = TypeVar("Changed")


def answer_change(
    change: Callable[[], Changed], document: Callable[[Changed], Any], *, version: str = "version"
) -> Response:
    """The record's document after the change.  Where somebody else saved first, 409 with what it says now as `stored`,
    and the field of the `version` as the one to blame.
    """
    try:
        return Response(document(change()))
    except ConflictError as conflict:
        problem = error_document(version, f"{conflict} `stored` is what it says now.")
        return Response({**problem, "stored": document(conflict.stored)}, status=status.HTTP_409_CONFLICT)
