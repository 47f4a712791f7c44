"""Jira as a connector: its form, its streams, and their readers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import ClassVar
from urllib.parse import urlsplit

from integrations.connectors.addresses import cut_at
from integrations.connectors.base import (
    MIRROR_TICKETS,
    Arrival,
    CheckedPermission,
    Connector,
    Cursor,
    EndOfLife,
    FetchedResource,
    Field,
    Http,
    Json,
    MappedField,
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
from integrations.connectors.jira.check import checked
from integrations.connectors.jira.custom_fields import KINDS, mapped_fields_of
from integrations.connectors.jira.issues import normalise_issue
from integrations.connectors.jira.mirror import Issues, refusal_of
from integrations.connectors.jira.read_issues import fetch_issues, without_texts
from integrations.connectors.jira.resources import resources_of
from integrations.connectors.jira.site import Site
from integrations.connectors.jira.sprints import fetch_sprints, meaning_of, normalise_sprint
from integrations.connectors.json_text import json_or_none
from integrations.connectors.unchecked import object_of, text_of
from integrations.enums import Kind, ResourceKind

DATA_CENTER = EndOfLife(
    "Jira Data Center is read-only",
    date(2029, 3, 28),
    "Connect the site in Jira Cloud that takes its place, with an API token; its issues keep their keys.",
)
# Events of webhooks: https://<site>/plugins/servlet/webhooks
ISSUES = frozenset({"jira:issue_created", "jira:issue_updated"})
ISSUE_DELETED = "jira:issue_deleted"
SPRINTS = frozenset({"sprint_created", "sprint_updated", "sprint_started", "sprint_closed"})
SPRINT_DELETED = "sprint_deleted"
_NORMALISE: Mapping[str, Callable[[Json], Sequence[AnyDraft]]] = {"issue": normalise_issue, "sprint": normalise_sprint}
"""By the source of a record, as quarantine keeps it."""


@register
class Jira(Connector):
    """Cloud with an API token; Data Center with a personal access token."""

    slug = "jira"
    name = "Jira"
    kinds: ClassVar[Mapping[ResourceKind, Sequence[Kind]]] = {
        ResourceKind.PROJECT: (Kind.WORK_ITEM,),
        ResourceKind.BOARD: (Kind.SPRINT,),
    }
    fields: ClassVar[Sequence[Field]] = (
        Field(
            "base_url",
            "Base URL",
            "Address of the site: https://acme.atlassian.net. A token with scopes needs the site's cloud ID: "
            "https://api.atlassian.com/ex/jira/CLOUD-ID.",
        ),
        Field(
            "email",
            "E-mail address",
            "Address of the account that owns the API token. Leave empty for Data Center.",
            required=False,
        ),
        Field("token", "Token", "An API token (Cloud), or a personal access token (Data Center).", secret=True),
        Field(
            MIRROR_TICKETS,
            "Mirror action tickets",
            "Anyone who can edit an action ticket can mirror it to an issue of a project synced here, where everybody "
            "who can browse the project can read its title and text.",
            default="false",
            choices=(("false", "No"), ("true", "Yes")),
        ),
        *(
            Field(kind.setting, kind.label, "Names or IDs, separated by commas.", required=False, mapped=True)
            for kind in KINDS
        ),
    )
    permissions = """\
**A dedicated account** with access to every project that Headway should read:

- *Browse projects*, in each project's permission scheme
- an API token of it: Atlassian account → Security → API tokens; it expires after a year at most. One with scopes needs
  `read:jira-work`, `read:jira-user`, and for boards and sprints `read:board-scope:jira-software`, `read:project:jira`
  and `read:sprint:jira-software`
- to mirror action tickets: *Create issues*, *Edit issues*, *Assign issues* and *Transition issues* in the projects
  concerned, and `write:jira-work` for a token with scopes
- *Data Center*: a personal access token instead, from the account's profile

**Webhook** (optional): System → WebHooks, with the address and secret shown here after saving, for issues
(created, updated, deleted) and sprints. Without it, the scheduled sync picks changes up some minutes later.
"""

    @property
    def email(self) -> str:
        return self.settings.values.get("email", "").strip()

    @classmethod
    def understood(cls, values: Mapping[str, str]) -> Mapping[str, str]:
        """A page's address leads to its site."""
        try:
            site = urlsplit(values.get("base_url", "").strip())
        except ValueError:
            return values
        if (site.hostname or "").endswith(".atlassian.net"):
            return {**values, "base_url": f"{site.scheme}://{site.netloc}"}
        return cut_at(values, "/rest", "/browse", "/secure", "/projects", "/issues", "/plugins")

    @property
    def site(self) -> Site:
        return Site(is_cloud=bool(self.email))

    @property
    def named_fields(self) -> dict[str, list[str]]:
        """An admin's choice of custom fields, by their content."""
        return {kind.setting: [" ".join(name.split()) for name in self.listed(kind.setting)] for kind in KINDS}

    def sign(self, http: Http | None) -> Mapping[str, str]:
        token = self.settings.secrets.get("token", "")
        if not self.email:
            return {"authorization": f"Bearer {token}"}
        return {"authorization": basic_auth(self.email, token)}

    def check(self, http: Http) -> Sequence[CheckedPermission]:
        return list(checked(http, self.site, named=self.named_fields))

    def mapped_fields(self, http: Http) -> Sequence[MappedField]:
        return mapped_fields_of(http, self.site, self.named_fields)

    def resources(self, http: Http) -> Iterator[ResourceDraft]:
        yield from resources_of(http, self.site)

    def fetch(
        self, http: Http, resource: FetchedResource, kind: Kind, cursor: Cursor, *, now: datetime
    ) -> Iterator[Page]:
        if kind == Kind.SPRINT:
            yield from fetch_sprints(http, resource, cursor)
        else:
            yield from fetch_issues(http, resource, cursor, site=self.site, named=self.named_fields, now=now)

    def ends(self) -> Sequence[EndOfLife]:
        return () if self.site.is_cloud else (DATA_CENTER,)

    def budget_of(self, path: str) -> str:
        """The budget of a path: Jira Cloud limits each endpoint separately, and names the one that is exhausted."""
        if "/agile/" in path:
            return "boards"
        if path.endswith("/changelog"):
            return "changelog"
        return "search" if "/search" in path else "requests"

    def refusal(self, answer: Refused) -> ConnectorError | None:
        return meaning_of(answer) or refusal_of(answer)

    def write_mirror(self, http: Http, resource: FetchedResource, draft: MirrorDraft, key: str) -> MirroredItem:
        return Issues(http, self.site, resource).write(draft, key)

    def replay(self, source: str, payload: Json) -> Sequence[AnyDraft]:
        return _NORMALISE[source](payload)

    # Webhooks, which an admin of Jira registers by hand ---------------------------------------------------------

    def arrival(self, headers: Mapping[str, str], body: bytes, secret: str) -> Arrival | None:
        algorithm, _, signed = headers.get("x-hub-signature", "").partition("=")
        delivery = headers.get("x-atlassian-webhook-identifier", "")
        if algorithm != "sha256" or not delivery or not signed_with_sha256(body, secret, signed):
            return None
        return Arrival(delivery, text_of(json_or_none(body), "webhookEvent") or "unknown")

    def deliveries(self, event: str, payload: Json) -> Iterable[RawRecord] | None:
        if event in ISSUES or event == ISSUE_DELETED:
            issue = payload.get("issue")
            written = without_texts(issue) if isinstance(issue, dict) else issue
            sent = {"issue": written, "deleted": event == ISSUE_DELETED}
            return [RawRecord(sent, normalise_issue, text_of(issue, "id"), "issue")]
        if event in SPRINTS or event == SPRINT_DELETED:
            sprint = payload.get("sprint")
            board = object_of(sprint).get("originBoardId")
            sent = {"sprint": sprint, "board": board, "deleted": event == SPRINT_DELETED}
            return [RawRecord(sent, normalise_sprint, text_of(sprint, "id"), "sprint")]
        return None

    def news(self, event: str, payload: Json) -> tuple[str, Kind] | None:
        """The project whose issue has changed: a delivery has the issue's fields but not its changelog."""
        project = text_of(object_of(payload, "issue", "fields", "project"), "id")
        return (project, Kind.WORK_ITEM) if event in ISSUES and project else None
