"""/api/v1/dora/: what a program that asks how a team delivers is told."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from orgtree.access.api_tokens import create_api_token
from tests.delivery.linking.delivery import Delivery

pytestmark = pytest.mark.django_db
WEEK = {"from": "2026-03-02", "to": "2026-03-09"}
HOUR = 3600.0


def ask(expected: int = 200, /, **parameters: str) -> dict[str, Any]:
    _, secret = create_api_token("program", expires_at=None)
    answer = Client().get("/api/v1/dora/", {**WEEK, **parameters}, headers={"Authorization": f"Bearer {secret}"})
    assert answer.status_code == expected, answer.content
    document: dict[str, Any] = answer.json()
    return document


@pytest.fixture
def a_week_of_a_team() -> None:
    """Four deployments, one unplanned and two failed; lead times of 6, 4 and 24 hours, restored after 4 and 1."""
    shop = Delivery()
    shop.merges(1, first_commit="Mon 08:00", opened="Mon 09:00", at="Mon 12:00")
    shop.deploys("d1", at="Mon 14:00")
    shop.incident("i1", at="Mon 15:00", resolved="Mon 18:00")
    shop.merges(2, first_commit="Tue 08:00", opened="Tue 10:00", at="Tue 11:00")
    shop.deploys("d2", at="Tue 12:00", unplanned=True)
    shop.merges(3, first_commit="Wed 10:00", opened="Wed 11:00", at="Wed 13:00")
    shop.deploys("d3", at="Thu 10:00")
    shop.deploys("back", at="Thu 11:00", rollback_of="d3")


@pytest.mark.usefixtures("a_week_of_a_team")
def test_all_five_with_bands_and_the_score() -> None:
    document = ask()
    by_key = {metric["key"]: metric for metric in document["metrics"]}
    assert {key: metric["value"] for key, metric in by_key.items()} == {
        "dora.deployment_frequency": pytest.approx(4 / 7),
        "dora.lead_time": 6 * HOUR,
        "dora.change_failure_rate": 50,
        "dora.recovery_time": 2.5 * HOUR,
        "dora.rework_rate": 25,
    }
    assert document["benchmarks"]["slug"] == "dora-2023"
    assert by_key["dora.lead_time"]["band"]["label"] == "Elite"
    assert by_key["dora.lead_time"]["previous"]["value"] is None
    # The Quick Check's worth of each, by hand: 6, 8, 10 − 5, 8 and 10 − 2.5.
    assert document["score"]["value"] == pytest.approx((6 + 8 + 5 + 8 + 7.5) / 5)
    assert sum(part["points"] for part in document["score"]["contributions"]) == pytest.approx(6.9)
    assert document["score"]["previous"] is None


@pytest.mark.usefixtures("a_week_of_a_team")
def test_another_published_set_can_be_requested() -> None:
    assert ask(set="dora-2021")["benchmarks"]["year"] == 2021
    assert "no published set" in ask(400, set="dora-1999")["error"]["message"]


@pytest.mark.usefixtures("a_week_of_a_team")
def test_a_median_gets_no_band_that_was_published_for_means() -> None:
    """LinearB's lead times are means; the deployments of a day are no statistic, and keep their band."""
    bands = {metric["key"]: metric["band"] for metric in ask(set="linearb-teams")["metrics"]}
    assert bands["dora.lead_time"] is None
    assert bands["dora.deployment_frequency"]["label"] == "Strong"


def test_without_data_there_is_no_score_and_the_reasons_are_given() -> None:
    document = ask()
    assert document["score"]["value"] is None
    assert len(document["score"]["missing"]) == 5
    assert all(metric["reason"] for metric in document["metrics"])


def test_a_window_that_is_still_to_come_has_no_data_yet() -> None:
    document = ask(200, **{"from": "2099-01-05", "to": "2099-01-12"})
    assert {metric["value"] for metric in document["metrics"]} == {None}
    assert (document["previous_from"], document["previous_to"]) == ("2098-12-29", "2099-01-05")


def test_an_invalid_query_is_refused_with_its_reason() -> None:
    assert ask(404, unit="nowhere")["error"]["parameter"] == "unit"
    assert ask(400, person="me")["error"]["parameter"] == "person"
