"""Linear as a connector: its form, its streams, and their readers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import ClassVar
from urllib.parse import urlsplit

from integrations.connectors.base import (
    Arrival,
    CheckedPermission,
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
    register,
)
from integrations.connectors.drafts import AnyDraft
from integrations.connectors.errors import ConnectorError, PermanentError
from integrations.connectors.linear.check import checked
from integrations.connectors.linear.cycles import fetch_cycles, normalise_cycle
from integrations.connectors.linear.graphql import refusal_of
from integrations.connectors.linear.issues import fetch_issues, normalise_issue
from integrations.connectors.linear.roadmap import fetch_roadmap, normalise_initiative, normalise_project
from integrations.connectors.linear.teams import ROADMAP, list_resources
from integrations.connectors.linear.webhooks import arrival_of, news_of, register_hook, remove_hook
from integrations.enums import Kind, ResourceKind

CLOUD = "https://api.linear.app"
_PAGES = frozenset({"linear.app", "www.linear.app", "api.linear.app"})
_KEY = "lin_api_"  # how personal keys begin, which are sent as they are

_NORMALISE: Mapping[str, Callable[[Json], Sequence[AnyDraft]]] = {
    "cycle": normalise_cycle,
    "initiative": normalise_initiative,
    "linear_issue": normalise_issue,
    "linear_project": normalise_project,
}


@register
class Linear(Connector):
    """One workspace of linear.app."""

    slug = "linear"
    name = "Linear"
    kinds: ClassVar[Mapping[ResourceKind, Sequence[Kind]]] = {
        ResourceKind.PROJECT: (Kind.WORK_ITEM,),
        ResourceKind.BOARD: (Kind.SPRINT,),
    }
    fields: ClassVar[Sequence[Field]] = (
        Field("base_url", "Base URL", "Address of the API.", default=CLOUD),
        Field("token", "Token", "A personal API key (lin_api_…), or an OAuth access token.", secret=True),
    )
    permissions = """\
**API key** of a member of the teams that Headway reads (Settings → Security & access → Personal API keys), with the
permission **Read** and access to all of these teams; or an **OAuth access token** with the scope **read**. A guest sees
only the teams that they were invited to. Nothing is written.

**Webhook** (optional): Headway registers one for each team if the key also has the permission **Admin** (scope
**admin**), and its member is an admin of the workspace. By hand: Settings → API → Webhooks, with the address and the
secret that are shown here after saving, for *issues*, *comments*, *cycles*, *projects* and *initiatives*. Without them
the schedule finds everything some minutes later.
"""

    @classmethod
    def understood(cls, values: Mapping[str, str]) -> Mapping[str, str]:
        """A page's address leads to the API, which has one for all workspaces."""
        base_url = values.get("base_url", "").strip()
        try:
            page = urlsplit(base_url)
        except ValueError:
            return values
        if page.scheme not in ("http", "https"):
            return values
        shown = CLOUD if page.hostname in _PAGES else base_url.rstrip("/").removesuffix("/graphql")
        return {**values, "base_url": shown}

    @property
    def base_url(self) -> str:
        return super().base_url or CLOUD

    def sign(self, http: Http | None) -> Mapping[str, str]:
        """A key as it is, or an OAuth token as a bearer token."""
        token = self.settings.secrets.get("token", "").strip()
        return {"authorization": token if token.startswith(_KEY) else f"Bearer {token}"}

    def check(self, http: Http) -> Sequence[CheckedPermission]:
        return list(checked(http))

    def refusal(self, answer: Refused) -> ConnectorError | None:
        return refusal_of(answer)

    def resources(self, http: Http) -> Iterator[ResourceDraft]:
        yield from list_resources(http)

    def fetch(
        self, http: Http, resource: FetchedResource, kind: Kind, cursor: Cursor, *, now: datetime
    ) -> Iterator[Page]:
        if kind is Kind.SPRINT:
            yield from fetch_cycles(http, resource.external_id, cursor, now=now)
        elif resource.details.get(ROADMAP):
            yield from fetch_roadmap(http, resource.external_id, cursor, now=now)
        else:
            yield from fetch_issues(http, resource.external_id, cursor, now=now)

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
        if resource.kind is not ResourceKind.PROJECT or resource.details.get(ROADMAP):
            raise PermanentError("Cycles, projects and initiatives come with the webhooks of the teams.")
        return register_hook(http, resource.external_id, address, secret)

    def remove_hook(self, http: Http, resource: FetchedResource, hook_id: str) -> None:
        remove_hook(http, hook_id)
