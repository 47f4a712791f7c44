"""Errors in a metric query, with messages for the person who made it."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus

from core.write_errors import FieldError


class QueryError(FieldError):
    """An unusable parameter: `field` is its name in URLs, the message says what to do instead."""


class UnknownMetricError(QueryError):
    """The error for a metric key that does not exist."""

    status = HTTPStatus.NOT_FOUND

    def __init__(self, key: str) -> None:
        super().__init__("key", f"There is no metric “{key}”. The catalogue lists all keys: /api/v1/metrics/.")
        self.key = key


class UnknownUnitError(QueryError):
    """The error for a unit that does not exist, or that the account may not know about: the two are
    indistinguishable.
    """

    status = HTTPStatus.NOT_FOUND

    def __init__(self, word: str) -> None:
        super().__init__("unit", f"There is no unit “{word}”. /api/v1/units/ lists the slugs.")


class ScopeNeededError(QueryError):
    """The error for a request that names no scope by an account that may not see the whole organisation."""

    status = HTTPStatus.FORBIDDEN

    def __init__(self, own_slugs: Sequence[str]) -> None:
        units = (
            f"Add unit= with a unit of yours, such as {', '.join(own_slugs)}." if own_slugs else "You are in no unit."
        )
        super().__init__(
            "unit", f"The whole organisation is not for this account to see. {units} Your own figures are at person=me."
        )
