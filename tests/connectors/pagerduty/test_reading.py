"""Incidents of PagerDuty: windows and pages, what changes meanwhile, whatever fails on the way."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from demo.plan.delivery import DeliveryHistory, Incident, Urgency
from demo.providers import faults
from demo.providers.faults import Fault
from demo.providers.pagerduty_server import PagerDutyServer
from integrations.connectors.base import Page, Settings
from integrations.connectors.drafts import IncidentDraft
from integrations.connectors.errors import CredentialRefusedError
from integrations.connectors.http import ConnectionHttp
from integrations.connectors.pagerduty.connector import PagerDuty
from integrations.enums import Kind, ResourceKind
from tests.connectors.reading import QUICK, TOKEN, by_id, drafts_of, only_resource, read_despite_faults, read_pages
from tests.demo.small_history import BEGIN, DAY, HOUR, SHOP, small_history

FAULTS: Mapping[str, Callable[[], Fault]] = {
    "429": lambda: Fault(faults.too_many_requests(retry_after=0), nth=3, times=2),
    "429 that names no time": lambda: Fault(faults.too_many_requests(), path="log_entries", nth=4),
    "401 in the middle": lambda: Fault(faults.unauthorised(), nth=5, times=2),
    "500": lambda: Fault(faults.server_error(), nth=4, times=3),
    "502": lambda: Fault(faults.bad_gateway(), path="incidents", nth=2, times=5),
    "cut connection": lambda: Fault(faults.cut_short(), path="incidents", times=2),
    "half an answer": lambda: Fault(faults.truncated(), path="incidents", nth=6, times=2),
    "a page for people": lambda: Fault(faults.html_page(), path="log_entries", nth=3, times=2),
}


def incident(number: int, hours: float, *, lasts: float | None = 2) -> Incident:
    """It is acknowledged after half of the time that it lasts; None: it goes on."""
    began = BEGIN + hours * HOUR
    ended = None if lasts is None else began + lasts * HOUR
    acknowledged = None if lasts is None else began + lasts / 2 * HOUR
    return Incident(number, SHOP, f"Crates are late {number}", Urgency.HIGH, began, acknowledged, ended)


def with_incidents(*incidents: Incident) -> DeliveryHistory:
    return replace(small_history(), incidents=incidents)


@pytest.fixture
def pagerduty() -> Iterator[PagerDutyServer]:
    """A year of an incident each day and a half, a hundred and thirty of them in one second."""
    many = [incident(number, 36 * number - 24 * 300) for number in range(200)]
    at_once = [incident(1000 + number, 60) for number in range(130)]
    history = with_incidents(*many, *at_once, incident(5000, 650, lasts=None))
    shop = replace(SHOP, created_at=BEGIN - 320 * DAY)
    with PagerDutyServer(replace(history, repositories=(shop,)), token=TOKEN) as server:
        yield server


def connector(pagerduty: PagerDutyServer) -> PagerDuty:
    return PagerDuty(Settings({"base_url": pagerduty.url}, {"token": TOKEN}))


def pages_of(pagerduty: PagerDutyServer, cursor: Mapping[str, Any] | None = None) -> list[Page]:
    of = connector(pagerduty)
    service = only_resource(of, ResourceKind.SERVICE)
    pagerduty.requests.clear()
    return read_pages(of, service, Kind.INCIDENT, cursor, now=pagerduty.at)


def test_all_incidents_are_read_newest_first_whatever_fails(pagerduty: PagerDutyServer) -> None:
    pages = pages_of(pagerduty)
    usual = by_id(drafts_of(pages))
    assert len(usual) == 331
    assert [page.complete for page in pages] == [False] * (len(pages) - 1) + [True]
    of = connector(pagerduty)
    service = only_resource(of, ResourceKind.SERVICE)
    differing = []
    for name, fault in FAULTS.items():
        pagerduty.faults = [fault()]
        if by_id(read_despite_faults(of, service, Kind.INCIDENT, now=pagerduty.at)) != usual:
            differing.append(name)
    assert differing == []


def test_a_reading_goes_on_from_any_page(pagerduty: PagerDutyServer) -> None:
    pages = pages_of(pagerduty)
    usual = by_id(drafts_of(pages))
    for position, page in enumerate(pages[:-1]):
        rest = pages_of(pagerduty, page.cursor)
        assert by_id(drafts_of([*pages[: position + 1], *rest])) == usual


def test_nothing_new_costs_two_requests_and_brings_nothing(pagerduty: PagerDutyServer) -> None:
    *_, last = pages_of(pagerduty)
    (page,) = pages_of(pagerduty, last.cursor)
    assert page.records == []
    assert [one.path.partition("?")[0] for one in pagerduty.requests] == ["/incidents", "/incidents"]


def test_what_was_open_is_read_again_until_it_is_resolved() -> None:
    with PagerDutyServer(with_incidents(incident(1, 1, lasts=200)), token=TOKEN, at=BEGIN + 2 * HOUR) as pagerduty:
        *_, last = pages_of(pagerduty)
        (known,) = last.cursor["open"]
        pagerduty.advance(BEGIN + 150 * HOUR)
        (page,) = pages_of(pagerduty, last.cursor)
        (draft,) = drafts_of([page])
        assert isinstance(draft, IncidentDraft)
        assert (draft.native_status, draft.resolved_at) == ("acknowledged", None)
        pagerduty.advance(BEGIN + 300 * HOUR)
        (page,) = pages_of(pagerduty, page.cursor)
        (draft,) = drafts_of([page])
        assert isinstance(draft, IncidentDraft)
        assert (draft.external_id, draft.resolved_at) == (known, BEGIN + 201 * HOUR)
        assert draft.acknowledged_at == BEGIN + 101 * HOUR
        assert page.cursor["open"] == []


def test_the_log_of_three_hundred_escalations_is_read_to_its_end() -> None:
    with PagerDutyServer(with_incidents(incident(1, 1)), token=TOKEN) as pagerduty:
        usual = drafts_of(pages_of(pagerduty))
        pagerduty.escalations = 300
        assert drafts_of(pages_of(pagerduty)) == usual
        assert sum("log_entries" in request.path for request in pagerduty.requests) == 4


def test_an_incident_that_came_and_went_between_two_readings_is_read(pagerduty: PagerDutyServer) -> None:
    pagerduty.show(with_incidents(incident(1, 1), incident(2, 100)))
    pagerduty.advance(BEGIN + 50 * HOUR)
    *_, last = pages_of(pagerduty)
    pagerduty.advance(BEGIN + 110 * HOUR)
    assert [draft.external_id for draft in drafts_of(pages_of(pagerduty, last.cursor))] == ["P2"]


def test_a_refused_key_has_an_error_of_its_own(pagerduty: PagerDutyServer) -> None:
    pagerduty.faults = [Fault(faults.unauthorised(), path="incidents", times=None)]
    with pytest.raises(CredentialRefusedError):
        pages_of(pagerduty)


def test_the_check_names_what_works(pagerduty: PagerDutyServer) -> None:
    with ConnectionHttp(connector(pagerduty), patience=QUICK) as http:
        checks = connector(pagerduty).check(http)
    assert all(check.works for check in checks)
    assert [check.what for check in checks][:4] == ["Services", "Incidents", "Log entries", "On-call schedules"]
    assert checks[4].what == "Change events: 0 in the last 30 days, 0 of them deployments"
