"""A pytest plugin, loaded before settings: gives every test run a data directory and a database of its own.

Where DATABASE_URL is set, the tests use that server.  With xdist the first process starts the server and the
workers find it in their environment.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import pytest

RUN_MARKER = "HEADWAY_TEST_RUN"
_owned: Path | None = None

if RUN_MARKER not in os.environ:
    _owned = Path(tempfile.mkdtemp(prefix="headway-test-"))
    _owned.chmod(0o711)  # root's server runs under an account of its own, which passes through
    os.environ[RUN_MARKER] = "1"
    os.environ["HEADWAY_DATA_DIR"] = str(_owned / "data")
    os.environ["HEADWAY_SECRET_KEY"] = "only-for-tests"
    if not os.environ.get("DATABASE_URL"):
        from config import embedded_postgres, environment

        embedded_postgres.start(environment.cluster())


def pytest_unconfigure(config: pytest.Config) -> None:
    if _owned is None:
        return
    if not os.environ.get("DATABASE_URL"):
        from config import embedded_postgres, environment

        embedded_postgres.stop(environment.cluster())
    shutil.rmtree(_owned, ignore_errors=True)
