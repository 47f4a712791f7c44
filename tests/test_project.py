"""The project itself: wiring that every other test relies on."""

import socket

import pytest
from django.core.management import call_command
from pytest_socket import SocketConnectBlockedError


@pytest.mark.django_db
def test_models_and_migrations_agree() -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


@pytest.mark.filterwarnings("ignore:A test tried to use socket")
def test_tests_reach_this_machine_only() -> None:
    with pytest.raises(SocketConnectBlockedError):
        socket.create_connection(("192.0.2.1", 80), timeout=1)
