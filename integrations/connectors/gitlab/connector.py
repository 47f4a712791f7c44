"""GitLab as a connector: its form, its streams, and their readers."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import ClassVar
from urllib.parse import urlsplit

from integrations.connectors.addresses import clone_page, cut_at
from integrations.connectors.base import (
    Arrival,
    CheckedPermission,
    CloneAddress,
    Connector,
    Cursor,
    FetchedResource,
    Field,
    Http,
    Json,
    Page,
    RawRecord,
    ResourceDraft,
    basic_auth,
    register,
)
from integrations.connectors.drafts import AnyDraft
from integrations.connectors.errors import PermanentError
from integrations.connectors.gitlab.check import checked
from integrations.connectors.gitlab.commits import fetch_commits, normalise_commit
from integrations.connectors.gitlab.deployments import fetch_deployments, normalise_deployment
from integrations.connectors.gitlab.incidents import fetch_incidents, normalise_incident
from integrations.connectors.gitlab.issues import fetch_issues, fetch_iterations, normalise_issue, normalise_iteration
from integrations.connectors.gitlab.merge_requests import fetch_merge_requests, normalise_merge_request
from integrations.connectors.gitlab.pipelines import fetch_pipelines, normalise_pipeline
from integrations.connectors.gitlab.projects import list_boards, list_projects
from integrations.connectors.gitlab.records import Place
from integrations.connectors.gitlab.webhooks import arrival_of, news_of, register_hook, remove_hook
from integrations.connectors.pasted import owner_in
from integrations.enums import Kind, ResourceKind

GITLAB_COM = "https://gitlab.com"
_HOSTED = ("gitlab.com", "www.gitlab.com")
_REST, _GRAPHQL = "/api/v4", "/api/graphql"
_PAGES = (_REST, _GRAPHQL, "/-/", "/explore/", "/dashboard/", "/users/sign_in", "/groups/")

_FETCH: Mapping[Kind, tuple[Callable[..., Iterator[Page]], str]] = {  # and the project's setting that turns it off
    Kind.PULL_REQUEST: (fetch_merge_requests, "merge_requests_enabled"),
    Kind.DEPLOYMENT: (fetch_deployments, "jobs_enabled"),
    Kind.PIPELINE_RUN: (fetch_pipelines, "jobs_enabled"),
    Kind.WORK_ITEM: (fetch_issues, "issues_enabled"),
    Kind.INCIDENT: (fetch_incidents, "issues_enabled"),
    Kind.COMMIT: (fetch_commits, ""),
}
_NORMALISE: Mapping[str, Callable[[Json], Sequence[AnyDraft]]] = {
    "commit": normalise_commit,
    "deployment": normalise_deployment,
    "incident": normalise_incident,
    "issue": normalise_issue,
    "iteration": normalise_iteration,
    "merge_request": normalise_merge_request,
    "pipeline": normalise_pipeline,
}


@register
class GitLab(Connector):
    """gitlab.com, Dedicated and self-managed from 16.0 on."""

    slug = "gitlab"
    name = "GitLab"
    kinds: ClassVar[Mapping[ResourceKind, Sequence[Kind]]] = {
        ResourceKind.REPOSITORY: tuple(_FETCH),
        ResourceKind.BOARD: (Kind.SPRINT,),
    }
    fields: ClassVar[Sequence[Field]] = (
        Field("base_url", "Base URL", "Address of the server, such as https://gitlab.example.com.", default=GITLAB_COM),
        Field(
            "groups",
            "Groups",
            "Groups whose projects to offer, with those of their subgroups, as paths separated by commas: acme, "
            "acme/platform. Empty: the projects that the token is a member of.",
            required=False,
        ),
        Field("token", "Token", "A personal, group or project access token with the scope read_api.", secret=True),
        Field(
            "keep_mirror",
            "Mirror repositories",
            "Keep a bare clone of each repository in Headway's data folder, to count lines and files. "
            "It needs as much disk space as the repository, and the scope read_repository.",
            default="false",
            choices=(("false", "No"), ("true", "Yes")),
        ),
    )
    permissions = """\
**Group access token** (Settings → Access tokens of the group; not on the Free tier of gitlab.com), **project access
token**, or **personal access token** of a user who is a member of the groups or projects:

- Role: **Reporter** (or above) in the groups or projects that Headway is to read
- Scope: **read_api**, and **read_repository** to mirror repositories. Nothing is written.
- **Webhook** (optional): in the settings of a project or a group (Premium), Webhooks → Add new webhook, with the
  address and the secret token that are shown here after saving, and *Comments*, *Confidential comments*, *Issues
  events*, *Confidential issues events*, *Merge request events*, *Pipeline events* and *Deployment events*. Headway
  registers webhooks itself if the token has the scope **api** and the role Maintainer. Without them the schedule finds
  everything some minutes later.
"""

    @classmethod
    def understood(cls, values: Mapping[str, str]) -> Mapping[str, str]:
        """https://gitlab.com/acme/shop names the group acme at https://gitlab.com."""
        try:
            page = urlsplit(values.get("base_url", "").strip())
        except ValueError:
            return values
        if page.scheme not in ("http", "https") or page.hostname not in _HOSTED:
            return cut_at(values, *_PAGES)
        group = next(iter(page.path.removeprefix("/groups").strip("/").split("/")), "")
        is_group = group not in ("", "-", "api", "explore", "dashboard", "users")
        groups = values.get("groups", "").strip() or (group if is_group else "")
        return {**values, "base_url": GITLAB_COM, "groups": groups}

    @property
    def base_url(self) -> str:
        return f"{super().base_url or GITLAB_COM}{_REST}"

    @property
    def _groups(self) -> list[str]:
        return [owner_in(group) for group in self.listed("groups")]

    @property
    def graphql(self) -> str:
        return f"{self.base_url.removesuffix(_REST)}{_GRAPHQL}"

    def sign(self, http: Http | None) -> Mapping[str, str]:
        return {"authorization": f"Bearer {self.settings.secrets.get('token', '')}"}

    def check(self, http: Http) -> Sequence[CheckedPermission]:
        return list(checked(http, self._groups, self.graphql))

    def resources(self, http: Http) -> Iterator[ResourceDraft]:
        yield from list_projects(http, self._groups)
        yield from list_boards(http, self._groups)

    def fetch(
        self, http: Http, resource: FetchedResource, kind: Kind, cursor: Cursor, *, now: datetime
    ) -> Iterator[Page]:
        if kind is Kind.SPRINT:
            yield from fetch_iterations(http, resource, cursor)
            return
        read, feature = _FETCH[kind]
        if resource.details.get(feature) is False:
            yield Page((), cursor)
            return
        token = f"{self.graphql} {self.settings.secrets.get('token', '')}"
        credential = hashlib.sha256(token.encode()).hexdigest()
        yield from read(http, Place(resource, self.graphql, credential), cursor, now=now)

    def clone_address(self, http: Http, resource: FetchedResource) -> CloneAddress:
        """The HTTPS address, with the token that reads it.

        Raises PermanentError if the project's page is at another host than the connection's.
        """
        page = clone_page(self.name, resource.name, str(resource.details.get("html_url", "")), self.base_url)
        return CloneAddress(f"{page}.git", basic_auth("oauth2", self.settings.secrets.get("token", "")))

    def replay(self, source: str, payload: Json) -> Sequence[AnyDraft]:
        return _NORMALISE[source](payload)

    # Webhooks -------------------------------------------------------------------------------------------------

    def arrival(self, headers: Mapping[str, str], body: bytes, secret: str) -> Arrival | None:
        return arrival_of(headers, body, secret)

    def deliveries(self, event: str, payload: Json) -> Iterable[RawRecord] | None:
        """A delivery yields no records: the stream reads the changes, see `news`."""
        return None if news_of(payload) is None else ()

    def news(self, event: str, payload: Json) -> tuple[str, Kind] | None:
        return news_of(payload)

    def register_hook(self, http: Http, resource: FetchedResource, address: str, secret: str) -> str:
        if resource.kind is not ResourceKind.REPOSITORY:
            raise PermanentError("Iterations of a group have no webhook; they are read on schedule.")
        return register_hook(http, Place(resource, self.graphql), address, secret)

    def remove_hook(self, http: Http, resource: FetchedResource, hook_id: str) -> None:
        remove_hook(http, Place(resource, self.graphql), hook_id)
