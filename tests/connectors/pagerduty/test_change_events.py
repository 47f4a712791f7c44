"""Change events that an admin calls deployments, and who is on call."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import time_machine

from demo.providers import faults
from demo.providers.faults import Fault
from demo.providers.pagerduty_server import PagerDutyServer
from integrations.connectors.base import Page, Settings
from integrations.connectors.deployment_rules import read_rules
from integrations.connectors.drafts import DeploymentDraft
from integrations.connectors.http import ConnectionHttp
from integrations.connectors.pagerduty.change_events import deployment_of, normalise_change_event
from integrations.connectors.pagerduty.connector import PagerDuty
from integrations.enums import Kind, ResourceKind, RunStatus
from tests.connectors.reading import QUICK, TOKEN, drafts_of, only_resource, read_pages
from tests.demo.small_history import BEGIN, DAY, HOUR, sha, small_history

RULES = "shop/GitHub*: environment={environment}"


def event(**more: Any) -> dict[str, Any]:
    usual = {
        "id": "C1",
        "summary": "Deployed shop",
        "timestamp": "2026-03-02T12:00:00Z",
        "source": "deploy.example.com",
        "integration": {"summary": "GitHub Actions"},
        "services": [{"id": "P1", "summary": "Shop"}],
        "custom_details": {"environment": "prod-eu"},
    }
    return {**usual, **more}


@pytest.mark.parametrize(
    ("rules", "environment"),
    [
        ("", ""),
        ("shop/github*: environment=production", "production"),
        ("*/deploy.example.com: environment=live", "live"),
        ("*: environment={environment}", "prod-eu"),
        ("*: environment={stage_of}", ""),
        ("basket/*: environment=production", ""),
        ("basket/*: environment=production\n\n*: environment={stage_of}\n*: environment=other", "other"),
    ],
)
def test_the_first_rule_that_matches_says_where_it_was_deployed(rules: str, environment: str) -> None:
    values = deployment_of(read_rules(rules), event(), "Shop")
    assert (values["environment"] if values else "") == environment


def test_the_form_refuses_a_line_that_is_no_rule() -> None:
    assert "Line 1" in PagerDuty.mistakes({"deployments": "production"})["deployments"]
    assert PagerDuty.mistakes({"deployments": RULES}) == {}


@pytest.mark.parametrize(
    ("more", "repository", "commit"),
    [
        ({}, "Shop", ""),
        ({"custom_details": {"repo": "acme/shop", "commit": sha("a").upper()}}, "acme/shop", sha("a")),
        (
            {"links": [{"href": f"https://github.example.com/acme/shop/commit/{sha('a')}", "text": "Commit"}]},
            "github.example.com/acme/shop",
            sha("a"),
        ),
        ({"links": [{"href": "https://runbooks.example.com/shop"}], "custom_details": {"sha": "main"}}, "Shop", ""),
    ],
)
def test_a_deployment_is_placed_by_what_its_event_names(more: dict[str, Any], repository: str, commit: str) -> None:
    payload = {"event": event(**more), "service": "Shop", "deployment": {"environment": "production"}}
    (draft,) = normalise_change_event(payload)
    assert (draft.repository, draft.sha, draft.service) == (repository, commit, "")
    assert (draft.status, draft.native_environment, draft.finished_at) == (
        RunStatus.SUCCESS,
        "production",
        BEGIN + 3 * HOUR,
    )


@pytest.fixture
def pagerduty() -> Iterator[PagerDutyServer]:
    with PagerDutyServer(small_history(), token=TOKEN, page=1) as server:
        yield server


def connector(pagerduty: PagerDutyServer, rules: str = RULES) -> PagerDuty:
    return PagerDuty(Settings({"base_url": pagerduty.url, "deployments": rules}, {"token": TOKEN}))


def pages_of(pagerduty: PagerDutyServer, cursor: Mapping[str, Any], rules: str = RULES) -> list[Page]:
    of = connector(pagerduty, rules)
    service = only_resource(of, ResourceKind.SERVICE)
    pagerduty.requests.clear()
    return read_pages(of, service, Kind.DEPLOYMENT, cursor, now=pagerduty.at)


def ids(pages: list[Page]) -> list[str]:
    return [draft.external_id for draft in drafts_of(pages) if isinstance(draft, DeploymentDraft)]


def test_deployments_are_read_newest_first_and_then_only_what_is_new(pagerduty: PagerDutyServer) -> None:
    pagerduty.advance(BEGIN + 9.5 * HOUR)
    pages = pages_of(pagerduty, {})
    assert (ids(pages), pages[-1].complete) == (["C5002"], True)
    pagerduty.advance(BEGIN + 10.5 * HOUR)
    (news,) = pages_of(pagerduty, pages[-1].cursor)
    assert (ids([news]), len(pagerduty.requests)) == (["C5003"], 1)


def test_without_rules_no_request_is_made(pagerduty: PagerDutyServer) -> None:
    (page,) = pages_of(pagerduty, {}, rules="")
    assert (page.records, page.complete, pagerduty.requests) == ((), True, [])


def test_a_window_at_the_cap_is_cut_in_half(pagerduty: PagerDutyServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("integrations.connectors.pagerduty.lists.MOST_OF_A_LIST", 100)
    assert sorted(ids(pages_of(pagerduty, {}))) == ["C5002", "C5003"]
    assert len({request.path for request in pagerduty.requests if "since" in request.path}) > 5


def test_who_is_on_call_is_noted_with_every_service(pagerduty: PagerDutyServer) -> None:
    of = connector(pagerduty)
    with ConnectionHttp(of, patience=QUICK) as http:
        (service,) = of.resources(http)
        assert service.details["on_call"] == ["ada@example.com", "max@example.com", "maya@example.com"]
        pagerduty.faults = [Fault(faults.forbidden(), path="/oncalls")]
        (service,) = of.resources(http)
        assert service.details["on_call"] == []


def test_the_check_shows_what_counts_as_a_deployment(pagerduty: PagerDutyServer) -> None:
    with time_machine.travel(BEGIN + 5 * DAY, tick=True):
        checks = {rules: check_of(pagerduty, rules) for rules in (RULES, "")}
    works = (
        f"Change events: 2 in the last 30 days, 2 of them deployments, such as “shop {sha('Merge pull request #2')[:7]}"
    )
    assert checks[RULES][0].startswith(works)
    assert checks[""] == ("Change events: 2 in the last 30 days, 0 of them deployments", "")


def check_of(pagerduty: PagerDutyServer, rules: str) -> tuple[str, str]:
    of = connector(pagerduty, rules)
    with ConnectionHttp(of, patience=QUICK) as http:
        check = of.check(http)[-1]
    return check.what, check.remedy
