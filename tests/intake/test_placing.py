"""A tool names what another connection knows: placed by address, name or rule, now or as soon as it can be."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from integrations.connectors.base import ResourceDraft
from integrations.connectors.drafts import (
    AnyDraft,
    CommitDraft,
    DeploymentDraft,
    IncidentDraft,
    PipelineRunDraft,
    PullRequestDraft,
    Who,
)
from integrations.enums import Kind, ResourceKind, RunStatus
from integrations.intake import place_waiting as sweep
from integrations.intake import unplaced
from integrations.intake.draft_json import dump_draft, load_draft
from integrations.intake.follow_rules import follow_placing_rules
from integrations.intake.place_waiting import place_waiting
from integrations.intake.places import store_resource
from integrations.intake.store_drafts import Outcome, Stored, store_drafts
from integrations.models import (
    CommitInRepository,
    Connection,
    Deployment,
    Incident,
    PipelineRun,
    PlacingRule,
    Repository,
    RuledRecord,
    SyncRun,
    UnplacedReason,
    UnplacedRecord,
)
from integrations.push.connection import push_connection
from integrations.sync.remove_connection import remove_with_facts
from integrations.sync.unplaced_groups import unplaced_groups
from orgtree.models import Identity, MatchWork
from tests.intake.ci import Builds
from tests.sync.telling import read_everything

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def ci(db: None) -> Connection:
    return Connection.objects.create(provider=Builds.slug, name="Jenkins", settings={"resources": {"match": ["*"]}})


@pytest.fixture(autouse=True)
def no_builds() -> Iterator[None]:
    Builds.builds.clear()
    yield
    Builds.builds.clear()


def host(name: str = "GitHub") -> Connection:
    return Connection.objects.create(provider="github", name=name)


def repository(connection: Connection, address: str, external_id: str = "") -> Repository:
    """A repository that the connection lists."""
    name = address.partition("/")[2]
    draft = ResourceDraft(ResourceKind.REPOSITORY, external_id or address, name, remote=address)
    with transaction.atomic():
        stored = store_resource(connection, draft).repository
    assert stored is not None
    return stored


def run(named: str, external_id: str = "1", minutes: int = 0, **fields: Any) -> PipelineRunDraft:
    at = NOON + timedelta(minutes=minutes)
    given: dict[str, Any] = {"status": RunStatus.SUCCESS, "started_at": at, "finished_at": at} | fields
    name = given.pop("name", "payments/main")
    return PipelineRunDraft(
        external_id=external_id, run=external_id, name=name, repository=named, updated_at=at, **given
    )


def tell(connection: Connection, *drafts: AnyDraft) -> Stored:
    with transaction.atomic():
        return store_drafts(connection, drafts)


def place() -> int:
    return place_waiting() + follow_placing_rules()


def placed(external_id: str = "1") -> Repository | None:
    found = PipelineRun.objects.filter(external_id=external_id, deleted_at=None).first()
    return found.repository if found else None


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


def test_each_of_two_hosts_has_its_own_repository_of_a_name(ci: Connection) -> None:
    cloud, enterprise = (
        repository(host("Cloud"), "github.com/acme/pay"),
        repository(host("Enterprise"), "git.corp.example/acme/pay"),
    )
    tell(ci, run("https://github.com/acme/pay", "1"), run("git@git.corp.example:Acme/Pay.git", "2"))
    assert (placed("1"), placed("2")) == (cloud, enterprise)
    assert tell(ci, run("acme/pay", "3"), run("pay", "4")).unplaced == 2
    row = UnplacedRecord.objects.get(external_id="3")
    assert row.reason == UnplacedReason.AMBIGUOUS
    assert row.detail == "2 repositories are called so: github.com/acme/pay, git.corp.example/acme/pay."


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


def test_a_rule_places_what_it_matches_and_moves_it_when_it_changes(ci: Connection) -> None:
    shop, pay = (repository(host(name), f"github.com/acme/{name}") for name in ("shop", "pay"))
    tell(ci, run("svn.corp.example/payments", "1"), run("", "2", name="Payments/main"), run("", "3", name="other"))
    rule = PlacingRule.objects.create(pattern="https://SVN.corp.example/pay*", repository=shop)
    nameless = PlacingRule.objects.create(connection=ci, pattern="payments/*", repository=shop)
    assert place() == 2
    assert (placed("1"), placed("2"), placed("3")) == (shop, shop, None)
    assert UnplacedRecord.objects.get().reason == UnplacedReason.NAMELESS
    tell(ci, run("svn.corp.example/payments", "4"))
    rule.repository = pay
    rule.save()
    assert place() == 2
    assert (placed("1"), placed("2"), placed("4")) == (pay, shop, pay)
    rule.delete()
    place()
    assert (placed("1"), placed("2"), placed("4")) == (None, shop, None)
    assert UnplacedRecord.objects.filter(named="svn.corp.example/payments").count() == 2
    tell(ci, run("svn.corp.example/payments", "1", minutes=5, sha="b" * 40))
    known = repository(host("SVN"), "svn.corp.example/payments")
    place()
    assert (placed("1"), placed("4")) == (known, known)
    assert PipelineRun.objects.get(external_id="1").sha == "b" * 40
    nameless.delete()
    place()
    assert (placed("2"), RuledRecord.objects.count()) == (None, 0)


def test_the_deployment_that_a_build_is_follows_it(ci: Connection) -> None:
    shop, pay = (repository(host(name), f"github.com/acme/{name}") for name in ("shop", "pay"))
    rule = PlacingRule.objects.create(pattern="legacy", repository=shop)
    tell(ci, run("legacy", name="deploy production", sha="a" * 40))
    assert Deployment.objects.get().repository == shop
    rule.repository = pay
    rule.save()
    place()
    assert Deployment.objects.get().repository == pay
    rule.delete()
    place()
    assert not Deployment.objects.filter(deleted_at=None).exists()


def test_an_address_that_becomes_known_comes_before_a_rule(ci: Connection) -> None:
    shop = repository(host(), "github.com/acme/shop")
    PlacingRule.objects.create(pattern="github.com/acme/*", repository=shop)
    tell(ci, run("github.com/acme/pay"))
    assert placed() == shop
    pay = repository(host("Other"), "github.com/acme/pay")
    place()
    assert (placed(), RuledRecord.objects.count()) == (pay, 0)


def test_commits_follow_a_rule(ci: Connection) -> None:
    shop, pay = (repository(host(name), f"github.com/acme/{name}") for name in ("shop", "pay"))
    rule = PlacingRule.objects.create(pattern="legacy", repository=shop)
    ada = Who(email="ada@example.com")
    tell(
        ci,
        CommitDraft(
            external_id="c" * 40,
            repository="legacy",
            parents=(),
            author=ada,
            authored_at=NOON,
            committer=ada,
            committed_at=NOON,
        ),
    )
    assert CommitInRepository.objects.get().repository == shop
    rule.repository = pay
    rule.save()
    place()
    place()
    assert CommitInRepository.objects.get().repository == pay
    rule.delete()
    place()
    assert (CommitInRepository.objects.count(), UnplacedRecord.objects.count()) == (0, 1)


def test_rules_that_contradict_each_other_place_nothing(ci: Connection) -> None:
    shop, pay = (repository(host(name), f"github.com/acme/{name}") for name in ("shop", "pay"))
    PlacingRule.objects.create(pattern="legacy/*", repository=shop)
    PlacingRule.objects.create(pattern="*/x", repository=pay)
    tell(ci, run("legacy/x", "1"), run("legacy/y", "2"))
    assert (placed("1"), placed("2")) == (None, shop)
    assert "legacy/* → acme/shop, */x → acme/pay" in UnplacedRecord.objects.get().detail
    PlacingRule.objects.create(pattern="legacy/x", repository=pay)
    PlacingRule.objects.create(connection=ci, pattern="legacy/y", repository=pay)
    place()
    tell(ci, run("legacy/y", "3"))
    assert (placed("1"), placed("3")) == (pay, pay), "a whole name comes before patterns, an own rule before any's"


def test_a_pattern_cannot_take_the_worker_s_time(ci: Connection) -> None:
    shop = repository(host(), "github.com/acme/shop")
    PlacingRule.objects.create(pattern="*a" * 60 + "b", repository=shop)
    PlacingRule.objects.create(pattern="(a+)+$", repository=shop)
    before = timezone.now()
    tell(ci, run("a" * 500))
    assert placed() is None
    assert timezone.now() - before < timedelta(seconds=5)


def test_a_service_is_one_without_regard_to_case_and_punctuation(ci: Connection) -> None:
    shop, pager = repository(host(), "github.com/acme/shop"), Connection.objects.create(provider="pagerduty", name="PD")
    deployment = DeploymentDraft(
        external_id="d", repository="acme/shop", service="payments-api", status=RunStatus.SUCCESS, finished_at=NOON
    )
    tell(ci, deployment)
    incidents = [
        IncidentDraft(external_id="1", service="Payments API", started_at=NOON, updated_at=NOON),
        IncidentDraft(external_id="2", service="Checkout (EU)", started_at=NOON, updated_at=NOON),
    ]
    tell(pager, *incidents)
    services = Incident.objects.order_by("external_id").values_list("service", flat=True)
    assert list(services) == ["payments-api", "Checkout (EU)"]
    rule = PlacingRule.objects.create(subject="service", connection=pager, pattern="checkout*", service="Payments.API")
    place()
    assert list(services.all()) == ["payments-api", "payments-api"]
    assert tell(pager, *incidents).unchanged == 2
    rule.delete()
    place()
    assert list(services.all()) == ["payments-api", "Checkout (EU)"]
    assert Deployment.objects.get().repository == shop


def test_a_record_that_waited_has_the_service_that_rules_say_then(ci: Connection) -> None:
    rule = PlacingRule.objects.create(subject="service", pattern="pay*", service="payments")
    tell(ci, DeploymentDraft(external_id="d", repository="acme/pay", service="Pay (EU)", finished_at=NOON))
    rule.service = "billing"
    rule.save()
    repository(host(), "github.com/acme/pay")
    assert place() == 1
    assert Deployment.objects.get().service == "billing"
    rule.delete()
    place()
    assert Deployment.objects.get().service == "Pay (EU)"


def test_pushed_names_mean_what_connections_know_and_wait_where_they_are_ambiguous(ci: Connection) -> None:
    push, github = push_connection(), host()
    shop = repository(github, "github.com/acme/shop")
    tell(push, run("https://jo:s3cret@github.com/acme/shop.git", "1"), run("shop", "2"), run("acme/new", "3"))
    assert placed("1") == placed("2") == shop
    assert placed("3") == Repository.objects.get(name="acme/new")
    assert "s3cret" not in str(list(push.resources.values_list("external_id", "name")))
    repository(github, "github.com/other/api")
    repository(github, "github.com/acme/api", "9")
    assert tell(push, run("api", "4")).outcomes == (Outcome.UNPLACED,)
    rule = PlacingRule.objects.create(connection=push, pattern="api", repository=shop)
    assert place() == 1
    assert placed("4") == shop
    rule.delete()
    repository(github, "github.com/acme/gateway", "9")
    assert place() == 1
    assert placed("4") == Repository.objects.get(name="other/api"), "the only one that is called so now"


def test_a_run_counts_what_it_could_not_place_and_the_groups_say_why(ci: Connection) -> None:
    Builds.builds += [
        {
            "id": str(number),
            "at": NOON.isoformat(),
            "repository": "https://github.com/acme/pay.git",
            "by": f"jo{number}",
        }
        for number in range(3)
    ]
    Connection.objects.filter(pk=ci.pk).update(discover_at=timezone.now())
    from integrations.sync.resources import discover_resources

    discover_resources(ci)
    (read,) = read_everything(ci)
    assert (read.state, read.added, read.unplaced) == (SyncRun.State.DONE, 0, 3)
    (group,) = unplaced_groups(ci.pk)
    assert group.sentence == ("3 pipeline runs of payments/main name github.com/acme/pay. No connection knows it.")
    people = Identity.objects.filter(provider="builds")
    assert set(people.values_list("value", flat=True)) == {"jo0", "jo1", "jo2"}
    assert MatchWork.objects.exists(), "they are matched as everybody is"
    pay = repository(host(), "github.com/acme/pay")
    assert place() == 3
    assert placed("2") == pay
    (again,) = read_everything(ci, full=True)
    assert (again.changed, again.added, again.unplaced) == (0, 0, 0)


def test_removing_the_repository_s_connection_leaves_others_builds(ci: Connection) -> None:
    tell(ci, run("github.com/acme/pay"))
    github = host()
    pay = repository(github, "github.com/acme/pay")
    place()
    remove_with_facts(github)
    assert placed() == pay
    tell(ci, run("github.com/acme/other", "2"))
    remove_with_facts(ci)
    assert (PipelineRun.objects.count(), UnplacedRecord.objects.count()) == (0, 0)
    github = host()
    repository(github, "github.com/acme/shop")
    remove_with_facts(github)
    assert not Repository.objects.filter(name="acme/shop").exists()


def test_what_a_removed_connection_left_waiting_stays(ci: Connection) -> None:
    tell(ci, run("github.com/acme/pay"))
    Connection.objects.filter(pk=ci.pk).update(removed_at=timezone.now())
    repository(host(), "github.com/acme/pay")
    assert (place(), list(UnplacedRecord.objects.counts())) == (0, [])
    Connection.objects.filter(pk=ci.pk).update(removed_at=None)
    assert place() == 1


def test_what_there_is_no_room_for_is_counted(ci: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unplaced, "MOST_WAITING", 3)
    tell(ci, *(run("github.com/acme/pay", str(number)) for number in range(5)))
    tell(ci, run("github.com/acme/pay", "0", minutes=1))
    ci.refresh_from_db()
    assert (UnplacedRecord.objects.count(), ci.unplaced_beyond) == (3, 2)
    repository(host(), "github.com/acme/pay")
    place()
    ci.refresh_from_db()
    assert (PipelineRun.objects.count(), ci.unplaced_beyond) == (3, 0)


def test_a_record_that_cannot_be_stored_holds_up_no_other(ci: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    tell(ci, *(run("github.com/acme/pay", str(number)) for number in range(4)))
    repository(host(), "github.com/acme/pay")

    def refuse(connection: Connection, rows: Any) -> int:
        if any(row.external_id == "2" for row in rows):
            raise ValueError("it cannot be stored")
        return real(connection, rows)

    real = sweep.store_waiting
    monkeypatch.setattr(sweep, "store_waiting", refuse)
    assert place() == 3
    row = UnplacedRecord.objects.get()
    assert (row.external_id, row.reason, row.failures) == ("2", UnplacedReason.FAILED, 1)
    monkeypatch.undo()
    assert place() == 0, "it is tried again later"
    UnplacedRecord.objects.update(next_try_at=None)
    assert place() == 1


def test_a_sweep_that_breaks_off_goes_on_where_it_was(ci: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweep, "AT_ONCE", 7)
    tell(ci, *(run("github.com/acme/pay", str(number)) for number in range(40)))
    repository(host(), "github.com/acme/pay")
    real, calls = sweep.store_waiting, []

    def killed(connection: Connection, rows: Any) -> int:
        number = real(connection, rows)
        calls.append(number)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return number

    monkeypatch.setattr(sweep, "store_waiting", killed)
    with pytest.raises(KeyboardInterrupt):
        place()
    assert PipelineRun.objects.count() == 14
    assert place() == 26
    assert (PipelineRun.objects.count(), UnplacedRecord.objects.count()) == (40, 0)


def test_kinds_are_counted_apart(ci: Connection) -> None:
    tell(ci, run("x/y", "1"), run("x/y", "2"), run("", "3"))
    assert [(row["kind"], row["reason"], row["number"]) for row in UnplacedRecord.objects.counts()] == [
        (Kind.PIPELINE_RUN, UnplacedReason.NAMELESS, 1),
        (Kind.PIPELINE_RUN, UnplacedReason.UNKNOWN, 2),
    ]


@pytest.mark.soak
def test_ten_thousand_that_wait_are_placed_in_bounded_memory(ci: Connection) -> None:
    for start in range(0, 10_000, 500):
        tell(ci, *(run("github.com/acme/pay", str(number)) for number in range(start, start + 500)))
    repository(host(), "github.com/acme/pay")
    tracemalloc.start()
    try:
        assert place() == 10_000
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 20 * 2**20
    assert (PipelineRun.objects.count(), UnplacedRecord.objects.count()) == (10_000, 0)
