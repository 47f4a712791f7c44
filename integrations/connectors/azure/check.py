"""Checks what a connection can read, and names the scope to grant for the rest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from integrations.connectors.azure.deployments import ENVIRONMENTS, PREVIEW
from integrations.connectors.azure.lists import VERSION, get
from integrations.connectors.azure.projects import list_resources
from integrations.connectors.azure.releases import PATH as RELEASED
from integrations.connectors.base import CheckedPermission, Http, ResourceDraft, tried
from integrations.enums import ResourceKind

PROJECTS = "Give the token the scope Project and Team (read), and its account access to the projects."
CODE = "Give the token the scope Code (read), and its account the permission Read in the repository."

WORK = "Give the token the scope Work Items (read), and its account “View work items in this node” for the areas."
BUILD = "Give the token the scope Build (read), and its account “View builds” in the project."
ENVIRONMENT = "Give the token the scope Environment (read & manage), and its account the role Reader of environments."
RELEASE = "If the project has classic releases, give the token the scope Release (read)."
TRIALS = (
    ("Work items", "wit/workitemtypes", VERSION, WORK),
    ("Builds", "build/builds", VERSION, BUILD),
    ("Environments", ENVIRONMENTS, PREVIEW, ENVIRONMENT),
)


def checked(http: Http, collection: str, release_host: str, named: Sequence[str]) -> Iterator[CheckedPermission]:
    """One result for each scope.  Raises CredentialRefusedError or PermanentError if nothing works."""
    get(http, "_apis/projects", {"$top": 1})
    seen: list[ResourceDraft] = []
    answer = tried("Projects", lambda: seen.extend(list_resources(http, collection, named)), CODE)
    projects = [one for one in seen if one.kind is ResourceKind.PROJECT]
    missing = {name.casefold() for name in named} - {project.name.casefold() for project in projects}
    if answer.works and (missing or not projects):
        shown = ", ".join(sorted(missing)) or "any project"
        answer = CheckedPermission("Projects", works=False, remedy=f"The token does not see {shown}. {PROJECTS}")
    yield answer
    repository = next((one for one in seen if one.kind is ResourceKind.REPOSITORY and not one.archived), None)
    if repository is not None:
        path = f"{repository.details['project']}/_apis/git/repositories/{repository.external_id}/pullrequests"
        yield tried("Pull requests", partial(get, http, path, {"$top": 1}), f"Tried on {repository.name}. {CODE}")
    for project in projects[:1]:
        for what, path, version, remedy in TRIALS:
            read = partial(get, http, f"{project.external_id}/_apis/{path}", {"$top": 1}, version=version)
            yield tried(what, read, f"Tried on {project.name}. {remedy}")
        released = f"{release_host}/{project.external_id}/_apis/{RELEASED}".lstrip("/")
        yield tried("Classic releases", partial(get, http, released, {"$top": 1}), RELEASE)
