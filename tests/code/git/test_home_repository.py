"""A commit counts in one of the repositories that hold it: its home, which follows what branches do."""

from __future__ import annotations

from pathlib import Path

import pytest

from integrations.models import Commit
from integrations.sync.git import read_source as reading
from tests.code.git.repositories import Repo, lines
from tests.code.git.tables import counted, imported_anew, sync, tables

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(repo: Repo) -> Repo:
    repo.commit({"a.py": lines(3)}, "Begin")
    repo.branch("topic")
    repo.commit({"b.py": lines(2)}, "Topic")
    repo.switch("main")
    return repo


@pytest.fixture
def fork(shop: Repo, tmp_path: Path) -> Repo:
    """A fork that has the topic on its default branch; the shop is connected first."""
    fork = shop.clone(tmp_path / "fork")
    fork.git("remote", "set-url", "origin", "https://git.example.com/fork.git")
    fork.git("remote", "set-head", "origin", "--delete")
    fork.git("merge", "--quiet", "--ff-only", "origin/topic")
    fork.git("update-ref", "-d", "refs/remotes/origin/main")
    sync(shop)
    return fork


class Killed(BaseException):
    """Nothing catches it: what a kill leaves behind is what is stored."""


def _die() -> None:
    raise Killed


def homes() -> dict[str, str]:
    """Subject → the home's name."""
    return dict(Commit.objects.order_by("subject").values_list("subject", "home__name"))


def test_where_it_is_on_the_default_branch_else_where_it_was_connected_first(shop: Repo, fork: Repo) -> None:
    assert homes() == {"Begin": "shop", "Topic": "shop"}
    sync(fork)
    assert homes() == {"Begin": "shop", "Topic": "fork"}


def test_a_merge_and_a_rewritten_branch_move_it(shop: Repo, fork: Repo) -> None:
    sync(fork)
    shop.git("merge", "--quiet", "--ff-only", "topic")
    sync(shop)
    assert homes()["Topic"] == "shop"
    shop.git("reset", "--quiet", "--hard", "HEAD^")
    shop.git("branch", "--quiet", "--delete", "--force", "topic")
    sync(shop)
    assert homes() == {"Begin": "shop", "Topic": "fork"}
    assert tables() == imported_anew(shop, fork)


def test_one_that_no_branch_holds_any_more_has_none(shop: Repo) -> None:
    sync(shop)
    shop.git("branch", "--quiet", "--delete", "--force", "topic")
    sync(shop)
    assert homes() == {"Begin": "shop", "Topic": None}


def test_what_a_broken_off_reading_stored_and_a_rewrite_took_away_is_no_ghost(
    shop: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync(shop)
    shop.commit({"c.py": lines(9)}, "Never seen again")
    with monkeypatch.context() as patch:
        patch.setattr(reading, "lock_for_recompute", _die)
        with pytest.raises(Killed):
            sync(shop)
    assert "Never seen again" in counted()
    shop.git("reset", "--quiet", "--hard", "HEAD^")
    shop.commit({"d.py": lines(1)}, "Instead")
    sync(shop)
    assert counted() == {"Begin": 3, "Topic": 2, "Instead": 1}
    assert tables() == imported_anew(shop)
