"""Shared fixtures.  Sockets are blocked except to this machine: see pyproject.toml."""

from __future__ import annotations

import gc
import itertools
import os
import tempfile
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

import hypothesis
import pytest
from django.db import connection
from django.test import Client, TransactionTestCase
from django_celery_beat.models import IntervalSchedule, PeriodicTask
from hypothesis import HealthCheck
from pytest_django.plugin import DjangoDbBlocker

from config.launcher.schema import migrate_schema
from config.schedule import seed_schedule
from insights.engine import contributors
from insights.engine.contributors import unconfirmed_by_version
from insights.privacy.families import alike_by_version, places_by_version
from integrations.intake.resolve import renamed_services
from integrations.telemetry.agents.dictionary import forget_dictionary
from integrations.telemetry.otlp.store_names import known_names
from integrations.telemetry.otlp.store_partitions import forget_partitions
from integrations.telemetry.otlp.store_sessions import forget_identities
from orgtree.organisation.cached_settings import NEVER_CHANGED, cache_catalogue_version
from tests import run_order
from tests.brokers import broker_of_its_own
from tests.browsers import browser, windows
from tests.databases import (
    SERVER_TEMPLATE,
    TEMPLATE,
    copy_database,
    create_database,
    database_bytes,
    drop_database,
    empty_database,
    pointed_at,
)
from tests.first_start import FirstStart, start_first
from tests.installations import Installation
from tests.org import Org
from tests.personas import ADMIN, MEMBER, PERSONAS, Persona, create_user, signed_in
from tests.recordings import Recordings
from tests.run_folder import RUN_MARKER, once_per_run
from tests.servers import Application, Server, fresh_log_dir
from tests.stored_once import refuse_mixed_files, stored_once

__all__ = ["browser", "stored_once", "windows"]
StartServer = Callable[..., AbstractContextManager[Server]]
# Swept once in ten to sixty seconds by themselves, and idle where nothing waits: journeys wait for them.
AWAITED = ("List resources", "Send e-mails", "Sync connections")
# Rows that tests roll back stay in the files of the database, and every scan of a table goes through them.
LARGE = 60_000_000  # bytes, twice a new one
AFTER_A_FILE = pytest.StashKey[Callable[[], None]]()
_numbers = itertools.count(1)


def pytest_configure(config: pytest.Config) -> None:
    from django.conf import settings

    # A busy machine is no fault of what is tested.
    hypothesis.settings.register_profile("any pace", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    hypothesis.settings.load_profile("any pace")
    # Pages rendered in this process need no collected files; servers in other processes serve the real ones.
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    cheap = "django.contrib.auth.hashers.MD5PasswordHasher"
    settings.PASSWORD_HASHERS = [cheap, *settings.PASSWORD_HASHERS]
    Path(settings.STATIC_ROOT).mkdir(mode=0o700, parents=True, exist_ok=True)  # WhiteNoise warns where it is missing


def pytest_addoption(parser: pytest.Parser) -> None:
    run_order.add_option(parser)


@pytest.hookimpl(trylast=True)  # after `-m` and `-k` left out what does not run: soaks would count as the longest
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    refuse_mixed_files(items)
    if config.getoption("--quick"):
        slow = [item for item in items if not run_order.is_quick(item)]
        config.hook.pytest_deselected(items=slow)
        items[:] = [item for item in items if run_order.is_quick(item)]
    run_order.arrange(items, seed=config.getoption("--shuffle"))


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Tests and the loaded product, 600,000 objects, live to the end: no garbage collection goes through them again.

    The young generation is larger than by default, as a request makes thousands of objects.
    """
    gc.disable()
    collected = yield
    gc.freeze()
    gc.set_threshold(20_000)
    gc.enable()
    return collected


@pytest.fixture(autouse=True)
def _clear_caches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clear the caches of this process: entries of an earlier test refer to deleted facts and people.

    An entry that ends with the minute would end within a test now and then, which then counts one more statement.
    """
    monkeypatch.setattr(contributors, "CACHED_SECONDS", 1e9)
    forget_dictionary()
    forget_identities()
    known_names.clear()
    forget_partitions()
    unconfirmed_by_version.clear()
    places_by_version.clear()
    alike_by_version.clear()
    renamed_services.clear()
    cache_catalogue_version(NEVER_CHANGED)


@pytest.fixture(scope="session")
def database_template(django_test_environment: None, django_db_blocker: DjangoDbBlocker) -> str:
    """The name of a migrated database, made once for the run, that all others are copied from."""
    with django_db_blocker.unblock(), once_per_run("database") as first:
        if first:
            create_database(TEMPLATE)
            with pointed_at(TEMPLATE):
                migrate_schema()
    return TEMPLATE


@pytest.fixture(scope="session")
def django_db_setup(
    database_template: str,
    django_db_modify_db_settings: None,
    django_db_blocker: DjangoDbBlocker,
    request: pytest.FixtureRequest,
) -> Iterator[None]:
    """This process's copy of the template; after a test that commits, a new one takes its place.

    pytest-django's own migrates in each process, and empties all tables one by one after such a test.
    """
    before = str(connection.settings_dict["NAME"])
    mine = str(connection.creation._get_test_db_name())  # type: ignore[attr-defined]

    def copy_anew(*_: object) -> None:
        connection.close()
        copy_database(database_template, mine)

    def copy_if_large() -> None:
        with django_db_blocker.unblock():
            if connection.connection is not None and database_bytes() > LARGE:
                copy_anew()

    request.session.stash[AFTER_A_FILE] = copy_if_large
    with django_db_blocker.unblock(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", copy_anew)
        copy_anew()
        connection.settings_dict["NAME"] = mine
        yield
        connection.close()
        connection.settings_dict["NAME"] = before
        drop_database(mine)


@pytest.fixture(scope="session")
def server_template(database_template: str, django_db_blocker: DjangoDbBlocker) -> str:
    """The template with the schedule and the personas' accounts, which servers' databases are copied from."""
    with django_db_blocker.unblock(), once_per_run("server_database") as first:
        if first:
            copy_database(database_template, SERVER_TEMPLATE)
            with pointed_at(SERVER_TEMPLATE):
                seed_schedule()
                often, _ = IntervalSchedule.objects.get_or_create(every=2, period=IntervalSchedule.SECONDS)
                PeriodicTask.objects.filter(name__in=AWAITED).update(interval=often)
                for persona in PERSONAS:
                    create_user(persona)
    return SERVER_TEMPLATE


@pytest.fixture(scope="session")
def start_server(
    server_template: str, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> StartServer:
    """`with start_server("web", "worker", "beat", named="…") as server:` an installation with those processes.

    `broker={"CELERY_BROKER_URL": …}` takes the place of the run's broker.
    """

    @contextmanager
    def start(*processes: str, named: str, broker: Mapping[str, str] | None = None) -> Iterator[Server]:
        database = f"{server_template}_{os.getpid()}_{next(_numbers)}"
        with django_db_blocker.unblock():
            copy_database(server_template, database)
        with broker_of_its_own() as own_broker:
            server = Server(
                database=database,
                broker=own_broker if broker is None else broker,
                data_dir=tmp_path_factory.mktemp("server") / "data",
                log_dir=fresh_log_dir(named),
                unblock=django_db_blocker.unblock,
            )
            try:
                server.start(*processes)
                yield server
            finally:
                server.stop()
                with django_db_blocker.unblock():
                    drop_database(database)

    return start


@pytest.fixture
def server(start_server: StartServer, request: pytest.FixtureRequest) -> Iterator[Server]:
    """The real application, served by another process; received telemetry stays unfolded."""
    with start_server("web", named=request.node.name) as server:
        yield server


@pytest.fixture
def server_with_worker(start_server: StartServer, request: pytest.FixtureRequest) -> Iterator[Server]:
    """The real application with its Celery worker and beat."""
    with start_server("web", "worker", "beat", named=request.node.name) as server:
        yield server


@pytest.fixture(scope="session")
def roomy_tmp_path() -> Iterator[Path]:
    """A temporary folder, with a space in its name, that root's server can pass through.

    That server runs under an account of its own.  pytest's folder is closed to other accounts, again by each run that
    starts meanwhile.
    """
    with tempfile.TemporaryDirectory(prefix="roomy ", dir=os.environ[RUN_MARKER]) as folder:
        Path(folder).chmod(0o711)
        yield Path(folder)


@pytest.fixture(scope="session")
def first_start(database_template: str, django_db_blocker: DjangoDbBlocker) -> FirstStart:
    """An installation that was started once, for copies."""
    with django_db_blocker.unblock():
        return start_first(database_template)


@pytest.fixture
def installation(roomy_tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Installation]:
    """`manage.py up`, which the test may kill: on the given services, or with a database server of its own."""
    given = os.environ.get("DATABASE_URL")
    name = f"headway_test_installation_{os.getpid()}"
    with (
        tempfile.TemporaryDirectory(prefix="installation ", dir=roomy_tmp_path) as folder,
        empty_database(name) if given else nullcontext() as database,
        broker_of_its_own() as broker,
    ):
        data_dir = Path(folder)
        if not given:
            first_start: FirstStart = request.getfixturevalue("first_start")
            first_start.copy_to(data_dir)
        log_dir = fresh_log_dir(request.node.name)
        installation = Installation(data_dir=data_dir, log_dir=log_dir, database=database, broker=broker)
        try:
            installation.start()
            yield installation
        finally:
            installation.stop()


@pytest.fixture
def org(db: None, tmp_path_factory: pytest.TempPathFactory) -> Org:
    """An empty organisation whose story a test tells: see tests/org.py."""
    return Org(tmp_path_factory.mktemp)


@pytest.fixture
def sign_in(db: None) -> Callable[[Persona], Client]:
    """A Django test client signed in as that persona."""
    return signed_in


@pytest.fixture
def member(sign_in: Callable[[Persona], Client]) -> Client:
    """A Django test client signed in as Ada, a developer."""
    return sign_in(MEMBER)


@pytest.fixture
def admin(sign_in: Callable[[Persona], Client]) -> Client:
    """A Django test client signed in as the admin."""
    return sign_in(ADMIN)


@pytest.fixture(scope="session")
def test_data() -> Path:
    """The folder with what others recorded: telemetry of agents, payloads of providers."""
    folder = os.environ.get("HEADWAY_TEST_DATA")
    if not folder:
        pytest.skip("HEADWAY_TEST_DATA is not set: what real agents and providers sent is not here")
    return Path(folder)


@pytest.fixture(scope="session")
def recordings(test_data: Path) -> Recordings:
    """Requests that real agents sent, with their known totals."""
    return Recordings(test_data)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Generator[None, object, object]:
    """Give up a database that has grown, when a file's fixtures are gone."""
    result = yield
    if nextitem is not None and nextitem.path != item.path and AFTER_A_FILE in item.session.stash:
        item.session.stash[AFTER_A_FILE]()
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Put the servers' last log lines into the report of a failed test."""
    report = yield
    if report.failed:  # type: ignore[attr-defined]
        for fixture in getattr(item, "funcargs", {}).values():
            if isinstance(fixture, Application):
                report.sections.append(("server logs", fixture.logs()))  # type: ignore[attr-defined]
    return report
