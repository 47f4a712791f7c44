"""Queries Linear's GraphQL, completely or not at all, and interprets its errors.

https://linear.app/developers/graphql, /pagination, /rate-limiting.  A query costs points: one per object, a tenth per
field, multiplied by the number of entries that a list may return; more than 10,000 are refused.  Exceeding the hourly
limits yields a 400, with a code next to the error.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from integrations.connectors.base import Http, Json, Refused
from integrations.connectors.errors import ConnectorError, CredentialRefusedError, PermanentError, TransientError
from integrations.connectors.json_text import list_in
from integrations.connectors.rate_limits import moment
from integrations.connectors.unchecked import object_of, objects_of, text_of

PATH = "graphql"
PER_PAGE = 50
UNKNOWN_WAIT = timedelta(minutes=5)  # of a limit that names no time; budgets leak back by and by
BUDGETS = ("requests", "complexity", "endpoint-requests")
LIMITED = "RATELIMITED"
UNKNOWN_TOKEN = frozenset({"AUTHENTICATION_ERROR"})
FORBIDDEN = frozenset({"FORBIDDEN", "FEATURE_NOT_ACCESSIBLE"})
UNKNOWN_QUERY = frozenset({"GRAPHQL_VALIDATION_FAILED", "GRAPHQL_PARSE_FAILED", "INPUT_ERROR", "BAD_USER_INPUT"})


@dataclass(frozen=True, slots=True)
class Connection:
    """A page of a list: `after` is the cursor of the next one, empty at the end."""

    nodes: list[Any]
    after: str
    headers: Mapping[str, str]


def ask(http: Http, query: str, variables: Mapping[str, Any] | None = None) -> tuple[Json, Mapping[str, str]]:
    """The data of an answer, and its headers.  Raises a ConnectorError for any error in addition to the data."""
    response = http.post(PATH, json={"query": query, "variables": dict(variables or {})})
    document = object_of(response.json())
    if (problem := meaning_of(document, response.headers, response.status)) is not None:
        raise problem
    data = document.get("data")
    if not isinstance(data, dict):
        raise TransientError("Linear answered without data.")
    return data, response.headers


def list_page(http: Http, query: str, name: str, variables: Mapping[str, Any]) -> Connection:
    """A page of the list `name`.  Raises TransientError if it is none, or is followed by itself."""
    data, headers = ask(http, query, variables)
    return page_of(data.get(name), name, headers, str(variables.get("after") or ""))


def page_of(listed: Any, name: str, headers: Mapping[str, str], before: str) -> Connection:
    nodes = list_in(object_of(listed), "nodes", f"Linear answered a query of {name}")
    info = object_of(listed, "pageInfo")
    after = text_of(info, "endCursor") if info.get("hasNextPage") is True else ""
    if after and after == before:
        raise TransientError(f"Linear's list of {name} leads in a circle: a page names itself as the next.")
    return Connection(nodes, after, headers)


def list_all(http: Http, query: str, name: str, variables: Mapping[str, Any] | None = None) -> Iterator[Any]:
    """The entries of all pages."""
    here = {"first": PER_PAGE, **(variables or {})}
    while True:
        page = list_page(http, query, name, here)
        yield from page.nodes
        if not page.after:
            return
        here["after"] = page.after


def refusal_of(answer: Refused) -> ConnectorError | None:
    """The meaning of a refused query by the code of its error."""
    return meaning_of(object_of(answer.document), answer.headers, answer.status)


def meaning_of(document: Json, headers: Mapping[str, str], status: int) -> ConnectorError | None:
    """The error of an answer; None if it has none, or is no more specific than its status."""
    for error in objects_of(document.get("errors")):
        extensions = object_of(error, "extensions")
        code = text_of(extensions, "code")
        message = text_of(extensions, "userPresentableMessage") or text_of(error, "message")
        quoted = f" (“{message[:300].rstrip('.')}”)" if message else ""
        if code == LIMITED or text_of(extensions, "type") == "ratelimited":
            what = "Linear limits how much may be read in an hour, and asked to wait."
            return TransientError(what, retry_at=_renewed_at(headers, datetime.now(UTC)))
        if code in UNKNOWN_TOKEN or status == 401:
            return CredentialRefusedError(
                f"Linear refused the token{quoted}.",
                what_to_do="It may have expired or been revoked. Enter a new one, and press Test connection.",
            )
        if code in FORBIDDEN or status == 403:
            return PermanentError(
                f"Linear does not let this token read everything{quoted}.",
                what_to_do="Grant the missing permission, listed next to the connection's form, and press Sync now.",
            )
        if code in UNKNOWN_QUERY:
            return PermanentError(
                f"Linear did not accept a query{quoted}.",
                what_to_do="Report it: its API has changed, or it knows another cursor than before.",
            )
        return TransientError(f"Linear failed to answer a query{quoted}.")
    return None


def _renewed_at(headers: Mapping[str, str], now: datetime) -> datetime:
    """The time at which every exhausted budget is renewed, in milliseconds since 1970 by Linear's clock."""
    resets = [
        at
        for budget in BUDGETS
        if headers.get(f"x-ratelimit-{budget}-remaining", "").partition(".")[0] == "0"
        and (at := moment(headers.get(f"x-ratelimit-{budget}-reset", ""), headers, now)) is not None
    ]
    after = headers.get("retry-after")
    named = moment(after, headers, now) if after else None
    return max(resets, default=named or now + UNKNOWN_WAIT)
