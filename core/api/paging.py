"""Pagination of API lists: the request parameters, and the slice that they select."""

from __future__ import annotations

from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request

from core.api.parameters import DEFAULT_SIZE, LARGEST_SIZE, LAST_PAGE, whole_number


def page_parameters(
    things: str, *, default: int = DEFAULT_SIZE, largest: int = LARGEST_SIZE
) -> tuple[OpenApiParameter, OpenApiParameter]:
    """The parameters of a page; `things` names the listed objects."""
    return (
        OpenApiParameter("page", int, description="From 1."),
        OpenApiParameter("size", int, description=f"{things} a page, at most {largest:,}; by default {default}."),
    )


def requested_slice(request: Request, *, default: int = DEFAULT_SIZE, largest: int = LARGEST_SIZE) -> slice:
    """Raises BadRequest."""
    page = whole_number(request, "page", 1, LAST_PAGE)
    size = whole_number(request, "size", default, largest)
    return slice((page - 1) * size, page * size)
