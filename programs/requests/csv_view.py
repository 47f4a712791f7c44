"""Lists as CSV files under /api/v1/: all pages of a list at once."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request

from insights.api import schema
from programs.requests.program_view import ProgramView

CSV = {(200, "text/csv"): OpenApiResponse(OpenApiTypes.STR, description="UTF-8; the first row names the columns.")}
ERRORS: dict[Any, Any] = {(status, "application/json"): schema.ErrorsSerializer for status in (400, 401, 403, 404)}


class CsvView(ProgramView):
    """Whatever a program accepts, it gets CSV, or an error as JSON."""

    def perform_content_negotiation(self, request: Request, force: bool = False) -> tuple[BaseRenderer, str]:
        return JSONRenderer(), JSONRenderer.media_type
