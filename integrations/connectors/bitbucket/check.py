"""Checks what a connection can read, and names the scope to grant for the rest."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import islice

from integrations.connectors.base import CheckedPermission, FetchedResource, Http, ResourceDraft, tried
from integrations.connectors.bitbucket.records import Place
from integrations.connectors.bitbucket.repositories import list_repositories

LOOKED_AT = 10
REPOSITORIES = "Give the token read:repository:bitbucket, and its account access to the repositories of the workspace."
PULL_REQUESTS = "Give the token read:pullrequest:bitbucket."
PIPELINES = "Give the token read:pipeline:bitbucket."
TRIALS = (
    ("Commits", "commits", REPOSITORIES),
    ("Pull requests", "pullrequests", PULL_REQUESTS),
    ("Pipelines and steps", "pipelines/", PIPELINES),
    ("Deployments", "deployments/", PIPELINES),
    ("Environments", "environments/", PIPELINES),
)


def checked(http: Http, workspace: str) -> Iterator[CheckedPermission]:
    """One result for each scope.  Raises CredentialRefusedError, or PermanentError if the workspace is not seen."""
    seen: list[ResourceDraft] = list(islice(list_repositories(http, workspace), LOOKED_AT))
    if not seen:
        remedy = f"The token sees no repository of {workspace}. {REPOSITORIES}"
        yield CheckedPermission("Repositories", works=False, remedy=remedy)
        return
    yield CheckedPermission("Repositories", works=True)
    chosen = seen[0]
    place = Place(FetchedResource(chosen.kind, chosen.external_id, chosen.name, chosen.details))
    for what, path, remedy in TRIALS:
        read = partial(http.get, place.path(path), params={"pagelen": 1})
        yield tried(what, read, f"Tried on {chosen.name}. {remedy}")
