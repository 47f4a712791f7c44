"""An issue as Jira writes it, and the work item that is made of it."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import UTC, date, datetime
from typing import Any

import pytest

from integrations.connectors.base import Settings
from integrations.connectors.drafts import (
    MISSING,
    AssignmentDraft,
    ProvidedParts,
    SprintChangeDraft,
    SprintDraft,
    ValueChangeDraft,
    Who,
    WorkItemDraft,
)
from integrations.connectors.errors import SchemaError
from integrations.connectors.jira.connector import Jira
from integrations.connectors.jira.custom_fields import chosen
from integrations.connectors.jira.issues import normalise_issue
from integrations.connectors.jira.sprints import normalise_sprint
from integrations.enums import ItemField, Kind, Priority, SprintState, StatusCategory

FIELDS = {"estimates": ["customfield_1"], "sprints": ["customfield_2"], "epics": ["customfield_3"]}
ADA = {"accountId": "5b10", "displayName": "Ada Admin", "accountType": "atlassian"}


def issue(**fields: Any) -> dict[str, Any]:
    usual = {
        "project": {"id": "10001", "key": "SHOP"},
        "summary": "Weigh the basket",
        "issuetype": {"name": "Story"},
        "status": {"id": "3", "name": "In Progress", "statusCategory": {"key": "indeterminate"}},
        "created": "2026-03-02T10:00:00.000+0100",
        "updated": "2026-03-03T10:00:00.000+0100",
    }
    return {"id": "500", "key": "SHOP-12", "fields": {**usual, **fields}}


def change(field: str, hour: int, before: str | None, after: str | None, **shown: str) -> dict[str, Any]:
    item = {"field": field, "fieldId": field, "from": before, "to": after}
    item |= {"fromString": shown.get("was"), "toString": shown.get("now")}
    return {"id": str(hour), "created": f"2026-03-02T{hour:02}:00:00.000+0000", "author": ADA, "items": [item]}


BY_ADA = Who("5b10", name="Ada Admin", account="5b10")


def at(hour: int) -> datetime:
    return datetime(2026, 3, 2, hour, tzinfo=UTC)


def draft_of(sent: dict[str, Any], **more: Any) -> WorkItemDraft:
    (draft,) = normalise_issue({"issue": sent, "fields": FIELDS, **more})
    return draft


def test_an_issue_without_changes_stands_where_it_was_created() -> None:
    draft = draft_of(issue(assignee=ADA, priority={"name": "Highest"}, customfield_2=[{"id": 7}]), histories=[])
    assert (draft.external_id, draft.project, draft.key) == ("500", "10001", "SHOP-12")
    assert (draft.created_at, draft.first_category) == (at(9), StatusCategory.IN_PROGRESS)
    assert draft.priority == Priority.CRITICAL
    assert draft.transitions == ProvidedParts([])
    assert draft.assignments == ProvidedParts(
        [AssignmentDraft(at=at(9), assignee=Who("5b10", name="Ada Admin", account="5b10"))]
    )
    assert draft.sprint_changes == ProvidedParts([SprintChangeDraft(at=at(9), sprint="7", added=True)])


def test_two_statuses_of_one_name_are_distinguished_by_their_ids() -> None:
    histories = [
        change("status", 10, "10", "3", was="Open", now="Review"),
        change("status", 11, "3", "4", was="Review", now="Review"),
    ]
    draft = draft_of(issue(), histories=histories, statuses={"10": "new", "3": "indeterminate", "4": "done"})
    assert isinstance(draft.transitions, ProvidedParts)
    assert [one.category for one in draft.transitions.parts] == [StatusCategory.IN_PROGRESS, StatusCategory.DONE]
    assert draft.first_category == StatusCategory.TODO


def test_a_status_that_is_gone_has_no_category_of_its_own() -> None:
    draft = draft_of(issue(), histories=[change("status", 10, "98", "99", was="Old", now="Older")], statuses={})
    assert isinstance(draft.transitions, ProvidedParts)
    assert draft.transitions.parts[0].category is None
    assert draft.first_category is MISSING


def test_a_sub_task_shows_sprints_of_its_parent_and_has_none_of_its_own() -> None:
    draft = draft_of(issue(issuetype={"name": "Sub-task", "subtask": True}, customfield_2=[{"id": 7}]), histories=[])
    assert draft.sprint_changes == ProvidedParts([])


def test_sprints_are_joined_and_left() -> None:
    histories = [
        change("customfield_2", 10, "", "7"),
        change("customfield_2", 12, "7", "7, 8"),
        change("Sprint", 14, "7, 8", "8"),
    ]
    draft = draft_of(issue(), histories=histories)
    assert draft.sprint_changes == ProvidedParts(
        [
            SprintChangeDraft(at=at(10), sprint="7", added=True, by=BY_ADA),
            SprintChangeDraft(at=at(12), sprint="8", added=True, by=BY_ADA),
            SprintChangeDraft(at=at(14), sprint="7", added=False, by=BY_ADA),
        ]
    )


def test_an_issue_that_was_moved_has_the_keys_that_it_had() -> None:
    histories = [
        change("Key", 10, None, None, was="SHOP-12", now="OPS-3"),
        change("Key", 11, None, None, was="OPS-3", now="SHOP-12"),
        change("issuekey", 12, None, None, was="SHOP-12", now="WEB-7"),
    ]
    moved = {**issue(), "key": "WEB-7"}
    assert draft_of(moved, histories=histories).former_keys == ("SHOP-12", "OPS-3")
    assert draft_of(issue(), histories=histories[:2]).former_keys == ("OPS-3",)
    assert draft_of(issue()).former_keys is MISSING


@pytest.mark.parametrize(
    ("name", "priority"),
    [
        ("Blocker", Priority.CRITICAL),
        ("Major", Priority.HIGH),
        ("medium", Priority.MEDIUM),
        ("Lowest", Priority.LOW),
        ("Soon", Priority.UNKNOWN),
        ("", Priority.UNKNOWN),
    ],
)
def test_a_priority_of_the_site_s_own_keeps_its_name(name: str, priority: Priority) -> None:
    draft = draft_of(issue(priority={"name": name} if name else None))
    assert (draft.native_priority, draft.priority) == (name, priority)


def test_versions_are_named_with_the_first_day_of_release() -> None:
    named = [{"id": "1", "name": "1.0"}, {"id": "2", "name": "2.0", "releaseDate": "2026-06-01"}]
    draft = draft_of(issue(fixVersions=[*named, {"id": "3", "name": "3.0", "releaseDate": "2026-07-01"}]))
    assert (draft.versions, draft.release_on) == (("1.0", "2.0", "3.0"), date(2026, 6, 1))
    assert (draft_of(issue(fixVersions=named[:1])).release_on, draft_of(issue()).versions) == (None, ())


def test_components_are_read_by_name() -> None:
    named = [{"id": "1", "name": "Build tools"}, {"id": "2", "name": "Basket"}]
    assert draft_of(issue(components=named)).components == ("Build tools", "Basket")
    assert draft_of(issue()).components == ()


def test_every_change_of_estimate_type_priority_and_version_is_kept() -> None:
    histories = [
        change("customfield_1", 10, None, None, now="3"),
        change("issuetype", 11, "1", "2", was="Story", now="Bug"),
        change("priority", 12, "3", "1", was="Medium", now="Highest"),
        change("fixVersions", 13, None, "7", now="2.0"),
        change("Fix Version", 14, "7", None, was="2.0"),
        change("Story Points", 15, None, None, was="3", now="5"),
        change("labels", 15, None, None, was="a", now="b"),
    ]
    draft = draft_of(issue(), histories=histories)
    assert draft.value_changes == ProvidedParts(
        [
            ValueChangeDraft(at=at(10), field=ItemField.ESTIMATE, before="", after="3", by=BY_ADA),
            ValueChangeDraft(at=at(11), field=ItemField.TYPE, before="Story", after="Bug", by=BY_ADA),
            ValueChangeDraft(at=at(12), field=ItemField.PRIORITY, before="Medium", after="Highest", by=BY_ADA),
            ValueChangeDraft(at=at(13), field=ItemField.VERSION, before="", after="2.0", by=BY_ADA),
            ValueChangeDraft(at=at(14), field=ItemField.VERSION, before="2.0", after="", by=BY_ADA),
            ValueChangeDraft(at=at(15), field=ItemField.ESTIMATE, before="3", after="5", by=BY_ADA),
        ]
    )
    assert draft_of(issue()).value_changes is MISSING


@pytest.mark.parametrize(
    ("value", "points"),
    [
        (3, 3.0),
        ("5", 5.0),
        ("2,5", 2.5),
        ("a lot", None),
        (True, None),
        (-1, None),
        (1e12, None),
        (None, None),
        ([3], None),
    ],
)
def test_estimates_are_numbers_however_a_site_keeps_them(value: Any, points: float | None) -> None:
    assert draft_of(issue(customfield_1=value)).estimate == points


def test_an_epic_is_the_parent_by_either_field() -> None:
    assert draft_of(issue(parent={"key": "SHOP-1"}, customfield_3="SHOP-2")).parent_key == "SHOP-1"
    assert draft_of(issue(customfield_3="SHOP-2")).parent_key == "SHOP-2"
    assert draft_of(issue()).parent_key == ""


def test_nobody_is_named_by_a_hidden_address() -> None:
    draft = draft_of(issue(reporter={**ADA, "emailAddress": ""}, assignee=None))
    assert draft.reporter == Who("5b10", name="Ada Admin", account="5b10")
    assert draft.assignee is None


def test_people_of_a_data_center_are_known_by_key_and_name() -> None:
    user = {"key": "JIRAUSER100", "name": "ada", "emailAddress": "ada@example.com", "displayName": "Ada Admin"}
    assert draft_of(issue(assignee=user)).assignee == Who("ada", "ada@example.com", "Ada Admin", "JIRAUSER100")


def test_a_changelog_names_people_of_a_data_center_by_their_keys() -> None:
    user = {"key": "JIRAUSER100", "name": "ada", "displayName": "Ada Admin"}
    histories = [
        change("assignee", 10, None, "JIRAUSER100", now="Ada Admin"),
        change("assignee", 11, "JIRAUSER100", "max", was="Ada Admin", now="Max Member"),
    ]
    draft = draft_of(issue(reporter=user), histories=histories)
    assert draft.assignments == ProvidedParts(
        [
            AssignmentDraft(at=at(10), assignee=Who("ada", name="Ada Admin", account="JIRAUSER100")),
            AssignmentDraft(at=at(11), assignee=Who("max", name="Max Member", account="max")),
        ]
    )


def test_what_is_not_as_documented_names_its_field() -> None:
    with pytest.raises(SchemaError) as refused:
        draft_of(issue(created="yesterday"))
    assert refused.value.path == "issue.fields.created"


def test_a_change_of_a_time_that_cannot_be_is_left_out_alone() -> None:
    odd = {**change("status", 10, "10", "3", was="Open", now="Review"), "created": "2106-02-07T06:28:15.000+0000"}
    draft = draft_of(issue(), histories=[odd, change("status", 11, "3", "4", was="Review", now="Done")], statuses={})
    assert isinstance(draft.transitions, ProvidedParts)
    assert [one.to_status for one in draft.transitions.parts] == ["Done"]
    assert draft.left_out == ("histories[0].created",)


def test_a_delivery_that_names_no_fields_takes_no_epic_away() -> None:
    (draft,) = normalise_issue({"issue": issue()})
    assert draft.parent_key is MISSING


def test_a_sprint_that_has_not_started_has_no_days() -> None:
    (draft,) = normalise_sprint({"board": 1, "sprint": {"id": 7, "name": "Sprint 7", "state": "future"}})
    assert (draft.external_id, draft.board, draft.state, draft.starts_at) == ("7", "1", SprintState.PLANNED, None)


def test_fields_are_found_by_what_they_are_made_of_and_by_name() -> None:
    number = {"type": "number", "custom": "com.atlassian.jira.plugin.system.customfieldtypes:float"}
    of_team = {"type": "number", "custom": "com.pyxis.greenhopper.jira:jsw-story-points"}
    fields = [
        {"id": "customfield_9", "name": "Story point estimate", "schema": of_team},
        {"id": "customfield_8", "name": "Story  Points", "schema": number},
        {"id": "customfield_7", "name": "Story Points", "schema": {"type": "string"}},
        {"id": "customfield_6", "name": "T-Shirt", "schema": number},
        {"id": "customfield_5", "name": "Iteration", "schema": {"custom": "com.pyxis.greenhopper.jira:gh-sprint"}},
    ]
    found = chosen(fields, {})
    assert (found["estimates"], found["sprints"]) == (("customfield_8", "customfield_9"), ("customfield_5",))
    assert chosen(fields, {"estimates": ["t-shirt"]})["estimates"] == ("customfield_6",)
    own = chosen(fields, {"estimates": ["customfield_7", "Story point  estimate"]})
    assert (own["estimates"], own["sprints"]) == (("customfield_7", "customfield_9"), found["sprints"])


@pytest.mark.parametrize(
    "value", [{"id": "t-1", "name": "Payments"}, {"value": "Payments"}, "Payments ", [{"title": "Payments"}]]
)
def test_a_team_has_its_name_however_a_site_keeps_it(value: Any) -> None:
    (draft,) = normalise_issue({"issue": issue(customfield_4=value), "fields": {**FIELDS, "teams": ["customfield_4"]}})
    assert draft.native_team == "Payments"


# Webhooks --------------------------------------------------------------------------------------------------------

JIRA = Jira(Settings({"base_url": "https://acme.example.com", "email": "a@example.com"}, {"token": "x"}))


def delivered(document: Any) -> tuple[dict[str, str], bytes]:
    body = json.dumps(document).encode()
    signed = hmac.new(b"quiet", body, hashlib.sha256).hexdigest()
    return {"x-hub-signature": f"sha256={signed}", "x-atlassian-webhook-identifier": "d-1"}, body


def test_a_delivery_counts_with_its_signature_alone() -> None:
    headers, body = delivered({"webhookEvent": "jira:issue_updated"})
    arrival = JIRA.arrival(headers, body, "quiet")
    assert arrival is not None
    assert (arrival.delivery_id, arrival.event) == ("d-1", "jira:issue_updated")
    assert JIRA.arrival(headers, body, "loud") is None
    assert JIRA.arrival(headers, body + b" ", "quiet") is None
    assert JIRA.arrival({**headers, "x-hub-signature": "sha1=00"}, body, "quiet") is None
    headers, body = delivered(["no event"])
    assert (JIRA.arrival(headers, body, "quiet") or arrival).event == "unknown"


def test_a_changed_issue_is_stored_at_once_and_its_history_read_soon() -> None:
    payload = {"webhookEvent": "jira:issue_updated", "issue": issue(description="Secret words")}
    (record,) = JIRA.deliveries("jira:issue_updated", payload) or ()
    assert "Secret words" not in json.dumps(record.payload)
    (draft,) = record.normalise(record.payload)
    assert isinstance(draft, WorkItemDraft)
    assert (draft.key, draft.has_description, draft.transitions, draft.estimate) == ("SHOP-12", True, MISSING, MISSING)
    assert JIRA.news("jira:issue_updated", payload) == ("10001", Kind.WORK_ITEM)


def test_a_deleted_issue_is_gone() -> None:
    (record,) = JIRA.deliveries("jira:issue_deleted", {"issue": issue()}) or ()
    (draft,) = record.normalise(record.payload)
    assert (draft.external_id, draft.deleted) == ("500", True)
    assert JIRA.news("jira:issue_deleted", {"issue": issue()}) is None


def test_a_deleted_sprint_is_gone() -> None:
    sprint = {"id": 7, "name": "Sprint 7", "state": "active", "originBoardId": 1}
    (record,) = JIRA.deliveries("sprint_deleted", {"sprint": sprint}) or ()
    (draft,) = record.normalise(record.payload)
    assert isinstance(draft, SprintDraft)
    assert (draft.external_id, draft.board, draft.deleted) == ("7", "1", True)


def test_other_events_are_not_used() -> None:
    assert JIRA.deliveries("comment_created", {"comment": {"body": "Secret"}}) is None


# Data Center ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fields",
    [
        "id=37,rapidViewId=8,state=CLOSED,name=Week 9,goal=<null>",
        "id=37,rapidViewId=8,state=CLOSED,name=One, two [three],goal=done, id=99, name=Four",
        "rapidViewId=8,state=CLOSED,name=Week 9,startDate=2026-03-02T09:00:00.000Z,sequence=37,id=37",
        "completeDate=<null>,goal=a, [b], id=9,id=37,name=Week, id=8,state=ACTIVE",
        "id=37,state=CLOSED,name=Line\nbreak,goal=a\nb,id=4",
        "rapidViewId=<null>,id=37,state=FUTURE,name=id=9",
    ],
)
def test_a_sprint_is_read_from_text(fields: str) -> None:
    text = f"com.atlassian.greenhopper.service.sprint.Sprint@1f2e[{fields}]"
    draft = draft_of(issue(customfield_2=[text]), histories=[])
    assert draft.sprint_changes == ProvidedParts([SprintChangeDraft(at=at(9), sprint="37", added=True)])
    assert draft.left_out == ()


def test_a_sprint_that_is_not_understood_is_left_out_alone() -> None:
    option = {"id": "10000", "value": "Impediment"}
    draft = draft_of(
        issue(customfield_2=[{"id": 7}, "Week 9", None, option], customfield_1={"points": 3}), histories=[]
    )
    assert draft.sprint_changes == ProvidedParts([SprintChangeDraft(at=at(9), sprint="7", added=True)])
    assert draft.left_out == (
        "issue.fields.customfield_1",
        "issue.fields.customfield_2[1]",
        "issue.fields.customfield_2[3]",
    )


def test_changes_without_ids_are_of_the_chosen_fields_of_that_name() -> None:
    def unnamed(hour: int, field: str, before: str, after: str) -> dict[str, Any]:
        item = {"field": field, "fieldtype": "custom", "from": before, "to": after, "fromString": before}
        return {"id": str(hour), "created": f"2026-03-02T{hour}:00:00.000+0000", "items": [item | {"toString": after}]}

    draft = draft_of(
        issue(),
        names={"sp": "customfield_1", "iteration": "customfield_2"},
        histories=[
            unnamed(10, "Iteration", "", "37"),
            unnamed(11, "SP", "3", "5"),
            unnamed(12, "Story Points", "1", "2"),  # of another field, which nobody chose
        ],
    )
    assert draft.sprint_changes == ProvidedParts([SprintChangeDraft(at=at(10), sprint="37", added=True)])
    assert draft.value_changes == ProvidedParts(
        [ValueChangeDraft(at=at(11), field=ItemField.ESTIMATE, before="3", after="5")]
    )


def test_it_began_in_the_status_to_which_no_change_of_the_first_moment_led() -> None:
    histories = [
        change("status", 10, "3", "5", was="Doing", now="Done"),
        change("status", 10, "1", "3", was="Open", now="Doing"),
        change("assignee", 10, "k1", "k2", was="Ada", now="Max"),
        change("assignee", 10, "k0", "k1", was="Zoe", now="Ada"),
    ]
    draft = draft_of(issue(), histories=histories, statuses={"1": "new", "3": "indeterminate", "5": "done"})
    assert draft.first_category == StatusCategory.TODO
    assert isinstance(draft.assignments, ProvidedParts)
    assert draft.assignments.parts[0] == AssignmentDraft(at=at(9), assignee=Who("k0", name="Zoe", account="k0"))


def test_whom_only_a_key_names_is_known_by_login_and_address() -> None:
    jane = {"key": "JIRAUSER1", "name": "jdoe", "emailAddress": "jane@example.com", "displayName": "Jane"}
    change_of_jane = change("assignee", 10, "JIRAUSER1", None, was="Jane")
    draft = draft_of(issue(), histories=[change_of_jane], people={"JIRAUSER1": jane})
    who = Who("jdoe", "jane@example.com", "Jane", "JIRAUSER1")
    assert draft.assignments == ProvidedParts(
        [AssignmentDraft(at=at(9), assignee=who), AssignmentDraft(at=at(10), assignee=None)]
    )
