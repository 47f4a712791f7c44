"""A simulated Linear: a real GraphQL engine over a part of its schema, which prices queries and refuses dear ones.

with LinearServer(history, token="x") as linear:
    connect to linear.url with that token
    linear.advance(to)      # what happened until then is there now

The operation of a query stands in `requests` and in the paths of faults: /graphql/Issues.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    GraphQLResolveInfo,
    GraphQLSchema,
    IntValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
    build_schema,
    execute_sync,
    parse,
    validate,
)

from demo.plan.delivery import DeliveryHistory
from demo.providers.faults import Answer, Fault, Request
from demo.providers.linear_issues import LinearIssues, user
from demo.providers.record_states import HistoryAt
from demo.providers.simulated_server import SimulatedServer

_SCHEMA_FILE = Path(__file__).with_name("linear_schema.graphql")
_OPERATION = re.compile(r"(?:query|mutation)\s+(\w+)")
_CONNECTIONS = frozenset({"cycles", "history", "initiatives", "issues", "labels", "projects", "teams", "webhooks"})
MOST_COMPLEX, BY_DEFAULT = 10_000, 50
MOST_OF_A_PAGE = 250
Json = dict[str, Any]
Info = GraphQLResolveInfo


class LinearServer(SimulatedServer):
    """Serves one workspace.

    `at` is the instant that is shown, the history's end where none is given; `page` the most entries of a list.
    `archived` are identifiers of issues that only show if they are asked for; `projects` and `initiatives` are
    documents; `complexities` are those of the queries by their operations.
    """

    def __init__(
        self,
        history: DeliveryHistory,
        *,
        token: str,
        at: datetime | None = None,
        faults: Iterable[Fault] = (),
        page: int = MOST_OF_A_PAGE,
        port: int = 0,
        web: str = "",
    ) -> None:
        super().__init__("Linear", faults=faults, port=port)
        self._history, self._page_size, self._web = history, page, web or self.url
        self._authorization = token if token.startswith("lin_api_") else f"Bearer {token}"
        self.archived: set[str] = set()
        self.projects: list[Json] = []
        self.initiatives: list[Json] = []
        self.hooks: list[Json] = []
        self.complexities: dict[str, float] = {}
        self.advance(at or history.ends_at)

    def advance(self, to: datetime) -> None:
        """Show the history as of another instant, which is the server's own time, from the next request on."""
        self.at = to
        self.clock_ahead = to - datetime.now(UTC)
        self._shown = LinearIssues(HistoryAt(self._history, to), self._web)

    def answer(self, request: Request) -> Answer:
        """Answer the client, with the operation in the path."""
        found = _OPERATION.search(request.body.decode(errors="replace"))
        return super().answer(replace(request, path=f"{request.path}/{found[1]}") if found else request)

    def answer_of(self, request: Request) -> Answer:
        if not request.path.startswith("/graphql"):
            return Answer(404, b"<!DOCTYPE html><title>Not found</title>", {"Content-Type": "text/html"})
        if request.headers.get("authorization") != self._authorization:
            return _refusal(401, "AUTHENTICATION_ERROR", "Authentication required, not authenticated")
        body = request.json()
        document, variables = parse(body["query"]), body.get("variables") or {}
        if problems := validate(_schema(), document):
            return _refusal(400, "GRAPHQL_VALIDATION_FAILED", problems[0].message)
        complexity = complexity_of(document, variables)
        self.complexities[request.path.rpartition("/")[2]] = complexity
        if complexity > MOST_COMPLEX:
            what = f"The query is too complex. Complexity: {complexity}. Maximum allowed complexity: {MOST_COMPLEX}."
            return _refusal(400, "INPUT_ERROR", what)
        answered = execute_sync(_schema(), document, self._root(), variable_values=variables)
        if answered.errors:
            return _refusal(400, "INPUT_ERROR", answered.errors[0].message)
        limits = {"X-RateLimit-Requests-Limit": "2500", "X-RateLimit-Requests-Remaining": "2400"}
        return Answer.of({"data": _as_written(answered.data)}, headers={**limits, "X-Complexity": str(complexity)})

    # Resolvers --------------------------------------------------------------------------------------------------

    def _root(self) -> Json:
        organisation = self._history.organisation
        return {
            "viewer": user(self._history.accounts[1]),
            "organization": {"id": "workspace-1", "name": organisation.name, "urlKey": organisation.login},
            "teams": lambda info, **args: self._list(self._shown.teams, args),
            "issues": lambda info, **args: self._list(self._issues(args), args),
            "issue": lambda info, id: next(one for one in self._issues({"includeArchived": True}) if one["id"] == id),
            "cycles": lambda info, **args: self._list(self._shown.cycles, args),
            "projects": lambda info, **args: self._list(self.projects, args),
            "initiatives": lambda info, **args: self._list(self.initiatives, args),
            "webhooks": lambda info, **args: self._list(self.hooks, args),
            "webhookCreate": self._register,
            "webhookDelete": self._remove,
        }

    def _issues(self, args: Mapping[str, Any]) -> list[Json]:
        shown = [self._connected(issue) for issue in self._shown.issues]
        return [issue for issue in shown if args.get("includeArchived") or issue["identifier"] not in self.archived]

    def _connected(self, issue: Json) -> Json:
        """The issue with its own lists, as functions of their pages."""
        return {
            **issue,
            **{name: lambda info, nodes=issue[name], **args: self._list(nodes, args) for name in ("labels", "history")},
        }

    def _list(self, nodes: Sequence[Json], args: Mapping[str, Any]) -> Json:
        """A page of those that match, the newest first where an order is named."""
        found = [node for node in nodes if _matches(node, args.get("filter") or {})]
        if order := args.get("orderBy"):
            found.sort(key=lambda node: (node.get(order) or "", node["id"]), reverse=True)
        after = args.get("after")
        begin = next((at for at, node in enumerate(found, start=1) if after and node.get("id") == after), 0)
        size = min(args.get("first") or BY_DEFAULT, self._page_size)
        page = found[begin : begin + size]
        has_next = begin + size < len(found)
        cursor = page[-1].get("id") if page else None
        return {"nodes": page, "pageInfo": {"hasNextPage": has_next, "endCursor": cursor}}

    def _register(self, info: Info, input: Json) -> Json:
        hook = {"id": f"hook-{len(self.hooks) + 1}", **input, "team": {"id": input.get("teamId")}}
        self.hooks.append(hook)
        return {"success": True, "webhook": hook}

    def _remove(self, info: Info, id: str) -> Json:
        self.hooks = [hook for hook in self.hooks if hook["id"] != id]
        return {"success": True}


@cache
def _schema() -> GraphQLSchema:
    return build_schema(_SCHEMA_FILE.read_text(encoding="utf-8"))


def complexity_of(document: DocumentNode, variables: Mapping[str, Any]) -> float:
    """The points of a query: a field is worth a tenth, an object one, and a list its content as often as `first` says.

    https://linear.app/developers/rate-limiting#complexity
    """
    (operation,) = (one for one in document.definitions if isinstance(one, OperationDefinitionNode))
    return round(_cost(operation.selection_set, variables), 1)


def _cost(selected: SelectionSetNode, variables: Mapping[str, Any]) -> float:
    cost = 0.0
    for field in selected.selections:
        if not isinstance(field, FieldNode):
            continue
        if field.selection_set is None:
            cost += 0.1
            continue
        times = _first(field, variables) if field.name.value in _CONNECTIONS else 1
        cost += times * (1 + _cost(field.selection_set, variables))
    return cost


def _first(field: FieldNode, variables: Mapping[str, Any]) -> int:
    for argument in field.arguments or ():
        if argument.name.value == "first":
            value = argument.value
            if isinstance(value, VariableNode):
                return int(variables.get(value.name.value) or BY_DEFAULT)
            if isinstance(value, IntValueNode):
                return int(value.value)
    return BY_DEFAULT


def _matches(node: Any, wanted: Mapping[str, Any]) -> bool:
    return all(_is(node, name, condition) for name, condition in wanted.items())


def _is(node: Any, name: str, condition: Any) -> bool:
    if name == "or":
        return any(_matches(node, one) for one in condition)
    if name == "eq":
        return bool(node == condition)
    if name == "in":
        return node in condition
    if name in ("gt", "gte", "lt", "lte"):
        at, limit = datetime.fromisoformat(str(node)), datetime.fromisoformat(str(condition))
        return {"gt": at > limit, "gte": at >= limit, "lt": at < limit, "lte": at <= limit}[name]
    return _matches((node or {}).get(name), condition)


def _as_written(value: Any) -> Any:
    """The data with whole numbers without a fraction, as JavaScript writes them."""
    if isinstance(value, dict):
        return {name: _as_written(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_as_written(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _refusal(status: int, code: str, message: str) -> Answer:
    extensions = {"code": code, "userPresentableMessage": message, "http": {"status": status}}
    return Answer.of({"errors": [{"message": message, "extensions": extensions}]}, status=status)
