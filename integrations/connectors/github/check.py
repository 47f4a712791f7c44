"""Checks what a connection can read, and names the permission to grant for the rest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from integrations.connectors.base import CheckedPermission, Http, ResourceDraft
from integrations.connectors.errors import PermanentError
from integrations.connectors.github.graphql import WITHOUT_GRAPHQL, ask
from integrations.connectors.github.projects import NO_FIELDS, list_projects
from integrations.connectors.github.queries import DEPLOYMENTS, ISSUES, PROJECT_ITEMS, PULL_REQUESTS
from integrations.connectors.github.refusal import EmptyRepositoryError, NoCodeScanningError
from integrations.connectors.github.repositories import list_repositories

LOOKED_AT = 100  # repositories among which one is chosen for the test


@dataclass(frozen=True, slots=True)
class Trial:
    """A list to read, and the permission that it takes: for a fine-grained token or an App, and for a classic token."""

    what: str
    path: str
    permission: str
    scope: str = "repo"
    without: str = ""


TRIALS = (
    Trial("Pull requests and reviews", "pulls", "Pull requests: read"),
    Trial("Commits and releases", "commits", "Contents: read"),
    Trial("Issues", "issues", "Issues: read"),
    Trial("Workflow runs and jobs", "actions/runs", "Actions: read"),
    Trial("Deployments", "deployments", "Deployments: read"),
    Trial(
        "Registering webhooks",
        "hooks",
        "Webhooks: read and write",
        "admin:repo_hook",
        "Without it, register the webhook by hand, or do without: the schedule finds everything some minutes later.",
    ),
)


CODE_SCANNING = Trial(
    "Code scanning alerts",
    "code-scanning/alerts",
    "Code scanning alerts: read",
    "security_events",
    "Without it, leave “Read code scanning alerts” off.",
)


def checked(
    http: Http,
    *,
    owners: Sequence[str],
    as_app: bool,
    graphql: str,
    code_scanning: bool = False,
    projects: bool = False,
) -> Iterator[CheckedPermission]:
    """One result for each permission.  Raises CredentialRefusedError or PermanentError if nothing works."""
    # GitHub names the scopes of a classic token; fine-grained ones and those of Apps have none.
    is_classic = not as_app and "x-oauth-scopes" in http.get("user").headers
    seen: list[ResourceDraft] = []
    for owner in owners or ("",):
        answer, repositories = _visible(http, owner, as_app=as_app, is_classic=is_classic)
        seen += repositories
        yield answer
    if not seen:
        return
    chosen = _to_try_on(seen)
    for trial in (*TRIALS, CODE_SCANNING) if code_scanning else TRIALS:
        if trial.path != "issues" or chosen.details["has_issues"]:
            yield _tried(http, trial, chosen, is_classic=is_classic)
    if graphql:
        yield _graphql(http, graphql)
    if projects:
        yield _projects(http, graphql, owners or [chosen.name.partition("/")[0]])


def _visible(
    http: Http, owner: str, *, as_app: bool, is_classic: bool
) -> tuple[CheckedPermission, list[ResourceDraft]]:
    what = f"Repositories of {owner}" if owner else "Repositories"
    remedy = (
        "Install the App on the repositories that Headway is to read."
        if as_app
        else "Grant the scope repo, and authorise the token for single sign-on where the organisation asks for it."
        if is_classic
        else "Choose the organisation as the token's resource owner, and give it access to the repositories "
        "(Metadata: read)."
    )
    try:
        listed = list_repositories(http, [owner] if owner else [], as_app=as_app)
        visible = list(islice(listed, LOOKED_AT))
    except PermanentError as problem:
        return CheckedPermission(what, works=False, remedy=f"{problem.problem} {remedy}"), []
    return CheckedPermission(what, works=bool(visible), remedy="" if visible else f"None is visible. {remedy}"), visible


def _to_try_on(seen: Sequence[ResourceDraft]) -> ResourceDraft:
    """A repository for the test: one that is in use, and has issues."""
    return min(seen, key=lambda resource: (resource.archived, not resource.details["has_issues"]))


def _tried(http: Http, trial: Trial, chosen: ResourceDraft, *, is_classic: bool) -> CheckedPermission:
    try:
        http.get(f"repos/{chosen.name}/{trial.path}", params={"per_page": 1})
    except (EmptyRepositoryError, NoCodeScanningError):
        pass
    except PermanentError:
        permission = f"the scope {trial.scope}" if is_classic else f"“{trial.permission}”"
        remedy = f"Tried on {chosen.name}: grant the token {permission}. {trial.without}".strip()
        return CheckedPermission(trial.what, works=False, remedy=remedy)
    return CheckedPermission(trial.what, works=True)


def _graphql(http: Http, address: str) -> CheckedPermission:
    """Whether GraphQL is available and accepts our queries: each is sent for no record at all."""
    what = "GraphQL, which saves requests"
    try:
        for question in (PULL_REQUESTS, ISSUES, DEPLOYMENTS):
            ask(http, address, question, {"ids": []})
    except PermanentError as problem:
        return CheckedPermission(what, works=False, remedy=f"{problem.problem} {WITHOUT_GRAPHQL}")
    return CheckedPermission(what, works=True)


def _projects(http: Http, address: str, owners: Sequence[str]) -> CheckedPermission:
    """Whether a project with an iteration field is visible, and its items can be read."""
    what = "Iterations of projects"
    grant = "Grant the organisation permission “Projects: read” (a classic token: the scope read:project)."
    try:
        project = next(list_projects(http, address, owners), None)
        if project is None:
            return CheckedPermission(
                what, works=False, remedy=f"No project with an iteration field is visible. {grant}"
            )
        ask(http, address, PROJECT_ITEMS, {"id": project.external_id, **NO_FIELDS})
    except PermanentError as problem:
        return CheckedPermission(what, works=False, remedy=f"{problem.problem} {grant}")
    return CheckedPermission(what, works=True)
