"""A repository that two code hosts have, because one mirrors the other, counts once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.connectors.base import ResourceDraft
from integrations.delivery.linking.relink import place_waiting_commits
from integrations.enums import ResourceKind
from integrations.intake.places import store_resource
from integrations.models import Connection, Deployment, Repository, RepositoryJoin
from integrations.sync.join_repositories import SAME_COMMITS, join_mirrors, undo
from tests.delivery.linking.delivery import Delivery, sha_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def github() -> Connection:
    return Connection.objects.create(provider="github", name="GitHub")


@pytest.fixture
def gitlab(github: Connection) -> Connection:
    return Connection.objects.create(provider="gitlab", name="GitLab")


def repository(connection: Connection, remote: str, shas: Sequence[str] = ()) -> Delivery:
    """A repository that the connection lists, with these commits, an hour apart: the last one two days ago."""
    name = remote.partition("/")[2] + ("" if remote.startswith("github.com") else " at GitLab")
    store_resource(connection, ResourceDraft(ResourceKind.REPOSITORY, remote, name, remote=remote))
    delivery = Delivery(name)
    for before, sha in zip(["", *shas], shas, strict=False):
        at = (timezone.now() - timedelta(days=3) + timedelta(hours=int(sha[1:]))).isoformat()
        commit = {"author_email": "ann@example.com", "committed_at": at, "message": sha, "branch": "main"}
        parents = [sha_of(before)] if before else []
        delivery.push("commits", repository=name, sha=sha_of(sha), parents=parents, **commit)
    place_waiting_commits()
    return delivery


def shas(first: int, number: int = SAME_COMMITS) -> list[str]:
    return [f"c{count}" for count in range(first, first + number)]


def of(remote: str) -> Repository:
    return Repository.objects.select_related("joined_into").get(remote=remote)


@pytest.mark.parametrize("order", [1, -1])
def test_the_one_with_pull_requests_counts(github: Connection, gitlab: Connection, order: int) -> None:
    listed = [(github, "github.com/acme/shop"), (gitlab, "gitlab.com/acme-mirrors/Shop")]
    for connection, remote in listed[::order]:
        repository(connection, remote, shas(1))
    Delivery("acme/shop").merges(1, at="Mon 10:00", sha="c20")
    assert join_mirrors(gitlab) == 1
    assert of("gitlab.com/acme-mirrors/Shop").joined_into == of("github.com/acme/shop")
    assert RepositoryJoin.objects.get().joined_by == "Headway, because one mirrors the other"
    assert (join_mirrors(gitlab), join_mirrors(github)) == (0, 0)


def test_a_deployment_of_the_mirror_contains_merges_of_the_other(github: Connection, gitlab: Connection) -> None:
    shop = repository(github, "github.com/acme/shop", shas(1))
    mirror = repository(gitlab, "gitlab.com/acme/shop", shas(1))
    shop.merges(1, at="Mon 10:00", sha="c20")
    mirror.deploys("d1", at="Mon 12:00", sha="c20")
    assert shop.deployed(1) is None
    join_mirrors(github)
    assert shop.deployed(1) == ("d1", "chain")
    undo(RepositoryJoin.objects.get(), by="ada")
    assert shop.deployed(1) is None
    assert Deployment.objects.get().repository == of("gitlab.com/acme/shop")


def test_a_join_that_was_undone_is_not_repeated(github: Connection, gitlab: Connection) -> None:
    repository(github, "github.com/acme/shop", shas(1))
    repository(gitlab, "gitlab.com/acme/shop", shas(1))
    assert join_mirrors(gitlab) == 1
    undo(RepositoryJoin.objects.get(), by="ada")
    assert (join_mirrors(gitlab), join_mirrors(github)) == (0, 0)


def test_few_commits_do_not_tell(github: Connection, gitlab: Connection) -> None:
    for connection, remote in ((github, "github.com/acme/shop"), (gitlab, "gitlab.com/acme/shop")):
        repository(connection, remote, shas(1, SAME_COMMITS - 1))
    assert join_mirrors(gitlab) == 0


@pytest.mark.parametrize(
    ("remote", "commits"),
    [
        ("gitlab.com/acme/store", shas(1)),  # another name
        ("github.com/eve/shop", shas(1)),  # a fork at the same host
        ("gitlab.com/acme/shop", shas(2)),  # one more commit
        ("gitlab.com/acme/shop", shas(1, SAME_COMMITS - 1)),  # one less
        ("gitlab.com/acme/shop", []),
    ],
)
def test_what_is_no_mirror_stays_another_repository(
    github: Connection, gitlab: Connection, remote: str, commits: Sequence[str]
) -> None:
    repository(github, "github.com/acme/shop", shas(1))
    repository(gitlab if remote.startswith("gitlab") else github, remote, commits)
    assert (join_mirrors(gitlab), join_mirrors(github)) == (0, 0)
