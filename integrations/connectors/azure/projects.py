"""Projects and repositories of an organisation: those available for syncing.

https://learn.microsoft.com/rest/api/azure/devops/core/projects/list,
https://learn.microsoft.com/rest/api/azure/devops/git/repositories/list
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from urllib.parse import quote

from integrations.connectors.azure.lists import entries_in, get, list_all
from integrations.connectors.azure.records import branch
from integrations.connectors.base import Http, Json, ResourceDraft
from integrations.connectors.git.repository import one_spelling
from integrations.connectors.reader import Reader
from integrations.enums import ResourceKind

REPOSITORIES = "_apis/git/repositories"


def list_resources(http: Http, collection: str, named: Sequence[str]) -> Iterator[ResourceDraft]:
    """The projects of these names, all without names; of each a board of its iterations, and the repositories."""
    chosen = {name.casefold() for name in named}
    names: set[str] = set()
    for project in map(Reader, list_all(http, "_apis/projects", {"$top": 100})):
        name = project.text("name")
        if chosen and name.casefold() not in chosen:
            continue
        names.add(project.identifier("id"))
        # Rules that pick the project's repositories pick the project and its iterations: acme/*
        details = {"project": project.identifier("id"), "project_name": name, "projects": [f"{name}/"]}
        for kind in (ResourceKind.PROJECT, ResourceKind.BOARD):
            page = f"{collection}/{quote(name)}"
            yield ResourceDraft(kind, project.identifier("id"), name, url=page, details=details)
    for repository in entries_in(get(http, REPOSITORIES), REPOSITORIES):
        draft = resource_of(repository)
        if draft.details["project"] in names:
            yield draft


def resource_of(repository: Json) -> ResourceDraft:
    """The resource of a repository.  Raises SchemaError."""
    reader = Reader(repository)
    page = reader.text("webUrl", default="") or reader.text("remoteUrl", default="")
    project = reader.text("project.name")
    is_off = reader.boolean("isDisabled", default=False)
    return ResourceDraft(
        ResourceKind.REPOSITORY,
        external_id=reader.identifier("id"),
        name=f"{project}/{reader.text('name')}",
        url=page,
        remote=one_spelling(page),
        default_branch=branch(reader.text("defaultBranch", default="")),
        archived=is_off,
        details={
            "html_url": page,
            "disabled": is_off,
            "project": reader.identifier("project.id"),
            "project_name": project,
        },
    )
