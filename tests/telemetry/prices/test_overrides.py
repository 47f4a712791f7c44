"""Prices that an admin sets, with dates: which one holds, what is refused, and what follows a change."""

from __future__ import annotations

import time
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import Error as DatabaseError
from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateRange

from integrations.models import AgentRequest, AgentSessionDay, PriceOverride, PriceOverrideChange, Repricing
from integrations.telemetry.agents.events import EventKind, Measure
from integrations.telemetry.prices.overrides import pattern_matches, remove_override, save_override
from integrations.telemetry.sessions.fold import fold_received_batches
from integrations.telemetry.sessions.reprice import reprice_waiting_rows
from tests.telemetry.raw_rows import Event, Point, at, receive

pytestmark = pytest.mark.django_db
EVER = DateRange(None, None)


def override(model: str = "acme-1", during: DateRange = EVER, **fields: Any) -> PriceOverride:
    prices = {"input": Decimal(2), "output": Decimal(8)} if "same_as" not in fields else {}
    made = PriceOverride(model=model, during=during, **{"reason": "A contract", **prices, **fields})
    save_override(made, by=None)
    return made


def received(
    model: str, *, when: str = "2026-03-02 10:00", tokens: Any = (1_000_000, 0, 0, 100_000), **more: Any
) -> None:
    """A request to the model, received and folded."""
    receive([Event(at(when), kind=EventKind.REQUEST, model=model, key=f"{model} {when}", tokens=tokens, **more)])
    fold_received_batches()


def priced_by() -> str:
    version = AgentRequest.objects.get().price_version
    return version.name if version else ""


def spend() -> Decimal | None:
    return AgentRequest.objects.get().spend


def test_an_unknown_model_costs_what_an_override_says() -> None:
    override(cache_read=Decimal("0.5"))
    received("acme-1", tokens=(1_000_000, 2_000_000, 100_000, 100_000))
    # 1 M × 2 + 2 M × 0.5 + 0.1 M written, which has no price of its own, × 2 + 0.1 M × 8
    assert spend() == Decimal("4.0")
    assert priced_by() == f"override {PriceOverride.objects.get().pk}.1"


def test_an_override_holds_from_its_first_day_to_the_one_before_its_last() -> None:
    override("claude-sonnet-4-5", DateRange(date(2026, 3, 2), date(2026, 3, 3)), input=Decimal(1), output=Decimal(1))
    for day in ("2026-03-01 23:59", "2026-03-02 00:00", "2026-03-02 23:59", "2026-03-03 00:00"):
        received("claude-sonnet-4-5", when=day, tokens=(100_000, 0, 0, 0))
    spent = AgentRequest.objects.order_by("at").values_list("spend", flat=True)
    assert list(spent) == [Decimal("0.3"), Decimal("0.1"), Decimal("0.1"), Decimal("0.3")]


def test_all_tokens_of_a_long_prompt_cost_the_higher_price() -> None:
    override(long_above=200_000, long_input=Decimal(4), long_output=Decimal(12))
    received("acme-1", when="2026-03-02 10:00", tokens=(150_000, 50_000, 0, 1_000))
    received("acme-1", when="2026-03-02 11:00", tokens=(150_000, 50_001, 0, 1_000))
    short, longer = AgentRequest.objects.order_by("at").values_list("spend", flat=True)
    assert short == Decimal("0.408")  # 0.2 M × 2 + 0.001 M × 8
    assert longer == Decimal("0.812004")  # 0.200001 M × 4 + 0.001 M × 12


def test_the_most_particular_override_holds() -> None:
    override("acme-*", input=Decimal(1), output=Decimal(1))
    override("acme-large-*", input=Decimal(2), output=Decimal(2))
    override("acme-large-3", input=Decimal(3), output=Decimal(3))
    override("acme-*", agent="claude_code", input=Decimal(4), output=Decimal(4))
    received("acme-large-3", tokens=(1_000_000, 0, 0, 0))
    assert spend() == 4  # one for the agent before all others
    remove_override(PriceOverride.objects.get(agent="claude_code"), by=None)
    reprice_waiting_rows()
    assert spend() == 3


@pytest.mark.parametrize(
    ("pattern", "model", "is_meant"),
    [
        ("acme-1", "Acme-1", True),
        ("acme-1", "acme-10", False),
        ("acme-*", "acme-", True),
        ("*-mini", "gpt-5-mini", True),
        ("a.me-1", "acme-1", False),
        ("acme-[1]", "acme-[1]", True),
        ("claude-sonnet-4-5-20250929", "google/claude-sonnet-4-5-20250929", True),  # the seller was an attribute
        ("openai/gpt-oss-120b", "groq/openai/gpt-oss-120b", True),
    ],
)
def test_only_stars_are_wildcards(pattern: str, model: str, is_meant: bool) -> None:
    assert pattern_matches(pattern, model) is is_meant


def test_a_renamed_model_is_priced_as_the_one_that_it_was() -> None:
    override("sonnet-renamed", same_as="claude-sonnet-4-5")
    received("sonnet-renamed", tokens=(200_001, 0, 0, 1_000))
    assert spend() == Decimal("1.222506")


@pytest.mark.parametrize(
    ("fields", "field", "message"),
    [
        ({"input": Decimal(-1)}, "input", "negative"),
        ({"input": Decimal(20_000)}, "input", "10,000"),
        ({"output": None}, "output", "Give a price"),
        ({"model": "*"}, "model", "Name a model"),
        ({"same_as": "claude-sonnet-4-5", "input": Decimal(1)}, "same_as", "not both"),
        ({"same_as": "nobody-knows"}, "same_as", "has no model nobody-knows"),
        ({"long_above": 200_000}, "long_above", "need"),
        ({"long_input": Decimal(1)}, "long_above", "need"),
        ({"reason": ""}, "reason", "blank"),
    ],
)
def test_what_is_wrong_with_an_override_is_said_at_its_field(fields: dict[str, Any], field: str, message: str) -> None:
    with pytest.raises(ValidationError) as raised:
        override(**{"model": "acme-1", **fields})
    assert message in str(raised.value.message_dict[field])
    assert not PriceOverride.objects.exists()
    assert not Repricing.objects.exists()


def test_overlapping_overrides_are_refused_with_the_days_of_the_other() -> None:
    override(during=DateRange(date(2026, 1, 1), date(2026, 4, 1)))
    override(during=DateRange(date(2026, 4, 1), None))  # the day after: no overlap
    override(during=DateRange(date(2026, 2, 1), None), agent="codex")  # of another agent: no overlap
    with pytest.raises(ValidationError) as raised:
        override("ACME-1", during=DateRange(date(2026, 3, 31), date(2026, 4, 1)))
    assert "from 2026-01-01, until 2026-04-01" in str(raised.value.message_dict["during"])


def test_the_database_refuses_what_no_form_has_seen() -> None:
    override()
    for row in (
        PriceOverride(model="acme-1", during=EVER, input=1, output=1, reason="twice"),
        PriceOverride(model="acme-2", during=EVER, input=-1, output=1, reason="negative"),
        PriceOverride(model="acme-3", during=EVER, reason="nothing"),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            row.save()


def test_a_changed_override_is_logged_and_reprices_what_it_touches() -> None:
    ada = User.objects.create_user("ada")
    received("acme-1")
    assert spend() is None
    made = override(during=DateRange(date(2026, 3, 1), None))
    reprice_waiting_rows()
    assert spend() == Decimal("2.8")
    made.input = Decimal(3)
    save_override(made, by=ada)
    reprice_waiting_rows()
    assert spend() == Decimal("3.8")
    assert priced_by().endswith(".2")
    remove_override(made, by=ada)
    reprice_waiting_rows()
    assert spend() is None
    log = PriceOverrideChange.objects.order_by("pk")
    assert [(change.act, change.terms["input"], change.by) for change in log] == [
        ("added", "2", None),
        ("changed", "3", ada),
        ("removed", "3", ada),
    ]
    first, second, third = Repricing.objects.order_by("pk")
    assert (first.unpriced_before, first.unpriced_after, first.spend_after) == (1_100_000, 0, Decimal("2.8"))
    assert (second.spend_before, second.spend_after, second.requested_by) == (Decimal("2.8"), Decimal("3.8"), ada)
    assert (third.spend_before, third.spend_after, third.unpriced_after) == (Decimal("3.8"), Decimal(0), 1_100_000)
    assert {first.requests, second.requests, third.requests} == {1}
    with pytest.raises(DatabaseError), transaction.atomic():
        log.delete()


def test_an_override_saved_without_a_change_changes_nothing() -> None:
    made = override()
    save_override(made, by=None)
    assert (PriceOverrideChange.objects.count(), Repricing.objects.count(), made.revision) == (1, 1, 1)


def test_days_that_only_metrics_tell_of_are_repriced_too() -> None:
    receive(
        [
            Point(at("2026-03-02 10:00"), 1_000_000, Measure.INPUT_TOKENS, model="acme-1"),
            Point(at("2026-03-02 10:00"), 7.5, Measure.REPORTED_COST, model="acme-1"),
        ]
    )
    fold_received_batches()
    day = AgentSessionDay.objects.get()
    assert (day.spend, day.unpriced_tokens, day.compared_cost) == (None, 1_000_000, None)
    override()
    reprice_waiting_rows()
    day = AgentSessionDay.objects.get()
    assert (day.spend, day.unpriced_tokens) == (Decimal(2), 0)
    assert (day.compared_cost, day.compared_spend) == (Decimal("7.5"), Decimal(2))
    assert day.price_version is not None
    assert day.price_version.name.startswith("override ")


@pytest.mark.parametrize(
    ("pattern", "model", "is_met"),
    [
        ("acme-*", "acme-", True),
        ("acme*acme", "acme", False),  # one word cannot be the beginning and the end
        ("a*b*b", "axb", False),
        ("a*b*b", "axbyb", True),
        ("*", "anything", True),
        ("**", "anything", True),
        ("a*c*b", "abcb", True),
        ("a*.*b", "axxb", False),  # a dot is a dot
        ("acme", "acme-1", False),
        ("*one*two*", "two one", False),
        ("*one*two*", "ONE\ntwo", True),
    ],
)
def test_a_star_of_a_pattern_stands_for_any_characters(pattern: str, model: str, is_met: bool) -> None:
    assert pattern_matches(pattern, model) == is_met


def test_a_pattern_of_stars_takes_no_longer_than_reading_the_name() -> None:
    """As an expression, it tried every way of dividing the name among its stars: years, for these."""
    began = time.monotonic()
    for length in (30, 60, 120):
        assert not pattern_matches("*a" * length + "b", "a" * 2 * length)
        assert pattern_matches("*a" * length, "a" * length)
    assert time.monotonic() - began < 1
