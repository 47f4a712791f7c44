"""Work items referenced in people's texts."""

from __future__ import annotations

import pytest

from integrations.connectors.drafts import WorkItemReference
from integrations.connectors.references import branch_keys, pull_request_references, tracker_keys
from integrations.enums import LinkMethod


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("SHOP-12: weigh the basket", ["SHOP-12"]),
        ("(SHOP-12, A1B-3)", ["SHOP-12", "A1B-3"]),
        ("https://acme.atlassian.net/browse/SHOP-12", ["SHOP-12"]),
        ("Read UTF-8 and SHA-256, see CVE-2026-1234 and RFC-2119", []),
        ("shop-12", []),
        ("SHOP-0 SHOP-12a X-SHOP-12 2026-11-20", []),
        ("A-1", []),
    ],
)
def test_keys_of_trackers_in_text(text: str, keys: list[str]) -> None:
    assert list(tracker_keys(text)) == keys


@pytest.mark.parametrize(
    ("branch", "keys"),
    [
        ("SHOP-12-weigh", {"SHOP-12"}),
        ("ada/shop-12-weigh-the-basket", {"SHOP-12"}),
        ("feature/SHOP-12", {"SHOP-12"}),
        ("release-2", set()),
        ("fix/weigh-2", {"WEIGH-2"}),
        ("renovate/node-22", set()),
        ("update-to-3-12", set()),
        ("shop-1-2", set()),
        ("main", set()),
    ],
)
def test_keys_in_branches_may_be_small(branch: str, keys: set[str]) -> None:
    assert set(branch_keys(branch)) == keys


def named(
    body: str = "", *, branch: str = "topic", title: str = "", commits: tuple[str, ...] = ()
) -> set[tuple[str, str]]:
    linked: list[WorkItemReference] = pull_request_references(
        repository="acme/shop", host="github.com", branch=branch, title=title, body=body, commits=commits
    )
    return {(reference.key, reference.method) for reference in linked}


@pytest.mark.parametrize(
    "body",
    [
        "Closes #12",
        "fixes: #12",
        "Resolved acme/shop#12",
        "This closes https://github.com/acme/shop/issues/12.",
        "FIX GH-12",
    ],
)
def test_what_github_links_by_itself_is_the_providers_word(body: str) -> None:
    assert named(body) == {("acme/shop#12", LinkMethod.PROVIDER)}


def test_a_keyword_closes_the_issue_behind_it_alone() -> None:
    assert named("Fixes #12, #13 and other/place#4") == {
        ("acme/shop#12", LinkMethod.PROVIDER),
        ("acme/shop#13", LinkMethod.BODY),
        ("other/place#4", LinkMethod.BODY),
    }


def test_every_place_where_an_item_is_named_is_kept() -> None:
    assert named(
        "For SHOP-9", branch="shop-9-count", title="SHOP-9: count (#4)", commits=("Count, SHOP-9", "Fix #5")
    ) == {
        ("SHOP-9", LinkMethod.BODY),
        ("SHOP-9", LinkMethod.BRANCH),
        ("SHOP-9", LinkMethod.TITLE),
        ("acme/shop#4", LinkMethod.TITLE),
        ("SHOP-9", LinkMethod.COMMIT),
        ("acme/shop#5", LinkMethod.COMMIT),
    }


@pytest.mark.parametrize(
    "body", ["colour #123abc", "a##12", "&#12;", "https://example.com/acme/shop/issues/12", "#0", ""]
)
def test_what_only_resembles_an_issue_is_none(body: str) -> None:
    assert named(body) == set()


def test_a_huge_text_is_read_so_far_only() -> None:
    assert len(named("#12 " * 50_000)) == 1
    assert len(named(" ".join(f"#{number}" for number in range(1, 5000)))) == 100


def test_a_work_item_of_azure_boards_is_named_from_any_code_host() -> None:
    """https://learn.microsoft.com/azure/devops/boards/github/link-to-from-github"""
    found = pull_request_references(
        repository="acme/shop", host="github.com", branch="", title="", body="Fixes AB#12, unlike CAB#3", commits=[]
    )
    assert found == [WorkItemReference(key="AB#12", method=LinkMethod.PROVIDER)]
