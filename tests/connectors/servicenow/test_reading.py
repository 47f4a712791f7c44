"""ServiceNow's streams: pages, what changes meanwhile, what access rules hide, whatever fails on the way."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from demo.plan.delivery import DeliveryHistory, Deployment, DeploymentState, DeploymentStatus, Incident
from demo.providers import faults
from demo.providers.faults import Answer, Fault
from demo.providers.servicenow_server import BEARER, CLIENT, USER, ServiceNowServer, change_id
from integrations.connectors.base import Page, Settings
from integrations.connectors.drafts import DeploymentDraft, IncidentDraft
from integrations.connectors.errors import CredentialRefusedError, PermanentError, TransientError
from integrations.connectors.http import ConnectionHttp
from integrations.connectors.servicenow import tables
from integrations.connectors.servicenow.connector import ServiceNow
from integrations.enums import Kind, ResourceKind, RunStatus
from tests.connectors.pagerduty.test_reading import incident, with_incidents
from tests.connectors.reading import (
    QUICK,
    TOKEN,
    assert_goes_on_from_any_page,
    by_id,
    drafts_of,
    faults_that_change,
    only_resource,
    read_despite_faults,
    read_pages,
)
from tests.demo.small_history import BEGIN, HOUR, MAX, SHOP, sha

RULE = {"deployments": "*: environment=production"}
STREAMS = {Kind.INCIDENT: "/table/incident", Kind.DEPLOYMENT: "/table/change_request"}
FAULTS: Mapping[str, Callable[[str], Fault]] = {
    "429": lambda path: Fault(faults.too_many_requests(retry_after=0), path=path, nth=2, times=2),
    "429 with the reset of its rule": lambda path: Fault(limited(), path=path, nth=2, times=1),
    "401 in the middle": lambda path: Fault(faults.unauthorised(), path=path, nth=2, times=2),
    "403 for a while": lambda path: Fault(faults.forbidden(), path=path, nth=2, times=1),
    "500": lambda path: Fault(faults.server_error(), path=path, nth=2, times=3),
    "502": lambda path: Fault(faults.bad_gateway(), path=path, nth=2, times=5),
    "an error beside half of the rows": lambda path: Fault(broken_off(), path=path, nth=2, times=2),
    "cut connection": lambda path: Fault(faults.cut_short(), path=path, times=2),
    "half an answer": lambda path: Fault(faults.truncated(), path=path, nth=2, times=2),
    "a page for people": lambda path: Fault(faults.html_page(), path=path, nth=2, times=2),
    "a page repeated": lambda path: Fault(faults.repeated_page(), path=path, times=2),
}


def limited() -> faults.Effect:
    """https://www.servicenow.com/docs/r/api-reference/rest-api-explorer/inbound-REST-API-rate-limiting.html"""
    headers = {"Retry-After": "0", "X-RateLimit-Limit": "100", "X-RateLimit-Reset": "1", "X-RateLimit-Rule": "a1"}
    error = {"error": {"message": "Rate limit exceeded", "detail": None}, "status": "failure"}
    return faults.instead(Answer.of(error, status=429, headers=headers))


def broken_off() -> faults.Effect:
    """200 with what was found until the query took too long, and an error: support.servicenow.com, KB0564204."""
    error = {"message": "Transaction cancelled: maximum execution time exceeded", "detail": "See logs"}
    return faults.instead(Answer.of({"result": [], "error": error, "status": "failure"}))


def deployment(number: int, hours: float, *, succeeds: bool = True) -> Deployment:
    """It takes half an hour."""
    at = BEGIN + hours * HOUR
    last = DeploymentState.SUCCESS if succeeds else DeploymentState.FAILURE
    states = ((DeploymentState.QUEUED, at), (DeploymentState.IN_PROGRESS, at), (last, at + HOUR / 2))
    statuses = tuple(DeploymentStatus(number * 10 + n, of, state, MAX) for n, (state, of) in enumerate(states))
    return Deployment(number, SHOP, "production", sha(f"change {number}"), "main", MAX, at, statuses)


def with_records(*incidents: Incident, deployments: tuple[Deployment, ...] = ()) -> DeliveryHistory:
    return replace(with_incidents(*incidents), deployments=deployments)


@pytest.fixture
def many(monkeypatch: pytest.MonkeyPatch) -> Iterator[ServiceNowServer]:
    """Three pages of each table, of which thirty rows changed in one second."""
    monkeypatch.setattr(tables, "PER_PAGE", 25)
    spread = [incident(number, 7 * number) for number in range(40)]
    at_once = [incident(100 + number, 71) for number in range(30)]
    deployments = tuple(deployment(number, 5 * number, succeeds=number % 5 > 0) for number in range(1, 61))
    history = with_records(*spread, *at_once, incident(500, 300, lasts=None), deployments=deployments)
    with ServiceNowServer(replace(history, ends_at=BEGIN + 400 * HOUR), token=TOKEN) as server:
        yield server


def connector(servicenow: ServiceNowServer, **values: str) -> ServiceNow:
    return ServiceNow(Settings({"base_url": f"{servicenow.url}/", "user": USER, **RULE, **values}, {"token": TOKEN}))


def pages_of(servicenow: ServiceNowServer, kind: Kind = Kind.INCIDENT, cursor: Any = None, **values: str) -> list[Page]:
    of = connector(servicenow, **values)
    service = only_resource(of, ResourceKind.SERVICE)
    servicenow.requests.clear()
    return read_pages(of, service, kind, cursor, now=servicenow.at)


def incidents(
    servicenow: ServiceNowServer, cursor: Mapping[str, Any] | None = None, **values: str
) -> list[IncidentDraft]:
    drafts = drafts_of(pages_of(servicenow, Kind.INCIDENT, cursor, **values))
    return [draft for draft in drafts if isinstance(draft, IncidentDraft)]


def deployments(servicenow: ServiceNowServer, **values: str) -> dict[str, DeploymentDraft]:
    drafts = drafts_of(pages_of(servicenow, Kind.DEPLOYMENT, None, **values))
    return {draft.external_id: draft for draft in drafts if isinstance(draft, DeploymentDraft)}


@pytest.mark.parametrize("kind", STREAMS)
def test_under_every_fault_the_drafts_are_the_same(many: ServiceNowServer, kind: Kind) -> None:
    of = connector(many)
    service = only_resource(of, ResourceKind.SERVICE)
    usual = by_id(drafts_of(pages_of(many, kind)))
    assert len(usual) >= 60
    struck = {name: fault(STREAMS[kind]) for name, fault in FAULTS.items()}
    changed = faults_that_change(usual, many, struck, lambda: read_despite_faults(of, service, kind, now=many.at))
    assert changed == []


@pytest.mark.parametrize("kind", STREAMS)
def test_a_reading_goes_on_from_any_page(many: ServiceNowServer, kind: Kind) -> None:
    pages = pages_of(many, kind)
    assert (len(pages) > 2, pages[-1].left, pages[-1].complete) == (True, 0, True)
    assert_goes_on_from_any_page(pages, lambda cursor: pages_of(many, kind, cursor))


@pytest.mark.parametrize("kind", STREAMS)
def test_the_newest_come_first(many: ServiceNowServer, kind: Kind) -> None:
    times = [draft.updated_at for draft in drafts_of(pages_of(many, kind))]
    assert times == sorted(times, reverse=True)  # type: ignore[type-var]


@pytest.mark.parametrize("kind", STREAMS)
def test_nothing_new_costs_one_request_and_brings_nothing(many: ServiceNowServer, kind: Kind) -> None:
    *_, last = pages_of(many, kind)
    (page,) = pages_of(many, kind, last.cursor)
    assert (page.records, len(many.requests)) == ([], 1)


def test_only_what_changed_is_read_later(many: ServiceNowServer) -> None:
    many.show(with_records(incident(1, 1), incident(2, 30, lasts=100)))
    many.advance(BEGIN + 60 * HOUR)
    *_, last = pages_of(many)
    many.advance(BEGIN + 140 * HOUR)
    (draft,) = incidents(many, last.cursor)
    assert (draft.key, draft.resolved_at) == ("INC0000002", BEGIN + 130 * HOUR)


def test_a_change_request_is_a_deployment_by_the_rule_for_its_service_and_type() -> None:
    first, second = deployment(1, 1), deployment(2, 5, succeeds=False)
    history = with_records(deployments=(first, replace(second, fixes=(7,))))
    with ServiceNowServer(history, token=TOKEN, services={"shop": "Shop"}) as servicenow:
        usual = deployments(servicenow, deployments=str(ServiceNow.fields[-1].default))
        only_normal = deployments(servicenow, deployments="Shop/normal: environment={category}, sha={correlation_id}")
        none = pages_of(servicenow, Kind.DEPLOYMENT, deployments="")
    change, emergency = usual[change_id(1)], usual[change_id(2)]
    assert (change.status, change.started_at, change.finished_at) == (
        RunStatus.SUCCESS,
        BEGIN + HOUR,
        BEGIN + 1.5 * HOUR,
    )
    assert (change.repository, change.native_environment, change.unplanned) == ("Shop", "production", None)
    assert (emergency.status, emergency.native_status, emergency.unplanned) == (
        RunStatus.FAILURE,
        "Closed: Unsuccessful",
        True,
    )
    assert [one.deleted for one in only_normal.values()] == [True, False]  # the newest first
    assert (only_normal[change_id(1)].native_environment, only_normal[change_id(1)].sha) == ("software", first.sha)
    assert ([page.records for page in none], servicenow.requests) == ([()], [])


# The commonest complaints about other tools' connectors ---------------------------------------------------------------


def test_rows_that_changed_in_one_second_are_all_read_once(many: ServiceNowServer) -> None:
    """NangoHQ/integration-templates 582, windmill-labs/windmill 10599: those beyond the page's last second are lost."""
    ids = [draft.external_id for draft in incidents(many)]
    assert len(ids) == len(set(ids)) == 71


def test_more_than_one_page_is_read_with_a_query_of_ones_own(many: ServiceNowServer) -> None:
    """elastic/connectors 3509: with a rule of the admin's, only the first page."""
    assert len(incidents(many, incidents="priorityIN1,2^state!=1")) == 70


def test_the_last_row_is_not_read_again_for_ever(many: ServiceNowServer) -> None:
    """faros-ai/airbyte-connectors 798: each run sends the latest incident once more; and `>` would lose others."""
    *_, last = pages_of(many)
    assert [page.records for page in pages_of(many, Kind.INCIDENT, last.cursor)] == [[]]


@pytest.mark.parametrize("hidden", [range(10, 30), range(1000)])
def test_rows_that_access_rules_hide_do_not_end_the_reading(many: ServiceNowServer, hidden: range) -> None:
    """support.servicenow.com KB2971488: such a page has fewer rows than it was asked for, or none."""
    many.hidden = {f"{number:032x}" for number in hidden}
    assert len(incidents(many)) == (51 if len(hidden) == 20 else 0)


def test_times_are_those_of_the_rows_not_as_the_user_sees_them(many: ServiceNowServer) -> None:
    many.show(with_records(incident(1, 1)))
    (draft,) = incidents(many)
    assert draft.started_at == BEGIN + HOUR


# The form -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("grant", ["password", "client_credentials"])
def test_oauth_exchanges_the_credentials_for_a_token(many: ServiceNowServer, grant: str) -> None:
    values = {"base_url": many.url, "user": USER if grant == "password" else "", "client_id": CLIENT}
    of = ServiceNow(Settings(values, {"token": TOKEN, "client_secret": TOKEN}))
    with ConnectionHttp(of, patience=QUICK) as http:
        assert [one.name for one in of.resources(http)] == ["shop"]
        assert of.sign(http) == {"authorization": f"Bearer {BEARER}"}
    refused = ServiceNow(Settings(values, {"token": TOKEN, "client_secret": "wrong"}))
    with ConnectionHttp(refused, patience=QUICK) as http, pytest.raises(CredentialRefusedError):
        list(refused.resources(http))


def test_a_refused_password_has_an_error_of_its_own(many: ServiceNowServer) -> None:
    of = ServiceNow(Settings({"base_url": many.url, "user": USER}, {"token": "wrong"}))
    with ConnectionHttp(of, patience=QUICK) as http, pytest.raises(CredentialRefusedError, match="User Not Authentic"):
        of.check(http)


def checks(servicenow: ServiceNowServer, **values: str) -> list[tuple[str, bool, str]]:
    of = connector(servicenow, **values)
    with ConnectionHttp(of, patience=QUICK) as http:
        return [(one.what, one.works, one.remedy) for one in of.check(http)]


def test_the_check_names_what_works(many: ServiceNowServer) -> None:
    assert [check[:2] for check in checks(many)] == [
        ("Services", True),
        ("Incidents", True),
        ("Times in UTC", True),
        ("Change requests", True),
        ("25 of the latest 25 change requests match a rule for deployments", True),
    ]


def test_the_check_says_what_access_rules_hide(many: ServiceNowServer) -> None:
    many.hidden_fields = {"opened_at"}
    many.hidden = {f"5{SHOP.id:031x}"}
    services, of_incidents, *_ = checks(many)
    assert (services[1], "access rules hide them. Grant the user the role cmdb_read" in services[2]) == (False, True)
    assert (of_incidents[1], "Access rules hide opened_at." in of_incidents[2]) == (False, True)


def test_the_check_notices_a_user_whose_times_are_shifted_in_queries(many: ServiceNowServer) -> None:
    many.shifted = timedelta(hours=-1)
    assert ("Times in UTC", False) in [check[:2] for check in checks(many)]


def test_an_invalid_query_is_quoted(many: ServiceNowServer) -> None:
    many.faults = [
        Fault(faults.instead(Answer.of({"error": {"message": "Invalid table"}}, status=400)), path="incident")
    ]
    assert "“Invalid table”" in checks(many)[1][2]


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"user": "", "client_id": ""}, "user"),
        ({"incidents": "priority=1^NQstate=1"}, "incidents"),
        ({"services": "ORDERBYname"}, "services"),
        ({"deployments": "what"}, "deployments"),
    ],
)
def test_mistakes_in_the_form_need_no_request(values: dict[str, str], field: str) -> None:
    assert set(ServiceNow.mistakes({"user": USER, **RULE, **values})) == {field}
    assert ServiceNow.mistakes({"user": USER, **RULE}) == {}


def test_a_service_that_is_retired_is_archived(many: ServiceNowServer) -> None:
    many.edits[f"5{SHOP.id:031x}"] = {"operational_status": ("6", "Retired")}
    of = connector(many)
    with ConnectionHttp(of, patience=QUICK) as http:
        assert [(one.name, one.archived) for one in of.resources(http)] == [("shop", True)]


def test_an_answer_that_was_broken_off_is_no_end(many: ServiceNowServer) -> None:
    many.faults = [Fault(broken_off(), path="/table/incident", times=None)]
    with pytest.raises(TransientError, match="maximum execution time"):
        pages_of(many)


def test_without_any_permission_the_error_says_so(many: ServiceNowServer) -> None:
    many.faults = [Fault(faults.forbidden(), path="/table/incident", times=None)]
    with pytest.raises(PermanentError):
        pages_of(many)
