"""Repositories and projects: one row each, whichever connections bring them, and under their present names."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from integrations.connectors.base import ResourceDraft
from integrations.connectors.drafts import DeploymentDraft, RepositoryDraft
from integrations.enums import Kind, ResourceKind
from integrations.intake.names import spelled
from integrations.intake.places import projects_of, store_resource
from integrations.intake.placing import find_places
from integrations.intake.resolve import Named
from integrations.intake.store_drafts import Outcome
from integrations.models import Connection, Project, Repository, Resource
from integrations.push.store import push_connection
from tests.code.git.repositories import Repo
from tests.code.git.tables import sync
from tests.intake.conftest import SHOP, SHOP_RESOURCE, Tell


def named(connection: Connection, name: str) -> int | None:
    """The repository that the name means when the connection uses it."""
    as_spelled = Named(spelled(name))
    return find_places(connection, Kind.PIPELINE_RUN, {as_spelled})[as_spelled].id


@pytest.mark.parametrize("clone_first", [True, False])
def test_a_clone_and_a_provider_bring_the_same_repository(
    github: Connection, tmp_path: Path, clone_first: bool
) -> None:
    if clone_first:
        Repository.objects.all().delete()
        Resource.objects.all().delete()
    repo = Repo.create(tmp_path / "shop")
    repo.commit({"tea.py": "1"})
    repo.git("remote", "add", "origin", "git@github.com:Acme/Shop.git")
    sync(repo)
    stored = store_resource(github, SHOP_RESOURCE)
    assert stored.repository == Repository.objects.get()
    assert Repository.objects.get().sources.exists()


def test_a_renamed_repository_stays_the_same(github: Connection) -> None:
    before = Repository.objects.get().pk
    store_resource(github, replace(SHOP_RESOURCE, name="acme/store", remote="github.com/acme/store"))
    after = Repository.objects.get()
    assert (after.pk, after.name, after.remote) == (before, "acme/store", "github.com/acme/store")


def test_two_hosts_may_both_have_a_repository_of_a_name(github: Connection) -> None:
    other = Connection.objects.create(provider="github", name="Enterprise")
    stored = store_resource(other, replace(SHOP_RESOURCE, remote="git.example.com/acme/shop"))
    assert stored.repository
    assert stored.repository.name == "acme/shop 2"


@pytest.mark.parametrize(
    ("pushed", "name"),
    [
        ("acme/shop", "acme/shop"),
        ("https://github.com/acme/shop.git", "acme/shop"),
        ("github.com/Acme/Shop", "acme/shop"),
        ("http://GITHUB.com/ACME/shop/", "acme/shop"),
        ("github.com/acme/shop.git", "acme/shop"),
        ("Acme/Shop", "acme/shop"),
        ("acme/shop.git", "acme/shop"),
        ("ACME/shop.GIT/", "acme/shop"),
        ("cellar", "cellar"),
    ],
)
def test_whoever_pushes_names_a_repository_as_people_do(github: Connection, pushed: str, name: str) -> None:
    push = Connection.objects.create(provider="push", name="Push API")
    found = named(push, pushed)
    assert found is not None
    assert Repository.objects.get(pk=found).name == name
    assert named(push, pushed) == found


@pytest.mark.parametrize("pushed", ["Acme/Store.git", "https://github.com/acme/store/", "acme/store"])
def test_a_repository_that_was_pushed_first_is_the_one_that_a_connection_finds(github: Connection, pushed: str) -> None:
    tell_of = push_connection()
    first = named(tell_of, pushed)
    found = ResourceDraft(ResourceKind.REPOSITORY, "77", "acme/store", remote="github.com/acme/store")
    stored = store_resource(github, found).repository
    assert stored is not None
    assert (stored.pk, stored.name, stored.remote) == (first, "acme/store", "github.com/acme/store")
    store_resource(github, replace(found, name="acme/shelf", remote="github.com/acme/shelf"))
    names = {pushed, "ACME/Shelf", "acme/shelf.git"}
    assert {named(tell_of, name) for name in names} == {first}, "after a rename too, in the midst of a build"


def test_work_items_of_a_repository_are_a_project(github: Connection) -> None:
    project = Project.objects.get(pk=projects_of(github, {SHOP, "unknown"})[SHOP])
    assert (project.name, project.repository) == ("acme/shop", Repository.objects.get())
    assert projects_of(github, {"unknown"}) == {}


def test_a_project_is_stored_with_its_key(github: Connection) -> None:
    draft = ResourceDraft(ResourceKind.PROJECT, "10001", "Shop", details={"key": "SHOP"})
    for name in ("Shop", "The shop"):
        store_resource(github, replace(draft, name=name))
    project = Project.objects.get()
    assert (project.key, project.name) == ("SHOP", "The shop")


def test_repositories_are_stored_like_other_records(tell: Tell) -> None:
    draft = RepositoryDraft(external_id="R2", name="acme/cellar", remote="github.com/acme/cellar")
    of_it = DeploymentDraft(external_id="D", repository="R2")
    assert tell(draft, of_it).outcomes == (Outcome.ADDED, Outcome.ADDED)
    assert tell(draft).outcomes == (Outcome.UNCHANGED,)
    assert tell(replace(draft, archived=True)).outcomes == (Outcome.CHANGED,)
    assert tell(replace(draft, deleted=True)).outcomes == (Outcome.REMOVED,)
    assert Resource.objects.get(external_id="R2").gone_at is not None
