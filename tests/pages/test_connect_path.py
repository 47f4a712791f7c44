"""Repositories by path: connected on their page, or refused in words."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.test import Client

from integrations.models import RepositorySource
from tests.code.git.repositories import Repo
from tests.pages.test_committed_code import create_source, page, sync


def test_an_admin_connects_a_path(admin: Client, tmp_path: Path) -> None:
    repo = Repo.create(tmp_path / "orders")
    repo.commit({"a.py": "a\n"})
    answer = admin.post("/setup/repositories/", {"path": str(repo.path)}, follow=True)
    assert "orders is connected" in answer.content.decode()
    assert RepositorySource.objects.get().external_id == str(repo.path)


@pytest.mark.parametrize(
    ("path", "message"),
    [("", "Give the path"), ("orders", "absolute"), ("/nowhere/at/all", "/nowhere/at/all"), ("/a\nb", "printable")],
)
def test_a_path_that_cannot_be_connected_is_explained(admin: Client, path: str, message: str) -> None:
    answer = admin.post("/setup/repositories/", {"path": path})
    assert answer.status_code == 400
    assert message in answer.content.decode()
    assert not RepositorySource.objects.exists()


def test_a_failed_sync_is_explained(admin: Client, tmp_path: Path) -> None:
    source = create_source(tmp_path)
    (tmp_path / "shop").rename(tmp_path / "elsewhere")
    run = sync(source)
    html = page(admin, "/setup/repositories/")
    assert "Failed" in html
    assert run.problem
    assert admin.post("/setup/repositories/", {"read": str(source.pk)}).status_code == 302
