"""One history gives the same figures, whichever tools it comes from.

Once from the tools of the demo as it is loaded by default, once from those of each of its flavours, connected as the
demo connects them, and once from GitHub alone, with incidents that a script pushes.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import transaction
from django.test import Client
from pytest_django import DjangoDbBlocker

from demo.load.begin import begin_demo
from demo.load.identities import confirm_demo_people
from demo.load.ownership import confirm_demo_owners
from demo.load.tools import SETTINGS
from demo.plan.commits import plan_commits
from demo.plan.delivery import DeliveryHistory
from demo.plan.delivery_history import demo_history
from demo.plan.history import write_repository
from demo.plan.people import CHECKOUT, DATA, TOOLING
from demo.plan.pushing import pushed_record
from demo.plan.repositories import BUILT_APART, REPOSITORIES
from demo.plan.stories import Flavour
from demo.plan.tools import AGENTS, PUSHED, Tools
from demo.plan.year import DemoYear
from demo.providers.github_access import Token
from demo.providers.github_server import GitHubServer
from demo.providers.jira_server import JiraServer
from demo.providers.parts import naming_numbers, with_rollouts
from demo.providers.serve import DemoTools, server_of
from insights.catalogue.registry import metrics
from insights.engine.read import UnitQueries, read_together
from insights.query.query import Answer, Granularity, Query, Window
from integrations.connectors.base import Settings
from integrations.delivery.recompute import recompute_waiting_pull_requests
from integrations.delivery.records.sprint import ESTIMATED_APART, report_of_sprint
from integrations.models import Connection, IngestScope, Sprint, UnplacedRecord
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
BUILT = [repository for repository in REPOSITORIES if repository.team in (CHECKOUT, DATA, TOOLING)]
SECRET = "secret_of_the_tests"

# Metrics that GitHub alone cannot tell, and why.
DIFFER: Mapping[str, str] = {
    "backlog.health": "GitHub's issues have no estimates.",
    "ci.queue_time": "GitHub's jobs each wait for a runner; a build of Jenkins waits once, before it begins.",
    **{
        metric.key: "Iterations of GitHub's projects are not read."
        for metric in metrics()
        if metric.key.startswith(("sprint.", "estimate."))
    },
}


def _because(reason: str, *beginnings: str) -> Mapping[str, str]:
    """The metrics whose keys begin with one of these, with the reason for which they differ."""
    return {metric.key: reason for metric in metrics() if metric.key.startswith(beginnings)}


_OF_GITHUB = _because("Code scanning alerts are GitHub's own.", "code_scanning.")
_OF_JENKINS = _because(DIFFER["ci.queue_time"], "ci.queue_time")
_UNPLANNED = _because("Deployments do not say that they were unplanned, as GitHub's and Jenkins'.", "dora.rework_rate")
_OF_CLONES = ("ai.committed", "ai.enabled_repositories", "ai.lines", "commit.", "pr.complexity", "pr.size")

# By flavour of the demo, the metrics that its tools cannot tell as the default ones do, and why.
DIFFER_IN_FLAVOURS: Mapping[Flavour, Mapping[str, str]] = {
    Flavour.GITLAB: {
        **_OF_GITHUB,
        **_OF_JENKINS,
        **_UNPLANNED,
        **_because("A pipeline has no attempts: they are those of jobs that were tried again.", "ci.duration"),
    },
    Flavour.AZURE: {
        **_OF_GITHUB,
        **_UNPLANNED,
        **_because("A deployment is a stage of a build, which is a run.", "ci."),
        **_because("The API has no lines and no commits of branches: the demo has them from clones.", *_OF_CLONES),
        **_because(
            "The same: who worked is not known.",
            "pr.merged_per",
            "pr.review_depth",
            "review.given_per",
            "work.delivered_per",
        ),
    },
    Flavour.BITBUCKET_LINEAR: {
        **_OF_GITHUB,
        **_OF_JENKINS,
        **_UNPLANNED,
        **_because("A run begins with its first step.", "ci.duration", "ci.wait_per_pull_request"),
    },
    Flavour.HARNESS_SERVICENOW: {
        **_OF_JENKINS,
        **_because("An execution begins once it has waited.", "ci.duration"),
    },
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


Reading = Callable[[DeliveryHistory], None]


@pytest.fixture(scope="module")
def of_default(history: DeliveryHistory, django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Figures:
    """The figures of the demo as it is loaded by default."""
    with django_db_blocker.unblock():
        return _figures(history, _by_tools_of(Flavour.SMALL_STORIES), Tools())


@pytest.mark.django_db
@pytest.mark.parametrize("flavour", DIFFER_IN_FLAVOURS)
def test_the_history_of_the_demo_has_the_same_figures_in_every_flavour(
    history: DeliveryHistory, of_default: Figures, flavour: Flavour
) -> None:
    _assert_same(of_default, _figures(history, _by_tools_of(flavour), flavour.tools), DIFFER_IN_FLAVOURS[flavour])


@pytest.mark.django_db
def test_one_history_has_the_same_figures_from_github_alone(history: DeliveryHistory, of_default: Figures) -> None:
    _assert_same(of_default, _figures(history, _by_github_alone, Tools()), DIFFER)


def _assert_same(of_default: Figures, figures: Figures, differ: Mapping[str, str]) -> None:
    different = {
        place: (of_default.get(place), figures.get(place))
        for place in sorted(of_default.keys() | figures.keys())
        if of_default.get(place) != figures.get(place) and place[0] not in differ
    }
    assert not different, f"{len(different)} differ: {dict(list(different.items())[:10])}"
    assert {key for (key, *_), parts in figures.items() if parts["sample"]} >= SHOWN - differ.keys()


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


def _figures(history: DeliveryHistory, read: Reading, tools: Tools) -> Figures:
    """Figures of everybody and each unit, for all time and by week."""
    with _undone(), time_machine.travel(END):
        begin_demo(seed=1, flavour=Flavour.SMALL_STORIES, now=END)
        read(history)
        match_identities()
        confirm_demo_people()
        recompute_waiting_pull_requests()
        confirm_demo_owners(tools)
        recompute_waiting_pull_requests()
        assert not UnplacedRecord.objects.exists()
        return _answered()


def _by_github_alone(history: DeliveryHistory) -> None:
    shown = with_rollouts(naming_numbers(history), BUILT_APART)
    with GitHubServer(shown, tokens=[Token(SECRET, "reader")], web=f"https://{Tools().host}") as github:
        _read("github", "GitHub", {"base_url": github.url, **SETTINGS["github"]})
    _push_incidents(history, Tools())


def _push_incidents(history: DeliveryHistory, tools: Tools) -> None:
    secret = create_ingest_token("Pager", scope=IngestScope.PUSH)[1]
    answer = Client().post(
        "/ingest/v1/incidents/",
        json.dumps({"records": [pushed_record(incident, tools) for incident in history.incidents]}),
        content_type="application/json",
        headers={"authorization": f"Bearer {secret}"},
    )
    assert answer.status_code == 200, answer.content
    assert not [result for result in answer.json()["results"] if result["error"]]


def _by_tools_of(flavour: Flavour) -> Reading:
    """The tools that the demo has in a flavour, each connected as the demo connects it."""

    def read(history: DeliveryHistory) -> None:
        ports = dict.fromkeys(flavour.tools.providers, 0)
        tools = DemoTools(1, flavour, END.isoformat(), "UTC", "/nowhere", ports, SECRET)
        for provider in reversed(flavour.tools.providers):
            if provider != AGENTS:
                with server_of(provider, tools, history) as server:
                    _read(provider, provider, {"base_url": server.url, **SETTINGS[provider]})
        if flavour.tools.incidents == PUSHED:
            _push_incidents(history, flavour.tools)

    return read


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
