"""People's time: a second count of random weeks, and what a week may never be."""

from __future__ import annotations

import random
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db.backends.postgresql.psycopg_any import DateRange

from insights.columns.stale import take_changes_out
from insights.engine.read import read_series
from insights.query.query import Dimension, Query, Scope, Window
from integrations.delivery.allocation.measure import WEEK, measure_stale_weeks
from integrations.enums import Kind
from integrations.intake.deleted_records import mark_deleted
from integrations.models import AllocationRule, Effort, InvestmentCategory, WorkItem
from orgtree.models import Leave, Organisation, Person, Unit
from orgtree.organisation.people_version import raise_people_version
from tests.delivery.allocation.oracle import Act, Item, World, days_by_category
from tests.org import Org

pytestmark = pytest.mark.django_db
MONDAY = date(2026, 3, 2)
WEEKS = 3
NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)  # the Friday of the third week
PEOPLE = ("ada", "ben", "cleo", "dora")
TYPES = ("bug", "feature", "task", "improvement")
LABELS = ("maintenance", "refactoring", "performance", "blue")
REVIEW = 0.5


def measured(*, again: bool = False) -> None:
    take_changes_out()
    measure_stale_weeks()
    if again:
        assert measure_stale_weeks() == 0, "nothing changed since"


def moment(rng: random.Random, *, days: int = WEEKS * 7 - 3) -> datetime:
    start = datetime(MONDAY.year, MONDAY.month, MONDAY.day, tzinfo=UTC)
    return start + timedelta(minutes=rng.randrange(1, days * 1440))


def iso(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def push_item(org: Org, item: Item) -> None:
    moves = [{"at": iso(item.started), "from": "To do", "to": "Doing", "category": "in_progress"}]
    if item.done:
        moves.append({"at": iso(item.done), "from": "Doing", "to": "Done", "category": "done"})
    record: dict[str, Any] = {
        "id": item.key,
        "project": "SHOP",
        "title": item.key,
        "type": item.type,
        "status_category": "done" if item.done else "in_progress",
        "created_at": iso(item.started - timedelta(days=3)),
        "assignee": f"{item.assignee}@example.com",
        "labels": list(item.labels),
        "components": list(item.components),
        "transitions": moves,
    }
    if item.parent:
        record["parent"] = item.parent
    org.push("work-items", record)


def random_world(org: Org, seed: int) -> World:
    rng, world = random.Random(seed), World()
    org.people(*({"full_name": name.title(), "email": f"{name}@example.com"} for name in PEOPLE))
    for number in range(1, 13):
        started = moment(rng)
        done = started + timedelta(hours=rng.randrange(1, 200)) if rng.random() < 0.6 else None
        item = Item(
            f"SHOP-{number}",
            rng.choice(TYPES),
            f"SHOP-{rng.randrange(1, 13)}" if rng.random() < 0.4 else "",
            rng.sample(LABELS, k=rng.randrange(2)),
            rng.choice(PEOPLE),
            started,
            done if done and done < NOW else None,
        )
        item = item if item.parent != item.key else Item(**{**item.__dict__, "parent": ""})
        world.items[item.key] = item
        push_item(org, item)
    for number in range(1, 16):
        author, reviewer = rng.sample(PEOPLE, 2)
        at, named = moment(rng, days=14), rng.sample(sorted(world.items), k=rng.randrange(3))
        reviewed = at + timedelta(hours=rng.randrange(1, 40))
        sha = f"{number:040x}"
        org.push(
            "pull-requests",
            {
                "id": str(number),
                "repository": "acme/shop",
                "number": number,
                "author": f"{author}@example.com",
                "created_at": iso(at),
                "state": "merged",
                "merged_at": iso(reviewed + timedelta(hours=1)),
                "work_items": named,
                "reviews": [{"author": f"{reviewer}@example.com", "state": "approved", "submitted_at": iso(reviewed)}],
                "commits": [{"sha": sha, "author_email": f"{author}@example.com", "authored_at": iso(at)}],
            },
        )
        org.push(
            "commits",
            {
                "repository": "acme/shop",
                "sha": sha,
                "parents": [],
                "author_email": f"{author}@example.com",
                "authored_at": iso(at),
                "committed_at": iso(at),
                "message": f"change {number}",
            },
        )
        world.acts.append(Act(author, at, named, 1.0))
        world.acts.append(Act(reviewer, reviewed, named, REVIEW))
    away = MONDAY + timedelta(days=rng.randrange(10))
    Leave.objects.create(
        person=Person.objects.get(email="ada@example.com"), during=DateRange(away, away + timedelta(days=4))
    )
    world.away.update(("ada", away + timedelta(days=n)) for n in range(4))
    return world


def counted(monday: date) -> dict[tuple[str, str], float]:
    days: dict[tuple[str, str], float] = defaultdict(float)
    for effort in Effort.objects.filter(week=monday).select_related("person", "category"):
        name = effort.category.name if effort.category else "Unmatched" if effort.work_item_id else "Unlinked"
        if effort.days:
            days[str(effort.person.email).partition("@")[0], name] += effort.days
    return dict(days)


@pytest.mark.parametrize("seed", [1, 2, pytest.param(3, marks=pytest.mark.soak)])
def test_a_second_count_finds_the_same_and_shares_sum_to_one(org: Org, seed: int) -> None:
    """A week's parts sum to its days at work, categories to 100 %, and a second measuring changes nothing."""
    with time_machine.travel(NOW, tick=False):
        world = random_world(org, seed)
        measured(again=True)
        for number in range(WEEKS):
            monday = MONDAY + number * WEEK
            expected = days_by_category(world, monday, NOW.date())
            found = counted(monday)
            assert found == pytest.approx(expected), monday
            for person in {name for name, _ in found}:
                present = sum((person, monday + timedelta(days=n)) not in world.away for n in range(5))
                assert sum(days for (name, _), days in found.items() if name == person) == pytest.approx(present)
        window = Window(MONDAY, MONDAY + WEEKS * WEEK)
        answers = read_series(
            [Query("allocation.share", window, segments=(Dimension.INVESTMENT,)), Query("allocation.time", window)]
        )
        assert sum(value.value or 0 for value in answers[0].total) == pytest.approx(100)
        total = sum(sum(days_by_category(world, MONDAY + n * WEEK, NOW.date()).values()) for n in range(WEEKS))
        assert answers[1].total[0].value == pytest.approx(total)


class TestOneWeek:
    @pytest.fixture(autouse=True)
    def week(self, org: Org) -> Any:
        with time_machine.travel(NOW, tick=False):
            org.people(*({"full_name": name.title(), "email": f"{name}@example.com"} for name in PEOPLE))
            yield

    def hold(self, org: Org, key: str, *, by: str = "ada", **others: Any) -> None:
        started = datetime(2026, 3, 2, 9, tzinfo=UTC)
        fields = {"type": "task", "parent": "", "labels": (), "started": started, "done": None, **others}
        push_item(org, Item(key=key, assignee=by, **fields))

    def categories(self) -> dict[str, float]:
        measured()
        days: dict[str, float] = defaultdict(float)
        for (_, category), number in counted(MONDAY).items():
            days[category] += number
        return {name: round(number, 6) for name, number in days.items()}

    def rule(self, category: str, **conditions: Any) -> AllocationRule:
        return AllocationRule.objects.create(category=InvestmentCategory.objects.get(name=category), **conditions)

    def test_a_circle_of_parents_and_a_missing_one_end_somewhere(self, org: Org) -> None:
        self.hold(org, "SHOP-1", parent="SHOP-2")
        self.hold(org, "SHOP-2", parent="SHOP-1")
        self.hold(org, "SHOP-3", parent="GONE-1")
        assert self.categories() == {"Unmatched": 5}

    def test_a_changed_rule_parent_or_category_changes_the_past(self, org: Org) -> None:
        self.hold(org, "SHOP-1")
        assert self.categories() == {"Unmatched": 5}
        own = self.rule("Productivity", projects=["shop"])
        assert self.categories() == {"Productivity": 5}
        self.hold(org, "EPIC-1", type="Epic", by="ben", labels=("maintenance",))
        self.hold(org, "SHOP-1", parent="EPIC-1")
        assert self.categories() == {"Productivity": 5}, "its own rule comes before its parent's; an epic is no work"
        own.delete()
        assert self.categories() == {"Keeping the lights on": 5}
        InvestmentCategory.objects.get(name="Keeping the lights on").delete()
        assert self.categories() == {"New features": 5}, "trackers' epics are features"

    def test_a_component_of_an_item_or_of_its_parent_decides(self, org: Org) -> None:
        self.rule("Productivity", components=["Build tools"])
        self.hold(org, "SHOP-1", components=("Basket", "build TOOLS"))
        self.hold(org, "SHOP-2", parent="SHOP-1")
        self.hold(org, "SHOP-3", components=("Basket",))
        assert self.categories() == {"Productivity": 3.333333, "Unmatched": 1.666667}

    def test_rules_that_match_everything_come_last_and_epics_take_all_below(self, org: Org) -> None:
        self.rule("Improvements", rank=1)
        self.rule("New features", rank=500, epics=["shop-1"])
        self.hold(org, "SHOP-1", type="Epic")
        self.hold(org, "SHOP-2", parent="SHOP-1")
        self.hold(org, "SHOP-3", type="bug")
        self.hold(org, "SHOP-4")
        self.hold(org, "SHOP-5", type="bug", parent="SHOP-2")
        found = self.categories()
        assert found == {"New features": 1.25, "Keeping the lights on": 2.5, "Improvements": 1.25}

    def test_rules_of_a_team_apply_to_its_people_alone(self, org: Org) -> None:
        org.tree("Teams")
        org.unit("web", below="teams")
        org.join("ada", "web")
        self.rule("Improvements", rank=900, unit=Unit.objects.get(slug="web"), types=["bug"])
        self.hold(org, "SHOP-1", type="bug")
        self.hold(org, "SHOP-2", type="bug", by="ben")
        assert self.categories() == {"Improvements": 5, "Keeping the lights on": 5}
        org.move("ada", from_="web", to="teams", on="2026-03-02")
        raise_people_version()  # as the commit does
        assert self.categories() == {"Keeping the lights on": 10}

    def test_repositories_and_folders_decide_what_nothing_links_and_it_stays_unlinked_time(self, org: Org) -> None:
        self.rule("Keeping the lights on", repositories=["acme/infra-*"])
        for number, repository in enumerate(("acme/infra-dns", "acme/shop"), start=1):
            org.push(
                "commits",
                {
                    "repository": repository,
                    "sha": f"{number:040x}",
                    "parents": [],
                    "author_email": "ada@example.com",
                    "authored_at": "2026-03-03T10:00:00Z",
                    "committed_at": "2026-03-03T10:00:00Z",
                    "message": "SHOP-404 is no item" if number == 1 else "tidy",
                },
            )
        assert self.categories() == {"Keeping the lights on": 2.5, "Unlinked": 2.5}
        [answer] = read_series([Query("allocation.unlinked_share", Window(MONDAY, MONDAY + WEEK), scope=Scope())])
        assert answer.total[0].value == 100

    def test_holidays_leave_and_ends_of_employment_are_no_time(self, org: Org) -> None:
        Organisation.objects.update_or_create(pk=1, defaults={"holidays_in": "US"})
        memorial_day = datetime(2026, 5, 25, 9, tzinfo=UTC)
        with time_machine.travel(datetime(2026, 6, 8, tzinfo=UTC), tick=False):
            for number, person in enumerate(PEOPLE, start=1):
                self.hold(org, f"SHOP-{number}", by=person, started=memorial_day, type="bug")
            org.people({"full_name": "Ben", "email": "ben@example.com", "end": "2026-05-28"})
            Leave.objects.create(
                person=Person.objects.get(email="cleo@example.com"),
                during=DateRange(date(2026, 5, 25), date(2026, 5, 29)),
            )
            measured()
            days = {person: number for (person, _), number in counted(date(2026, 5, 25)).items()}
        assert days == {"ada": 4, "ben": 2, "cleo": 1, "dora": 4}

    def test_an_item_that_is_deleted_leaves_and_comes_back(self, org: Org) -> None:
        self.hold(org, "SHOP-1", type="bug")
        self.hold(org, "SHOP-2", type="feature")
        assert self.categories() == {"Keeping the lights on": 2.5, "New features": 2.5}
        connection = WorkItem.objects.get(key="SHOP-2").connection
        mark_deleted(connection, Kind.WORK_ITEM, ["SHOP-2"])
        assert self.categories() == {"Keeping the lights on": 5}
        self.hold(org, "SHOP-2", type="feature")
        assert self.categories() == {"Keeping the lights on": 2.5, "New features": 2.5}
