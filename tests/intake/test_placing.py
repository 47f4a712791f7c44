"""A tool names what another connection knows: placed by address, name or rule, now or as soon as it can be."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from integrations.connectors.drafts import (
    AnyDraft,
    CommitDraft,
    DeploymentDraft,
    IncidentDraft,
    PipelineRunDraft,
    PullRequestDraft,
    Who,
)
from integrations.enums import RunStatus
from integrations.intake.store_drafts import Outcome
from integrations.intake.tables import dump_draft, load_draft
from integrations.models import (
    CommitInRepository,
    Connection,
    Deployment,
    Incident,
    PipelineRun,
    Repository,
    UnplacedReason,
    UnplacedRecord,
)
from tests.intake.waiting import NOON, host, place, placed, repository, run, tell

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_builds")]


@pytest.mark.parametrize(
    "named",
    [
        "https://github.com/acme/shop.git",
        "HTTPS://GitHub.com/Acme/SHOP.GIT/",
        "git@github.com:acme/shop.git",
        "ssh://git@github.com:22/acme/shop",
        "org-77@github.com:Acme/Shop.git",
        "https://jo:s3cret@github.com/acme/shop",
        "github.com/acme/shop",
        "Acme/Shop",
        "acme/shop.git",
        "shop",
        "SHOP.git",
        "ssh://git@mirror.internal/acme/shop.git",
    ],
)
def test_an_address_or_a_name_means_the_repository_of_another_connection(ci: Connection, named: str) -> None:
    shop = repository(host(), "github.com/acme/shop")
    assert tell(ci, run(named)).outcomes == (Outcome.ADDED,)
    assert placed() == shop
    assert tell(ci, run(named)).outcomes == (Outcome.UNCHANGED,)


def test_names_in_any_script_and_composition_are_one(ci: Connection) -> None:
    tea = repository(host(), "github.com/acme/Caf\u00e9")
    tell(ci, run("https://github.com/ACME/CAFE\u0301.git"))
    assert placed() == tea


def test_two_hosts_have_a_repository_of_their_own_of_one_name(ci: Connection) -> None:
    cloud, enterprise = (
        repository(host("Cloud"), "github.com/acme/pay"),
        repository(host("Enterprise"), "git.corp.example/acme/pay"),
    )
    tell(ci, run("https://github.com/acme/pay", "1"), run("git@git.corp.example:Acme/Pay.git", "2"))
    assert (placed("1"), placed("2")) == (cloud, enterprise)
    assert tell(ci, run("acme/pay", "3"), run("pay", "4")).unplaced == 2
    row = UnplacedRecord.objects.get(external_id="3")
    assert row.reason == UnplacedReason.AMBIGUOUS
    assert row.detail == "2 repositories have this name: github.com/acme/pay, git.corp.example/acme/pay."


def test_a_public_address_is_no_repository_of_another_host(ci: Connection) -> None:
    repository(host("Enterprise"), "git.corp.example/acme/pay")
    assert tell(ci, run("https://github.com/acme/pay")).unplaced == 1
    assert UnplacedRecord.objects.get().detail == "No connection knows it."


def test_two_repositories_with_one_bare_name_are_both_named(ci: Connection) -> None:
    github = host()
    repository(github, "github.com/acme/api")
    repository(github, "github.com/other/api")
    tell(ci, run("api"))
    assert "github.com/acme/api, github.com/other/api" in UnplacedRecord.objects.get().detail
    assert placed() is None


def test_a_name_of_two_that_an_admin_joined_means_the_one_that_counts(ci: Connection) -> None:
    joined = repository(host("Old"), "git.example.com/old/pay")
    counts = repository(host("New"), "github.com/acme/pay")
    Repository.objects.filter(pk=joined.pk).update(joined_into=counts)
    tell(ci, run("pay"), run("git.example.com/old/pay", "2"))
    assert (placed(), placed("2")) == (counts, counts)


def test_a_repository_that_was_renamed_in_the_midst_of_a_build_is_the_same(ci: Connection) -> None:
    github = host()
    shop = repository(github, "github.com/acme/shop", "7")
    tell(ci, run("https://github.com/acme/shop.git", status=RunStatus.RUNNING, finished_at=None))
    repository(github, "github.com/acme/store", "7")
    tell(ci, run("https://github.com/acme/shop.git", minutes=5), run("git@github.com:acme/store.git", "2", 6))
    assert placed("1") == placed("2") == shop
    assert PipelineRun.objects.get(external_id="1").status == RunStatus.SUCCESS
    taken = repository(github, "github.com/acme/shop", "8")
    tell(ci, run("https://github.com/acme/shop.git", "3"))
    assert placed("3") == taken, "whoever has the address now comes before who had it"


def test_a_build_waits_for_its_repository_and_keeps_its_newest_word(ci: Connection) -> None:
    done = run("https://jo:s3cret@github.com/acme/pay.git", minutes=9)
    running = run("https://jo:s3cret@github.com/acme/pay.git", status=RunStatus.RUNNING, finished_at=None)
    assert tell(ci, done).unplaced == tell(ci, running).unplaced == tell(ci, done).unplaced == 1
    row = UnplacedRecord.objects.get()
    assert (row.named, len(row.drafts)) == ("github.com/acme/pay", 2)
    assert "s3cret" not in str(row.drafts)
    assert place() == 0
    pay = repository(host(), "github.com/acme/pay")
    assert place() == 1
    assert (placed(), UnplacedRecord.objects.count(), place()) == (pay, 0, 0)
    assert PipelineRun.objects.get().status == RunStatus.SUCCESS
    assert tell(ci, done).outcomes == (Outcome.UNCHANGED,)


def test_what_waited_is_stored_as_what_did_not(ci: Connection) -> None:
    drafts = [
        run("github.com/acme/pay", status=RunStatus.RUNNING, finished_at=None),
        run("github.com/acme/pay", minutes=3, sha="a" * 40),
        PipelineRunDraft(
            external_id="1", run="1", name="payments/main", repository="github.com/acme/pay", branch="main"
        ),
    ]

    def stored() -> Any:
        columns = ("status", "sha", "branch", "updated_at", "field_versions", "finished_at", "deleted_at")
        return PipelineRun.objects.values_list(*columns).get()

    for draft in drafts:
        tell(ci, draft)
    repository(host(), "github.com/acme/pay")
    place()
    waited = stored()
    PipelineRun.objects.all().delete()
    for draft in drafts:
        tell(ci, draft)
    assert stored() == waited


def test_the_next_word_on_a_record_brings_what_waited_before_it(ci: Connection) -> None:
    tell(ci, run("github.com/acme/pay", sha="a" * 40))
    pay = repository(host(), "github.com/acme/pay")
    later = PipelineRunDraft(
        external_id="1",
        run="1",
        name="payments/main",
        repository="github.com/acme/pay",
        branch="main",
        updated_at=NOON + timedelta(hours=1),
    )
    assert tell(ci, later).outcomes == (Outcome.CHANGED,)
    stored = PipelineRun.objects.get()
    assert (stored.repository, stored.sha, stored.branch) == (pay, "a" * 40, "main")
    assert not UnplacedRecord.objects.exists()


def test_every_kind_of_record_waits(ci: Connection) -> None:
    named = "github.com/acme/pay"
    drafts: list[AnyDraft] = [
        run(named),
        DeploymentDraft(external_id="d", repository=named, service="pay", status=RunStatus.SUCCESS, finished_at=NOON),
        PullRequestDraft(external_id="p", repository=named, number=1, created_at=NOON, author=Who(login="ada")),
        CommitDraft(
            external_id="c" * 40,
            repository=named,
            parents=(),
            author=Who(email="ada@example.com"),
            authored_at=NOON,
            committer=Who(email="ada@example.com"),
            committed_at=NOON,
        ),
        IncidentDraft(external_id="i", repository=named, service="pay", started_at=NOON),
    ]
    assert [load_draft(draft.kind, dump_draft(draft)) for draft in drafts] == drafts
    assert tell(ci, *drafts).outcomes == (*[Outcome.UNPLACED] * 4, Outcome.ADDED)
    counts = UnplacedRecord.objects.counts()
    assert {(row["kind"], row["reason"], row["number"]) for row in counts} == {
        (kind, "unknown", 1) for kind in ("pipeline_run", "deployment", "pull_request", "commit", "incident")
    }
    assert Incident.objects.get().repository is None
    pay = repository(host(), named)
    assert place() == len(drafts)
    assert {Incident.objects.get().repository, Deployment.objects.get().repository, placed()} == {pay}
    assert CommitInRepository.objects.get().repository == pay
    assert not UnplacedRecord.objects.exists()


def test_a_deleted_record_waits_no_more(ci: Connection) -> None:
    tell(ci, run("github.com/acme/pay"))
    tell(ci, run("github.com/acme/pay", minutes=1, deleted=True))
    assert not UnplacedRecord.objects.exists()
