"""What is wrong with a question to the metric engine, in words for the person who asked."""

from __future__ import annotations


class QueryError(ValueError):
    """A parameter that the engine cannot use: `parameter` as it is called in URLs, and what to do instead."""

    def __init__(self, parameter: str, message: str) -> None:
        super().__init__(message)
        self.parameter = parameter
        self.message = message


class UnknownMetricError(QueryError):
    """There is no metric of that key."""

    def __init__(self, key: str) -> None:
        super().__init__("key", f"There is no metric “{key}”. The catalogue lists all keys: /api/v1/metrics/.")
        self.key = key
