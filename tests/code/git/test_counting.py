"""Each change counts once, for whom it belongs to; what nobody wrote by hand stands apart."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from integrations.models import CoAuthor, Commit, CommitFile, Repository
from integrations.sync.git.tasks import apply_thresholds
from orgtree.models import Organisation
from tests.code.git.repositories import ADA, BEN, FIRST, Repo, lines
from tests.code.git.tables import counted, exclusion_reason, imported_anew, sync, tables

pytestmark = pytest.mark.django_db


def of(sha: str) -> Commit:
    return Commit.objects.select_related("credited", "author").get(sha=sha)


def test_added_lines_of_commits_count_and_merges_have_none(repo: Repo) -> None:
    repo.commit({"a.py": lines(3)}, "One")
    repo.branch("topic")
    repo.commit({"b.py": lines(5)}, "Two")
    repo.switch("main")
    repo.commit({"c.py": lines(7)}, "Three")
    merge = repo.merge("topic")
    sync(repo)
    assert counted() == {"One": 3, "Two": 5, "Three": 7}
    assert exclusion_reason() == {merge: "merge"}


def test_a_branch_counts_until_it_is_merged_and_then_counts_once(repo: Repo) -> None:
    repo.commit({"a.py": lines(3)}, "One")
    repo.branch("topic")
    sha = repo.commit({"b.py": lines(5)}, "Two")
    repo.switch("main")
    sync(repo)
    assert counted() == {"One": 3, "Two": 5}
    repo.commit({"c.py": lines(1)}, "Three")
    repo.merge("topic")
    sync(repo)
    assert counted() == {"One": 3, "Two": 5, "Three": 1}
    assert of(sha).repositories.get().on_default_branch


def test_a_cherry_picked_commit_counts_once_where_it_is_on_the_default_branch(repo: Repo) -> None:
    repo.commit({"a.py": lines(3)}, "One")
    repo.branch("topic")
    on_topic = repo.commit({"b.py": lines(5)}, "Two")
    repo.switch("main")
    repo.commit({"c.py": lines(1)}, "Three")
    picked = repo.cherry_pick(on_topic)
    sync(repo)
    assert counted() == {"One": 3, "Two": 5, "Three": 1}
    assert exclusion_reason() == {on_topic: "duplicate"}
    assert of(on_topic).duplicate_of == of(picked)


def test_of_two_branches_the_commit_that_was_committed_first_stands(repo: Repo) -> None:
    repo.commit({"a.py": lines(3)}, "One")
    repo.branch("first")
    original = repo.commit({"b.py": lines(5)}, "Two")
    repo.switch("main")
    repo.branch("second")
    repo.commit({"c.py": lines(1)}, "Three")
    again = repo.cherry_pick(original)
    sync(repo)
    assert exclusion_reason() == {again: "duplicate"}


def test_a_rebased_branch_counts_once_and_its_old_commits_are_gone(repo: Repo) -> None:
    repo.commit({"a.py": lines(3)}, "One")
    repo.branch("topic")
    before = repo.commit({"b.py": lines(5)}, "Two")
    repo.switch("main")
    repo.commit({"c.py": lines(1)}, "Three")
    sync(repo)
    repo.switch("topic")
    after = repo.rebase("main")
    run = sync(repo)
    assert run.removed == 1
    assert exclusion_reason() == {before: "gone"}
    assert of(before).duplicate_of == of(after)
    assert counted() == {"One": 3, "Two": 5, "Three": 1}


@pytest.mark.parametrize("synced_before", [False, True])
@pytest.mark.parametrize("branch_deleted", [False, True])
def test_a_branch_and_its_squash_count_once(repo: Repo, synced_before: bool, branch_deleted: bool) -> None:
    repo.commit({"a.py": lines(3)}, "One")
    repo.branch("topic")
    repo.commit({"b.py": lines(5)}, "Two")
    repo.commit({"b.py": lines(8)}, "Two again")
    repo.switch("main")
    repo.commit({"c.py": lines(1)}, "Three")
    if synced_before:
        sync(repo)
    squash = repo.squash("topic", "Squash", by=BEN)
    if branch_deleted:
        repo.git("branch", "--quiet", "-D", "topic")
    sync(repo)
    assert counted() == {"One": 3, "Three": 1, "Squash": 8}
    represented = of(squash).duplicates.values_list("subject", "exclusion_reason")
    # Deleted before anybody looked at it: then nobody knew of the branch.
    if synced_before or not branch_deleted:
        assert set(represented) <= {("Two", "squashed"), ("Two again", "squashed")}
    if not branch_deleted:
        assert len(represented) == 2


def test_commits_after_the_squash_count(repo: Repo) -> None:
    repo.commit({"a.py": lines(3)}, "One")
    repo.branch("topic")
    repo.commit({"b.py": lines(5)}, "Two")
    repo.commit({"b.py": lines(8)}, "Two again")
    repo.switch("main")
    repo.squash("topic", "Squash", by=BEN)
    repo.switch("topic")
    repo.commit({"d.py": lines(2)}, "Four")
    sync(repo)
    assert counted() == {"One": 3, "Squash": 8, "Four": 2}


def test_a_branch_that_took_the_default_branch_in_is_known_in_its_squash(repo: Repo) -> None:
    repo.commit({"a.py": lines(3)}, "One")
    repo.branch("topic")
    repo.commit({"b.py": lines(5)}, "Two")
    repo.switch("main")
    repo.commit({"c.py": lines(1)}, "Three")
    repo.switch("topic")
    repo.merge("main")
    repo.commit({"b.py": lines(6)}, "Two again")
    repo.switch("main")
    repo.squash("topic", "Squash", by=BEN)
    sync(repo)
    assert counted() == {"One": 3, "Three": 1, "Squash": 6}


def test_a_change_of_the_same_size_is_no_squash(repo: Repo) -> None:
    repo.commit({"version": "1\n"}, "One")
    repo.branch("topic")
    repo.commit({"version": "3\n"}, "Jump")
    repo.switch("main")
    repo.commit({"version": "2\n"}, "Step", by=BEN)
    sync(repo)
    assert set(counted()) == {"One", "Jump", "Step"}


def test_what_a_squash_stood_for_counts_again_when_the_squash_is_taken_back(repo: Repo) -> None:
    repo.commit({"a.py": lines(3)}, "One")
    repo.branch("topic")
    repo.commit({"b.py": lines(5)}, "Two")
    repo.commit({"b.py": lines(8)}, "Two again")
    repo.switch("main")
    repo.squash("topic", "Squash", by=BEN)
    sync(repo)
    repo.git("reset", "--quiet", "--hard", "HEAD~1")
    sync(repo)
    assert counted() == {"One": 3, "Two": 5, "Two again": 3}
    assert tables() == imported_anew(repo)


def test_a_mirror_and_a_fork_add_nothing_but_their_own(repo: Repo, tmp_path: Path) -> None:
    repo.git("remote", "add", "origin", "https://git.example.com/acme/shop.git")
    repo.commit({"a.py": lines(3)}, "One")
    mirror = repo.clone(tmp_path / "mirror.git", "--mirror")
    mirror.git("config", "remote.origin.url", "git@git.example.com:acme/shop.git")
    fork = repo.clone(tmp_path / "fork")
    fork.git("config", "remote.origin.url", "git@git.example.com:ben/shop.git")
    fork.commit({"b.py": lines(5)}, "Two")
    for clone in (repo, mirror, fork):
        sync(clone)
    assert counted() == {"One": 3, "Two": 5}
    assert sorted(Repository.objects.values_list("name", flat=True)) == ["fork", "shop"]
    assert of(repo.head).repositories.count() == 2
    assert tables() == imported_anew(repo, mirror, fork)


def test_large_commits_stand_apart_by_lines_or_by_files_of_what_counts(repo: Repo) -> None:
    repo.commit({"a.py": lines(5_000), "package-lock.json": lines(9_000)}, "Just small enough")
    large = repo.commit({"b.py": lines(5_001)}, "Too many lines")
    wide = repo.commit({f"folder/{n}.py": "1\n" for n in range(301)}, "Too many files")
    sync(repo)
    assert exclusion_reason() == {large: "bulk", wide: "bulk"}


def test_other_thresholds_change_what_stands_apart(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("integrations.code.commits.bulk_thresholds.COMMITS_PER_TRANSACTION", 1)
    small = repo.commit({"a.py": lines(30)}, "Small")
    large = repo.commit({"b.py": lines(6_000)}, "Large")
    sync(repo)
    organisation = Organisation.current()
    organisation.bulk_commit_lines = 10_000
    organisation.save()
    apply_thresholds()
    assert exclusion_reason() == {}
    organisation.bulk_commit_lines = 20
    organisation.save()
    apply_thresholds()
    assert exclusion_reason() == {small: "bulk", large: "bulk"}


def test_bots_stand_apart(repo: Repo) -> None:
    sha = repo.commit({"a.py": lines(3)}, by="dependabot[bot] <49699333+dependabot[bot]@users.noreply.github.com>")
    sync(repo)
    assert exclusion_reason() == {sha: "bot"}
    assert of(sha).author.person is None


@pytest.mark.parametrize(
    ("committed_by", "message", "credited"),
    [
        ("", "Add\n\nCo-authored-by: Ben Example <ben@example.com>\n", "ben@example.com"),
        (ADA, "Add", "ada@example.com"),
        ("GitHub <noreply@github.com>", "Add", None),
        ("", "Add", None),
    ],
)
def test_the_commit_of_an_agent_is_of_the_person_who_requested_it(
    repo: Repo, committed_by: str, message: str, credited: str | None
) -> None:
    agent = "copilot-swe-agent[bot] <198982749+Copilot@users.noreply.github.com>"
    sha = repo.commit({"a.py": lines(3)}, message, by=agent, committed_by=committed_by)
    sync(repo)
    commit = of(sha)
    assert (commit.by_agent, commit.exclusion_reason) == ("copilot", "")
    assert (commit.credited.value if commit.credited else None) == credited


def test_co_authors_are_kept_once_with_the_agent_that_signs(repo: Repo) -> None:
    message = "Add\n\nCo-Authored-By: Claude <noreply@anthropic.com>\nco-authored-by: Ben <ben@example.com>\n"
    repo.commit({"a.py": "1\n"}, message + "Co-authored-by: Ben Example <Ben@Example.com>\n")
    sync(repo)
    assert sorted(CoAuthor.objects.values_list("identity__value", "agent")) == [
        ("ben@example.com", ""),
        ("noreply@anthropic.com", "claude_code"),
    ]


def test_what_is_set_apart_in_a_commit_counts_on_no_side(repo: Repo) -> None:
    files: dict[str | bytes, str | bytes | None] = {
        "a.py": lines(3),
        "uv.lock": lines(50),
        "logo.png": b"\0\1",
        "app.min.js": lines(9),
        "x.pb.go": lines(7),
    }
    sha = repo.commit(files | {"node_modules/left/index.js": lines(20)})
    sync(repo)
    assert (of(sha).lines_added, of(sha).file_count) == (3, 1)
    assert dict(CommitFile.objects.exclude(exclusion_reason="").values_list("path", "exclusion_reason")) == {
        "uv.lock": "lock",
        "logo.png": "binary",
        "app.min.js": "minified",
        "x.pb.go": "generated",
        "node_modules/left/index.js": "vendored",
    }


def test_a_commit_counts_on_its_committers_day_and_one_from_the_future_when_it_is_seen(repo: Repo) -> None:
    written, merged = datetime(2026, 3, 2, 9, tzinfo=UTC), datetime(2026, 3, 9, 9, tzinfo=UTC)
    late = repo.commit({"a": "1\n"}, at=written, committed_at=merged)
    future = repo.commit({"a": "2\n"}, at=datetime(2140, 1, 1, tzinfo=UTC))
    past = repo.commit({"a": "3\n"}, at=datetime(1970, 1, 1, tzinfo=UTC))
    sync(repo)
    assert of(late).counted_on == date(2026, 3, 9)
    assert of(future).counted_on == timezone.localdate()
    assert of(past).counted_on == date(1970, 1, 1)


def test_a_commit_counts_on_the_day_of_the_organisations_zone(repo: Repo, settings: Settings) -> None:
    settings.ORGANISATION_TIME_ZONE = ZoneInfo("Pacific/Auckland")
    sha = repo.commit({"a": "1\n"}, at=datetime(2026, 3, 2, 20, tzinfo=UTC))
    sync(repo)
    assert of(sha).counted_on == date(2026, 3, 3)


def test_commits_without_changes_are_different_commits(repo: Repo) -> None:
    for _ in range(2):
        repo.commit(message="Trigger the pipeline", at=FIRST)
    sync(repo)
    assert exclusion_reason() == {}
