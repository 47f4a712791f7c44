"""Queries GraphQL for the details of a batch of records, either complete or not at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from integrations.connectors.base import Http, Json, Response
from integrations.connectors.errors import ConnectorError, GoneError, PermanentError, TransientError
from integrations.connectors.github.queries import MORE
from integrations.connectors.rate_limits import retry_at
from integrations.connectors.unchecked import object_of, objects_of, text_of

UNKNOWN_WAIT = timedelta(seconds=60)  # GitHub's advice after a secondary limit that names no time
MOST_PAGES = 100  # per connection of a record: 10,000 entries
WITHOUT_GRAPHQL = "Switch GraphQL off for this connection: everything is then read over REST, with more requests."
_OTHER_SCHEMA = frozenset({"undefinedField", "undefinedType", "argumentNotAccepted", "cannotSpreadFragment"})
_FORBIDDEN = frozenset({"FORBIDDEN", "INSUFFICIENT_SCOPES", "SAML_FORBIDDEN"})


def details_of(http: Http, address: str, question: str, node_ids: Sequence[str]) -> dict[str, Json]:
    """Node id → its details, each connection complete; without nodes that are gone or hidden.

    A batch that is too large for the server is split in halves.
    """
    requested = [node_id for node_id in node_ids if node_id]
    if not requested:
        return {}
    try:
        nodes = ask(http, address, question, {"ids": requested}).get("nodes")
    except TransientError as problem:
        if problem.retry_at is not None or len(requested) == 1:
            raise
        middle = len(requested) // 2
        first = details_of(http, address, question, requested[:middle])
        return first | details_of(http, address, question, requested[middle:])
    if not isinstance(nodes, list) or len(nodes) != len(requested):
        raise TransientError("GitHub's GraphQL answered with records other than those requested.")
    known = {node_id: node for node_id, node in zip(requested, nodes, strict=True) if isinstance(node, dict) and node}
    for node_id, node in known.items():
        for (of, connection), more in MORE.items():
            if of == question:
                node[connection] = _whole(http, address, more, node_id, name=connection, begin=node.get(connection))
    return known


def _whole(http: Http, address: str, question: str, node_id: str, *, name: str, begin: Any) -> Any:
    """The connection `name` of a node with the entries after the first hundred."""
    whole = begin
    for _ in range(MOST_PAGES):
        cursor = _next_cursor(whole)
        if cursor is None:
            break
        node = ask(http, address, question, {"id": node_id, "after": cursor}).get("node")
        following = object_of(node, name)
        if not following:
            break  # deleted since
        whole = {**following, "nodes": [*_nodes(whole), *_nodes(following)]}
    return whole


def _next_cursor(connection: Any) -> str | None:
    page = object_of(connection, "pageInfo")
    if page.get("hasNextPage") is not True:
        return None
    cursor = page.get("endCursor")
    return cursor if isinstance(cursor, str) else None


def _nodes(connection: Mapping[str, Any]) -> list[Any]:
    nodes = connection.get("nodes")
    return nodes if isinstance(nodes, list) else []


def ask(http: Http, address: str, question: str, variables: Mapping[str, Any]) -> Json:
    """The answer's data, without records that are gone or hidden."""
    return answered(http, address, question, variables)[0]


def answered(http: Http, address: str, question: str, variables: Mapping[str, Any]) -> tuple[Json, Mapping[str, str]]:
    """The answer's data, without records that are gone or hidden, and its headers."""
    try:
        response = http.post(address, json={"query": question, "variables": variables})
    except GoneError:
        raise PermanentError("This GitHub has no GraphQL.", what_to_do=WITHOUT_GRAPHQL) from None
    document = response.json()
    if not isinstance(document, dict):
        raise TransientError("GitHub's GraphQL answered with something other than an object.")
    for error in _errors(document):
        if (problem := _problem(error, response)) is not None:
            raise problem
    data = document.get("data")
    if not isinstance(data, dict):
        raise TransientError("GitHub's GraphQL answered without data.")
    return data, response.headers


def _errors(document: Json) -> list[Json]:
    errors = document.get("errors")
    return objects_of(errors if isinstance(errors, list) else [errors])


def _problem(error: Json, response: Response) -> ConnectorError | None:
    """The meaning of an error; None for a deleted record."""
    kind, message = str(error.get("type", "")), str(error.get("message", ""))
    code = text_of(object_of(error, "extensions"), "code")
    if kind == "NOT_FOUND":
        return None
    if kind in ("RATE_LIMITED", "RATE_LIMIT") or "rate limit" in message.lower():
        now = datetime.now(UTC)
        until = retry_at(response.headers, now) or now + UNKNOWN_WAIT
        return TransientError("GitHub's GraphQL rate limit is exhausted; GitHub asked to wait.", retry_at=until)
    if kind in _FORBIDDEN:
        return PermanentError(
            f"GitHub does not let this token read over GraphQL (“{message[:300]}”).",
            what_to_do="Grant the missing permission, listed next to the connection's form, and press Sync now.",
        )
    if code in _OTHER_SCHEMA or "doesn't exist on type" in message or "can't be spread" in message:
        return PermanentError(
            f"The GraphQL of this GitHub differs from the expected one (“{message[:300]}”).", what_to_do=WITHOUT_GRAPHQL
        )
    return TransientError(f"GitHub's GraphQL failed (“{message[:300]}”).")
