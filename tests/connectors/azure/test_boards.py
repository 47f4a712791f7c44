"""Azure Boards as drafts: work items with their updates, iterations, and incidents by rule.

https://learn.microsoft.com/rest/api/azure/devops/wit/updates/list, /wit/work-items/get-work-items-batch and
/wit/classification-nodes/get have the examples; apache/devlake 5996, 5505 and 7370 the complaints.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Any

import pytest

from demo.providers import faults
from demo.providers.azure_server import AzureServer
from demo.providers.faults import Answer, Fault
from integrations.connectors.azure.connector import AzureDevOps
from integrations.connectors.azure.incidents import Rule, UnreadableRuleError, read_rules
from integrations.connectors.azure.iterations import normalise_iteration
from integrations.connectors.azure.work_items import normalise_work_item
from integrations.connectors.base import Page, Settings
from integrations.connectors.drafts import ProvidedParts, SprintDraft, WorkItemDraft
from integrations.connectors.errors import SchemaError
from integrations.enums import ItemField, Kind, Priority, ResourceKind, SprintState, StatusCategory
from tests.connectors.reading import TOKEN, drafts_of, only_resource, read_pages
from tests.demo.small_history import BEGIN, DAY, HOUR, small_history

STATES = {
    "New": "Proposed",
    "Active": "InProgress",
    "Resolved": "Resolved",
    "Closed": "Completed",
    "Removed": "Removed",
}
JAMAL = {"id": "d291b0c4", "displayName": "Jamal Hartnett", "uniqueName": "fabrikamfiber4@hotmail.com"}


@pytest.fixture
def payload() -> dict[str, Any]:
    return {
        "work_item": {
            "id": 12,
            "type": "Bug",
            "state": "New",
            "title": "Bug 1",
            "area": "Fabrikam\\Checkout\\Payments",
            "created": "2017-09-04T02:08:16.6Z",
            "changed": "2017-09-04T02:08:16.6Z",
            "described": True,
        },
        "updates": [],
        "categories": STATES,
        "project": "6ce954b1",
        "page": "https://dev.azure.com/fabrikam/Fabrikam/_workitems/edit/12",
    }


def item(payload: dict[str, Any]) -> WorkItemDraft:
    (found,) = normalise_work_item(payload)
    return found


def update(hour: int, **fields: tuple[Any, Any]) -> dict[str, Any]:
    sides = {
        name: {side: value for side, value in (("old", old), ("new", new)) if value is not None}
        for name, (old, new) in fields.items()
    }
    return {"at": f"2017-09-04T{hour:02}:00:00Z", "by": JAMAL, "fields": sides}


def test_a_work_item_has_the_key_that_people_write_and_the_last_name_of_its_area(payload: dict[str, Any]) -> None:
    found = item(payload)
    assert (found.key, found.native_team, found.project) == ("AB#12", "Payments", "6ce954b1")
    payload["work_item"]["area"] = "Fabrikam"
    assert item(payload).native_team == ""


def test_its_state_has_the_category_of_its_type(payload: dict[str, Any]) -> None:
    payload["work_item"] |= {"state": "Resolved", "reason": "Fixed"}
    assert (item(payload).status_category, item(payload).resolution) == (StatusCategory.IN_PROGRESS, "")
    payload["work_item"]["state"] = "Removed"
    assert (item(payload).status_category, item(payload).resolution) == (StatusCategory.DONE, "Fixed")


def test_its_history_is_that_of_its_updates(payload: dict[str, Any]) -> None:
    payload["updates"] = [
        update(1, state=(None, "New"), iteration=(None, 3), points=(None, 3.0), priority=(None, 2)),
        update(2, assignee=(None, JAMAL)),
        update(3, state=("New", "Active"), iteration=(3, 4)),
        update(4, points=(3.0, 5.0), type=("Bug", "Task")),
        update(5, state=("Active", "Closed"), assignee=(JAMAL, None)),
    ]
    payload["work_item"]["state"] = "Closed"
    found = item(payload)
    assert isinstance(found.transitions, ProvidedParts)
    assert [(one.to_status, one.category) for one in found.transitions.parts] == [
        ("Active", StatusCategory.IN_PROGRESS),
        ("Closed", StatusCategory.DONE),
    ]
    assert found.first_category is StatusCategory.TODO
    assert found.resolved_at == datetime(2017, 9, 4, 5, tzinfo=UTC)
    assert isinstance(found.assignments, ProvidedParts)
    assert [one.assignee.name if one.assignee else "" for one in found.assignments.parts] == ["Jamal Hartnett", ""]
    assert isinstance(found.sprint_changes, ProvidedParts)
    assert [(one.sprint, one.added) for one in found.sprint_changes.parts] == [("3", True), ("3", False), ("4", True)]
    assert isinstance(found.value_changes, ProvidedParts)
    assert [(one.field, one.before, one.after) for one in found.value_changes.parts] == [
        (ItemField.ESTIMATE, "3", "5"),
        (ItemField.TYPE, "Bug", "Task"),
    ]


@pytest.mark.parametrize("field", ["points", "effort", "size"])
def test_the_estimate_is_the_field_of_its_process(payload: dict[str, Any], field: str) -> None:
    payload["work_item"][field] = 5.0
    assert item(payload).estimate == 5.0


def test_plain_fields(payload: dict[str, Any]) -> None:
    payload["work_item"] |= {
        "tags": "beauty; urgent",
        "priority": 1,
        "parent": 7,
        "due": "2017-10-01T00:00:00Z",
        "assignee": JAMAL,
    }
    found = item(payload)
    assert (found.labels, found.priority, found.parent_key) == (("beauty", "urgent"), Priority.CRITICAL, "AB#7")
    assert (found.due_on, found.has_description) == (date(2017, 10, 1), True)


@pytest.mark.parametrize("field", ["id", "created"])
def test_a_missing_field_is_named_in_the_error(payload: dict[str, Any], field: str) -> None:
    del payload["work_item"][field]
    with pytest.raises(SchemaError, match=field):
        item(payload)


# Iterations ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("at", "state"),
    [
        ("2014-10-26T00:00:00Z", SprintState.PLANNED),
        ("2014-10-31T00:00:00Z", SprintState.ACTIVE),
        ("2014-11-01T00:00:00Z", SprintState.CLOSED),
    ],
)
def test_an_iteration_lasts_to_the_end_of_its_last_day(at: str, state: SprintState) -> None:
    """The example of the documentation: 27 to 31 October."""
    days = {"startDate": "2014-10-27T00:00:00Z", "finishDate": "2014-10-31T00:00:00Z"}
    node = {"id": 126392, "name": "Sprint 1", "path": "Release 1\\Sprint 1", "attributes": days}
    (found,) = normalise_iteration({"iteration": node, "board": "6ce954b1", "at": at})
    assert (found.name, found.state, found.ends_at) == ("Release 1\\Sprint 1", state, datetime(2014, 11, 1, tzinfo=UTC))


def test_iterations_of_all_levels_that_have_days_are_sprints(azure: AzureServer) -> None:
    days = {"startDate": "2026-03-02T00:00:00Z", "finishDate": "2026-03-13T00:00:00Z"}
    azure.iterations = [{"id": 8, "name": "R1", "children": [{"id": 9, "name": "Sprint 2", "attributes": days}]}]
    azure.iteration_changes = {2007: [(BEGIN + 3 * DAY, 1, 9)]}
    (sprint,) = drafts_of(pages_of(azure, Kind.SPRINT))
    assert isinstance(sprint, SprintDraft)
    assert (sprint.external_id, sprint.name, sprint.board) == ("9", "R1\\Sprint 2", azure.project["id"])
    changed = next(draft for draft in drafts_of(pages_of(azure, Kind.WORK_ITEM)) if draft.external_id == "2007")
    assert isinstance(changed, WorkItemDraft)
    assert isinstance(changed.sprint_changes, ProvidedParts)
    assert ("9", True) in [(one.sprint, one.added) for one in changed.sprint_changes.parts]


# Incidents ----------------------------------------------------------------------------------------------------------


def test_a_rule_is_a_type_with_a_severity_and_a_tag() -> None:
    rules = "# ours\nBug, severity=1 - Critical, tag=it's down\n\nIncident\n"
    assert read_rules(rules) == [Rule("Bug", "1 - Critical", "it's down"), Rule("Incident")]
    assert read_rules(rules)[0].condition == (
        "[System.WorkItemType] = 'Bug' AND [Microsoft.VSTS.Common.Severity] = '1 - Critical' "
        "AND [System.Tags] CONTAINS 'it''s down'"
    )


@pytest.mark.parametrize("line", ["Bug", "severity=1 - Critical", "Bug, area=Checkout", "Bug, tag="])
def test_a_rule_that_cannot_be_read_is_a_mistake_in_the_form(line: str) -> None:
    """A bug alone is no incident: apache/devlake 5505, 7370."""
    with pytest.raises(UnreadableRuleError, match="Line 1"):
        read_rules(line)
    assert "Line 1" in AzureDevOps.mistakes({"incidents": line})["incidents"]


def test_without_rules_there_is_no_stream_of_incidents() -> None:
    kinds = {
        rules: Kind.INCIDENT in AzureDevOps(Settings({"incidents": rules}, {})).streams_of(ResourceKind.PROJECT)
        for rules in ("", "Incident")
    }
    assert kinds == {"": False, "Incident": True}


# Reading ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def azure() -> Iterator[AzureServer]:
    with AzureServer(small_history(), token=TOKEN) as server:
        yield server


def pages_of(azure: AzureServer, kind: Kind, cursor: Mapping[str, Any] | None = None) -> list[Page]:
    of = AzureDevOps(Settings({"base_url": azure.url}, {"token": TOKEN}))
    resource = only_resource(of, ResourceKind.BOARD if kind is Kind.SPRINT else ResourceKind.PROJECT)
    azure.requests.clear()
    return read_pages(of, resource, kind, cursor, now=azure.at)


def test_boards_are_read_from_the_beginning_and_what_changed_since(azure: AzureServer) -> None:
    """apache/devlake 5996: boards without history."""
    azure.advance(BEGIN + 2 * DAY + HOUR)
    *_, last = pages = pages_of(azure, Kind.WORK_ITEM)
    assert {draft.external_id for draft in drafts_of(pages)} == {"2001", "2007"}
    azure.advance(BEGIN + 3 * DAY + HOUR)
    (found,) = drafts_of(pages_of(azure, Kind.WORK_ITEM, last.cursor))
    assert isinstance(found, WorkItemDraft)
    assert (found.external_id, found.native_status) == ("2007", "Removed")


def test_one_that_was_deleted_after_it_was_listed_is_left_out(azure: AzureServer) -> None:
    azure.faults = [Fault(faults.not_found(), path="/workItems/2001/", times=None)]
    assert {draft.external_id for draft in drafts_of(pages_of(azure, Kind.WORK_ITEM))} == {"2007"}


def test_an_answer_without_the_list_is_no_end_of_it(azure: AzureServer) -> None:
    azure.faults = [Fault(faults.instead(Answer.of({"message": "later"})), path="/wiql", times=1)]
    with pytest.raises(Exception, match="something other than a list"):
        pages_of(azure, Kind.WORK_ITEM)


def test_texts_are_not_kept(azure: AzureServer) -> None:
    payloads = [record.payload for page in pages_of(azure, Kind.WORK_ITEM) for record in page.records]
    assert "It should." not in str(payloads)
