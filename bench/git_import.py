"""Importing a git repository into the database, compared with `git log --numstat` of the same repository."""

from __future__ import annotations

import subprocess
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from django.db import transaction
from django.utils import timezone

from bench.figures import Limit, Measured
from demo.plan.fast_import import FastImport, Signed, create_bare_repository, fast_import
from demo.plan.filler import Filler
from integrations.connectors.git.commands import arguments, environment
from integrations.models import RepositorySource, SyncRun
from integrations.sync.git.connect import connect_git
from integrations.sync.git.read_source import sync_source

LIMIT_SHARE = 0.7
FILES, FOLDERS = 2_000, 80
FILES_A_COMMIT = 3
LINES_OF_A_FILE = (60, 400)
AUTHORS = 200


def git_import(*, commits: int) -> list[Measured]:
    """The import of a generated history with this many commits; attribution by the worker is not included."""
    with tempfile.TemporaryDirectory(prefix="headway-bench-git-") as folder:
        path = Path(folder) / "history"
        write_history(path, commits=commits)
        limit = commits / _seconds_of_git_log(path)
        reached = commits / _seconds_of_import(path)
    return [
        Measured(
            name="git import",
            value=reached,
            unit="commits/s",
            goal=f"≥ {LIMIT_SHARE:.0%} of the limit",
            met=reached >= LIMIT_SHARE * limit,
            limit=Limit("commits/s: git log --numstat of the same repository, its output thrown away", limit),
            conditions=f"{commits:,} commits of {FILES_A_COMMIT} files (of {FILES:,}), {AUTHORS} authors, read and "
            "stored by one process; the database and the worker run on the same cores",
        )
    ]


def write_history(path: Path, *, commits: int) -> None:
    """A bare repository with one branch of this many commits, an hour apart."""
    rng = Random(1)  # noqa: S311 - a bench, not a secret
    filler = Filler(rng)
    paths = [_path(number) for number in range(FILES)]
    files = {path: filler.lines(path, rng.randrange(*LINES_OF_A_FILE)) for path in paths}
    at = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=commits + 1)
    tip: tuple[int, ...] = ()
    create_bare_repository(path)
    with fast_import(path) as importing:
        blobs = {path: importing.blob(_content(lines)) for path, lines in files.items()}
        for number in range(commits):
            chosen = rng.sample(paths, FILES_A_COMMIT)
            changed = {name: _changed(files, name, filler, rng, importing) for name in chosen} if number else blobs
            author = f"Bench Author {number % AUTHORS}", f"bench{number % AUTHORS}@example.com"
            signed = Signed(*author, at + timedelta(hours=number))
            tip = (importing.commit("refs/heads/main", signed, f"{filler.sentence()}\n", changed, parents=tip),)


def _path(number: int) -> str:
    folder = number % FOLDERS
    return f"source/area{folder % 8}/part{folder}/file{number}.py"


def _changed(files: dict[str, list[str]], path: str, filler: Filler, rng: Random, importing: FastImport) -> int:
    """The mark of the file's content with a few lines added, and as many taken away elsewhere."""
    lines = files[path]
    count = rng.randrange(1, 12)
    removed = rng.randrange(len(lines) - count)
    del lines[removed : removed + count]
    position = rng.randrange(len(lines) + 1)
    lines[position:position] = filler.lines(path, count)
    return importing.blob(_content(lines))


def _content(lines: list[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()


def _seconds_of_git_log(path: Path) -> float:
    """The duration of the second of two reads, for which the files are in memory, as they are for the import."""
    command = arguments(path, "log", "--numstat", "-M", "--all")
    for _ in range(2):
        started = time.perf_counter()
        subprocess.run(command, env=environment(), stdout=subprocess.DEVNULL, check=True)
        seconds = time.perf_counter() - started
    return seconds


def _seconds_of_import(path: Path) -> float:
    source = _connect_for_us_alone(path)
    started = time.perf_counter()
    run = sync_source(source)
    seconds = time.perf_counter() - started
    if run.state != SyncRun.State.DONE:
        raise RuntimeError(f"The import ended as {run.state}: {run.problem}")
    return seconds


def _connect_for_us_alone(path: Path) -> RepositorySource:
    """A source that the worker ignores."""
    with transaction.atomic():
        source = connect_git(path, name=f"bench {time.time_ns()}")
        source.connection.paused_at = timezone.now()
        source.connection.save(update_fields=["paused_at"])
    return source
