"""Projects and boards that an account sees."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from integrations.connectors.base import Http, ResourceDraft
from integrations.connectors.errors import PermanentError
from integrations.connectors.jira.site import Site, pages
from integrations.connectors.unchecked import object_of, text_of
from integrations.enums import ResourceKind

BOARDS = "rest/agile/1.0/board"


def resources_of(http: Http, site: Site) -> Iterator[ResourceDraft]:
    """Projects, then boards; Jira without Jira Software has no boards."""
    keys: list[str] = []
    for project in projects(http, site):
        if not project.archived:
            keys.append(project.details["key"])
        yield project
    try:
        yield from _boards(http, () if site.is_cloud else keys)
    except PermanentError:
        return


def projects(http: Http, site: Site) -> Iterator[ResourceDraft]:
    server = http.get(site.path("serverInfo")).json()
    address = text_of(server, "baseUrl")
    for project in _projects(http, site):
        if not text_of(project, "id").isdecimal():
            continue
        key = text_of(project, "key")
        yield ResourceDraft(
            ResourceKind.PROJECT,
            external_id=str(project["id"]),
            name=f"{key} · {project.get('name', '')}",
            url=f"{address.rstrip('/')}/browse/{key}" if address else "",
            archived=bool(project.get("archived")),
            details={"key": key, "pages": address},
        )


def _projects(http: Http, site: Site) -> Iterator[Any]:
    if site.is_cloud:
        yield from pages(http, site.path("project", "search"))
        return
    listed = http.get(site.path("project")).json()
    yield from listed if isinstance(listed, list) else ()


def _boards(http: Http, keys: Sequence[str]) -> Iterator[ResourceDraft]:
    """Boards, with the project that Cloud names; of these projects, with all of them."""
    boards = [board for board in pages(http, BOARDS) if text_of(board, "id")]
    projects_of = _projects_of_boards(http, keys) if boards else {}
    for board in boards:
        project, name = text_of(object_of(board, "location"), "projectKey"), text_of(board, "name")
        yield ResourceDraft(
            ResourceKind.BOARD,
            external_id=str(board["id"]),
            name=f"{project} · {name}" if project else name,
            details={
                "type": str(board.get("type", "")),
                "key": project,
                "projects": projects_of.get(str(board["id"]), []),
            },
        )


def _projects_of_boards(http: Http, keys: Sequence[str]) -> Mapping[str, Sequence[str]]:
    """Board → the projects that its filter names: Data Center lists a board without them, and a project's boards."""
    projects_of: dict[str, list[str]] = {}
    for key in keys:
        try:
            for board in pages(http, BOARDS, params={"projectKeyOrId": key}):
                projects_of.setdefault(text_of(board, "id"), []).append(key)
        except PermanentError:  # a project whose boards the account may not see
            continue
    return projects_of
