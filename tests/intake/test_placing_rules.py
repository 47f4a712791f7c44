"""Placing by admins' rules, and the meaning of pushed names and services."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.connectors.drafts import CommitDraft, DeploymentDraft, IncidentDraft, Who
from integrations.enums import RunStatus
from integrations.intake.store_drafts import Outcome
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
from integrations.push.store import push_connection
from integrations.sync.resources import discover_resources
from integrations.sync.unplaced_groups import unplaced_groups
from orgtree.models import Identity, MatchWork
from tests.intake.ci import Builds
from tests.intake.waiting import NOON, host, place, placed, repository, run, tell
from tests.sync.readings import read_everything

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_builds")]


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


def test_contradicting_rules_place_nothing(ci: Connection) -> None:
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


def test_an_incident_that_names_no_repository_has_none_whatever_its_service_is_called(ci: Connection) -> None:
    shop = repository(host(), "github.com/acme/shop")
    before, after = (IncidentDraft(external_id=id_, service="payments", started_at=NOON) for id_ in "12")
    tell(ci, before)
    PlacingRule.objects.create(pattern="payments", repository=shop)
    place()
    tell(ci, after, run("", "3", name="payments"))
    assert set(Incident.objects.values_list("repository", flat=True)) == {None}
    assert placed("3") == shop
    assert not UnplacedRecord.objects.exists()


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
