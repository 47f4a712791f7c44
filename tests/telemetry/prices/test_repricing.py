"""Requests priced by outdated prices are repriced: in pieces, once, and as if they arrived today."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from importlib.metadata import version
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.db.backends.postgresql.psycopg_any import DateRange
from django.test import Client
from django.urls import reverse
from genai_prices.data_snapshot import DataSnapshot, get_snapshot, set_custom_snapshot
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from integrations.models import (
    AgentRequest,
    AgentSession,
    AgentSessionDay,
    AgentTierDay,
    AppliedPriceBook,
    FactChange,
    FactFamily,
    PriceOverride,
    PriceSnapshot,
    Repricing,
)
from integrations.outbox.fact_changes import take_changes
from integrations.telemetry.agents.events import EventKind, Measure
from integrations.telemetry.prices import library
from integrations.telemetry.prices.library_update import accept_correction, apply_price_book, decline_correction
from integrations.telemetry.prices.lists import PriceList, before_the_change
from integrations.telemetry.prices.overrides import save_override
from integrations.telemetry.prices.queue import enqueue_repricing
from integrations.telemetry.sessions import fold_days, reprice
from integrations.telemetry.sessions.fold import fold_received_batches
from integrations.telemetry.sessions.reprice import reprice_waiting_rows
from tests.telemetry.raw_rows import Event, Point, at, receive

pytestmark = pytest.mark.django_db

SONNET, OPUS, UNKNOWN = "claude-sonnet-4-5", "claude-opus-4-6", "acme-1"


def request(model: str, *, session: str = "session-1", when: str = "2026-03-02 10:00", **more: Any) -> Event:
    tokens = more.pop("tokens", (1_000_000, 0, 0, 100_000))
    key = f"{session} {model} {when}"
    return Event(at(when), session=session, kind=EventKind.REQUEST, model=model, key=key, tokens=tokens, **more)


def fold(*records: Event | Point) -> None:
    receive(records)
    fold_received_batches()


@contextmanager
def price_list(
    version: str,
    *,
    without: str = "",
    change: tuple[str, Decimal] | None = None,
    since: date | None = None,
    published: date = date(2026, 3, 1),
) -> Iterator[None]:
    """Another version of the library: it does not know a model, or has another price of its input, since a day."""
    providers = []
    for provider in get_snapshot().providers:
        models = [model for model in provider.models if model.id != without]
        if change:
            models = [_dearer(model, change[1], since) if model.id == change[0] else model for model in models]
        providers.append(replace(provider, models=models))
    set_custom_snapshot(DataSnapshot(providers=providers, from_auto_update=False))
    original = library.library_version
    library.library_list.cache_clear()
    with pytest.MonkeyPatch.context() as patch:
        for module in ("library", "library_update", "book"):
            patch.setattr(f"integrations.telemetry.prices.{module}.library_version", lambda: f"genai-prices {version}")
        patch.setitem(library.LIST_DATES, f"genai-prices {version}", published)
        try:
            yield
        finally:
            set_custom_snapshot(None)
            library.library_list.cache_clear()
    assert library.library_version is original


def _dearer(model: Any, price: Decimal, since: date | None) -> Any:
    from genai_prices.types import ConditionalPrice, ModelPrice, StartDateConstraint

    prices = ModelPrice(input_mtok=price, output_mtok=price)
    if since is None:
        return replace(model, prices=prices)
    before = model.prices if isinstance(model.prices, list) else [ConditionalPrice(prices=model.prices)]
    return replace(model, prices=[*before, ConditionalPrice(prices=prices, constraint=StartDateConstraint(since))])


def test_a_new_price_list_reprices_the_models_whose_prices_changed_and_no_others() -> None:
    fold(request(SONNET, tokens=(100_000, 0, 0, 0)), request(OPUS, tokens=(100_000, 0, 0, 0)))
    apply_price_book()
    reprice_waiting_rows()
    Repricing.objects.all().delete()
    FactChange.objects.all().delete()
    opus_before = AgentRequest.objects.get(model=OPUS).price_version_id
    with price_list("9.9", change=(SONNET, Decimal(7))):
        apply_price_book()
        apply_price_book()  # once is enough
        reprice_waiting_rows()
    repricing = Repricing.objects.get(cause="library")
    assert (repricing.cause, repricing.model_names, repricing.requests, repricing.changed) == (
        "library",
        [SONNET],
        1,
        1,
    )
    assert (repricing.spend_before, repricing.spend_after) == (Decimal("0.3"), Decimal("0.7"))
    assert "9.9" in repricing.reason
    assert AgentRequest.objects.filter(model=SONNET, price_version__name="genai-prices 9.9").exists()
    assert AgentRequest.objects.get(model=OPUS).price_version_id == opus_before
    assert sum(day.spend or 0 for day in AgentSessionDay.objects.all()) == Decimal("1.2")
    assert {(change.family, change.day_from) for change in take_changes()} == {(FactFamily.AI, date(2026, 3, 2))}


def test_a_price_that_disappears_goes_on_and_known_spend_stays_known() -> None:
    fold(request(SONNET))
    apply_price_book()
    reprice_waiting_rows()
    before = AgentRequest.objects.get().spend
    assert before is not None
    with price_list("9.9", without=SONNET):
        apply_price_book()
        enqueue_repricing(Repricing.Cause.REQUESTED, "Everything")
        fold(request(SONNET, when="2026-03-05 10:00"))
        reprice_waiting_rows()
        snapshot = PriceSnapshot.objects.get(model=SONNET)
        assert snapshot.missing_since == "genai-prices 9.9"
        spent = AgentRequest.objects.values_list("spend", "price_version__name")
        assert set(spent) == {(before, snapshot.library)}  # at the last price, by the version that said it
    assert not AgentSessionDay.objects.filter(unpriced_tokens__gt=0).exists()


def test_a_price_that_comes_back_is_the_list_s_again() -> None:
    fold(request(SONNET))
    apply_price_book()
    with price_list("9.9", without=SONNET):
        apply_price_book()
    apply_price_book()
    assert PriceSnapshot.objects.get(model=SONNET).missing_since == ""


def test_a_model_that_the_list_learns_of_gets_its_price() -> None:
    with price_list("0.1", without=SONNET):
        fold(request(SONNET))
        apply_price_book()
        reprice_waiting_rows()
        assert AgentRequest.objects.get().spend is None
        assert PriceSnapshot.objects.get().prices is None
    apply_price_book()
    reprice_waiting_rows()
    assert AgentRequest.objects.get().spend == Decimal("8.25")  # a long prompt: 1 M × 6 + 0.1 M × 22.5
    assert Repricing.objects.filter(unpriced_before=1_100_000).exists()


def test_in_an_empty_installation_nothing_is_priced_anew() -> None:
    apply_price_book()
    assert not Repricing.objects.exists()
    assert AppliedPriceBook.objects.count() == 1


def spent() -> dict[str, Decimal]:
    """Spend by day, as days and requests say."""
    days = {str(day.day): day.spend for day in AgentSessionDay.objects.order_by("day")}
    requests = {str(request.at.date()): request.spend for request in AgentRequest.objects.all()}
    assert days == requests
    return {day: amount for day, amount in days.items() if amount is not None}


def small(*days: str) -> list[Event]:
    return [request(SONNET, when=f"2026-{day} 10:00", tokens=(100_000, 0, 0, 0)) for day in days]


def test_a_change_without_a_date_holds_from_the_list_s_own_date_and_the_past_is_offered() -> None:
    fold(*small("03-09", "03-10"))
    apply_price_book()
    with price_list("9.9", change=(SONNET, Decimal(7)), published=date(2026, 3, 10)):
        apply_price_book()
        reprice_waiting_rows()
        assert spent() == {"2026-03-09": Decimal("0.3"), "2026-03-10": Decimal("0.7")}
        fold(*small("03-08", "03-11"))  # what arrives late is no exception
        now = {"2026-03-08": Decimal("0.3"), "2026-03-09": Decimal("0.3")}
        now |= {"2026-03-10": Decimal("0.7"), "2026-03-11": Decimal("0.7")}
        assert spent() == now
        versions = dict(AgentRequest.objects.values_list("at__date", "price_version__name"))
        assert versions[date(2026, 3, 10)] == versions[date(2026, 3, 11)] == "genai-prices 9.9"
        assert versions[date(2026, 3, 8)] == versions[date(2026, 3, 9)] == library_now()
        offer = Repricing.objects.get(state="offered")
        assert (offer.spend_before, offer.spend_after, offer.cause) == (Decimal("1.0"), Decimal("1.4"), "correction")
        enqueue_repricing(Repricing.Cause.REQUESTED, "Everything")
        reprice_waiting_rows()
        assert spent() == now  # nothing happens by itself
        accept_correction(offer, by=User.objects.create(username="admin"))
        reprice_waiting_rows()
        assert set(spent().values()) == {Decimal("0.7")}
        done = Repricing.objects.latest("pk")
        assert (done.spend_before, done.spend_after, str(done.requested_by)) == (
            Decimal("1.3"),
            Decimal("2.1"),
            "admin",
        )
        with pytest.raises(ValueError, match="not a correction"):
            accept_correction(offer, by=User.objects.get())


def library_now() -> str:
    return f"genai-prices {version('genai-prices')}"


def test_a_change_with_a_date_holds_from_that_day_by_itself() -> None:
    fold(*small("03-04", "03-05", "03-20"))
    apply_price_book()
    with price_list("9.9", change=(SONNET, Decimal(7)), since=date(2026, 3, 5), published=date(2026, 3, 10)):
        apply_price_book()
        reprice_waiting_rows()
        assert spent() == {
            "2026-03-04": Decimal("0.3"),
            "2026-03-05": Decimal("0.7"),
            "2026-03-20": Decimal("0.7"),
        }
        assert not Repricing.objects.filter(cause="correction").exists()


def test_a_correction_that_changes_no_sum_is_not_offered() -> None:
    fold(*small("03-12"))
    apply_price_book()
    with price_list("9.9", change=(SONNET, Decimal(7)), published=date(2026, 3, 1)):
        apply_price_book()
        reprice_waiting_rows()
        assert not Repricing.objects.filter(state="offered").exists()


def test_a_correction_is_about_all_names_of_a_model_metrics_and_no_day_of_an_override() -> None:
    """100,000 tokens each: by an override at 1 on 5 March, before the list's day at 3, and from it on at 7."""
    days = DateRange(date(2026, 3, 5), date(2026, 3, 7))
    save_override(
        PriceOverride(model=SONNET, during=days, input=Decimal(1), output=Decimal(1), reason="Agreed"), by=None
    )
    metered = (
        Point(at(f"2026-03-{day} 10:00"), 100_000.0, Measure.INPUT_TOKENS, session="metered", model=SONNET)
        for day in ("08", "11")
    )
    dated = request(f"{SONNET}-20250929", when="2026-03-09 23:59", tokens=(100_000, 0, 0, 0))
    fold(*small("03-05", "03-10"), dated, *metered)
    apply_price_book()
    reprice_waiting_rows()

    def by_day() -> dict[int, Decimal]:
        return {row.day.day: row.spend for row in AgentSessionDay.objects.filter(counted=True) if row.spend is not None}

    with price_list("9.9", change=(SONNET, Decimal(7)), published=date(2026, 3, 10)):
        apply_price_book()
        reprice_waiting_rows()
        new, old, agreed = Decimal("0.7"), Decimal("0.3"), Decimal("0.1")
        assert by_day() == {5: agreed, 8: old, 9: old, 10: new, 11: new}
        offer = Repricing.objects.get(state="offered")
        assert offer.spend_after - offer.spend_before == 2 * (new - old)
        accept_correction(offer, by=User.objects.create(username="admin"))
        reprice_waiting_rows()
        assert by_day() == {5: agreed, 8: new, 9: new, 10: new, 11: new}


def test_a_second_correction_leaves_what_the_first_was_about_to_its_own_offer() -> None:
    fold(*small("03-01", "03-11", "03-21"))
    apply_price_book()
    user = User.objects.create(username="admin")
    with price_list("9.8", change=(SONNET, Decimal(7)), published=date(2026, 3, 10)):
        apply_price_book()
        reprice_waiting_rows()
    with price_list("9.9", change=(SONNET, Decimal(9)), published=date(2026, 3, 20)):
        apply_price_book()
        reprice_waiting_rows()
        assert list(spent().values()) == [Decimal("0.3"), Decimal("0.7"), Decimal("0.9")]
        first, second = Repricing.objects.filter(state="offered").order_by("pk")
        decline_correction(first)
        first.refresh_from_db()
        assert first.state == "declined"
        accept_correction(first, by=user)  # after all
        reprice_waiting_rows()
        assert list(spent().values()) == [Decimal("0.7"), Decimal("0.7"), Decimal("0.9")]
        accept_correction(second, by=user)
        reprice_waiting_rows()
        assert set(spent().values()) == {Decimal("0.9")}
        assert PriceSnapshot.objects.get(model=SONNET).earlier is None


def test_an_admin_decides_on_the_page_of_repricings(client: Client) -> None:
    fold(*small("03-01"))
    apply_price_book()
    boss = User.objects.create_superuser("boss")
    client.force_login(boss)
    with price_list("9.9", change=(SONNET, Decimal(7)), published=date(2026, 3, 10)):
        apply_price_book()
        reprice_waiting_rows()
        page = client.get(reverse("ai_prices")).content.decode()
        assert "Earlier days cost $0.30, and would cost $0.70." in page
        offer = Repricing.objects.get(state="offered")
        for action, state in (("decline", "declined"), ("accept", "accepted")):
            chosen = {"action": action, "_selected_action": [offer.pk]}
            client.post(reverse("admin:integrations_repricing_changelist"), chosen)
            offer.refresh_from_db()
            assert offer.state == state
        reprice_waiting_rows()
        assert spent() == {"2026-03-01": Decimal("0.7")}
        assert "Earlier days cost" not in client.get(reverse("ai_prices")).content.decode()


def test_the_day_of_the_pinned_list_is_known() -> None:
    assert library_now() in library.LIST_DATES


SINCE = [None, *(date(2026, 3, day).isoformat() for day in (5, 10, 15, 20))]
entries = st.dictionaries(st.sampled_from(SINCE[1:]), st.integers(1, 9), max_size=4)
price_lists = st.tuples(st.integers(1, 9), entries).map(
    lambda drawn: {None: drawn[0], **dict(sorted(drawn[1].items()))}
)


def as_json(prices: dict[str | None, int]) -> dict[str, Any]:
    return {
        "prices": [
            {"rates": {"input": [str(price)]}, **({"since": day} if day else {})} for day, price in prices.items()
        ],
        "tiers": [],
    }


@given(price_lists, price_lists)
def test_days_before_a_list_have_the_old_prices_and_those_that_the_new_list_dates(
    old: dict[str | None, int], new: dict[str | None, int]
) -> None:
    past = PriceList(before_the_change(as_json(old), as_json(new)))
    known = {**new, **old}  # of the same day, the old one
    for day in range(1, 29):
        expected = max((since or "", price) for since, price in known.items() if (since or "") <= f"2026-03-{day:02}")
        assert past.card(datetime(2026, 3, day, 12, tzinfo=UTC)).input.base == expected[1]
    if all(new.get(since) == price for since, price in old.items()):
        assert before_the_change(as_json(old), as_json(new)) == as_json(new)


def test_a_worker_that_dies_goes_on_after_the_last_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reprice, "SESSIONS_PER_TRANSACTION", 1)
    for number in range(4):
        fold(request(SONNET, session=f"session-{number}"))
    AgentRequest.objects.update(spend=0)
    AgentSessionDay.objects.update(spend=0)
    enqueue_repricing(Repricing.Cause.REQUESTED, "Everything")
    real, calls = fold_days.rebuild_days, list[int]()

    def dies_in_the_third() -> None:
        calls.append(1)
        if len(calls) == 3:
            raise RuntimeError("killed")
        real()

    monkeypatch.setattr(reprice, "rebuild_days", dies_in_the_third)
    with pytest.raises(RuntimeError):
        reprice_waiting_rows()
    row = Repricing.objects.get()
    assert (row.state, row.requests, row.spend_after) == ("at_work", 2, Decimal("16.5"))
    reprice_waiting_rows()
    row.refresh_from_db()
    assert (row.state, row.requests, row.changed) == ("done", 4, 4)
    assert (row.spend_before, row.spend_after) == (Decimal(0), Decimal(33))
    assert set(AgentSessionDay.objects.values_list("spend", flat=True)) == {Decimal("8.25")}


def test_only_the_days_that_an_override_names_are_looked_at() -> None:
    fold(*(request(SONNET, when=f"2026-03-0{day} 10:00") for day in (1, 2, 3, 4)))
    row = enqueue_repricing(
        Repricing.Cause.REQUESTED, "Two days", models=[SONNET], day_from=date(2026, 3, 2), day_to=date(2026, 3, 4)
    )
    reprice_waiting_rows()
    row.refresh_from_db()
    assert (row.requests, row.changed) == (2, 0)


MODELS = st.sampled_from([SONNET, OPUS, UNKNOWN, "gpt-5", ""])
MOMENTS = st.sampled_from([f"2026-03-{day:02} {hour}:00" for day in (1, 11, 12, 13) for hour in ("00", "10", "23")])
COUNTS = st.sampled_from([0, 1, 199_999, 200_001, 5_000_000])
TOKENS = st.tuples(COUNTS, COUNTS, COUNTS, COUNTS)


@st.composite
def records(draw: st.DrawFn) -> Event | Point:
    session = draw(st.sampled_from(["session-1", "session-2"]))
    model, moment = draw(MODELS), draw(MOMENTS)
    if draw(st.booleans()):
        cost = draw(st.sampled_from([None, 0.0, 1.5]))
        return request(model, session=session, when=moment, tokens=draw(TOKENS), reported_cost=cost)
    measure = draw(st.sampled_from([Measure.INPUT_TOKENS, Measure.OUTPUT_TOKENS, Measure.REPORTED_COST]))
    return Point(at(moment), float(draw(COUNTS)), measure, session=session, model=model)


@st.composite
def overrides(draw: st.DrawFn) -> PriceOverride:
    price = st.sampled_from([Decimal(0), Decimal("0.25"), Decimal(9)])
    days = draw(st.sampled_from([(None, None), (date(2026, 3, 11), date(2026, 3, 13)), (date(2026, 3, 12), None)]))
    made = PriceOverride(
        model=draw(st.sampled_from([SONNET, "claude-*", UNKNOWN])),
        agent=draw(st.sampled_from(["", "claude_code", "codex"])),
        during=DateRange(*days),
        input=draw(price),
        output=draw(price),
        reason="Drawn",
    )
    if draw(st.booleans()):
        made.long_above, made.long_input = 200_000, draw(price)
    return made


@settings(max_examples=25, suppress_health_check=list(HealthCheck))
@given(st.lists(records(), min_size=1, max_size=8), overrides())
def test_repricing_is_pricing_at_arrival_and_twice_is_once(rows: list[Event | Point], made: PriceOverride) -> None:
    _empty()
    save_override(made, by=None)
    fold(*rows)
    at_arrival = _figures()
    _empty()
    fold(*rows)
    made.pk = None
    made._state.adding = True
    save_override(made, by=None)
    reprice_waiting_rows()
    assert _figures() == at_arrival
    row = enqueue_repricing(Repricing.Cause.REQUESTED, "Everything again")
    reprice_waiting_rows()
    row.refresh_from_db()
    assert _figures() == at_arrival
    assert (row.changed, row.spend_before) == (0, row.spend_after)


def _figures() -> list[Any]:
    days = AgentSessionDay.objects.order_by("session__external_id", "day", "source", "model")
    requests = AgentRequest.objects.order_by("session__external_id", "key")
    return [
        list(days.values_list("session__external_id", "day", "source", "model", "spend", "unpriced_tokens")),
        list(days.values_list("compared_cost", "compared_spend", "counted", "reported_cost")),
        list(requests.values_list("key", "spend")),
        [name.partition(" ")[0] if name else None for name in requests.values_list("price_version__name", flat=True)],
        list(AgentTierDay.objects.order_by("session__external_id", "day", "model").values_list("prompt_above", "day")),
    ]


def _empty() -> None:
    for table in (AgentSession, PriceOverride, Repricing, PriceSnapshot):
        table.objects.all().delete()
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE integrations_agent_event, integrations_agent_point, integrations_factchange")
