"""GraphQL's connections: lists of which a query takes a piece, and says so."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from demo.providers.github_payloads import Json

Record = TypeVar("Record")
_MOST = 100  # entries of a connection in one answer


class PaginationError(Exception):
    """A connection was asked for more than a piece of it."""


def connection(records: Sequence[Record], args: Json, name: str, show: Callable[[Record], Any]) -> Json:
    """The piece of a connection that a query asks for: `first` entries after the one that `after` names.

    Raises PaginationError without `first`, or with too large a one, once entries are asked for.
    """
    first = args.get("first")
    begin = int(args["after"].removeprefix("cursor:")) if args.get("after") else 0

    def piece() -> Sequence[Record]:
        if first is None:
            raise PaginationError(
                f"You must provide a `first` or `last` value to properly paginate the `{name}` connection."
            )
        if not 0 < first <= _MOST:
            raise PaginationError(
                f"Requesting {first} records on the `{name}` connection exceeds the `first` limit of {_MOST} records."
            )
        return records[begin : begin + first]

    def page_info(info: object) -> Json:
        end = begin + len(piece())
        return {
            "startCursor": f"cursor:{begin}" if end > begin else None,
            "endCursor": f"cursor:{end}" if end > begin else None,
            "hasNextPage": end < len(records),
            "hasPreviousPage": begin > 0,
        }

    return {
        "totalCount": len(records),
        "pageInfo": page_info,
        "nodes": lambda info: [show(record) for record in piece()],
    }


def in_order(records: Sequence[Record], args: Json) -> Sequence[Record]:
    order = args.get("orderBy") or {}
    return list(reversed(records)) if order.get("direction") == "DESC" else records
