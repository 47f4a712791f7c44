"""Rows of ServiceNow as drafts: the documentation's examples, and one field changed at a time.

Incident: https://www.servicenow.com/docs/r/api-reference/rest-apis/c_TableAPI.html (GET /now/table/incident)
Change request: https://www.servicenow.com/docs/r/api-reference/rest-apis/change-management-api.html
Both with sysparm_display_value=all, of which the same page has the shape: a value and a display_value for each field.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest

from integrations.connectors.drafts import MISSING, DeploymentDraft, IncidentDraft, Who
from integrations.connectors.errors import SchemaError
from integrations.connectors.servicenow import change_requests, incidents
from integrations.connectors.servicenow.change_requests import normalise_change_request
from integrations.connectors.servicenow.check import SERVICE_FIELDS
from integrations.connectors.servicenow.incidents import normalise_incident
from integrations.connectors.servicenow.tables import CHANGE_REQUESTS, INCIDENTS, SERVICES, clean_row
from integrations.enums import CHANGE_REQUEST, RunStatus
from tests.servers import PROJECT_DIR

INCIDENT = {
    "sys_id": "57af7aec73d423002728660c4cf6a71c",
    "number": "INC0009009",
    "short_description": "Unable to access the shared folder",
    "state": ("7", "Closed"),
    "priority": ("4", "4 - Low"),
    "business_service": ("26da329f0a0a0bb400f69d8159bc753d", "SAP Enterprise Services"),
    "cmdb_ci": ("b0ccabf1c0a80009001f14fd353859ca", "SAP Server"),
    "opened_at": ("2018-08-30 01:06:16", "2018-08-29 18:06:16"),
    "resolved_at": ("2018-12-12 21:46:17", "2018-12-12 13:46:17"),
    "closed_at": ("2018-12-13 07:46:44", "2018-12-12 23:46:44"),
    "reopened_time": "",
    "caused_by": "",
    "parent_incident": "",
    "sys_updated_on": ("2018-12-13 07:46:44", "2018-12-12 23:46:44"),
}
CHANGE = {
    "sys_id": "1c87925347c12200e0ef563dbb9a7177",
    "number": "CHG0030205",
    "type": ("normal", "Normal"),
    "category": ("Other", "Other"),
    "state": ("3", "Closed"),
    "close_code": ("successful_issues", "Successful with issues"),
    "cmdb_ci": ("26da329f0a0a0bb400f69d8159bc753d", "SAP Enterprise Services"),
    "assigned_to": ("46d44a23a9fe19810012d100cca80666", "Beth Anglin"),
    "assigned_to.email": "beth.anglin@example.com",
    "opened_at": ("2026-03-02 08:00:00", "2026-03-02 00:00:00"),
    "work_start": ("2026-03-03 09:00:00", "2026-03-03 01:00:00"),
    "work_end": ("2026-03-03 09:40:00", "2026-03-03 01:40:00"),
    "closed_at": ("2026-03-05 10:00:00", "2026-03-05 02:00:00"),
    "sys_updated_on": ("2026-03-05 10:00:00", "2026-03-05 02:00:00"),
}
RULED = {"environment": "production", "service": "", "repository": "", "sha": "", "unplanned": ""}


def sent(fields: dict[str, Any]) -> dict[str, Any]:
    """A row as it is sent: of each field its value, and what is displayed where that is something else."""
    pairs = {name: (field if isinstance(field, tuple) else (field, field)) for name, field in fields.items()}
    return {name: {"display_value": shown, "value": value} for name, (value, shown) in pairs.items()}


def incident(row: Any = None, **fields: Any) -> IncidentDraft:
    cleaned = clean_row(sent({**INCIDENT, **fields}) if row is None else row)
    (draft,) = normalise_incident({"servicenow_incident": cleaned, "page": "https://acme.service-now.com"})
    return draft


def change(rule: dict[str, str] | None = RULED, **fields: Any) -> DeploymentDraft:
    row = clean_row(sent({**CHANGE, **fields}))
    payload = {"change_request": row, "service": "SAP", "deployment": rule, "page": "https://acme.service-now.com"}
    (draft,) = normalise_change_request(payload)
    return draft


def test_the_incident_of_the_documentation() -> None:
    assert incident() == IncidentDraft(
        external_id="57af7aec73d423002728660c4cf6a71c",
        updated_at=datetime(2018, 12, 13, 7, 46, 44, tzinfo=UTC),
        service="26da329f0a0a0bb400f69d8159bc753d",
        key="INC0009009",
        title="Unable to access the shared folder",
        url="https://acme.service-now.com/incident.do?sys_id=57af7aec73d423002728660c4cf6a71c",
        native_status="Closed",
        native_severity="4 - Low",
        started_at=datetime(2018, 8, 30, 1, 6, 16, tzinfo=UTC),
        acknowledged_at=None,
        resolved_at=datetime(2018, 12, 12, 21, 46, 17, tzinfo=UTC),
        caused_by="",
    )


def test_an_instance_that_sends_values_alone_is_understood() -> None:
    """As with sysparm_display_value=false: a reference is {link, value}, or empty text."""
    link = "https://acme.service-now.com/api/now/table/change_request/1c87925347c12200e0ef563dbb9a7177"
    row: dict[str, Any] = {name: field[0] if isinstance(field, tuple) else field for name, field in INCIDENT.items()}
    row["business_service"] = {"link": link, "value": "26da329f0a0a0bb400f69d8159bc753d"}
    row["caused_by"] = {"link": link, "value": "1c87925347c12200e0ef563dbb9a7177"}
    draft = incident(row)
    assert (draft.service, draft.caused_by) == ("26da329f0a0a0bb400f69d8159bc753d", "1c87925347c12200e0ef563dbb9a7177")
    assert (draft.native_status, draft.native_severity, draft.left_out) == ("7", "4", ())
    assert draft.resolved_at == incident().resolved_at


OPENED, FIRST, AGAIN, LAST = (f"2026-03-0{day} 09:00:00" for day in range(2, 6))


@pytest.mark.parametrize(
    ("fields", "resolved"),
    [
        ({"state": "1", "resolved_at": ""}, None),
        ({"state": "2", "resolved_at": FIRST, "reopened_time": AGAIN}, None),
        ({"state": "3", "resolved_at": FIRST}, None),
        ({"state": "6", "resolved_at": FIRST, "closed_at": ""}, FIRST),
        ({"state": "6", "resolved_at": LAST, "closed_at": "", "reopened_time": AGAIN}, LAST),
        ({"state": "7", "resolved_at": FIRST, "closed_at": LAST, "reopened_time": AGAIN}, LAST),
        ({"state": "6", "resolved_at": FIRST, "closed_at": "", "reopened_time": AGAIN}, FIRST),
        ({"state": "7", "resolved_at": "", "closed_at": LAST}, LAST),
        ({"state": "101", "resolved_at": FIRST, "closed_at": ""}, FIRST),
        ({"state": "101", "resolved_at": "", "closed_at": ""}, None),
        ({"state": "6", "resolved_at": "", "closed_at": ""}, MISSING),
    ],
)
def test_an_incident_ends_with_its_last_resolution(fields: dict[str, Any], resolved: object) -> None:
    expected = datetime.fromisoformat(f"{resolved}+00:00") if isinstance(resolved, str) else resolved
    assert incident(opened_at=OPENED, **fields).resolved_at == expected


@pytest.mark.parametrize(
    ("fields", "deleted"), [({"state": "8"}, True), ({"parent_incident": "a1"}, True), ({}, False)]
)
def test_cancelled_incidents_and_children_do_not_count(fields: dict[str, Any], deleted: bool) -> None:
    assert incident(**fields).deleted is deleted


def test_an_incident_without_a_business_service_is_of_its_item() -> None:
    assert incident(business_service="").service == "b0ccabf1c0a80009001f14fd353859ca"


def test_a_change_request_that_was_implemented() -> None:
    draft = change()
    assert (draft.status, draft.native_status) == (RunStatus.SUCCESS, "Closed: Successful with issues")
    assert (draft.started_at, draft.finished_at) == (
        datetime(2026, 3, 3, 9, 0, tzinfo=UTC),
        datetime(2026, 3, 3, 9, 40, tzinfo=UTC),
    )
    assert (draft.task, draft.repository, draft.service) == (CHANGE_REQUEST, "SAP", "SAP")
    beth = Who(account="46d44a23a9fe19810012d100cca80666", name="Beth Anglin", email="beth.anglin@example.com")
    assert (draft.deployed_by, draft.deleted, draft.left_out) == (beth, False, ())


@pytest.mark.parametrize(
    ("fields", "status", "is_over"),
    [
        ({"state": "-5", "close_code": ""}, RunStatus.QUEUED, False),
        ({"state": "-2", "close_code": ""}, RunStatus.QUEUED, False),
        ({"state": "-1", "close_code": ""}, RunStatus.RUNNING, False),
        ({"state": "0", "close_code": ""}, RunStatus.RUNNING, False),
        ({"state": "0", "close_code": "unsuccessful"}, RunStatus.FAILURE, True),
        ({"state": "3", "close_code": "successful"}, RunStatus.SUCCESS, True),
        ({"state": "3", "close_code": ""}, RunStatus.OTHER, False),
        ({"state": "4", "close_code": ""}, RunStatus.CANCELLED, True),
        ({"state": "105", "close_code": "successful"}, RunStatus.SUCCESS, True),
        ({"state": "105", "close_code": "fine"}, RunStatus.OTHER, False),
    ],
)
def test_a_change_request_ends_by_its_state_and_close_code(
    fields: dict[str, Any], status: RunStatus, is_over: bool
) -> None:
    draft = change(**fields)
    assert (draft.status, draft.finished_at is not None) == (status, is_over)


def test_without_an_end_of_work_the_close_counts() -> None:
    assert change(work_end="").finished_at == datetime(2026, 3, 5, 10, 0, tzinfo=UTC)


def test_a_rule_says_what_a_change_request_does_not() -> None:
    rule = {**RULED, "service": "erp", "repository": "acme/erp", "unplanned": "true"}
    draft = change(rule)
    assert (draft.service, draft.repository, draft.unplanned) == ("erp", "acme/erp", True)
    assert change(None).deleted, "by no rule"


@pytest.mark.parametrize("field", ["sys_id", "opened_at"])
def test_without_what_defines_an_incident_the_error_names_the_field(field: str) -> None:
    with pytest.raises(SchemaError, match=field):
        incident(**{field: ""})


def test_a_time_that_is_none_is_left_out() -> None:
    draft = incident(resolved_at="yesterday")
    assert draft.left_out == ("servicenow_incident.resolved_at.value",)
    assert draft.resolved_at == datetime(2018, 12, 13, 7, 46, 44, tzinfo=UTC)


def test_the_page_lists_the_fields_that_are_read() -> None:
    page = (PROJECT_DIR / "docs/connectors/servicenow.md").read_text()
    for table, fields in (
        (SERVICES, SERVICE_FIELDS),
        (INCIDENTS, incidents.FIELDS),
        (CHANGE_REQUESTS, change_requests.FIELDS),
    ):
        row = re.search(rf"^\| `{table}` \| (.*) \|$", page, re.MULTILINE)
        assert row is not None
        assert set(re.findall("`([a-z_.]+)`", row[1])) == set(fields)
