"""Checks what a connection can read, and names the permission to grant for the rest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import islice

from integrations.connectors.base import CheckedPermission, Http, ResourceDraft, tried
from integrations.connectors.errors import PermanentError
from integrations.connectors.gitlab.projects import FEATURES, list_projects
from integrations.connectors.unchecked import object_of

LOOKED_AT = 100  # projects among which one is chosen for the test
SCOPE = "Give the token the scope read_api"
REPORTER = f"{SCOPE}, and its user, or the token itself, the role Reporter or above."
TRIALS = (  # what, the list, the project's setting that turns it off
    ("Merge requests", "merge_requests", "merge_requests_enabled"),
    ("Pipelines and jobs", "pipelines", "jobs_enabled"),
    ("Deployments", "deployments", "jobs_enabled"),
    ("Environments", "environments", "jobs_enabled"),
    ("Issues and incidents", "issues", "issues_enabled"),
)
WITHOUT_GRAPHQL = "Without it, lines of merge requests are unknown, and approvals that were reset still count."


def checked(http: Http, groups: Sequence[str], graphql: str) -> Iterator[CheckedPermission]:
    """One result for each permission.  Raises CredentialRefusedError or PermanentError if nothing works."""
    http.get("user")
    seen: list[ResourceDraft] = []
    for group in groups or ("",):
        what = f"Projects of {group}" if group else "Projects"
        before = len(seen)
        listed = list_projects(http, [group] if group else [])
        answer = tried(what, lambda listed=listed: seen.extend(islice(listed, LOOKED_AT)), REPORTER)  # type: ignore[misc]
        if answer.works and len(seen) == before:
            answer = CheckedPermission(what, works=False, remedy=f"None is visible. {REPORTER}")
        yield answer
    if not seen:
        return
    chosen = min(seen, key=lambda project: (project.archived, -sum(project.details[name] for name in FEATURES)))
    for what, path, feature in TRIALS:
        if chosen.details[feature]:
            read = partial(http.get, f"projects/{chosen.external_id}/{path}", params={"per_page": 1})
            yield tried(what, read, f"Tried on {chosen.name}. {REPORTER}")
    yield tried("GraphQL, for lines and approvals", partial(_ask, http, graphql), WITHOUT_GRAPHQL)


def _ask(http: Http, graphql: str) -> None:
    """Raise PermanentError if GraphQL answers a query with nothing."""
    document = http.post(graphql, json={"query": "{ currentUser { id } }"}).json()
    if not object_of(document, "data", "currentUser"):
        raise PermanentError("GraphQL does not know the token.")
