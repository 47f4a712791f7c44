"""Two repositories that are one: an admin joins them, and parts them again, and every figure is as it was."""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.db.models import ForeignKey
from django.test import Client
from django.urls import reverse

from insights.columns.shape import copied_relations
from integrations.code.attribution.tasks import attribute_pending
from integrations.connectors.base import ResourceDraft
from integrations.delivery.agreements.apply import apply_agreements
from integrations.delivery.linking.relink import place_waiting_commits
from integrations.delivery.recompute import recompute_waiting_pull_requests
from integrations.enums import ResourceKind
from integrations.facts.counts import count_facts
from integrations.intake.apply_placing_rules import apply_placing_rules
from integrations.intake.joined_rows import TABLES
from integrations.intake.places import store_resource
from integrations.models import (
    Connection,
    FactChange,
    Incident,
    OwnCommit,
    OwnRecord,
    PipelineRun,
    PlacingRule,
    Repository,
    RepositoryJoin,
)
from integrations.sync.git.sources import READING
from integrations.sync.join_repositories import (
    JoinError,
    brought,
    join,
    join_pushed_namesakes,
    parts_of,
    undo,
)
from tests.columns.rows import in_postgresql
from tests.delivery.linking.delivery import Delivery, iso, sha_of
from tests.intake.waiting import run
from tests.intake.waiting import tell as tell_builds
from tests.org import Org
from tests.personas import ADMIN, MEMBER, Persona

pytestmark = pytest.mark.django_db

Figures = Mapping[str, Any]
_LINKS = """
    SELECT commit.sha, repository.name, link.on_default_branch FROM integrations_commitinrepository link
    JOIN integrations_commit commit ON commit.id = link.commit_id
    JOIN integrations_repository repository ON repository.id = link.repository_id
"""
_OWNERS = """
    SELECT repository.name, ownership.unit_id, ownership.during::text FROM integrations_ownership ownership
    JOIN integrations_owned owned ON owned.id = ownership.owned_id
    JOIN integrations_repository repository ON repository.id = owned.repository_id
"""
_PLACES = "SELECT repository_id, sha, base, on_chain FROM integrations_commitplace"


def figures() -> Figures:
    """All rows behind all metrics, and what they follow from, once the worker has done its part."""
    place_waiting_commits()
    apply_agreements()
    recompute_waiting_pull_requests()
    attribute_pending()
    known: dict[str, Any] = {relation.name: in_postgresql(relation) for relation in copied_relations().values()}
    with connection.cursor() as cursor:
        for name, statement in (("links", _LINKS), ("owners", _OWNERS), ("places", _PLACES)):
            cursor.execute(statement)
            known[name] = sorted(cursor.fetchall(), key=repr)
    return known


def named(figures: Figures, name: str) -> bool:
    return any(name in row for rows in figures.values() for row in rows)


def same(now: Figures, before: Figures) -> None:
    assert {name: rows for name, rows in now.items() if rows != before[name]} == {}


def repository(name: str) -> Repository:
    return Repository.objects.select_related("joined_into").get(name=name)


def tell(shop: Delivery, number: int, at: str, *, after: str = "") -> None:
    """A commit, its pull request, its run and its deployment, and an incident."""
    name, day = f"{shop.repository}-{number}", at.split(maxsplit=1)[0]
    shop.push(
        "commits",
        repository=shop.repository,
        sha=sha_of(name),
        parents=[sha_of(after)] if after else [],
        branch="main",
        author_email="ann@example.com",
        committed_at=iso(at),
        message=name,
    )
    own = {"sha": sha_of(name), "author_email": "ann@example.com", "authored_at": iso(at), "committed_at": iso(at)}
    shop.merges(number, at=at, sha=name, commits=[{**own, "parents": []}])
    run = {"id": f"run-{name}", "repository": shop.repository, "name": "deploy", "status": "success"}
    shop.push("pipeline-runs", **run, sha=sha_of(name), finished_at=iso(f"{day} 20:00"), started_at=iso(f"{day} 19:00"))
    shop.deploys(f"d-{name}", at=f"{day} 21:00", sha=name)
    shop.incident(f"i-{name}", at=f"{day} 22:00")


@pytest.fixture
def shops(org: Org) -> tuple[Delivery, Delivery]:
    """shop and acme/shop, which nobody can tell to be one; each with an owner and records of two days."""
    org.tree("Company")
    org.unit("Cart", below="company")
    org.unit("Search", below="company")
    short, long = Delivery("shop-ci"), Delivery("acme/shop")
    for shop in (short, long):
        tell(shop, 1, "Mon 10:00")
        tell(shop, 2, "Wed 10:00", after=f"{shop.repository}-1")
    org.own("shop-ci", "search")
    return short, long


def test_figures_are_equal_before_the_join_and_after_it_is_undone(shops: tuple[Delivery, Delivery], org: Org) -> None:
    before = figures()
    FactChange.objects.all().delete()
    joined = join(repository("acme/shop"), repository("shop-ci"), by="admin")
    assert FactChange.objects.filter(family="deployment").exists()
    together = figures()
    assert not named(together, "shop-ci")
    week: dict[str, Any] = {"from_": "2026-03-02", "to": "2026-03-09"}
    assert org.metric("dora.deployment_frequency", **week, repository="acme/shop").numerator == 4
    assert org.metric("pr.throughput", **week, repository="acme/shop").value == 4
    assert org.metric("pr.throughput", **week).value == 4
    assert org.metric("dora.deployment_frequency", **week, unit="search").numerator == 4  # the only owner of both
    undo(joined, by="admin")
    same(figures(), before)
    assert not OwnRecord.objects.exists()
    assert not OwnCommit.objects.exists()


def test_what_arrives_after_the_join_goes_where_its_own_source_says(shops: tuple[Delivery, Delivery]) -> None:
    short, long = shops

    def more() -> None:
        tell(short, 3, "Thu 10:00", after="shop-ci-2")
        tell(long, 3, "Fri 10:00", after="acme/shop-2")
        short.deploys("d-shop-ci-1", at="Mon 21:30", sha="shop-ci-1")  # once more, with another time

    joined = join(repository("acme/shop"), repository("shop-ci"), by="admin")
    more()
    assert not named(figures(), "shop-ci")
    undo(joined, by="admin")
    parted = figures()
    assert {row[1] for row in parted["links"] if row[0] == sha_of("shop-ci-3")} == {"shop-ci"}
    more()  # to the two that are parted: nothing is new
    same(figures(), parted)


def test_rules_and_former_names_of_a_joined_repository_mean_it_again_once_it_is_parted(
    shops: tuple[Delivery, Delivery],
) -> None:
    ci = Connection.objects.create(provider="jira", name="Builds")
    renamed = repository("shop-ci")
    renamed.name = "shop-builds"
    renamed.save()
    PlacingRule.objects.create(pattern="legacy", repository=renamed)

    def builds(first: int) -> dict[str, str]:
        tell_builds(ci, run("legacy", str(first)), run("shop-ci", str(first + 1)))
        assert apply_placing_rules() == 0
        stored = PipelineRun.objects.filter(connection=ci, external_id__in=[str(first), str(first + 1)])
        return dict(stored.values_list("external_id", "repository__name"))

    assert builds(1) == {"1": "shop-builds", "2": "shop-builds"}
    joined = join(repository("acme/shop"), renamed, by="admin")
    assert builds(1) == {"1": "acme/shop", "2": "acme/shop"}
    assert builds(3) == {"3": "acme/shop", "4": "acme/shop"}
    undo(joined, by="admin")
    assert set(PipelineRun.objects.filter(connection=ci).values_list("repository__name", flat=True)) == {"shop-builds"}
    assert builds(1) | builds(3) == dict.fromkeys("1234", "shop-builds")


def test_a_commit_of_both_stays_with_both_and_counts_once_between(shops: tuple[Delivery, Delivery]) -> None:
    short, long = shops
    shared = {"sha": sha_of("both"), "parents": [], "author_email": "ben@example.com", "committed_at": iso("Tue 09:00")}
    short.push("commits", repository="shop-ci", branch="wip", message="both", **shared)
    joined = join(repository("acme/shop"), repository("shop-ci"), by="admin")
    long.push("commits", repository="acme/shop", branch="main", message="both", **shared)
    assert [row for row in figures()["links"] if row[0] == sha_of("both")] == [(sha_of("both"), "acme/shop", True)]
    undo(joined, by="admin")
    links = [row[1:] for row in figures()["links"] if row[0] == sha_of("both")]
    assert sorted(links) == [("acme/shop", True), ("shop-ci", False)]


def test_three_in_a_chain_are_undone_the_last_first(shops: tuple[Delivery, Delivery]) -> None:
    third = Delivery("monolith")
    tell(third, 1, "Sat 10:00")
    before = figures()
    first = join(repository("acme/shop"), repository("shop-ci"), by="admin")
    second = join(repository("monolith"), repository("acme/shop"), by="admin")
    assert parts_of(repository("acme/shop")) == {repository("acme/shop").pk, repository("shop-ci").pk}
    together = figures()
    assert not named(together, "shop-ci")
    assert not named(together, "acme/shop")
    with pytest.raises(JoinError, match="joined with monolith afterwards"):
        undo(first, by="admin")
    same(figures(), together)
    undo(second, by="admin")
    assert repository("shop-ci").joined_into == repository("acme/shop")
    undo(first, by="admin")
    same(figures(), before)


def test_two_that_are_joined_with_a_third_are_undone_in_either_order(shops: tuple[Delivery, Delivery]) -> None:
    third = Delivery("monolith")
    tell(third, 1, "Sat 10:00")
    before = figures()
    first = join(repository("monolith"), repository("shop-ci"), by="admin")
    between = figures()
    second = join(repository("monolith"), repository("acme/shop"), by="admin")
    undo(first, by="admin")
    undo(second, by="admin")
    same(figures(), before)
    second = join(repository("monolith"), repository("acme/shop"), by="admin")
    first = join(repository("monolith"), repository("shop-ci"), by="admin")
    undo(second, by="admin")
    same(figures(), between)


def test_a_join_that_cannot_be_is_refused_and_changes_nothing(shops: tuple[Delivery, Delivery]) -> None:
    before = figures()
    with pytest.raises(JoinError, match="with itself"):
        join(repository("acme/shop"), repository("acme/shop"), by="admin")
    with READING.alone(1):  # of nothing that concerns them
        joined = join(repository("acme/shop"), repository("shop-ci"), by="admin")
    for one, other in (("acme/shop", "shop-ci"), ("shop-ci", "acme/shop")):
        with pytest.raises(JoinError, match="shop-ci counts as acme/shop already"):
            join(repository(one), repository(other), by="another admin")
    undo(joined, by="admin")
    with pytest.raises(JoinError, match="admin undid this already"):
        undo(joined, by="another admin")
    same(figures(), before)
    assert RepositoryJoin.objects.count() == 1


def test_a_name_that_was_joined_means_the_one_that_it_counts_as(shops: tuple[Delivery, Delivery], org: Org) -> None:
    assert brought(repository("shop-ci"))["pull requests"] == 2
    join(repository("acme/shop"), repository("shop-ci"), by="admin")
    assert brought(repository("shop-ci"))["pull requests"] == 2
    Incident.objects.filter(external_id="i-shop-ci-1").delete()
    assert brought(repository("shop-ci"))["incidents"] == 1
    assert Repository.objects.at("shop-ci") == repository("acme/shop")
    assert count_facts()["repository"]["total"] == 1


def test_an_admin_joins_two_after_a_page_that_says_what_moves(
    shops: tuple[Delivery, Delivery], sign_in: Callable[[Persona], Client]
) -> None:
    admin, kept, other = sign_in(ADMIN), repository("acme/shop"), repository("shop-ci")
    listed = reverse("admin:integrations_repository_changelist")
    one = admin.post(listed, {"action": "join_two", "_selected_action": [kept.pk]}, follow=True)
    assert "Select two repositories" in one.content.decode()
    page = admin.post(listed, {"action": "join_two", "_selected_action": [kept.pk, other.pk]}, follow=True)
    assert "pull requests (<strong>2</strong>)" in page.content.decode()
    address = reverse("admin:integrations_repository_join", args=[kept.pk, other.pk])
    assert "Choose the repository that both count as" in admin.post(address).content.decode()
    assert not RepositoryJoin.objects.exists()
    said = admin.post(address, {"keep": kept.pk}, follow=True)
    assert [str(message) for message in said.context["messages"]] == [
        "shop-ci counts as acme/shop now. It can be undone under Joined repositories."
    ]
    assert "counts as acme/shop already" in html.unescape(admin.post(address, {"keep": kept.pk}).content.decode())
    assert "Counts as acme/shop" in admin.get(listed).content.decode()
    joins = reverse("admin:integrations_repositoryjoin_changelist")
    made = RepositoryJoin.objects.get()
    undoing = admin.post(joins, {"action": "undo_join", "_selected_action": [made.pk]}, follow=True)
    assert "These return to it: commits (<strong>2</strong>)" in undoing.content.decode()
    done = admin.post(reverse("admin:integrations_repository_undo", args=[made.pk]), follow=True)
    assert "counts separately again" in done.content.decode()
    assert "undid this" in admin.post(reverse("admin:integrations_repository_undo", args=[made.pk])).content.decode()
    assert LogEntry.objects.filter(object_id=str(other.pk)).count() == 2


@pytest.fixture
def renamed() -> Connection:
    """acme/shop, which a connection brought, is called acme/store by a pipeline and then by its provider."""
    github = Connection.objects.create(provider="github", name="GitHub")
    store_resource(github, ResourceDraft(ResourceKind.REPOSITORY, "42", "acme/shop", remote="github.com/acme/shop"))
    tell(Delivery("acme/shop"), 1, "Mon 10:00")
    tell(Delivery("acme/store"), 2, "Wed 10:00")
    store_resource(github, ResourceDraft(ResourceKind.REPOSITORY, "42", "acme/store", remote="github.com/acme/store"))
    return github


def test_one_that_was_pushed_first_under_its_new_name_is_joined_by_itself(renamed: Connection) -> None:
    assert join_pushed_namesakes(renamed) == 1
    assert join_pushed_namesakes(renamed) == 0
    tell(Delivery("ACME/Store.git"), 3, "Thu 10:00")
    tell(Delivery("acme/shop"), 4, "Fri 10:00")
    counted = {repository.counted_as for repository in Repository.objects.filter(name__contains="acme")}
    assert [repository.name for repository in counted] == ["acme/store"]
    assert set(PipelineRun.objects.values_list("repository__name", flat=True)) == {"acme/store"}
    assert PipelineRun.objects.count() == 4


@pytest.mark.parametrize(
    "written", ["https://github.com/acme/new.git", "git@github.com:Acme/New.git", "HTTPS://GITHUB.COM/ACME/NEW/"]
)
def test_one_that_was_pushed_first_by_its_new_address_is_joined_as_well(written: str) -> None:
    github = Connection.objects.create(provider="github", name="GitHub")
    store_resource(github, ResourceDraft(ResourceKind.REPOSITORY, "42", "acme/old", remote="github.com/acme/old"))
    tell(Delivery("acme/old"), 1, "Mon 10:00")
    tell(Delivery(written), 2, "Tue 10:00")
    store_resource(github, ResourceDraft(ResourceKind.REPOSITORY, "42", "acme/new", remote="github.com/acme/new"))
    assert join_pushed_namesakes(github) == 1
    for number, named in enumerate(("acme/new", "acme/old", written), 3):
        tell(Delivery(named), number, "Wed 10:00")
    assert set(PipelineRun.objects.values_list("repository__name", flat=True)) == {"acme/new"}
    assert PipelineRun.objects.count() == 5


def test_a_former_name_that_another_repository_has_by_now_is_that_one() -> None:
    github = Connection.objects.create(provider="github", name="GitHub")
    for id_, name in (("42", "acme/shop"), ("42", "acme/shop-legacy"), ("43", "acme/shop")):
        store_resource(github, ResourceDraft(ResourceKind.REPOSITORY, id_, name, remote=f"github.com/{name}"))
        join_pushed_namesakes(github)
        tell(Delivery("acme/shop"), int(id_) + len(name), "Mon 10:00")
    tell(Delivery("https://github.com/acme/shop"), 7, "Tue 10:00")
    names = PipelineRun.objects.order_by("pk").values_list("repository__name", flat=True)
    assert sorted(names) == ["acme/shop", "acme/shop", "acme/shop-legacy", "acme/shop-legacy"]


def test_what_an_admin_parted_is_not_joined_again(renamed: Connection) -> None:
    join_pushed_namesakes(renamed)
    undo(RepositoryJoin.objects.get(), by="an admin")
    assert join_pushed_namesakes(renamed) == 0


def test_a_namesake_that_another_connection_brought_is_another(renamed: Connection) -> None:
    other = Connection.objects.create(provider="gitea", name="Gitea")
    store_resource(other, ResourceDraft(ResourceKind.REPOSITORY, "7", "acme/store"))
    assert join_pushed_namesakes(renamed) == 0


def test_only_admins_join(shops: tuple[Delivery, Delivery], sign_in: Callable[[Persona], Client]) -> None:
    address = reverse("admin:integrations_repository_join", args=[repository("acme/shop").pk, repository("shop-ci").pk])
    assert sign_in(MEMBER).post(address, {"keep": 1}).status_code in (302, 403)
    assert not RepositoryJoin.objects.exists()


def test_nothing_that_names_a_repository_is_forgotten() -> None:
    """References that a join neither moves nor recomputes keep their own repository on purpose."""
    moved = {(table.table, table.column) for table in TABLES}
    recomputed = {
        *("integrations_commit", "integrations_commitinrepository", "integrations_commitplace"),
        *("integrations_deployedpush", "integrations_pullrequestfigures", "integrations_pipelinerunfigures"),
        *("integrations_workitemfigures", "integrations_sessionshare", "integrations_pullrequestshare"),
        *("integrations_agentsession", "integrations_placingwork", "integrations_linehistory", "integrations_owned"),
        "integrations_effort",  # with the weeks of its commits and reviews
    }
    own = {"Resource", "RepositorySource", "RepositoryAlias", "PlacingRule", "Repository"}
    own |= {"RepositoryJoin", "OwnRecord", "OwnCommit"}
    left = {
        f"{model.__name__}.{field.name}"
        for model in apps.get_app_config("integrations").get_models()
        for field in model._meta.get_fields()
        if isinstance(field, ForeignKey) and field.related_model is Repository
        if (model._meta.db_table, field.column) not in moved
        if model._meta.db_table not in recomputed and model.__name__ not in own
    }
    assert left == set()
