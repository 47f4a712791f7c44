"""One odd field never throws out a record: each field of each provider's records in turn is something else.

The records are those of the simulated providers, GitHub's published webhooks, and one of each kind that is pushed.
Fields that define a record are named below; without one of them it goes to quarantine.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from demo.plan.delivery import Incident, Urgency
from demo.providers.azure_server import AzureServer
from demo.providers.bitbucket_server import BitbucketServer
from demo.providers.gitea_server import GiteaServer
from demo.providers.github_access import Token
from demo.providers.github_server import GitHubServer
from demo.providers.gitlab_server import GitLabServer
from demo.providers.harness_server import HarnessServer
from demo.providers.jenkins_server import JenkinsServer
from demo.providers.jira_server import JiraServer
from demo.providers.linear_server import LinearServer
from demo.providers.pagerduty_server import PagerDutyServer
from demo.providers.servicenow_server import ServiceNowServer
from demo.providers.sonarqube_server import SonarQubeServer
from integrations.connectors.azure.connector import AzureDevOps
from integrations.connectors.base import Connector, RawRecord, Settings
from integrations.connectors.bitbucket.connector import Bitbucket
from integrations.connectors.drafts import AnyDraft, Draft
from integrations.connectors.errors import SchemaError
from integrations.connectors.gitea.connector import Gitea
from integrations.connectors.github.connector import GitHub
from integrations.connectors.github.webhooks import records_of
from integrations.connectors.gitlab.connector import GitLab
from integrations.connectors.harness.connector import Harness
from integrations.connectors.http import ConnectionHttp
from integrations.connectors.jenkins.connector import Jenkins
from integrations.connectors.jira.connector import Jira
from integrations.connectors.linear.connector import Linear
from integrations.connectors.pagerduty.connector import PagerDuty
from integrations.connectors.servicenow.connector import ServiceNow
from integrations.connectors.sonarqube.connector import SonarQube
from tests.connectors.jenkins.conftest import busy_history
from tests.connectors.linear.test_reading import initiative, project
from tests.connectors.reading import QUICK, TOKEN
from tests.demo.small_history import BEGIN, HOUR, SHOP, small_history

ODD: Sequence[Any] = (None, "odd", 7, [1], {"odd": 1})
LONG_AFTER = datetime(2026, 6, 1, tzinfo=UTC)
SPRINT = "com.atlassian.greenhopper.service.sprint.Sprint@1f2e[id=37,rapidViewId=8,state=ACTIVE,name=Week 9, [b]]"

# By the source of a record.  `repository` and the like are what a record belongs to.
DEFINING: Mapping[str, frozenset[str]] = {
    "pull_request": frozenset(
        {"pull_request", "pull_request.id", "pull_request.number", "pull_request.created_at"}
        | {f"pull_request.{path}" for path in ("merged_at", "base", "base.repo", "base.repo.id")}
    ),
    "issue": frozenset(
        {"issue", "issue.id", "issue.number", "issue.created_at", "repository", "repository.id", "repository.full_name"}
        | {"issue.key", "issue.fields", "issue.fields.created", "issue.fields.project", "issue.fields.project.id"}
    ),
    "workflow_run": frozenset(
        f"workflow_run{path}" for path in ("", ".id", ".run_attempt", ".updated_at", ".repository", ".repository.id")
    ),
    "workflow_job": frozenset(
        {
            "workflow_job",
            "workflow_job.id",
            "workflow_job.run_id",
            "workflow_job.run_attempt",
            "workflow_job.workflow_name",
        }
        | {"repository", "repository.id"}
    ),
    "deployment": frozenset({"deployment", "deployment.id", "deployment.environment", "repository", "repository.id"}),
    "release": frozenset({"release", "release.id", "release.tag_name", "repository", "repository.id"}),
    "repository": frozenset({"repository", "repository.id", "repository.full_name", "repository.html_url"}),
    "commit": frozenset(
        {"commit", "commit.sha", "commit.parents", "commit.parents[]", "commit.parents[].sha", "commit.commit"}
        | {"commit.commit.committer", "commit.commit.committer.date", "repository", "repository.id"}
    ),
    "sprint": frozenset({"sprint", "sprint.id", "board"}),
    "build": frozenset({"build", "build.number", "build.timestamp", "build.queueId"}),
    "incident": frozenset({"incident", "incident.id", "incident.created_at"}),
    "change_event": frozenset({"event", "event.id", "event.timestamp"}),
    "servicenow_incident": frozenset(
        f"servicenow_incident{path}" for path in ("", ".sys_id", ".sys_id.value", ".opened_at", ".opened_at.value")
    ),
    "change_request": frozenset(f"change_request{path}" for path in ("", ".sys_id", ".sys_id.value")),
    "merge_request": frozenset(
        f"merge_request{path}" for path in ("", ".id", ".iid", ".project_id", ".created_at", ".merged_at")
    ),
}
DEFINING = {
    **DEFINING,
    "pull_request": DEFINING["pull_request"]
    | {
        f"pull_request.{path}"
        for path in ("pullRequestId", "creationDate", "closedDate", "repository", "repository.id")
    },
    "deployment": DEFINING["deployment"] | {"project", "project.id", "deployment.environment.name"},
    "pipeline": frozenset({"pipeline", "pipeline.id", "pipeline.project_id"}),
    "commit": DEFINING["commit"] | {"commit.id", "commit.committed_date", "project", "project.id"},
    "issue": DEFINING["issue"] | {"issue.project_id", "issue.references", "issue.references.full"},
    "incident": DEFINING["incident"] | {"incident.project_id"},
}
DEFINING = {
    **DEFINING,
    "build": DEFINING["build"] | {"build.id"},
    "work_item": frozenset({"work_item", "work_item.id", "work_item.created"}),
    "incident_item": frozenset({"incident_item", "incident_item.id", "incident_item.created"}),
    "environment_deployment": frozenset(
        f"environment_deployment{path}" for path in ("", ".id", ".environment", ".build_id")
    ),
}
DEFINING = {
    **DEFINING,
    "pullrequest": frozenset(f"pullrequest{path}" for path in ("", ".id", ".created_on"))
    | {"repository", "repository.id"},
    "branch_commit": frozenset(f"branch_commit{path}" for path in ("", ".hash", ".date"))
    | {"repository", "repository.id"},
    # Its attempts are told apart by their steps.
    "bitbucket_pipeline": frozenset({"bitbucket_pipeline", "bitbucket_pipeline.uuid", "repository.id", "steps"}),
    "bitbucket_deployment": frozenset({"bitbucket_deployment", "bitbucket_deployment.uuid", "repository.id"}),
}
DEFINING = {
    **DEFINING,
    "linear_issue": frozenset(
        f"linear_issue{path}" for path in ("", ".id", ".identifier", ".createdAt", ".team", ".team.id")
    ),
    "linear_project": frozenset(f"linear_project{path}" for path in ("", ".id", ".slugId", ".createdAt")),
    "initiative": frozenset(f"initiative{path}" for path in ("", ".id", ".slugId", ".createdAt")),
    "cycle": frozenset(f"cycle{path}" for path in ("", ".id", ".team", ".team.id")),
}
DEFINING = {**DEFINING, "review": DEFINING["pull_request"]}
DEFINING = {
    **DEFINING,
    "analysis": frozenset({"analysis", "analysis.key", "analysis.date", "measures"})
    | {f"measures.{metric}" for metric in ("lines_to_cover", "uncovered_lines")},
    "quality_issue": frozenset({"quality_issue", "quality_issue.key", "quality_issue.creationDate"}),
}
DEFINING = {**DEFINING, "execution": frozenset({"execution", "execution.planExecutionId"})}
# What a stream adds of its own knowledge: no provider can write it otherwise.
OURS: Mapping[str, frozenset[str]] = {
    "pull_request": frozenset({"page"}),
    "issue": frozenset({"fields", "names", "statuses", "people", "pages", "deleted"}),
    "build": frozenset({"job", "libraries", "deploys", "withdrawn", "original", "page"}),
    "environment_deployment": frozenset({"page"}),
    **dict.fromkeys(("work_item", "incident_item"), frozenset({"categories", "project", "page"})),
    "change_event": frozenset({"service", "deployment"}),
    "servicenow_incident": frozenset({"page"}),
    "change_request": frozenset({"service", "deployment", "page"}),
    "incident": frozenset({"occurred_at"}),
    "deployment": frozenset({"tier"}),
    **dict.fromkeys(("linear_project", "initiative"), frozenset({"workspace"})),
    **dict.fromkeys(("pullrequest", "branch_commit", "bitbucket_pipeline"), frozenset({"repository"})),
    "bitbucket_deployment": frozenset({"repository", "name", "type"}),
    "execution": frozenset({"project", "deploys", "types"}),
    **dict.fromkeys(("analysis", "quality_issue"), frozenset({"project", "repository", "branch", "page"})),
}


# Anybody writes what they like there, in any type: what is not for Headway is nothing that is left out.
FREE_FORM = (
    *("deployment.payload", "event.custom_details", "issue.fields.customfield_", "build.actions[].causes[].user"),
    "threads[].properties",
)


@dataclass(frozen=True)
class Sample:
    """A record of a provider; `drafts` are what is made of it as it is now."""

    provider: str
    record: RawRecord

    @property
    def drafts(self) -> Sequence[AnyDraft]:
        return self.record.normalise(self.record.payload)

    def with_odd_fields(self) -> Iterator[tuple[str, Any, Any]]:
        """Path, what was there, and what is there in the payload meanwhile."""
        for way in list(_ways(self.record.payload)):
            if way[0] in OURS.get(self.record.source, ()):
                continue
            for odd in ODD:
                holder: Any = self.record.payload
                for step in way[:-1]:
                    holder = holder[step]
                before, holder[way[-1]] = holder[way[-1]], odd
                yield _path(way), before, odd
                holder[way[-1]] = before


def _ways(value: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """To each field, and of each list to the first item and what is in it."""
    if way:
        yield way
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _ways(inner, (*way, name))
    elif isinstance(value, list) and value:
        yield from _ways(value[0], (*way, 0))


def _path(way: Sequence[Any]) -> str:
    """pull_request.labels[].name"""
    return "".join("[]" if isinstance(step, int) else f".{step}" for step in way).lstrip(".")


def _read(of: Connector) -> Iterator[RawRecord]:
    with ConnectionHttp(of, patience=QUICK) as http:
        for resource in list(of.resources(http)):
            for kind in of.kinds[resource.kind]:
                for page in of.fetch(http, resource, kind, {}, now=LONG_AFTER):  # type: ignore[arg-type]
                    yield from page.records


def _richest(provider: str, records: Sequence[RawRecord]) -> list[Sample]:
    """The largest record of each source."""
    by_source: dict[str, RawRecord] = {}
    for record in records:
        known = by_source.get(record.source)
        if known is None or len(json.dumps(record.payload)) > len(json.dumps(known.payload)):
            by_source[record.source] = record
    return [Sample(provider, record) for record in by_source.values()]


@pytest.fixture(scope="module")
def samples() -> list[Sample]:
    token = {"token": TOKEN}
    crates = Incident(1, SHOP, "Crates are late", Urgency.HIGH, BEGIN + HOUR, BEGIN + 2 * HOUR, BEGIN + 3 * HOUR)
    history = replace(small_history(), incidents=(crates,))
    rules = {"deployments": "acme/*-rollout: environment={ENVIRONMENT}, service={SERVICE}"}
    events = {"deployments": "*/*: environment=production"}
    with ExitStack() as servers:
        github = servers.enter_context(GitHubServer(history, tokens=[Token(TOKEN, "ada")]))
        gitea = servers.enter_context(GiteaServer(history, token=TOKEN))
        azure = servers.enter_context(AzureServer(history, token=TOKEN))
        bitbucket = servers.enter_context(BitbucketServer(history, token=TOKEN))
        gitlab = servers.enter_context(GitLabServer(history, token=TOKEN))
        cloud = servers.enter_context(JiraServer(history, email="a@example.com", token=TOKEN))
        center = servers.enter_context(JiraServer(history, token=TOKEN))
        linear = servers.enter_context(LinearServer(history, token=TOKEN))
        linear.projects, linear.initiatives = [project(1)], [initiative(1)]
        harness = servers.enter_context(HarnessServer(history, token=TOKEN))
        jenkins = servers.enter_context(JenkinsServer(busy_history(), user="reader", token=TOKEN))
        pagerduty = servers.enter_context(PagerDutyServer(history, token=TOKEN))
        servicenow = servers.enter_context(ServiceNowServer(history, token=TOKEN))
        sonarqube = servers.enter_context(SonarQubeServer(history, token=TOKEN))
        jenkins_values = {"base_url": jenkins.url, "user": "reader", **rules}
        connectors = {
            "github over GraphQL": GitHub(Settings({"base_url": github.url, "use_graphql": "true"}, token)),
            "github over REST": GitHub(Settings({"base_url": github.url, "use_graphql": "false"}, token)),
            "gitea": Gitea(Settings({"base_url": gitea.url}, token)),
            "azure": AzureDevOps(Settings({"base_url": azure.url, "incidents": "Bug, tag=incident"}, token)),
            "bitbucket": Bitbucket(Settings({"base_url": bitbucket.url, "workspace": "acme"}, token)),
            "gitlab": GitLab(Settings({"base_url": gitlab.url}, token)),
            "jira cloud": Jira(Settings({"base_url": cloud.url, "email": "a@example.com"}, token)),
            "jira data center": Jira(Settings({"base_url": center.url}, token)),
            "linear": Linear(Settings({"base_url": linear.url}, token)),
            "harness": Harness(Settings({"base_url": harness.url, "account": "acme"}, token)),
            "jenkins": Jenkins(Settings(jenkins_values, token)),
            "pagerduty": PagerDuty(Settings({"base_url": pagerduty.url, **events}, token)),
            "servicenow": ServiceNow(
                Settings(
                    {"base_url": servicenow.url, "user": "reader", "deployments": "*: environment=production"}, token
                )
            ),
            "sonarqube": SonarQube(Settings({"base_url": sonarqube.url}, token)),
        }
        return [sample for name, of in connectors.items() for sample in _richest(name, list(_read(of)))]


def _deliveries(folder: Path) -> Iterator[Sample]:
    for file in sorted(folder.glob("*.json")):
        payload = json.loads(file.read_text(encoding="utf-8"))
        for record in records_of(file.name.partition(".")[0], payload) or ():
            yield Sample(f"github's webhook {file.name}", record)


def _problems(sample: Sample) -> Iterator[str]:
    """Cases in which a record is rejected for a field that does not define it, or a part is left out without a note."""
    defining = DEFINING[sample.record.source]
    usual = sample.drafts
    for path, before, odd in sample.with_odd_fields():
        where = f"{sample.provider}: {sample.record.source} with {path} = {json.dumps(odd)}"
        try:
            drafts = sample.drafts
        except SchemaError as problem:
            if path not in defining:
                yield f"{where}: {problem}"
            continue
        except Exception as fault:  # whatever it is, the record would be lost
            yield f"{where}: {fault!r}"
            continue
        if not drafts:
            yield f"{where}: no draft"
        elif path not in defining and drafts[0].external_id != usual[0].external_id:
            yield f"{where}: another record"
        elif _is_of_another_type(path, before, odd) and not _says_so(usual, drafts):
            yield f"{where}: says nothing"


def _is_of_another_type(path: str, before: Any, odd: Any) -> bool:
    """Ids are numbers here and texts there."""
    if (
        path == "board"
        or (path.lower().removesuffix(".value").endswith("id") and isinstance(odd, int | str))
        or path.startswith(FREE_FORM)
    ):
        return False
    return None not in (before, odd) and type(before) is not type(odd)


def _says_so(usual: Sequence[Draft], drafts: Sequence[Draft]) -> bool:
    """The field is not read, or the record names what was left out."""
    return any(draft.left_out for draft in drafts) or list(drafts) == list(usual)


def test_one_odd_field_throws_out_no_record(samples: list[Sample]) -> None:
    assert {sample.record.source for sample in samples} >= DEFINING.keys() - {"review", "workflow_job"}
    problems = [problem for sample in samples for problem in _problems(sample)]
    assert not problems, "\n".join(problems)


def test_one_odd_field_throws_out_no_delivery(test_data: Path) -> None:
    problems = [problem for sample in _deliveries(test_data / "github-webhooks") for problem in _problems(sample)]
    assert not problems, "\n".join(problems)
