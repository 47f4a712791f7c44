"""Cached lead times of units are updated by every change, in whatever order changes arrive."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from django.db import transaction

from insights.columns.refresh import refresh
from insights.query.query import Window
from integrations.connectors.drafts import PullRequestDraft, Who
from integrations.delivery.mappings.effective import Subject
from integrations.delivery.set_mapping import set_value_mapping
from integrations.enums import PullRequestState
from integrations.intake.forget_connection import forget_records
from integrations.push.store import push_connection
from tests.columns.forgotten import forgotten_by_refresh
from tests.delivery.linking.delivery import Delivery, iso, moment, sha_of
from tests.delivery.work_items.tracker import Tracker
from tests.org import Org

pytestmark = pytest.mark.django_db
HOUR = 3600.0


@pytest.fixture
def shop(org: Org) -> Delivery:
    """Teams ─┬─ Red: ada; and Blue: ben.  Something of acme/shop was deployed on Friday, and cells are kept."""
    org.tree("Teams")
    for unit, person in (("Red", "ada"), ("Blue", "ben")):
        org.unit(unit, below="teams")
        org.join(person, unit.lower())
    shop = Delivery()
    shop.deploys("d1", at="Fri 12:00")
    refresh()
    return shop


@pytest.fixture(autouse=True)
def _now() -> Iterator[None]:
    with time_machine.travel(moment("Wed+2 15:30"), tick=False):
        yield


def lead_hours(org: Org, unit: str, metric: str = "dora.lead_time", **facets: str) -> float | None:
    """The median of the unit's changes in the week of the stories, from the first commit to production."""
    monday = moment("Mon 00:00").date()
    window = Window(monday, moment("Mon+1 00:00").date())
    (figure,) = org.series(metric, window=window, unit=unit, facets=dict(facets)).total
    return None if figure.value is None else figure.value / HOUR


def commit(name: str, at: str, author: str = "ada@example.com") -> dict[str, Any]:
    return {"sha": sha_of(name), "author_email": author, "authored_at": iso(at)}


def test_a_change_that_arrives_after_its_deployment(org: Org, shop: Delivery) -> None:
    shop.merges(1, at="Thu 12:00", first_commit="Thu 02:00")
    refresh()
    assert lead_hours(org, "red") == 34
    assert not forgotten_by_refresh()


def test_a_change_whose_first_commit_turns_out_to_be_that_of_another_one(org: Org, shop: Delivery) -> None:
    """Wednesday's commit came in with the change that was merged first: the other began on Thursday."""
    shop.merges(
        2, at="Thu 12:00", author="ben@example.com", commits=[commit("c0", "Wed 12:00"), commit("c2", "Thu 08:00")]
    )
    assert not forgotten_by_refresh()
    assert lead_hours(org, "blue") == 48
    shop.merges(1, at="Wed 13:00", commits=[commit("c0", "Wed 12:00")])
    refresh()
    assert (lead_hours(org, "red"), lead_hours(org, "blue")) == (48, 28)
    assert not forgotten_by_refresh()


def test_a_change_that_turns_out_to_be_of_somebody_else(org: Org, shop: Delivery) -> None:
    shop.merges(1, at="Thu 12:00", first_commit="Thu 02:00")
    refresh()
    shop.merges(1, at="Thu 12:00", first_commit="Thu 02:00", author="ben@example.com")
    refresh()
    assert (lead_hours(org, "red"), lead_hours(org, "blue")) == (None, 34)
    assert not forgotten_by_refresh()


def test_a_change_of_which_the_label_means_something_else_now(org: Org, shop: Delivery) -> None:
    shop.merges(1, at="Thu 12:00", first_commit="Thu 02:00", labels=["painful"])
    refresh()
    assert lead_hours(org, "red", work_type="bug") is None
    set_value_mapping(push_connection(), Subject.LABEL, "painful", "bug")
    refresh()
    assert lead_hours(org, "red", work_type="bug") == 34
    assert not forgotten_by_refresh()


def test_what_goes_with_its_connection(org: Org, shop: Delivery) -> None:
    """Deployments of one connection brought changes of which another one told to production, and one failed."""
    tracker = Tracker("github", "Code", "acme/shop")
    tracker.tell(
        PullRequestDraft(
            external_id="PR1",
            repository=tracker.place,
            number=1,
            author=Who(email="ada@example.com"),
            state=PullRequestState.MERGED,
            created_at=moment("Thu 02:00"),
            merged_at=moment("Thu 12:00"),
        )
    )
    shop.deploys("d2", at="Sat 12:00")
    shop.incident("i1", at="Sat 13:00", resolved="Sun 13:00")
    refresh()
    assert lead_hours(org, "red", "pr.deploy_time") == 24
    with transaction.atomic():
        forget_records(push_connection())
    refresh()
    assert lead_hours(org, "red", "pr.deploy_time") is None
    assert not forgotten_by_refresh()
