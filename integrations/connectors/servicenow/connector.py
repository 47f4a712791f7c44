"""ServiceNow as a connector: its form, its streams, and their readers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import ClassVar

from integrations.connectors.addresses import cut_at
from integrations.connectors.base import (
    CheckedPermission,
    Cursor,
    FetchedResource,
    Field,
    Http,
    Json,
    Page,
    ResourceDraft,
    basic_auth,
    register,
)
from integrations.connectors.deployment_rules import SETTING, ConnectorWithRules
from integrations.connectors.drafts import AnyDraft
from integrations.connectors.errors import PermanentError, TransientError
from integrations.connectors.servicenow import change_requests, incidents
from integrations.connectors.servicenow.change_requests import fetch_change_requests, normalise_change_request
from integrations.connectors.servicenow.check import SERVICE_FIELDS, checked
from integrations.connectors.servicenow.incidents import fetch_incidents, normalise_incident
from integrations.connectors.servicenow.tables import ID, SERVICES, list_all, value_of
from integrations.connectors.unchecked import object_of, text_of
from integrations.enums import Kind, ResourceKind

_PAGES = ("/api/now", "/now/", "/nav_to.do", "/login.do", "/sp", "/incident.do", "/change_request.do", "/navpage.do")
_NOT_IN_OPERATION = frozenset({"2", "6"})  # Non-Operational, Retired
_QUERIES = ("services", "incidents")
_UNFIT = ("^NQ", "ORDERBY", "javascript:", "^EQ")  # would change the conditions around the query
_DEPLOYS = "*/emergency: environment=production, unplanned=true\n*: environment=production"
_NORMALISE: Mapping[str, Callable[[Json], Sequence[AnyDraft]]] = {
    incidents.SOURCE: normalise_incident,
    change_requests.SOURCE: normalise_change_request,
}


@register
class ServiceNow(ConnectorWithRules):
    """Services of one instance, their incidents and change requests."""

    slug = "servicenow"
    name = "ServiceNow"
    kinds: ClassVar[Mapping[ResourceKind, Sequence[Kind]]] = {ResourceKind.SERVICE: (Kind.INCIDENT, Kind.DEPLOYMENT)}
    fields: ClassVar[Sequence[Field]] = (
        Field("base_url", "Base URL", "Address of the instance, such as https://acme.service-now.com."),
        Field("user", "User", "Name of the user for integrations. Empty: OAuth client credentials.", required=False),
        Field("token", "Password", "That of the user.", secret=True, required=False),
        Field("client_id", "OAuth client ID", "Empty: basic authentication as the user.", required=False),
        Field("client_secret", "OAuth client secret", "That of the client.", secret=True, required=False),
        Field(
            "services",
            "Services",
            "An encoded query of the services that can be picked: support_group.name=Checkout. Empty: all.",
            required=False,
        ),
        Field(
            "incidents",
            "Incidents that count",
            "An encoded query, such as priorityIN1,2. Empty: all of a picked service. After a change, press Full sync.",
            required=False,
        ),
        Field(
            SETTING,
            "Change requests that are deployments",
            "One rule per line: a pattern of service/type, then environment= and, if needed, service=, repository=, "
            "sha= or unplanned=. {category} stands for the field of that name. Empty: none. They count only for "
            "services whose deployments no other tool reports. After a change, press Full sync.",
            required=False,
            multiline=True,
            default=_DEPLOYS,
        ),
    )
    permissions = """\
A **user for integrations** (*Web service access only*) with the roles:

- **sn_incident_read**: incidents
- **sn_change_read**: change requests
- **cmdb_read**: services (`cmdb_ci_service`)

The role **itil** includes all of them, and may write; **snc_read_only** takes that away. Set the user's time zone to
**GMT**. Access rules of your own must let the user read the fields that the documentation lists: ServiceNow leaves out
what is hidden, and reports no error.

**Sign-in**: as that user, with a password; or with **OAuth** (System OAuth → Application Registry), as that user with a
password, or with **client credentials**, for which the registry entry names that user (*OAuth Application User*).
Nothing is written.
"""

    @classmethod
    def understood(cls, values: Mapping[str, str]) -> Mapping[str, str]:
        """An instance's page leads to the instance."""
        is_address = values.get("base_url", "").strip().startswith(("https://", "http://"))
        return cut_at(values, *_PAGES) if is_address else values

    @classmethod
    def mistakes(cls, values: Mapping[str, str]) -> Mapping[str, str]:
        found = dict(super().mistakes(values))
        if not values.get("user", "").strip() and not values.get("client_id", "").strip():
            found["user"] = "Enter a user, or the client of OAuth."
        for name in _QUERIES:
            if unfit := next((part for part in _UNFIT if part in values.get(name, "")), ""):
                found[name] = f"A query of conditions alone, please: {unfit} is more than that."
        return found

    def sign(self, http: Http | None) -> Mapping[str, str]:
        """Basic authentication, or the token that OAuth exchanges the credentials for.

        https://www.servicenow.com/docs/r/platform-security/authentication/r_OAuthAPIRequestParameters.html
        """
        user, client = (self.settings.values.get(name, "").strip() for name in ("user", "client_id"))
        password = self.settings.secrets.get("token", "")
        if not client:
            return {"authorization": basic_auth(user, password)}
        if http is None:
            raise PermanentError("OAuth needs a client to sign in with.")
        of_user = {"grant_type": "password", "username": user, "password": password}
        grant = of_user if user else {"grant_type": "client_credentials"}
        secret = self.settings.secrets.get("client_secret", "")
        answer = http.post_form("oauth_token.do", {**grant, "client_id": client, "client_secret": secret})
        token = text_of(answer.json(), "access_token")
        if not token:
            raise TransientError("ServiceNow answered the sign-in without a token.")
        return {"authorization": f"Bearer {token}"}

    def check(self, http: Http) -> Sequence[CheckedPermission]:
        return list(checked(http, services=self._query("services"), counted=self._query("incidents"), rules=self.rules))

    def resources(self, http: Http) -> Iterator[ResourceDraft]:
        for row in list_all(http, SERVICES, self._query("services"), SERVICE_FIELDS):
            id_ = value_of(row, ID)
            yield ResourceDraft(
                ResourceKind.SERVICE,
                external_id=id_,
                name=text_of(object_of(row, "name"), "value") or id_,
                url=f"{self.base_url}/{SERVICES}.do?sys_id={id_}",
                archived=value_of(row, "operational_status") in _NOT_IN_OPERATION,
            )

    def fetch(
        self, http: Http, resource: FetchedResource, kind: Kind, cursor: Cursor, *, now: datetime
    ) -> Iterator[Page]:
        page = self.base_url
        if kind is Kind.DEPLOYMENT:
            yield from fetch_change_requests(http, resource, cursor, rules=self.rules, page=page, now=now)
        else:
            query = self._query("incidents")
            yield from fetch_incidents(http, resource, cursor, query=query, page=page, now=now)

    def replay(self, source: str, payload: Json) -> Sequence[AnyDraft]:
        return _NORMALISE[source](payload)

    def _query(self, name: str) -> str:
        return self.settings.values.get(name, "").strip().strip("^")
