"""Connecting, testing, reading and pausing repositories in admin."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from integrations.models import Connection, RepositorySource, SyncRun
from tests.code.git.repositories import Repo, lines
from tests.code.git.tables import sync

pytestmark = pytest.mark.django_db
LIST = "admin:integrations_connection_changelist"
ADD = "/admin/integrations/connection/add/?provider=git"


@pytest.fixture
def admin(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("admin", "admin@example.com"))
    return client


def act(admin: Client, action: str) -> str:
    """The page after the action on every connection."""
    chosen = list(Connection.objects.values_list("pk", flat=True))
    return admin.post(reverse(LIST), {"action": action, "_selected_action": chosen}, follow=True).content.decode()


def test_a_path_is_all_that_connecting_takes(admin: Client, repo: Repo) -> None:
    answer = admin.post(ADD, {"path": str(repo.path)})
    assert answer.status_code == 302
    source = RepositorySource.objects.get()
    assert (source.connection.name, source.external_id) == ("shop", str(repo.path))
    assert source.requested_at is not None


def test_what_is_wrong_stands_beside_the_path(admin: Client, tmp_path: Path) -> None:
    page = admin.post(ADD, {"path": str(tmp_path)}).content.decode()
    assert "is not a git repository" in page
    assert not Connection.objects.exists()


def test_a_taken_name_is_refused(admin: Client, repo: Repo, tmp_path: Path) -> None:
    sync(repo)
    other = Repo.create(tmp_path / "other")
    form = {"path": str(other.path), "name": "shop"}
    page = admin.post(ADD, form).content.decode()
    assert "Choose another" in page
    assert Connection.objects.count() == 1


def test_the_list_shows_the_state_and_the_page_the_history(admin: Client, repo: Repo) -> None:
    repo.commit({"a.py": lines(3)})
    sync(repo)
    listed = admin.get(reverse(LIST)).content.decode()
    assert "Local git" in listed
    assert "Done" in listed
    pk = Connection.objects.get().pk
    page = admin.get(reverse("admin:integrations_connection_history", args=[pk])).content.decode()
    assert "1 commit read: 1 added" in page
    admin.post(reverse("admin:integrations_connection_change", args=[pk]), {"name": "Our shop"})
    assert Connection.objects.get().name == "Our shop"
    for model in ("repository", "syncrun"):
        assert admin.get(reverse(f"admin:integrations_{model}_changelist")).status_code == 200


def test_the_connection_can_be_tested_read_and_paused(admin: Client, repo: Repo) -> None:
    repo.commit({"a.py": lines(3)})
    sync(repo)
    assert "can be read, with 1 branches" in act(admin, "test_connection")
    RepositorySource.objects.update(requested_at=None)
    assert "is being synced" in act(admin, "sync_now")
    assert RepositorySource.objects.get().requested_at is not None
    act(admin, "pause")
    assert "Paused" in admin.get(reverse(LIST)).content.decode()
    act(admin, "resume")
    assert Connection.objects.get().paused_at is None


def test_a_path_that_is_gone_is_said_in_words(admin: Client, repo: Repo) -> None:
    sync(repo)
    shutil.rmtree(repo.path)
    assert "There is no folder" in act(admin, "test_connection")
    sync_run = SyncRun.objects.get()
    assert sync_run.state == SyncRun.State.DONE
