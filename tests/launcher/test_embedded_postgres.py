"""The embedded server on its own: supported paths, refusals and their messages."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.embedded_postgres import Cluster, EmbeddedPostgresError, is_running, start, stop, use
from config.embedded_postgres.accounts import refuse_folders_of_others, run_as_server
from config.embedded_postgres.cluster import LONGEST_SOCKET_FOLDER
from config.embedded_postgres.postmaster import Postmaster
from config.launcher.database import take_over

only_root = pytest.mark.skipif(os.getuid() != 0, reason="only root can give a folder to somebody else")
STRANGER = 65534  # nobody


@pytest.fixture(scope="module")
def created(roomy_tmp_path: Path) -> Iterator[Cluster]:
    """One cluster for several tests: creating it takes longer than starting it."""
    cluster = Cluster(roomy_tmp_path / "created")
    yield cluster
    stop(cluster)


@pytest.fixture
def cluster(created: Cluster) -> Cluster:
    """A cluster whose server does not run."""
    stop(created)
    return created


@pytest.fixture
def far_away(roomy_tmp_path: Path) -> Iterator[Cluster]:
    """A cluster whose path is longer than any socket's may be."""
    cluster = Cluster(roomy_tmp_path.joinpath(*(f"{'deeply nested ' * 8}{i}" for i in range(6))))
    name = cluster.socket_dir
    yield cluster
    stop(cluster)
    for folder in (*name.parent.glob(f"{name.name}*"), cluster.data_dir):
        shutil.rmtree(folder, ignore_errors=True)


def test_it_starts_in_a_very_long_path_beside_a_squatted_socket_folder(far_away: Cluster) -> None:
    squatted = far_away.socket_dir
    squatted.symlink_to(far_away.data_dir)  # somebody else's trap
    try:
        assert far_away.socket_dir != squatted
        assert len(os.fsencode(far_away.data_dir)) > 600
        start(far_away)
        assert is_running(far_away)
        assert far_away.socket_dir.stat().st_mode & 0o077 == 0
        assert len(os.fsencode(far_away.socket_dir)) <= LONGEST_SOCKET_FOLDER
    finally:
        squatted.unlink()


@only_root
def test_a_socket_folder_of_another_account_is_passed_by(far_away: Cluster) -> None:
    squatted = far_away.socket_dir
    squatted.mkdir()
    try:
        os.chown(squatted, STRANGER, STRANGER)
        assert far_away.socket_dir != squatted
    finally:
        squatted.rmdir()


def test_a_running_server_is_adopted_and_one_without_its_socket_is_started_anew(cluster: Cluster) -> None:
    start(cluster)
    first = Postmaster.read(cluster.postgres_dir)
    start(cluster)
    assert Postmaster.read(cluster.postgres_dir) == first
    shutil.rmtree(cluster.socket_dir)
    start(cluster)
    second = Postmaster.read(cluster.postgres_dir)
    assert is_running(cluster)
    assert first is not None
    assert second is not None
    assert first.pid != second.pid


def test_a_pid_file_that_names_another_program_does_not_stop_a_start(cluster: Cluster) -> None:
    """After a reboot, or in a container, the old server's number is soon somebody else's.

    PostgreSQL itself ignores its parent's number, and those of other accounts.
    """
    start(cluster)
    pid_file = cluster.postgres_dir / "postmaster.pid"
    lines = pid_file.read_text().splitlines()
    stop(cluster)
    other = subprocess.Popen(["sleep", "600"], **run_as_server())
    try:
        pid_file.write_text("\n".join([str(other.pid), *lines[1:]]) + "\n")
        start(cluster)
        assert is_running(cluster)
    finally:
        other.kill()
        other.wait()


def test_up_waits_for_a_server_that_is_still_starting(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    patience = iter((0, 0))
    monkeypatch.setattr(use, "start", lambda cluster, **_: start(cluster, patience_seconds=next(patience, 60)))
    said: list[str] = []
    lock = use.ServerLock(cluster)
    take_over(lock, say=said.append, is_stopping=lambda: False)
    lock.close()
    assert is_running(cluster)
    assert said[0].startswith("PostgreSQL does not answer yet. It may still be recovering: see ")


def test_a_stop_request_ends_the_wait(cluster: Cluster) -> None:
    lock = use.ServerLock(cluster)
    take_over(lock, say=pytest.fail, is_stopping=lambda: True)
    lock.close()
    assert not is_running(cluster)


def test_data_of_another_postgresql_is_refused_and_left_alone(tmp_path: Path) -> None:
    cluster = Cluster(tmp_path)
    cluster.postgres_dir.mkdir(parents=True)
    (cluster.postgres_dir / "PG_VERSION").write_text("17\n")
    with pytest.raises(EmbeddedPostgresError, match="belongs to another version: it was written by PostgreSQL 17"):
        start(cluster)
    assert [path.name for path in cluster.postgres_dir.iterdir()] == ["PG_VERSION"]


def test_data_of_another_account_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Cluster(tmp_path)
    cluster.run_dir.mkdir(parents=True)
    monkeypatch.setattr(os, "getuid", lambda: STRANGER)
    with pytest.raises(EmbeddedPostgresError, match=r"belongs to .*, and this is"):
        refuse_folders_of_others(cluster.data_dir, cluster.run_dir)


@only_root
def test_a_full_disk_is_called_so(roomy_tmp_path: Path) -> None:
    disk = roomy_tmp_path / "small disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=20m,mode=0711", "tmpfs", str(disk)]
    if subprocess.run(mount, check=False, capture_output=True).returncode != 0:
        pytest.skip("this machine lets nobody mount a small disk")
    try:
        with pytest.raises(EmbeddedPostgresError, match="The disk is full: PostgreSQL cannot write to"):
            start(Cluster(disk / "data"))
    finally:
        subprocess.run(["umount", str(disk)], check=True)
