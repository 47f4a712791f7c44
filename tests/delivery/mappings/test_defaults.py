"""Default meanings of providers' values."""

from __future__ import annotations

import pytest

from integrations.delivery.mappings.defaults import (
    default_activity,
    default_found_by,
    default_severity,
    default_status_category,
    default_work_type_of_item_type,
    default_work_type_of_label,
    default_work_type_of_title,
)
from integrations.enums import Severity, StatusCategory, WorkType


@pytest.mark.parametrize(
    ("label", "work_type"),
    [
        *((label, WorkType.BUG) for label in ("bug", "Bug", "type: bug", "kind/bug", "regression")),
        *((label, WorkType.FEATURE) for label in ("enhancement", "feature", "kind/feature")),
        *((label, WorkType.TECH_DEBT) for label in ("tech debt", "refactoring")),
        *((label, WorkType.OPERATIONS) for label in ("dependencies", "chore")),
        ("documentation", WorkType.DOCUMENTATION),
        *((label, None) for label in ("", "good first issue", "help wanted", "checkout", "debugger")),
    ],
)
def test_labels_say_what_work_is_for(label: str, work_type: WorkType | None) -> None:
    assert default_work_type_of_label(label) == work_type


@pytest.mark.parametrize(
    ("native_type", "work_type"),
    [("Story", WorkType.FEATURE), ("Bug", WorkType.BUG), ("Task", None), ("Issue", None), ("", None)],
)
def test_types_say_what_items_are_for(native_type: str, work_type: WorkType | None) -> None:
    assert default_work_type_of_item_type(native_type) == work_type


@pytest.mark.parametrize(
    ("title", "branch", "work_type"),
    [
        ("fix: a crash", "", WorkType.BUG),
        ("feat(cart)!: sell tea", "", WorkType.FEATURE),
        ("Refactor(api): split", "", WorkType.TECH_DEBT),
        ("docs: say how", "feature/how", WorkType.DOCUMENTATION),
        ("Sell tea", "feature/SHOP-1-tea", WorkType.FEATURE),
        ("Sell tea", "hotfix-crash", WorkType.BUG),
        ("note: this", "ada/tea", None),
        ("Fixing things", "main", None),
    ],
)
def test_titles_and_branches_follow_conventions(title: str, branch: str, work_type: WorkType | None) -> None:
    assert default_work_type_of_title(title, branch) == work_type


@pytest.mark.parametrize(
    ("status", "category"),
    [
        *((status, StatusCategory.TODO) for status in ("To Do", "Open", "Backlog", "Selected for development")),
        *((status, StatusCategory.IN_PROGRESS) for status in ("In Progress", "Code review", "In QA")),
        *((status, StatusCategory.DONE) for status in ("Done", "closed", "Won't fix, closed", "Released")),
        *((status, None) for status in ("", "Waiting for Godot")),
    ],
)
def test_statuses_stand_in_a_category(status: str, category: StatusCategory | None) -> None:
    assert default_status_category(status) == category


@pytest.mark.parametrize(
    ("word", "severity"),
    [
        *((word, Severity.CRITICAL) for word in ("critical", "SEV1", "P1", "sev-1")),
        *((word, Severity.HIGH) for word in ("High", "sev2", "major", "1 - High")),
        *((word, Severity.LOW) for word in ("low", "P5")),
        *((word, None) for word in ("", "unheard of")),
    ],
)
def test_severities_are_known(word: str, severity: Severity | None) -> None:
    assert default_severity(word) == severity


@pytest.mark.parametrize(
    ("status", "activity"),
    [
        *(
            (waits, "waiting")
            for waits in ("Blocked", "On hold", "Waiting for customer", "Ready for review", "QA queue")
        ),
        *((active, "active") for active in ("In progress", "In Review", "Testing", "Already started", "Getting ready")),
    ],
)
def test_a_status_waits_where_nobody_works_on_what_is_in_it(status: str, activity: str) -> None:
    assert default_activity(status) == activity


@pytest.mark.parametrize(
    ("word", "found_by"),
    [
        *((word, "customer") for word in ("customer", "customer-reported", "Support ticket", "found by client")),
        *((word, "production") for word in ("found-in-production", "prod bug", "escaped defect", "env:production")),
        *((word, None) for word in ("customer-portal", "production-config", "bug", "")),
    ],
)
def test_a_word_says_who_found_a_bug_where_all_of_it_is_about_that(word: str, found_by: str | None) -> None:
    assert default_found_by(word) == found_by
