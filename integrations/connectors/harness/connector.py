"""Harness as a connector: its form, its stream, and its readers."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from typing import ClassVar
from urllib.parse import urlsplit

from integrations.connectors.addresses import cut_at
from integrations.connectors.base import (
    Arrival,
    CheckedPermission,
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
    tried,
)
from integrations.connectors.deployment_rules import SETTING, ConnectorWithRules
from integrations.connectors.drafts import AnyDraft
from integrations.connectors.errors import ConnectorError, CredentialRefusedError, GoneError, PermanentError
from integrations.connectors.harness.executions import normalise_execution
from integrations.connectors.harness.reading import ENVIRONMENTS, Project, fetch_executions, list_all
from integrations.connectors.json_text import json_or_none
from integrations.connectors.unchecked import object_of, text_of
from integrations.enums import Kind, ResourceKind

CLOUD, GATEWAY, PROJECTS = "https://app.harness.io", "/gateway", "ng/api/projects"
LOOKED_AT = 10
GRANT_PROJECTS = "Give the service account the role Project Viewer on the projects, with all resources."
GRANT_PIPELINES = "Grant Pipelines: View (core_pipeline_view)."
GRANT_ENVIRONMENTS = "Grant Environments: View (core_environment_view), to identify production environments of GitOps."
_OF_ACCOUNT = re.compile(r"/account/(?P<account>[^/?#]+)(?:/(?:[^?#]*?/)?orgs/(?P<organisation>[^/?#]+))?")
_REFUSED = frozenset({"INVALID_TOKEN", "EXPIRED_TOKEN", "INVALID_API_KEY"})
_GONE = "does not exist or has been deleted"  # of an execution, with status 400


@register
class Harness(ConnectorWithRules):
    """The pipelines of an account's projects: their builds and deployments."""

    slug = "harness"
    name = "Harness"
    kinds: ClassVar[Mapping[ResourceKind, Sequence[Kind]]] = {ResourceKind.PIPELINE: (Kind.PIPELINE_RUN,)}
    fields: ClassVar[Sequence[Field]] = (
        Field(
            "base_url",
            "Base URL",
            "Address of Harness; a vanity URL or that of a self-managed installation works, too.",
            default=CLOUD,
        ),
        Field(
            "account",
            "Account ID",
            "As in the address of every page, after /account/. Empty: that of the token, sat.ACCOUNT.ID.SECRET.",
            required=False,
        ),
        Field(
            "organisations",
            "Organisations",
            "Identifiers, separated by commas. Empty: all that the token can see.",
            required=False,
        ),
        Field("token", "API token", "Token of a service account.", secret=True),
        Field(
            SETTING,
            "Deployments",
            "Optional rules that complete what Harness says, one per line: *: environment={environment}, "
            "repository={image}, sha={tag}. A pattern of pipeline/service comes before the colon; {environment}, "
            "{service}, {image}, {tag}, {pipeline}, {branch} and the pipeline's tags can be named. service=, "
            "unplanned= and stage= are also supported. After a change, press Full sync.",
            required=False,
            multiline=True,
        ),
    )
    permissions = """\
**Token of a service account** (Account Settings → Access Control → Service Accounts → New Service Account, then its API
key → Token), with a role that has only these permissions, on a resource group with all projects that Headway is to read
(the built-in *Project Viewer* has them):

- **Projects: View** (`core_project_view`)
- **Pipelines: View** (`core_pipeline_view`)
- **Environments: View** (`core_environment_view`), for GitOps, whose stages do not say what is production

Nothing is ever written. A personal token works, too, and sees what its owner sees.

**Webhook** (optional): Harness signs nothing, so a notification sends the secret in a header. Pipeline → Notify → New
Notification → Webhook, or a channel for a whole project, with the address that is shown here after saving, the header
`authorization`, and `Bearer` followed by the secret, kept as a secret of Harness; events *Pipeline Start*, *Pipeline
End*, *Stage Success* and *Stage Failed*. Without it the schedule finds everything some minutes later.
"""

    @classmethod
    def understood(cls, values: Mapping[str, str]) -> Mapping[str, str]:
        """The address of any page names the account, and perhaps the organisation."""
        pasted = values.get("base_url", "").strip()
        try:
            is_page = urlsplit(pasted).scheme in ("http", "https")
        except ValueError:
            is_page = False
        if not is_page:
            return values
        named = _OF_ACCOUNT.search(pasted)
        found = {"account": named["account"], "organisations": named["organisation"] or ""} if named else {}
        own = {name: values.get(name, "").strip() or text for name, text in found.items()}
        return {**cut_at(values, "/ng", GATEWAY, "/auth"), **own}

    @property
    def base_url(self) -> str:
        return f"{super().base_url or CLOUD}{GATEWAY}"

    @property
    def account(self) -> str:
        """The account of the form, else the token's: sat.ACCOUNT.TOKEN.SECRET."""
        parts = self.settings.secrets.get("token", "").strip().split(".")
        given = self.settings.values.get("account", "").strip()
        return given or (parts[1] if len(parts) == 4 else "")

    def sign(self, http: Http | None) -> Mapping[str, str]:
        return {"x-api-key": self.settings.secrets.get("token", "").strip()}

    def check(self, http: Http) -> Sequence[CheckedPermission]:
        if not self.account:
            raise PermanentError(
                "The token does not say which account it belongs to.",
                what_to_do="Enter the account's ID, which is in the address of every page of Harness, after /account/.",
            )
        seen = list(islice(self.resources(http), LOOKED_AT))
        if not seen:
            remedy = f"The token sees no project of the account {self.account}. {GRANT_PROJECTS}"
            return [CheckedPermission("Projects", works=False, remedy=remedy)]
        first = seen[0]
        resource = FetchedResource(first.kind, first.external_id, first.name, first.details)
        project, rules = Project.of(self.account, resource), self.rules
        now = datetime.now(UTC)
        executions = partial(lambda: next(iter(fetch_executions(http, project, {}, rules=rules, now=now)), None))
        environments = partial(lambda: next(iter(list_all(http, ENVIRONMENTS, project.scope, "environment")), None))
        where = f"Tried on {first.name}."
        return [
            CheckedPermission("Projects", works=True),
            tried("Pipelines and their executions", executions, f"{where} {GRANT_PIPELINES}"),
            tried("Environments", environments, f"{where} {GRANT_ENVIRONMENTS}"),
        ]

    def refusal(self, answer: Refused) -> ConnectorError | None:
        """The meaning of Harness' codes: some refusals have the status of an invalid request."""
        code, message = text_of(answer.document, "code"), text_of(answer.document, "message")
        if code in _REFUSED:
            return CredentialRefusedError(
                f"Harness refused the token ({message or code}).",
                what_to_do="It may have expired or been revoked. Create another one, enter it here, and press Test "
                "connection.",
            )
        if answer.status == 400 and _GONE in message:
            return GoneError("Harness no longer has this execution.")
        return None

    def resources(self, http: Http) -> Iterator[ResourceDraft]:
        scopes: list[Json] = [{"orgIdentifier": one} for one in self.listed("organisations")] or [{}]
        for scope in scopes:
            for project in list_all(http, PROJECTS, {"accountIdentifier": self.account, **scope}, "project"):
                organisation, identifier = (text_of(project, name) for name in ("orgIdentifier", "identifier"))
                if not organisation or not identifier:
                    continue
                web = self.base_url.removesuffix(GATEWAY)
                page = f"{web}/ng/#/account/{self.account}/cd/orgs/{organisation}/projects/{identifier}"
                yield ResourceDraft(
                    ResourceKind.PIPELINE,
                    external_id=f"{organisation}/{identifier}",
                    name=f"{organisation}/{text_of(project, 'name') or identifier}",
                    url=page,
                    details={"page": page},
                )

    def fetch(
        self, http: Http, resource: FetchedResource, kind: Kind, cursor: Cursor, *, now: datetime
    ) -> Iterator[Page]:
        project = Project.of(self.account, resource)
        yield from fetch_executions(http, project, cursor, rules=self.rules, now=now)

    def replay(self, source: str, payload: Json) -> Sequence[AnyDraft]:
        return normalise_execution(payload)

    # Webhooks: notifications, https://developer.harness.io/docs/platform/notifications/notification-settings ------

    def arrival(self, headers: Mapping[str, str], body: bytes, secret: str) -> Arrival | None:
        """The notification, if its header has the secret; each is about a different moment, so its text
        identifies it.
        """
        scheme, _, given = headers.get("authorization", "").partition(" ")
        is_secret = hmac.compare_digest(given.strip().encode("utf-8", "replace"), secret.encode())
        if not secret or scheme.lower() != "bearer" or not is_secret:
            return None
        event = text_of(object_of(json_or_none(body), "eventData"), "eventType")
        return Arrival(hashlib.sha256(body).hexdigest(), event or "unknown")

    def deliveries(self, event: str, payload: Json) -> Iterable[RawRecord] | None:
        """A delivery yields no records: the stream reads the changes, see `news`."""
        return None if self.news(event, payload) is None else ()

    def news(self, event: str, payload: Json) -> tuple[str, Kind] | None:
        about = object_of(payload, "eventData")
        organisation, project = text_of(about, "orgIdentifier"), text_of(about, "projectIdentifier")
        if not event.startswith(("Pipeline", "Stage")) or not organisation or not project:
            return None
        return f"{organisation}/{project}", Kind.PIPELINE_RUN
