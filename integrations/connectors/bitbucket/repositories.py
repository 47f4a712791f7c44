"""Repositories of a workspace: those available for syncing.

https://developer.atlassian.com/cloud/bitbucket/rest/api-group-repositories/#api-repositories-workspace-get
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

from integrations.connectors.base import Http, Json, ResourceDraft
from integrations.connectors.bitbucket.lists import list_all
from integrations.connectors.bitbucket.records import uuid_in
from integrations.connectors.git.repository import one_spelling
from integrations.connectors.reader import Reader
from integrations.enums import ResourceKind


def list_repositories(http: Http, workspace: str) -> Iterator[ResourceDraft]:
    """All repositories of the workspace that the token sees, page by page."""
    for repository in list_all(http, f"repositories/{quote(workspace, safe='')}", {"sort": "-created_on"}):
        yield resource_of(repository)


def resource_of(repository: Json) -> ResourceDraft:
    """The resource of a repository.  Raises SchemaError."""
    reader = Reader(repository)
    page = reader.text("links.html.href")
    return ResourceDraft(
        ResourceKind.REPOSITORY,
        external_id=uuid_in(reader, "uuid"),
        name=reader.text("full_name"),
        url=page,
        remote=one_spelling(page),
        default_branch=reader.text("mainbranch.name", default=""),
        details={
            "html_url": page,
            "workspace": uuid_in(reader, "workspace.uuid"),
            "default_branch": reader.text("mainbranch.name", default=""),
        },
    )
