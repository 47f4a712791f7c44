"""Linear's webhooks: signatures with their time, what they say to read, and their registration."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from demo.providers.linear_server import LinearServer
from integrations.connectors.base import Arrival, FetchedResource, Json, Settings
from integrations.connectors.errors import PermanentError
from integrations.connectors.http import ConnectionHttp
from integrations.connectors.linear.connector import Linear
from integrations.connectors.linear.webhooks import RESOURCE_TYPES
from integrations.enums import Kind, ResourceKind
from tests.connectors.reading import QUICK, TOKEN
from tests.demo.small_history import small_history

SECRET, SENT = "only-for-tests", datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
TEAM = FetchedResource(ResourceKind.PROJECT, "team-101", "SHOP · shop", {})


def arrival(
    *, secret: str = SECRET, signed_with: str = SECRET, late: timedelta = timedelta(), sent: object = None
) -> Arrival | None:
    """What arrives of a delivery that was sent at `SENT`."""
    stamp = int(SENT.timestamp() * 1000) if sent is None else sent
    body = json.dumps({"action": "update", "type": "Issue", "webhookTimestamp": stamp}).encode()
    signature = hmac.new(signed_with.encode(), body, hashlib.sha256).hexdigest()
    headers = {"linear-delivery": "one", "linear-event": "Issue", "linear-signature": signature}
    with time_machine.travel(SENT + late, tick=False):
        return Linear(Settings({}, {})).arrival(headers, body, secret)


def test_only_signed_deliveries_of_the_last_minutes_arrive() -> None:
    assert arrival() == Arrival("one", "Issue")
    assert arrival(late=timedelta(minutes=4)) == Arrival("one", "Issue")
    assert arrival(late=timedelta(minutes=6)) is None  # replayed
    assert arrival(late=timedelta(minutes=-6)) is None
    assert arrival(signed_with="another") is None
    assert arrival(secret="", signed_with="") is None
    assert [arrival(sent=odd) for odd in ("now", True, 10**30, -1)] == [None] * 4


@pytest.mark.parametrize(
    ("event", "data", "news"),
    [
        ("Issue", {"teamId": "t1"}, ("t1", Kind.WORK_ITEM)),
        ("Issue", {"team": {"id": "t1"}}, ("t1", Kind.WORK_ITEM)),
        ("Comment", {"issue": {"teamId": "t1"}}, ("t1", Kind.WORK_ITEM)),
        ("Cycle", {"team": {"id": "t1"}}, ("t1", Kind.SPRINT)),
        ("Project", {}, ("w1", Kind.WORK_ITEM)),
        ("Initiative", {}, ("w1", Kind.WORK_ITEM)),
        ("Reaction", {"teamId": "t1"}, None),
        ("Issue", {}, None),
    ],
)
def test_an_event_says_what_to_read(event: str, data: Json, news: tuple[str, Kind] | None) -> None:
    of = Linear(Settings({}, {}))
    payload = {"data": data, "organizationId": "w1"}
    assert of.news(event, payload) == news
    assert (of.deliveries(event, payload) is None) == (news is None)


def test_a_teams_webhook_is_registered_once_and_removed() -> None:
    address = "https://headway.example.com/hooks/1/"
    with LinearServer(small_history(), token=TOKEN) as linear:
        of = Linear(Settings({"base_url": linear.url}, {"token": TOKEN}))
        with ConnectionHttp(of, patience=QUICK) as http:
            of.register_hook(http, TEAM, address, SECRET)
            hook = of.register_hook(http, TEAM, address, SECRET)
            (known,) = linear.hooks
            assert (known["secret"], known["resourceTypes"]) == (SECRET, list(RESOURCE_TYPES))
            of.remove_hook(http, TEAM, hook)
            of.remove_hook(http, TEAM, hook)
            assert linear.hooks == []
            with pytest.raises(PermanentError, match="come with the webhooks of the teams"):
                of.register_hook(http, FetchedResource(ResourceKind.BOARD, "team-101", "", {}), address, SECRET)
