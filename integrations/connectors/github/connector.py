"""GitHub as a connector: its form, its streams, and their readers."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import ClassVar
from urllib.parse import urlsplit

from integrations.connectors.addresses import clone_page
from integrations.connectors.base import (
    LABEL_PULL_REQUESTS,
    MIRROR_TICKETS,
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
    MirrorDraft,
    MirroredItem,
    Page,
    RawRecord,
    Refused,
    ResourceDraft,
    basic_auth,
    register,
    signed_with_sha256,
)
from integrations.connectors.drafts import AnyDraft
from integrations.connectors.errors import ConnectorError
from integrations.connectors.github.actions import fetch_runs
from integrations.connectors.github.authentication import is_app, signature
from integrations.connectors.github.check import checked
from integrations.connectors.github.code_scanning import fetch_alerts
from integrations.connectors.github.commits import fetch_commits
from integrations.connectors.github.deployments import fetch_deployments
from integrations.connectors.github.issues import fetch_issues
from integrations.connectors.github.mirror import write_issue, write_labels
from integrations.connectors.github.projects import (
    ESTIMATE_FIELDS,
    ITERATION_FIELDS,
    PlanFields,
    fetch_plan,
    list_projects,
)
from integrations.connectors.github.pull_requests import fetch_pull_requests
from integrations.connectors.github.refusal import meaning_of
from integrations.connectors.github.releases import fetch_releases
from integrations.connectors.github.repositories import fetch_repository, list_repositories
from integrations.connectors.github.stream_repository import Place, confirm
from integrations.connectors.github.webhooks import NORMALISE, news_of, records_of, register_hook, remove_hook
from integrations.connectors.pasted import owner_in
from integrations.enums import Kind, ResourceKind

GITHUB_COM = "https://api.github.com"
READ_CODE_SCANNING = "read_code_scanning"
READ_PROJECTS = "read_projects"
_NO = ("false", "no", "0")
_API = "api."  # github.com and Enterprise Cloud: api.github.com, api.acme.ghe.com; an Enterprise Server has one host
_ENTERPRISE_REST = "/api/v3"  # where an Enterprise Server's REST API begins; its GraphQL is next to it

_FETCH: Mapping[Kind, Callable[..., Iterator[Page]]] = {
    Kind.REPOSITORY: fetch_repository,
    Kind.PULL_REQUEST: fetch_pull_requests,
    Kind.DEPLOYMENT: fetch_deployments,
    Kind.PIPELINE_RUN: fetch_runs,
    Kind.WORK_ITEM: fetch_issues,
    Kind.RELEASE: fetch_releases,
    Kind.CODE_SCANNING_ALERT: fetch_alerts,
    Kind.COMMIT: fetch_commits,
}

# https://docs.github.com/en/rest/about-the-rest-api/api-versions: two years after the version that follows it
API_VERSION = EndOfLife(
    "The version of GitHub's API that Headway uses may be gone", date(2028, 3, 10), "Update Headway."
)


def _is_yes(value: str | None) -> bool:
    return (value or "").strip().lower() == "true"


def _is_enterprise_cloud(host: str) -> bool:
    """Whether the host has the pages, and not the API, of a company: acme.ghe.com."""
    return host.endswith(".ghe.com") and not host.startswith(_API)


@register
class GitHub(Connector):
    """github.com, Enterprise Cloud and Enterprise Server from 3.9 on."""

    slug = "github"
    name = "GitHub"
    kinds: ClassVar[Mapping[ResourceKind, Sequence[Kind]]] = {
        ResourceKind.REPOSITORY: tuple(_FETCH),
        ResourceKind.BOARD: (Kind.SPRINT,),
    }
    remembers_sprints = False
    fields: ClassVar[Sequence[Field]] = (
        Field(
            "base_url",
            "Base URL",
            "REST API address. On an Enterprise Server it ends in /api/v3: https://github.example.com/api/v3.",
            default=GITHUB_COM,
        ),
        Field(
            "owners",
            "Organisations",
            "Owners whose repositories to offer, separated by commas. Empty: all that the token can see.",
            required=False,
        ),
        Field(
            "token",
            "Token",
            "A personal access token, fine-grained or classic. Leave empty for a GitHub App.",
            secret=True,
            required=False,
        ),
        Field("app_id", "App ID", "ID of a GitHub App, instead of a token.", required=False),
        Field(
            "installation_id",
            "Installation ID",
            "The last part of the URL of the App's installation page.",
            required=False,
        ),
        Field(
            "private_key",
            "Private key of the App",
            "The whole .pem file that GitHub generated.",
            secret=True,
            required=False,
            multiline=True,
        ),
        Field(
            "use_graphql",
            "Use GraphQL",
            "Reads the same data with far fewer requests. Turn off if only REST can be reached.",
            default="true",
            choices=(("true", "Yes"), ("false", "No, REST only")),
        ),
        Field(
            "keep_mirror",
            "Mirror repositories",
            "Keep a bare clone of each repository in Headway's data folder, to count lines and files. "
            "It needs as much disk space as the repository.",
            default="false",
            choices=(("false", "No"), ("true", "Yes")),
        ),
        Field(
            READ_CODE_SCANNING,
            "Read code scanning alerts",
            "Rule, severity, file and state of each alert of the default branch; no code. Requires “Code scanning "
            "alerts: read”. Repositories without code scanning are skipped.",
            default="false",
            choices=(("false", "No"), ("true", "Yes")),
        ),
        Field(
            READ_PROJECTS,
            "Read projects",
            "Iterations of the organisations’ projects as sprints, and estimates. Requires GraphQL, and the "
            "organisation permission “Projects: read” (a classic token: read:project).",
            default="false",
            choices=(("false", "No"), ("true", "Yes")),
        ),
        Field(
            "iteration_field",
            "Field of iterations",
            "Names, separated by commas. The first that a project has counts; if it has none of them, its first "
            "iteration field.",
            required=False,
            default=ITERATION_FIELDS,
        ),
        Field(
            "estimate_field",
            "Field of estimates",
            "Names of number fields, separated by commas. The first that a project has counts.",
            required=False,
            default=ESTIMATE_FIELDS,
        ),
        Field(
            MIRROR_TICKETS,
            "Mirror action tickets",
            "Anyone who can edit an action ticket can mirror it to an issue of a repository synced here, where "
            "everybody with access to the repository can read it. Requires “Issues: read and write”.",
            default="false",
            choices=(("false", "No"), ("true", "Yes")),
        ),
        Field(
            LABEL_PULL_REQUESTS,
            "Label pull requests",
            "Headway sets and removes its own labels on open pull requests that break their team’s working agreement, "
            "where the agreement asks for it. Requires “Pull requests: read and write”; nothing else is written.",
            default="false",
            choices=(("false", "No"), ("true", "Yes")),
        ),
    )
    permissions = """\
**Fine-grained token or GitHub App**, for the repositories that Headway is to read:

- Metadata: read
- Pull requests: read
- Contents: read
- Issues: read
- Actions: read
- Deployments: read
- Webhooks: read and write (optional: Headway then registers its webhooks itself)
- Code scanning alerts: read (optional: only where Headway is to read them)
- Organisation permissions → Projects: read (optional: only where Headway is to read iterations)

**Classic token**: the scope `repo`, `admin:repo_hook` for webhooks, and `read:project` for iterations. If the
organisation requires single sign-on, authorise the token for it.
"""

    @classmethod
    def mistakes(cls, values: Mapping[str, str]) -> Mapping[str, str]:
        if _is_yes(values.get(READ_PROJECTS)) and values.get("use_graphql", "true").strip().lower() in _NO:
            return {READ_PROJECTS: "Projects can only be read over GraphQL: turn GraphQL on, or turn this off."}
        return {}

    @classmethod
    def understood(cls, values: Mapping[str, str]) -> Mapping[str, str]:
        """https://github.com/acme/shop names the organisation acme, whose API is at https://api.github.com."""
        try:
            page = urlsplit(values.get("base_url", "").strip())
        except ValueError:
            return values
        host = (page.hostname or "").removeprefix("www.")
        if page.scheme not in ("http", "https") or not (host == "github.com" or _is_enterprise_cloud(host)):
            return values
        owner = next(iter(page.path.removeprefix("/orgs").strip("/").split("/")), "")
        return {**values, "base_url": f"https://{_API}{host}", "owners": values.get("owners", "").strip() or owner}

    @property
    def base_url(self) -> str:
        return (self.settings.values.get("base_url") or GITHUB_COM).strip().rstrip("/")

    @property
    def _owners(self) -> list[str]:
        return [owner_in(owner, most=1) for owner in self.listed("owners")]

    @property
    def graphql(self) -> str:
        """The address of GraphQL; empty if only REST is to be used."""
        if self.settings.values.get("use_graphql", "true").strip().lower() in _NO:
            return ""
        if self.base_url.endswith(_ENTERPRISE_REST):
            return f"{self.base_url.removesuffix(_ENTERPRISE_REST)}/api/graphql"
        return f"{self.base_url}/graphql"

    def sign(self, http: Http | None) -> Mapping[str, str]:
        return signature(self.settings, http)

    def check(self, http: Http) -> Sequence[CheckedPermission]:
        return list(
            checked(
                http,
                owners=self._owners,
                as_app=is_app(self.settings),
                graphql=self.graphql,
                code_scanning=self._reads_code_scanning,
                projects=self._reads_projects,
            )
        )

    def resources(self, http: Http) -> Iterator[ResourceDraft]:
        owners = dict.fromkeys(self._owners)
        for repository in list_repositories(http, self._owners, as_app=is_app(self.settings)):
            if not self._owners:
                owners[repository.name.partition("/")[0]] = None
            yield repository
        if self._reads_projects:
            yield from list_projects(http, self.graphql, list(owners))

    def streams_of(self, kind: ResourceKind) -> Sequence[Kind]:
        wanted = {Kind.CODE_SCANNING_ALERT: self._reads_code_scanning, Kind.SPRINT: self._reads_projects}
        return [one for one in super().streams_of(kind) if wanted.get(one, True)]

    @property
    def _reads_code_scanning(self) -> bool:
        return _is_yes(self.settings.values.get(READ_CODE_SCANNING))

    @property
    def _reads_projects(self) -> bool:
        return bool(self.graphql) and _is_yes(self.settings.values.get(READ_PROJECTS))

    def fetch(
        self, http: Http, resource: FetchedResource, kind: Kind, cursor: Cursor, *, now: datetime
    ) -> Iterator[Page]:
        if kind is Kind.CODE_SCANNING_ALERT and not self._reads_code_scanning:
            yield Page((), cursor)  # it was read before, and no longer is
            return
        if kind is Kind.SPRINT:
            if not self._reads_projects:
                yield Page((), cursor)
                return
            fields = PlanFields(
                iteration=self._names("iteration_field", ITERATION_FIELDS),
                estimate=self._names("estimate_field", ESTIMATE_FIELDS),
            )
            yield from fetch_plan(http, self.graphql, resource, fields, cursor, now=now)
            return
        place = Place(resource, self.graphql)
        if kind is not Kind.REPOSITORY:
            confirm(http, place)
        yield from _FETCH[kind](http, place, cursor, now=now)

    def _names(self, field: str, default: str) -> list[str]:
        return self.listed(field) or [name.strip() for name in default.split(",")]

    def ends(self) -> Sequence[EndOfLife]:
        return (API_VERSION,)

    def budget_of(self, path: str) -> str:
        return "graphql" if path.endswith("/graphql") else "core"

    def refusal(self, answer: Refused) -> ConnectorError | None:
        return meaning_of(answer)

    def clone_address(self, http: Http, resource: FetchedResource) -> CloneAddress:
        """The HTTPS address, with the token that reads it.

        Raises PermanentError if the repository's page is at another host than the API belongs to.
        """
        api = urlsplit(self.base_url)
        web = f"{api.scheme}://{api.netloc.removeprefix(_API)}"
        page = clone_page(self.name, resource.name, str(resource.details.get("html_url", "")), web)
        token = self.sign(http)["authorization"].removeprefix("Bearer ")
        return CloneAddress(f"{page}.git", basic_auth("x-access-token", token))

    def replay(self, source: str, payload: Json) -> Sequence[AnyDraft]:
        return NORMALISE[source](payload)

    # Webhooks -------------------------------------------------------------------------------------------------

    def arrival(self, headers: Mapping[str, str], body: bytes, secret: str) -> Arrival | None:
        algorithm, _, signed = headers.get("x-hub-signature-256", "").partition("=")
        delivery, event = headers.get("x-github-delivery", ""), headers.get("x-github-event", "")
        if algorithm != "sha256" or not delivery or not event or not signed_with_sha256(body, secret, signed):
            return None
        return Arrival(delivery, event)

    def deliveries(self, event: str, payload: Json) -> Iterable[RawRecord] | None:
        return records_of(event, payload)

    def news(self, event: str, payload: Json) -> tuple[str, Kind] | None:
        return news_of(event, payload)

    def register_hook(self, http: Http, resource: FetchedResource, address: str, secret: str) -> str:
        place = Place(resource)
        confirm(http, place)
        return register_hook(http, place, address, secret)

    def remove_hook(self, http: Http, resource: FetchedResource, hook_id: str) -> None:
        remove_hook(http, Place(resource), hook_id)

    def write_mirror(self, http: Http, resource: FetchedResource, draft: MirrorDraft, key: str) -> MirroredItem:
        place = Place(resource)
        confirm(http, place)
        return write_issue(http, place, draft, key)

    def write_labels(
        self, http: Http, resource: FetchedResource, number: int, *, add: Collection[str], remove: Collection[str]
    ) -> None:
        place = Place(resource)
        confirm(http, place)
        write_labels(http, place, number, add=add, remove=remove)
