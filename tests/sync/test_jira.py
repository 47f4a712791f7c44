"""The engine with a real connector: Jira, simulated over HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

from demo.plan.delivery import Repository
from demo.providers import faults
from demo.providers.faults import Fault
from demo.providers.jira_issues import DONE
from demo.providers.jira_server import JiraServer
from integrations.connectors.http import ConnectionHttp
from integrations.delivery.mappings.effective import Subject
from integrations.delivery.mappings.values_seen import values_seen
from integrations.models import (
    Connection,
    Quota,
    Sprint,
    SprintChange,
    Stream,
    WorkItem,
    WorkItemAssignment,
    WorkItemTransition,
)
from integrations.sync.slices import run_next_slice
from tests.connectors.jira.reading import EMAIL, connector
from tests.connectors.reading import QUICK, TOKEN
from tests.demo.small_history import BEGIN, SHOP, small_history
from tests.sync.simulated import JIRA

MOST_REQUESTS = 3  # of a stream in which nothing happened


@pytest.fixture
def jira() -> Iterator[JiraServer]:
    with JiraServer(small_history(), email=EMAIL, token=TOKEN) as server:
        yield server


def printed(*words: str) -> Any:
    out = StringIO()
    call_command(*words, "--json", stdout=out)
    return json.loads(out.getvalue())


def connected(jira: JiraServer) -> None:
    words = ("--set", f"base_url={jira.url}", "--set", f"email={EMAIL}", "--set", f"token={TOKEN}")
    printed("connect", "jira", "--name", "Jira", *words)


def counts() -> dict[str, int]:
    kinds = (WorkItem, WorkItemTransition, WorkItemAssignment, Sprint, SprintChange)
    return {kind.__name__: kind.objects.count() for kind in kinds}


@pytest.mark.django_db
def test_a_project_is_synced_with_its_history_and_a_second_time_nothing_changes(jira: JiraServer) -> None:
    connected(jira)
    first = printed("sync", "--wait")["resources"]
    assert {result["state"] for result in first} == {"done"}, first
    assert sum(result["quarantined"] for result in first) == 0
    stored = counts()
    assert (stored["WorkItem"], stored["WorkItemTransition"]) == (2, 3)
    assert stored["Sprint"] > 1

    for result in printed("sync", "--wait")["resources"]:
        assert (result["added"], result["changed"], result["removed"]) == (0, 0, 0), result
        assert result["requests"] <= MOST_REQUESTS, result
    for result in printed("sync", "--wait", "--full")["resources"]:
        assert (result["added"], result["changed"], result["removed"]) == (0, 0, 0), result
    assert counts() == stored
    assert not Connection.objects.exclude(problem="").exists()


@pytest.mark.django_db
def test_an_item_has_its_stages_estimate_and_people(jira: JiraServer) -> None:
    connected(jira)
    printed("sync", "--wait")
    done = WorkItem.objects.get(key="SHOP-1")
    assert (done.native_type, done.native_status, done.status_category) == ("Story", "Done", "done")
    assert done.estimate == 2.0
    assert done.url == f"{jira.url}/browse/SHOP-1"
    assignments = WorkItemAssignment.objects.filter(work_item=done).order_by("at")
    emails = assignments.values_list("assignee__person__email", flat=True)  # of whom the changelog has ids alone
    assert list(emails) == ["max@example.com", None, "ada@example.com"]
    reopened = WorkItem.objects.get(key="SHOP-7")
    assert (reopened.native_type, reopened.status_category, reopened.resolved_at) == ("Bug", "todo", None)


@pytest.mark.django_db
def test_an_issue_that_moves_to_another_project_stays_one_item_with_its_history(jira: JiraServer) -> None:
    web = Repository(102, "web", BEGIN)
    jira.show(replace(small_history(), repositories=(SHOP, web)), jira.at)
    with ConnectionHttp(connector(jira), patience=QUICK) as http:
        fields = {"project": {"id": "101"}, "summary": "Weigh it", "issuetype": {"id": "10", "name": "Task"}}
        key = http.post("rest/api/3/issue", json={"fields": fields}).json()["key"]
    issue = jira.written.by_key(key)
    assert issue is not None
    connected(jira)
    printed("sync", "--wait")
    before = WorkItem.objects.get(key=key)
    jira.written.put(issue, DONE)
    jira.written.move(issue, {"id": "102", "key": "WEB"})
    for words in ((), ("--full",)):
        results = printed("sync", "--wait", *words)["resources"]
        assert sum(result["added"] + result["removed"] for result in results) == 0, results
        moved = WorkItem.objects.get(pk=before.pk)
        assert (moved.key, moved.former_keys, moved.project.key) == (f"WEB-{issue['id']}", [key], "WEB")
        assert (moved.deleted_at, moved.transitions.count(), moved.status_category) == (None, 1, "done")


@pytest.mark.django_db
def test_a_limit_of_one_endpoint_holds_no_other_up() -> None:
    with JIRA.serve() as server:
        JIRA.connect(server)
        server.faults = [Fault(faults.too_many_requests(retry_after=3600), path=JIRA.lists, times=None)]
        while run_next_slice() is not None:
            pass
    assert list(Quota.objects.exclude(blocked_until=None).values_list("budget", flat=True)) == ["search"]
    assert Sprint.objects.exists()
    assert not WorkItem.objects.exists()
    assert set(Stream.objects.values_list("failures", flat=True)) == {0}


@pytest.mark.django_db
def test_statuses_and_types_are_shown_with_what_they_mean_by_default(jira: JiraServer) -> None:
    connected(jira)
    printed("sync", "--wait")
    connection = Connection.objects.get()
    assert {value.word: value.by_default for value in values_seen(connection, Subject.STATUS)} == {
        "Done": "done",
        "To Do": "todo",
    }
    assert {value.word: value.by_default for value in values_seen(connection, Subject.ITEM_TYPE)} == {
        "Bug": "bug",
        "Story": "feature",
    }
    WorkItem.objects.filter(key="SHOP-7").update(native_status="Done", provider_category="in_progress")
    (done,) = (value for value in values_seen(connection, Subject.STATUS) if value.word == "Done")
    assert (done.by_default, done.means) == ("done or in_progress", "done or in_progress")
