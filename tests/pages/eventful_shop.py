"""A shop in whose last weeks everything happened that the delivery page measures."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from django.utils import timezone

from integrations.code.git.line_history import sync_line_histories
from integrations.sync.git.connect import connect_git
from integrations.sync.git.read_source import sync_source
from tests.code.git.repositories import ADA, BEN, Repo
from tests.org import Org
from tests.pages.delivering import DEPLOYED, REPOSITORY, at, day_before, deployed, merged, records

BRANCH_LEFT_LYING = 70  # days: stale branches are older than any notion of it


def tell_of_everything(org: Org, folder: Path) -> None:
    """Changes, failures and their repair, work items, pipeline runs, and a clone with reworked lines."""
    tell_of_deliveries(org)
    tell_of_work(org)
    tell_of_pipelines(org)
    tell_of_reports(org)
    read_a_clone(org, folder)


def tell_of_deliveries(org: Org) -> None:
    """As `records`, and: a change that Ben merges himself, a revert, one that lies open, a rollback and a repair."""
    for kind, of_kind in records(changes=8, unreviewed=2).items():
        org.push(kind, *of_kind)
    own = merged(20, day_before(12), author="ben", reviewed=False)
    linked = merged(21, day_before(13), author="ben", waits=3.0)
    org.push(
        "pull-requests",
        {**own, "merged_by": "ben@example.com", "additions": 900},
        {**linked, "work_items": ["SHOP-1"]},
        merged(22, day_before(14), title='Revert "Change 21"'),
        {**merged(23, day_before(40)), "state": "open", "merged_at": None, "merged_by": ""},
    )
    day = day_before(15)
    org.push(
        "deployments",
        deployed(20, day_before(12)),
        deployed(21, day_before(13), waits=3.0),
        deployed(22, day_before(14), rollback_of="d-21", unplanned=True),
        deployed(23, day, unplanned=True),
        {**deployed(24, day), "id": "d-24-again", "started_at": at(day, 9.0), "finished_at": at(day, 9.5)},
    )
    org.push(
        "incidents",
        {"id": "i-2", "repository": REPOSITORY, "started_at": at(day, DEPLOYED + 1), "title": "Search is slow"}
        | {"resolved_at": at(day, DEPLOYED + 5)},
    )


def tell_of_work(org: Org) -> None:
    """Features and bugs done, one of them reopened and one from a customer; two under way, one not days_ago."""
    done = ("todo", "in_progress", "done")
    org.push(
        "work-items",
        item("SHOP-1", "Story", days_ago=20, moves=done),
        item("SHOP-2", "Story", days_ago=25, moves=done),
        item("SHOP-3", "Bug", days_ago=18, moves=done, labels=["customer-reported", "found in production"]),
        item("SHOP-4", "Bug", days_ago=30, moves=("todo", "in_progress", "done", "in_progress", "done")),
        item("SHOP-5", "Task", days_ago=22, moves=("todo", "in_progress", "todo", "in_progress", "done")),
        item("SHOP-6", "Story", days_ago=9, moves=("todo", "in_progress")),
        item("SHOP-7", "Bug", days_ago=50, moves=("todo", "in_progress")),
        item("SHOP-8", "Story", days_ago=100, moves=("todo",)),
    )


def item(key: str, type_: str, *, days_ago: int, moves: tuple[str, ...], **more: object) -> dict[str, object]:
    """A work item created so many days ago, which moves on every second day; Ada's."""
    created = day_before(days_ago)
    transitions = [
        {"at": at(created + timedelta(days=2 * number), 1.0), "category": category, "to": category}
        for number, category in enumerate(moves[1:], start=1)
    ]
    return {
        "id": key,
        "project": "SHOP",
        "type": type_,
        "title": key,
        "status_category": moves[-1],
        "first_category": moves[0],
        "assignee": "ada@example.com",
        "created_at": at(created, 0),
        "resolved_at": transitions[-1]["at"] if moves[-1] == "done" else None,
        "transitions": transitions,
        **more,
    }


def tell_of_pipelines(org: Org) -> None:
    """Runs of four changes; one fails for good, and one passes at its second attempt."""
    runs = []
    for number, statuses in enumerate([("success",), ("success",), ("failure",), ("failure", "success")], start=1):
        day = day_before(2 + number)
        for attempt, status in enumerate(statuses, start=1):
            begins = 2.5 + attempt
            runs.append(
                {
                    "id": f"run-{number}",
                    "repository": REPOSITORY,
                    "name": "Test",
                    "attempt": attempt,
                    "status": status,
                    "sha": f"{number:040x}",
                    "branch": "work",
                    "queued_at": at(day, begins),
                    "started_at": at(day, begins + 0.05 * number),
                    "finished_at": at(day, begins + 0.05 * number + 0.2 * attempt),
                }
            )
    org.push("pipeline-runs", *runs)


def tell_of_reports(org: Org) -> None:
    """Tests of three commits, one of them flaky; coverage that grows; and two alerts, of which one was fixed."""
    for number, results in enumerate(("", "<failure/>", "<flakyFailure/>"), start=1):
        case = f"<testcase name='pays'>{results}</testcase><testcase name='ships'/>"
        about = {"repository": REPOSITORY, "sha": f"{number:040x}", "at": at(day_before(3 + number), 9.0)}
        org.report("junit", f"<testsuite time='{60 * number}'>{case}</testsuite>", **about)
        org.report("cobertura", f"<coverage lines-valid='100' lines-covered='{80 - number}'/>", **about)
    for day, rules in ((30, ("unused", "injection")), (10, ("unused",))):
        results = ", ".join(f'{{"ruleId": "{rule}"}}' for rule in rules)
        scan = f'{{"tool": {{"driver": {{"name": "Semgrep"}}}}, "results": [{results}]}}'
        about = {"repository": REPOSITORY, "at": at(day_before(day), 9.0)}
        org.report("sarif", f'{{"version": "2.1.0", "runs": [{scan}]}}', **about)


def read_a_clone(org: Org, folder: Path) -> None:
    """Read a clone of another repository: lines changed early and late, a stale branch, a change with known files."""
    repo, now = Repo.create(folder / "site"), timezone.now().replace(microsecond=0)

    def days_ago(days: float) -> datetime:
        return now - timedelta(days=days)

    repo.commit({"a.py": "a\nb\nc\nd\n"}, "Begin", by=BEN, at=days_ago(BRANCH_LEFT_LYING + 20))
    repo.branch("left-lying")
    repo.commit({"new.py": "n\n"}, "Try", by=BEN, at=days_ago(BRANCH_LEFT_LYING))
    repo.switch("main")
    repo.commit({"a.py": "a\nb\nC\nd\ne\n"}, "Change what is old", by=BEN, at=days_ago(20))
    repo.commit({"a.py": "a\nb\nCC\nd\ne\nf\n", "docs/a.md": "A\n"}, "Change it again", by=ADA, at=days_ago(15))
    sync_source(connect_git(repo.path, name="site"))
    sync_line_histories()
    day = days_ago(15).date()
    known = {"sha": repo.head, "author_email": "ada@example.com", "authored_at": at(day, 0)}
    org.push("pull-requests", {**merged(1, day), "id": "site-1", "repository": "site", "commits": [known]})
