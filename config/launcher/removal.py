"""`make clean`: stop the server and delete the data directory."""

from __future__ import annotations

import shutil
import sys

from config import environment
from config.embedded_postgres import EmbeddedPostgresError, stop
from config.launcher.errors import LaunchError
from config.launcher.ownership import lock_data_directory


def main() -> int:
    cluster = environment.cluster()
    if not cluster.run_dir.is_dir():
        print(f"{cluster.data_dir} was not made by Headway: not deleting it.", file=sys.stderr)
        return 1
    try:
        lock_data_directory(cluster.run_dir, cluster.data_dir)
        stop(cluster)
    except (EmbeddedPostgresError, LaunchError) as problem:
        print(problem, file=sys.stderr)
        return 1
    shutil.rmtree(cluster.socket_dir, ignore_errors=True)
    shutil.rmtree(cluster.data_dir)
    return 0


if __name__ == "__main__":
    sys.exit(main())
