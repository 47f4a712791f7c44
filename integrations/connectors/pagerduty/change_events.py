"""Change events that an admin calls deployments, by rules over their service and source.

A rule is a line `service / source = environment`, each side with * for anything, and the first that fits counts:

    checkout / GitHub* = production
    * / * = {environment}          the environment that the event names itself, in its details

https://developer.pagerduty.com/docs/send-change-event
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from integrations.connectors.base import Json
from integrations.connectors.drafts import DeploymentDraft
from integrations.connectors.reader import Reader
from integrations.enums import RunStatus

LONGEST_ENVIRONMENT = 200
_RULE = re.compile(r"(?P<service>[^/=]+)/(?P<source>[^=]+)=(?P<environment>[^=]+)")
_DETAIL = re.compile(r"\{(\w{1,60})\}")
_SHA = re.compile("[0-9a-f]{40}|[0-9a-f]{64}")
_COMMIT = re.compile(r"https?://[^/]+/[^?#]+?/(?:-/)?commit/(?P<sha>[0-9a-f]{40})")
_REPOSITORY = re.compile(
    r"https?://(?P<remote>[^/]+/[^/?#]+/[^/?#]+)/(?:-/)?(?:commit|pull|actions|tree|releases|pipelines)"
)
SHA_DETAILS = ("sha", "commit", "commit_sha", "revision", "git_sha")
REPOSITORY_DETAILS = ("repository", "repo")


@dataclass(frozen=True, slots=True)
class Rule:
    """Which change events are deployments to `environment`, a name or {the detail that names it}."""

    service: str
    source: str
    environment: str

    def environment_of(self, event: Json) -> str:
        """Empty where the rule does not fit, or the event names no environment."""
        if not _fits(self.service, services_of(event)) or not _fits(self.source, sources_of(event)):
            return ""
        detail = _DETAIL.fullmatch(self.environment)
        return self.environment if detail is None else _detail(event, detail[1])[:LONGEST_ENVIRONMENT]


def rules_of(text: str) -> list[Rule]:
    """The lines of the setting that are rules."""
    found = (_RULE.fullmatch(line.strip()) for line in text.splitlines())
    return [Rule(*(part.strip() for part in rule.group("service", "source", "environment"))) for rule in found if rule]


def mistakes_in(text: str) -> list[str]:
    """The lines that are none."""
    return [line.strip() for line in text.splitlines() if line.strip() and not _RULE.fullmatch(line.strip())]


def environment_of(rules: Sequence[Rule], event: Json) -> str:
    """By the first rule that fits; empty: no deployment."""
    return next((environment for rule in rules if (environment := rule.environment_of(event))), "")


def services_of(event: Json) -> list[str]:
    return [str(one.get("summary") or one.get("id") or "") for one in _objects(event, "services")]


def sources_of(event: Json) -> list[str]:
    """What sent it: the integration, and the name that it gave itself."""
    integration = event.get("integration")
    named = [integration.get("summary") if isinstance(integration, dict) else "", event.get("source")]
    return [str(name) for name in named if name] or [""]


def normalise_change_event(payload: Json) -> list[DeploymentDraft]:
    """`event` as the list gives it, `service` whose list it was, `environment` by the rule that fits it.

    One that names neither a repository nor a commit is placed by the name of its service.
    """
    reader = Reader(payload)
    event = reader.object("event") or Reader(None, "event")
    at = event.time("timestamp")
    links = [link.text("href", default="") for link in event.objects("links")]
    service = reader.text("service", default="")
    return [
        DeploymentDraft(
            external_id=event.identifier("id"),
            updated_at=at,
            repository=_repository(payload["event"], links) or service,
            service=service,
            native_environment=reader.text("environment"),
            status=RunStatus.SUCCESS,
            native_status="change event",
            sha=_sha(payload["event"], links),
            url=event.text("html_url", default="") or next((link for link in links if link), ""),
            created_at=at,
            started_at=at,
            finished_at=at,
        )
    ]


def _fits(pattern: str, names: Sequence[str]) -> bool:
    return any(fnmatchcase(name.casefold(), pattern.casefold()) for name in names)


def _sha(event: Json, links: Sequence[str]) -> str:
    """From its details, else from a link to the commit."""
    told = (_detail(event, name).lower() for name in SHA_DETAILS)
    linked = (found["sha"] for link in links if (found := _COMMIT.match(link)))
    return next((sha for sha in (*told, *linked) if _SHA.fullmatch(sha)), "")


def _repository(event: Json, links: Sequence[str]) -> str:
    """As the event names it, else the address that its links begin with."""
    named = next((name for detail in REPOSITORY_DETAILS if (name := _detail(event, detail))), "")
    return named or next((found["remote"] for link in links if (found := _REPOSITORY.match(link))), "")


def _detail(event: Json, name: str) -> str:
    details = event.get("custom_details")
    value = details.get(name) if isinstance(details, dict) else None
    return value.strip() if isinstance(value, str) else ""


def _objects(event: Json, name: str) -> list[dict[str, Any]]:
    listed = event.get(name)
    return [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
