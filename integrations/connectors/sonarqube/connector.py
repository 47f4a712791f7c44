"""SonarQube as a connector: its form, its streams, and their readers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import ClassVar
from urllib.parse import urlencode, urlsplit

from integrations.connectors.addresses import cut_at
from integrations.connectors.base import (
    CheckedPermission,
    Connector,
    Cursor,
    FetchedResource,
    Field,
    Http,
    Json,
    Page,
    ResourceDraft,
    register,
    tried,
)
from integrations.connectors.drafts import AnyDraft
from integrations.connectors.errors import PermanentError
from integrations.connectors.git.repository import one_spelling
from integrations.connectors.sonarqube.coverage import SOURCE as ANALYSIS
from integrations.connectors.sonarqube.coverage import fetch_coverage, normalise_analysis
from integrations.connectors.sonarqube.issues import SOURCE as ISSUE
from integrations.connectors.sonarqube.issues import TYPES, fetch_issues, normalise_issue
from integrations.connectors.sonarqube.lists import list_all, list_page
from integrations.connectors.unchecked import object_of, objects_of, text_of
from integrations.enums import Kind, ResourceKind

CLOUD = "https://sonarcloud.io"
BROWSE = "Grant the token’s user “Browse” on the projects."
_FETCH: Mapping[Kind, Callable[..., Iterator[Page]]] = {
    Kind.COVERAGE_REPORT: fetch_coverage,
    Kind.CODE_SCANNING_ALERT: fetch_issues,
}
_PAGES = ("/projects", "/dashboard", "/project/", "/account", "/admin", "/api")  # of a server, behind its own path
_NORMALISE: Mapping[str, Callable[[Json], Sequence[AnyDraft]]] = {ANALYSIS: normalise_analysis, ISSUE: normalise_issue}


@register
class SonarQube(Connector):
    """SonarQube Server from 9.9 on, and Cloud."""

    slug = "sonarqube"
    name = "SonarQube"
    kinds: ClassVar[Mapping[ResourceKind, Sequence[Kind]]] = {ResourceKind.PIPELINE: tuple(_FETCH)}
    fields: ClassVar[Sequence[Field]] = (
        Field("base_url", "Base URL", f"Address of the server; {CLOUD} for SonarQube Cloud.", default=CLOUD),
        Field("organization", "Organization", "Key of the organization; SonarQube Cloud needs it.", required=False),
        Field("token", "Token", "A user token: My Account → Security.", secret=True),
    )
    permissions = """\
- A **user token** (My Account → Security; on Cloud a scoped token, too) of a user with **Browse** on the projects that
  Headway is to read. Nothing is written. Tokens for analysis do not read issues.
"""

    @classmethod
    def mistakes(cls, values: Mapping[str, str]) -> Mapping[str, str]:
        if _is_cloud(values.get("base_url", "")) and not values.get("organization", "").strip():
            return {"organization": "SonarQube Cloud lists projects by organization: enter its key."}
        return {}

    @classmethod
    def understood(cls, values: Mapping[str, str]) -> Mapping[str, str]:
        """https://sonarcloud.io/organizations/acme/projects names the organization acme."""
        address = values.get("base_url", "").strip()
        try:
            page = urlsplit(address)
        except ValueError:
            return values
        if not _is_cloud(address):
            return cut_at(values, *_PAGES)
        parts = page.path.strip("/").split("/")
        named = parts[1] if len(parts) > 1 and parts[0] == "organizations" else ""
        organization = values.get("organization", "").strip() or named
        return {**values, "base_url": f"{page.scheme}://{page.netloc}", "organization": organization}

    @property
    def base_url(self) -> str:
        return super().base_url or CLOUD

    def sign(self, http: Http | None) -> Mapping[str, str]:
        return {"authorization": f"Bearer {self.settings.secrets.get('token', '')}"}

    def check(self, http: Http) -> Sequence[CheckedPermission]:
        found = list_page(http, "api/components/search", "components", self._projects, 1).entries
        if not found:
            return [CheckedPermission("Projects", works=False, remedy=f"None is visible. {BROWSE}")]
        key = text_of(found[0], "key")
        return [
            CheckedPermission("Projects", works=True),
            tried("Analyses", lambda: list_page(http, "api/project_analyses/search", "analyses", {"project": key}, 1)),
            tried(
                "Measures",
                lambda: http.get(
                    "api/measures/search_history", params={"component": key, "metrics": "lines_to_cover", "ps": 1}
                ),
            ),
            tried(
                "Issues",
                lambda: list_page(http, "api/issues/search", "issues", {"componentKeys": key, "types": TYPES}, 1),
                BROWSE,
            ),
        ]

    @property
    def _projects(self) -> Mapping[str, str]:
        """Parameters that list projects: on Cloud those of an organization; a server has other components as well."""
        organization = self.settings.values.get("organization", "").strip()
        return {"organization": organization} if organization else {"qualifiers": "TRK"}

    def resources(self, http: Http) -> Iterator[ResourceDraft]:
        """The projects, with the repository that each is bound to, as far as that is known."""
        for project in list_all(http, "api/components/search", "components", self._projects):
            if key := text_of(project, "key"):
                yield ResourceDraft(
                    ResourceKind.PIPELINE,
                    external_id=key,
                    name=text_of(project, "name") or key,
                    url=f"{self.base_url}/dashboard?{urlencode({'id': key})}",
                    details=_bound(http, key),
                )

    def fetch(
        self, http: Http, resource: FetchedResource, kind: Kind, cursor: Cursor, *, now: datetime
    ) -> Iterator[Page]:
        details, project = resource.details, resource.external_id
        page = "project/issues" if kind is Kind.CODE_SCANNING_ALERT else "dashboard"
        about = {
            "project": project,
            "repository": str(details.get("repository") or project),
            "branch": str(details.get("branch", "")),
            "page": f"{self.base_url}/{page}?{urlencode({'id': project})}",
        }
        yield from _FETCH[kind](http, resource, about, cursor, now=now)

    def replay(self, source: str, payload: Json) -> Sequence[AnyDraft]:
        return _NORMALISE[source](payload)


def _is_cloud(address: str) -> bool:
    try:
        host = urlsplit(address.strip()).hostname or ""
    except ValueError:
        return False
    return host in ("sonarcloud.io", "sonarqube.us", "www.sonarcloud.io")


def _bound(http: Http, key: str) -> Json:
    """The project's main branch, and the repository's address by its links; both may be unknown."""
    details: Json = {}
    try:
        branches = http.get("api/project_branches/list", params={"project": key}).json()
        main = (one for one in objects_of(object_of(branches).get("branches")) if one.get("isMain") is True)
        details["branch"] = text_of(next(main, {}), "name")
        links = http.get("api/project_links/search", params={"projectKey": key}).json()
        scm = (one for one in objects_of(object_of(links).get("links")) if text_of(one, "type") == "scm")
        details["repository"] = one_spelling(text_of(next(scm, {}), "url").removeprefix("scm:git:"))
    except PermanentError:
        pass
    return {name: value for name, value in details.items() if value}
