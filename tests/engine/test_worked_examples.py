"""Figures that can be checked by hand, told through the real intake."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest
import time_machine
from django.db.backends.postgresql.psycopg_any import DateRange

from insights.engine.connected import ONLY_OTHERS
from insights.engine.read import UnitQueries, read_together
from insights.query.query import Dimension, Query, Statistic, Window
from orgtree.models import Person, Unit
from tests.org import Org

pytestmark = pytest.mark.django_db
WEEK = "2026-W10"  # 2–8 March
DAYS = Window(date(2026, 3, 2), date(2026, 3, 9))


@pytest.fixture(autouse=True)
def _now() -> Iterator[None]:
    with time_machine.travel(datetime(2026, 3, 11, 12, 0, tzinfo=UTC), tick=True):
        yield


def test_adoption_is_active_over_enrolled(org: Org) -> None:
    for name in ("ada", "bob", "cy", "dee"):
        org.session(by=name, on="2026-02-24")
    org.session(by="ada", on="2026-03-02")
    org.session(by="bob", on="2026-03-05")
    org.session(by="bob", on="2026-03-06")
    rate = org.metric("ai.adoption_rate", week=WEEK)
    assert (rate.value, rate.numerator, rate.denominator) == (50.0, 2, 4)
    assert (rate.sample_size, rate.people) == (3, 2)
    active = org.metric("ai.active_developers", week=WEEK)
    assert (active.value, active.denominator) == (2, 4)


def test_adoption_never_exceeds_all_although_somebody_left_in_the_window(org: Org) -> None:
    org.session(by="ada", on="2026-03-02")
    org.session(by="bob", on="2026-03-03")
    org.fold()
    Person.objects.get(email="bob@example.com").employments.create(during=DateRange(None, date(2026, 3, 5)))
    rate = org.metric("ai.adoption_rate", week=WEEK)
    assert (rate.value, rate.numerator, rate.denominator) == (100.0, 2, 2)
    assert org.metric("ai.adoption_rate", week="2026-W11").denominator == 1


def test_nobody_is_enrolled_before_their_first_telemetry(org: Org) -> None:
    org.session(by="ada", on="2026-03-02")
    before = org.metric("ai.adoption_rate", week="2026-W08")
    assert before.value is None
    assert before.reason == "No telemetry had been received by then."
    assert org.metric("ai.sessions", week="2026-W08").value is None
    assert org.metric("ai.sessions", week="2026-W11").value == 0


def test_a_units_telemetry_begins_with_the_first_of_it_who_is_enrolled(org: Org) -> None:
    org.tree("Teams")
    for person, unit in (("ada", "red"), ("bob", "blue")):
        org.unit(unit.title(), below="teams")
        org.join(person, unit)
    org.session(by="ada", on="2026-02-17")
    org.session(by="bob", on="2026-03-02")
    sessions = {
        unit: [org.metric("ai.sessions", week=week, unit=unit).value for week in ("2026-W08", "2026-W09", WEEK)]
        for unit in ("teams", "red", "blue")
    }
    assert sessions == {"teams": [1, 0, 1], "red": [1, 0, 0], "blue": [None, None, 1]}
    before = org.metric("ai.sessions", week="2026-W09", unit="blue")
    assert before.reason == "No telemetry had been received by then."


def test_a_unit_without_telemetry_names_that_of_others(org: Org) -> None:
    org.tree("Teams")
    for person, unit in (("ada", "red"), ("eve", "green")):
        org.unit(unit.title(), below="teams")
        org.join(person, unit)
    org.session(by="ada", on="2026-02-17")
    sessions = org.metric("ai.sessions", week=WEEK, unit="green")
    assert (sessions.value, sessions.reason) == (None, ONLY_OTHERS)
    assert org.metric("ai.sessions", week=WEEK, unit="red").value == 0


def test_without_any_telemetry_the_reason_says_what_to_do(org: Org) -> None:
    sessions = org.metric("ai.sessions", week=WEEK)
    assert sessions.value is None
    assert "Connect an agent" in (sessions.reason or "")


def test_sessions_per_developer_divides_by_the_weeks_of_the_window(org: Org) -> None:
    for day in ("2026-03-02", "2026-03-03", "2026-03-04"):
        org.session(by="ada", on=day)
    org.session(by="bob", on="2026-02-25")
    two_weeks = org.metric("ai.sessions_per_developer", from_="2026-02-23", to="2026-03-09")
    assert (two_weeks.value, two_weeks.numerator, two_weeks.denominator) == (1.0, 4, 4)
    assert org.metric("ai.sessions_per_developer", week=WEEK).value == 3.0


def test_tokens_are_the_sum_of_the_four_kinds(org: Org) -> None:
    org.session(by="ada", on="2026-03-02", tokens=1000, cache_read=6000, cache_write=1000, output=200)
    assert org.metric("ai.tokens", week=WEEK).value == 8200
    split = org.series("ai.tokens", window=DAYS, segments=(Dimension.TOKEN_KIND,))
    assert {figure.segment["token_kind"]: figure.value for figure in split.total} == {
        "input": 1000,
        "cache_read": 6000,
        "cache_write": 1000,
        "output": 200,
    }
    rate = org.metric("ai.cache_hit_rate", week=WEEK)
    assert (rate.value, rate.numerator, rate.denominator) == (75.0, 6000, 8000)


def test_the_error_rate_is_summed_over_sessions_and_split_by_tool(org: Org) -> None:
    org.session(by="ada", on="2026-03-02", tool_calls={"Bash": 6, "Edit": 1}, failures={"Bash": 3})
    org.session(by="bob", on="2026-03-03", tool_calls={"Edit": 10})
    rate = org.metric("ai.error_rate", week=WEEK)
    assert (rate.value, rate.numerator, rate.denominator) == (15.0, 3, 20)
    split = org.series("ai.error_rate", window=DAYS, segments=(Dimension.TOOL,))
    assert {figure.segment["tool"]: figure.value for figure in split.total} == {
        "Bash": pytest.approx(100 / 3),
        "Edit": 0.0,
    }


def test_percentiles_are_interpolated_between_sessions(org: Org) -> None:
    for day, minutes in (("2026-03-02", 2), ("2026-03-03", 4), ("2026-03-04", 8), ("2026-03-05", 10)):
        org.session(by="ada", on=day, minutes=minutes)
    assert org.metric("ai.session_duration", week=WEEK).value == pytest.approx(360)
    median = org.metric("ai.session_duration", week=WEEK, statistic=Statistic.MEDIAN)
    assert median.value == pytest.approx(360)
    assert (median.numerator, median.denominator) == (None, None)
    p75 = org.metric("ai.session_duration", week=WEEK, statistic=Statistic.P75)
    assert p75.value == pytest.approx(8.5 * 60)


def test_spend_is_pending_for_72_hours_then_unknown(org: Org) -> None:
    org.session(by="ada", on="2026-03-02", tokens=1_000_000)
    org.session(by="ada", on="2026-03-10", tokens=2_000_000)
    window = Window(date(2026, 3, 2), date(2026, 3, 12))
    split = org.series("ai.spend", window=window, segments=(Dimension.OUTCOME,))
    values = {figure.segment["outcome"]: figure.value for figure in split.total}
    assert values["pending"] == pytest.approx(2 * (values["unknown"] or 0))


def test_spend_of_models_without_a_price_is_no_data_and_says_so(org: Org) -> None:
    org.session(by="ada", on="2026-03-02", model="a-model-of-our-own", tokens=500)
    spend = org.metric("ai.spend", week=WEEK)
    assert spend.value is None
    assert spend.reason == "No price is known for the models that were used."
    assert org.metric("ai.tokens", week=WEEK).value == 500


def test_a_session_over_midnight_counts_where_it_starts_and_its_tokens_on_their_day(org: Org) -> None:
    org.session(by="ada", on="2026-03-08", at="23:55", minutes=8, requests=2, tokens=1000)
    assert org.metric("ai.sessions", week="2026-W10").value == 1
    assert org.metric("ai.sessions", week="2026-W11").value == 0
    assert org.metric("ai.tokens", week="2026-W10").value == 500
    assert org.metric("ai.tokens", week="2026-W11").value == 500
    assert org.metric("ai.tokens", from_="2026-03-02", to="2026-03-16").sample_size == 1


def test_a_model_picks_the_sessions_that_used_it(org: Org) -> None:
    org.session(by="ada", on="2026-03-02", model="claude-sonnet-4-5", tool_calls={"Bash": 2})
    org.session(by="ada", on="2026-03-03", model="claude-opus-4-1", tool_calls={"Bash": 5})
    assert org.metric("ai.sessions", week=WEEK, model="claude-opus-4-1").value == 1
    assert org.metric("ai.tool_calls", week=WEEK, model="claude-opus-4-1").value == 5
    both = ("claude-opus-4-1", "claude-sonnet-4-5")
    assert org.metric("ai.sessions", week=WEEK, model=both).value == 2
    assert org.metric("ai.sessions", week=WEEK, model="claude-opus-4-1", agent="codex").value == 0


def test_a_session_of_a_model_without_a_name_is_one_of_an_unknown_model(org: Org) -> None:
    org.session(by="ada", on="2026-03-02", model="", tool_calls={"Bash": 3})
    org.session(by="ada", on="2026-03-03", model="unknown", tool_calls={"Bash": 2})
    org.session(by="ada", on="2026-03-04", model="claude-opus-4-1", tool_calls={"Bash": 5})
    assert org.metric("ai.sessions", week=WEEK, model="unknown").value == 2
    assert org.metric("ai.tool_calls", week=WEEK, model="unknown").value == 5
    assert org.metric("ai.sessions", week=WEEK, model=("claude-opus-4-1", "unknown")).value == 3
    assert org.metric("ai.sessions", week=WEEK, model="claude-opus-4-1").value == 1


def test_a_session_on_both_days_of_a_move_is_one_of_the_unit_above(org: Org) -> None:
    org.tree("Products")
    for name in ("Payments", "Search"):
        org.unit(name, below="products")
    org.join("ada", "payments")
    org.move("ada", from_="payments", to="search", on="2026-03-05")
    org.session(by="ada", on="2026-03-04", at="23:30", minutes=40, requests=2, tokens=1000)
    org.fold()
    units = dict(Unit.objects.values_list("slug", "pk"))
    query = Query("ai.tokens", DAYS)
    [by_unit] = read_together(units=[UnitQueries([query], list(units.values()))]).units
    totals = {slug: by_unit[pk][0].total[0] for slug, pk in units.items()}
    assert {slug: (figure.value, figure.sample_size, figure.people) for slug, figure in totals.items()} == {
        "products": (1000, 1, 1),
        "payments": (500, 1, 1),
        "search": (500, 1, 1),
    }
    assert all(totals[slug] == org.metric("ai.tokens", unit=slug, week=WEEK) for slug in units)
