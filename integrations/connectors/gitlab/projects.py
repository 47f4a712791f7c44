"""Projects, and groups with iterations: those available for syncing.

https://docs.gitlab.com/api/projects/#list-all-projects, https://docs.gitlab.com/api/groups/#list-projects,
https://docs.gitlab.com/api/groups/#list-groups
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import quote

from integrations.connectors.base import Http, Json, ResourceDraft
from integrations.connectors.errors import PermanentError
from integrations.connectors.git.repository import one_spelling
from integrations.connectors.gitlab.issues import ITERATIONS
from integrations.connectors.gitlab.lists import list_all, list_page
from integrations.connectors.reader import Reader
from integrations.enums import ResourceKind

NEWEST_FIRST = {"order_by": "id", "sort": "desc"}
_REPORTER = 20  # the level of the role
FEATURES = ("merge_requests_enabled", "issues_enabled", "jobs_enabled")


def list_projects(http: Http, groups: Sequence[str]) -> Iterator[ResourceDraft]:
    """The projects that this credential is a member of, or all of these groups with their subgroups; each once."""
    seen: set[str] = set()
    for project in _listed(http, groups):
        draft = resource_of(project)
        if draft.external_id not in seen:
            seen.add(draft.external_id)
            yield draft


def list_boards(http: Http, groups: Sequence[str]) -> Iterator[ResourceDraft]:
    """The groups that have iterations, a feature of higher tiers; by default the top-level groups."""
    top = {"top_level_only": "true", "min_access_level": _REPORTER, "order_by": "id", "sort": "desc"}
    highest = [group for group in groups if not any(group.startswith(f"{other}/") for other in groups)]
    paths = (f"groups/{quote(group, safe='')}" for group in highest)
    found = (http.get(path, params={"with_projects": "false"}).json() for path in paths)
    for group in map(Reader, found if groups else list_all(http, "groups", top)):
        number, path = group.identifier("id"), group.text("full_path")
        try:
            iterations = list_page(http, f"groups/{number}/iterations", {**ITERATIONS, "per_page": 1}).items
        except PermanentError:
            continue
        if iterations:
            # Rules that pick the group's projects pick its iterations: acme/*
            details = {"projects": [f"{path}/"]}
            page = group.text("web_url", default="")
            yield ResourceDraft(ResourceKind.BOARD, external_id=number, name=path, url=page, details=details)


def _listed(http: Http, groups: Sequence[str]) -> Iterator[Any]:
    if not groups:
        yield from list_all(http, "projects", {"membership": "true", "pagination": "keyset", **NEWEST_FIRST})
    for group in (quote(group, safe="") for group in groups):
        below = {"include_subgroups": "true", "with_shared": "false", **NEWEST_FIRST}
        yield from list_all(http, f"groups/{group}/projects", below)


def resource_of(project: Json) -> ResourceDraft:
    """The resource of a project.  Raises SchemaError."""
    reader = Reader(project)
    page, path = reader.text("web_url"), reader.text("path_with_namespace")
    of_group = reader.text("namespace.kind", default="") == "group"
    return ResourceDraft(
        ResourceKind.REPOSITORY,
        external_id=reader.identifier("id"),
        name=path,
        url=page,
        remote=one_spelling(page),
        default_branch=reader.text("default_branch", default=""),
        archived=reader.boolean("archived", default=False),
        details={
            "html_url": page,
            "archived": reader.boolean("archived", default=False),
            "group": path.partition("/")[0] if of_group else "",
            "default_branch": reader.text("default_branch", default=""),
            **{feature: reader.boolean(feature, default=True) for feature in FEATURES},
        },
    )
