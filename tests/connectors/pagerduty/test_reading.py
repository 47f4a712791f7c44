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
from integrations.connectors.base import FetchedResource, Page, Settings
from integrations.connectors.drafts import AnyDraft, IncidentDraft
from integrations.connectors.errors import ConnectorError, CredentialRefusedError
from integrations.connectors.http import ConnectionHttp, Patience
from integrations.connectors.pagerduty import PagerDuty
from integrations.enums import Kind
from tests.demo.small_history import BEGIN, DAY, HOUR, SHOP, small_history

TOKEN = "key_of_the_tests"
QUICK = Patience(connect=5, read=5, whole=10, tries=3, first_wait=0.01, longest_wait=0.05)
MOST_TURNS = 15
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


def service_at(http: ConnectionHttp, of: PagerDuty) -> FetchedResource:
    (found,) = of.resources(http)
    return FetchedResource(found.kind, found.external_id, found.name, found.details)


def pages_of(pagerduty: PagerDutyServer, cursor: Mapping[str, Any] | None = None) -> list[Page]:
    of = connector(pagerduty)
    with ConnectionHttp(of, patience=QUICK) as http:
        service = service_at(http, of)
        pagerduty.requests.clear()
        return list(of.fetch(http, service, Kind.INCIDENT, cursor or {}, now=pagerduty.at))


def drafts_of(pages: list[Page]) -> dict[str, AnyDraft]:
    """The last draft of each record."""
    drafts = (draft for page in pages for record in page.records for draft in record.normalise(record.payload))
    return {draft.external_id: draft for draft in drafts}


def read_in_turns(pagerduty: PagerDutyServer) -> dict[str, AnyDraft]:
    """As the sync does: what fails is tried again from the last page that was stored."""
    of = connector(pagerduty)
    with ConnectionHttp(of, patience=QUICK) as http:
        service = service_at(http, of)
    cursor: Mapping[str, Any] = {}
    pages: list[Page] = []
    for _ in range(MOST_TURNS):
        with ConnectionHttp(of, patience=QUICK) as http:
            try:
                for page in of.fetch(http, service, Kind.INCIDENT, cursor, now=pagerduty.at):
                    pages.append(page)
                    cursor = page.cursor
            except ConnectorError:
                continue
            return drafts_of(pages)
    raise AssertionError("It does not come to an end.")


def test_all_incidents_are_read_newest_first_whatever_fails(pagerduty: PagerDutyServer) -> None:
    pages = pages_of(pagerduty)
    usual = drafts_of(pages)
    assert len(usual) == 331
    assert [page.complete for page in pages] == [False] * (len(pages) - 1) + [True]
    differing = []
    for name, fault in FAULTS.items():
        pagerduty.faults = [fault()]
        if read_in_turns(pagerduty) != usual:
            differing.append(name)
    assert differing == []


def test_a_reading_goes_on_from_any_page(pagerduty: PagerDutyServer) -> None:
    pages = pages_of(pagerduty)
    usual = drafts_of(pages)
    for position, page in enumerate(pages[:-1]):
        assert drafts_of([*pages[: position + 1], *pages_of(pagerduty, page.cursor)]) == usual


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
        (draft,) = drafts_of([page]).values()
        assert isinstance(draft, IncidentDraft)
        assert (draft.native_status, draft.resolved_at) == ("acknowledged", None)
        pagerduty.advance(BEGIN + 300 * HOUR)
        (page,) = pages_of(pagerduty, page.cursor)
        (draft,) = drafts_of([page]).values()
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
    assert list(drafts_of(pages_of(pagerduty, last.cursor))) == ["P2"]


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
