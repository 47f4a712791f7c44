"""Mirrors: repositories of a provider that are copied here and read as any clone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import LazySettings

from integrations.connectors.base import ResourceDraft
from integrations.enums import ResourceKind
from integrations.intake.places import store_resource
from integrations.models import Commit, Connection, Deployment, Repository, RepositorySource, Resource, SyncRun
from integrations.sync.git import tasks
from integrations.sync.git.mirrors import mirror_path, sync_mirrors
from integrations.sync.git.read_source import sync_source
from integrations.sync.run_now import run_all
from tests.code.git.repositories import Repo, lines
from tests.code.git.served import ServedRepositories, served
from tests.delivery.linking.delivery import Delivery, iso

pytestmark = pytest.mark.django_db

TOKEN = "github_pat_of_the_mirror"


@pytest.fixture
def shop(tmp_path: Path) -> Repo:
    repo = Repo.create(tmp_path / "acme" / "shop.git")
    repo.commit({"shop.py": lines(3)}, "Begin")
    return repo


@pytest.fixture
def provider(tmp_path: Path, shop: Repo) -> Iterator[ServedRepositories]:
    with served(tmp_path, TOKEN) as repositories:
        yield repositories


@pytest.fixture(autouse=True)
def data_folder(settings: LazySettings, tmp_path: Path) -> Path:
    settings.DATA_DIR = tmp_path / "data"
    return tmp_path / "data"


@pytest.fixture
def resource(provider: ServedRepositories) -> Resource:
    """acme/shop, picked, of a connection that keeps mirrors."""
    connection = Connection.objects.create(
        provider="github",
        name="GitHub",
        settings={"base_url": provider.url, "keep_mirror": "true"},
        secrets={"token": TOKEN},
    )
    page = f"{provider.url}/acme/shop"
    draft = ResourceDraft(
        ResourceKind.REPOSITORY, "101", "acme/shop", url=page, remote="127.0.0.1/acme/shop", details={"html_url": page}
    )
    store_resource(connection, draft)
    Resource.objects.update(picked=True)
    return Resource.objects.get()


def read() -> SyncRun:
    """The mirror's next reading."""
    return sync_source(RepositorySource.objects.select_related("connection").get())


def test_a_mirror_is_cloned_fetched_and_read(resource: Resource, shop: Repo) -> None:
    sync_mirrors()
    assert (read().state, Commit.objects.count()) == ("done", 1)
    assert RepositorySource.objects.get().repository == resource.repository
    assert Repository.objects.count() == 1
    assert Commit.objects.get().lines_added == 3
    shop.commit({"shop.py": lines(5)}, "Go on")
    assert (read().added, Commit.objects.count()) == (1, 2)


def test_a_tag_is_the_commit_that_a_deployment_names(resource: Resource, shop: Repo) -> None:
    """An annotated one, too, also where it comes later, is moved, or is deleted."""

    def commit_of(id_: str) -> str:
        return Deployment.objects.get(external_id=id_).sha

    first = shop.head
    sync_mirrors()
    read()
    pushed = Delivery("acme/shop")
    for name in ("v1", "refs/tags/v2", "v2-0-g0000000"):
        record = {"id": name, "repository": "acme/shop", "environment": "production", "status": "success"}
        pushed.push("deployments", **record, finished_at=iso("Tue 10:00"), sha=name)
    shop.git("tag", "v1")
    read()
    assert (commit_of("v1"), commit_of("refs/tags/v2")) == (first, "refs/tags/v2")
    second = shop.commit({"shop.py": lines(5)}, "Go on")
    shop.git("tag", "--force", "v1")
    somebody = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com")
    shop.git(*somebody, "tag", "--annotate", "--message", "The second", "v2")
    read()
    assert {commit_of(name) for name in ("v1", "refs/tags/v2", "v2-0-g0000000")} == {second}
    shop.git("tag", "--delete", "v1")
    read()
    assert commit_of("v1") == "v1"


def test_branches_that_are_deleted_or_renamed_are_followed(resource: Resource, shop: Repo) -> None:
    shop.git("branch", "topic")
    sync_mirrors()
    read()
    assert set(RepositorySource.objects.get().refs) == {"refs/heads/main", "refs/heads/topic"}
    shop.git("branch", "--delete", "topic")
    shop.git("branch", "--move", "main", "trunk")
    assert read().state == "done"
    assert set(RepositorySource.objects.get().refs) == {"refs/heads/trunk"}
    assert Repository.objects.get().default_branch.endswith("trunk")


def test_the_token_is_nowhere_on_the_disk(resource: Resource, data_folder: Path) -> None:
    sync_mirrors()
    read()
    files = [file for file in data_folder.rglob("*") if file.is_file()]
    assert files
    assert not [file for file in files if TOKEN.encode() in file.read_bytes()]


def test_a_refused_token_is_said_in_words(resource: Resource, provider: ServedRepositories) -> None:
    provider.token = "another"
    sync_mirrors()
    run = read()
    assert run.state == "failed"
    assert "Contents: read" in run.problem
    assert TOKEN not in run.problem
    assert not mirror_path(resource).exists()
    provider.token = TOKEN
    assert read().state == "done"


def test_a_repository_that_is_gone_is_said_in_words(resource: Resource, shop: Repo) -> None:
    sync_mirrors()
    read()
    shop.path.rename(shop.path.with_name("elsewhere.git"))
    run = read()
    assert run.state == "failed"
    assert "shows no repository" in run.problem
    assert Commit.objects.count() == 1


def test_the_token_does_not_follow_to_another_host(
    resource: Resource, provider: ServedRepositories, tmp_path: Path
) -> None:
    with served(tmp_path, TOKEN) as elsewhere:
        provider.moved_to = elsewhere.url
        sync_mirrors()
        assert read().state == "failed"
        assert elsewhere.requests == []
        resource.details = {"html_url": f"{elsewhere.url}/acme/shop"}
        resource.save()
        run = read()
        assert "where the token is not sent" in run.problem
        assert elsewhere.requests == []


@pytest.mark.parametrize("change", ["unwanted", "unpicked", "removed"])
def test_a_mirror_that_nobody_wants_is_deleted_and_what_it_brought_stays(resource: Resource, change: str) -> None:
    sync_mirrors()
    read()
    path = mirror_path(resource)
    assert path.exists()
    connection = resource.connection
    if change == "unwanted":
        connection.settings["keep_mirror"] = "false"
    elif change == "removed":
        connection.removed_at = resource.found_at
    else:
        Resource.objects.update(picked=False)
    connection.save()
    tasks.sync_sources()
    assert not path.exists()
    assert not RepositorySource.objects.exists()
    assert Commit.objects.count() == 1


def test_a_sync_that_waits_reads_the_mirror_as_well(resource: Resource, provider: ServedRepositories) -> None:
    results = run_all([resource.connection], full=False)
    assert results[0].state == "failed"  # nobody answers for the API here
    assert (results[-1].resource, results[-1].state, results[-1].added) == (str(mirror_path(resource)), "done", 1)


def test_no_mirror_is_kept_unless_it_is_wanted(resource: Resource) -> None:
    resource.connection.settings.pop("keep_mirror")
    resource.connection.save()
    tasks.sync_sources()
    assert not RepositorySource.objects.exists()
