"""Reading a pipeline of the simulated Jenkins to its end, as the sync does, but into a list of drafts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from demo.providers.jenkins_server import JenkinsServer
from integrations.connectors.base import FetchedResource, Page, Settings
from integrations.connectors.drafts import AnyDraft, DeploymentDraft, PipelineRunDraft
from integrations.connectors.jenkins.connector import Jenkins
from integrations.enums import Kind, ResourceKind
from tests.connectors.reading import TOKEN, read_pages

USER = "reader"
ROLLOUT, CHECKS = "acme/shop-rollout", "acme/shop-ci"
RULE = "acme/*-rollout: environment={ENVIRONMENT}, service={SERVICE}"


def connector(jenkins: JenkinsServer, **settings: str) -> Jenkins:
    plain = {"base_url": jenkins.url, "user": USER, "libraries": "*/jenkins-library", **settings}
    return Jenkins(Settings(plain, {"token": TOKEN}))


def pipeline(name: str) -> FetchedResource:
    multibranch = {"multibranch": not name.endswith("rollout")}
    return FetchedResource(ResourceKind.PIPELINE, name, name, multibranch)


def pages_of(
    jenkins: JenkinsServer,
    name: str,
    cursor: Mapping[str, Any] | None = None,
    *,
    now: datetime | None = None,
    most: int | None = None,
    **settings: str,
) -> list[Page]:
    """Read on from the cursor, at most so many pages."""
    of = connector(jenkins, **settings)
    return read_pages(of, pipeline(name), Kind.PIPELINE_RUN, cursor, now=now or jenkins.at, most=most)


def runs_in(drafts: list[AnyDraft]) -> dict[str, PipelineRunDraft]:
    """The last draft of each run."""
    return {draft.external_id: draft for draft in drafts if isinstance(draft, PipelineRunDraft)}


def deployments_in(drafts: list[AnyDraft]) -> dict[str, DeploymentDraft]:
    return {draft.external_id: draft for draft in drafts if isinstance(draft, DeploymentDraft)}
