"""Values of hand-kept metrics over the push API: each record is answered, and what is wrong says why."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client

from insights.engine.read import read_totals
from insights.query.query import Query, Scope, Window
from integrations.models import FactChange, HandKeptValue, IngestScope
from integrations.telemetry.otlp.ingest_tokens import create_ingest_token
from tests.hand_kept.keeping import KEY, define
from tests.teams import create_teams

pytestmark = pytest.mark.django_db
RECORD: dict[str, Any] = {"key": KEY, "unit": "platform", "date": "2026-03-31", "value": 84.5, "note": "Spring survey"}


@pytest.fixture(autouse=True)
def _defined() -> None:
    create_teams()
    define()


@pytest.fixture
def token() -> str:
    return create_ingest_token("Survey tool", scope=IngestScope.PUSH)[1]


def push(client: Client, token: str, *records: object, status: int = 200) -> list[dict[str, Any]]:
    body = json.dumps({"records": records})
    response = client.post(
        "/ingest/v1/metrics/", body, content_type="application/json", headers={"authorization": f"Bearer {token}"}
    )
    assert response.status_code == status, response.content
    results: list[dict[str, Any]] = response.json().get("results", [])
    return results


def value_on(unit: str | None, day: date) -> float | None:
    [answer] = read_totals([Query(KEY, Window(day, day + timedelta(days=1)), scope=Scope(unit))])
    return answer.total[0].value


def test_a_value_is_in_every_answer_as_soon_as_it_is_answered(client: Client, token: str) -> None:
    whole = {**RECORD, "unit": None, "value": 80}
    assert push(client, token, RECORD, whole) == [
        {"id": f"{KEY}/platform/2026-03-31", "status": "created", "error": None},
        {"id": f"{KEY}/2026-03-31", "status": "created", "error": None},
    ]
    assert (value_on("platform", date(2026, 3, 31)), value_on(None, date(2026, 4, 1))) == (84.5, 80)
    stored = HandKeptValue.objects.get(unit__slug="platform")
    assert (stored.entered_by, stored.entered_via) == (None, "Push API, token Survey tool")


def test_a_second_value_for_a_day_replaces_the_first_and_the_history_has_both(client: Client, token: str) -> None:
    assert [result["status"] for result in push(client, token, RECORD, {**RECORD, "value": 85})] == [
        "created",
        "updated",
    ]
    assert push(client, token, {**RECORD, "value": 85})[0]["status"] == "unchanged"
    assert value_on("platform", date(2026, 3, 31)) == 85
    events = HandKeptValue.pgh_event_model.objects.order_by("pgh_id")  # type: ignore[attr-defined]
    assert [(event.pgh_label, float(event.value)) for event in events] == [("added", 84.5), ("changed", 85.0)]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"date": "2099-12-31"}, "has not come yet"),
        ({"date": "1999-12-31"}, "before the year 2000"),
        ({"date": "31.03.2026"}, "date: “31.03.2026” is not a day such as 2026-11-30."),
        ({"date": 20260331}, "date: “20260331” is not a day"),
        ({"value": 1e15}, "value: It is too large: at most 1,000,000,000,000."),
        ({"value": -(10**400)}, "value: It must be a number."),
        ({"value": float("nan")}, "value: It must be a number."),
        ({"value": float("inf")}, "value: It must be a number."),
        ({"value": "84"}, "value: It must be a number."),
        ({"value": True}, "value: It must be a number."),
        ({"value": None}, "value: This field may not be null."),
        ({"unit": "nowhere"}, "unit: There is no unit nowhere."),
        ({"key": "hand.luck"}, "key: There is no hand-kept metric hand.luck."),
        ({"key": "dora.lead_time"}, "key: There is no hand-kept metric dora.lead_time."),
        ({"key": "hand.\0"}, "key: There is no hand-kept metric"),
        ({"note": "x" * 301}, "note: A note has at most 300 characters"),
        ({"day": "2026-03-31"}, "day: There is no such field."),
    ],
)
def test_what_is_wrong_is_refused_and_the_rest_is_stored(
    client: Client, token: str, change: dict[str, Any], message: str
) -> None:
    refused, stored = push(client, token, {**RECORD, **change}, {**RECORD, "unit": "search"})
    assert refused["status"] == "rejected"
    assert message in refused["error"]
    assert stored["status"] == "created"
    assert HandKeptValue.objects.count() == 1


def test_a_negative_duration_is_refused_and_a_negative_amount_is_not(client: Client, token: str) -> None:

    define(slug="downtime", name="Downtime", unit_of_measure="seconds", better="lower")
    define(slug="return_on_investment", name="Return", unit_of_measure="percent")
    down, back = push(
        client,
        token,
        {**RECORD, "key": "hand.downtime", "value": -1},
        {**RECORD, "key": "hand.return_on_investment", "value": -12.5},
    )
    assert (down["error"], back["status"]) == ("value: It cannot be less than 0.", "created")


def test_a_value_is_taken_back_by_its_id(client: Client, token: str) -> None:
    push(client, token, RECORD, {**RECORD, "unit": None})
    FactChange.objects.all().delete()

    def remove(record_id: str) -> int:
        return client.delete(
            f"/ingest/v1/metrics/{record_id}/", headers={"authorization": f"Bearer {token}"}
        ).status_code

    assert remove(f"{KEY}/platform/2026-03-31") == 200
    assert FactChange.objects.get().day_from == date(2026, 3, 31)
    assert remove(f"{KEY}/platform/2026-03-31") == 404
    assert remove(f"{KEY}/search/soon") == 404
    assert remove(f"{KEY}/2026-03-31") == 200
    assert not HandKeptValue.objects.exists()


def test_only_a_token_for_pushing_may(client: Client) -> None:
    push(client, "hwi_nobody", RECORD, status=401)
    push(client, create_ingest_token("Agents", scope=IngestScope.TELEMETRY)[1], RECORD, status=403)
    assert not HandKeptValue.objects.exists()
