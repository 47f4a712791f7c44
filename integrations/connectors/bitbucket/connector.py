"""Bitbucket Cloud as a connector: its form, its streams, and their readers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import ClassVar
from urllib.parse import urlsplit

from integrations.connectors.addresses import clone_page
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
    Refused,
    ResourceDraft,
    basic_auth,
    register,
)
from integrations.connectors.bitbucket.check import checked
from integrations.connectors.bitbucket.commits import fetch_commits, normalise_commit
from integrations.connectors.bitbucket.deployments import fetch_deployments, normalise_deployment
from integrations.connectors.bitbucket.lists import API
from integrations.connectors.bitbucket.pipelines import fetch_pipelines, normalise_pipeline
from integrations.connectors.bitbucket.pull_requests import fetch_pull_requests, normalise_pull_request
from integrations.connectors.bitbucket.records import Place
from integrations.connectors.bitbucket.repositories import list_repositories
from integrations.connectors.bitbucket.webhooks import arrival_of, news_of, register_hook, remove_hook
from integrations.connectors.drafts import AnyDraft
from integrations.connectors.errors import ConnectorError, PermanentError
from integrations.connectors.pasted import owner_in
from integrations.connectors.unchecked import object_of
from integrations.enums import Kind, ResourceKind

CLOUD, WEB = "https://api.bitbucket.org", "https://bitbucket.org"
_PAGES = frozenset({"bitbucket.org", "www.bitbucket.org", "api.bitbucket.org"})
_NO_WORKSPACE = frozenset({"", "2.0", "account", "dashboard", "product", "repo", "site", "support"})
TOO_LONG = 555  # https://developer.atlassian.com/cloud/bitbucket/rest/api-group-commits/: the diff took too long

_FETCH: Mapping[Kind, Callable[..., Iterator[Page]]] = {
    Kind.PULL_REQUEST: fetch_pull_requests,
    Kind.DEPLOYMENT: fetch_deployments,
    Kind.PIPELINE_RUN: fetch_pipelines,
    Kind.COMMIT: fetch_commits,
}
_NORMALISE: Mapping[str, Callable[[Json], Sequence[AnyDraft]]] = {
    "bitbucket_deployment": normalise_deployment,
    "bitbucket_pipeline": normalise_pipeline,
    "branch_commit": normalise_commit,
    "pullrequest": normalise_pull_request,
}


@register
class Bitbucket(Connector):
    """One workspace of bitbucket.org."""

    slug = "bitbucket"
    name = "Bitbucket Cloud"
    kinds: ClassVar[Mapping[ResourceKind, Sequence[Kind]]] = {ResourceKind.REPOSITORY: tuple(_FETCH)}
    fields: ClassVar[Sequence[Field]] = (
        Field("base_url", "Base URL", "Address of the API.", default=CLOUD),
        Field("workspace", "Workspace", "Its ID, as in the address of its page: https://bitbucket.org/acme."),
        Field(
            "email",
            "E-mail address",
            "Address of the Atlassian account that owns the API token. Leave empty for an access token.",
            required=False,
        ),
        Field(
            "token",
            "Token",
            "An API token with scopes, or an access token of the workspace, a project or a repository. App passwords "
            "no longer work.",
            secret=True,
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
**API token** of an Atlassian account with access to the repositories (Atlassian account settings → Security → Create
API token *with scopes* → Bitbucket), with its e-mail address. It expires after a year at most. Scopes:

- **read:repository:bitbucket**, **read:pullrequest:bitbucket** and **read:pipeline:bitbucket**. Nothing is written.

Or an **access token** of the workspace or a project (Premium) or of a repository (Settings → Access tokens), without an
address, with *Repositories: read*, *Pull requests: read* and *Pipelines: read*.

**Webhook** (optional): Headway registers webhooks itself if the token also has **read:webhook:bitbucket**,
**write:webhook:bitbucket** and **delete:webhook:bitbucket** (*Webhooks: read and write*) and its account administers
the repository. By hand: Repository or workspace settings → Webhooks, with the address and the secret that are shown
here after saving, for all events of pull requests, *push*, and *build status created* and *updated*. Without them the
schedule finds everything some minutes later.
"""

    @classmethod
    def understood(cls, values: Mapping[str, str]) -> Mapping[str, str]:
        """https://bitbucket.org/acme/shop names the workspace acme."""
        base_url = values.get("base_url", "").strip()
        try:
            page = urlsplit(base_url)
        except ValueError:
            return values
        if page.scheme not in ("http", "https"):
            return values
        if page.hostname not in _PAGES:
            return {**values, "base_url": base_url.rstrip("/").removesuffix(API.rstrip("/"))}
        first = next(iter(page.path.strip("/").split("/")), "")
        workspace = values.get("workspace", "").strip() or ("" if first in _NO_WORKSPACE else first)
        return {**values, "base_url": CLOUD, "workspace": workspace}

    @property
    def base_url(self) -> str:
        return f"{super().base_url or CLOUD}{API}".rstrip("/")

    @property
    def workspace(self) -> str:
        return owner_in(self.settings.values.get("workspace", "").strip(), most=1)

    def sign(self, http: Http | None) -> Mapping[str, str]:
        """Basic authentication: an API token takes the place of the password; an access token has no account.

        https://github.com/apache/devlake/issues/8604
        """
        token = self.settings.secrets.get("token", "")
        email = self.settings.values.get("email", "").strip()
        return {"authorization": basic_auth(email, token) if email else f"Bearer {token}"}

    def check(self, http: Http) -> Sequence[CheckedPermission]:
        return list(checked(http, self.workspace))

    def refusal(self, answer: Refused) -> ConnectorError | None:
        """The missing scopes, which Bitbucket names, or a diff that times out, as it will every time."""
        if answer.status == TOO_LONG:
            return PermanentError("Bitbucket cannot compare the branches of a pull request in time.")
        required = object_of(answer.document, "error", "detail").get("required")
        if answer.status != 403 or not isinstance(required, list) or not required:
            return None
        scopes = ", ".join(map(str, required))
        return PermanentError(
            f"The token lacks the scope {scopes}.",
            what_to_do="Create a token that has it, enter it here, and press Test connection.",
        )

    def resources(self, http: Http) -> Iterator[ResourceDraft]:
        yield from list_repositories(http, self.workspace)

    def fetch(
        self, http: Http, resource: FetchedResource, kind: Kind, cursor: Cursor, *, now: datetime
    ) -> Iterator[Page]:
        yield from _FETCH[kind](http, Place(resource), cursor, now=now)

    def clone_address(self, http: Http, resource: FetchedResource) -> CloneAddress:
        """The HTTPS address, with the token that reads it.

        https://support.atlassian.com/bitbucket-cloud/docs/using-api-tokens/, /using-access-tokens/
        """
        web = WEB if self.base_url.startswith(f"{CLOUD}/") else self.base_url
        page = clone_page(self.name, resource.name, str(resource.details.get("html_url", "")), web)
        is_of_account = bool(self.settings.values.get("email", "").strip())
        user = "x-bitbucket-api-token-auth" if is_of_account else "x-token-auth"
        return CloneAddress(f"{page}.git", basic_auth(user, self.settings.secrets.get("token", "")))

    def replay(self, source: str, payload: Json) -> Sequence[AnyDraft]:
        return _NORMALISE[source](payload)

    # Webhooks -------------------------------------------------------------------------------------------------

    def arrival(self, headers: Mapping[str, str], body: bytes, secret: str) -> Arrival | None:
        return arrival_of(headers, body, secret)

    def deliveries(self, event: str, payload: Json) -> Iterable[RawRecord] | None:
        """A delivery yields no records: the stream reads the changes, see `news`."""
        return None if news_of(event, payload) is None else ()

    def news(self, event: str, payload: Json) -> tuple[str, Kind] | None:
        return news_of(event, payload)

    def register_hook(self, http: Http, resource: FetchedResource, address: str, secret: str) -> str:
        return register_hook(http, Place(resource), address, secret)

    def remove_hook(self, http: Http, resource: FetchedResource, hook_id: str) -> None:
        remove_hook(http, Place(resource), hook_id)
