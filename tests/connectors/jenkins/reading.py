"""Reading a pipeline of the simulated Jenkins to its end, as the sync does, but into a list of drafts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from demo.providers.jenkins_server import JenkinsServer
from integrations.connectors.base import FetchedResource, Page, Settings
from integrations.connectors.drafts import AnyDraft, DeploymentDraft, PipelineRunDraft
from integrations.connectors.errors import ConnectorError
from integrations.connectors.http import ConnectionHttp, Patience
from integrations.connectors.jenkins import Jenkins
from integrations.enums import Kind, ResourceKind

USER, TOKEN = "reader", "token_of_the_tests"
ROLLOUT, CHECKS = "acme/shop-rollout", "acme/shop-ci"
RULE = "acme/*-rollout: environment={ENVIRONMENT}, service={SERVICE}"
QUICK = Patience(connect=5, read=5, whole=10, tries=3, first_wait=0.01, longest_wait=0.05)
MOST_TURNS = 15


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
    of, pages = connector(jenkins, **settings), []
    with ConnectionHttp(of, patience=QUICK) as http:
        for page in of.fetch(http, pipeline(name), Kind.PIPELINE_RUN, cursor or {}, now=now or jenkins.at):
            pages.append(page)
            if len(pages) == most:
                break
    return pages


def read_in_turns(jenkins: JenkinsServer, name: str, **settings: str) -> list[AnyDraft]:
    """As the sync does: what fails is tried again from the last page that was stored."""
    of, drafts = connector(jenkins, **settings), list[AnyDraft]()
    cursor: dict[str, Any] = {}
    for _ in range(MOST_TURNS):
        with ConnectionHttp(of, patience=QUICK) as http:
            try:
                for page in of.fetch(http, pipeline(name), Kind.PIPELINE_RUN, cursor, now=jenkins.at):
                    drafts += drafts_of([page])
                    cursor = dict(page.cursor)
            except ConnectorError:
                continue
            return drafts
    raise AssertionError("It does not come to an end.")


def drafts_of(pages: list[Page]) -> list[AnyDraft]:
    return [draft for page in pages for record in page.records for draft in record.normalise(record.payload)]


def runs_in(drafts: list[AnyDraft]) -> dict[str, PipelineRunDraft]:
    """The last draft of each run."""
    return {draft.external_id: draft for draft in drafts if isinstance(draft, PipelineRunDraft)}


def deployments_in(drafts: list[AnyDraft]) -> dict[str, DeploymentDraft]:
    return {draft.external_id: draft for draft in drafts if isinstance(draft, DeploymentDraft)}
