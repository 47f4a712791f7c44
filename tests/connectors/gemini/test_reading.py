"""Numbers of Gemini Code Assist as Cloud Monitoring has them, and how a service account signs in.

Time series: docs.cloud.google.com/monitoring/api/ref_v3/rest/v3/projects.timeSeries/list.  Metrics:
docs.cloud.google.com/gemini/docs/codeassist/monitor-gemini-code-assist.  Tokens:
developers.google.com/identity/protocols/oauth2/service-account.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from demo.plan.vendor_usage import VendorUse
from demo.providers import faults
from demo.providers.faults import Fault
from demo.providers.gemini_server import ACCOUNT, PROJECT, GeminiServer
from integrations.connectors.base import FetchedResource, Page, Settings
from integrations.connectors.drafts import ProvidedParts, VendorReportDraft, VendorUsageDraft
from integrations.connectors.errors import PermanentError, SchemaError, TransientError
from integrations.connectors.gemini import connector as module
from integrations.connectors.gemini.connector import Gemini
from integrations.connectors.gemini.records import normalise_day
from integrations.connectors.http import ConnectionHttp
from integrations.connectors.signed_tokens import signed_token
from integrations.enums import Kind, ResourceKind, VendorLevel
from tests.connectors.gemini.service_account import private_key, service_account
from tests.connectors.reading import QUICK, by_id, drafts_of, read_pages

TODAY = date(2026, 3, 20)
NOW = datetime.combine(TODAY, time(9), UTC)
DAY = timedelta(days=1)
END = "2026-03-20T00:00:00Z"


def row(metric: str, value: Any, *, kind: str = "DELTA", end: str = END) -> Mapping[str, Any]:
    return {"metric": metric, "kind": kind, "end": end, "value": value}


def day_of(*rows: Mapping[str, Any]) -> list[VendorUsageDraft]:
    document = {"report": "usage:crates-1", "project": PROJECT, "day": "2026-03-19", "rows": list(rows)}
    (report,) = normalise_day(document)
    assert isinstance(report.usage, ProvidedParts)
    return list(report.usage.parts)


def test_counts_are_added_up_and_of_users_the_most_counts() -> None:
    noon = "2026-03-19T12:00:00Z"
    (part,) = day_of(
        row("chat_responses_count", {"int64Value": "5"}),
        row("chat_responses_count", {"int64Value": "2"}, end=noon),
        row("chat_responses_count", {"doubleValue": 1.0}),  # of another language
        row("daily_active_users", {"int64Value": "3"}, kind="GAUGE", end=noon),
        row("daily_active_users", {"int64Value": "4"}, kind="GAUGE"),
    )
    assert (part.level, part.person, part.name, part.agent) == (VendorLevel.PROJECT, None, PROJECT, "gemini")
    assert (part.requests, part.people, part.lines_added) == (8, 4, None)
    assert day_of(row("chat_responses_count", {"int64Value": "0"})) == day_of() == []


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        (row("chat_responses_count", {"int64Value": "many"}), "value"),
        (row("chat_responses_count", None), "value"),
        (row("chat_responses_count", {"int64Value": "5"}, kind="CUMULATIVE"), "kind"),
        (row("chat_responses_count", {"int64Value": "5"}, end="yesterday"), "end"),
        (row("chat_responses_count", {"doubleValue": -1}), "value"),
    ],
)
def test_a_point_that_is_not_as_documented_is_named(changed: Mapping[str, Any], named: str) -> None:
    with pytest.raises(SchemaError, match=named):
        day_of(changed)


@pytest.fixture
def server() -> Iterator[GeminiServer]:
    """Twenty days of two people."""
    usual = VendorUse(TODAY, NOW, "user-1", "gemini", "", requests=3, lines_added=7, accepted=2)
    uses = [
        replace(usual, day=day, known_at=datetime.combine(day + DAY, time(), UTC), account=account)
        for day in (TODAY - number * DAY for number in range(1, 21))
        for account in ("user-1", "user-2")
    ]
    with GeminiServer(uses, page=1, at=NOW) as gemini:
        yield gemini


def connector(server: GeminiServer, **settings: str) -> Gemini:
    return Gemini(Settings({"base_url": server.url, **settings}, {"token": service_account(server)}))


def pages_of(server: GeminiServer, cursor: Mapping[str, Any] | None = None) -> list[Page]:
    resource = FetchedResource(ResourceKind.REPORT, f"usage:{PROJECT}", "Usage", {})
    server.requests.clear()
    return read_pages(connector(server), resource, Kind.VENDOR_REPORT, cursor, now=NOW)


def test_everything_is_read_once_and_goes_on_from_any_page(server: GeminiServer) -> None:
    pages = pages_of(server)
    usual = by_id(drafts_of(pages))
    assert len(usual) == len(drafts_of(pages)) == 42
    last = usual[f"usage:{PROJECT}:2026-03-19"]
    assert isinstance(last, VendorReportDraft)
    assert isinstance(last.usage, ProvidedParts)
    (part,) = last.usage.parts
    assert (part.people, part.requests, part.lines_added) == (2, 6, 14)
    for position, page in enumerate(pages[:-1]):
        assert by_id(drafts_of([*pages[: position + 1], *pages_of(server, page.cursor)])) == usual


def test_later_two_days_are_read_again(server: GeminiServer) -> None:
    drafts = drafts_of(pages_of(server, {"until": TODAY.isoformat()}))
    assert [one.day for one in drafts if isinstance(one, VendorReportDraft)] == [TODAY - 2 * DAY, TODAY - DAY]


@pytest.mark.parametrize(("where", "value"), [("timeSeries", "none"), ("nextPageToken", "page_1")])
def test_a_list_that_does_not_go_on_is_refused(server: GeminiServer, where: str, value: Any) -> None:
    server.faults = [Fault(faults.changed(where, value), path="chat_responses_count", times=None)]
    with pytest.raises(TransientError):
        pages_of(server)


def test_the_check_names_projects_and_a_key_that_is_none(server: GeminiServer) -> None:
    of = connector(server, projects=f"{PROJECT}, another")
    with ConnectionHttp(of, patience=QUICK) as http:
        usual, refused = of.check(http)
    assert (usual.what, usual.works) == (f"Use in {PROJECT}", True)
    assert not refused.works
    assert "Monitoring Viewer" in refused.remedy
    for secret in ("", "no JSON", "[]", "{}"):
        broken = Gemini(Settings({"base_url": server.url}, {"token": secret}))
        with ConnectionHttp(broken, patience=QUICK) as http, pytest.raises(PermanentError, match="service account"):
            http.get("v3/projects/crates-1/timeSeries")


def test_a_signed_token_can_be_verified_with_the_public_key(server: GeminiServer) -> None:
    pem = json.loads(service_account(server))["private_key"]
    token = signed_token(pem, {"iss": ACCOUNT}, whose="The", remedy="")
    signed, _, signature = token.rpartition(".")
    raw = base64.urlsafe_b64decode(signature + "==")
    private_key().public_key().verify(raw, signed.encode(), padding.PKCS1v15(), hashes.SHA256())
    assert module.TOKENS == "https://oauth2.googleapis.com/token"
    with pytest.raises(PermanentError, match="The service account's private key cannot be read"):
        signed_token("-----BEGIN", {}, whose="The service account's", remedy="")


# The commonest complaints about other tools' connectors ---------------------------------------------------------------


def test_deltas_are_added_up_and_gauges_are_not() -> None:
    """prometheus-community/stackdriver_exporter 116 and 292: the last change is taken for the whole."""
    ends = ("2026-03-19T08:00:00Z", "2026-03-19T16:00:00Z", END)
    (part,) = day_of(
        *(row("code_lines_accepted_count", {"int64Value": "10"}, end=end) for end in ends),
        *(row("daily_active_users", {"int64Value": "4"}, kind="GAUGE", end=end) for end in ends),
    )
    assert (part.lines_added, part.people) == (30, 4)


def test_points_that_arrive_late_are_read(server: GeminiServer) -> None:
    """prometheus-community/stackdriver_exporter 18: metrics have a latency, so what is read at once is empty."""
    server.at = NOW - DAY
    (*_, before) = pages_of(server)
    server.at = NOW
    found = by_id(drafts_of(pages_of(server, before.cursor)))[f"usage:{PROJECT}:2026-03-19"]
    assert isinstance(found, VendorReportDraft)
    assert isinstance(found.usage, ProvidedParts)
    assert [part.requests for part in found.usage.parts] == [6]


def test_the_series_of_every_label_count(server: GeminiServer) -> None:
    """grafana/grafana 13914: a metric is a series per combination of labels; each is a page here."""
    found = by_id(drafts_of(pages_of(server, {"until": TODAY.isoformat()})))[f"usage:{PROJECT}:2026-03-19"]
    assert isinstance(found, VendorReportDraft)
    assert isinstance(found.usage, ProvidedParts)
    assert [(part.requests, part.lines_added) for part in found.usage.parts] == [(6, 14)]
    paths = [served.path for served in server.requests if "chat_responses_count" in served.path]
    assert [("pageToken" in path) for path in paths] == [False, True]
