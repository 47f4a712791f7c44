"""Change events that an admin calls deployments, by rules over their service and what sends them.

https://developer.pagerduty.com/docs/send-change-event
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from integrations.connectors.base import Json
from integrations.connectors.deployment_rules import Rules, deployment_by, is_unplanned
from integrations.connectors.drafts import DeploymentDraft
from integrations.connectors.reader import Reader
from integrations.connectors.unchecked import object_of, objects_of
from integrations.enums import RunStatus

_SHA = re.compile("[0-9a-f]{40}|[0-9a-f]{64}")
_COMMIT = re.compile(r"https?://[^/]+/[^?#]+?/(?:-/)?commit/(?P<sha>[0-9a-f]{40})")
_REPOSITORY = re.compile(
    r"https?://(?P<remote>[^/]+/[^/?#]+/[^/?#]+)/(?:-/)?(?:commit|pull|actions|tree|releases|pipelines)"
)
SHA_DETAILS = ("sha", "commit", "commit_sha", "revision", "git_sha")
REPOSITORY_DETAILS = ("repository", "repo")


def deployment_of(rules: Rules, event: Json, service: str) -> Json | None:
    """What the first rule that matches says of an event of this service; None: it is no deployment."""
    texts = {name: str(value) for name, value in object_of(event, "custom_details").items()}
    matching = [
        rule for rule in rules.rules if any(rule.matches(f"{service}/{source}") for source in sources_of(event))
    ]
    return deployment_by(matching, texts)


def services_of(event: Json) -> list[str]:
    return [str(one.get("summary") or one.get("id") or "") for one in objects_of(event.get("services"))]


def sources_of(event: Json) -> list[str]:
    """What sent it: the integration, and the name that it gave itself."""
    named = [object_of(event, "integration").get("summary"), event.get("source")]
    return [str(name) for name in named if name] or [""]


def normalise_change_event(payload: Json) -> list[DeploymentDraft]:
    """`event` as the list gives it, `service` whose list it was, `deployment` what its rule says.

    One that names no repository is placed by the name of its service.  It is a deployment of the repository, as those
    of code hosts are, so that both are one rollout, unless the rule names a service.
    """
    reader = Reader(payload)
    event = reader.object("event") or Reader(None, "event")
    values = reader.object("deployment") or Reader({}, "deployment")
    at = event.time("timestamp")
    links = [link.text("href", default="") for link in event.objects("links")]
    repository = values.text("repository", default="") or _repository(payload["event"], links)
    return [
        DeploymentDraft(
            external_id=event.identifier("id"),
            updated_at=at,
            repository=repository or reader.text("service", default=""),
            service=values.text("service", default=""),
            native_environment=values.text("environment"),
            status=RunStatus.SUCCESS,
            native_status="change event",
            sha=_sha(values.text("sha", default=""), payload["event"], links),
            url=event.text("html_url", default="") or next((link for link in links if link), ""),
            created_at=at,
            started_at=at,
            finished_at=at,
            unplanned=is_unplanned(values.text("unplanned", default="")),
        )
    ]


def _sha(ruled: str, event: Json, links: Sequence[str]) -> str:
    """By the rule, else from its details, else from a link to the commit."""
    named = (_detail(event, name) for name in SHA_DETAILS)
    linked = (found["sha"] for link in links if (found := _COMMIT.match(link)))
    return next((sha.lower() for sha in (ruled, *named, *linked) if _SHA.fullmatch(sha.lower())), "")


def _repository(event: Json, links: Sequence[str]) -> str:
    """As the event names it, else the address that its links begin with."""
    named = next((name for detail in REPOSITORY_DETAILS if (name := _detail(event, detail))), "")
    return named or next((found["remote"] for link in links if (found := _REPOSITORY.match(link))), "")


def _detail(event: Json, name: str) -> str:
    value = object_of(event, "custom_details").get(name)
    return value.strip() if isinstance(value, str) else ""
