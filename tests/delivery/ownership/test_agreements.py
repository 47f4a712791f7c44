"""Working agreements of units: large changes and hotfixes, with dates, and inherited from above."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.test import Client
from django.urls import reverse

from integrations.delivery.agreements.apply import apply_agreements
from integrations.delivery.recompute import recompute_waiting_pull_requests
from integrations.models import FactChange, FactFamily, PullRequestFigures, WorkingAgreement
from integrations.models.working_agreements import TERMS
from orgtree.models import Unit
from tests.delivery.linking.delivery import Delivery, failures
from tests.org import Org
from tests.personas import ADMIN, Persona

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(org: Org) -> Delivery:
    """acme/shop, of Cart, a team of Sales; #1 to #4 have 40, 90, 300 and 900 lines."""
    org.tree("Company")
    org.unit("Sales", below="company")
    org.unit("Cart", below="sales")
    org.unit("Search", below="company")
    shop = Delivery()
    for number, lines in enumerate((40, 90, 300, 900), start=1):
        shop.merges(number, at="Tue 10:00", sha=f"m{number}", additions=lines, deletions=0)
    org.own("acme/shop", "cart")
    return shop


def agree(unit: str, *words: str, from_: str = "") -> None:
    """The command, and what the worker does then."""
    call_command("agreement", unit, *words, *([f"--from={from_}"] if from_ else []), stdout=StringIO())
    apply_waiting_agreements()


def apply_waiting_agreements() -> None:
    apply_agreements()
    recompute_waiting_pull_requests()


def classes() -> str:
    size_classes = PullRequestFigures.objects.order_by("pull_request__number").values_list("size_class", flat=True)
    return " ".join(size_classes)


def test_a_size_is_what_the_owners_nearest_unit_agreed_on(shop: Delivery) -> None:
    assert classes() == "S S M XL"
    agree("company", "size_thresholds=10,20,30")
    assert classes() == "XL XL XL XL"
    agree("sales", "size_thresholds=40,90,900")
    assert classes() == "S M L L"
    agree("cart", "size_thresholds=500,1000,2000")
    assert classes() == "S S S M"
    agree("search", "size_thresholds=1,2,3")  # owns nothing here
    assert classes() == "S S S M"
    agree("cart", "size_thresholds=")  # says nothing any more: the next above is heard
    assert classes() == "S M L L"


def test_an_agreement_holds_from_its_day_on_and_leaves_the_past(shop: Delivery) -> None:
    shop.merges(5, at="Thu 10:00", sha="m5", additions=300, deletions=0)
    agree("cart", "size_thresholds=300,400,500", from_="2026-03-05")  # the Thursday
    assert classes() == "S S M XL S"
    agree("cart", "size_thresholds=100,200,300", from_="2026-03-06")
    assert classes() == "S S M XL S"
    assert [(row.during.lower, row.during.upper) for row in WorkingAgreement.objects.all()] == [
        (date(2026, 3, 5), date(2026, 3, 6)),
        (date(2026, 3, 6), None),
    ]


def test_another_owner_and_a_unit_that_moves_bring_other_agreements(shop: Delivery, org: Org) -> None:
    agree("sales", "size_thresholds=1,2,3")
    agree("search", "size_thresholds=900,1000,1100")
    assert classes() == "XL XL XL XL"
    org.own("acme/shop", "search", from_="2026-03-03")
    apply_waiting_agreements()
    assert classes() == "S S S S"
    org.own("acme/shop", "cart", from_="2026-03-03")
    org.move_unit("cart", to="search", on="2026-03-03")
    apply_waiting_agreements()
    assert classes() == "S S S S"


def test_later_records_count_at_once_and_nothing_is_derived_twice(shop: Delivery) -> None:
    agree("cart", "size_thresholds=10,20,30")
    shop.merges(5, at="Wed 10:00", sha="m5", additions=11, deletions=0)
    assert classes() == "XL XL XL XL M"
    FactChange.objects.all().delete()
    apply_waiting_agreements()
    assert not FactChange.objects.exists()


# How a deployment after another one is told of, and whether Cart's rule makes it a hotfix of that one.
LATER_DEPLOYMENTS: list[tuple[dict[str, Any], bool]] = [
    ({"sha": "m-branch"}, True),
    ({"sha": "m-label"}, True),
    ({"sha": "m1"}, False),
    ({"sha": "nobody-knows"}, False),
    ({"sha": "m-branch", "environment": "staging"}, False),
    ({"sha": "m-branch", "service": "till"}, False),  # another service: nothing of it was deployed before
]


@pytest.mark.parametrize(("details", "is_hotfix"), LATER_DEPLOYMENTS)
@pytest.mark.parametrize("agreed_before", [True, False])
def test_a_deployment_is_a_hotfix_where_the_owners_rule_says_so(
    shop: Delivery, details: dict[str, Any], is_hotfix: bool, agreed_before: bool
) -> None:
    words = ("hotfix_branches=hotfix/,fire-", "hotfix_labels=Hotfix")
    if agreed_before:
        agree("sales", *words)
    shop.merges(6, at="Tue 11:00", sha="m-branch", source_branch="hotfix/till")
    shop.merges(7, at="Tue 11:00", sha="m-label", labels=["Hotfix"])
    shop.deploys("d1", at="Tue 09:00")
    shop.deploys("d2", at="Tue 12:00", **details)
    if not agreed_before:
        assert failures() == set()
        agree("sales", *words)
    assert failures() == ({("d1", "hotfix", "d2")} if is_hotfix else set())
    agree("sales", "hotfix_branches=", "hotfix_labels=")
    assert failures() == set()


def test_what_says_itself_what_it_fixes_is_believed(shop: Delivery) -> None:
    agree("cart", "hotfix_labels=Hotfix")
    shop.merges(6, at="Tue 11:00", sha="fix", labels=["Hotfix"])
    for id_, at in (("d1", "Tue 08:00"), ("d2", "Tue 09:00")):
        shop.deploys(id_, at=at)
    shop.deploys("d3", at="Tue 12:00", sha="fix", fixes=["d1"])
    assert failures() == {("d1", "hotfix", "d3")}


def test_a_label_and_a_deployment_in_between_count_when_they_arrive_later(shop: Delivery) -> None:
    agree("cart", "hotfix_labels=Hotfix")
    shop.merges(6, at="Tue 11:00", sha="fix")
    shop.deploys("d1", at="Tue 09:00")
    shop.deploys("d3", at="Tue 12:00", sha="fix")
    assert failures() == set()
    FactChange.objects.all().delete()
    shop.merges(6, at="Tue 11:00", sha="fix", labels=["Hotfix"])
    assert failures() == {("d1", "hotfix", "d3")}
    assert FactChange.objects.filter(family=FactFamily.DEPLOYMENT).exists()
    shop.deploys("d2", at="Tue 10:00")
    assert failures() == {("d2", "hotfix", "d3")}
    shop.takes_back("deployments", "d2")
    assert failures() == {("d1", "hotfix", "d3")}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["size_thresholds=400,200,800"], "Give three numbers of lines that grow"),
        (["size_thresholds=400"], "Give three numbers of lines that grow"),
        (["size_thresholds=a,b,c"], "size_thresholds are numbers of lines"),
        (["sprint_grace_days=two"], "sprint_grace_days is a number of working days, at most 10"),
        (["work_starts_at=early", "work_ends_at=18:00"], "work_starts_at is a time of day"),
        (["work_starts_at=09:00"], "Give both ends of the working hours, or none."),
        (["work_starts_at=18:00", "work_ends_at=09:00"], "Working hours end after they start."),
        (["sprint_grace_days=11"], "sprint_grace_days is a number of working days, at most 10"),
        (["large=100"], "Write KEY=VALUE with a key of most_lines"),
        (["size_thresholds"], "Write KEY=VALUE"),
    ],
)
def test_words_that_mean_nothing_are_refused(shop: Delivery, words: list[str], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        call_command("agreement", "cart", *words)
    assert not WorkingAgreement.objects.exists()


def test_the_command_tells_what_holds_now(shop: Delivery) -> None:
    agree("cart", "size_thresholds=1,2,3")
    out = StringIO()
    call_command("agreement", "cart", "hotfix_labels=fire", "--from=2026-03-09", "--json", stdout=out)
    assert json.loads(out.getvalue()) == {
        "unit": "cart",
        "from": "2026-03-09",
        **dict.fromkeys(TERMS),
        "size_thresholds": [1, 2, 3],
        "hotfix_labels": ["fire"],
    }


def test_a_unit_has_one_agreement_at_a_time(shop: Delivery) -> None:
    unit = Unit.objects.get(slug="cart")
    WorkingAgreement.objects.create(unit=unit, during=DateRange(None, None), size_thresholds=[1, 2, 3])
    with pytest.raises(IntegrityError), transaction.atomic():
        WorkingAgreement.objects.create(unit=unit, during=DateRange(date(2026, 3, 2), None), hotfix_labels=["x"])


def test_an_admin_edits_agreements(shop: Delivery, sign_in: Callable[[Persona], Client]) -> None:
    admin, unit = sign_in(ADMIN), Unit.objects.get(slug="cart")
    days = {"during_0": "", "during_1": ""}
    form = {"unit": unit.pk, **days, "size_thresholds": "10,20,30", "hotfix_branches": "", "hotfix_labels": ""}
    address = reverse("admin:integrations_workingagreement_add")
    refused = admin.post(address, {**form, "size_thresholds": "30,20,10"})
    assert "Give three numbers of lines that grow" in refused.content.decode()
    assert admin.post(address, form).status_code == 302
    apply_waiting_agreements()
    assert classes() == "XL XL XL XL"
    [agreement] = WorkingAgreement.objects.all()
    assert (agreement.hotfix_branches, agreement.hotfix_labels) == (None, None)
    assert "Cart" in admin.get(reverse("admin:integrations_workingagreement_changelist")).content.decode()
    gone = admin.post(reverse("admin:integrations_workingagreement_delete", args=[agreement.pk]), {"post": "yes"})
    assert gone.status_code == 302
    apply_waiting_agreements()
    assert classes() == "S S M XL"
