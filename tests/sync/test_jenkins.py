"""The engine with a real connector: Jenkins, simulated over HTTP, whose builds are of a known repository."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

from demo.providers import faults
from demo.providers.faults import Fault
from demo.providers.jenkins_server import JenkinsServer
from integrations.connectors.base import Settings
from integrations.connectors.jenkins import records
from integrations.models import Connection, Deployment, PipelineJob, PipelineRun, PipelineRunFigures, Repository
from integrations.sync import clients
from integrations.sync.connect import InvalidConnectionError, connect
from integrations.sync.resources import discover_resources
from tests.connectors.jenkins.conftest import ROLLOUTS, busy_history
from tests.connectors.jenkins.reading import ROLLOUT, RULE, USER
from tests.connectors.reading import QUICK, TOKEN
from tests.demo.small_history import small_history
from tests.sync.readings import read_through

MOST_REQUESTS = 3  # of a stream in which nothing happened


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients, "PATIENCE", QUICK)
    monkeypatch.setattr(records, "STAGES_WITHIN", timedelta(days=36_500))  # the history is of a certain March


@pytest.fixture
def jenkins() -> Iterator[JenkinsServer]:
    with JenkinsServer(small_history(), user=USER, token=TOKEN, path="/ci") as server:
        yield server


def printed(*words: str) -> Any:
    out = StringIO()
    call_command(*words, "--json", stdout=out)
    return json.loads(out.getvalue())


def connected(jenkins: JenkinsServer, name: str = "Jenkins", *, rules: str = RULE) -> Connection:
    """A connection with builds of a known repository."""
    Repository.objects.get_or_create(name="acme/shop", remote="github.com/acme/shop")
    values = {"base_url": jenkins.url, "user": USER, "deployments": rules, "libraries": "jenkins-library"}
    return connect("jenkins", name, Settings(values, {"token": TOKEN}))


def stored(connection: Connection) -> dict[str, list[Any]]:
    own = {"id", "connection_id", "run_id", "pipeline_run_id", "first_seen_at", "part_of_id", "exclusion_reason"}
    tables: dict[str, list[Any]] = {}
    for model, path in ((PipelineRun, ""), (PipelineJob, "run__"), (Deployment, "")):
        names = [field.attname for field in model._meta.concrete_fields if field.attname not in own]
        rows = model._default_manager.filter(**{f"{path}connection": connection})
        tables[model.__name__] = sorted(rows.values_list(f"{path}external_id", *names), key=repr)
    return tables


@pytest.mark.django_db
def test_builds_are_synced_and_a_second_time_nothing_changes(jenkins: JenkinsServer) -> None:
    connection = connected(jenkins)
    first = printed("sync", "--wait")["resources"]
    assert {result["state"] for result in first} == {"done"}, first
    assert sum(result["quarantined"] for result in first) == 0
    tables = stored(connection)
    assert {name: len(rows) for name, rows in tables.items()} == {"PipelineRun": 6, "PipelineJob": 9, "Deployment": 3}

    for words in (("sync", "--wait"), ("sync", "--wait", "--full")):
        for result in printed(*words)["resources"]:
            assert (result["added"], result["changed"], result["removed"]) == (0, 0, 0), result
            assert words[-1] == "--full" or result["requests"] <= MOST_REQUESTS, result
    assert stored(connection) == tables
    assert not Connection.objects.exclude(problem="").exists()


@pytest.mark.django_db
def test_a_replayed_build_is_an_attempt_of_the_first(jenkins: JenkinsServer) -> None:
    connected(jenkins)
    printed("sync", "--wait")
    first, second = PipelineRun.objects.filter(name="acme/shop-ci").order_by("attempt")
    assert (first.run, first.attempt, second.attempt) == (second.run, 1, 2)
    figures = PipelineRunFigures.objects.get(run=second)
    assert (figures.is_last, figures.attempts, figures.is_flaky) == (True, 2, True)


@pytest.mark.django_db
def test_a_build_deploys_to_where_its_parameter_says_and_counts_once(jenkins: JenkinsServer) -> None:
    connected(jenkins)
    printed("sync", "--wait")
    deployments = Deployment.objects.order_by("finished_at")
    assert [(one.environment, one.status) for one in deployments] == [
        ("staging", "success"),
        ("production", "failure"),
        ("production", "success"),
    ]
    assert {one.pipeline_run_id for one in deployments} == {None}
    assert {one.run for one in deployments} == {
        run.run for run in PipelineRun.objects.filter(name__startswith="acme/shop-rollout")
    }


@pytest.mark.django_db
def test_without_a_rule_the_name_of_a_job_decides(jenkins: JenkinsServer) -> None:
    jenkins.rename(ROLLOUT, "acme/deploy-prod")
    connected(jenkins, rules="")
    printed("sync", "--wait")
    assert set(Deployment.objects.values_list("environment", "native_environment")) == {
        ("production", "acme/deploy-prod")
    }


@pytest.mark.django_db
def test_deployments_that_no_rule_makes_any_more_go_and_come_back(jenkins: JenkinsServer) -> None:
    connection = connected(jenkins)
    printed("sync", "--wait")
    present = Deployment.objects.filter(deleted_at=None)
    assert present.count() == 3
    for rules, count in (("acme/shop-rollout: environment={REGION}", 0), (RULE, 3)):
        connection.settings = {**Connection.objects.get(pk=connection.pk).settings, "deployments": rules}
        connection.save(update_fields=["settings"])
        printed("sync", "--wait")
        assert present.filter(pipeline_run=None).count() == count


@pytest.mark.django_db
def test_a_rule_that_cannot_be_read_is_refused_in_the_form(jenkins: JenkinsServer) -> None:
    with pytest.raises(InvalidConnectionError, match="Line 1 names no environment") as refused:
        connected(jenkins, rules="acme/*: service=shop")
    assert list(refused.value.problems) == ["deployments"]
    assert not Connection.objects.filter(provider="jenkins").exists()


@pytest.mark.django_db
def test_two_controllers_with_one_job_keep_their_builds_apart(jenkins: JenkinsServer) -> None:
    with JenkinsServer(small_history(), user=USER, token=TOKEN) as other:
        one, two = connected(jenkins, "Jenkins 1"), connected(other, "Jenkins 2")
        printed("sync", "--wait")
    assert PipelineRun.objects.filter(connection=one).count() == PipelineRun.objects.filter(connection=two).count() == 6


@pytest.mark.django_db
def test_faults_leave_the_same_tables() -> None:
    with JenkinsServer(busy_history(), user=USER, token=TOKEN) as jenkins:
        usual = connected(jenkins, "Without faults")
        discover_resources(usual)
        read_through(usual)
        tables = stored(usual)
        assert len(tables["Deployment"]) == ROLLOUTS + 3
        jenkins.faults = [
            Fault(faults.too_many_requests(retry_after=0), path="allBuilds", nth=2, times=2),
            Fault(faults.bad_gateway(), path="wfapi", nth=3, times=2),
            Fault(faults.truncated(), path="allBuilds", nth=4, times=2),
            Fault(faults.cut_short(), path="wfapi", nth=9),
        ]
        disturbed = connected(jenkins, "With faults")
        discover_resources(disturbed)
        read_through(disturbed)
    assert stored(disturbed) == tables
