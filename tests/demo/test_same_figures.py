"""One history gives the same figures, whichever tools it comes from.

Once GitHub has all of it, with incidents that a script pushes; once people plan in Jira, build and deploy in Jenkins,
are called by PagerDuty, and GitHub has their code alone; once they code, build and deploy at Bitbucket and plan in
Linear; once they build and deploy in Harness, and ServiceNow has their incidents, beside a change request for each
deployment to production.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import transaction
from django.test import Client

from demo.load.begin import begin_demo
from demo.load.ownership import confirm_demo_owners
from demo.plan.commits import plan_commits
from demo.plan.delivery import (
    Attempt,
    Commit,
    DeliveryHistory,
    DeploymentState,
    Job,
    Outcome,
    PipelineRun,
    Workflow,
)
from demo.plan.delivery_history import demo_history
from demo.plan.history import write_repository
from demo.plan.people import CHECKOUT, TOOLING
from demo.plan.pushing import pushed_record
from demo.plan.repositories import CODE_HOST, ORGANISATION_LOGIN, REPOSITORIES, project_key
from demo.plan.stories import Flavour
from demo.plan.year import DemoYear
from demo.providers.bitbucket_server import BitbucketServer
from demo.providers.github_access import Token
from demo.providers.github_server import GitHubServer
from demo.providers.harness_server import HarnessServer
from demo.providers.jenkins_server import JenkinsServer
from demo.providers.jira_server import JiraServer
from demo.providers.linear_server import LinearServer
from demo.providers.pagerduty_server import PagerDutyServer
from demo.providers.servicenow_server import USER, ServiceNowServer
from insights.catalogue.registry import metrics
from insights.engine.read import UnitQueries, read_together
from insights.query.query import Answer, Granularity, Query, Window
from integrations.connectors.base import Settings
from integrations.delivery.recompute import recompute_waiting_pull_requests
from integrations.delivery.records.sprint import ESTIMATED_APART, report_of_sprint
from integrations.models import Connection, Deployment, IngestScope, Sprint, UnplacedRecord
from integrations.sync.connect import connect
from integrations.sync.resources import discover_resources
from integrations.telemetry.otlp.ingest_tokens import create_ingest_token
from orgtree.access.access import access_of
from orgtree.identities.match_identities import match_identities
from orgtree.models import Unit
from tests.golden.lines import Part, figure_parts
from tests.personas import EXECUTIVE, create_user
from tests.sync.readings import read_through

END = datetime(2026, 11, 20, 15, 30, tzinfo=UTC)
WEEKS = 16
BUILT = [repository for repository in REPOSITORIES if repository.team in (CHECKOUT, TOOLING)]
SERVICES = {repository.name: repository.service for repository in BUILT if repository.service}
WEB = f"https://{CODE_HOST}"
SECRET = "secret_of_the_tests"
HARNESS_DEPLOYS = "*: environment={environment}, repository={image}, sha={tag}, unplanned={hotfix}"
CHANGES = "\n".join(
    f"{service}/*: environment=production, repository={ORGANISATION_LOGIN}/{name}" for name, service in SERVICES.items()
)
DEPLOYS = f"{ORGANISATION_LOGIN}/*-rollout: environment={{ENVIRONMENT}}, service={{SERVICE}}, unplanned={{HOTFIX}}"

# Metrics that a provider cannot tell, and why.
DIFFER: Mapping[str, str] = {
    "backlog.health": "GitHub's issues have no estimates.",
    "ci.queue_time": "GitHub's jobs each wait for a runner; a build of Jenkins waits once, before it begins.",
    **{
        metric.key: "Iterations of GitHub's projects are not read."
        for metric in metrics()
        if metric.key.startswith(("sprint.", "estimate."))
    },
}

# Metrics that Bitbucket cannot tell, and why.
DIFFER_AT_BITBUCKET: Mapping[str, str] = {
    **dict.fromkeys(
        ("ci.duration", "ci.wait_per_pull_request"),
        "A run of GitHub begins when it is triggered, one of Bitbucket with its first step.",
    ),
    "dora.rework_rate": "Bitbucket does not say that a deployment was unplanned, and its pull requests have no labels.",
}

# Metrics that Harness cannot tell, and why.
DIFFER_AT_HARNESS: Mapping[str, str] = {
    "ci.duration": "A run of GitHub begins when it is triggered, an execution of Harness once it has waited.",
    "ci.queue_time": "GitHub's jobs each wait for a runner; an execution of Harness waits once, before it begins.",
}

# What the history has enough of to compare.
SHOWN = frozenset(
    {
        *(
            "dora.deployment_frequency",
            "dora.lead_time",
            "dora.change_failure_rate",
            "dora.recovery_time",
            "dora.rework_rate",
        ),
        *("pr.cycle_time", "pr.pickup_time", "pr.linked_rate", "pr.failed_runs", "ci.success_rate", "ci.flaky_rate"),
        *("issue.lead_time", "issue.cycle_time", "flow.efficiency", "wip.age", "bug.ratio", "work.delivered"),
        *("incident.count", "incident.mttr", "backlog.age", "ci.duration", "ci.wait_per_pull_request"),
    }
)
Figures = dict[tuple[str, str, str, str], Mapping[str, Part]]  # of metric, unit, window and segment


@pytest.fixture(scope="module")
def year() -> DemoYear:
    return DemoYear(seed=1, flavour=Flavour.SMALL_STORIES, anchor=END)


@pytest.fixture(scope="module")
def history(year: DemoYear, tmp_path_factory: pytest.TempPathFactory) -> DeliveryHistory:
    folder = tmp_path_factory.mktemp("repositories")
    planned = plan_commits(year, (session for week in range(year.weeks) for session in year.sessions_of_week(week)))
    for repository in BUILT:
        write_repository(folder / repository.name, year, repository, planned[repository.name])
    return demo_history(year, folder, BUILT)


@pytest.mark.django_db
def test_one_history_has_the_same_figures_from_github_alone_and_from_four_tools(history: DeliveryHistory) -> None:
    alone, together = _figures(history, _by_github_alone), _figures(history, _by_four_tools)
    assert {key for (key, *_), parts in alone.items() if parts["sample"]} >= SHOWN
    different = {
        place: (alone.get(place), together.get(place))
        for place in sorted(alone.keys() | together.keys())
        if alone.get(place) != together.get(place) and place[0] not in DIFFER
    }
    assert not different, f"{len(different)} differ: {dict(list(different.items())[:10])}"


@pytest.mark.django_db
def test_one_history_has_the_same_figures_from_github_alone_and_from_bitbucket_and_linear(
    history: DeliveryHistory,
) -> None:
    alone, together = _figures(history, _by_github_alone), _figures(history, _by_bitbucket_and_linear)
    different = {
        place: (alone.get(place), together.get(place))
        for place in sorted(alone.keys() | together.keys())
        if alone.get(place) != together.get(place) and place[0] not in {*DIFFER, *DIFFER_AT_BITBUCKET}
    }
    assert not different, f"{len(different)} differ: {dict(list(different.items())[:10])}"
    assert {key for (key, *_), parts in together.items() if parts["sample"]} >= SHOWN


@pytest.mark.django_db
def test_one_history_has_the_same_figures_from_github_alone_and_with_harness_and_servicenow(
    history: DeliveryHistory,
) -> None:
    alone, together = _figures(history, _by_github_alone), _figures(history, _by_harness_and_servicenow)
    different = {
        place: (alone.get(place), together.get(place))
        for place in sorted(alone.keys() | together.keys())
        if alone.get(place) != together.get(place) and place[0] not in DIFFER_AT_HARNESS
    }
    assert not different, f"{len(different)} differ: {dict(list(different.items())[:10])}"
    assert {key for (key, *_), parts in together.items() if parts["sample"]} >= SHOWN


@pytest.mark.django_db
def test_jiras_own_reports_of_sprints_differ_for_reasons_of_its_rules_alone(history: DeliveryHistory) -> None:
    with (
        time_machine.travel(END),
        JiraServer(history, email="reader@example.com", token=SECRET) as jira,
    ):
        _read("jira", "Jira", {"base_url": jira.url, "email": "reader@example.com"})
        viewer = access_of(create_user(EXECUTIVE))
        closed = Sprint.objects.filter(figures__closed_at__isnull=False, reported__isnull=False).distinct()
        reports = [report_of_sprint(sprint, [sprint], viewer).reported for sprint in closed.select_related("figures")]
    assert len(reports) >= 8
    assert sum(amount.theirs.items for report in reports for amount in report if amount.name == "delivered") > 15
    reasons = Counter(reason for report in reports for amount in report for reason in amount.reasons)
    assert reasons.keys() <= {
        *("entered within the grace", "taken out within the grace", "done before the sprint began"),
        ESTIMATED_APART,
    }
    for report in reports:
        for amount in report:
            assert amount.reasons or amount.theirs == amount.ours, amount


def _figures(history: DeliveryHistory, tell: Callable[[DeliveryHistory], None]) -> Figures:
    """Figures of everybody and each unit, for all time and by week."""
    with _undone(), time_machine.travel(END):
        begin_demo(seed=1, flavour=Flavour.SMALL_STORIES, now=END)
        tell(history)
        match_identities()
        recompute_waiting_pull_requests()
        confirm_demo_owners()
        recompute_waiting_pull_requests()
        assert not UnplacedRecord.objects.exists()
        return _answered()


def _by_github_alone(history: DeliveryHistory) -> None:
    with GitHubServer(_with_rollouts(_naming_github(history)), tokens=[Token(SECRET, "reader")], web=WEB) as github:
        _read("github", "GitHub", {"base_url": github.url})
    _push_incidents(history)


def _push_incidents(history: DeliveryHistory) -> None:
    secret = create_ingest_token("Pager", scope=IngestScope.PUSH)[1]
    answer = Client().post(
        "/ingest/v1/incidents/",
        json.dumps({"records": [pushed_record(incident) for incident in history.incidents]}),
        content_type="application/json",
        headers={"authorization": f"Bearer {secret}"},
    )
    assert answer.status_code == 200, answer.content
    assert not [result for result in answer.json()["results"] if result["error"]]


def _naming_github(history: DeliveryHistory) -> DeliveryHistory:
    """With #12 where people wrote the key of Jira's CHECKOUT-12."""
    keys = re.compile(rf"({'|'.join(project_key(repository.name) for repository in BUILT)})-([0-9]+)")

    def named(commits: tuple[Commit, ...]) -> tuple[Commit, ...]:
        return tuple(replace(commit, message=keys.sub(r"#\2", commit.message)) for commit in commits)

    return replace(
        history,
        commits={name: named(commits) for name, commits in history.commits.items()},
        pull_requests=tuple(
            replace(
                pull_request,
                title=keys.sub(r"#\2", pull_request.title),
                body=keys.sub(r"#\2", pull_request.body),
                commits=named(pull_request.commits),
                happenings=tuple(replace(event, commits=named(event.commits)) for event in pull_request.happenings),
            )
            for pull_request in history.pull_requests
        ),
    )


def _with_rollouts(history: DeliveryHistory) -> DeliveryHistory:
    """With a run for each deployment, which is a build at Jenkins: there it is called after its environment, too."""
    environments = sorted({deployment.environment for deployment in history.deployments})
    runs: list[PipelineRun] = []
    for deployment in history.deployments:
        began, ended = (status.at for status in deployment.statuses[1:3])
        outcome = Outcome.SUCCESS if deployment.statuses[2].state is DeploymentState.SUCCESS else Outcome.FAILURE
        position = 5 + environments.index(deployment.environment)
        workflow = Workflow(deployment.repository.id * 10 + position, f"Rollout to {deployment.environment}", "")
        job = Job(deployment.id * 10, "Go", began, began, ended, outcome)
        runs.append(
            PipelineRun(
                id=deployment.id * 10,
                number=len(runs) + 1,
                repository=deployment.repository,
                workflow=workflow,
                trigger="workflow_dispatch",
                commit=Commit(deployment.sha, (), deployment.by, "", "", began, began, "Rollout"),
                branch=deployment.ref,
                by=deployment.by,
                created_at=began,
                attempts=(Attempt(1, deployment.by, began, ended, outcome, (job,)),),
            )
        )
    return replace(history, runs=tuple(sorted((*history.runs, *runs), key=lambda run: (run.created_at, run.id))))


def _by_four_tools(history: DeliveryHistory) -> None:
    code = replace(history, issues=(), runs=(), deployments=())
    with ExitStack() as running:
        github = running.enter_context(GitHubServer(code, tokens=[Token(SECRET, "reader")], web=WEB))
        jira = running.enter_context(JiraServer(history, email="reader@example.com", token=SECRET))
        jenkins = running.enter_context(
            JenkinsServer(history, user="reader", token=SECRET, path="/ci", code_host=f"{WEB}/{ORGANISATION_LOGIN}")
        )
        pagerduty = running.enter_context(PagerDutyServer(history, token=SECRET, services=SERVICES))
        _read("github", "GitHub", {"base_url": github.url})
        _read("jira", "Jira", {"base_url": jira.url, "email": "reader@example.com"})
        libraries = "*/jenkins-library"
        rules = {"base_url": jenkins.url, "user": "reader", "deployments": DEPLOYS, "libraries": libraries}
        _read("jenkins", "Jenkins", rules)
        _read("pagerduty", "PagerDuty", {"base_url": pagerduty.url})


def _by_bitbucket_and_linear(history: DeliveryHistory) -> None:
    code = replace(_with_rollouts(history), issues=())
    with ExitStack() as running:
        bitbucket = running.enter_context(BitbucketServer(code, token=SECRET, web=WEB))
        linear = running.enter_context(LinearServer(history, token=SECRET))
        _read("bitbucket", "Bitbucket", {"base_url": bitbucket.url, "workspace": ORGANISATION_LOGIN})
        _read("linear", "Linear", {"base_url": linear.url})
    _push_incidents(history)


def _by_harness_and_servicenow(history: DeliveryHistory) -> None:
    """Every change request is set apart, since Harness reports the deployments."""
    code = replace(_naming_github(history), runs=(), deployments=())
    with ExitStack() as running:
        github = running.enter_context(GitHubServer(code, tokens=[Token(SECRET, "reader")], web=WEB))
        host = f"{WEB}/{ORGANISATION_LOGIN}"
        harness = running.enter_context(HarnessServer(history, token=SECRET, services=SERVICES, code_host=host))
        servicenow = running.enter_context(ServiceNowServer(history, token=SECRET, services=SERVICES))
        _read("github", "GitHub", {"base_url": github.url})
        _read("harness", "Harness", {"base_url": harness.url, "account": "acme", "deployments": HARNESS_DEPLOYS})
        _read("servicenow", "ServiceNow", {"base_url": servicenow.url, "user": USER, "deployments": CHANGES})
    changes = Deployment.objects.filter(connection__provider="servicenow")
    assert changes.count() >= 40
    assert not changes.exclude(exclusion_reason="change").exists()


def _read(provider: str, name: str, settings: dict[str, str]) -> Connection:
    connection = connect(provider, name, Settings(settings, {"token": SECRET}))
    discover_resources(connection)
    read_through(connection)
    return connection


def _answered() -> Figures:
    window = Window(END.date() - timedelta(weeks=WEEKS), END.date())
    queries = [Query(metric.key, window, Granularity.WEEK) for metric in metrics()]
    units = dict(Unit.objects.values_list("pk", "slug"))
    answers = read_together(series=queries, units=[UnitQueries(queries, sorted(units), of_buckets=True)])
    by_scope = {"everybody": answers.series} | {units[pk]: of_unit for pk, of_unit in answers.units[0].items()}
    return {
        place: parts
        for scope, of_scope in by_scope.items()
        for answer in of_scope
        for place, parts in _parts(scope, answer)
    }


def _parts(scope: str, answer: Answer) -> Iterator[tuple[tuple[str, str, str, str], Mapping[str, Part]]]:
    for name, figures in (("total", answer.total), ("week", answer.series)):
        for figure in figures:
            segment = " ".join(f"{key}={value}" for key, value in sorted(figure.segment.items()))
            yield (answer.query.key, scope, f"{name} {figure.window.start}", segment), figure_parts(figure)


@contextmanager
def _undone() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
