"""Lines of a commit that a vendor traced to its agent are evidence of commit level, with their number."""

from __future__ import annotations

from datetime import date

import pytest

from integrations.connectors.drafts import ProvidedParts, VendorReportDraft, VendorUsageDraft, Who
from integrations.enums import VendorContent, VendorLevel
from integrations.models import Commit, CommitEvidence, Connection, FileAttribution, Method
from integrations.sync.remove_connection import remove_with_facts
from tests.code.attribution.world import attribute, attributed, commit, note
from tests.intake.conftest import github
from tests.vendor_reports import store

__all__ = ["github"]

pytestmark = pytest.mark.django_db


@pytest.fixture
def vendor() -> Connection:
    return Connection.objects.create(provider="cursor", name="Cursor commits")


def report_of(day: int, **lines: tuple[int, int]) -> VendorReportDraft:
    """The traced and all added lines of each commit, by its id."""
    usage = [
        VendorUsageDraft(
            level=VendorLevel.PERSON,
            person=Who(email="ada@example.com"),
            name=sha,
            agent="cursor",
            lines_added=traced,
            lines_of_commit=whole,
        )
        for sha, (traced, whole) in lines.items()
    ]
    name = f"commits:2026-03-{day:02}"
    return VendorReportDraft(
        external_id=name,
        report="commits",
        content=VendorContent.COMMITS,
        day=date(2026, 3, day),
        usage=ProvidedParts(usage),
    )


def test_traced_lines_are_part_of_a_commit_whichever_came_first(vendor: Connection) -> None:
    before = commit("before", "10:10", {"a.py": 40})
    store(vendor, [report_of(2, **{before.sha: (30, 40), "f" * 40: (1, 1)})])
    attribute()
    assert attributed() == {("cursor", ""): {"a.py": 30}}
    after = commit("after", "10:20", {"b.py": 10})
    store(vendor, [report_of(2, **{before.sha: (30, 40), after.sha: (5, 10)})])
    attribute()
    assert attributed() == {("cursor", ""): {"a.py": 30, "b.py": 5}}
    assert set(FileAttribution.objects.values_list("method", "level")) == {("vendor", "commit")}


def test_the_share_of_the_vendor_applies_to_our_lines(vendor: Connection) -> None:
    """It counts other lines than we do: a generated file, or one that a rebase changed."""
    made = commit("one", "10:10", {"a.py": 20})
    store(vendor, [report_of(2, **{made.sha: (30, 40)})])
    attribute()
    assert attributed() == {("cursor", ""): {"a.py": 15}}


def test_untraced_lines_are_no_evidence_and_a_note_decides(vendor: Connection) -> None:
    untraced = commit("one", "10:10", {"a.py": 20})
    noted = commit("two", "10:20", {"b.py": 20})
    note(noted, {"b.py": 7})
    store(vendor, [report_of(2, **{untraced.sha: (0, 20), noted.sha: (20, 20)})])
    attribute()
    assert attributed() == {("claude_code", ""): {"b.py": 7}}


def test_a_later_report_counts_and_a_removed_connection_takes_it_along(vendor: Connection) -> None:
    made = commit("one", "10:10", {"a.py": 20})
    store(vendor, [report_of(3, **{made.sha: (10, 20)}), report_of(2, **{made.sha: (20, 20)})])
    attribute()
    assert attributed() == {("cursor", ""): {"a.py": 10}}
    (evidence,) = CommitEvidence.objects.filter(method=Method.VENDOR, withdrawn_at=None)
    assert evidence.said == "10 of 20 added lines by the vendor's count"
    remove_with_facts(vendor)
    attribute()
    assert attributed() == {}
    assert Commit.objects.filter(pk=made.pk).exists()
