"""Stocks, people's presence, and changes to old rows: right at once, and again when columns are rebuilt."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils import timezone

from insights.columns.build import database_today
from insights.columns.check import check_columns
from insights.columns.shape import copied_relations
from insights.columns.source import Partitions
from insights.columns.stale import take_changes_out
from insights.engine import scan
from insights.engine.fact_query import StockQuery
from insights.models import ColumnPartition
from insights.query.query import Window
from integrations.code.attribution.tasks import attribute_pending
from integrations.delivery.linking.relink import relink_paths
from integrations.delivery.recompute import recompute_waiting_pull_requests
from integrations.facts.ai import ENROLLED_PEOPLE
from integrations.facts.seats import EVERYBODY
from integrations.models import Commit, CommitFile, Connection, Enrolment, Repository, ServicePaths
from integrations.sync.git.connect import connect_git
from integrations.sync.git.read_source import sync_source
from integrations.sync.remove_connection import remove_keeping_facts, remove_with_facts
from orgtree.identities.decisions import assign
from orgtree.models import Employment, Identity, Person
from tests.code.git.conftest import repo
from tests.code.git.repositories import FIRST, Repo
from tests.columns.rows import Read, assert_agreement, in_postgresql
from tests.columns.states import build_all, copied_alone
from tests.columns.test_partitions import let_a_day_pass
from tests.delivery.linking.delivery import Delivery, push, sha_of
from tests.org import Org

__all__ = ["repo"]
NOW = datetime(2026, 3, 18, 15, 30, tzinfo=UTC)
STOCKS = ("backlog", "stale_branches", "stale_pull_requests", "work_in_progress")
OF_ITEMS = ("backlog", "work_in_progress", "created_work_items", "done_work_items")
BY_SERVICE = ("merged_pull_requests_by_service", "pipeline_runs_by_service")

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr("insights.columns.build.MOST_ROWS", 2)
    with time_machine.travel(NOW, tick=False), copied_alone({*STOCKS, *OF_ITEMS, *BY_SERVICE, "agent_repositories"}):
        yield


def follow(*names: str, change: Callable[[], object]) -> None:
    """Make a change that alters facts: these relations agree in the outbox, marked as stale, and rebuilt."""
    relations = [copied_relations()[name] for name in names]
    before = [in_postgresql(relation) for relation in relations]
    build_all()
    change()
    after = [in_postgresql(relation) for relation in relations]
    assert before != after, "nothing changed"
    assert_agreement(relations, context="in the outbox")
    attribute_pending()
    recompute_waiting_pull_requests()
    take_changes_out()
    assert_agreement(relations, context="marked")
    build_all()
    assert not ColumnPartition.objects.exclude(stale_since=None).exists()
    assert_agreement(relations, context="built")
    assert check_columns().differences == []


def item(key: str, *moves: tuple[str, str], **others: Any) -> None:
    """A work item of Monday 2 February, with the days on which it came into which category."""
    transitions = [{"at": f"{day}T10:00:00Z", "to": category, "category": category} for day, category in moves]
    provided = {
        "id": key,
        "project": "Shop",
        "title": "Sell tea",
        "type": "Story",
        "status_category": moves[-1][1] if moves else "todo",
        "created_at": "2026-02-02T10:00:00Z",
        "assignee": "ada@example.com",
        "transitions": transitions,
    }
    push(("work-items", provided | others))


@pytest.fixture
def items(org: Org) -> None:
    """In several partitions: some stand without an end, one for five days, one with a gap."""
    item("S-1")
    item("S-2", ("2026-02-10", "in_progress"), ("2026-02-15", "done"))
    item("S-3", ("2026-02-10", "in_progress"), ("2026-02-20", "todo"), ("2026-03-02", "in_progress"))
    item("S-4", created_at="2025-06-02T10:00:00Z")
    recompute_waiting_pull_requests()
    build_all()


ITEMS: tuple[Callable[[], None], ...] = (
    lambda: item("S-2", ("2026-02-10", "in_progress"), ("2026-02-15", "done"), ("2026-03-03", "in_progress")),
    lambda: item("S-1", created_at="2026-01-01T10:00:00Z"),
    lambda: item("S-3", ("2026-02-12", "in_progress"), ("2026-02-13", "done")),
    lambda: item("S-4", created_at="2025-06-02T10:00:00Z", type="Bug"),
    lambda: item("S-4", created_at="2025-06-02T10:00:00Z", assignee="ben@example.com"),
    lambda: item("S-1", project="Search"),
)


@pytest.mark.usefixtures("items")
@pytest.mark.parametrize(
    "change", ITEMS, ids=["reopened", "created earlier", "days move", "another type", "another person", "moved"]
)
def test_an_item_stands_on_other_days(change: Callable[[], None]) -> None:
    assert ColumnPartition.objects.filter(relation="backlog", rows__gt=0).count() > 5
    follow(*OF_ITEMS, change=change)


@pytest.mark.usefixtures("items")
def test_nothing_that_stands_is_read_live_once_it_is_built() -> None:
    stocks = [copied_relations()[name] for name in STOCKS]
    days = Window(date(2025, 6, 1), timezone.localdate())
    assert assert_agreement(stocks, days) == []
    assert sum(in_postgresql(copied_relations()["backlog"], days).values()) > 0


@pytest.mark.usefixtures("items")
def test_days_since_the_last_build_are_read_live(monkeypatch: pytest.MonkeyPatch) -> None:
    backlog, today = copied_relations()["backlog"], database_today()
    let_a_day_pass(monkeypatch)
    with time_machine.travel(datetime(2126, 1, 1, tzinfo=UTC), tick=False):
        days = Window(today - timedelta(days=3), today + timedelta(days=5))
        assert assert_agreement([backlog], days) == [("backlog", [Window(today, days.end)])]
        build_all()
        assert assert_agreement([backlog], days) == [("backlog", [Window(today + timedelta(days=1), days.end)])]


@pytest.mark.usefixtures("items")
def test_a_clock_that_jumps_forward_and_back() -> None:
    """Built in the future: true of days that have not come.  Nothing of it is used until the clock is there again."""
    backlog = copied_relations()["backlog"]
    ColumnPartition.objects.update(built_at=timezone.now() + timedelta(days=4000))
    days = Window(date(2026, 2, 1), date(2026, 3, 18))
    read: Read = assert_agreement([backlog], days)
    assert read == [("backlog", [days])]
    build_all()
    assert assert_agreement([backlog], days) == []


def test_questions_of_few_days_read_their_partitions_alone(items: None) -> None:
    backlog = copied_relations()["backlog"]
    days = [Window(day, day + timedelta(days=1)) for day in (date(2026, 2, 3), date(2026, 3, 10))]
    all_between = Partitions.read().of(backlog, [Window(days[0].start, days[1].end)])
    assert len(Partitions.read().of(backlog, days)) == 2 < len(all_between)


@pytest.fixture
def shop(org: Org) -> Delivery:
    """#1 touches the cart, #2 the search; both were merged long before anything is deployed."""
    shop = Delivery()
    for number, path in ((1, "cart/a.py"), (2, "search/b.py")):
        shop.commit(f"m{number}", parents=["start"], branch="elsewhere")
        shop.merges(number, at="Mon 10:00", commits=[{"sha": sha_of(f"m{number}")}])
        of_path = Commit.objects.get(sha=sha_of(f"m{number}"))
        CommitFile.objects.create(commit=of_path, path=path, file_type="code")
        ran = {"finished_at": "2026-03-01T10:00:00Z", "queued_at": "2026-03-01T09:00:00Z", "status": "success"}
        shop.push(
            "pipeline-runs", id=f"r{number}", repository="acme/shop", name="Test", sha=sha_of(f"m{number}"), **ran
        )
    recompute_waiting_pull_requests()
    return shop


def paths_are(**services: str) -> None:
    repository = Repository.objects.get(name="acme/shop")
    ServicePaths.objects.filter(repository=repository).delete()
    for service, pattern in services.items():
        ServicePaths.objects.create(repository=repository, service=service, patterns=[pattern])
    relink_paths(repository.pk)


def test_services_follow_deployments_and_paths(shop: Delivery) -> None:
    follow(*BY_SERVICE, change=lambda: shop.deploys("d1", at="Fri 11:00", service="till"))
    follow(*BY_SERVICE, change=lambda: shop.deploys("d1", at="Fri 11:00", service="cart"))
    follow(*BY_SERVICE, change=lambda: shop.deploys("d0", at="Thu 11:00", service="search"))
    follow(*BY_SERVICE, change=lambda: paths_are(cart="cart/", search="search/"))
    follow(*BY_SERVICE, change=lambda: paths_are(basket="cart/", search="search/"))
    follow(*BY_SERVICE, change=paths_are)
    follow(*BY_SERVICE, change=lambda: shop.takes_back("deployments", "d0"))
    follow(*BY_SERVICE, change=lambda: shop.takes_back("pull-requests", "acme/shop#1"))


def test_branches_and_context_files_follow_their_clones(repo: Repo, tmp_path: Path) -> None:
    by_claude, long_ago = "Brew\n\nCo-authored-by: Claude <noreply@anthropic.com>", FIRST - timedelta(days=60)
    for name in ("left-behind", "squashed"):
        repo.commit({f"{name}.txt": name}, at=long_ago)
        repo.branch(name, "main")
        repo.commit({f"{name}.py": "1\n2\n3\n"}, by_claude, at=long_ago)
        repo.switch("main")
    repo.commit({"b.py": "1\n"}, by_claude, at=long_ago)

    def read(one: Repo = repo, *, head: str = "") -> None:
        assert sync_source(connect_git(str(one.path))).problem == ""
        attribute_pending()

    read()
    follow("stale_branches", change=lambda: read(head=repo.squash("squashed")))
    follow("agent_repositories", change=lambda: read(head=repo.commit({"CLAUDE.md": "Be kind.\n"}, at=long_ago)))
    follow("agent_repositories", change=lambda: read(head=repo.commit({"CLAUDE.md": None})))
    other = repo.clone(tmp_path / "other")
    other.git("branch", "own", "origin/left-behind")
    read(other)
    first = Connection.objects.order_by("pk").first()
    assert first is not None
    follow("stale_branches", change=lambda: remove_keeping_facts(first))
    last = Connection.objects.get(provider="git")
    follow("stale_branches", "agent_repositories", change=lambda: remove_with_facts(last))


def test_people_who_are_there_are_those_of_now(org: Org) -> None:
    """They are enrolled again, by an account that had telemetry before, they leave, and come back."""
    org.tree("Teams")
    org.unit("Red", below="teams")
    for name in ("ada", "ben"):
        org.join(name, "red")
    ada, ben = (Person.objects.get(email=f"{name}@example.com") for name in ("ada", "ben"))
    weeks = tuple(
        Window(day, day + timedelta(days=7)) for day in (date(2026, 1, 5), date(2026, 2, 2), date(2026, 3, 2))
    )

    def there(relation: Any = ENROLLED_PEOPLE) -> list[int]:
        counts = scan.stock(StockQuery(relation, weeks))
        return [counts.get((None, week), 0) for week in weeks]

    assert there() == there(EVERYBODY) == [0, 0, 0]
    account = Identity.objects.filter(person=ada).first() or Identity.objects.create(
        person=ada, kind="email", value="a"
    )
    Enrolment.objects.create(identity=account, first_at=datetime(2026, 2, 4, tzinfo=UTC))
    assert (there(), there(EVERYBODY)) == ([0, 1, 1], [0, 2, 2])
    older = Identity.objects.create(person=ben, kind="account", value="of-ben")
    Enrolment.objects.create(identity=older, first_at=datetime(2026, 1, 6, tzinfo=UTC))
    assert there() == [1, 2, 2]
    assign([older], ada, by=None)
    assert there() == [1, 1, 1]
    Employment.objects.filter(person=ada).delete()
    Employment.objects.create(person=ada, during=DateRange(date(2026, 1, 1), date(2026, 2, 1)))
    assert there() == [1, 0, 0]
    Employment.objects.create(person=ada, during=DateRange(date(2026, 3, 5), None))
    assert there() == [1, 0, 1]
