"""Errors that concern a request as a whole; their argument is the message."""

from __future__ import annotations

from rest_framework import status
from rest_framework.exceptions import APIException


class BadRequest(APIException):  # named as HTTP names it
    """400; the message says what to write instead."""

    status_code = status.HTTP_400_BAD_REQUEST


class Busy(APIException):
    """503: try again."""

    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
