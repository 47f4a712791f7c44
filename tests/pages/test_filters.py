"""The state of a page stands in its address, and a wrong address is explained."""

from __future__ import annotations

from datetime import date, timedelta
from urllib.parse import parse_qsl, urlencode

import pytest
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest, QueryDict
from django.test import Client, RequestFactory
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from core.views import CONTEXT
from insights.query.errors import QueryError
from insights.query.query import Dimension, Granularity, Window
from insights.ui.filters import (
    GRANULARITY,
    WEEK_RANGES,
    Choice,
    Filters,
    context_of,
    keep_context,
    quarters_to_offer,
    read_filters,
)
from orgtree.access.access import Access
from orgtree.access.trust import TrialState
from orgtree.models import IndividualPolicy, Organisation
from orgtree.models.visibility import Visibility

TODAY = date(2026, 11, 20)  # a Friday
EVERYTHING = Access(
    None, Visibility(whole=True, unit_ids=None), IndividualPolicy.NAMED, TrialState(True, 5, None), Organisation()
)
TREND = Choice("trend", {"agent": "Agents", "model": "Models"})
FACET_VALUES = st.lists(
    st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), min_size=1, max_size=40),
    max_size=4,
    unique=True,
)


def read(address: str) -> Filters:
    return read_filters(QueryDict(address), today=TODAY, access=EVERYTHING, choices=[TREND])


@given(
    range_name=st.sampled_from([*WEEK_RANGES, "quarter", "2026-Q3", "2025-Q1"]),
    granularity=st.sampled_from([*GRANULARITY.options]),
    agents=FACET_VALUES,
    models=FACET_VALUES,
    trend=st.sampled_from(list(TREND.options)),
)
def test_a_state_survives_its_own_address(
    range_name: str, granularity: Granularity, agents: list[str], models: list[str], trend: str
) -> None:
    pairs = [("range", range_name), ("granularity", granularity.value), ("trend", trend)]
    pairs += [("agent", agent) for agent in agents] + [("model", model) for model in models]
    first = read(urlencode(pairs))
    again = read(first.url("").removeprefix("?"))
    assert again == first
    assert again.url("") == first.url("")


@given(start=st.dates(date(2020, 1, 1), date(2026, 1, 1)), days=st.integers(1, 1800))
def test_a_custom_range_survives_its_own_address(start: date, days: int) -> None:
    first = read(f"from={start}&to={start + timedelta(days=days)}")
    assert first.window == Window(start, start + timedelta(days=days))
    assert read(first.url("").removeprefix("?")) == first


def test_defaults_are_left_out_of_the_address_but_for_the_window() -> None:
    assert read("").url("/ai/") == "/ai/?range=12w"
    assert read("range=12w&granularity=week&trend=agent&agent=").url("/ai/") == "/ai/?range=12w"


def test_a_form_says_the_last_day_and_means_it_too() -> None:
    assert read("range=custom&from=2026-07-01&through=2026-07-31").window == Window(date(2026, 7, 1), date(2026, 8, 1))


def test_weeks_end_today() -> None:
    assert read("range=4w").window == Window(date(2026, 10, 24), date(2026, 11, 21))


def test_quarters_are_fiscal(settings: Settings) -> None:
    assert read("range=2026-Q3").window == Window(date(2026, 7, 1), date(2026, 10, 1))
    assert quarters_to_offer(TODAY)[:2] == ["2026-Q4", "2026-Q3"]
    settings.FISCAL_YEAR_START_MONTH = 4
    assert read("range=2027-Q3").window == Window(date(2026, 10, 1), date(2027, 1, 1))
    assert quarters_to_offer(TODAY)[:3] == ["2027-Q3", "2027-Q2", "2027-Q1"]
    for name in quarters_to_offer(TODAY):
        assert read(f"range={name}").window.days >= 90


def test_a_running_quarter_is_compared_with_the_same_part_of_the_one_before() -> None:
    quarter = read("range=quarter")
    assert quarter.window == Window(date(2026, 10, 1), date(2027, 1, 1))
    assert quarter.previous == Window(date(2026, 7, 1), date(2026, 8, 21))


def test_a_link_changes_one_thing_and_keeps_the_rest() -> None:
    here = read("range=26w&granularity=month&agent=codex&trend=model")
    there = here.with_toggled(Dimension.AGENT, "claude_code")
    assert dict(parse_qsl(there.url("")[1:])) == {
        "range": "26w",
        "granularity": "month",
        "agent": "claude_code",
        "trend": "model",
    }
    assert there.facets[Dimension.AGENT] == ("codex", "claude_code")
    assert there.with_toggled(Dimension.AGENT, "claude_code") == here
    assert here.without_facets().url("") == "?range=26w&granularity=month&trend=model"


@pytest.mark.parametrize(
    ("address", "parameter"),
    [
        ("range=13w", "range"),
        ("range=2026-Q5", "range"),
        ("range=2027-Q1", "range"),
        ("from=2026-11-21&to=2026-12-01", "from"),
        ("range=9999-Q1", "range"),
        ("range=0000-Q1", "range"),
        ("range=custom", "from"),
        ("from=yesterday&to=2026-01-01", "from"),
        ("from=2026-01-01", "through"),
        ("from=2026-02-30&to=2026-03-01", "from"),
        ("from=2026-03-02&to=2026-03-02", "to"),
        ("from=2026-03-02&through=2026-03-01", "through"),
        ("from=1970-01-01&to=1970-02-01", "from"),
        ("from=2000-01-01&to=2026-02-01", "to"),
        ("from=2026-01-01&to=9999-12-31", "to"),
        ("granularity=fortnight", "granularity"),
        ("granularity=day", "granularity"),
        ("agent=a%00b", "agent"),
        ("model=" + "m" * 201, "model"),
        ("&".join(f"model={number}" for number in range(51)), "model"),
        ("trend=tool", "trend"),
    ],
)
def test_a_wrong_parameter_is_named(address: str, parameter: str) -> None:
    with pytest.raises(QueryError) as problem:
        read(address)
    assert problem.value.field == parameter
    assert problem.value.message.endswith(".")


@given(
    st.dictionaries(
        st.sampled_from(["range", "from", "to", "through", "granularity", "agent", "model", "trend", "page"]),
        st.text(max_size=30),
    )
)
def test_no_address_breaks_the_reader(parameters: dict[str, str]) -> None:
    query = QueryDict(mutable=True)
    query.update(parameters)
    try:
        filters = read_filters(query, today=TODAY, access=EVERYTHING, choices=[TREND])
    except QueryError:
        return
    assert filters.window.days > 0
    assert filters.previous.days > 0


@pytest.mark.parametrize(
    "address",
    [
        "/insights/ai/?range=bogus",
        "/insights/ai/charts/spend_trend/?range=bogus",
        "/insights/ai/charts/spend_trend.csv?range=bogus",
        "/insights/metrics/ai.spend/how/?range=bogus",
        "/insights/metrics/ai.spend/rows/?range=bogus",
        "/insights/metrics/ai.spend/rows.csv?range=bogus",
    ],
)
def test_a_wrong_address_is_answered_with_its_parameter(member: Client, address: str) -> None:
    answer = member.get(address)
    assert answer.status_code == 400
    assert "“range” cannot be read" in answer.content.decode()


def test_a_program_gets_the_parameter_as_json(member: Client) -> None:
    answer = member.get("/insights/ai/charts/spend_trend/?granularity=x", headers={"Accept": "application/json"})
    assert answer.status_code == 400
    assert answer.json()["parameter"] == "granularity"


@pytest.mark.parametrize("page", ["0", "-1", "x", "1.5", "٣", "99999999999999999999"])
def test_a_wrong_page_number_is_named(member: Client, page: str) -> None:
    answer = member.get("/insights/metrics/ai.sessions/rows/", {"page": page})
    assert answer.status_code in (200, 400)
    if answer.status_code == 400:
        assert "“page”" in answer.content.decode()


def request_of(address: str, kept: str = "") -> HttpRequest:
    request = RequestFactory().get(f"/insights/ai/?{address}")
    request.session = SessionBase()
    request.session[CONTEXT] = kept
    return request


@pytest.mark.parametrize(
    ("address", "kept", "context"),
    [
        ("", "", ""),
        ("", "unit=payments&range=4w&agent=codex", "unit=payments&range=4w&agent=codex"),
        # An address with a window says everything.
        ("range=12w", "unit=payments&range=4w&agent=codex", "range=12w"),
        ("from=2026-07-01&through=2026-07-31", "unit=payments", "from=2026-07-01&through=2026-07-31"),
        # One without says what it says.
        ("unit=search", "unit=payments&range=4w&granularity=month", "unit=search&range=4w&granularity=month"),
        ("person=me", "unit=payments&where=site%3DOslo&range=4w", "person=me&range=4w"),
        ("model=opus", "unit=payments&range=4w&agent=codex", "unit=payments&range=4w&model=opus"),
        ("unit=&sort=name", "unit=payments&range=4w", "range=4w"),
    ],
)
def test_an_address_takes_what_it_lacks_from_the_session(address: str, kept: str, context: str) -> None:
    assert urlencode(context_of(request_of(address, kept))) == context


def test_the_session_keeps_the_context_of_a_page_and_nothing_else_of_it() -> None:
    request = request_of("")
    keep_context(request, read("range=26w&agent=codex&trend=model&language=Go"))
    assert request.session[CONTEXT] == "range=26w&agent=codex"
    keep_context(request, read("range=12w"))
    assert context_of(request) == []


def test_a_page_passes_on_the_facets_that_it_lacks() -> None:
    without = read_filters(QueryDict("agent=codex&agent=cursor&model="), today=TODAY, access=EVERYTHING, facets=())
    assert without.facets == {}
    assert without.url("/there/") == "/there/?range=12w&agent=codex&agent=cursor"
