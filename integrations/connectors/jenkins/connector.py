"""Jenkins as a connector: its form, its stream, and its reader."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
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
    Refused,
    ResourceDraft,
    basic_auth,
    register,
)
from integrations.connectors.deployment_rules import SETTING, ConnectorWithRules
from integrations.connectors.drafts import AnyDraft
from integrations.connectors.errors import ConnectorError, CredentialRefusedError, PermanentError
from integrations.connectors.jenkins.builds import normalise_build
from integrations.connectors.jenkins.check import checked
from integrations.connectors.jenkins.jobs import name_in, resources_of
from integrations.connectors.jenkins.read_builds import fetch_builds
from integrations.enums import Kind, ResourceKind

_REQUIRED = "x-required-permission"  # the header that names the missing permission: hudson.model.Item.Read
_KINDS = {"Hudson": "Overall", "Item": "Job", "Run": "Run", "View": "View"}


@register
class Jenkins(ConnectorWithRules):
    """A controller, with or without folders, multibranch projects and organisation folders."""

    slug = "jenkins"
    name = "Jenkins"
    kinds: ClassVar[Mapping[ResourceKind, Sequence[Kind]]] = {ResourceKind.PIPELINE: (Kind.PIPELINE_RUN,)}
    fields: ClassVar[Sequence[Field]] = (
        Field(
            "base_url",
            "Base URL",
            "Address of the controller, with its path if it has one: https://ci.example.com/jenkins.",
        ),
        Field("user", "User", "ID of the user who owns the API token."),
        Field("token", "API token", "The user's API token: Security → API Token → Add new token.", secret=True),
        Field(
            SETTING,
            "Deployments",
            "Rules for builds that deploy, one per line: acme/deploy-*: environment={ENV}, service={APP}. A pattern of "
            "job names comes before the colon; {ENV} is a parameter of the build. repository=, sha=, unplanned= and "
            "stage= are also supported. Without a rule, the job's name decides. Test connection shows examples.",
            required=False,
            multiline=True,
        ),
        Field(
            "libraries",
            "Library repositories",
            "Patterns of repositories that builds check out in addition to their own, separated by commas: "
            "*/jenkins-library.",
            required=False,
        ),
    )
    permissions = """\
**A dedicated user**, with an API token (*Security → API Token* in its profile), and for it, in *Manage Jenkins →
Security → Authorization*:

- *Overall*: Read
- *Job*: Read, on every folder that Headway is to read

With the Role Strategy plugin: a global role with Overall/Read, and an item role with Job/Read and a pattern of jobs.
Nothing is ever written, so that no crumb is needed.

**Plugins** that add to what Jenkins says (each optional): *Pipeline: REST API* for stages, *Metrics* for how long
builds waited in the queue.
"""

    @classmethod
    def understood(cls, values: Mapping[str, str]) -> Mapping[str, str]:
        return cut_at(values, "/job", "/view", "/manage", "/login", "/user", "/api")

    @property
    def libraries(self) -> list[str]:
        return [pattern.casefold() for pattern in self.listed("libraries")]

    def sign(self, http: Http | None) -> Mapping[str, str]:
        user = self.settings.values.get("user", "").strip()
        return {"authorization": basic_auth(user, self.settings.secrets.get("token", ""))}

    def check(self, http: Http) -> Sequence[CheckedPermission]:
        return list(checked(http, rules=self.rules, libraries=self.libraries, now=datetime.now(UTC)))

    def resources(self, http: Http) -> Iterator[ResourceDraft]:
        yield from resources_of(http)

    def fetch(
        self, http: Http, resource: FetchedResource, kind: Kind, cursor: Cursor, *, now: datetime
    ) -> Iterator[Page]:
        yield from fetch_builds(http, resource, cursor, rules=self.rules, libraries=self.libraries, now=now)

    def refusal(self, answer: Refused) -> ConnectorError | None:
        if answer.status == 401:
            return CredentialRefusedError(
                "Jenkins refused the user or the API token.",
                what_to_do="Check the user's id, create another API token under its Security, enter it, and press Test "
                "connection.",
            )
        if answer.status == 403 and "retry-after" not in answer.headers:
            job = name_in(answer.path)
            permission = permission_of(answer.headers.get(_REQUIRED, "")) or ("Job/Read" if job else "Overall/Read")
            return PermanentError(
                f"Jenkins does not let this user read {job or 'the controller'}: {permission} is missing.",
                what_to_do=f"Grant the user {permission}{f' on {job}' if job else ''}, and press Sync now.",
            )
        return None

    def replay(self, source: str, payload: Json) -> Sequence[AnyDraft]:
        return normalise_build(payload)


def permission_of(header: str) -> str:
    """The permission as the form shows it: hudson.model.Item.Read → Job/Read."""
    kind, _, name = header.rpartition(".")
    group = kind.rpartition(".")[2]
    return f"{_KINDS.get(group, group)}/{name}" if group and name else ""
