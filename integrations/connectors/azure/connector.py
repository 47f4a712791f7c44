"""Azure DevOps as a connector: its form, its streams, and their readers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import ClassVar
from urllib.parse import quote, urlsplit

from integrations.connectors.addresses import clone_page, cut_at
from integrations.connectors.azure.check import checked
from integrations.connectors.azure.deployments import fetch_deployments, normalise_deployment
from integrations.connectors.azure.incidents import (
    SETTING,
    UnreadableRuleError,
    fetch_incidents,
    normalise_incident,
    read_rules,
)
from integrations.connectors.azure.iterations import fetch_iterations, normalise_iteration
from integrations.connectors.azure.pipelines import fetch_builds, normalise_build
from integrations.connectors.azure.projects import list_resources
from integrations.connectors.azure.pull_requests import fetch_pull_requests, normalise_pull_request
from integrations.connectors.azure.records import Place
from integrations.connectors.azure.releases import normalise_release_deployment
from integrations.connectors.azure.webhooks import arrival_of, news_of
from integrations.connectors.azure.work_items import fetch_work_items, normalise_work_item
from integrations.connectors.base import (
    Arrival,
    CheckedPermission,
    CloneAddress,
    Connector,
    Cursor,
    EndOfLife,
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
from integrations.connectors.errors import PermanentError, TransientError
from integrations.connectors.pasted import owner_in
from integrations.connectors.unchecked import text_of
from integrations.enums import Kind, ResourceKind

SERVICES = "dev.azure.com"
LOGIN = "https://login.microsoftonline.com"
RELEASES = "https://vsrm.dev.azure.com/"
SCOPE = "499b84ac-1321-427f-aa17-267ca6975798/.default"  # Azure DevOps
_OLD_HOST = ".visualstudio.com"
_PAGES = ("/_apis", "/_git", "/_workitems", "/_build", "/_boards", "/_settings", "/_home", "/_release")
GLOBAL_TOKENS = EndOfLife(
    "Personal access tokens of all accessible organisations",
    date(2026, 12, 1),
    "If the token of this connection is one, replace it by a token of the one organisation, or by a service principal.",
)

_FETCH: Mapping[Kind, Callable[..., Iterator[Page]]] = {
    Kind.PULL_REQUEST: fetch_pull_requests,
    Kind.DEPLOYMENT: fetch_deployments,
    Kind.PIPELINE_RUN: fetch_builds,
    Kind.WORK_ITEM: fetch_work_items,
    Kind.SPRINT: fetch_iterations,
}
_NORMALISE: Mapping[str, Callable[[Json], Sequence[AnyDraft]]] = {
    "build": normalise_build,
    "environment_deployment": normalise_deployment,
    "incident_item": normalise_incident,
    "iteration": normalise_iteration,
    "pull_request": normalise_pull_request,
    "release_deployment": normalise_release_deployment,
    "work_item": normalise_work_item,
}


@register
class AzureDevOps(Connector):
    """Azure DevOps Services, and Server from 2022 on."""

    slug = "azure"
    name = "Azure DevOps"
    kinds: ClassVar[Mapping[ResourceKind, Sequence[Kind]]] = {
        ResourceKind.REPOSITORY: (Kind.PULL_REQUEST,),
        ResourceKind.PROJECT: (Kind.DEPLOYMENT, Kind.PIPELINE_RUN, Kind.WORK_ITEM, Kind.INCIDENT),
        ResourceKind.BOARD: (Kind.SPRINT,),
    }
    fields: ClassVar[Sequence[Field]] = (
        Field(
            "base_url",
            "Base URL",
            "Address of the organisation: https://dev.azure.com/acme. On a server, of the collection.",
        ),
        Field(
            "projects",
            "Projects",
            "Projects whose repositories and iterations to offer, as names separated by commas. Empty: all that the "
            "token can see.",
            required=False,
        ),
        Field(
            "token",
            "Token",
            "A personal access token of this one organisation, or the client secret of a service principal.",
            secret=True,
        ),
        Field(
            "tenant",
            "Directory (tenant) ID",
            "Tenant of the service principal. Leave empty for a personal access token.",
            required=False,
        ),
        Field(
            "client_id",
            "Application (client) ID",
            "Client ID of the service principal. Leave empty for a personal access token.",
            required=False,
        ),
        Field(
            SETTING,
            "Incidents",
            "Rules that say which work items are incidents, one per line: a type, with a severity, a tag or both. "
            "Example: Bug, severity=1 - Critical, tag=incident. Empty: none.",
            required=False,
            multiline=True,
        ),
        Field(
            "keep_mirror",
            "Mirror repositories",
            "Keep a bare clone of each repository in Headway's data folder, to count lines and files. "
            "It needs as much disk space as the repository.",
            default="false",
            choices=(("false", "No"), ("true", "Yes")),
        ),
    )
    permissions = """\
**Personal access token** (User settings → Personal access tokens) of an account with access to the projects that
Headway reads:

- Organisation: **this one**. Tokens of *all accessible organisations* stop working on 1 December 2026.
- Scopes: **Project and Team** (read), **Code** (read), **Work Items** (read), **Build** (read),
  **Environment** (read & manage: there is no scope to read them alone) and, for classic releases, **Release** (read).
  Nothing is written.

Or a **service principal** of Microsoft Entra (an app registration with a client secret). Add it to the organisation
as a user with the access level *Basic*, and to the group *Readers* of each project.

**Webhooks** (optional): Project settings → Service hooks → Web Hooks, one subscription for each event, with the address
that is shown here after saving, and the secret as the password of basic authentication, under any user name: *pull
request created*, *updated*, *merge attempted*, *commented on*, *work item created*, *updated*, *build completed* and
*run stage state changed*. Without them the schedule finds everything some minutes later.
"""

    @classmethod
    def understood(cls, values: Mapping[str, str]) -> Mapping[str, str]:
        """https://dev.azure.com/acme/shop/_git/web names the organisation acme and the project shop."""
        try:
            page = urlsplit(values.get("base_url", "").strip())
        except ValueError:
            return values
        host, parts = page.hostname or "", [part for part in page.path.split("/") if part]
        if page.scheme not in ("http", "https"):
            return values
        if host.endswith(_OLD_HOST):
            parts = [host.removesuffix(_OLD_HOST), *(part for part in parts if part != "DefaultCollection")]
        elif host != SERVICES or not parts:
            return cut_at(values, *_PAGES)
        project = parts[1] if len(parts) > 1 and not parts[1].startswith("_") else ""
        projects = values.get("projects", "").strip() or project
        return {**values, "base_url": f"https://{SERVICES}/{parts[0]}", "projects": projects}

    @classmethod
    def mistakes(cls, values: Mapping[str, str]) -> Mapping[str, str]:
        found: dict[str, str] = {}
        if bool(values.get("tenant", "").strip()) != bool(values.get("client_id", "").strip()):
            found["client_id"] = "A service principal needs both its tenant ID and its client ID."
        try:
            read_rules(values.get(SETTING, ""))
        except UnreadableRuleError as problem:
            found[SETTING] = str(problem)
        return found

    def streams_of(self, kind: ResourceKind) -> Sequence[Kind]:
        """The streams of a resource; incidents are one only if there are rules for them."""
        streams = super().streams_of(kind)
        has_rules = bool(self.settings.values.get(SETTING, "").strip())
        return streams if has_rules else tuple(stream for stream in streams if stream is not Kind.INCIDENT)

    def sign(self, http: Http | None) -> Mapping[str, str]:
        """A personal access token as it is, or the token for which a service principal exchanges its secret.

        https://learn.microsoft.com/azure/devops/integrate/get-started/authentication/service-principal-managed-identity
        """
        if not self._is_principal:
            return {"authorization": basic_auth("", self.settings.secrets.get("token", ""))}
        if http is None:
            raise PermanentError("A service principal needs a client to sign in with.")
        values = {name: self.settings.values.get(name, "").strip() for name in ("tenant", "client_id")}
        answer = http.post_form(
            f"{LOGIN}/{quote(values['tenant'], safe='')}/oauth2/v2.0/token",
            {
                "grant_type": "client_credentials",
                "client_id": values["client_id"],
                "client_secret": self.settings.secrets.get("token", ""),
                "scope": SCOPE,
            },
        )
        token = text_of(answer.json(), "access_token")
        if not token:
            raise TransientError("Microsoft Entra answered without a token.")
        return {"authorization": f"Bearer {token}"}

    @property
    def _projects(self) -> list[str]:
        """The names of the projects; the address of a project's page begins with the organisation's path."""
        before = len(urlsplit(self.base_url).path.strip("/").split("/"))
        return [owner_in(project, skip=before, most=1) for project in self.listed("projects")]

    @property
    def _is_principal(self) -> bool:
        """Whether it signs in as a service principal."""
        return bool(self.settings.values.get("tenant", "").strip())

    @property
    def other_hosts(self) -> Sequence[str]:
        return tuple(filter(None, (self._release_host, LOGIN if self._is_principal else "")))

    @property
    def _release_host(self) -> str:
        """The address of the organisation at the host of classic releases; empty on a server."""
        cloud = f"https://{SERVICES}/"
        return self.base_url.replace(cloud, RELEASES, 1) if self.base_url.startswith(cloud) else ""

    def asks_to_sign_in(self, status: int, headers: Mapping[str, str]) -> bool:
        """Azure DevOps answers a refused token with a 203 and a page, or with a redirect to one."""
        return status == 203 or (status == 302 and "_signin" in headers.get("location", "").lower())

    def check(self, http: Http) -> Sequence[CheckedPermission]:
        return list(checked(http, self.base_url, self._release_host, self._projects))

    def ends(self) -> Sequence[EndOfLife]:
        is_cloud = urlsplit(self.base_url).hostname == SERVICES
        return (GLOBAL_TOKENS,) if is_cloud and not self._is_principal else ()

    def resources(self, http: Http) -> Iterator[ResourceDraft]:
        yield from list_resources(http, self.base_url, self._projects)

    def fetch(
        self, http: Http, resource: FetchedResource, kind: Kind, cursor: Cursor, *, now: datetime
    ) -> Iterator[Page]:
        place = Place(resource, self.base_url, self._release_host)
        if kind is not Kind.INCIDENT:
            yield from _FETCH[kind](http, place, cursor, now=now)
            return
        try:
            rules = read_rules(self.settings.values.get(SETTING, ""))
        except UnreadableRuleError as problem:
            remedy = "Correct it in the connection's form."
            raise PermanentError(f"A rule for incidents cannot be read. {problem}", what_to_do=remedy) from None
        yield from fetch_incidents(http, place, cursor, now=now, rules=rules)

    def clone_address(self, http: Http, resource: FetchedResource) -> CloneAddress:
        """The HTTPS address, with the token that reads it.

        Raises PermanentError if the repository's page is at another host than the connection's.
        """
        page = clone_page(self.name, resource.name, str(resource.details.get("html_url", "")), self.base_url)
        return CloneAddress(page, self.sign(http)["authorization"])

    def replay(self, source: str, payload: Json) -> Sequence[AnyDraft]:
        return _NORMALISE[source](payload)

    # Webhooks, which an admin of the project subscribes to by hand -----------------------------------------------

    def arrival(self, headers: Mapping[str, str], body: bytes, secret: str) -> Arrival | None:
        return arrival_of(headers, body, secret)

    def deliveries(self, event: str, payload: Json) -> Iterable[RawRecord] | None:
        """A delivery yields no records: the stream reads the changes, see `news`."""
        return None if news_of(payload) is None else ()

    def news(self, event: str, payload: Json) -> tuple[str, Kind] | None:
        return news_of(payload)
