"""Removing a connection: what it brought is kept, or leaves without a trace."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from django.contrib.auth.models import User
from django.db import connection as database
from django.test import Client
from django.urls import reverse

from integrations.code.attribution.tasks import attribute_pending
from integrations.models import (
    AttributionWork,
    Commit,
    CommitEvidence,
    CommitFile,
    Connection,
    FactChange,
    FileAttribution,
    Repository,
    RepositorySource,
)
from integrations.sync.git.sources import READING
from integrations.sync.remove_connection import RemovalImpact, removal_impact, remove_with_facts
from tests.code.git.repositories import Repo, lines
from tests.code.git.tables import exclusion_reason, imported_anew, sync, tables
from tests.databases import database_url

CLAUDE = "Co-Authored-By: Claude <noreply@anthropic.com>"


@pytest.fixture
def admin(client: Client, db: None) -> Client:
    client.force_login(User.objects.create_superuser("admin", "admin@example.com"))
    return client


@pytest.fixture
def shop(repo: Repo, db: None) -> Repo:
    repo.commit({"a.py": lines(3)}, "Begin")
    repo.commit({"b.py": lines(5)}, f"Go on\n\n{CLAUDE}")
    sync(repo)
    return repo


@pytest.fixture
def fork(shop: Repo, tmp_path: Path) -> Repo:
    """Both commits of the shop, and one of its own."""
    fork = Repo.create(tmp_path / "fork")
    fork.git("fetch", "--quiet", str(shop.path), "main")
    fork.git("reset", "--quiet", "--hard", "FETCH_HEAD")
    fork.commit({"c.py": lines(7)}, f"Go elsewhere\n\n{CLAUDE}")
    fork.git("remote", "add", "origin", "https://git.example.com/fork.git")
    sync(fork)
    return fork


def remove(admin: Client, facts: str, name: str = "shop") -> str:
    address = reverse("admin:integrations_connection_delete", args=[Connection.objects.get(name=name).pk])
    return admin.post(address, {"facts": facts} if facts else {}, follow=True).content.decode()


def test_the_page_counts_what_would_go(admin: Client, fork: Repo) -> None:
    assert removal_impact(Connection.objects.get(name="fork")) == RemovalImpact(1, 1, 1, 2)
    address = reverse("admin:integrations_connection_delete", args=[Connection.objects.get(name="fork").pk])
    page = " ".join(admin.get(address).content.decode().split())
    assert "1 commit</strong> with 1 file, in 1 repository. 2 more are also in other repositories" in page
    assert Connection.objects.count() == 2


def test_nothing_is_removed_before_it_is_said_what_becomes_of_the_facts(admin: Client, shop: Repo) -> None:
    assert "Choose what should happen to the records" in remove(admin, "")
    assert Connection.objects.exists()


def test_facts_that_are_kept_are_marked(admin: Client, shop: Repo) -> None:
    before = tables()
    assert "is removed" in remove(admin, "keep")
    assert not Connection.objects.exists()
    assert tables() == before
    assert "No longer connected" in admin.get(reverse("admin:integrations_repository_changelist")).content.decode()


def test_a_path_that_is_connected_again_goes_on_with_what_was_kept(admin: Client, shop: Repo) -> None:
    before = tables()
    remove(admin, "keep")
    assert sync(shop).added == 0
    assert tables() == before


def test_facts_that_are_deleted_leave_nothing(admin: Client, shop: Repo) -> None:
    FactChange.objects.all().delete()
    remove(admin, "delete")
    for model in (Connection, RepositorySource, Repository, Commit, CommitFile, CommitEvidence, FileAttribution):
        assert not model.objects.exists(), model
    assert not AttributionWork.objects.filter(session=None).exists()
    assert FactChange.objects.filter(family="code").exists()


def test_what_other_repositories_hold_stays_with_them(shop: Repo, fork: Repo) -> None:
    remove_with_facts(Connection.objects.get(name="shop"))
    attribute_pending()
    assert tables() == imported_anew(fork)
    assert Commit.objects.filter(home=Repository.objects.get()).count() == 3


def test_what_stood_back_for_a_deleted_commit_counts_again(shop: Repo, tmp_path: Path) -> None:
    elsewhere = Repo.create(tmp_path / "elsewhere")
    elsewhere.commit({"z.py": lines(1)}, "Begin elsewhere")
    elsewhere.git("fetch", "--quiet", str(shop.path), "main")
    elsewhere.cherry_pick(elsewhere.git("rev-parse", "FETCH_HEAD").strip())
    sync(elsewhere)
    assert "duplicate" in exclusion_reason().values()
    remove_with_facts(Connection.objects.get(name="shop"))
    attribute_pending()
    assert exclusion_reason() == {}
    assert tables() == imported_anew(elsewhere)


@contextmanager
def reading(source: RepositorySource) -> Iterator[None]:
    """Another process that reads the source."""
    with psycopg.connect(database_url(database.settings_dict["NAME"])) as other:
        other.execute("SELECT pg_advisory_lock(%s, %s)", [READING.number, source.pk])
        yield


def test_one_that_is_being_read_is_not_removed(admin: Client, shop: Repo) -> None:
    with reading(RepositorySource.objects.get()):
        assert "is being synced right now" in remove(admin, "delete")
    assert Connection.objects.exists()
    assert "delete_selected" not in admin.get(reverse("admin:integrations_connection_changelist")).content.decode()
