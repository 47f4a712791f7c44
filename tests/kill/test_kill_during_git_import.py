"""A killed git import and its continuation store the same as one uninterrupted import."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from demo.plan.fast_import import Signed, create_bare_repository, fast_import
from integrations.models import SyncRun
from integrations.sync.git.connect import connect_git
from integrations.sync.git.read_source import COMMITS_AT_ONCE
from tests.code.git.tables import tables
from tests.patience import wait_until
from tests.servers import Server


@pytest.mark.parametrize(
    ("seed", "chunks", "kills"),
    [(5, 2, 1), *(pytest.param(seed, 4, 2, marks=pytest.mark.soak) for seed in range(1, 11))],
)
def test_a_killed_reading_leaves_no_trace(
    start_server: Callable[..., AbstractContextManager[Server]], tmp_path: Path, seed: int, chunks: int, kills: int
) -> None:
    write_history(tmp_path / "shop.git", random.Random(seed), commits=chunks * COMMITS_AT_ONCE)
    with start_server(named=f"git-import-{seed}") as killed:
        connect(killed, tmp_path)
        chance = random.Random(seed)
        for stored_chunks in sorted(chance.sample(range(chunks), kills)):
            kill_after(killed, stored_chunks * COMMITS_AT_ONCE)
        stored = read(killed)
        with killed.database():
            assert SyncRun.objects.filter(state=SyncRun.State.INTERRUPTED).count() == kills
    with start_server(named=f"git-import-{seed}-whole") as whole:
        connect(whole, tmp_path)
        assert read(whole) == stored


def write_history(path: Path, chance: random.Random, *, commits: int) -> None:
    """Commits on main and on a branch that is merged at the end, with agents' trailers and a context file."""
    at = datetime.now(UTC).replace(microsecond=0) - timedelta(days=200)
    ada = "Ada Example", "ada@example.com"
    create_bare_repository(path)
    with fast_import(path) as importing:
        tips: dict[str, tuple[int, ...]] = {"main": (), "topic": ()}
        for number in range(commits):
            branch = "topic" if number > 100 and chance.random() < 0.2 else "main"
            content = importing.blob(b"line\n" * chance.randrange(1, 30))
            name = "CLAUDE.md" if number == 50 else f"src/{chance.randrange(300)}.py"
            trailer = "\n\nCo-Authored-By: Claude <noreply@anthropic.com>" if chance.random() < 0.1 else ""
            signed = Signed(*ada, at + timedelta(hours=number))
            parents = tips[branch] or tips["main"]
            mark = importing.commit(f"refs/heads/{branch}", signed, f"Go on{trailer}", {name: content}, parents=parents)
            tips[branch] = (mark,)
        signed = Signed(*ada, at + timedelta(days=199))
        importing.commit("refs/heads/main", signed, "Merge", {}, parents=(*tips["main"], *tips["topic"]))


def connect(server: Server, folder: Path) -> None:
    with server.database():
        connect_git(folder / "shop.git", name="shop")


def kill_after(server: Server, commits: int) -> None:
    """Read, and be killed once so many commits more are stored."""
    with server.database():
        before = SyncRun.objects.count()

    def reached() -> bool:
        with server.database():
            runs = SyncRun.objects.order_by("pk")[before:]
            return any(run.to_read and run.read >= min(commits, run.to_read - COMMITS_AT_ONCE) for run in runs)

    server.run("sync", "manage.py", "sync", "--connection", "shop", "--wait")
    wait_until(reached, what=f"{commits} commits are stored")
    server.kill("sync")


def read(server: Server) -> dict[str, list[tuple[Any, ...]]]:
    server.manage("sync", "--connection", "shop", "--wait")
    with server.database():
        return tables()
