"""Input from programs that no form would send: a specific answer names the field, and nothing is stored."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from insights.query import windows
from programs.models import BenchmarkVersion, Objective, Quarter
from programs.quarters.fiscal_quarters import quarter_at
from tests.org import Org
from tests.personas import EXECUTIVE, Persona
from tests.programs.api_pages import got, problem
from tests.programs.objectives import objective
from tests.teams import create_teams

SignIn = Callable[[Persona], Client]


@pytest.fixture(autouse=True)
def teams(org: Org) -> None:
    create_teams()


@pytest.mark.parametrize("value", ["1e400", "1" + "0" * 400, "-1e308", "true", '"4"', "[]"])
@pytest.mark.parametrize("field", ["threshold", "target"])
def test_a_value_that_no_figure_has_is_no_benchmark(sign_in: SignIn, field: str, value: str) -> None:
    body = f'{{"unit": "platform", "reason": "We agreed", "number": 0, "{field}": {value}}}'
    client = sign_in(EXECUTIVE)
    answer = client.put("/api/v1/benchmarks/pr.pickup_time/", body, content_type="application/json")
    assert (answer.status_code, problem(answer.json())[0]) == (400, field)
    assert not BenchmarkVersion.objects.exists()


def test_a_template_that_cannot_be_a_name_is_none(sign_in: SignIn) -> None:
    body = {"title": "Reviews no longer wait", "unit": "platform", "template": "a\x00"}
    answer = sign_in(EXECUTIVE).post("/api/v1/objectives/", body, content_type="application/json")
    assert (answer.status_code, problem(answer.json())[0]) == (400, "template")
    assert not Objective.objects.exists()


@pytest.mark.parametrize("day", ["9999-12-31", "0001-01-01"])
def test_nothing_is_created_for_a_quarter_that_is_far_away(sign_in: SignIn, day: str) -> None:
    client = sign_in(EXECUTIVE)
    for address in ("/api/v1/objectives/templates/lead-time/", "/api/v1/objectives/baseline/?metric=pr.size"):
        joined = f"{address}{'&' if '?' in address else '?'}quarter={day}"
        assert problem(got(client, joined, 400))[0] == "quarter"
    assert not Quarter.objects.filter(start__year__in=(1, 9999)).exists()


def test_values_of_a_check_in_stand_by_ids(sign_in: SignIn) -> None:
    client, new_objective = sign_in(EXECUTIVE), objective(EXECUTIVE)
    wrong: Any = ((None, "values"), ({}, "values"), ({"a": 1}, "values.a"), ({"7": None}, "values.7"), ([1], "values"))
    for values, parameter in wrong:
        body = {"confidence": "high", "values": values}
        address = f"/api/v1/objectives/{new_objective.pk}/check-ins/"
        answer = client.post(address, body, content_type="application/json")
        assert (answer.status_code, problem(answer.json())[0]) == (400, parameter)


def test_the_calendar_lists_quarters_as_they_will_be_created(sign_in: SignIn) -> None:
    """A quarter from before the calendar was changed juts out into the next one, which is shorter then."""
    whole = windows.quarter_of(windows.local_today())
    Quarter.objects.all().delete()
    known = Quarter.objects.create(start=whole.start, end=whole.end + timedelta(days=20))
    quarters = got(sign_in(EXECUTIVE), "/api/v1/fiscal-calendar/")["following"]
    assert quarters["from"] == f"{known.end}"
    assert quarters["to"] == f"{windows.quarter_of(whole.end).end}"
    assert list(Quarter.objects.all()) == [known], "asking stores none"
    made = quarter_at(known.end)
    assert (quarters["from"], quarters["to"]) == (f"{made.start}", f"{made.end}")
