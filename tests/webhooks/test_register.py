"""Headway registers webhooks where that is enabled, and removes them again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from demo.providers.github_access import Token
from demo.providers.github_server import GitHubServer
from integrations.connectors.base import Settings
from integrations.enums import ResourceKind
from integrations.models import Connection, Resource
from integrations.sync.connect import connect, rotate_webhook_secret
from integrations.sync.resources import discover_resources, pick_resources
from integrations.webhooks.register import (
    can_register,
    register_waiting,
    remove_hooks_of,
    renew_hooks,
    request_hook_removal,
    request_hooks,
)
from tests.demo.small_history import SHOP, small_history

pytestmark = pytest.mark.django_db
TOKEN, LACKING = "github_pat_of_the_tests", "github_pat_without_hooks"


@pytest.fixture
def github() -> Iterator[GitHubServer]:
    tokens = [Token(TOKEN, "ada"), Token(LACKING, "ada", lacks=frozenset({"repository_hooks"}))]
    with GitHubServer(small_history(), tokens=tokens) as server:
        yield server


def connected(github: GitHubServer, token: str = TOKEN) -> Connection:
    connection = connect("github", "GitHub", Settings({"base_url": github.url}, {"token": token}))
    discover_resources(connection)
    return connection


def shop() -> Resource:
    return Resource.objects.get(kind=ResourceKind.REPOSITORY, name="acme/shop")


def test_nothing_is_registered_unasked(github: GitHubServer) -> None:
    assert can_register(connected(github))
    register_waiting()
    assert shop().hook_id == ""
    assert not list(github.hooks.at(SHOP))


def test_a_synced_resource_gets_one_webhook_however_often_it_is_requested(github: GitHubServer) -> None:
    connection = connected(github)
    request_hooks(connection)
    for _ in range(2):
        register_waiting()
    (hook,) = github.hooks.at(SHOP)
    assert hook.address.endswith(f"/hooks/github/{connection.pk}/")
    assert hook.secret == connection.secrets["webhook_secret"]
    assert shop().hook_id


def test_a_new_secret_reaches_the_registered_webhook(github: GitHubServer) -> None:
    connection = connected(github)
    request_hooks(connection)
    register_waiting()
    rotate_webhook_secret(connection)
    renew_hooks(connection)
    register_waiting()
    connection.refresh_from_db()
    (hook,) = github.hooks.at(SHOP)
    assert hook.secret == connection.secrets["webhook_secret"]


def test_what_is_not_synced_any_more_loses_its_webhook(github: GitHubServer) -> None:
    connection = connected(github)
    request_hooks(connection)
    register_waiting()
    pick_resources(connection, dropped=[shop().pk])
    register_waiting()
    assert not list(github.hooks.at(SHOP))
    assert shop().hook_id == ""


def test_they_are_removed_when_they_are_not_wanted(github: GitHubServer) -> None:
    connection = connected(github)
    request_hooks(connection)
    register_waiting()
    request_hook_removal(connection)
    register_waiting()
    assert not list(github.hooks.at(SHOP))


def test_a_missing_permission_is_named_and_tried_again_on_request(github: GitHubServer) -> None:
    connection = connected(github, LACKING)
    request_hooks(connection)
    register_waiting()
    assert "Webhooks" in shop().hook_problem
    requests_before = len(github.requests)
    register_waiting()
    assert len(github.requests) == requests_before  # it would be refused again
    request_hooks(connection)
    register_waiting()
    assert len(github.requests) > requests_before


def test_they_go_with_their_connection(github: GitHubServer) -> None:
    connection = connected(github)
    request_hooks(connection)
    register_waiting()
    assert remove_hooks_of(connection) == 0
    assert not list(github.hooks.at(SHOP))


def test_a_provider_that_refuses_holds_no_removal_up(github: GitHubServer) -> None:
    connection = connected(github)
    request_hooks(connection)
    register_waiting()
    connection.secrets = {**connection.secrets, "token": "github_pat_revoked"}
    connection.save()
    assert remove_hooks_of(connection) == connection.resources.exclude(hook_id="").count() > 0
