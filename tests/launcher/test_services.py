"""External services that waiting cannot make usable, and the messages at start."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from celery import Celery
from pytest_django.plugin import DjangoDbBlocker

from config.launcher import services
from config.launcher.errors import LaunchError
from tests.databases import empty_database, pointed_at


@pytest.fixture
def in_ascii(database_template: str, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Django's connection leads to a database that takes ASCII alone."""
    options = "TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE_PROVIDER libc LOCALE 'C'"
    with (
        django_db_blocker.unblock(),
        empty_database(f"{database_template}_ascii", options) as name,
        pointed_at(name),
    ):
        yield


@pytest.mark.usefixtures("in_ascii")
def test_a_database_that_cannot_hold_every_name_is_refused() -> None:
    with pytest.raises(LaunchError, match="needs a database in UTF8, and the one of DATABASE_URL is in SQL_ASCII"):
        services.wait_for_database()


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("carrier-pigeon://127.0.0.1/", "CELERY_BROKER_URL names a broker that is not known"),
        ("redis://127.0.0.1:port/0", "CELERY_BROKER_URL must be an address such as"),
        ("redis://127.0.0.1/headway", "CELERY_BROKER_URL must be an address such as"),
    ],
)
def test_an_address_that_is_no_brokers_is_refused_at_once(
    monkeypatch: pytest.MonkeyPatch, address: str, sentence: str
) -> None:
    monkeypatch.setenv("CELERY_BROKER_URL", address)
    monkeypatch.setattr(services, "app", Celery(broker=address, set_as_current=False))
    with pytest.raises(LaunchError, match=sentence):
        services.wait_for_broker()
