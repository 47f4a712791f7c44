"""Request parameters of the APIs, and the page of a list that they select."""

from __future__ import annotations

from datetime import date

from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request

from core.api.errors import BadRequest
from core.cells import CellError, day

EFFECTIVE = OpenApiParameter(
    "effective", str, description="The first day on which it applies, 2026-01-31. By default today."
)
DEFAULT_SIZE, LARGEST_SIZE, LAST_PAGE = 100, 1000, 1_000_000


def only(request: Request, *names: str) -> None:
    """Refuses unknown parameters: a misspelt one would be ignored silently."""
    for name in request.query_params:
        if name not in names:
            known = f"Use {', '.join(names)}." if names else "There are none."
            raise BadRequest(f"There is no parameter “{name[:40]}”. {known}")


def effective_day(request: Request) -> date | None:
    text = request.query_params.get("effective", "")
    if not text:
        return None
    try:
        return day(text)
    except CellError as problem:
        raise BadRequest(f"effective: {problem}") from None


def whole_number(request: Request, name: str, default: int, greatest: int) -> int:
    text = request.query_params.get(name, "")
    if not text:
        return default
    if not text.isascii() or not text.isdecimal() or len(text) > 9 or not 1 <= int(text) <= greatest:
        raise BadRequest(f"{name}: “{text[:20]}” is not valid. Give a whole number from 1 to {greatest:,}.")
    return int(text)


def page_parameters(
    things: str, *, default: int = DEFAULT_SIZE, largest: int = LARGEST_SIZE
) -> tuple[OpenApiParameter, OpenApiParameter]:
    """The parameters of a page; `things` names the listed objects."""
    return (
        OpenApiParameter("page", int, description="From 1."),
        OpenApiParameter("size", int, description=f"{things} a page, at most {largest:,}; by default {default}."),
    )


def requested_slice(request: Request, *, default: int = DEFAULT_SIZE, largest: int = LARGEST_SIZE) -> slice:
    """The slice that `limit` and `offset` request.  Raises BadRequest."""
    page = whole_number(request, "page", 1, LAST_PAGE)
    size = whole_number(request, "size", default, largest)
    return slice((page - 1) * size, page * size)
