"""The data directory of an installation after its first start: created once per run and copied.

The tables are those of the run's template, which the launcher's own step has made of an empty database: making them
again would take twice as long as all else.  `make soak` starts one on an empty folder: tests/launcher/test_accounts.py.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from config import embedded_postgres
from config.embedded_postgres import Cluster
from config.embedded_postgres.cluster import DATABASE_NAME, SUPERUSER, binaries
from tests.databases import copy_database, database_url, drop_database
from tests.launcher.installation import Installation
from tests.run_folder import RUN_MARKER, once_per_run


@dataclass(frozen=True)
class FirstStart:
    """An installation on the embedded database, started once and stopped."""

    data_dir: Path
    output: str
    """What `manage.py up` said."""

    def copy_to(self, data_dir: Path) -> None:
        """Make that folder one like this, with owners and modes: root's database belongs to another account."""
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        subprocess.run(["cp", "-a", f"{self.data_dir}/.", str(data_dir)], check=True)
        shutil.rmtree(data_dir / "run")  # locks, and when a task was last finished


def start_first(template: str) -> FirstStart:
    """Whichever process of the run comes first makes it, with `manage.py up` itself."""
    folder = Path(os.environ[RUN_MARKER]) / "first start"
    output = folder / "output.txt"
    with once_per_run("first start") as first:
        if first:
            folder.mkdir(mode=0o711, exist_ok=True)  # an earlier test may have failed to start it
            installation = Installation(folder / "data")
            try:
                _fill(Cluster(installation.data_dir), template)
                installation.start()
                installation.stop()
            finally:
                installation.end_everything()
            output.write_text(installation.output)
    return FirstStart(folder / "data", output.read_text())


def _fill(cluster: Cluster, template: str) -> None:
    """Create the cluster with the template's tables, and stop its server."""
    embedded_postgres.start(cluster)
    copy = f"{template}_to_dump"  # others may copy the template meanwhile, which nobody may be connected to
    copy_database(template, copy)
    try:
        dump = [str(binaries() / "pg_dump"), "--no-owner", "--no-privileges", "--dbname", database_url(copy)]
        dumped = subprocess.run(dump, check=True, capture_output=True).stdout
    finally:
        drop_database(copy)
    connected = ("-h", str(cluster.socket_dir), "-U", SUPERUSER, "-d", DATABASE_NAME)
    fill = [str(binaries() / "psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", "--single-transaction", *connected]
    subprocess.run(fill, input=dumped, check=True, stdout=subprocess.DEVNULL)
    embedded_postgres.stop(cluster)
