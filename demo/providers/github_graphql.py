"""The GraphQL API of the simulated GitHub: a real engine over a part of GitHub's schema, so any query is honest.

Errors are written as GitHub writes them: fields that are not in the schema, nodes that are gone, connections without
a limit.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

from graphql import (
    ExecutionResult,
    GraphQLError,
    GraphQLResolveInfo,
    GraphQLSchema,
    build_schema,
    execute,
    parse,
    validate,
)

from demo.plan.delivery import Account
from demo.providers.faults import Answer
from demo.providers.github_access import Quota, Token
from demo.providers.github_graphql_connections import PaginationError, connection
from demo.providers.github_graphql_nodes import Nodes
from demo.providers.github_payloads import Json, when
from demo.providers.github_projects import Project, project_node
from demo.providers.github_routes import Call

_SCHEMA_FILE = Path(__file__).with_name("github_schema.graphql")
_UNKNOWN_FIELD = re.compile(r"Cannot query field '(\w+)' on type '(\w+)'")
_PERMISSION_OF = {"PR": "pull_requests", "I": "issues", "DE": "deployments", "C": "contents", "RE": "contents"}

_PROJECTS = "organization_projects"

Info: TypeAlias = GraphQLResolveInfo[Any]


class MissingNodeError(Exception):
    """There is no such thing, or the token cannot see it."""


def answer(call: Call, quota: Quota) -> Answer:
    """The answer to a POST of a query: 200 with `data`, `errors` or both, as GraphQL has it."""
    document = call.request.json()
    if not isinstance(document, dict) or not isinstance(document.get("query"), str):
        message = "A query attribute must be specified and must be a string."
        return Answer.of({"errors": [{"message": message}]})
    return Answer.of(_answered(call, quota, document["query"], document.get("variables") or {}))


def limited(token: Token) -> Answer:
    """The answer once the points are spent."""
    message = f"API rate limit exceeded for user {token.login}."
    return Answer.of({"errors": [{"type": "RATE_LIMITED", "message": message}]})


def _answered(call: Call, quota: Quota, query: str, variables: Json) -> Json:
    try:
        parsed = parse(query)
    except GraphQLError as problem:
        return {"errors": [_written(problem)]}
    if problems := validate(_schema(), parsed):
        return {"errors": [_written(problem) for problem in problems]}
    root = _Root(call, quota)
    result = execute(_schema(), parsed, root_value=root.fields(), variable_values=variables)
    if not isinstance(result, ExecutionResult):
        raise TypeError("no resolver here waits for anything")
    answered: Json = {"data": result.data}
    if result.errors:
        answered["errors"] = [_written(problem) for problem in result.errors]
    return answered


@cache
def _schema() -> GraphQLSchema:
    return build_schema(_SCHEMA_FILE.read_text(encoding="utf-8"))


class _Root:
    """The fields of the schema's Query."""

    def __init__(self, call: Call, quota: Quota) -> None:
        self._call, self._quota = call, quota
        self._nodes = Nodes(call.shown, call.payloads)

    def fields(self) -> Json:
        return {
            "viewer": self._viewer,
            "repository": self._repository,
            "repositoryOwner": self._owner,
            "node": lambda info, id: self._node(id),
            "nodes": lambda info, ids: [self._node_or_error(node_id) for node_id in ids],
            "rateLimit": self._rate_limit,
        }

    def _viewer(self, info: Info) -> Json | None:
        login = self._call.token.login
        known = (account for account in self._call.shown.history.accounts if account.login == login)
        viewer = next(known, Account(0, login))
        node = self._nodes.actor(viewer)
        return None if node is None else {**node, "__typename": "User", "login": login}

    def _repository(self, info: Info, owner: str, name: str, **args: Any) -> Json:
        repository = self._call.shown.repositories.get(name)
        if repository is None or owner.lower() != self._call.payloads.owner.login.lower() or not self._sees(name):
            raise MissingNodeError(f"Could not resolve to a Repository with the name '{owner}/{name}'.")
        return self._nodes.repository(repository)

    def _owner(self, info: Info, login: str) -> Json:
        if login.lower() != self._call.payloads.owner.login.lower():
            raise MissingNodeError(f"Could not resolve to a RepositoryOwner with the login of '{login}'.")
        visible = self._call.projects if self._call.token.may(_PROJECTS) else ()
        return {
            "__typename": "Organization",
            "id": "O_1",
            "login": login,
            "projectsV2": lambda info, **args: connection(visible, args, "projectsV2", self._project),
        }

    def _project(self, project: Project) -> Json:
        return project_node(project, self._call.shown, self._call.payloads.web, self._nodes.issue, self._nodes.actor)

    def _sees(self, repository: str) -> bool:
        visible = self._call.token.repositories
        return visible is None or repository in visible

    def _node_or_error(self, node_id: str) -> Json | Exception:
        """An error in a list stands in its element's place, and the others are answered."""
        try:
            return self._node(node_id)
        except (MissingNodeError, PermissionError) as problem:
            return problem

    def _node(self, node_id: str) -> Json:
        kind, _, key = node_id.partition("_")
        if kind == "PVT":
            return self._project_of(node_id)
        record, repository = self._found(kind, key)
        if record is None or not self._sees(repository):
            raise MissingNodeError(f"Could not resolve to a node with the global id of '{node_id}'.")
        token = self._call.token
        if not token.may(_PERMISSION_OF.get(kind, "metadata"), repository):
            raise PermissionError(f"Resource not accessible by {token.described}")
        return record

    def _project_of(self, node_id: str) -> Json:
        found = next((project for project in self._call.projects if project.id == node_id), None)
        if found is None or not self._call.token.may(_PROJECTS):
            raise MissingNodeError(f"Could not resolve to a node with the global id of '{node_id}'.")
        return self._project(found)

    def _found(self, kind: str, key: str) -> tuple[Json | None, str]:
        """The node, None where there is none of the kind and key, and the name of the repository that has it."""
        shown, nodes = self._call.shown, self._nodes
        if kind == "PR" and (pull_request := shown.pull_requests_by_id.get(key)):
            return nodes.pull_request(pull_request), pull_request.record.repository.name
        if kind == "I" and (issue := shown.issues_by_id.get(key)):
            return nodes.issue(issue), issue.record.repository.name
        if kind == "DE" and (deployment := shown.deployments_by_id.get(key)):
            return nodes.deployment(deployment), deployment.repository.name
        for repository in shown.repositories.values():
            if kind == "C" and (commit := shown.commit(repository.name, key)):
                return nodes.commit(repository, commit), repository.name
            if kind == "R" and str(repository.id) == key:
                return nodes.repository(repository), repository.name
        return None, ""

    def _rate_limit(self, info: Info, **args: Any) -> Json:
        return {
            "cost": 1,
            "limit": self._quota.limit,
            "nodeCount": 0,
            "remaining": self._quota.remaining,
            "resetAt": when(self._quota.reset_at),
            "used": self._quota.used,
        }


def _written(problem: GraphQLError) -> Json:
    """An error as GitHub's own server writes it."""
    written: Json = {"message": problem.message}
    if problem.path:
        written["path"] = problem.path
    if problem.locations:
        written["locations"] = [{"line": location.line, "column": location.column} for location in problem.locations]
    cause = problem.original_error
    if isinstance(cause, MissingNodeError):
        return {"type": "NOT_FOUND", **written}
    if isinstance(cause, PermissionError):
        return {"type": "FORBIDDEN", **written}
    if isinstance(cause, PaginationError):
        return {"type": "EXCESSIVE_PAGINATION", **written}
    if unknown := _UNKNOWN_FIELD.match(problem.message):
        field, kind = unknown[1], unknown[2]
        return {
            **written,
            "message": f"Field '{field}' doesn't exist on type '{kind}'",
            "extensions": {"code": "undefinedField", "typeName": kind, "fieldName": field},
        }
    return written
