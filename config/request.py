"""A request class that always decodes text as UTF-8."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.utils.http import parse_header_parameters


class RequestInUtf8(WSGIRequest):
    """Decodes every request as UTF-8: forms are sent in the encoding of their pages, and programs send JSON.

    Django decodes with any codec that `charset` names, even `hex`, which is not a text encoding.  That raised before
    any middleware ran, even for visitors; so did an invalid Content-Type.
    """

    def _set_content_type_params(self, meta: Mapping[str, Any]) -> None:
        try:
            self.content_type, self.content_params = parse_header_parameters(meta.get("CONTENT_TYPE", ""))
        except ValueError:
            self.META["CONTENT_TYPE"] = ""  # read again where a form has several parts
            self.content_type, self.content_params = "", {}


class Handler(WSGIHandler):
    request_class = RequestInUtf8
