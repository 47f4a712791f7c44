"""A pytest plugin, loaded before settings: gives every test run its own data directory, database and broker.

Tests use the server of DATABASE_URL and a database on the Redis of CELERY_BROKER_URL if set.  With xdist the first
process prepares them, and workers inherit them through their environment.
"""

from __future__ import annotations

import os
from contextlib import ExitStack

import pytest

from tests.brokers import UnusableBrokerError, broker_of_its_own
from tests.run_folder import RUN_MARKER, end_runs_that_were_cut_off, run_folder

# What a crash would take is made anew.  The installations that tests of crashes start do not have these settings.
WITHOUT_DURABILITY = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "shared_buffers": "512MB",  # each DROP DATABASE looks through all of them
    # Within a test's transaction it would note tables as empty, and a later test with rows waits for nested loops.
    "autovacuum": "off",
}
_run = ExitStack()


def _prepare() -> None:
    end_runs_that_were_cut_off()
    folder = _run.enter_context(run_folder())
    os.environ[RUN_MARKER] = str(folder)
    # Tests start hundreds of processes of the project; without bytecode each would compile its 800 files again.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["HEADWAY_DATA_DIR"] = str(folder / "data")
    os.environ["PYTEST_DEBUG_TEMPROOT"] = str(folder)  # tests' own folders go with the run's
    os.environ["HEADWAY_SECRET_KEY"] = "only-for-tests"
    os.environ |= _run.enter_context(broker_of_its_own())
    if os.environ.get("DATABASE_URL"):
        (folder / "data").mkdir(mode=0o700)  # as `manage.py up` leaves it, and the embedded server beside it
        _run.callback(_drop_templates)
    else:
        from config import embedded_postgres, environment

        _run.callback(embedded_postgres.stop, environment.cluster())
        embedded_postgres.start(environment.cluster(), settings=WITHOUT_DURABILITY)


def _drop_templates() -> None:
    from tests.databases import SERVER_TEMPLATE, TEMPLATE, drop_database

    for name in (TEMPLATE, SERVER_TEMPLATE):
        drop_database(name)


if RUN_MARKER not in os.environ:
    try:
        _prepare()
    except UnusableBrokerError as problem:
        raise pytest.UsageError(str(problem)) from None


def pytest_unconfigure(config: pytest.Config) -> None:
    _run.close()  # holds nothing in xdist's workers
